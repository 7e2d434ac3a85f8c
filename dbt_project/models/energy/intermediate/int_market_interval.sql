-- One row per interval of a series: of several sources that have a value the one with the lowest priority number
-- speaks. Gaps between two intervals are rows without a value, unless they are so long that nobody has the data.
with

speaking as (
    select
        source_id,
        series,
        region,
        start_at,
        interval_minutes,
        value,
        unit
    from {{ ref('int_market_value') }}
    where interval_minutes <= 60
    qualify row_number() over (
        partition by series, region, start_at, interval_minutes
        order by case when value is null then 1 else 0 end asc, priority asc, source_id asc
    ) = 1
),

followed as (
    select
        source_id,
        series,
        region,
        start_at,
        interval_minutes,
        unit,
        {{ seconds_between(
            'start_at', 'lead(start_at) over (partition by series, region, interval_minutes order by start_at asc)'
        ) }} as seconds_to_next
    from speaking
),

gaps as (
    select
        followed.source_id,
        followed.series,
        followed.region,
        {{ add_seconds('followed.start_at', '(steps.series_number + 1) * followed.interval_minutes * 60') }}
            as start_at,
        followed.interval_minutes,
        followed.unit
    from followed
    inner join {{ number_series(2976) }} as steps
        on (steps.series_number + 2) * followed.interval_minutes * 60 <= followed.seconds_to_next
    where
        followed.seconds_to_next > followed.interval_minutes * 60
        and followed.seconds_to_next <= {{ var('market_gap_days') }} * 86400
)

select
    source_id,
    series,
    region,
    start_at,
    interval_minutes,
    value,
    unit
from speaking
union all
select
    source_id,
    series,
    region,
    start_at,
    interval_minutes,
    cast(null as decimal(18, 4)) as value,
    unit
from gaps
