-- Germany's installed capacity of a technology in each month of the calendar: that of its year by the market's
-- publishers (lowest priority number first), else by the seed; a year that nobody tells has the nearest one's before
-- it, else after it.
with

market as (
    select
        series as capacity_series,
        cast(extract(year from {{ instant_to_local('start_at') }}) as integer) as year,
        value as capacity_mw,
        source_id as told_by,
        priority
    from {{ ref('int_market_value') }}
    where
        region = 'DE'
        and series like 'capacity_%'
        and value > 0
),

told as (
    select
        capacity_series,
        year,
        capacity_mw,
        told_by,
        priority
    from market
    union all
    select
        capacity_series,
        year,
        capacity_mw,
        told_by,
        1000 as priority
    from {{ ref('national_capacity') }}
),

years as (
    select
        capacity_series,
        year,
        capacity_mw,
        told_by
    from told
    qualify row_number() over (
        partition by capacity_series, year
        order by priority asc, told_by asc
    ) = 1
),

months as (
    select distinct
        month,
        year
    from {{ ref('dim_date') }}
)

select
    technologies.technology,
    months.month,
    years.year as told_year,
    cast(years.capacity_mw as decimal(18, 3)) as capacity_mw,
    years.told_by
from {{ ref('technology_series') }} as technologies
inner join years on technologies.capacity_series = years.capacity_series
cross join months
qualify row_number() over (
    partition by technologies.technology, months.month
    order by
        case when years.year <= months.year then 0 else 1 end asc,
        abs(months.year - years.year) asc
) = 1
