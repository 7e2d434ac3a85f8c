with

schools as (
    select
        source_id,
        snapshot_sha256,
        school_id,
        name,
        short_name,
        school_type_code,
        legal_form_code,
        ags,
        postal_code,
        place,
        operating_status_code,
        operating_since_date,
        longitude,
        latitude
    from {{ ref('stg_school') }}
    qualify row_number() over (
        partition by school_id
        order by source_id asc, snapshot_sha256 asc, record_number asc
    ) = 1
),

located as (
    select
        source_id,
        snapshot_sha256,
        entity_id as school_id,
        min(ags) as ags
    from {{ ref('stg_located_point') }}
    where entity = 'school'
    group by source_id, snapshot_sha256, entity_id
)

select
    schools.school_id,
    schools.source_id,
    schools.name,
    schools.short_name,
    schools.school_type_code,
    schools.legal_form_code,
    coalesce(schools.ags, located.ags) as ags,
    located.ags as polygon_ags,
    coalesce(schools.ags <> located.ags, false) as is_location_conflict,
    case
        when schools.longitude is not null and schools.latitude is not null then 'point'
        when schools.ags is not null then 'municipality'
    end as location_precision,
    schools.postal_code,
    schools.place,
    schools.operating_status_code,
    schools.operating_since_date,
    schools.longitude,
    schools.latitude
from schools
left join located
    on
        schools.source_id = located.source_id
        and schools.snapshot_sha256 = located.snapshot_sha256
        and schools.school_id = located.school_id
