-- What each export says of each unit. The last record of a part of an export may stand again as first of the next, and
-- one that stands twice otherwise is spoken for by its latest update.
select
    exports.export_date,
    exports.is_latest,
    units.source_id,
    units.snapshot_sha256,
    units.unit_id,
    units.technology,
    units.energy_carrier_id,
    units.status_id,
    units.ags,
    units.postal_code,
    units.longitude,
    units.latitude,
    units.commissioned_date,
    units.planned_date,
    units.temporarily_shut_date,
    units.resumed_date,
    units.shut_date,
    cast(units.gross_capacity_kw as decimal(18, 3)) as gross_capacity_kw,
    cast(units.net_capacity_kw as decimal(18, 3)) as net_capacity_kw,
    cast(units.inverter_capacity_kw as decimal(18, 3)) as inverter_capacity_kw,
    units.siting_id,
    units.feed_in_type_id,
    units.hub_height_m,
    units.rotor_diameter_m,
    units.is_citizen_energy,
    units.operator_person_type_id,
    units.location_id,
    units.eeg_plant_id,
    units.chp_plant_id,
    units.storage_plant_id,
    units.registered_date,
    units.updated_at
from {{ ref('stg_energy_unit') }} as units
inner join {{ ref('int_energy_export') }} as exports
    on
        units.source_id = exports.source_id
        and units.snapshot_sha256 = exports.snapshot_sha256
qualify row_number() over (
    partition by units.unit_id, exports.export_date
    order by units.updated_at desc nulls last, units.record_number asc, units.source_id asc
) = 1
