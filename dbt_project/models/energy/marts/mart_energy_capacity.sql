with

changes as (
    select
        ags,
        technology,
        month,
        sum(units) as units,
        sum(gross_capacity_kw) as gross_capacity_kw,
        sum(case when gross_capacity_kw > 0 and not is_before_1990 then gross_capacity_kw else 0 end) as additions_kw,
        sum(case when gross_capacity_kw < 0 and not is_before_1990 then -gross_capacity_kw else 0 end) as removals_kw
    from {{ ref('int_energy_unit_event') }}
    group by ags, technology, month
),

technologies as (
    select distinct technology
    from {{ ref('dim_energy_unit') }}
    where gross_capacity_kw is not null
),

standing as (
    select
        months.ags,
        technologies.technology,
        months.month,
        months.is_known,
        coalesce(changes.additions_kw, 0) as additions_kw,
        coalesce(changes.removals_kw, 0) as removals_kw,
        sum(coalesce(changes.units, 0)) over (
            partition by months.ags, technologies.technology
            order by months.month asc
            rows between unbounded preceding and current row
        ) as units,
        sum(coalesce(changes.gross_capacity_kw, 0)) over (
            partition by months.ags, technologies.technology
            order by months.month asc
            rows between unbounded preceding and current row
        ) as gross_capacity_kw
    from {{ ref('int_energy_month') }} as months
    cross join technologies
    left join changes
        on
            months.ags = changes.ags
            and technologies.technology = changes.technology
            and months.month = changes.month
)

select
    ags,
    technology,
    month,
    cast(case when is_known then units end as bigint) as units,
    cast(case when is_known then gross_capacity_kw end as decimal(18, 3)) as gross_capacity_kw,
    cast(case when is_known then additions_kw end as decimal(18, 3)) as additions_kw,
    cast(case when is_known then removals_kw end as decimal(18, 3)) as removals_kw,
    case when is_known then 'measured' else 'missing' end as value_status
from standing
