-- Of several versions of a feed the newest names its routes.
with

told as (
    select
        routes.source_id,
        routes.snapshot_sha256,
        routes.record_number,
        routes.route_id,
        routes.agency_id,
        routes.route_short_name,
        routes.route_long_name,
        routes.route_type,
        routes.mode,
        versions.age
    from {{ ref('stg_gtfs_routes') }} as routes
    inner join {{ ref('int_feed_version') }} as versions
        on
            routes.source_id = versions.source_id
            and routes.snapshot_sha256 = versions.snapshot_sha256
),

routes as (
    select
        source_id,
        snapshot_sha256,
        route_id,
        agency_id,
        route_short_name,
        route_long_name,
        route_type,
        mode
    from told
    qualify row_number() over (
        partition by source_id, route_id
        order by age asc nulls last, record_number asc
    ) = 1
),

-- "Required when multiple agencies are defined" (GTFS reference, routes.agency_id): else it is the only one.
agencies as (
    select
        source_id,
        snapshot_sha256,
        coalesce(agency_id, '') as agency_id,
        agency_name,
        count(*) over (partition by source_id, snapshot_sha256) as agencies
    from {{ ref('stg_gtfs_agency') }}
),

ways as (
    select
        trips.source_id,
        trips.snapshot_sha256,
        trips.route_id,
        count(*) as trips,
        max(shapes.length_m) as longest_way_m
    from {{ ref('int_trip') }} as trips
    left join {{ ref('int_shape') }} as shapes
        on
            trips.source_id = shapes.source_id
            and trips.snapshot_sha256 = shapes.snapshot_sha256
            and trips.shape_id = shapes.shape_id
    group by trips.source_id, trips.snapshot_sha256, trips.route_id
)

select
    routes.source_id,
    routes.route_id,
    agencies.agency_name,
    routes.route_short_name,
    routes.route_long_name,
    routes.route_type,
    routes.mode,
    coalesce(ways.trips, 0) as trips,
    ways.longest_way_m
from routes
left join agencies
    on
        routes.source_id = agencies.source_id
        and routes.snapshot_sha256 = agencies.snapshot_sha256
        and (routes.agency_id = agencies.agency_id or (routes.agency_id is null and agencies.agencies = 1))
left join ways
    on
        routes.source_id = ways.source_id
        and routes.snapshot_sha256 = ways.snapshot_sha256
        and routes.route_id = ways.route_id
