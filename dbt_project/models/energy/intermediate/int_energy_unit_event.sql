-- When a unit's capacity comes, changes and goes, by month; counted from 1990 on, where the monthly marts begin.
-- Planned units (status 31) never count, temporarily shut ones (37) do. A unit finally shut (38) without a date is left
-- out, as is a unit without a commissioning date: no month can be named for them.
-- A capacity that a later export tells otherwise changes in the month of that export: before, the former one stood.
with

units as (
    select
        unit_id,
        ags,
        technology,
        size_class,
        gross_capacity_kw,
        cast(date_trunc('month', commissioned_date) as date) as commissioned_month,
        cast(date_trunc('month', shut_date) as date) as shut_month
    from {{ ref('dim_energy_unit') }}
    where
        commissioned_date is not null
        and gross_capacity_kw is not null
        and status_id <> 31
        and (status_id <> 38 or shut_date is not null)
),

-- Versions of a unit that was built already.
built as (
    select
        unit_id,
        gross_capacity_kw,
        cast(date_trunc('month', known_from_date) as date) as known_month,
        lag(gross_capacity_kw) over (partition by unit_id order by known_from_date asc) as former_kw
    from {{ ref('fct_energy_unit_version') }}
    where status_id <> 31
),

changes as (
    select
        units.unit_id,
        built.known_month as month,
        sum(built.gross_capacity_kw - built.former_kw) as change_kw
    from units
    inner join built on units.unit_id = built.unit_id
    where
        built.former_kw <> built.gross_capacity_kw
        and built.known_month > units.commissioned_month
        and (units.shut_month is null or built.known_month < units.shut_month)
    group by units.unit_id, built.known_month
),

changed as (
    select
        unit_id,
        sum(change_kw) as change_kw
    from changes
    group by unit_id
),

events as (
    -- What stands today less what has been added since: so much was there in the beginning.
    select
        units.unit_id,
        units.commissioned_month as month,
        1 as units,
        units.gross_capacity_kw - coalesce(changed.change_kw, 0) as gross_capacity_kw
    from units
    left join changed on units.unit_id = changed.unit_id
    union all
    select
        unit_id,
        month,
        0 as units,
        change_kw as gross_capacity_kw
    from changes
    union all
    select
        unit_id,
        greatest(shut_month, commissioned_month) as month,
        -1 as units,
        -gross_capacity_kw as gross_capacity_kw
    from units
    where shut_month is not null
)

select
    events.unit_id,
    units.ags,
    units.technology,
    units.size_class,
    greatest(events.month, cast('1990-01-01' as date)) as month,
    events.month < cast('1990-01-01' as date) as is_before_1990,
    events.units,
    cast(events.gross_capacity_kw as decimal(18, 3)) as gross_capacity_kw
from events
inner join units on events.unit_id = units.unit_id
