-- Splitting autumn's merged readings must neither lose nor double a vehicle: hours add up to what was reported.
with

reported as (
    select
        site_id,
        mode,
        direction,
        sum(count) as count
    from {{ ref('int_direction_hour') }}
    group by site_id, mode, direction
    having sum(count) is not null
),

released as (
    select
        site_id,
        mode,
        direction,
        sum(count) as count
    from {{ ref('fct_count_hour') }}
    group by site_id, mode, direction
)

select
    reported.site_id,
    reported.mode,
    reported.direction,
    reported.count as reported_count,
    released.count as released_count
from reported
left join released
    on
        reported.site_id = released.site_id
        and reported.mode = released.mode
        and reported.direction = released.direction
where released.count is null or released.count <> reported.count
