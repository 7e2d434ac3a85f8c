-- Slope by Theil and Sen, with the interval that Sen gives it from the ranks of the slopes: with n years there are
-- N = n (n - 1) / 2 slopes, C = 1.96 sqrt(n (n - 1) (2 n + 5) / 18), and the interval goes from the slope of rank
-- (N - C) / 2, rounded down, to that of rank (N + C) / 2 + 1, rounded up (95 %). Fewer than 5 years have none: the
-- ranks would lie outside the slopes.
with

ranked as (
    select
        goal_id,
        slope,
        row_number() over (
            partition by goal_id
            order by slope asc, earlier_date asc, later_date asc
        ) as slope_rank,
        count(*) over (partition by goal_id) as slopes
    from {{ ref('int_goal_slope') }}
),

counted as (
    select
        goal_id,
        slope,
        slope_rank,
        slopes,
        round((1 + sqrt(1 + 8.0 * slopes)) / 2) as years
    from ranked
),

bounded as (
    select
        goal_id,
        slope,
        slope_rank,
        years,
        floor((slopes - 1.96 * sqrt(years * (years - 1) * (2 * years + 5) / 18.0)) / 2) as lower_rank,
        ceil((slopes + 1.96 * sqrt(years * (years - 1) * (2 * years + 5) / 18.0)) / 2 + 1) as upper_rank
    from counted
    where years >= 5
)

select
    goal_id,
    cast(max(years) as integer) as years,
    {{ quantile('slope', 0.5) }} as slope_per_year,
    max(case when slope_rank = greatest(lower_rank, 1) then slope end) as slope_low,
    max(case when slope_rank = least(upper_rank, years * (years - 1) / 2) then slope end) as slope_high
from bounded
group by goal_id
