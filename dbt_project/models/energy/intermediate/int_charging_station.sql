-- Every row of the register with its municipality. The register has no municipality key, but the Kreis name of a city
-- outside the Kreise names one. The point speaks first, the name where the point lies in no polygon or is not told;
-- where both speak and differ, the conflict is told.
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
    coalesce(located.ags, cities.ags) as ags,
    cities.ags as stated_ags,
    case
        when located.ags is not null then 'point'
        when cities.ags is not null then 'municipality'
    end as location_precision,
    coalesce(cities.ags <> located.ags, cities.ags is not null and stations.longitude is not null)
        as is_location_conflict,
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
