-- Stops of the timetables in the region, and entries of the lists that mean none of them.
with

entries as (
    select
        entries.source_id,
        entries.entry_id,
        entries.name,
        entries.ags,
        entries.longitude,
        entries.latitude,
        matches.merged_stop_id,
        matches.match_rule,
        matches.distance_m,
        {{ printable('entries.info', 1000) }} as note,
        case when lower(entries.info) like '%eingeschränkt%' then 'partly' else 'whole' end as list_status
    from {{ ref('int_barrier_free_entry') }} as entries
    inner join {{ ref('int_barrier_free_match') }} as matches
        on
            entries.source_id = matches.source_id
            and entries.entry_id = matches.entry_id
),

covered as (
    select distinct coverage.ags
    from {{ ref('stg_source_coverage') }} as coverage
    inner join {{ ref('int_barrier_free_entry') }} as entries on coverage.source_id = entries.source_id
),

told as (
    select
        stops.source_id,
        stops.stop_id,
        case when entries.entry_id is null then 'timetable' else 'both' end as told_by,
        stops.stop_name,
        stops.ags,
        stops.longitude,
        stops.latitude,
        stops.location_type,
        stops.parent_station,
        stops.merged_stop_id,
        stops.platform_code,
        boarding.platforms,
        boarding.platforms_accessible,
        boarding.wheelchair_boarding,
        boarding.wheelchair_boarding_effective,
        boarding.wheelchair_boarding_from,
        entries.source_id as list_source_id,
        entries.entry_id as list_entry_id,
        entries.name as list_name,
        entries.note as list_note,
        entries.match_rule,
        entries.distance_m as match_distance_m,
        case
            when entries.entry_id is not null then entries.list_status
            when covered.ags is not null then 'not_listed'
            else 'not_covered'
        end as list_status
    from {{ ref('dim_stop') }} as stops
    inner join {{ ref('int_stop_boarding') }} as boarding
        on
            stops.source_id = boarding.source_id
            and stops.stop_id = boarding.stop_id
    left join entries on stops.merged_stop_id = entries.merged_stop_id
    left join covered on stops.ags = covered.ags
    where stops.ags is not null
    union all
    select
        source_id,
        entry_id as stop_id,
        'list' as told_by,
        name as stop_name,
        ags,
        longitude,
        latitude,
        cast(null as integer) as location_type,
        cast(null as varchar) as parent_station,
        cast(null as varchar) as merged_stop_id,
        cast(null as varchar) as platform_code,
        cast(null as bigint) as platforms,
        cast(null as bigint) as platforms_accessible,
        cast(null as integer) as wheelchair_boarding,
        cast(null as integer) as wheelchair_boarding_effective,
        cast(null as varchar) as wheelchair_boarding_from,
        source_id as list_source_id,
        entry_id as list_entry_id,
        name as list_name,
        note as list_note,
        match_rule,
        distance_m as match_distance_m,
        list_status
    from entries
    where merged_stop_id is null
)

select
    source_id,
    stop_id,
    told_by,
    stop_name,
    ags,
    longitude,
    latitude,
    location_type,
    parent_station,
    merged_stop_id,
    platform_code,
    platforms,
    platforms_accessible,
    wheelchair_boarding,
    wheelchair_boarding_effective,
    wheelchair_boarding_from,
    list_status,
    list_source_id,
    list_entry_id,
    list_name,
    list_note,
    match_rule,
    match_distance_m,
    case
        when list_status = 'partly' then 'partly'
        when list_status = 'whole' and wheelchair_boarding_effective = 1 then 'agree'
        when list_status = 'whole' and wheelchair_boarding_effective = 2 then 'contradict'
        when list_status = 'whole' then 'list_only'
        when list_status = 'not_listed' and wheelchair_boarding_effective = 1 then 'unlisted'
        when wheelchair_boarding_effective in (1, 2) then 'timetable_only'
        else 'unknown'
    end as accessibility_status
from told
