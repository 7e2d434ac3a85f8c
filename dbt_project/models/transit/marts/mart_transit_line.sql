-- A line and its trips on the date that stands for a day type; a trip that several sources tell counts for the one that
-- speaks. Kilometres are those of the whole way, also outside the region.
with

calls as (
    select
        day_type,
        service_date,
        source_id,
        snapshot_sha256,
        trip_id,
        shift_s,
        ags,
        merged_stop_id,
        departure_s,
        arrival_s
    from {{ ref('int_day_type_call') }}
),

-- Two runs of a trip at the same time are two.
runs as (
    select
        types.day_type,
        types.service_date,
        speaking.source_id,
        speaking.snapshot_sha256,
        speaking.trip_id,
        count(*) as runs
    from {{ ref('int_speaking_run') }} as speaking
    inner join {{ ref('int_service_date') }} as dates
        on
            speaking.source_id = dates.source_id
            and speaking.snapshot_sha256 = dates.snapshot_sha256
            and speaking.service_id = dates.service_id
            and dates.service_date = coalesce(speaking.service_date, dates.service_date)
    inner join {{ ref('int_day_type_date') }} as types on dates.service_date = types.service_date
    group by
        types.day_type, types.service_date, speaking.source_id, speaking.snapshot_sha256, speaking.trip_id
),

in_region as (
    select
        trips.source_id,
        trips.route_id,
        calls.day_type,
        calls.service_date,
        count(distinct calls.merged_stop_id) as stops,
        count(distinct calls.ags) as municipalities,
        min(calls.departure_s) as first_departure_s,
        max(calls.arrival_s) as last_arrival_s
    from calls
    inner join {{ ref('int_trip') }} as trips
        on
            calls.source_id = trips.source_id
            and calls.snapshot_sha256 = trips.snapshot_sha256
            and calls.trip_id = trips.trip_id
    group by trips.source_id, trips.route_id, calls.day_type, calls.service_date
),

region_trips as (
    select distinct
        day_type,
        source_id,
        snapshot_sha256,
        trip_id
    from calls
),

ways as (
    select
        trips.source_id,
        trips.route_id,
        runs.day_type,
        cast(sum(runs.runs) as bigint) as trips,
        cast(sum(case when shapes.length_m is not null then runs.runs else 0 end) as bigint) as trips_with_shape,
        sum(shapes.length_m * runs.runs) / 1000.0 as vehicle_km
    from runs
    inner join region_trips
        on
            runs.day_type = region_trips.day_type
            and runs.source_id = region_trips.source_id
            and runs.snapshot_sha256 = region_trips.snapshot_sha256
            and runs.trip_id = region_trips.trip_id
    inner join {{ ref('int_trip') }} as trips
        on
            runs.source_id = trips.source_id
            and runs.snapshot_sha256 = trips.snapshot_sha256
            and runs.trip_id = trips.trip_id
    left join {{ ref('int_shape') }} as shapes
        on
            trips.source_id = shapes.source_id
            and trips.snapshot_sha256 = shapes.snapshot_sha256
            and trips.shape_id = shapes.shape_id
    group by trips.source_id, trips.route_id, runs.day_type
)

select
    in_region.source_id,
    in_region.route_id,
    in_region.day_type,
    in_region.service_date,
    routes.agency_name,
    coalesce(routes.route_short_name, routes.route_long_name, in_region.route_id) as route_name,
    routes.mode,
    ways.trips,
    in_region.stops,
    in_region.municipalities,
    cast(in_region.first_departure_s as bigint) as first_departure_s,
    cast(in_region.last_arrival_s as bigint) as last_arrival_s,
    ways.trips_with_shape,
    cast(ways.vehicle_km as double) as vehicle_km
from in_region
inner join ways
    on
        in_region.source_id = ways.source_id
        and in_region.route_id = ways.route_id
        and in_region.day_type = ways.day_type
left join {{ ref('dim_route') }} as routes
    on
        in_region.source_id = routes.source_id
        and in_region.route_id = routes.route_id
