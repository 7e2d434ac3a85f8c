-- When a unit's capacity comes and goes, by month; counted from 1990 on, where the monthly mart begins. Planned units
-- (status 31) never count, temporarily shut ones (37) do. A unit finally shut (38) without a date is left out, as is a
-- unit without a commissioning date: no month can be named for them.
with

units as (
    select
        ags,
        technology,
        gross_capacity_kw,
        greatest(cast(date_trunc('month', commissioned_date) as date), cast('1990-01-01' as date))
            as commissioned_month,
        cast(date_trunc('month', shut_date) as date) as shut_month
    from {{ ref('dim_energy_unit') }}
    where
        commissioned_date is not null
        and status_id <> 31
        and (status_id <> 38 or shut_date is not null)
)

select
    ags,
    technology,
    commissioned_month as month,
    1 as units,
    gross_capacity_kw
from units
union all
select
    ags,
    technology,
    greatest(shut_month, commissioned_month) as month,
    -1 as units,
    -gross_capacity_kw as gross_capacity_kw
from units
where shut_month is not null
