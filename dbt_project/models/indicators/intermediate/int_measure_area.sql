-- Measures carried to the levels above: what may be added up is, where every member has a number; what a source tells
-- of an area itself goes first. A city without a Kreis is municipality and Kreis: what is told of one holds for both.
with

areas as (
    select
        area_id,
        level,
        parent_area_id
    from {{ ref('dim_area') }}
    where
        level in ('municipality', 'kreis', 'region')
        and valid_to is null
),

members as (
    select
        parent_area_id as area_id,
        count(*) as members,
        min(area_id) as first_member
    from areas
    where parent_area_id is not null
    group by parent_area_id
),

told as (
    select
        measures.measure_id,
        measures.area_id,
        areas.level,
        areas.parent_area_id,
        measures.period,
        measures.period_date,
        measures.value,
        measures.value_status,
        measures.reason,
        measures.source_ids,
        measures.is_additive,
        measures.is_lasting,
        'told' as basis
    from {{ ref('int_measure') }} as measures
    inner join areas on measures.area_id = areas.area_id
),

{% for name, from_table, level, above in [
    ('kreis', 'told', 'municipality', 'kreis'), ('region', 'kreise', 'kreis', 'region')
] %}
    {{ name }}_sums as (
        select
            below.measure_id,
            below.parent_area_id as area_id,
            '{{ above }}' as level,
            areas.parent_area_id,
            min(below.period) as period,
            below.period_date,
            case
                when count(below.value) = max(members.members)
                    then cast(sum(cast(below.value as decimal(28, 6))) as double)
            end as value,
            max({{ status_rank('below.value_status') }}) as status_rank,
            count(below.value) as with_value,
            max(members.members) as members,
            {{ joined_texts('distinct below.source_ids', 'below.source_ids') }} as source_ids,
            below.is_additive,
            below.is_lasting
        from {{ from_table }} as below
        inner join members on below.parent_area_id = members.area_id
        inner join areas on below.parent_area_id = areas.area_id
        where
            below.level = '{{ level }}'
            and (below.is_additive or members.members = 1)
        group by
            below.measure_id,
            below.parent_area_id,
            areas.parent_area_id,
            below.period_date,
            below.is_additive,
            below.is_lasting
    ),

    {{ 'kreise' if name == 'kreis' else 'all_levels' }} as (
        select
            measure_id,
            area_id,
            level,
            parent_area_id,
            period,
            period_date,
            value,
            value_status,
            reason,
            source_ids,
            is_additive,
            is_lasting,
            basis
        from {{ from_table }}
        union all
        select
            sums.measure_id,
            sums.area_id,
            sums.level,
            sums.parent_area_id,
            sums.period,
            sums.period_date,
            sums.value,
            case when sums.with_value < sums.members then 'missing' else {{ status_of_rank('sums.status_rank') }} end
                as value_status,
            case
                when sums.with_value < sums.members
                    then concat(
                        cast(sums.with_value as varchar), ' of ', cast(sums.members as varchar), ' areas have a number'
                    )
            end as reason,
            sums.source_ids,
            sums.is_additive,
            sums.is_lasting,
            case when sums.members = 1 then 'same_area' else 'summed' end as basis
        from {{ name }}_sums as sums
        left join told
            on
                sums.measure_id = told.measure_id
                and sums.area_id = told.area_id
                and sums.period_date = told.period_date
        where told.measure_id is null
    ),
{% endfor %}

cities as (
    select
        measures.measure_id,
        members.first_member as area_id,
        'municipality' as level,
        measures.area_id as parent_area_id,
        measures.period,
        measures.period_date,
        measures.value,
        measures.value_status,
        measures.reason,
        measures.source_ids,
        measures.is_additive,
        measures.is_lasting,
        'same_area' as basis
    from told as measures
    inner join members on measures.area_id = members.area_id
    left join told as own
        on
            measures.measure_id = own.measure_id
            and members.first_member = own.area_id
            and measures.period_date = own.period_date
    where
        measures.level = 'kreis'
        and members.members = 1
        and own.measure_id is null
)

select
    measure_id,
    area_id,
    level,
    period,
    period_date,
    value,
    value_status,
    reason,
    source_ids,
    is_additive,
    is_lasting,
    basis
from all_levels
union all
select
    measure_id,
    area_id,
    level,
    period,
    period_date,
    value,
    value_status,
    reason,
    source_ids,
    is_additive,
    is_lasting,
    basis
from cities
