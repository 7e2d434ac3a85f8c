select
    stops.source_id,
    stops.stop_id,
    stops.stop_name,
    stops.location_type,
    stops.parent_station,
    stops.platform_code,
    stops.longitude,
    stops.latitude,
    stops.ags,
    case when stops.longitude is not null and stops.latitude is not null then 'point' end as location_precision,
    joined.merged_stop_id,
    joined.merge_rule,
    joined.merged_with_source_id,
    joined.merged_with_stop_id,
    joined.merge_distance_m
from {{ ref('int_stop') }} as stops
inner join {{ ref('int_stop_merge') }} as joined
    on
        stops.source_id = joined.source_id
        and stops.stop_id = joined.stop_id
