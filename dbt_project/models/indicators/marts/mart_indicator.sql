-- A blank is shown as a blank with its reason: an area of which an indicator says nothing has one row, period `none`.
with

areas as (
    select
        area_id,
        level
    from {{ ref('dim_area') }}
    where
        level in ('municipality', 'kreis', 'region')
        and valid_to is null
),

told as (
    select distinct
        indicator_id,
        area_id
    from {{ ref('int_indicator_value') }}
),

told_levels as (
    select
        indicator_id,
        max(case when level = 'municipality' and basis = 'told' then 1 else 0 end) = 1 as is_told_for_municipalities
    from {{ ref('int_indicator_value') }}
    group by indicator_id
),

blanks as (
    select
        areas.area_id,
        indicators.indicator_id,
        indicators.unit,
        case
            when told_levels.indicator_id is null
                then concat('no source in force tells ', indicators.numerator_measure)
            when indicators.level = 'kreis' and areas.level = 'municipality'
                then 'told for Kreise only'
            when areas.level <> 'municipality' and told_levels.is_told_for_municipalities
                then 'told for municipalities, and not to be added up'
            when areas.level = 'region'
                then 'told for Kreise, and not to be added up'
            else 'no source in force tells it for this area'
        end as reason
    from areas
    cross join {{ ref('indicator') }} as indicators
    left join told
        on
            areas.area_id = told.area_id
            and indicators.indicator_id = told.indicator_id
    left join told_levels on indicators.indicator_id = told_levels.indicator_id
    where told.area_id is null
)

select
    area_id,
    indicator_id,
    period,
    period_date,
    value,
    unit,
    value_status,
    reason,
    numerator,
    denominator,
    denominator_period,
    basis,
    source_ids
from {{ ref('int_indicator_value') }}
union all
select
    area_id,
    indicator_id,
    'none' as period,
    cast(null as date) as period_date,
    cast(null as double) as value,
    unit,
    'missing' as value_status,
    reason,
    cast(null as double) as numerator,
    cast(null as double) as denominator,
    cast(null as varchar) as denominator_period,
    cast(null as varchar) as basis,
    cast(null as varchar) as source_ids
from blanks
