-- One row per car park and moment. A moment told by several rows or files counts once: a number goes before a mark, a
-- mark before a blank, the larger number before the smaller, whatever was read first. Files of before 2025 know no
-- marks: their zeros mean full, closed or no signal. They mean full where the numbers before and after the run of
-- zeros, on the same day, are small; else nobody knows.
with

readings as (
    select
        readings.source_id,
        readings.car_park,
        readings.observed_at,
        readings.observed_local,
        cast(readings.observed_local as date) as local_date,
        readings.free,
        readings.capacity,
        readings.value_mark,
        marks.meaning,
        max(case when readings.capacity is not null or readings.value_mark is not null then 1 else 0 end) over (
            partition by readings.source_id, readings.snapshot_sha256
        ) as knows_marks
    from {{ ref('stg_parking_reading') }} as readings
    left join {{ ref('parking_mark') }} as marks on readings.value_mark = marks.mark
),

moments as (
    select
        source_id,
        car_park,
        observed_at,
        min(observed_local) as observed_local,
        min(local_date) as local_date,
        max(free) as free,
        max(capacity) as capacity,
        min(value_mark) as value_mark,
        min(meaning) as meaning,
        max(knows_marks) as knows_marks,
        case
            when min(free) <> max(free) or min(value_mark) <> max(value_mark) then 1
            when count(free) > 0 and count(value_mark) > 0 then 1
            else 0
        end as is_contradicted
    from readings
    group by source_id, car_park, observed_at
),

runs as (
    select
        source_id,
        car_park,
        observed_at,
        observed_local,
        local_date,
        free,
        capacity,
        value_mark,
        meaning,
        knows_marks,
        is_contradicted,
        sum(case when free = 0 then 0 else 1 end) over (
            partition by source_id, car_park, local_date
            order by observed_at asc
            rows between unbounded preceding and current row
        ) as run_after,
        sum(case when free = 0 then 0 else 1 end) over (
            partition by source_id, car_park, local_date
            order by observed_at desc
            rows between unbounded preceding and current row
        ) as run_before
    from moments
),

neighbours as (
    select
        source_id,
        car_park,
        observed_at,
        observed_local,
        local_date,
        free,
        capacity,
        value_mark,
        meaning,
        knows_marks,
        is_contradicted,
        nullif(max(free) over (partition by source_id, car_park, local_date, run_after), 0) as free_before,
        nullif(max(free) over (partition by source_id, car_park, local_date, run_before), 0) as free_after
    from runs
),

judged as (
    select
        source_id,
        car_park,
        observed_at,
        observed_local,
        local_date,
        free,
        capacity,
        value_mark,
        is_contradicted,
        case
            when free is null and meaning is not null then meaning
            when free is null and value_mark is not null then 'unknown_mark'
            when free is null then 'blank'
            when free > capacity then 'free_above_capacity'
            when free > 0 or knows_marks = 1 then 'measured'
            when
                free_before <= {{ var('parking_full_below') }} and free_after <= {{ var('parking_full_below') }}
                then 'full'
            else 'zero_closed_or_full'
        end as reading_status
    from neighbours
)

select
    source_id,
    car_park,
    observed_at,
    observed_local,
    local_date,
    date_trunc('hour', observed_at) as hour_at,
    case
        when reading_status = 'measured' then free
        when reading_status = 'full' then 0
    end as free,
    free as free_told,
    capacity,
    value_mark,
    reading_status,
    is_contradicted = 1 as is_contradicted
from judged
