-- Short gaps filled from the site's own history: the median of its validated hours of the same hour of the week and
-- season. A gap is a run of hours without validated value between two that have one; one that reaches over more local
-- days is left empty as a whole.
with

ends as (
    select
        site_id,
        mode,
        direction,
        min(hour_at) as first_at,
        max(hour_at) as last_at
    from {{ ref('int_count_hour') }}
    group by site_id, mode, direction
),

-- Of a month of which nothing came, so many days at both ends as make it too long a gap are enough.
unvalidated as (
    select
        site_id,
        mode,
        direction,
        hour_at,
        date,
        hour_of_week,
        season,
        {{ hours_between("cast('2000-01-01 00:00:00+00:00' as timestamptz)", 'hour_at') }}
        - row_number() over (
            partition by site_id, mode, direction
            order by hour_at asc
        ) as island
    from {{ ref('int_hour_doubt') }}
    where
        value_status <> 'corrected'
        and (
            code <> 'month_missing'
            or extract(day from date) <= {{ var('imputed_days') }} + 1
            or extract(month from date + ({{ var('imputed_days') }} + 1) * interval 1 day) <> extract(month from date)
        )
),

islands as (
    select
        site_id,
        mode,
        direction,
        island,
        min(hour_at) as first_at,
        max(hour_at) as last_at,
        {{ days_between('min(date)', 'max(date)') }} + 1 as days
    from unvalidated
    group by site_id, mode, direction, island
),

wanted as (
    select
        unvalidated.site_id,
        unvalidated.mode,
        unvalidated.direction,
        unvalidated.hour_at,
        unvalidated.hour_of_week,
        unvalidated.season
    from unvalidated
    inner join islands
        on
            unvalidated.site_id = islands.site_id
            and unvalidated.mode = islands.mode
            and unvalidated.direction = islands.direction
            and unvalidated.island = islands.island
    inner join ends
        on
            islands.site_id = ends.site_id
            and islands.mode = ends.mode
            and islands.direction = ends.direction
            and islands.first_at > ends.first_at
            and islands.last_at < ends.last_at
    where islands.days <= {{ var('imputed_days') }}
),

cells as (
    select distinct
        site_id,
        mode,
        direction,
        hour_of_week,
        season
    from wanted
),

profile as (
    select
        hours.site_id,
        hours.mode,
        hours.direction,
        hours.hour_of_week,
        hours.season,
        cast(round({{ quantile('hours.count_corrected', 0.5) }}) as bigint) as count_imputed
    from {{ ref('int_count_hour') }} as hours
    inner join cells
        on
            hours.site_id = cells.site_id
            and hours.mode = cells.mode
            and hours.direction = cells.direction
            and hours.hour_of_week = cells.hour_of_week
            and hours.season = cells.season
    left join unvalidated
        on
            hours.site_id = unvalidated.site_id
            and hours.mode = unvalidated.mode
            and hours.direction = unvalidated.direction
            and hours.hour_at = unvalidated.hour_at
    where
        unvalidated.site_id is null
        and hours.count_corrected is not null
    group by hours.site_id, hours.mode, hours.direction, hours.hour_of_week, hours.season
    having count(*) >= {{ var('imputed_history_hours') }}
)

select
    wanted.site_id,
    wanted.mode,
    wanted.direction,
    wanted.hour_at,
    profile.count_imputed
from wanted
inner join profile
    on
        wanted.site_id = profile.site_id
        and wanted.mode = profile.mode
        and wanted.direction = profile.direction
        and wanted.hour_of_week = profile.hour_of_week
        and wanted.season = profile.season
