with

operated as (
    select
        ags,
        day_type,
        service_date,
        cast(min(departure_s) as bigint) as first_departure_s,
        cast(max(departure_s) as bigint) as last_departure_s,
        count(distinct floor(departure_s / 3600)) as hours_served
    from {{ ref('int_day_type_call') }}
    where departure_s is not null
    group by ags, day_type, service_date
)

select
    ags,
    day_type,
    service_date,
    first_departure_s,
    last_departure_s,
    hours_served,
    {{ service_time_local('service_date', 'first_departure_s') }} as first_departure_local,
    {{ service_time_local('service_date', 'last_departure_s') }} as last_departure_local
from operated
