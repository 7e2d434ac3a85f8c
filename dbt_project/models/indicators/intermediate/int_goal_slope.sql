-- The slopes between every two years of a goal's indicator, in units per year: what Theil and Sen take the median of. A
-- year speaks by its last number, so that months of the running year do not outweigh the years before. The last
-- trend_years years count: what was true in another decade says little of the way to a goal.
with

years as (
    select
        goals.goal_id,
        extract(year from indicators.period_date) as year,
        indicators.period_date,
        indicators.value
    from {{ ref('int_goal') }} as goals
    inner join {{ ref('int_indicator_value') }} as indicators
        on
            goals.indicator_id = indicators.indicator_id
            and goals.area_id = indicators.area_id
    where indicators.value is not null
    qualify
        row_number() over (
            partition by goals.goal_id, extract(year from indicators.period_date)
            order by indicators.period_date desc, indicators.period desc
        ) = 1
),

recent as (
    select
        goal_id,
        period_date,
        value
    from years
    qualify row_number() over (
        partition by goal_id
        order by period_date desc
    ) <= {{ var('trend_years') }}
)

select
    earlier.goal_id,
    earlier.period_date as earlier_date,
    later.period_date as later_date,
    (later.value - earlier.value) * 365.25 / {{ days_between('earlier.period_date', 'later.period_date') }} as slope
from recent as earlier
inner join recent as later
    on
        earlier.goal_id = later.goal_id
        and earlier.period_date < later.period_date
