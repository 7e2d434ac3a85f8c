-- A register that knows a municipality knows of every technology there: none is a zero. A municipality of which it
-- holds no unit at all is not known to it (an excerpt, say): null.
with

changes as (
    select
        ags,
        technology,
        month,
        sum(units) as units,
        sum(gross_capacity_kw) as gross_capacity_kw
    from {{ ref('int_energy_unit_event') }}
    group by ags, technology, month
),

known as (
    select distinct ags
    from {{ ref('dim_energy_unit') }}
),

technologies as (
    select distinct technology
    from {{ ref('dim_energy_unit') }}
),

spine as (
    select
        municipalities.ags,
        technologies.technology,
        dates.date as month,
        known.ags is not null as is_known
    from {{ ref('dim_municipality') }} as municipalities
    cross join technologies
    inner join {{ ref('dim_date') }} as dates
        on dates.date between cast('1990-01-01' as date) and {{ as_of_month() }}
    left join known on municipalities.ags = known.ags
    where dates.date = dates.month
),

standing as (
    select
        spine.ags,
        spine.technology,
        spine.month,
        spine.is_known,
        sum(coalesce(changes.units, 0)) over (
            partition by spine.ags, spine.technology
            order by spine.month asc
            rows between unbounded preceding and current row
        ) as units,
        sum(coalesce(changes.gross_capacity_kw, 0)) over (
            partition by spine.ags, spine.technology
            order by spine.month asc
            rows between unbounded preceding and current row
        ) as gross_capacity_kw
    from spine
    left join changes
        on
            spine.ags = changes.ags
            and spine.technology = changes.technology
            and spine.month = changes.month
)

select
    ags,
    technology,
    month,
    cast(case when is_known then units end as bigint) as units,
    cast(case when is_known then gross_capacity_kw end as decimal(18, 3)) as gross_capacity_kw,
    case when is_known then 'measured' else 'missing' end as value_status
from standing
