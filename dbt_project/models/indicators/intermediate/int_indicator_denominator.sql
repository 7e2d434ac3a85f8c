-- The denominator of each date: the number nearest in time, of two equally near the earlier one, and none that is
-- further away than the variable allows, unless the measure hardly changes (area).
with

wanted as (
    select distinct
        indicators.denominator_measure as measure_id,
        measures.area_id,
        measures.period_date
    from {{ ref('indicator') }} as indicators
    inner join {{ ref('int_measure_area') }} as measures on indicators.numerator_measure = measures.measure_id
    where indicators.denominator_measure is not null
)

select
    wanted.measure_id,
    wanted.area_id,
    wanted.period_date,
    measures.value,
    measures.value_status,
    measures.period as denominator_period,
    measures.source_ids,
    measures.basis
from wanted
inner join {{ ref('int_measure_area') }} as measures
    on
        wanted.measure_id = measures.measure_id
        and wanted.area_id = measures.area_id
where
    measures.value is not null
    and (
        measures.is_lasting
        or abs({{ days_between('measures.period_date', 'wanted.period_date') }})
        <= {{ var('indicator_denominator_max_days') }}
    )
qualify row_number() over (
    partition by wanted.measure_id, wanted.area_id, wanted.period_date
    order by
        abs({{ days_between('measures.period_date', 'wanted.period_date') }}) asc,
        measures.period_date asc
) = 1
