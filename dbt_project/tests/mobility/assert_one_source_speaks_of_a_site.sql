-- Sites may be told by several sources, but per day and mode one speaks: were two added up, the site would count
-- double.
select
    days.site_id,
    days.mode,
    days.date,
    min(days.source_id) as first_source_id,
    max(days.source_id) as last_source_id
from {{ ref('int_channel_day') }} as days
left join {{ ref('int_silent_source') }} as silent
    on
        days.source_id = silent.source_id
        and days.site_id = silent.site_id
        and days.mode = silent.mode
        and days.date = silent.date
where silent.site_id is null
group by days.site_id, days.mode, days.date
having min(days.source_id) <> max(days.source_id)
