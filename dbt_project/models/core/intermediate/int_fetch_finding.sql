-- What the fetch log and the catalogue's limits tell of every source that this input offers. Examples hold no instants:
-- they stay the same for as long as nothing changes.
with

in_force as (
    select distinct
        source_id,
        partition
    from {{ ref('stg_snapshot_in_force') }}
),

partitions as (
    select
        state.source_id,
        state.partition,
        state.failure,
        coalesce(state.failing_since_at, state.absent_since_at) as first_seen_at,
        case
            when state.last_outcome = 'failed' and state.is_payload_refused then 'payload_refused'
            when state.last_outcome = 'failed' then 'fetch_failed'
            when state.last_outcome = 'absent' and in_force.source_id is not null then 'partition_absent'
        end as code
    from {{ ref('int_partition_state') }} as state
    left join in_force
        on
            state.source_id = in_force.source_id
            and state.partition = in_force.partition
),

tried as (
    select
        source_id,
        min(first_attempt_at) as first_attempt_at
    from {{ ref('int_partition_state') }}
    group by source_id
),

found as (
    select
        partitions.source_id,
        partitions.code,
        partitions.partition as subject,
        1 as occurrences,
        concat_ws(
            ': ',
            partitions.partition,
            case partitions.code when 'partition_absent' then 'was there, is no longer' else partitions.failure end
        ) as example,
        partitions.first_seen_at
    from partitions
    where partitions.code is not null
    union all
    select
        resources.source_id,
        'source_stale' as code,
        resources.resource as subject,
        resources.fresh_for_days as occurrences,
        concat(
            resources.resource, ': no successful fetch within ', cast(resources.fresh_for_days as string), ' days'
        ) as example,
        resources.last_success_at + resources.fresh_for_days * interval 1 day as first_seen_at
    from {{ ref('int_resource_state') }} as resources
    inner join {{ ref('int_source_state') }} as state on resources.source_id = state.source_id
    where
        state.freshness_status = 'stale'
        and not resources.is_fresh
    union all
    select
        state.source_id,
        'source_missing' as code,
        '' as subject,
        1 as occurrences,
        state.reason as example,
        tried.first_attempt_at as first_seen_at
    from {{ ref('int_source_state') }} as state
    left join tried on state.source_id = tried.source_id
    where state.freshness_status = 'missing'
)

select
    found.source_id,
    found.code,
    found.subject,
    found.occurrences,
    found.example,
    found.first_seen_at
from found
inner join {{ ref('stg_source_catalogue') }} as catalogue on found.source_id = catalogue.source_id
where catalogue.is_offered
