-- Hours far beyond what the site's own history allows: beyond its busiest hour of the week (the highest median), and
-- beyond that very hour of the week by the median absolute deviation (MAD), which extreme values do not move. Nights of
-- New Year, marathons and sunny Sundays are real: they are many times what is usual then, but not what is usual at rush
-- hour. A MAD is taken only where an hour is large enough to be asked for.
with

peaks as (
    select
        site_id,
        mode,
        direction,
        max(median_count) as peak_count
    from {{ ref('int_hour_profile') }}
    where hours >= {{ var('profile_hours') }}
    group by site_id, mode, direction
),

candidates as (
    select
        hours.site_id,
        hours.mode,
        hours.direction,
        hours.hour_at,
        hours.hour_of_week,
        hours.count_corrected,
        profile.median_count
    from {{ ref('int_count_hour') }} as hours
    inner join {{ ref('int_hour_profile') }} as profile
        on
            hours.site_id = profile.site_id
            and hours.mode = profile.mode
            and hours.direction = profile.direction
            and hours.hour_of_week = profile.hour_of_week
            and profile.hours >= {{ var('profile_hours') }}
    inner join peaks
        on
            hours.site_id = peaks.site_id
            and hours.mode = peaks.mode
            and hours.direction = peaks.direction
    where
        hours.count_corrected >= {{ var('spike_count') }}
        and (
            hours.count_corrected > {{ var('spike_peak_ratio') }} * peaks.peak_count
            or (
                hours.count_corrected > {{ var('spike_lesser_peak_ratio') }} * peaks.peak_count
                and hours.count_corrected > {{ var('spike_hour_ratio') }} * profile.median_count
            )
        )
),

cells as (
    select distinct
        site_id,
        mode,
        direction,
        hour_of_week,
        median_count
    from candidates
),

deviations as (
    select
        hours.site_id,
        hours.mode,
        hours.direction,
        hours.hour_of_week,
        {{ quantile('abs(hours.count_corrected - cells.median_count)', 0.5) }} as mad
    from {{ ref('int_count_hour') }} as hours
    inner join cells
        on
            hours.site_id = cells.site_id
            and hours.mode = cells.mode
            and hours.direction = cells.direction
            and hours.hour_of_week = cells.hour_of_week
    where hours.is_sound
    group by hours.site_id, hours.mode, hours.direction, hours.hour_of_week
)

select
    candidates.site_id,
    candidates.mode,
    candidates.direction,
    candidates.hour_at,
    candidates.count_corrected as count,
    candidates.median_count,
    cast(deviations.mad as double) as mad
from candidates
inner join deviations
    on
        candidates.site_id = deviations.site_id
        and candidates.mode = deviations.mode
        and candidates.direction = deviations.direction
        and candidates.hour_of_week = deviations.hour_of_week
where
    -- 1.4826 times the MAD is the standard deviation of a normal distribution; counts spread by their root at least.
    candidates.count_corrected
    > candidates.median_count
    + {{ var('spike_deviations') }} * greatest(1.4826 * deviations.mad, sqrt(candidates.median_count), 1)
