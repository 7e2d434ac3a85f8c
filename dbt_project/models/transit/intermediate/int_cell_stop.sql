-- The stops near a cell, a station with its platforms over all feeds being one: as far away as the nearest of what
-- vehicles stop at (location_type 0), in whichever municipality that lies.
with

stops as (
    select
        stops.source_id,
        stops.snapshot_sha256,
        stops.stop_id,
        joined.merged_stop_id
    from {{ ref('int_stop') }} as stops
    inner join {{ ref('int_stop_merge') }} as joined
        on
            stops.source_id = joined.source_id
            and stops.stop_id = joined.stop_id
    where stops.location_type = 0
)

select
    cells.cell_id,
    stops.merged_stop_id,
    min(near_stops.distance_m) as distance_m
from {{ ref('stg_stop_nearby') }} as near_stops
inner join {{ ref('int_population_cell') }} as cells
    on
        near_stops.source_id = cells.source_id
        and near_stops.snapshot_sha256 = cells.snapshot_sha256
        and near_stops.entity_id = cells.cell_id
inner join stops
    on
        near_stops.stop_source_id = stops.source_id
        and near_stops.stop_snapshot_sha256 = stops.snapshot_sha256
        and near_stops.stop_id = stops.stop_id
where near_stops.entity = 'population_cell'
group by cells.cell_id, stops.merged_stop_id
