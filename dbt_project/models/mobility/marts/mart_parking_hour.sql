-- Every hour of the days on which the car park's files have a row for it, counted up from the instant of local
-- midnight; of the day of as_of up to the last reading. Within an hour each reading weighs the same.
with

sources as (
    select
        source_id,
        date_trunc('hour', max(last_reading_at)) as last_hour_at
    from {{ ref('int_parking_day') }}
    group by source_id
),

spine as (
    select
        days.source_id,
        days.car_park,
        days.capacity,
        days.capacity_source_status,
        days.is_frozen,
        sources.last_hour_at,
        {{ add_seconds(local_to_instant('days.local_date'), 'numbers.series_number * 3600') }} as hour_at
    from {{ ref('int_parking_day') }} as days
    inner join sources on days.source_id = sources.source_id
    inner join {{ number_series(25) }} as numbers on days.hours_in_day > numbers.series_number
),

hours as (
    select
        source_id,
        car_park,
        hour_at,
        count(*) as readings,
        count(free) as readings_counted,
        sum(free) as free_sum,
        max(case when reading_status = 'zero_closed_or_full' then 1 else 0 end) as has_zero,
        max(case when reading_status = 'free_above_capacity' then 1 else 0 end) as has_above,
        max(case when reading_status = 'closed' then 1 else 0 end) as has_closed,
        max(case when reading_status = 'no_signal' then 1 else 0 end) as has_no_signal,
        max(case when reading_status = 'unknown_mark' then 1 else 0 end) as has_unknown_mark
    from {{ ref('int_parking_reading') }}
    group by source_id, car_park, hour_at
),

filled as (
    select
        spine.source_id,
        spine.car_park,
        spine.hour_at,
        spine.capacity,
        spine.capacity_source_status,
        coalesce(hours.readings, 0) as readings,
        coalesce(hours.readings_counted, 0) as readings_counted,
        hours.free_sum / cast(nullif(hours.readings_counted, 0) as double) as free,
        case
            when hours.readings is null then 'missing'
            when hours.readings_counted > 0 and spine.is_frozen then 'frozen_value'
            when hours.readings_counted > 0 then null
            when hours.has_zero = 1 then 'zero_closed_or_full'
            when hours.has_above = 1 then 'free_above_capacity'
            when hours.has_closed = 1 then 'closed'
            when hours.has_no_signal = 1 then 'no_signal'
            when hours.has_unknown_mark = 1 then 'unknown_mark'
            else 'blank'
        end as status_reason
    from spine
    left join hours
        on
            spine.source_id = hours.source_id
            and spine.car_park = hours.car_park
            and spine.hour_at = hours.hour_at
    where spine.hour_at < greatest({{ as_of_day() }}, spine.last_hour_at + interval 1 hour)
)

select
    source_id,
    car_park,
    hour_at,
    {{ instant_to_local('hour_at') }} as hour_local,
    cast(free as double) as free,
    capacity,
    capacity_source_status,
    cast(
        case when status_reason is null and free <= capacity then 1 - free / nullif(capacity, 0) end as double
    ) as occupancy_share,
    cast(readings as integer) as readings,
    cast(readings_counted as integer) as readings_counted,
    case
        when status_reason is null then 'measured'
        when status_reason in ('frozen_value', 'zero_closed_or_full', 'free_above_capacity') then 'unreliable'
        else 'missing'
    end as value_status,
    status_reason
from filled
