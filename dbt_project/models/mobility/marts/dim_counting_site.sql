with

listed as (
    select
        source_id,
        site_id,
        site_name,
        first_year
    from {{ ref('stg_count_site') }}
    qualify row_number() over (
        partition by site_id
        order by source_id asc, snapshot_sha256 asc, record_number asc
    ) = 1
),

windows as (
    select
        source_id,
        site_id,
        intervals_expected,
        first_reading_date,
        last_reading_date
    from {{ ref('int_site_window') }}
),

mode_values as (
    select
        site_id,
        mode,
        sum(intervals_measured) as intervals_measured
    from {{ ref('int_channel_day') }}
    group by site_id, mode
    having sum(intervals_measured) > 0
),

modes as (
    select
        site_id,
        mode
    from mode_values
    qualify row_number() over (partition by site_id order by intervals_measured desc, mode asc) = 1
),

only_areas as (
    select
        source_id,
        min(ags) as ags
    from {{ ref('stg_source_coverage') }}
    group by source_id
    having count(distinct ags) = 1
),

sites as (
    select
        coalesce(listed.site_id, windows.site_id) as site_id,
        coalesce(listed.source_id, windows.source_id) as source_id,
        listed.site_name,
        listed.first_year,
        windows.intervals_expected,
        windows.first_reading_date,
        windows.last_reading_date
    from listed
    full outer join windows on listed.site_id = windows.site_id
)

select
    sites.site_id,
    sites.source_id,
    sites.site_name,
    modes.mode,
    only_areas.ags,
    case when only_areas.ags is not null then 'municipality' end as location_precision,
    sites.first_year,
    cast(60 / sites.intervals_expected as integer) as interval_minutes,
    sites.first_reading_date,
    sites.last_reading_date,
    batches.inputs_key
from sites
left join {{ ref('int_site_batch') }} as batches on sites.site_id = batches.site_id
left join modes on sites.site_id = modes.site_id
left join only_areas on sites.source_id = only_areas.source_id
