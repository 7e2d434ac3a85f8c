-- Every hour of the site's months, up to the day of as_of where the last month still runs. A merged reading of autumn
-- holds both passes of the repeated hour: the first pass gets the larger half, the second the rest, the sum stays.
with

directions as (
    select distinct
        site_id,
        mode,
        direction
    from {{ ref('int_direction_hour') }}
    where count is not null
),

spine as (
    select
        windows.site_id,
        directions.mode,
        directions.direction,
        hours.hour_at,
        hours.hour_local,
        windows.intervals_expected
    from {{ ref('int_site_window') }} as windows
    inner join directions on windows.site_id = directions.site_id
    inner join {{ ref('int_hour') }} as hours on hours.month between windows.first_month and windows.last_month
    where hours.hour_at < greatest({{ as_of_day() }}, windows.last_hour_at + interval 1 hour)
),

measured as (
    select
        site_id,
        mode,
        direction,
        hour_at,
        count,
        intervals_measured,
        intervals_expected,
        has_status,
        is_merged
    from {{ ref('int_direction_hour') }}
),

second_passes as (
    select
        site_id,
        mode,
        direction,
        hour_at + interval 1 hour as hour_at,
        cast(floor(count / 2.0) as bigint) as count,
        intervals_measured,
        intervals_expected,
        has_status
    from measured
    where is_merged
),

filled as (
    select
        spine.site_id,
        spine.mode,
        spine.direction,
        spine.hour_at,
        spine.hour_local,
        case
            when measured.is_merged then measured.count - cast(floor(measured.count / 2.0) as bigint)
            when second_passes.count is not null then second_passes.count + coalesce(measured.count, 0)
            else measured.count
        end as count,
        coalesce(second_passes.intervals_expected, measured.intervals_expected, spine.intervals_expected)
            as intervals_expected,
        coalesce(second_passes.intervals_measured, measured.intervals_measured, 0) as intervals_measured,
        coalesce(measured.has_status, false) or coalesce(second_passes.has_status, false) as has_status,
        coalesce(measured.is_merged, false) or second_passes.site_id is not null as is_merged
    from spine
    left join measured
        on
            spine.site_id = measured.site_id
            and spine.mode = measured.mode
            and spine.direction = measured.direction
            and spine.hour_at = measured.hour_at
    left join second_passes
        on
            spine.site_id = second_passes.site_id
            and spine.mode = second_passes.mode
            and spine.direction = second_passes.direction
            and spine.hour_at = second_passes.hour_at
),

numbered as (
    select
        site_id,
        mode,
        direction,
        hour_at,
        hour_local,
        count,
        intervals_expected,
        intervals_measured,
        has_status,
        is_merged,
        sum(case when count = 0 then 0 else 1 end) over (
            partition by site_id, mode, direction
            order by hour_at asc
            rows between unbounded preceding and current row
        ) as hours_with_traffic
    from filled
),

zeros as (
    select
        site_id,
        mode,
        direction,
        hours_with_traffic,
        count(*) as zero_hours
    from numbered
    where count = 0
    group by site_id, mode, direction, hours_with_traffic
),

judged as (
    select
        numbered.site_id,
        numbered.mode,
        numbered.direction,
        numbered.hour_at,
        numbered.hour_local,
        numbered.count,
        numbered.intervals_expected,
        numbered.intervals_measured,
        case
            when numbered.count is null then 'missing'
            when numbered.intervals_measured < numbered.intervals_expected or numbered.has_status then 'unreliable'
            when numbered.count = 0 and zeros.zero_hours >= 24 then 'unreliable'
            when numbered.is_merged then 'corrected'
            else 'measured'
        end as value_status
    from numbered
    left join zeros
        on
            numbered.site_id = zeros.site_id
            and numbered.mode = zeros.mode
            and numbered.direction = zeros.direction
            and numbered.hours_with_traffic = zeros.hours_with_traffic
)

select
    site_id,
    mode,
    direction,
    hour_at,
    hour_local,
    count,
    case when value_status in ('measured', 'corrected') then count end as count_validated,
    cast(null as bigint) as count_imputed,
    intervals_expected,
    intervals_measured,
    value_status,
    case when value_status <> 'measured' then value_status end as status_reason
from judged
