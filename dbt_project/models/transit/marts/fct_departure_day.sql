select
    services.source_id,
    services.stop_id,
    dates.service_date,
    cast(sum(services.departures) as bigint) as departures,
    cast(sum(services.visits) as bigint) as visits,
    cast(min(services.first_departure_s) as bigint) as first_departure_s,
    cast(max(services.last_departure_s) as bigint) as last_departure_s
from {{ ref('int_stop_service') }} as services
inner join {{ ref('int_service_date') }} as dates
    on
        services.source_id = dates.source_id
        and services.snapshot_sha256 = dates.snapshot_sha256
        and services.service_id = dates.service_id
group by services.source_id, services.stop_id, dates.service_date
