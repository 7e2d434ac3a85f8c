-- Every whole day that is not simply measured, with the one reason that weighs most: the rules of hours
-- (int_hour_doubt, int_value_run, int_hour_spike), asked of days.
with

valued as (
    select
        days.site_id,
        days.mode,
        days.direction,
        days.date,
        days.count,
        days.count_corrected,
        days.channels_expected,
        days.channels_measured,
        days.marks,
        dates.weekday,
        {{ days_between("cast('2000-01-01' as date)", 'days.date') }} - row_number() over (
            partition by days.site_id, days.mode, days.direction, days.count_corrected
            order by days.date asc
        ) as run
    from {{ ref('int_whole_day') }} as days
    inner join {{ ref('int_counting_date') }} as dates on days.date = dates.date
),

repeated as (
    select
        site_id,
        mode,
        direction,
        date,
        count,
        count_corrected,
        channels_expected,
        channels_measured,
        marks,
        weekday,
        count(*) over (partition by site_id, mode, direction, count_corrected, run) as days_in_run
    from valued
),

profiles as (
    select
        site_id,
        mode,
        direction,
        weekday,
        median_count,
        max(median_count) over (partition by site_id, mode, direction) as peak_count
    from {{ ref('int_whole_day_profile') }}
    where days >= {{ var('profile_hours') }}
),

deviations as (
    select
        valued.site_id,
        valued.mode,
        valued.direction,
        valued.weekday,
        {{ quantile('abs(valued.count_corrected - profiles.median_count)', 0.5) }} as mad
    from valued
    inner join profiles
        on
            valued.site_id = profiles.site_id
            and valued.mode = profiles.mode
            and valued.direction = profiles.direction
            and valued.weekday = profiles.weekday
    group by valued.site_id, valued.mode, valued.direction, valued.weekday
),

doubts as (
    select
        repeated.site_id,
        repeated.mode,
        repeated.direction,
        repeated.date,
        case
            when repeated.count is null then 'gap'
            when repeated.marks & 16 > 0 then 'declared_drop'
            when repeated.marks & 1 > 0 then 'sensor_status'
            when repeated.channels_measured < repeated.channels_expected then 'part_missing'
            when repeated.marks & 8 > 0 then 'declared_flag'
            when repeated.marks & 32 > 0 then 'direction_swapped'
            when repeated.count_corrected = 0 then 'dead_sensor'
            when
                repeated.count_corrected >= {{ var('stuck_count') }}
                and repeated.days_in_run >= {{ var('stuck_days') }}
                then 'stuck_sensor'
            when
                repeated.count_corrected >= {{ var('spike_count') }}
                and repeated.count_corrected > {{ var('spike_peak_ratio') }} * profiles.peak_count
                and repeated.count_corrected
                > profiles.median_count
                + {{ var('spike_deviations') }} * greatest(1.4826 * deviations.mad, sqrt(profiles.median_count), 1)
                then 'spike'
            when repeated.marks & 4 > 0 then 'declared_scale'
        end as code
    from repeated
    left join profiles
        on
            repeated.site_id = profiles.site_id
            and repeated.mode = profiles.mode
            and repeated.direction = profiles.direction
            and repeated.weekday = profiles.weekday
    left join deviations
        on
            repeated.site_id = deviations.site_id
            and repeated.mode = deviations.mode
            and repeated.direction = deviations.direction
            and repeated.weekday = deviations.weekday
)

select
    site_id,
    mode,
    direction,
    date,
    code,
    case code
        when 'gap' then 'missing'
        when 'declared_scale' then 'corrected'
        else 'unreliable'
    end as value_status
from doubts
where code is not null
