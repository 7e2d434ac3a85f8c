-- What is odd about parking readings, in the shape of mart_counting_finding; delivered days that follow each other and
-- say the same are one finding. day_cut: the day ends with hours that nobody tells of; gap: others do.
with

hours as (
    select
        source_id,
        car_park,
        cast(hour_local as date) as local_date,
        count(*) as hours,
        count(case when status_reason = 'missing' then 1 end) as hours_missing,
        max(hour_at) as last_hour_at,
        max(case when readings > 0 then hour_at end) as last_read_at,
        count(case when status_reason = 'frozen_value' then 1 end) as hours_frozen,
        count(case when status_reason = 'zero_closed_or_full' then 1 end) as hours_zero
    from {{ ref('mart_parking_hour') }}
    group by source_id, car_park, cast(hour_local as date)
),

readings as (
    select
        source_id,
        car_park,
        local_date,
        count(*) as readings,
        count(case when is_contradicted then 1 end) as readings_contradicted,
        count(case when reading_status = 'free_above_capacity' then 1 end) as readings_above,
        count(case when reading_status = 'unknown_mark' then 1 end) as readings_unknown
    from {{ ref('int_parking_reading') }}
    group by source_id, car_park, local_date
),

capacities as (
    select
        source_id,
        car_park,
        local_date,
        capacity,
        lag(capacity) over (partition by source_id, car_park order by local_date asc) as former_capacity
    from {{ ref('int_parking_day') }}
    where capacity_source_status = 'told'
),

daily as (
    select
        source_id,
        car_park,
        local_date,
        case when last_read_at < last_hour_at then 'day_cut' else 'gap' end as code,
        hours_missing as amount,
        hours as reference_amount
    from hours
    where hours_missing > 0
    union all
    select
        source_id,
        car_park,
        local_date,
        'frozen_value' as code,
        hours_frozen as amount,
        hours as reference_amount
    from hours
    where hours_frozen > 0
    union all
    select
        source_id,
        car_park,
        local_date,
        'zero_closed_or_full' as code,
        hours_zero as amount,
        hours as reference_amount
    from hours
    where hours_zero > 0
    union all
    select
        source_id,
        car_park,
        local_date,
        'told_twice_differently' as code,
        readings_contradicted as amount,
        readings as reference_amount
    from readings
    where readings_contradicted > 0
    union all
    select
        source_id,
        car_park,
        local_date,
        'free_above_capacity' as code,
        readings_above as amount,
        readings as reference_amount
    from readings
    where readings_above > 0
    union all
    select
        source_id,
        car_park,
        local_date,
        'unknown_mark' as code,
        readings_unknown as amount,
        readings as reference_amount
    from readings
    where readings_unknown > 0
),

delivered as (
    select
        source_id,
        car_park,
        local_date,
        row_number() over (partition by source_id, car_park order by local_date asc) as day_number
    from {{ ref('int_parking_day') }}
),

islands as (
    select
        daily.source_id,
        daily.car_park,
        daily.code,
        daily.local_date,
        daily.amount,
        daily.reference_amount,
        delivered.day_number
        - row_number() over (partition by daily.source_id, daily.car_park, daily.code order by daily.local_date asc)
            as island
    from daily
    inner join delivered
        on
            daily.source_id = delivered.source_id
            and daily.car_park = delivered.car_park
            and daily.local_date = delivered.local_date
),

findings as (
    select
        source_id,
        car_park,
        code,
        min(local_date) as first_date,
        max(local_date) as last_date,
        sum(amount) as amount,
        sum(reference_amount) as reference_amount
    from islands
    group by source_id, car_park, code, island
    union all
    select
        source_id,
        car_park,
        'capacity_changed' as code,
        local_date as first_date,
        local_date as last_date,
        capacity as amount,
        former_capacity as reference_amount
    from capacities
    where capacity <> former_capacity
)

select
    concat(source_id, '/', car_park, '/', code, '/', cast(first_date as varchar)) as finding_id,
    source_id,
    car_park as site_id,
    cast(null as varchar) as channel_id,
    'car' as mode,
    'unknown' as direction,
    first_date,
    last_date,
    code,
    cast(amount as double) as amount,
    cast(reference_amount as double) as reference_amount,
    case code
        when 'gap' then 'hours without a reading, of the hours of these days'
        when 'day_cut' then 'hours without a reading at the end of the day and before, of the hours of these days'
        when 'frozen_value' then 'hours with the same number of free places all day, of the hours of these days'
        when 'zero_closed_or_full'
            then 'hours with zeros that mean closed, full or no signal, of all hours of these days'
        when 'told_twice_differently' then 'readings that rows or files tell differently, of the readings of these days'
        when 'free_above_capacity' then 'readings of more free places than there are, of the readings of these days'
        when 'unknown_mark' then 'readings whose mark the seed parking_mark lacks, of the readings of these days'
        else 'places told now, and told before'
    end as detail
from findings
