with

successes as (
    select
        source_id,
        resource,
        max(last_success_at) as last_success_at
    from {{ ref('int_partition_state') }}
    group by source_id, resource
)

select
    resources.source_id,
    resources.resource,
    resources.fresh_for_days,
    successes.last_success_at,
    coalesce(
        successes.last_success_at >= {{ as_of_day() }} - resources.fresh_for_days * interval 1 day,
        false
    ) as is_fresh
from {{ ref('stg_source_resource') }} as resources
left join successes
    on
        resources.source_id = successes.source_id
        and resources.resource = successes.resource
