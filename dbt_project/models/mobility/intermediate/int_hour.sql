-- Hours are counted up from the instant of local midnight: 23 of them in spring, 25 in autumn.
with

range_of_months as (
    select
        min(first_month) as first_month,
        max(last_month) as last_month
    from {{ ref('int_site_window') }}
),

hours as (
    select
        dates.date,
        dates.month,
        {{ add_seconds(local_to_instant('dates.date'), 'numbers.series_number * 3600') }} as hour_at
    from {{ ref('dim_date') }} as dates
    inner join range_of_months on dates.month between range_of_months.first_month and range_of_months.last_month
    inner join {{ number_series(25) }} as numbers on dates.hours_in_day > numbers.series_number
),

local_hours as (
    select
        date,
        month,
        hour_at,
        {{ instant_to_local('hour_at') }} as hour_local
    from hours
)

select
    date,
    month,
    hour_at,
    hour_local,
    -- Monday from midnight is 0, Sunday from 23:00 is 167.
    cast(({{ iso_weekday('date') }} - 1) * 24 + extract(hour from hour_local) as integer) as hour_of_week,
    -- Meteorological seasons: 0 from December, 1 from March, 2 from June, 3 from September.
    cast(floor(extract(month from date) % 12 / 3) as integer) as season
from local_hours
