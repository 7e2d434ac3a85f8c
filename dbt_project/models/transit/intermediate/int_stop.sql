-- Of several versions of a feed the newest says where a stop lies and what it is called.
with

told as (
    select
        stops.source_id,
        stops.snapshot_sha256,
        stops.record_number,
        stops.stop_id,
        stops.stop_code,
        stops.stop_name,
        stops.location_type,
        stops.parent_station,
        stops.platform_code,
        stops.wheelchair_boarding,
        stops.stop_lon,
        stops.stop_lat,
        versions.age
    from {{ ref('stg_gtfs_stops') }} as stops
    inner join {{ ref('int_feed_version') }} as versions
        on
            stops.source_id = versions.source_id
            and stops.snapshot_sha256 = versions.snapshot_sha256
    where stops.stop_id is not null
),

stops as (
    select
        source_id,
        snapshot_sha256,
        stop_id,
        stop_code,
        stop_name,
        location_type,
        parent_station,
        platform_code,
        wheelchair_boarding,
        stop_lon,
        stop_lat
    from told
    qualify row_number() over (
        partition by source_id, stop_id
        order by age asc nulls last, record_number asc
    ) = 1
),

located as (
    select
        source_id,
        snapshot_sha256,
        entity_id as stop_id,
        min(ags) as ags
    from {{ ref('stg_located_point') }}
    where entity = 'gtfs_stop'
    group by source_id, snapshot_sha256, entity_id
)

select
    stops.source_id,
    stops.snapshot_sha256,
    stops.stop_id,
    stops.stop_name,
    coalesce(stops.location_type, 0) as location_type,
    stops.parent_station,
    stops.platform_code,
    stops.wheelchair_boarding,
    stops.stop_lon as longitude,
    stops.stop_lat as latitude,
    located.ags,
    {{ stop_name_key('stops.stop_name', "coalesce(municipalities.name, '')") }} as name_key,
    coalesce(
        nullif({{ dhid('stops.stop_id') }}, ''),
        nullif({{ dhid('stops.parent_station') }}, ''),
        nullif({{ dhid('stops.stop_code') }}, '')
    ) as dhid,
    coalesce(parents.stop_id, stops.stop_id) as place_id
from stops
left join located
    on
        stops.source_id = located.source_id
        and stops.snapshot_sha256 = located.snapshot_sha256
        and stops.stop_id = located.stop_id
left join {{ ref('dim_municipality') }} as municipalities on located.ags = municipalities.ags
left join stops as parents
    on
        stops.source_id = parents.source_id
        and stops.parent_station = parents.stop_id
