select
    staged.source_id,
    staged.snapshot_sha256,
    staged.record_number,
    staged.unit_id,
    staged.technology,
    staged.energy_carrier_id,
    staged.status_id,
    staged.ags,
    staged.postal_code,
    staged.longitude,
    staged.latitude,
    staged.commissioned_date,
    staged.planned_date,
    staged.temporarily_shut_date,
    staged.resumed_date,
    staged.shut_date,
    staged.gross_capacity_kw,
    staged.net_capacity_kw,
    staged.inverter_capacity_kw,
    staged.siting_id,
    staged.feed_in_type_id,
    staged.hub_height_m,
    staged.rotor_diameter_m,
    staged.is_citizen_energy,
    staged.operator_person_type_id,
    staged.location_id,
    staged.eeg_plant_id,
    staged.chp_plant_id,
    staged.storage_plant_id,
    staged.registered_date,
    staged.updated_at,
    staged.export_member
from {{ staged('energy_unit') }} as staged
inner join {{ ref('stg_snapshot_key') }} as in_force
    on
        staged.source_id = in_force.source_id
        and staged.snapshot_sha256 = in_force.snapshot_sha256
        and staged.parse_key = in_force.parse_key
