-- Which sites are computed, in which batch, and which are taken over from the former release because what their rows
-- are computed from is the same. The clock is part of it where it can matter: where the publisher lists the site, whose
-- hours then run up to the clock, and for a year and some after the last reading (what still runs is told of months
-- and years).
with

snapshots as (
    select
        source_id,
        snapshot_sha256,
        parse_key,
        site_id,
        readings,
        last_interval_start_at
    from {{ ref('stg_count_reading_snapshot') }}
),

sites as (
    select
        site_id,
        sum(readings) as readings,
        max(last_interval_start_at) as last_interval_start_at
    from snapshots
    group by site_id
),

-- What is listed, located and declared of a site.
told as (
    select
        site_id,
        source_id,
        {{ cells_as_text(['snapshot_sha256', 'parse_key']) }} as input
    from snapshots
    union all
    select
        site_id,
        source_id,
        {{ cells_as_text([
            as_of_date(), 'snapshot_sha256', 'record_number', 'site_name', 'first_year', 'longitude', 'latitude', 'mode',
            'operator', 'ags'
        ]) }} as input
    from {{ ref('stg_count_site') }}
    union all
    select
        site_id,
        source_id,
        {{ cells_as_text([
            'declaration', 'channel_id', 'first_date', 'last_date', 'channel_role', 'mode', 'direction', 'reason'
        ]) }} as input
    from {{ ref('stg_count_topology') }}
    union all
    select
        site_id,
        source_id,
        {{ cells_as_text([
            'declaration', 'channel_id', 'first_at', 'until_at', 'action', 'factor', 'expected_count', 'reason', 'provider'
        ]) }} as input
    from {{ ref('stg_count_correction') }}
    union all
    select
        entity_id as site_id,
        source_id,
        {{ cells_as_text(['entity', 'snapshot_sha256', 'ags']) }} as input
    from {{ ref('stg_located_point') }}
    where entity = 'counting_site'
    union all
    select
        site_id,
        source_id,
        {{ cells_as_text(['location_id', 'site_name', 'longitude', 'latitude', 'ags']) }} as input
    from {{ ref('int_channel_location') }}
),

site_sources as (
    select distinct
        site_id,
        source_id
    from told
),

inputs as (
    select
        site_id,
        {{ cells_as_text(['source_id', 'input']) }} as input
    from told
    union all
    select
        site_id,
        {{ cells_as_text([as_of_date()]) }} as input
    from sites
    where cast({{ instant_to_local('last_interval_start_at') }} as date) >= {{ as_of_date() }} - interval 400 day
    union all
    select
        site_sources.site_id,
        {{ cells_as_text(['catalogue.source_id', 'catalogue.priority', 'catalogue.publisher']) }} as input
    from site_sources
    inner join {{ ref('stg_source_catalogue') }} as catalogue on site_sources.source_id = catalogue.source_id
    union all
    select
        site_sources.site_id,
        {{ cells_as_text(['coverage.source_id', 'coverage.ags']) }} as input
    from site_sources
    inner join {{ ref('stg_source_coverage') }} as coverage on site_sources.source_id = coverage.source_id
),

region as (
    select {{ joined_texts('ags', 'ags') }} as municipalities
    from {{ ref('dim_municipality') }}
),

keys as (
    select
        inputs.site_id,
        md5(concat(
            '{{ models_key() }}',
            min(region.municipalities),
            {{ joined_texts('inputs.input', 'inputs.input') }}
        )) as inputs_key
    from inputs
    cross join region
    group by inputs.site_id
),

compared as (
    select
        keys.site_id,
        keys.inputs_key,
        coalesce(sites.readings, 0) as readings,
        former.site_id is not null as is_taken_over
    from keys
    left join sites on keys.site_id = sites.site_id
    left join {{ former_inputs() }} as former
        on
            keys.site_id = former.site_id
            and keys.inputs_key = former.inputs_key
),

counted as (
    select
        site_id,
        inputs_key,
        readings,
        is_taken_over,
        sum(case when is_taken_over then 0 else readings end) over (
            order by site_id asc
            rows between unbounded preceding and current row
        ) as readings_so_far
    from compared
)

select
    site_id,
    inputs_key,
    cast(readings as bigint) as readings,
    case
        when not is_taken_over
            then cast(floor(readings_so_far / cast({{ var('readings_per_batch') }} as double)) as integer)
    end as batch_number
from counted
