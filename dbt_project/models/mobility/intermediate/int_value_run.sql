-- Runs of one value that no road shows: zeros for a day, or for as long as the site usually counts so many that none
-- cannot be chance; the same number of vehicles again and again. A dead direction that usually counts makes the total
-- of both as wrong. Runs that overlap are one.
with

valued as (
    select
        hours.site_id,
        hours.mode,
        hours.direction,
        hours.hour_at,
        coalesce(hours.count_corrected, -1) as value,
        lag(coalesce(hours.count_corrected, -1), 1, -2) over (
            partition by hours.site_id, hours.mode, hours.direction
            order by hours.hour_at asc
        ) as former_value,
        sum(coalesce(profile.median_count, 0)) over (
            partition by hours.site_id, hours.mode, hours.direction
            order by hours.hour_at asc
            rows between unbounded preceding and current row
        ) - coalesce(profile.median_count, 0) as usual_before
    from {{ ref('int_count_hour') }} as hours
    left join {{ ref('int_hour_profile') }} as profile
        on
            hours.site_id = profile.site_id
            and hours.mode = profile.mode
            and hours.direction = profile.direction
            and hours.hour_of_week = profile.hour_of_week
            and profile.hours >= {{ var('profile_hours') }}
),

ends as (
    select
        site_id,
        mode,
        direction,
        max(hour_at) + interval 1 hour as until_at,
        max(usual_before) as usual_before
    from valued
    group by site_id, mode, direction
),

starts as (
    select
        site_id,
        mode,
        direction,
        hour_at,
        value,
        usual_before
    from valued
    where value <> former_value
    union all
    select
        site_id,
        mode,
        direction,
        until_at as hour_at,
        -1 as value,
        usual_before
    from ends
),

runs as (
    select
        site_id,
        mode,
        direction,
        value,
        hour_at as first_at,
        lead(hour_at) over (
            partition by site_id, mode, direction
            order by hour_at asc
        ) as until_at,
        lead(usual_before) over (
            partition by site_id, mode, direction
            order by hour_at asc
        ) - usual_before as usual_count
    from starts
),

judged as (
    select
        site_id,
        mode,
        direction,
        first_at,
        until_at,
        usual_count,
        case
            when
                value = 0
                and (
                    {{ hours_between('first_at', 'until_at') }} >= {{ var('dead_zero_hours') }}
                    or usual_count >= {{ var('dead_usual_count') }}
                )
                then 'dead_sensor'
            when
                value >= {{ var('stuck_count') }}
                and {{ hours_between('first_at', 'until_at') }} >= {{ var('stuck_hours') }}
                then 'stuck_sensor'
        end as code
    from runs
    where until_at is not null
),

told as (
    select
        site_id,
        mode,
        direction,
        first_at,
        until_at,
        usual_count,
        code
    from judged
    where code is not null
    union all
    select
        site_id,
        mode,
        'both' as direction,
        first_at,
        until_at,
        usual_count,
        code
    from judged
    where
        code = 'dead_sensor'
        and direction <> 'both'
        and usual_count >= {{ var('dead_usual_count') }}
),

reached as (
    select
        site_id,
        mode,
        direction,
        first_at,
        until_at,
        usual_count,
        code,
        max(until_at) over (
            partition by site_id, mode, direction
            order by first_at asc, until_at asc, code asc, usual_count asc
            rows between unbounded preceding and 1 preceding
        ) as reached_at
    from told
),

islands as (
    select
        site_id,
        mode,
        direction,
        first_at,
        until_at,
        usual_count,
        code,
        sum(case when first_at < reached_at then 0 else 1 end) over (
            partition by site_id, mode, direction
            order by first_at asc, until_at asc, code asc, usual_count asc
            rows between unbounded preceding and current row
        ) as island
    from reached
)

select
    site_id,
    mode,
    direction,
    min(first_at) as first_at,
    max(until_at) as until_at,
    cast(max(usual_count) as double) as usual_count,
    min(code) as code
from islands
group by site_id, mode, direction, island
