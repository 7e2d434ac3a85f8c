-- Files that an index of a series announces, with how many readings came from the span of each; of files before the
-- first one read nothing is expected.
with

files as (
    select distinct
        source_id,
        series,
        region,
        resolution,
        starts_at
    from {{ ref('stg_market_file') }}
),

spans as (
    select
        source_id,
        series,
        region,
        resolution,
        starts_at,
        lead(starts_at) over (partition by source_id, series, region, resolution order by starts_at asc) as next_at
    from files
),

firsts as (
    select
        source_id,
        series,
        region,
        resolution,
        min(interval_start_at) as first_at
    from {{ ref('stg_market_reading') }}
    group by source_id, series, region, resolution
)

select
    spans.source_id,
    spans.series,
    spans.region,
    spans.resolution,
    spans.starts_at,
    count(readings.interval_start_at) as readings
from spans
inner join firsts
    on
        spans.source_id = firsts.source_id
        and spans.series = firsts.series
        and spans.region = firsts.region
        and spans.resolution = firsts.resolution
        and spans.next_at > firsts.first_at
left join {{ ref('stg_market_reading') }} as readings
    on
        spans.source_id = readings.source_id
        and spans.series = readings.series
        and spans.region = readings.region
        and spans.resolution = readings.resolution
        and spans.starts_at <= readings.interval_start_at
        and spans.next_at > readings.interval_start_at
group by spans.source_id, spans.series, spans.region, spans.resolution, spans.starts_at
