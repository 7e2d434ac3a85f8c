select
    staged.source_id,
    staged.snapshot_sha256,
    staged.record_number,
    staged.ags,
    staged.ars,
    staged.name,
    staged.area_km2,
    staged.area_date,
    staged.population,
    staged.population_date,
    staged.postal_code,
    staged.longitude,
    staged.latitude,
    staged.territory_date
from {{ staged('municipality_register') }} as staged
inner join {{ ref('stg_snapshot_key') }} as in_force
    on
        staged.source_id = in_force.source_id
        and staged.snapshot_sha256 = in_force.snapshot_sha256
        and staged.parse_key = in_force.parse_key
