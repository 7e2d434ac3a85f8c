with

supply as (
    select
        ags,
        service_date,
        cast(sum(departures) as bigint) as departures,
        count(distinct merged_stop_id) as stops_served,
        min(first_departure_s) as first_departure_s,
        max(last_departure_s) as last_departure_s
    from {{ ref('int_stop_day') }}
    group by ags, service_date
),

routes as (
    select
        ags,
        service_date,
        count(*) as routes_served
    from {{ ref('int_route_day') }}
    group by ags, service_date
)

select
    supply.ags,
    supply.service_date,
    supply.departures,
    supply.stops_served,
    routes.routes_served,
    {{ service_time_local('supply.service_date', 'supply.first_departure_s') }} as first_departure_local,
    {{ service_time_local('supply.service_date', 'supply.last_departure_s') }} as last_departure_local
from supply
inner join routes
    on
        supply.ags = routes.ags
        and supply.service_date = routes.service_date
