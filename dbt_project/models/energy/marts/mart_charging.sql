-- Stations outside all polygons or without a commissioning date stand in dim_charging_station only.
with

changes as (
    select
        stations.ags,
        greatest(cast(date_trunc('month', stations.commissioned_date) as date), cast('1990-01-01' as date)) as month,
        sum(stations.charging_points) as charging_points,
        sum(stations.power_kw) as power_kw
    from {{ ref('int_charging_station') }} as stations
    inner join {{ ref('dim_municipality') }} as municipalities on stations.ags = municipalities.ags
    where stations.commissioned_date is not null
    group by
        stations.ags,
        greatest(cast(date_trunc('month', stations.commissioned_date) as date), cast('1990-01-01' as date))
),

beginnings as (
    select
        ags,
        min(month) as first_month
    from changes
    group by ags
),

spine as (
    select
        beginnings.ags,
        dates.date as month
    from beginnings
    inner join {{ ref('dim_date') }} as dates
        on dates.date between beginnings.first_month and {{ as_of_month() }}
    where dates.date = dates.month
)

select
    spine.ags,
    spine.month,
    cast(
        sum(coalesce(changes.charging_points, 0)) over (
            partition by spine.ags
            order by spine.month asc
            rows between unbounded preceding and current row
        ) as bigint
    ) as charging_points,
    cast(
        sum(coalesce(changes.power_kw, 0)) over (
            partition by spine.ags
            order by spine.month asc
            rows between unbounded preceding and current row
        ) as decimal(18, 3)
    ) as power_kw
from spine
left join changes
    on
        spine.ags = changes.ags
        and spine.month = changes.month
