with

municipalities as (
    select
        ags as area_id,
        'municipality' as level,
        name as name_de,
        name as name_en,
        kreis_ags as parent_area_id
    from {{ ref('dim_municipality') }}
)

select
    area_id,
    level,
    name_de,
    name_en,
    parent_area_id
from {{ ref('stg_region_area') }}
where level in ('region', 'kreis')
union all
select
    area_id,
    level,
    name_de,
    name_en,
    parent_area_id
from municipalities
