-- Runs that two sources tell of the same service date: the source with the lowest priority number speaks, then the
-- first by source_id. A run a source tells twice is two runs (double traction), not one.
with

run_days as (
    select
        runs.source_id,
        runs.snapshot_sha256,
        runs.trip_id,
        runs.frequency_number,
        runs.run_number,
        dates.service_date,
        rank() over (
            partition by
                dates.service_date,
                runs.route_short_name,
                runs.stop_times,
                runs.first_stop_name,
                runs.last_stop_name,
                runs.first_departure_s,
                runs.last_arrival_s
            order by catalogue.priority asc nulls last, runs.source_id asc
        ) as source_rank
    from {{ ref('int_trip_run') }} as runs
    inner join {{ ref('int_service_date') }} as dates
        on
            runs.source_id = dates.source_id
            and runs.snapshot_sha256 = dates.snapshot_sha256
            and runs.service_id = dates.service_id
    left join {{ ref('stg_source_catalogue') }} as catalogue on runs.source_id = catalogue.source_id
    where runs.is_told_elsewhere
)

select
    source_id,
    snapshot_sha256,
    trip_id,
    frequency_number,
    run_number,
    service_date,
    source_rank = 1 as is_speaking
from run_days
