-- Runs of one value that no road shows: zeros for a day, or for as long as the site usually counts so many that none
-- cannot be chance; the same number of vehicles again and again. A dead direction that usually counts makes the total
-- of both as wrong. Runs that overlap are one.
with

valued as (
    select
        site_id,
        mode,
        direction,
        hour_at,
        hour_of_week,
        count_corrected as value,
        lag(count_corrected) over (
            partition by site_id, mode, direction
            order by hour_at asc
        ) as former_value,
        lead(count_corrected) over (
            partition by site_id, mode, direction
            order by hour_at asc
        ) as next_value
    from {{ ref('int_count_hour') }}
),

-- Few hours are zero or have a neighbour of the same count: all others are a run of their own that no rule asks for.
repeated as (
    select
        site_id,
        mode,
        direction,
        hour_at,
        hour_of_week,
        value,
        {{ hours_between("cast('2000-01-01 00:00:00+00:00' as timestamptz)", 'hour_at') }}
        - row_number() over (
            partition by site_id, mode, direction, value
            order by hour_at asc
        ) as run
    from valued
    where
        value = 0
        or (value >= {{ var('stuck_count') }} and (value = former_value or value = next_value))
),

runs as (
    select
        repeated.site_id,
        repeated.mode,
        repeated.direction,
        repeated.value,
        min(repeated.hour_at) as first_at,
        max(repeated.hour_at) + interval 1 hour as until_at,
        sum(coalesce(profile.median_count, 0)) as usual_count
    from repeated
    left join {{ ref('int_hour_profile') }} as profile
        on
            repeated.site_id = profile.site_id
            and repeated.mode = profile.mode
            and repeated.direction = profile.direction
            and repeated.hour_of_week = profile.hour_of_week
            and profile.hours >= {{ var('profile_hours') }}
    group by repeated.site_id, repeated.mode, repeated.direction, repeated.value, repeated.run
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
