-- Which stops an entry of a list of barrier-free stops means. Ids say nothing (lists are numbered anew): names and
-- distance decide, by these rules in their order.
-- same_name: the same name within the reach of stop_nearby (1,000 m);
-- name_within: one name holds the other (`Landgericht`, `Landgericht / Schlossplatz Süd`), near enough;
-- nearest: another name, at the very place: the stop was renamed.
-- Per feed the best name is taken, and all stops of that name: not every feed has stations over its platforms.
with

candidates as (
    select
        entries.source_id,
        entries.entry_id,
        stops.source_id as stop_source_id,
        stops.stop_id,
        stops.name_key,
        joined.merged_stop_id,
        near_stops.distance_m,
        case
            when entries.name_key = stops.name_key then 1
            when
                least(length(entries.name_key), length(stops.name_key)) >= 4
                and (instr(stops.name_key, entries.name_key) > 0 or instr(entries.name_key, stops.name_key) > 0)
                and near_stops.distance_m <= {{ var('list_name_within_distance_m') }}
                then 2
            when near_stops.distance_m <= {{ var('list_nearest_distance_m') }} then 3
        end as rule_rank
    from {{ ref('stg_stop_nearby') }} as near_stops
    inner join {{ ref('int_barrier_free_entry') }} as entries
        on
            near_stops.source_id = entries.source_id
            and near_stops.snapshot_sha256 = entries.snapshot_sha256
            and near_stops.entity_id = entries.entry_id
    inner join {{ ref('int_stop') }} as stops
        on
            near_stops.stop_source_id = stops.source_id
            and near_stops.stop_snapshot_sha256 = stops.snapshot_sha256
            and near_stops.stop_id = stops.stop_id
    inner join {{ ref('int_stop_merge') }} as joined
        on
            stops.source_id = joined.source_id
            and stops.stop_id = joined.stop_id
    where
        near_stops.entity = 'barrier_free_stop'
        and stops.ags is not null
),

best as (
    select
        source_id,
        entry_id,
        stop_source_id,
        name_key,
        rule_rank
    from candidates
    where rule_rank is not null
    qualify row_number() over (
        partition by source_id, entry_id, stop_source_id
        order by rule_rank asc, distance_m asc, name_key asc, stop_id asc
    ) = 1
),

meant as (
    select
        candidates.source_id,
        candidates.entry_id,
        candidates.merged_stop_id,
        min(candidates.rule_rank) as rule_rank,
        min(candidates.distance_m) as distance_m
    from candidates
    inner join best
        on
            candidates.source_id = best.source_id
            and candidates.entry_id = best.entry_id
            and candidates.stop_source_id = best.stop_source_id
            and candidates.name_key = best.name_key
            and candidates.rule_rank = best.rule_rank
    group by candidates.source_id, candidates.entry_id, candidates.merged_stop_id
),

ranked as (
    select
        source_id,
        entry_id,
        merged_stop_id,
        rule_rank,
        distance_m,
        row_number() over (
            partition by merged_stop_id
            order by rule_rank asc, distance_m asc, source_id asc, entry_id asc
        ) as place
    from meant
),

decided as (
    select
        source_id,
        entry_id,
        merged_stop_id,
        case rule_rank when 1 then 'same_name' when 2 then 'name_within' else 'nearest' end as match_rule,
        distance_m
    from ranked
    where place = 1
),

matched as (
    select distinct
        source_id,
        entry_id
    from decided
),

outdone as (
    select distinct
        source_id,
        entry_id
    from meant
),

distances as (
    select
        source_id,
        entry_id,
        min(distance_m) as distance_m
    from candidates
    group by source_id, entry_id
)

select
    source_id,
    entry_id,
    merged_stop_id,
    match_rule,
    distance_m
from decided
union all
select
    entries.source_id,
    entries.entry_id,
    cast(null as varchar) as merged_stop_id,
    case
        when distances.entry_id is null then 'none_near'
        when outdone.entry_id is null then 'none_alike'
        else 'other_entry_nearer'
    end as match_rule,
    distances.distance_m
from {{ ref('int_barrier_free_entry') }} as entries
left join matched
    on
        entries.source_id = matched.source_id
        and entries.entry_id = matched.entry_id
left join outdone
    on
        entries.source_id = outdone.source_id
        and entries.entry_id = outdone.entry_id
left join distances
    on
        entries.source_id = distances.source_id
        and entries.entry_id = distances.entry_id
where matched.entry_id is null
