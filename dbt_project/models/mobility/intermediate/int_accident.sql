-- Every accident with its municipality: the key in the record speaks, the polygon of its place where the key is no
-- municipality's. Where both speak and differ, the conflict is told here and, by mart_source_finding, to the publisher.
with

located as (
    select
        source_id,
        snapshot_sha256,
        entity_id,
        min(ags) as ags
    from {{ ref('stg_located_point') }}
    where entity = 'accident'
    group by source_id, snapshot_sha256, entity_id
)

select
    accidents.source_id,
    accidents.snapshot_sha256,
    accidents.record_number,
    coalesce(accidents.ags, located.ags) as ags,
    accidents.year,
    accidents.severity,
    accidents.with_bicycle,
    accidents.with_car,
    accidents.with_pedestrian,
    accidents.with_motorcycle,
    accidents.with_goods_vehicle,
    accidents.with_other,
    accidents.longitude is not null and accidents.latitude is not null as is_located,
    coalesce(accidents.ags <> located.ags, false) as is_location_conflict
from {{ ref('stg_accident') }} as accidents
left join located
    on
        accidents.source_id = located.source_id
        and accidents.snapshot_sha256 = located.snapshot_sha256
        and cast(accidents.record_number as string) = located.entity_id
