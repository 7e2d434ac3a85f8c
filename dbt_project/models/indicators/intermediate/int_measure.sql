-- Every measure of every area and date once: where sources differ, one that has a number before one that has none, then
-- the lower priority.
{% set models = [
    'int_measure_statistic', 'int_measure_core', 'int_measure_place', 'int_measure_transit', 'int_measure_traffic',
    'int_measure_accident', 'int_measure_air', 'int_measure_energy', 'int_measure_municipal'
] %}
with

told as (
    {% for model in models -%}
        select
            measure_id,
            area_id,
            period,
            period_date,
            value,
            value_status,
            reason,
            source_id,
            is_additive,
            is_lasting
        from {{ ref(model) }}
        {% if not loop.last %}union all{% endif %}
    {% endfor %}
)

select
    told.measure_id,
    told.area_id,
    told.period,
    told.period_date,
    told.value,
    told.value_status,
    told.reason,
    told.source_id as source_ids,
    told.is_additive,
    told.is_lasting
from told
left join {{ ref('dim_source') }} as sources on told.source_id = sources.source_id
qualify row_number() over (
    partition by told.measure_id, told.area_id, told.period_date
    order by
        case when told.value is null then 1 else 0 end asc,
        sources.priority asc nulls last,
        told.source_id asc,
        told.period asc
) = 1
