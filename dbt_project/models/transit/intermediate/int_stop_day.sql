-- Departures per stop in the region and service date, a run that several sources tell counted once.
with

services as (
    select
        source_id,
        snapshot_sha256,
        service_id,
        service_date,
        ags,
        stop_id,
        merged_stop_id,
        count(case when is_departure then 1 end) as departures,
        min(departure_s) as first_departure_s,
        max(departure_s) as last_departure_s
    from {{ ref('int_region_event') }}
    group by source_id, snapshot_sha256, service_id, service_date, ags, stop_id, merged_stop_id
)

select
    services.ags,
    services.source_id,
    services.stop_id,
    services.merged_stop_id,
    dates.service_date,
    cast(sum(services.departures) as bigint) as departures,
    min(services.first_departure_s) as first_departure_s,
    max(services.last_departure_s) as last_departure_s
from services
inner join {{ ref('int_service_date') }} as dates
    on
        services.source_id = dates.source_id
        and services.snapshot_sha256 = dates.snapshot_sha256
        and services.service_id = dates.service_id
        and dates.service_date = coalesce(services.service_date, dates.service_date)
group by services.ags, services.source_id, services.stop_id, services.merged_stop_id, dates.service_date
