-- Stations without a place or a commissioning date, and those another source speaks for, stand in dim_charging_station
-- only. Before a municipality's first
-- station there are none; one of which the register holds no station at all is not known to it (an excerpt, say): null.
with

changes as (
    select
        ags,
        greatest(cast(date_trunc('month', commissioned_date) as date), cast('1990-01-01' as date)) as month,
        sum(charging_points) as charging_points,
        sum(coalesce(fast_points, 0)) as fast_points,
        sum(power_kw) as power_kw
    from {{ ref('int_charging_station') }}
    where
        ags is not null
        and commissioned_date is not null
        and told_by_source_id is null
    group by
        ags,
        greatest(cast(date_trunc('month', commissioned_date) as date), cast('1990-01-01' as date))
),

known as (
    select distinct ags
    from {{ ref('int_charging_station') }}
),

beginning as (
    select min(month) as first_month
    from changes
),

spine as (
    select
        municipalities.ags,
        dates.date as month,
        known.ags is not null as is_known
    from {{ ref('dim_municipality') }} as municipalities
    cross join beginning
    inner join {{ ref('dim_date') }} as dates
        on dates.date between beginning.first_month and {{ as_of_month() }}
    left join known on municipalities.ags = known.ags
    where dates.date = dates.month
),

standing as (
    select
        spine.ags,
        spine.month,
        spine.is_known,
        sum(coalesce(changes.charging_points, 0)) over (
            partition by spine.ags
            order by spine.month asc
            rows between unbounded preceding and current row
        ) as charging_points,
        sum(coalesce(changes.fast_points, 0)) over (
            partition by spine.ags
            order by spine.month asc
            rows between unbounded preceding and current row
        ) as fast_points,
        sum(coalesce(changes.power_kw, 0)) over (
            partition by spine.ags
            order by spine.month asc
            rows between unbounded preceding and current row
        ) as power_kw
    from spine
    left join changes
        on
            spine.ags = changes.ags
            and spine.month = changes.month
)

select
    ags,
    month,
    cast(case when is_known then charging_points end as bigint) as charging_points,
    cast(case when is_known then fast_points end as bigint) as fast_points,
    cast(case when is_known then power_kw end as decimal(18, 3)) as power_kw,
    case when is_known then 'measured' else 'missing' end as value_status
from standing
