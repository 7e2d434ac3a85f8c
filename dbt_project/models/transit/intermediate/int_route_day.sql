-- Routes per municipality and service date.
with

services as (
    select distinct
        source_id,
        snapshot_sha256,
        service_id,
        service_date,
        ags,
        route_name
    from {{ ref('int_region_event') }}
)

select distinct
    services.ags,
    services.route_name,
    dates.service_date
from services
inner join {{ ref('int_service_date') }} as dates
    on
        services.source_id = dates.source_id
        and services.snapshot_sha256 = dates.snapshot_sha256
        and services.service_id = dates.service_id
        and dates.service_date = coalesce(services.service_date, dates.service_date)
