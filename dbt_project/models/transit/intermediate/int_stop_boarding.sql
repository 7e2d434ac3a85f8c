-- wheelchair_boarding "0 or empty" of a child stop or an entrance: it "will inherit its wheelchair_boarding behavior
-- from the parent station, if specified in the parent" (GTFS Schedule reference, stops.txt). A boarding area's parent
-- is a platform, whose own parent is the station. What is neither 1 nor 2 says nothing.
with

stops as (
    select
        source_id,
        stop_id,
        location_type,
        parent_station,
        wheelchair_boarding,
        case when wheelchair_boarding in (1, 2) then wheelchair_boarding end as told
    from {{ ref('int_stop') }}
),

boarding as (
    select
        stops.source_id,
        stops.stop_id,
        stops.location_type,
        stops.wheelchair_boarding,
        cast(coalesce(stops.told, parents.told, stations.told, 0) as integer) as wheelchair_boarding_effective,
        case
            when stops.told is not null then 'stop'
            when coalesce(parents.told, stations.told) is not null then 'station'
            else 'none'
        end as wheelchair_boarding_from
    from stops
    left join stops as parents
        on
            stops.source_id = parents.source_id
            and stops.parent_station = parents.stop_id
    left join stops as stations
        on
            parents.source_id = stations.source_id
            and parents.parent_station = stations.stop_id
)

select
    boarding.source_id,
    boarding.stop_id,
    boarding.wheelchair_boarding,
    boarding.wheelchair_boarding_effective,
    boarding.wheelchair_boarding_from,
    count(case when boarding.location_type = 0 then 1 end) over (
        partition by boarding.source_id, joined.merged_stop_id
    ) as platforms,
    count(case when boarding.location_type = 0 and boarding.wheelchair_boarding_effective = 1 then 1 end) over (
        partition by boarding.source_id, joined.merged_stop_id
    ) as platforms_accessible
from boarding
inner join {{ ref('int_stop_merge') }} as joined
    on
        boarding.source_id = joined.source_id
        and boarding.stop_id = joined.stop_id
