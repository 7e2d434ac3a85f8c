-- Short gaps of whole days filled from the site's own history: the median of its validated days of the same weekday
-- and season. A gap is a run of days without validated value between two that have one; a longer one is left empty.
with

days as (
    select
        days.site_id,
        days.mode,
        days.direction,
        days.date,
        days.count_corrected,
        dates.weekday,
        -- Meteorological seasons: 0 from December, 1 from March, 2 from June, 3 from September.
        cast(floor(extract(month from days.date) % 12 / 3) as integer) as season,
        coalesce(doubts.value_status in ('missing', 'unreliable'), false) as is_wanted
    from {{ ref('int_whole_day') }} as days
    inner join {{ ref('int_counting_date') }} as dates on days.date = dates.date
    left join {{ ref('int_whole_day_doubt') }} as doubts
        on
            days.site_id = doubts.site_id
            and days.mode = doubts.mode
            and days.direction = doubts.direction
            and days.date = doubts.date
),

valued as (
    select
        site_id,
        mode,
        direction,
        date,
        weekday,
        season,
        is_wanted,
        max(case when not is_wanted then date end) over (
            partition by site_id, mode, direction
            order by date asc
            rows between unbounded preceding and current row
        ) as former_date,
        min(case when not is_wanted then date end) over (
            partition by site_id, mode, direction
            order by date asc
            rows between current row and unbounded following
        ) as next_date
    from days
),

profile as (
    select
        site_id,
        mode,
        direction,
        weekday,
        season,
        cast(round({{ quantile('count_corrected', 0.5) }}) as bigint) as count_imputed
    from days
    where not is_wanted
    group by site_id, mode, direction, weekday, season
    having count(*) >= {{ var('imputed_history_hours') }}
)

select
    valued.site_id,
    valued.mode,
    valued.direction,
    valued.date,
    profile.count_imputed
from valued
inner join profile
    on
        valued.site_id = profile.site_id
        and valued.mode = profile.mode
        and valued.direction = profile.direction
        and valued.weekday = profile.weekday
        and valued.season = profile.season
where
    valued.is_wanted
    and {{ days_between('valued.former_date', 'valued.next_date') }} <= {{ var('imputed_days') }} + 1
