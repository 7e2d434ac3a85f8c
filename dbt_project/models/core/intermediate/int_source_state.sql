-- A source is as fresh as the least fresh of its resources: a list of sites says nothing of their readings.
with

sources_in_force as (
    select
        source_id,
        count(distinct snapshot_sha256) as snapshots_in_force
    from {{ ref('stg_snapshot_in_force') }}
    group by source_id
),

successes as (
    select
        source_id,
        case when count(*) = count(last_success_at) then min(last_success_at) end as last_success_at,
        min(case when not is_fresh then fresh_for_days end) as passed_days
    from {{ ref('int_resource_state') }}
    group by source_id
),

attempts as (
    select
        source_id,
        count(*) as partitions,
        count(case when last_outcome = 'failed' then 1 end) as failed_partitions,
        count(case when last_outcome = 'new' then 1 end) as new_partitions,
        count(case when last_outcome = 'unchanged' then 1 end) as unchanged_partitions,
        count(case when is_refused then 1 end) as refused_partitions
    from {{ ref('int_partition_state') }}
    group by source_id
),

stated as (
    select
        catalogue.source_id,
        catalogue.domain,
        catalogue.is_offered,
        successes.last_success_at,
        successes.passed_days,
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
            when successes.passed_days is null then 'fresh'
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
                then concat('no successful fetch within ', cast(passed_days as string), ' days')
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
