-- The formula of the catalogue: scale * numerator / denominator, or scale * numerator where there is no denominator.
with

joined as (
    select
        indicators.indicator_id,
        indicators.unit,
        indicators.denominator_measure,
        indicators.scale,
        numerators.area_id,
        numerators.level,
        numerators.period,
        numerators.period_date,
        numerators.value as numerator,
        denominators.value as denominator,
        denominators.denominator_period,
        numerators.reason,
        numerators.source_ids as numerator_source_ids,
        denominators.source_ids as denominator_source_ids,
        numerators.basis,
        {{ status_rank('numerators.value_status') }} as numerator_rank,
        coalesce({{ status_rank('denominators.value_status') }}, 0) as denominator_rank
    from {{ ref('indicator') }} as indicators
    inner join {{ ref('int_measure_area') }} as numerators on indicators.numerator_measure = numerators.measure_id
    left join {{ ref('int_indicator_denominator') }} as denominators
        on
            indicators.denominator_measure = denominators.measure_id
            and numerators.area_id = denominators.area_id
            and numerators.period_date = denominators.period_date
),

computed as (
    select
        indicator_id,
        unit,
        area_id,
        level,
        period,
        period_date,
        numerator,
        denominator,
        denominator_period,
        basis,
        case
            when denominator_measure is null then scale * numerator
            when denominator <> 0 then scale * numerator / denominator
        end as value,
        greatest(numerator_rank, denominator_rank) as status_rank,
        case
            when numerator is null then coalesce(reason, 'the numerator has no number')
            when denominator_measure is null then reason
            when denominator is null then concat('no ', denominator_measure, ' of a date near enough')
            when denominator = 0 then concat(denominator_measure, ' is 0')
            else reason
        end as reason,
        case
            when denominator_source_ids is null or denominator_source_ids = numerator_source_ids
                then numerator_source_ids
            else concat(numerator_source_ids, ', ', denominator_source_ids)
        end as source_ids
    from joined
)

select
    indicator_id,
    area_id,
    level,
    period,
    period_date,
    value,
    unit,
    case when value is null and status_rank < 4 then 'missing' else {{ status_of_rank('status_rank') }} end
        as value_status,
    reason,
    numerator,
    denominator,
    denominator_period,
    basis,
    source_ids
from computed
