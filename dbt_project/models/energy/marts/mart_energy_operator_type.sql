-- Who operates what stands in the month of as_of. The register tells the operator of today, not those of former years.
with

operator_types as (
    select 'private' as operator_type
    union all
    select 'company' as operator_type
    union all
    select 'unknown' as operator_type
),

capacities as (
    select
        ags,
        technology,
        month,
        value_status
    from {{ ref('mart_energy_capacity') }}
    where month = {{ as_of_month() }}
),

standing as (
    select
        events.ags,
        events.technology,
        units.operator_type,
        sum(events.units) as units,
        sum(events.gross_capacity_kw) as gross_capacity_kw
    from {{ ref('int_energy_unit_event') }} as events
    inner join {{ ref('dim_energy_unit') }} as units on events.unit_id = units.unit_id
    where events.month <= {{ as_of_month() }}
    group by events.ags, events.technology, units.operator_type
)

select
    capacities.ags,
    capacities.technology,
    operator_types.operator_type,
    capacities.month,
    cast(case when capacities.value_status = 'measured' then coalesce(standing.units, 0) end as bigint) as units,
    cast(
        case when capacities.value_status = 'measured' then coalesce(standing.gross_capacity_kw, 0) end
        as decimal(18, 3)
    ) as gross_capacity_kw,
    capacities.value_status
from capacities
cross join operator_types
left join standing
    on
        capacities.ags = standing.ags
        and capacities.technology = standing.technology
        and operator_types.operator_type = standing.operator_type
