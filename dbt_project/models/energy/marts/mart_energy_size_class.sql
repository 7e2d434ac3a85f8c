with

size_classes as (
    select 'balcony' as size_class
    union all
    select 'roof' as size_class
    union all
    select 'large_roof' as size_class
    union all
    select 'ground_mounted' as size_class
),

changes as (
    select
        ags,
        size_class,
        month,
        sum(units) as units,
        sum(gross_capacity_kw) as gross_capacity_kw
    from {{ ref('int_energy_unit_event') }}
    where size_class is not null
    group by ags, size_class, month
),

standing as (
    select
        months.ags,
        size_classes.size_class,
        months.month,
        months.is_known,
        sum(coalesce(changes.units, 0)) over (
            partition by months.ags, size_classes.size_class
            order by months.month asc
            rows between unbounded preceding and current row
        ) as units,
        sum(coalesce(changes.gross_capacity_kw, 0)) over (
            partition by months.ags, size_classes.size_class
            order by months.month asc
            rows between unbounded preceding and current row
        ) as gross_capacity_kw
    from {{ ref('int_energy_month') }} as months
    cross join size_classes
    left join changes
        on
            months.ags = changes.ags
            and size_classes.size_class = changes.size_class
            and months.month = changes.month
)

select
    ags,
    size_class,
    month,
    cast(case when is_known then units end as bigint) as units,
    cast(case when is_known then gross_capacity_kw end as decimal(18, 3)) as gross_capacity_kw,
    case when is_known then 'measured' else 'missing' end as value_status
from standing
