-- What is odd about air quality, in the shape of mart_counting_finding; days that follow each other and say the same
-- are one finding. frozen_value: the same value in all 24 hours of a day, for components told hour by hour.
with

days as (
    select
        min(source_id) as source_id,
        station_id,
        component,
        min(averaging) as averaging,
        date,
        count(*) as hours,
        count(value_ug_m3) as hours_measured,
        count(case when is_contradicted then 1 end) as hours_contradicted,
        max(case when is_ever_measured then 1 else 0 end) as is_ever_measured,
        min(value_ug_m3) as value_min,
        max(value_ug_m3) as value_max
    from {{ ref('int_air_quality_hour') }}
    group by station_id, component, date
),

daily as (
    select
        source_id,
        station_id,
        component,
        date,
        case when is_ever_measured = 1 then 'gap' else 'not_measured_here' end as code,
        hours - hours_measured as amount,
        hours as reference_amount
    from days
    where hours_measured < hours
    union all
    select
        source_id,
        station_id,
        component,
        date,
        'frozen_value' as code,
        hours_measured as amount,
        hours as reference_amount
    from days
    where averaging = 'hour' and hours_measured = hours and value_min = value_max
    union all
    select
        source_id,
        station_id,
        component,
        date,
        'told_twice_differently' as code,
        hours_contradicted as amount,
        hours as reference_amount
    from days
    where hours_contradicted > 0
),

numbered as (
    select
        station_id,
        component,
        date,
        row_number() over (partition by station_id, component order by date asc) as day_number
    from days
),

islands as (
    select
        daily.source_id,
        daily.station_id,
        daily.component,
        daily.code,
        daily.date,
        daily.amount,
        daily.reference_amount,
        numbered.day_number
        - row_number() over (partition by daily.station_id, daily.component, daily.code order by daily.date asc)
            as island
    from daily
    inner join numbered
        on
            daily.station_id = numbered.station_id
            and daily.component = numbered.component
            and daily.date = numbered.date
),

findings as (
    select
        min(source_id) as source_id,
        station_id,
        component,
        code,
        min(date) as first_date,
        max(date) as last_date,
        sum(amount) as amount,
        sum(reference_amount) as reference_amount
    from islands
    group by station_id, component, code, island
)

select
    concat(source_id, '/', station_id, '/', component, '/', code, '/', cast(first_date as varchar)) as finding_id,
    source_id,
    station_id as site_id,
    component as channel_id,
    'air' as mode,
    'unknown' as direction,
    first_date,
    last_date,
    code,
    cast(amount as double) as amount,
    cast(reference_amount as double) as reference_amount,
    case code
        when 'gap' then 'hours without a value, of the hours of these days'
        when 'not_measured_here' then 'hours of a component that the station has never had a value of'
        when 'frozen_value' then 'hours with the same value all day, of the hours of these days'
        else 'hours that sources or files tell differently, of the hours of these days'
    end as detail
from findings
