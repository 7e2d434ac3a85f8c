-- How far a goal has come. The way goes from baseline to target; without a baseline the catalogue's direction says
-- which side of the target is meant. On course is who is as far as the straight line from baseline to target on the
-- date of the latest number; where the baseline has no date, who gets there by the trend.
with

joined as (
    select
        goals.goal_id,
        goals.source_id,
        goals.area_id,
        goals.indicator_id,
        indicators.field_of_action,
        indicators.direction,
        goals.target_value,
        goals.target_date,
        goals.baseline,
        goals.baseline_date,
        goals.adopted_by,
        goals.source,
        goals.told_times,
        latest.value as latest_value,
        latest.period as latest_period,
        latest.period_date as latest_date,
        latest.value_status as latest_value_status,
        latest.unit,
        blanks.reason as blank_reason,
        indicators.indicator_id is not null as is_known,
        trends.years as trend_years,
        trends.slope_per_year,
        trends.slope_low,
        trends.slope_high,
        case
            when goals.baseline is not null and goals.baseline <> goals.target_value
                then case when goals.target_value > goals.baseline then 1 else -1 end
            when indicators.direction = 'more' then 1
            when indicators.direction = 'less' then -1
        end as way
    from {{ ref('int_goal') }} as goals
    left join {{ ref('dim_indicator') }} as indicators on goals.indicator_id = indicators.indicator_id
    left join {{ ref('int_indicator_latest') }} as latest
        on
            goals.indicator_id = latest.indicator_id
            and goals.area_id = latest.area_id
    left join {{ ref('mart_indicator') }} as blanks
        on
            goals.indicator_id = blanks.indicator_id
            and goals.area_id = blanks.area_id
            and blanks.period = 'none'
    left join {{ ref('int_goal_trend') }} as trends on goals.goal_id = trends.goal_id
),

measured as (
    select
        goal_id,
        source_id,
        area_id,
        indicator_id,
        field_of_action,
        target_value,
        target_date,
        baseline,
        baseline_date,
        adopted_by,
        source,
        told_times,
        latest_value,
        latest_period,
        latest_date,
        latest_value_status,
        unit,
        blank_reason,
        is_known,
        trend_years,
        slope_per_year,
        slope_low,
        slope_high,
        way,
        way * latest_value >= way * target_value as is_reached,
        case
            when baseline is not null and baseline <> target_value
                then (latest_value - baseline) / (target_value - baseline)
        end as share_of_way,
        case
            when baseline_date is not null and baseline_date < target_date
                then least(greatest(
                    {{ days_between('baseline_date', 'latest_date') }}
                    / cast({{ days_between('baseline_date', 'target_date') }} as double), 0.0
                ), 1.0)
        end as share_of_time,
        case
            when latest_date < target_date
                then latest_value + slope_per_year * {{ days_between('latest_date', 'target_date') }} / 365.25
        end as projected_value,
        case
            when latest_date < target_date
                then latest_value + slope_low * {{ days_between('latest_date', 'target_date') }} / 365.25
        end as projected_low,
        case
            when latest_date < target_date
                then latest_value + slope_high * {{ days_between('latest_date', 'target_date') }} / 365.25
        end as projected_high
    from joined
),

judged as (
    select
        goal_id,
        source_id,
        area_id,
        indicator_id,
        field_of_action,
        target_value,
        target_date,
        baseline,
        baseline_date,
        adopted_by,
        source,
        told_times,
        latest_value,
        latest_period,
        latest_date,
        latest_value_status,
        unit,
        blank_reason,
        is_known,
        trend_years,
        slope_per_year,
        slope_low,
        slope_high,
        way,
        share_of_way,
        share_of_time,
        projected_value,
        projected_low,
        projected_high,
        case
            when not is_known then 'not_measurable'
            when latest_value is null then 'not_measurable'
            when way is null then 'not_measurable'
            when baseline_date is not null and latest_date <= baseline_date then 'not_measurable'
            when is_reached then 'reached'
            when target_date < {{ as_of_date() }} then 'behind'
            when share_of_way is not null and share_of_time is not null
                then case when share_of_way >= share_of_time then 'on_course' else 'behind' end
            when projected_value is not null
                then case when way * projected_value >= way * target_value then 'on_course' else 'behind' end
            else 'not_measurable'
        end as status
    from measured
)

select
    goal_id,
    area_id,
    indicator_id,
    field_of_action,
    source_id,
    target_value,
    target_date,
    baseline,
    baseline_date,
    latest_value,
    latest_period,
    latest_date,
    latest_value_status,
    unit,
    share_of_way,
    share_of_time,
    slope_per_year,
    slope_low,
    slope_high,
    trend_years,
    projected_value,
    projected_low,
    projected_high,
    status,
    case
        when not is_known then 'the catalogue has no such indicator'
        when latest_value is null then coalesce(blank_reason, 'the indicator has no number for this area')
        when way is null then 'neither a baseline nor a direction says which side of the target is meant'
        when baseline_date is not null and latest_date <= baseline_date then 'no number is newer than the baseline'
        when status = 'reached' then 'the latest number is at the target or beyond'
        when target_date < {{ as_of_date() }} then 'the target date has passed'
        when share_of_way is not null and share_of_time is not null and status = 'on_course'
            then 'at least as far as the straight line from baseline to target'
        when share_of_way is not null and share_of_time is not null
            then 'less far than the straight line from baseline to target'
        when status = 'on_course' then 'the trend reaches the target in time'
        when status = 'behind' then 'the trend does not reach the target in time'
        else 'no dated baseline, and fewer than 5 years for a trend'
    end as reason,
    adopted_by,
    source,
    told_times
from judged
