-- Service dates of the runs that another source tells before: on dates on which that run runs as well it speaks, and
-- this one is silent.
with

told_dates as (
    select distinct
        matches.source_id,
        matches.snapshot_sha256,
        matches.trip_id,
        matches.frequency_number,
        matches.run_number,
        dates.service_date
    from {{ ref('int_run_match') }} as matches
    inner join {{ ref('int_service_date') }} as dates
        on
            matches.told_by_source_id = dates.source_id
            and matches.told_by_snapshot_sha256 = dates.snapshot_sha256
            and matches.told_by_service_id = dates.service_id
),

runs as (
    select distinct
        source_id,
        snapshot_sha256,
        trip_id,
        frequency_number,
        run_number,
        service_id
    from {{ ref('int_run_match') }}
)

select
    runs.source_id,
    runs.snapshot_sha256,
    runs.trip_id,
    runs.frequency_number,
    runs.run_number,
    dates.service_date,
    told_dates.service_date is null as is_speaking
from runs
inner join {{ ref('int_service_date') }} as dates
    on
        runs.source_id = dates.source_id
        and runs.snapshot_sha256 = dates.snapshot_sha256
        and runs.service_id = dates.service_id
left join told_dates
    on
        runs.source_id = told_dates.source_id
        and runs.snapshot_sha256 = told_dates.snapshot_sha256
        and runs.trip_id = told_dates.trip_id
        and runs.frequency_number = told_dates.frequency_number
        and runs.run_number = told_dates.run_number
        and dates.service_date = told_dates.service_date
