-- Of several runs that tell the same the first by the sources' priority is named.
with

ranks as (
    select
        source_id,
        priority,
        row_number() over (order by priority asc nulls last, source_id asc) as source_rank
    from {{ ref('stg_source_catalogue') }}
),

silent as (
    select
        source_id,
        snapshot_sha256,
        trip_id,
        frequency_number,
        run_number,
        count(*) as silent_dates,
        min(service_date) as first_silent_date,
        max(service_date) as last_silent_date
    from {{ ref('int_told_run_day') }}
    where not is_speaking
    group by source_id, snapshot_sha256, trip_id, frequency_number, run_number
),

tellers as (
    select
        matches.source_id,
        matches.snapshot_sha256,
        matches.trip_id,
        matches.frequency_number,
        matches.run_number,
        matches.told_by_source_id,
        matches.told_by_trip_id,
        matches.difference_s,
        ranks.priority
    from {{ ref('int_run_match') }} as matches
    inner join ranks on matches.told_by_source_id = ranks.source_id
    qualify row_number() over (
        partition by
            matches.source_id,
            matches.snapshot_sha256,
            matches.trip_id,
            matches.frequency_number,
            matches.run_number
        order by
            ranks.source_rank asc,
            matches.difference_s asc,
            matches.told_by_trip_id asc,
            matches.told_by_snapshot_sha256 asc,
            matches.told_by_frequency_number asc,
            matches.told_by_run_number asc
    ) = 1
)

select
    silent.source_id,
    silent.snapshot_sha256,
    silent.trip_id,
    silent.frequency_number,
    silent.run_number,
    tellers.told_by_source_id,
    tellers.told_by_trip_id,
    cast(tellers.difference_s as bigint) as difference_s,
    silent.silent_dates,
    silent.first_silent_date,
    silent.last_silent_date,
    concat(
        'same line and stops, calls at most ', cast(tellers.difference_s as string), ' s apart; told by ',
        tellers.told_by_source_id, ' with priority ', coalesce(cast(tellers.priority as string), 'none')
    ) as deduplication_reason
from silent
inner join tellers
    on
        silent.source_id = tellers.source_id
        and silent.snapshot_sha256 = tellers.snapshot_sha256
        and silent.trip_id = tellers.trip_id
        and silent.frequency_number = tellers.frequency_number
        and silent.run_number = tellers.run_number
