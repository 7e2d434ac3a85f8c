-- Facilities of all sources: those that municipalities list, and the schools of the state's register.
with

listed as (
    select
        source_id,
        snapshot_sha256,
        facility_id,
        kind,
        category,
        name,
        ags,
        district,
        address,
        operator,
        capacity,
        capacity_unit,
        is_public,
        longitude,
        latitude
    from {{ ref('stg_facility') }}
    qualify row_number() over (
        partition by source_id, kind, facility_id
        order by snapshot_sha256 asc, record_number asc
    ) = 1
),

located as (
    select
        source_id,
        snapshot_sha256,
        entity_id,
        min(ags) as ags
    from {{ ref('stg_located_point') }}
    where entity = 'facility'
    group by source_id, snapshot_sha256, entity_id
)

select
    listed.source_id,
    listed.kind,
    listed.facility_id,
    listed.category,
    listed.name,
    coalesce(listed.ags, located.ags) as ags,
    located.ags as polygon_ags,
    coalesce(listed.ags <> located.ags, false) as is_location_conflict,
    case
        when listed.longitude is not null and listed.latitude is not null then 'point'
        when listed.ags is not null then 'municipality'
    end as location_precision,
    listed.district,
    listed.address,
    listed.operator,
    listed.capacity,
    listed.capacity_unit,
    listed.is_public,
    listed.longitude,
    listed.latitude
from listed
left join located
    on
        listed.source_id = located.source_id
        and listed.snapshot_sha256 = located.snapshot_sha256
        and concat(listed.kind, ' ', listed.facility_id) = located.entity_id
union all
select
    source_id,
    'school' as kind,
    school_id as facility_id,
    school_type_code as category,
    coalesce(short_name, name) as name,
    ags,
    polygon_ags,
    is_location_conflict,
    location_precision,
    cast(null as varchar) as district,
    cast(null as varchar) as address,
    cast(null as varchar) as operator,
    cast(null as double) as capacity,
    cast(null as varchar) as capacity_unit,
    cast(null as boolean) as is_public,
    longitude,
    latitude
from {{ ref('dim_school') }}
