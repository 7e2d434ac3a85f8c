-- How long the way of a trip is, from point to point.
with

points as (
    select
        source_id,
        snapshot_sha256,
        shape_id,
        shape_pt_lat as latitude,
        shape_pt_lon as longitude,
        lag(shape_pt_lat) over (
            partition by source_id, snapshot_sha256, shape_id
            order by shape_pt_sequence asc, record_number asc
        ) as former_latitude,
        lag(shape_pt_lon) over (
            partition by source_id, snapshot_sha256, shape_id
            order by shape_pt_sequence asc, record_number asc
        ) as former_longitude
    from {{ ref('stg_gtfs_shapes') }}
)

select
    source_id,
    snapshot_sha256,
    shape_id,
    count(*) as points,
    -- Whole metres: sums of floats differ by their order beyond it.
    cast(
        round(sum({{ metres_between('former_latitude', 'former_longitude', 'latitude', 'longitude') }})) as bigint
    ) as length_m
from points
group by source_id, snapshot_sha256, shape_id
having count(*) > 1
