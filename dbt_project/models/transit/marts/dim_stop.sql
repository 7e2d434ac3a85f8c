with

stops as (
    select
        source_id,
        snapshot_sha256,
        stop_id,
        stop_name,
        location_type,
        parent_station,
        platform_code,
        stop_lon,
        stop_lat
    from {{ ref('stg_gtfs_stops') }}
    where stop_id is not null
    qualify row_number() over (
        partition by source_id, stop_id
        order by snapshot_sha256 asc, record_number asc
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
    stops.stop_id,
    stops.stop_name,
    coalesce(stops.location_type, 0) as location_type,
    stops.parent_station,
    stops.platform_code,
    stops.stop_lon as longitude,
    stops.stop_lat as latitude,
    located.ags,
    case when stops.stop_lon is not null and stops.stop_lat is not null then 'point' end as location_precision
from stops
left join located
    on
        stops.source_id = located.source_id
        and stops.snapshot_sha256 = located.snapshot_sha256
        and stops.stop_id = located.stop_id
