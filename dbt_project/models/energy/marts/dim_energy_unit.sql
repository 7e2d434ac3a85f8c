-- The last record of a part of the export may stand again as first of the next: the latest update speaks.
with

units as (
    select
        source_id,
        snapshot_sha256,
        unit_id,
        technology,
        energy_carrier_id,
        status_id,
        ags,
        postal_code,
        longitude,
        latitude,
        commissioned_date,
        planned_date,
        temporarily_shut_date,
        resumed_date,
        shut_date,
        gross_capacity_kw,
        net_capacity_kw,
        siting_id,
        registered_date,
        updated_at
    from {{ ref('stg_energy_unit') }}
    qualify row_number() over (
        partition by unit_id
        order by updated_at desc nulls last, record_number asc, source_id asc, snapshot_sha256 asc
    ) = 1
),

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
    cast(units.gross_capacity_kw as decimal(18, 3)) as gross_capacity_kw,
    cast(units.net_capacity_kw as decimal(18, 3)) as net_capacity_kw,
    sitings.value as siting_de,
    units.registered_date,
    units.updated_at as updated_local
from units
left join located
    on
        units.source_id = located.source_id
        and units.snapshot_sha256 = located.snapshot_sha256
        and units.unit_id = located.unit_id
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
