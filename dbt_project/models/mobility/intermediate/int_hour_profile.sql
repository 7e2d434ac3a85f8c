-- What a site usually counts in an hour of the week, all seasons together. Hours that are incomplete, marked by the
-- sensor or declared wrong are left out; the median does not mind the rest that is not yet judged.
select
    site_id,
    mode,
    direction,
    hour_of_week,
    cast({{ quantile('count_corrected', 0.5) }} as double) as median_count,
    cast(count(*) as integer) as hours
from {{ ref('int_count_hour') }}
where is_sound
group by site_id, mode, direction, hour_of_week
