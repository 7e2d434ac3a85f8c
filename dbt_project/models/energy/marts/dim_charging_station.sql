select
    source_id,
    record_number,
    ags,
    stated_ags,
    is_location_conflict,
    case when longitude is not null and latitude is not null then 'point' end as location_precision,
    operator,
    postal_code,
    place,
    kreis_name,
    longitude,
    latitude,
    commissioned_date,
    power_kw,
    device_type,
    charging_points,
    is_repeated_row
from {{ ref('int_charging_station') }}
