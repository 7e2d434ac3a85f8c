-- How much of a month's intervals a national series has a value for, and their sum; of quarter-hours and hours what
-- covers more of the month, then the finer one.
with

lengths as (
    select
        month,
        sum(hours_in_day) as hours
    from {{ ref('dim_date') }}
    group by month
),

sums as (
    select
        series,
        interval_minutes,
        cast(date_trunc('month', {{ instant_to_local('start_at') }}) as date) as month,
        count(value) as intervals_measured,
        sum(value) as value
    from {{ ref('int_market_interval') }}
    where region = 'DE'
    group by
        series,
        interval_minutes,
        cast(date_trunc('month', {{ instant_to_local('start_at') }}) as date)
)

select
    sums.series,
    sums.month,
    sums.interval_minutes,
    sums.intervals_measured,
    cast(lengths.hours * 60 / sums.interval_minutes as bigint) as intervals_expected,
    sums.intervals_measured * 1.0 / (lengths.hours * 60 / sums.interval_minutes) as measured_share,
    cast(sums.value as decimal(18, 4)) as value
from sums
inner join lengths on sums.month = lengths.month
qualify row_number() over (
    partition by sums.series, sums.month
    order by
        sums.intervals_measured * 1.0 / (lengths.hours * 60 / sums.interval_minutes) desc,
        sums.interval_minutes asc
) = 1
