-- Every row of the registers with its municipality. They have no municipality key, but the Kreis name of a city outside
-- the Kreise names one, elsewhere Kreis and place together. The point speaks first, the name where the point lies in no
-- polygon or is not told; where both speak and differ, the conflict is told. Devices that another file has too count
-- once: the n-th equal row of one file is the n-th of the other, and the source with the lower priority number speaks.
with

municipalities as (
    select
        ags,
        name,
        kreis_ags,
        kreis_name,
        longitude,
        latitude,
        count(*) over (partition by kreis_ags) as kreis_municipalities
    from {{ ref('dim_municipality') }}
),

named as (
    select
        ags,
        concat('Kreisfreie Stadt ', name) as kreis_key,
        cast(null as string) as place_key,
        longitude,
        latitude
    from municipalities
    where kreis_municipalities = 1
    union all
    select
        ags,
        lower(replace(kreis_name, 'Kreis ', '')) as kreis_key,
        lower(name) as place_key,
        longitude,
        latitude
    from municipalities
    where kreis_municipalities > 1
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
),

numbered as (
    select
        stations.source_id,
        stations.snapshot_sha256,
        stations.record_number,
        coalesce(cities.ags, towns.ags) as stated_ags,
        coalesce(cities.longitude, towns.longitude) as stated_longitude,
        coalesce(cities.latitude, towns.latitude) as stated_latitude,
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
        -- AFIR, article 2: more than 22 kW. Registers without the power of each point tell by the device's type.
        coalesce(
            stations.fast_points,
            case
                when stations.device_type like 'Schnell%' then stations.charging_points
                when stations.device_type like 'Normal%' then 0
            end
        ) as fast_points,
        row_number() over (
            partition by stations.source_id, stations.snapshot_sha256, stations.record_sha256
            order by stations.record_number asc
        ) > 1 as is_repeated_row,
        -- Spelt alike in every edition, unlike the row as a whole.
        concat(
            lower(trim(coalesce(stations.operator, ''))), '|', coalesce(stations.postal_code, ''), '|',
            cast(round(stations.longitude, 5) as string), '|', cast(round(stations.latitude, 5) as string), '|',
            coalesce(cast(stations.commissioned_date as string), ''), '|', cast(stations.power_kw as string), '|',
            cast(stations.charging_points as string)
        ) as device_key
    from {{ ref('stg_charging_station') }} as stations
    left join named as cities
        on
            stations.kreis_name = cities.kreis_key
            and cities.place_key is null
    left join named as towns
        on
            lower(replace(replace(stations.kreis_name, 'Landkreis ', ''), 'Kreis ', '')) = towns.kreis_key
            and lower(trim(stations.place)) = towns.place_key
),

ordered as (
    select
        numbered.source_id,
        numbered.snapshot_sha256,
        numbered.record_number,
        numbered.stated_ags,
        numbered.stated_longitude,
        numbered.stated_latitude,
        numbered.operator,
        numbered.postal_code,
        numbered.place,
        numbered.kreis_name,
        numbered.longitude,
        numbered.latitude,
        numbered.commissioned_date,
        numbered.power_kw,
        numbered.device_type,
        numbered.charging_points,
        numbered.fast_points,
        numbered.is_repeated_row,
        numbered.device_key,
        catalogue.priority,
        row_number() over (
            partition by numbered.source_id, numbered.snapshot_sha256, numbered.device_key
            order by numbered.record_number asc
        ) as device_number
    from numbered
    inner join {{ ref('stg_source_catalogue') }} as catalogue on numbered.source_id = catalogue.source_id
),

told as (
    select
        ordered.source_id,
        ordered.snapshot_sha256,
        ordered.record_number,
        first_value(ordered.source_id) over (
            partition by ordered.device_key, ordered.device_number
            order by ordered.priority asc, ordered.source_id asc, ordered.snapshot_sha256 asc
        ) as speaking_source_id,
        row_number() over (
            partition by ordered.device_key, ordered.device_number
            order by ordered.priority asc, ordered.source_id asc, ordered.snapshot_sha256 asc
        ) as place_in_row
    from ordered
)

select
    ordered.source_id,
    ordered.snapshot_sha256,
    ordered.record_number,
    coalesce(located.ags, ordered.stated_ags) as ags,
    ordered.stated_ags,
    case
        when located.ags is not null then 'point'
        when ordered.stated_ags is not null then 'municipality'
    end as location_precision,
    coalesce(ordered.stated_ags <> located.ags, ordered.stated_ags is not null and ordered.longitude is not null)
        as is_location_conflict,
    {{ metres_between('ordered.stated_latitude', 'ordered.stated_longitude', 'ordered.latitude', 'ordered.longitude') }}
        as stated_distance_m,
    ordered.operator,
    ordered.postal_code,
    ordered.place,
    ordered.kreis_name,
    ordered.longitude,
    ordered.latitude,
    ordered.commissioned_date,
    ordered.power_kw,
    ordered.device_type,
    ordered.charging_points,
    ordered.fast_points,
    ordered.is_repeated_row,
    case when told.place_in_row > 1 then told.speaking_source_id end as told_by_source_id
from ordered
inner join told
    on
        ordered.source_id = told.source_id
        and ordered.snapshot_sha256 = told.snapshot_sha256
        and ordered.record_number = told.record_number
left join located
    on
        ordered.source_id = located.source_id
        and ordered.snapshot_sha256 = located.snapshot_sha256
        and cast(ordered.record_number as string) = located.entity_id
