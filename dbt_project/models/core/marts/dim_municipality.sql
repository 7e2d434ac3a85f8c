-- Today's municipalities; those that were stand in dim_area.
--
-- Where the register or the boundaries are in force in several states, the latest territory speaks.
with

kreise as (
    select
        area_id,
        name_de
    from {{ ref('stg_region_area') }}
    where level = 'kreis'
),

register as (
    select
        ags,
        ars,
        trim(split_part(name, ',', 1)) as name,
        area_km2,
        population,
        population_date,
        longitude,
        latitude
    from {{ ref('stg_municipality_register') }}
    qualify row_number() over (
        partition by ags
        order by territory_date desc nulls last, source_id asc, snapshot_sha256 asc, record_number asc
    ) = 1
),

boundaries as (
    select
        ags,
        geometry_wkb
    from {{ ref('stg_municipality_boundary') }}
    qualify row_number() over (
        partition by ags
        order by source_id asc, snapshot_sha256 asc, record_number asc
    ) = 1
)

select
    register.ags,
    register.ars,
    register.name,
    kreise.area_id as kreis_ags,
    kreise.name_de as kreis_name,
    register.area_km2,
    register.population,
    register.population_date,
    register.longitude,
    register.latitude,
    boundaries.geometry_wkb,
    since.valid_from,
    cast(null as date) as valid_to
from register
inner join kreise on substr(register.ags, 1, 5) = kreise.area_id
left join boundaries on register.ags = boundaries.ags
left join {{ ref('int_area_since') }} as since on register.ags = since.area_id
