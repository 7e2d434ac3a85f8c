-- The channels that corrections in force are about.
select distinct
    corrections.source_id,
    corrections.site_id,
    channels.channel_id,
    corrections.first_at,
    corrections.until_at,
    corrections.action,
    corrections.factor
from {{ ref('int_count_correction') }} as corrections
inner join {{ ref('int_channel_version') }} as channels
    on
        corrections.source_id = channels.source_id
        and corrections.site_id = channels.site_id
        and (corrections.channel_id = channels.channel_id or corrections.channel_id is null)
where corrections.is_in_force
