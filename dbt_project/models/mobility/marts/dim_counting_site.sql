-- Where several lists tell of a site, the one of the source with the lowest priority number does. A key in the record
-- goes before the polygon its point lies in, that before the only municipality the source covers.
with

listed as (
    select
        sites.source_id,
        sites.snapshot_sha256,
        sites.site_id,
        sites.site_name,
        sites.first_year,
        sites.longitude,
        sites.latitude,
        sites.mode,
        sites.operator,
        sites.ags
    from {{ ref('stg_count_site') }} as sites
    left join {{ ref('stg_source_catalogue') }} as catalogue on sites.source_id = catalogue.source_id
    qualify row_number() over (
        partition by sites.site_id
        order by
            coalesce(catalogue.priority, 100) asc,
            sites.source_id asc,
            sites.snapshot_sha256 asc,
            sites.record_number asc
    ) = 1
),

told as (
    select
        days.source_id,
        days.site_id,
        min(case when days.intervals_measured > 0 then days.date end) as first_value_date,
        max(case when days.intervals_measured > 0 then days.date end) as last_value_date,
        max(days.date) as last_reading_date,
        max(days.intervals_per_hour) as intervals_per_hour
    from {{ ref('int_channel_day') }} as days
    group by days.source_id, days.site_id
),

-- Every source that tells of a site, its list or its counts.
site_sources as (
    select
        site_id,
        source_id
    from {{ ref('stg_count_site') }}
    union
    select
        site_id,
        source_id
    from told
),

ranked_sources as (
    select
        site_sources.site_id,
        site_sources.source_id,
        catalogue.publisher,
        row_number() over (
            partition by site_sources.site_id
            order by
                coalesce(catalogue.priority, 100) asc,
                site_sources.source_id asc
        ) as place
    from site_sources
    left join {{ ref('stg_source_catalogue') }} as catalogue on site_sources.source_id = catalogue.source_id
),

source_names as (
    select
        site_id,
        {{ joined_texts('source_id', 'place') }} as source_ids
    from ranked_sources
    group by site_id
),

windows as (
    select
        site_id,
        min(first_value_date) as first_value_date,
        max(last_value_date) as last_value_date,
        max(last_reading_date) as last_reading_date,
        max(intervals_per_hour) as intervals_per_hour
    from told
    group by site_id
),

modes as (
    select
        site_id,
        mode
    from {{ ref('int_channel_version') }}
    where
        first_value_date is not null
        and channel_role <> 'ghost'
    group by site_id, mode
    -- The mode with the most values.
    qualify row_number() over (
        partition by site_id
        order by
            sum({{ days_between('first_value_date', 'last_value_date') }} * filled_share) desc,
            mode asc
    ) = 1
),

located as (
    select
        source_id,
        snapshot_sha256,
        entity_id,
        min(ags) as ags
    from {{ ref('stg_located_point') }}
    where entity = 'counting_site'
    group by source_id, snapshot_sha256, entity_id
),

only_areas as (
    select
        source_id,
        min(ags) as ags
    from {{ ref('stg_source_coverage') }}
    group by source_id
    having count(distinct ags) = 1
),

municipalities as (
    select ags
    from {{ ref('dim_municipality') }}
)

select
    sources.site_id,
    sources.source_id,
    source_names.source_ids,
    coalesce(listed.site_name, places.site_name) as site_name,
    coalesce(listed.mode, modes.mode) as mode,
    coalesce(listed.operator, sources.publisher) as operator,
    coalesce(
        municipalities.ags,
        located.ags,
        places.ags,
        -- A point outside the region lies in none of its municipalities, whatever else the source covers.
        case when coalesce(listed.longitude, places.longitude) is null then only_areas.ags end
    ) as ags,
    coalesce(listed.longitude, places.longitude) as longitude,
    coalesce(listed.latitude, places.latitude) as latitude,
    case
        when coalesce(listed.longitude, places.longitude) is not null then 'point'
        when coalesce(municipalities.ags, only_areas.ags) is not null then 'municipality'
    end as location_precision,
    listed.first_year,
    windows.first_value_date as in_service_from,
    case when listed.site_id is null then windows.last_value_date end as in_service_to,
    case
        when windows.site_id is null then null
        -- Files that tell whole days alone.
        when windows.intervals_per_hour is null then 1440
        else cast(60 / windows.intervals_per_hour as integer)
    end as interval_minutes,
    windows.last_value_date,
    windows.last_reading_date,
    batches.inputs_key
from ranked_sources as sources
inner join {{ ref('int_site_batch') }} as batches on sources.site_id = batches.site_id
inner join source_names on sources.site_id = source_names.site_id
left join listed on sources.site_id = listed.site_id
left join windows on sources.site_id = windows.site_id
left join modes on sources.site_id = modes.site_id
left join municipalities on listed.ags = municipalities.ags
left join located
    on
        listed.source_id = located.source_id
        and listed.snapshot_sha256 = located.snapshot_sha256
        and listed.site_id = located.entity_id
left join {{ ref('int_channel_location') }} as places
    on
        sources.source_id = places.source_id
        and sources.site_id = places.site_id
left join only_areas on sources.source_id = only_areas.source_id
where sources.place = 1
