-- Runs that another source tells before, whatever the dates: the same line, the same stops in the same order, and no
-- call further apart than trip_tolerance_s. Before is the source with the lower priority number, then the first by its
-- id; so a run never matches one of its own source: a run a source tells twice is two runs (double traction).
with

ranks as (
    select
        source_id,
        row_number() over (order by priority asc nulls last, source_id asc) as source_rank
    from {{ ref('stg_source_catalogue') }}
),

runs as (
    select
        runs.source_id,
        runs.snapshot_sha256,
        runs.trip_id,
        runs.frequency_number,
        runs.run_number,
        runs.service_id,
        runs.line_key,
        runs.stop_times,
        runs.shift_s,
        runs.first_departure_s,
        runs.last_arrival_s,
        runs.first_merged_stop_id,
        runs.last_merged_stop_id,
        ranks.source_rank
    from {{ ref('int_trip_run') }} as runs
    inner join ranks on runs.source_id = ranks.source_id
),

alike as (
    select
        runs.source_id,
        runs.snapshot_sha256,
        runs.trip_id,
        runs.frequency_number,
        runs.run_number,
        runs.service_id,
        runs.stop_times,
        runs.shift_s,
        others.source_id as told_by_source_id,
        others.snapshot_sha256 as told_by_snapshot_sha256,
        others.trip_id as told_by_trip_id,
        others.frequency_number as told_by_frequency_number,
        others.run_number as told_by_run_number,
        others.service_id as told_by_service_id,
        others.shift_s as told_by_shift_s
    from runs
    inner join runs as others
        on
            runs.line_key = others.line_key
            and runs.stop_times = others.stop_times
            and runs.first_merged_stop_id = others.first_merged_stop_id
            and runs.last_merged_stop_id = others.last_merged_stop_id
            and runs.source_rank > others.source_rank
            and abs(runs.first_departure_s - others.first_departure_s) <= {{ var('trip_tolerance_s') }}
            and abs(runs.last_arrival_s - others.last_arrival_s) <= {{ var('trip_tolerance_s') }}
),

trips as (
    select
        source_id,
        snapshot_sha256,
        trip_id
    from alike
    union distinct
    select
        told_by_source_id as source_id,
        told_by_snapshot_sha256 as snapshot_sha256,
        told_by_trip_id as trip_id
    from alike
),

calls as (
    select
        stop_times.source_id,
        stop_times.snapshot_sha256,
        stop_times.trip_id,
        joined.merged_stop_id,
        coalesce(stop_times.arrival_s, stop_times.departure_s) as arrival_s,
        coalesce(stop_times.departure_s, stop_times.arrival_s) as departure_s,
        row_number() over (
            partition by stop_times.source_id, stop_times.snapshot_sha256, stop_times.trip_id
            order by stop_times.stop_sequence asc, stop_times.record_number asc
        ) as call_number
    from {{ ref('stg_gtfs_stop_times') }} as stop_times
    inner join trips
        on
            stop_times.source_id = trips.source_id
            and stop_times.snapshot_sha256 = trips.snapshot_sha256
            and stop_times.trip_id = trips.trip_id
    inner join {{ ref('int_stop_merge') }} as joined
        on
            stop_times.source_id = joined.source_id
            and stop_times.stop_id = joined.stop_id
),

-- A call without a time in one feed is not held against the other's.
compared as (
    select
        alike.source_id,
        alike.snapshot_sha256,
        alike.trip_id,
        alike.frequency_number,
        alike.run_number,
        alike.service_id,
        alike.stop_times,
        alike.told_by_source_id,
        alike.told_by_snapshot_sha256,
        alike.told_by_trip_id,
        alike.told_by_frequency_number,
        alike.told_by_run_number,
        alike.told_by_service_id,
        greatest(
            coalesce(
                abs(told_by.arrival_s + alike.told_by_shift_s - calls.arrival_s - alike.shift_s), 0
            ),
            coalesce(
                abs(told_by.departure_s + alike.told_by_shift_s - calls.departure_s - alike.shift_s), 0
            )
        ) as difference_s
    from alike
    inner join calls
        on
            alike.source_id = calls.source_id
            and alike.snapshot_sha256 = calls.snapshot_sha256
            and alike.trip_id = calls.trip_id
    inner join calls as told_by
        on
            alike.told_by_source_id = told_by.source_id
            and alike.told_by_snapshot_sha256 = told_by.snapshot_sha256
            and alike.told_by_trip_id = told_by.trip_id
            and calls.call_number = told_by.call_number
            and calls.merged_stop_id = told_by.merged_stop_id
)

select
    source_id,
    snapshot_sha256,
    trip_id,
    frequency_number,
    run_number,
    service_id,
    told_by_source_id,
    told_by_snapshot_sha256,
    told_by_trip_id,
    told_by_frequency_number,
    told_by_run_number,
    told_by_service_id,
    max(difference_s) as difference_s
from compared
group by
    source_id,
    snapshot_sha256,
    trip_id,
    frequency_number,
    run_number,
    service_id,
    stop_times,
    told_by_source_id,
    told_by_snapshot_sha256,
    told_by_trip_id,
    told_by_frequency_number,
    told_by_run_number,
    told_by_service_id
having
    count(*) = stop_times
    and max(difference_s) <= {{ var('trip_tolerance_s') }}
