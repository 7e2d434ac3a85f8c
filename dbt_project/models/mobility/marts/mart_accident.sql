-- One row per combination that occurs; a file tells goods vehicles apart for all of its accidents or for none.
with

accidents as (
    select
        ags,
        year,
        severity,
        with_bicycle,
        with_car,
        with_pedestrian,
        with_motorcycle,
        with_goods_vehicle,
        with_other,
        is_located,
        is_location_conflict,
        concat_ws(
            '+',
            case when with_bicycle then 'bicycle' end,
            case when with_car then 'car' end,
            case when with_pedestrian then 'pedestrian' end,
            case when with_motorcycle then 'motorcycle' end,
            case when with_goods_vehicle then 'goods_vehicle' end,
            case when with_goods_vehicle is null then 'goods_vehicle_untold' end,
            case when with_other then 'other' end
        ) as participants
    from {{ ref('int_accident') }}
    where ags is not null
)

select
    ags,
    year,
    severity,
    case when participants = '' then 'none_told' else participants end as participants,
    with_bicycle,
    with_car,
    with_pedestrian,
    with_motorcycle,
    with_goods_vehicle,
    with_other,
    count(*) as accidents,
    count(case when is_located then 1 end) as accidents_located,
    count(case when is_location_conflict then 1 end) as accidents_located_elsewhere
from accidents
group by
    ags,
    year,
    severity,
    participants,
    with_bicycle,
    with_car,
    with_pedestrian,
    with_motorcycle,
    with_goods_vehicle,
    with_other
