with

departures as (
    select
        ags,
        day_type,
        service_date,
        source_id,
        stop_id,
        merged_stop_id,
        route_name,
        departure_s,
        cast(floor(departure_s / 3600) as integer) as hour
    from {{ ref('int_day_type_call') }}
    where departure_s is not null
),

supply as (
    select
        ags,
        day_type,
        service_date,
        hour,
        count(*) as departures,
        count(distinct route_name) as routes_served,
        count(distinct merged_stop_id) as stops_served
    from departures
    group by ags, day_type, service_date, hour
),

-- Two vehicles at the same time are no interval of zero.
moments as (
    select distinct
        ags,
        day_type,
        source_id,
        stop_id,
        route_name,
        hour,
        departure_s
    from departures
),

intervals as (
    select
        ags,
        day_type,
        hour,
        departure_s - lag(departure_s) over (
            partition by day_type, source_id, stop_id, route_name
            order by departure_s asc
        ) as headway_s
    from moments
),

headways as (
    select
        ags,
        day_type,
        hour,
        {{ quantile('headway_s', 0.5) }} as median_headway_s
    from intervals
    where headway_s is not null
    group by ags, day_type, hour
)

select
    supply.ags,
    supply.day_type,
    supply.hour,
    supply.service_date,
    supply.departures,
    supply.routes_served,
    supply.stops_served,
    headways.median_headway_s
from supply
left join headways
    on
        supply.ags = headways.ags
        and supply.day_type = headways.day_type
        and supply.hour = headways.hour
