with

changes as (
    select
        events.ags,
        events.technology,
        events.month,
        sum(events.units) as units,
        sum(events.gross_capacity_kw) as gross_capacity_kw
    from {{ ref('int_energy_unit_event') }} as events
    inner join {{ ref('dim_municipality') }} as municipalities on events.ags = municipalities.ags
    group by events.ags, events.technology, events.month
),

beginnings as (
    select
        ags,
        technology,
        min(month) as first_month
    from changes
    group by ags, technology
),

spine as (
    select
        beginnings.ags,
        beginnings.technology,
        dates.date as month
    from beginnings
    inner join {{ ref('dim_date') }} as dates
        on dates.date between beginnings.first_month and {{ as_of_month() }}
    where dates.date = dates.month
)

select
    spine.ags,
    spine.technology,
    spine.month,
    cast(
        sum(coalesce(changes.units, 0)) over (
            partition by spine.ags, spine.technology
            order by spine.month asc
            rows between unbounded preceding and current row
        ) as bigint
    ) as units,
    cast(
        sum(coalesce(changes.gross_capacity_kw, 0)) over (
            partition by spine.ags, spine.technology
            order by spine.month asc
            rows between unbounded preceding and current row
        ) as decimal(18, 3)
    ) as gross_capacity_kw
from spine
left join changes
    on
        spine.ags = changes.ags
        and spine.technology = changes.technology
        and spine.month = changes.month
