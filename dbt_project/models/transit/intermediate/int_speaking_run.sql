-- Runs without those that another source speaks for. A run that speaks on all dates of its service has a null
-- service_date: its service's dates are counted as a whole, which keeps the models after this one small. A run that
-- speaks on some dates only has a row for each of them.
with

told_runs as (
    select
        source_id,
        snapshot_sha256,
        trip_id,
        frequency_number,
        run_number,
        min(case when is_speaking then 1 else 0 end) = 1 as speaks_always
    from {{ ref('int_told_run_day') }}
    group by source_id, snapshot_sha256, trip_id, frequency_number, run_number
),

speaking as (
    select
        runs.source_id,
        runs.snapshot_sha256,
        runs.trip_id,
        runs.service_id,
        runs.route_name,
        runs.frequency_number,
        runs.run_number,
        runs.shift_s,
        coalesce(told_runs.speaks_always, true) as speaks_always
    from {{ ref('int_trip_run') }} as runs
    left join told_runs
        on
            runs.source_id = told_runs.source_id
            and runs.snapshot_sha256 = told_runs.snapshot_sha256
            and runs.trip_id = told_runs.trip_id
            and runs.frequency_number = told_runs.frequency_number
            and runs.run_number = told_runs.run_number
)

select
    source_id,
    snapshot_sha256,
    trip_id,
    service_id,
    route_name,
    shift_s,
    cast(null as date) as service_date
from speaking
where speaks_always
union all
select
    speaking.source_id,
    speaking.snapshot_sha256,
    speaking.trip_id,
    speaking.service_id,
    speaking.route_name,
    speaking.shift_s,
    days.service_date
from speaking
inner join {{ ref('int_told_run_day') }} as days
    on
        speaking.source_id = days.source_id
        and speaking.snapshot_sha256 = days.snapshot_sha256
        and speaking.trip_id = days.trip_id
        and speaking.frequency_number = days.frequency_number
        and speaking.run_number = days.run_number
where
    days.is_speaking
    and not speaking.speaks_always
