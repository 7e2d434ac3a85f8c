-- How the last attempt to fetch a partition ended, and since when it ends so.
with

in_force as (
    select distinct
        source_id,
        snapshot_sha256
    from {{ ref('stg_snapshot_in_force') }}
),

refused as (
    select distinct
        parse_log.source_id,
        parse_log.snapshot_sha256
    from {{ ref('stg_parse_log') }} as parse_log
    left join in_force
        on
            parse_log.source_id = in_force.source_id
            and parse_log.snapshot_sha256 = in_force.snapshot_sha256
    where
        parse_log.outcome = 'refused'
        and in_force.source_id is null
),

-- What was dropped by hand and refused when it was parsed was given back: its bytes do not count.
given_back as (
    select distinct
        fetch_log.source_id,
        fetch_log.snapshot_sha256
    from {{ ref('stg_fetch_log') }} as fetch_log
    left join in_force
        on
            fetch_log.source_id = in_force.source_id
            and fetch_log.snapshot_sha256 = in_force.snapshot_sha256
    where
        fetch_log.outcome = 'failed'
        and fetch_log.snapshot_sha256 is not null
        and in_force.source_id is null
),

attempts as (
    select
        fetch_log.source_id,
        fetch_log.partition,
        split_part(fetch_log.partition, '/', 1) as resource,
        fetch_log.started_at,
        fetch_log.finished_at,
        fetch_log.outcome,
        fetch_log.failure,
        fetch_log.snapshot_sha256,
        fetch_log.outcome in ('new', 'unchanged') as has_bytes,
        refused.source_id is not null as is_refused,
        given_back.source_id is not null as is_given_back
    from {{ ref('stg_fetch_log') }} as fetch_log
    left join refused
        on
            fetch_log.source_id = refused.source_id
            and fetch_log.snapshot_sha256 = refused.snapshot_sha256
    left join given_back
        on
            fetch_log.source_id = given_back.source_id
            and fetch_log.snapshot_sha256 = given_back.snapshot_sha256
),

ranked as (
    select
        source_id,
        partition,
        resource,
        started_at,
        finished_at,
        outcome,
        failure,
        snapshot_sha256,
        has_bytes,
        is_refused,
        is_given_back,
        row_number() over (
            partition by source_id, partition
            order by started_at desc nulls last, finished_at desc nulls last, outcome asc nulls last
        ) = 1 as is_last_attempt,
        has_bytes and row_number() over (
            partition by source_id, partition, has_bytes
            order by started_at desc nulls last, finished_at desc nulls last, outcome asc nulls last
        ) = 1 as is_last_bytes,
        -- Failing and being absent last since the last attempt that ended otherwise.
        max(case when outcome = 'failed' then null else started_at end) over (
            partition by source_id, partition
        ) as last_answer_at,
        max(case when has_bytes then started_at end) over (
            partition by source_id, partition
        ) as last_bytes_at,
        max(started_at) over (partition by source_id, resource) as resource_last_at
    from attempts
),

partitions as (
    select
        source_id,
        partition,
        resource,
        max(case when is_last_attempt then outcome end) as last_outcome,
        max(case when is_last_attempt then failure end) as failure,
        coalesce(max(case when is_last_attempt and outcome = 'failed' then snapshot_sha256 end) is not null, false)
            as is_payload_refused,
        coalesce(max(case when is_last_bytes and is_refused then 1 end) = 1, false) as is_refused,
        min(
            case
                when outcome = 'failed' and (last_answer_at is null or started_at > last_answer_at) then finished_at
            end
        ) as failing_since_at,
        min(case when outcome = 'absent' and started_at > last_bytes_at then finished_at end) as absent_since_at,
        max(case when has_bytes and not is_refused and not is_given_back then finished_at end) as last_success_at,
        max(started_at) as last_started_at,
        max(resource_last_at) as resource_last_at,
        min(finished_at) as first_attempt_at
    from ranked
    group by source_id, partition, resource
)

select
    source_id,
    partition,
    resource,
    last_outcome,
    failure,
    is_payload_refused,
    is_refused,
    failing_since_at,
    absent_since_at,
    last_success_at,
    first_attempt_at
from partitions
-- An attempt is the resource's own where its partitions could not be told; it is over when they are asked for.
where not (partition = resource and last_started_at < resource_last_at)
