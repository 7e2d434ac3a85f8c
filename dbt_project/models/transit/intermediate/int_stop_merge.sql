-- Which stops are one, over all feeds and where a feed tells no stations. A place is a station with its platforms, or a
-- stop without one. Places with a DHID are those of the DHID. Others join the place that has their name and lies within
-- stop_merge_distance_m: one with a DHID before others, then by the sources' priority, then within their own feed, then
-- the nearest. A place that joined one which joins a third is of the third.
with

stops as (
    select
        source_id,
        stop_id,
        place_id,
        dhid,
        name_key,
        longitude,
        latitude
    from {{ ref('int_stop') }}
),

ranks as (
    select
        source_id,
        row_number() over (order by priority asc nulls last, source_id asc) as source_rank
    from {{ ref('stg_source_catalogue') }}
),

places as (
    select
        stops.source_id,
        stops.place_id,
        min(stops.dhid) as dhid,
        max(case when stops.stop_id = stops.place_id then stops.name_key end) as name_key,
        avg(stops.longitude) as longitude,
        avg(stops.latitude) as latitude,
        min(ranks.source_rank) as source_rank
    from stops
    left join ranks on stops.source_id = ranks.source_id
    group by stops.source_id, stops.place_id
),

keyed as (
    select
        source_id,
        place_id,
        dhid,
        name_key,
        longitude,
        latitude,
        source_rank,
        coalesce(dhid, concat(source_id, ':', place_id)) as own_id
    from places
),

-- Joins lead to a DHID, to a source that ranks before or, within a feed, to an id that sorts before: never round.
joins as (
    select
        places.source_id,
        places.place_id,
        places.own_id,
        others.own_id as joined_id,
        others.source_id as joined_source_id,
        others.place_id as joined_place_id,
        -- To the decimetre: engines differ beyond it.
        round(
            {{ metres_between('places.latitude', 'places.longitude', 'others.latitude', 'others.longitude') }}, 1
        ) as distance_m,
        case when others.dhid is not null then 0 else 1 end as is_without_dhid,
        others.source_rank
    from keyed as places
    inner join keyed as others on places.name_key = others.name_key
    where
        places.dhid is null
        and places.name_key <> ''
        and (
            others.dhid is not null
            or others.source_rank < places.source_rank
            or (others.source_id = places.source_id and others.place_id < places.place_id)
        )
        -- Degrees first: cheap, and wide enough for any distance that may be declared.
        and abs(places.latitude - others.latitude) < 0.05
        and abs(places.longitude - others.longitude) < 0.1
),

chosen as (
    select
        source_id,
        place_id,
        own_id,
        joined_id,
        joined_source_id,
        joined_place_id,
        distance_m
    from joins
    where distance_m <= {{ var('stop_merge_distance_m') }}
    qualify row_number() over (
        partition by source_id, place_id
        order by is_without_dhid asc, source_rank asc nulls last, distance_m asc, joined_id asc, joined_place_id asc
    ) = 1
),

-- A step for every feed without DHIDs and one within a feed; three are followed.
followed as (
    select
        chosen.source_id,
        chosen.place_id,
        chosen.joined_source_id,
        chosen.joined_place_id,
        chosen.distance_m,
        coalesce(third.joined_id, second.joined_id, chosen.joined_id) as merged_stop_id
    from chosen
    left join chosen as second
        on
            chosen.joined_source_id = second.source_id
            and chosen.joined_place_id = second.place_id
    left join chosen as third
        on
            second.joined_source_id = third.source_id
            and second.joined_place_id = third.place_id
)

select
    stops.source_id,
    stops.stop_id,
    coalesce(followed.merged_stop_id, places.own_id) as merged_stop_id,
    case
        when places.dhid is not null then 'dhid'
        when followed.merged_stop_id is not null then 'name_and_distance'
        else 'alone'
    end as merge_rule,
    followed.joined_source_id as merged_with_source_id,
    followed.joined_place_id as merged_with_stop_id,
    followed.distance_m as merge_distance_m
from stops
inner join keyed as places
    on
        stops.source_id = places.source_id
        and stops.place_id = places.place_id
left join followed
    on
        stops.source_id = followed.source_id
        and stops.place_id = followed.place_id
