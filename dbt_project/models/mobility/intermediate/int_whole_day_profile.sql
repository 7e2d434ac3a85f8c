-- What a site usually counts on a day of the week, told of whole days, all seasons together.
select
    days.site_id,
    days.mode,
    days.direction,
    dates.weekday,
    cast({{ quantile('days.count_corrected', 0.5) }} as double) as median_count,
    cast(count(*) as integer) as days
from {{ ref('int_whole_day') }} as days
inner join {{ ref('int_counting_date') }} as dates on days.date = dates.date
where days.is_sound
group by days.site_id, days.mode, days.direction, dates.weekday
