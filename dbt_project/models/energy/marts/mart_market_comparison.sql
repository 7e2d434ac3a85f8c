-- Every pair of sources that tell of the same intervals, by local month; capacities by the month their year begins.
with

told as (
    select
        source_id,
        priority,
        series,
        region,
        start_at,
        interval_minutes,
        value,
        unit,
        cast(date_trunc('month', {{ instant_to_local('start_at') }}) as date) as month
    from {{ ref('int_market_value') }}
    where value is not null
),

pairs as (
    select
        first_told.series,
        first_told.region,
        first_told.interval_minutes,
        first_told.month,
        first_told.source_id as reference_source_id,
        others.source_id,
        first_told.unit,
        first_told.start_at,
        first_told.value as reference_value,
        others.value,
        avg(abs(first_told.value)) over (
            partition by
                first_told.series,
                first_told.region,
                first_told.interval_minutes,
                first_told.month,
                first_told.source_id,
                others.source_id
        ) as mean_value
    from told as first_told
    inner join told as others
        on
            first_told.series = others.series
            and first_told.region = others.region
            and first_told.start_at = others.start_at
            and first_told.interval_minutes = others.interval_minutes
            and first_told.unit = others.unit
            and (
                first_told.priority < others.priority
                or (first_told.priority = others.priority and first_told.source_id < others.source_id)
            )
),

sums as (
    select
        series,
        region,
        interval_minutes,
        month,
        reference_source_id,
        source_id,
        unit,
        count(*) as intervals,
        sum(reference_value) as reference_sum,
        sum(value) as value_sum,
        max(abs(value - reference_value)) as largest_difference,
        sum(
            case when abs(value - reference_value) > {{ var('market_difference_share') }} * mean_value then 1 else 0 end
        ) as intervals_apart,
        min(
            case when abs(value - reference_value) > {{ var('market_difference_share') }} * mean_value then start_at end
        ) as first_apart_at
    from pairs
    group by series, region, interval_minutes, month, reference_source_id, source_id, unit
)

select
    series,
    region,
    interval_minutes,
    month,
    reference_source_id,
    source_id,
    unit,
    cast(intervals as bigint) as intervals,
    cast(reference_sum as decimal(18, 4)) as reference_sum,
    cast(value_sum as decimal(18, 4)) as value_sum,
    case when reference_sum <> 0 then cast(value_sum - reference_sum as double) / abs(cast(reference_sum as double)) end
        as difference_share,
    cast(largest_difference as decimal(18, 4)) as largest_difference,
    cast(intervals_apart as bigint) as intervals_apart,
    first_apart_at
from sums
