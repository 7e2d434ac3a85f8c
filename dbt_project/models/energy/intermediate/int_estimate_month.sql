-- The months that estimates are made for: from the first of the national generation to that of as_of; only that one
-- where there is no such series.
with

beginning as (
    select min(months.month) as first_month
    from {{ ref('int_market_month') }} as months
    inner join {{ ref('technology_series') }} as technologies on months.series = technologies.generation_series
)

select distinct
    dates.month,
    dates.year
from {{ ref('dim_date') }} as dates
cross join beginning
where
    dates.month >= coalesce(beginning.first_month, {{ as_of_month() }})
    and dates.month <= {{ as_of_month() }}
