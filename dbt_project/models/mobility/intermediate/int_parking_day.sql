-- One row per car park and local day on which its files have a row for it. frozen: by day (6 to 22 o'clock) the same
-- number of free places in every reading of at least six hours; a car park in use is never that still.
with

days as (
    select
        source_id,
        car_park,
        local_date,
        min(observed_at) as first_reading_at,
        max(observed_at) as last_reading_at,
        max(capacity) as capacity_told,
        count(
            distinct case
                when reading_status = 'measured' and extract(hour from observed_local) between 6 and 21 then hour_at
            end
        ) as daytime_hours,
        min(
            case
                when reading_status = 'measured' and extract(hour from observed_local) between 6 and 21 then free
            end
        ) as free_min,
        max(
            case
                when reading_status = 'measured' and extract(hour from observed_local) between 6 and 21 then free
            end
        ) as free_max
    from {{ ref('int_parking_reading') }}
    group by source_id, car_park, local_date
),

numbered as (
    select
        source_id,
        car_park,
        local_date,
        first_reading_at,
        last_reading_at,
        capacity_told,
        daytime_hours,
        free_min,
        free_max,
        count(capacity_told) over (
            partition by source_id, car_park
            order by local_date asc
            rows between unbounded preceding and current row
        ) as capacities_told
    from days
)

select
    numbered.source_id,
    numbered.car_park,
    numbered.local_date,
    numbered.first_reading_at,
    numbered.last_reading_at,
    dates.hours_in_day,
    max(numbered.capacity_told) over (
        partition by numbered.source_id, numbered.car_park, numbered.capacities_told
    ) as capacity,
    case
        when numbered.capacity_told is not null then 'told'
        when numbered.capacities_told > 0 then 'carried_forward'
        else 'not_told'
    end as capacity_source_status,
    numbered.daytime_hours >= 6 and numbered.free_min = numbered.free_max and numbered.free_min > 0 as is_frozen
from numbered
inner join {{ ref('dim_date') }} as dates on numbered.local_date = dates.date
