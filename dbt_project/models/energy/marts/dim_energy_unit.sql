-- Units as the newest export tells them. Plants, stores and grid connections that a unit names and the export does not
-- have leave its columns blank: the register's references dangle now and then.
with

located as (
    select
        source_id,
        snapshot_sha256,
        entity_id as unit_id,
        min(ags) as ags
    from {{ ref('stg_located_point') }}
    where entity = 'energy_unit'
    group by source_id, snapshot_sha256, entity_id
),

meanings as (
    select
        source_id,
        snapshot_sha256,
        catalogue_id,
        min(value) as value
    from {{ ref('stg_energy_catalogue_value') }}
    group by source_id, snapshot_sha256, catalogue_id
),

eeg_plants as (
    select
        source_id,
        snapshot_sha256,
        eeg_plant_id,
        commissioned_date
    from {{ ref('stg_energy_eeg_plant') }}
    qualify row_number() over (
        partition by source_id, snapshot_sha256, eeg_plant_id
        order by updated_at desc nulls last, record_number asc
    ) = 1
),

chp_plants as (
    select
        source_id,
        snapshot_sha256,
        chp_plant_id,
        electric_capacity_kw,
        thermal_capacity_kw
    from {{ ref('stg_energy_chp_plant') }}
    qualify row_number() over (
        partition by source_id, snapshot_sha256, chp_plant_id
        order by updated_at desc nulls last, record_number asc
    ) = 1
),

storage_plants as (
    select
        source_id,
        snapshot_sha256,
        storage_plant_id,
        usable_capacity_kwh
    from {{ ref('stg_energy_storage_plant') }}
    qualify row_number() over (
        partition by source_id, snapshot_sha256, storage_plant_id
        order by updated_at desc nulls last, record_number asc
    ) = 1
),

-- A location may have several connections: the first by its number speaks.
connections as (
    select
        source_id,
        snapshot_sha256,
        location_id,
        voltage_level_id
    from {{ ref('stg_energy_grid_connection') }}
    where voltage_level_id is not null
    qualify row_number() over (
        partition by source_id, snapshot_sha256, location_id
        order by grid_connection_id asc, record_number asc
    ) = 1
)

select
    units.unit_id,
    units.source_id,
    units.technology,
    carriers.value as energy_carrier_de,
    units.status_id,
    case units.status_id
        when 31 then 'planned'
        when 35 then 'in_operation'
        when 37 then 'temporarily_shut'
        when 38 then 'finally_shut'
    end as operating_status,
    coalesce(units.ags, located.ags) as ags,
    located.ags as polygon_ags,
    coalesce(units.ags <> located.ags, false) as is_location_conflict,
    case
        when units.longitude is not null and units.latitude is not null then 'point'
        when units.ags is not null then 'municipality'
    end as location_precision,
    units.postal_code,
    units.longitude,
    units.latitude,
    units.commissioned_date,
    units.planned_date,
    units.temporarily_shut_date,
    units.resumed_date,
    units.shut_date,
    units.gross_capacity_kw,
    units.net_capacity_kw,
    units.inverter_capacity_kw,
    cast(storage_plants.usable_capacity_kwh as decimal(18, 3)) as usable_capacity_kwh,
    case
        when units.technology <> 'solar' then null
        -- MaStR Lage: 852 Freifläche.
        when units.siting_id = 852 then 'ground_mounted'
        when units.gross_capacity_kw < 2 then 'balcony'
        when units.gross_capacity_kw <= 30 then 'roof'
        else 'large_roof'
    end as size_class,
    case units.operator_person_type_id
        when 517 then 'company'
        when 518 then 'private'
        else 'unknown'
    end as operator_type,
    sitings.value as siting_de,
    feed_ins.value as feed_in_de,
    voltages.value as voltage_level_de,
    units.is_citizen_energy,
    units.eeg_plant_id,
    eeg_plants.commissioned_date as eeg_commissioned_date,
    units.chp_plant_id,
    cast(chp_plants.electric_capacity_kw as decimal(18, 3)) as chp_electric_capacity_kw,
    cast(chp_plants.thermal_capacity_kw as decimal(18, 3)) as chp_thermal_capacity_kw,
    units.hub_height_m,
    units.rotor_diameter_m,
    units.registered_date,
    units.updated_at as updated_local
from {{ ref('int_energy_unit_state') }} as units
left join located
    on
        units.source_id = located.source_id
        and units.snapshot_sha256 = located.snapshot_sha256
        and units.unit_id = located.unit_id
left join eeg_plants
    on
        units.source_id = eeg_plants.source_id
        and units.snapshot_sha256 = eeg_plants.snapshot_sha256
        and units.eeg_plant_id = eeg_plants.eeg_plant_id
left join chp_plants
    on
        units.source_id = chp_plants.source_id
        and units.snapshot_sha256 = chp_plants.snapshot_sha256
        and units.chp_plant_id = chp_plants.chp_plant_id
left join storage_plants
    on
        units.source_id = storage_plants.source_id
        and units.snapshot_sha256 = storage_plants.snapshot_sha256
        and units.storage_plant_id = storage_plants.storage_plant_id
left join connections
    on
        units.source_id = connections.source_id
        and units.snapshot_sha256 = connections.snapshot_sha256
        and units.location_id = connections.location_id
left join meanings as carriers
    on
        units.source_id = carriers.source_id
        and units.snapshot_sha256 = carriers.snapshot_sha256
        and units.energy_carrier_id = carriers.catalogue_id
left join meanings as sitings
    on
        units.source_id = sitings.source_id
        and units.snapshot_sha256 = sitings.snapshot_sha256
        and units.siting_id = sitings.catalogue_id
left join meanings as feed_ins
    on
        units.source_id = feed_ins.source_id
        and units.snapshot_sha256 = feed_ins.snapshot_sha256
        and units.feed_in_type_id = feed_ins.catalogue_id
left join meanings as voltages
    on
        connections.source_id = voltages.source_id
        and connections.snapshot_sha256 = voltages.snapshot_sha256
        and connections.voltage_level_id = voltages.catalogue_id
where units.is_latest
