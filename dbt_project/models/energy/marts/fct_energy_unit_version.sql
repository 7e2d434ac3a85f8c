-- What was known of a unit, from one export to the next that says otherwise: capacity for any day of the past as known
-- at any export in force is a question of two pairs of dates. known_from_date is the day of the first export that says
-- so, known_to_date that of the first that says otherwise or no longer has the unit.
with

first_seen as (
    select
        unit_id,
        min(export_date) as first_export_date
    from {{ ref('int_energy_unit_state') }}
    group by unit_id
),

-- A unit that an export lacks is in between two of its states, or gone.
spine as (
    select distinct
        first_seen.unit_id,
        exports.export_date
    from first_seen
    inner join {{ ref('int_energy_export') }} as exports on first_seen.first_export_date <= exports.export_date
),

states as (
    select
        spine.unit_id,
        spine.export_date,
        told.unit_id is not null as is_told,
        told.source_id,
        told.technology,
        told.ags,
        told.status_id,
        told.commissioned_date,
        told.planned_date,
        told.temporarily_shut_date,
        told.resumed_date,
        told.shut_date,
        told.gross_capacity_kw,
        told.net_capacity_kw,
        concat_ws(
            '|',
            case when told.unit_id is null then 'gone' else 'told' end,
            told.technology,
            coalesce(told.ags, '-'),
            coalesce(cast(told.status_id as string), '-'),
            coalesce(cast(told.commissioned_date as string), '-'),
            coalesce(cast(told.planned_date as string), '-'),
            coalesce(cast(told.temporarily_shut_date as string), '-'),
            coalesce(cast(told.resumed_date as string), '-'),
            coalesce(cast(told.shut_date as string), '-'),
            coalesce(cast(told.gross_capacity_kw as string), '-'),
            coalesce(cast(told.net_capacity_kw as string), '-')
        ) as state
    from spine
    left join {{ ref('int_energy_unit_state') }} as told
        on
            spine.unit_id = told.unit_id
            and spine.export_date = told.export_date
),

compared as (
    select
        unit_id,
        export_date,
        is_told,
        source_id,
        technology,
        ags,
        status_id,
        commissioned_date,
        planned_date,
        temporarily_shut_date,
        resumed_date,
        shut_date,
        gross_capacity_kw,
        net_capacity_kw,
        state,
        coalesce(lag(state) over (partition by unit_id order by export_date asc), '') as former_state
    from states
),

changed as (
    select
        unit_id,
        export_date,
        is_told,
        source_id,
        technology,
        ags,
        status_id,
        commissioned_date,
        planned_date,
        temporarily_shut_date,
        resumed_date,
        shut_date,
        gross_capacity_kw,
        net_capacity_kw,
        lead(export_date) over (partition by unit_id order by export_date asc) as known_to_date
    from compared
    where state <> former_state
)

select
    unit_id,
    export_date as known_from_date,
    known_to_date,
    source_id,
    technology,
    ags,
    status_id,
    commissioned_date,
    planned_date,
    temporarily_shut_date,
    resumed_date,
    shut_date,
    gross_capacity_kw,
    net_capacity_kw
from changed
where is_told
