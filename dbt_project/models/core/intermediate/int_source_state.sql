-- A source is as fresh as the least fresh of its resources: a list of sites says nothing of their readings.
-- A fetch succeeded when it brought bytes, or confirmed them, that were not refused by the parser.
with

in_force as (
    select distinct
        source_id,
        snapshot_sha256
    from {{ ref('stg_snapshot_in_force') }}
),

sources_in_force as (
    select
        source_id,
        count(*) as snapshots_in_force
    from in_force
    group by source_id
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

fetches as (
    select
        fetch_log.source_id,
        fetch_log.partition,
        fetch_log.started_at,
        fetch_log.finished_at,
        fetch_log.outcome,
        fetch_log.snapshot_sha256,
        fetch_log.outcome in ('new', 'unchanged') as has_bytes,
        refused.source_id is not null as is_refused
    from {{ ref('stg_fetch_log') }} as fetch_log
    left join refused
        on
            fetch_log.source_id = refused.source_id
            and fetch_log.snapshot_sha256 = refused.snapshot_sha256
),

ranked as (
    select
        source_id,
        split_part(partition, '/', 1) as resource,
        finished_at,
        outcome,
        has_bytes,
        is_refused,
        row_number() over (
            partition by source_id, partition
            order by started_at desc nulls last, finished_at desc nulls last, outcome asc nulls last
        ) = 1 as is_last_attempt,
        has_bytes and row_number() over (
            partition by source_id, partition, has_bytes
            order by started_at desc nulls last, finished_at desc nulls last, outcome asc nulls last
        ) = 1 as is_last_bytes
    from fetches
),

resources as (
    select
        source_id,
        resource,
        max(case when has_bytes and not is_refused then finished_at end) as last_success_at
    from ranked
    group by source_id, resource
),

successes as (
    select
        source_id,
        case when count(*) = count(last_success_at) then min(last_success_at) end as last_success_at
    from resources
    group by source_id
),

attempts as (
    select
        source_id,
        count(case when is_last_attempt then 1 end) as partitions,
        count(case when is_last_attempt and outcome = 'failed' then 1 end) as failed_partitions,
        count(case when is_last_attempt and outcome = 'new' then 1 end) as new_partitions,
        count(case when is_last_attempt and outcome = 'unchanged' then 1 end) as unchanged_partitions,
        count(case when is_last_bytes and is_refused then 1 end) as refused_partitions
    from ranked
    group by source_id
),

stated as (
    select
        catalogue.source_id,
        catalogue.domain,
        catalogue.is_offered,
        catalogue.fresh_for_days,
        successes.last_success_at,
        coalesce(attempts.partitions, 0) as partitions,
        coalesce(attempts.failed_partitions, 0) as failed_partitions,
        coalesce(attempts.refused_partitions, 0) as refused_partitions,
        coalesce(sources_in_force.snapshots_in_force, 0) as snapshots_in_force,
        case
            when attempts.failed_partitions > 0 then 'failed'
            when attempts.new_partitions > 0 then 'new'
            when attempts.unchanged_partitions > 0 then 'unchanged'
            when attempts.partitions > 0 then 'absent'
        end as last_outcome,
        case
            when not catalogue.is_offered or sources_in_force.source_id is null then 'missing'
            when successes.last_success_at >= {{ as_of_day() }} - catalogue.fresh_for_days * interval 1 day then 'fresh'
            else 'stale'
        end as freshness_status
    from {{ ref('stg_source_catalogue') }} as catalogue
    left join attempts on catalogue.source_id = attempts.source_id
    left join successes on catalogue.source_id = successes.source_id
    left join sources_in_force on catalogue.source_id = sources_in_force.source_id
),

explained as (
    select
        source_id,
        domain,
        is_offered,
        last_success_at,
        last_outcome,
        snapshots_in_force,
        freshness_status,
        case
            when not is_offered then 'not offered by this input'
            when freshness_status = 'missing' then 'no snapshot in force'
            when freshness_status = 'stale'
                then concat('no successful fetch within ', cast(fresh_for_days as string), ' days')
        end as state_reason,
        case
            when not is_offered then null
            when partitions = 0 then 'never fetched'
            when failed_partitions = partitions then 'last fetch failed'
            when failed_partitions > 0 then 'last fetch of some partitions failed'
        end as fetch_reason,
        case
            when not is_offered or refused_partitions = 0 then null
            when refused_partitions < partitions then 'latest snapshot of some partitions refused'
            when snapshots_in_force = 0 then 'latest snapshot refused'
            else 'latest snapshot refused, former one in force'
        end as parse_reason
    from stated
)

select
    source_id,
    domain,
    is_offered,
    last_success_at,
    last_outcome,
    snapshots_in_force,
    freshness_status,
    nullif(concat_ws('; ', state_reason, fetch_reason, parse_reason), '') as reason
from explained
