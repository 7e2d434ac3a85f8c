-- Every row of the register with the municipality it lies in, also those outside all polygons (ags null). The register
-- has no municipality key; the Kreis name of a city outside the Kreise names one municipality, and where the point lies
-- elsewhere the two are in conflict: the point speaks, the conflict is told.
with

cities as (
    select
        min(ags) as ags,
        concat('Kreisfreie Stadt ', min(name)) as kreis_name
    from {{ ref('dim_municipality') }}
    group by kreis_ags
    having count(*) = 1
),

located as (
    select
        source_id,
        snapshot_sha256,
        entity_id,
        min(ags) as ags
    from {{ ref('stg_located_point') }}
    where entity = 'charging_station'
    group by source_id, snapshot_sha256, entity_id
)

select
    stations.source_id,
    stations.record_number,
    located.ags,
    cities.ags as stated_ags,
    coalesce(cities.ags <> located.ags, cities.ags is not null) as is_location_conflict,
    stations.operator,
    stations.postal_code,
    stations.place,
    stations.kreis_name,
    stations.longitude,
    stations.latitude,
    stations.commissioned_date,
    cast(stations.power_kw as decimal(18, 3)) as power_kw,
    stations.device_type,
    stations.charging_points,
    row_number() over (
        partition by stations.source_id, stations.snapshot_sha256, stations.record_sha256
        order by stations.record_number asc
    ) > 1 as is_repeated_row
from {{ ref('stg_charging_station') }} as stations
left join cities on stations.kreis_name = cities.kreis_name
left join located
    on
        stations.source_id = located.source_id
        and stations.snapshot_sha256 = located.snapshot_sha256
        and cast(stations.record_number as string) = located.entity_id
