-- Where sites are whose channels name an entry of their source's list of places. A site is where its first channel is.
with

channels as (
    select
        source_id,
        site_id,
        channel_label,
        location_id
    from {{ ref('stg_count_channel') }}
    where location_id is not null
    qualify row_number() over (
        partition by source_id, site_id
        order by channel_id asc, snapshot_sha256 asc, record_number asc
    ) = 1
),

places as (
    select
        source_id,
        snapshot_sha256,
        location_id,
        name,
        longitude,
        latitude
    from {{ ref('stg_count_location') }}
    qualify row_number() over (
        partition by source_id, location_id
        order by snapshot_sha256 asc, record_number asc
    ) = 1
),

located as (
    select
        source_id,
        snapshot_sha256,
        entity_id,
        min(ags) as ags
    from {{ ref('stg_located_point') }}
    where entity = 'counting_location'
    group by source_id, snapshot_sha256, entity_id
)

select
    channels.source_id,
    channels.site_id,
    channels.location_id,
    coalesce(channels.channel_label || ', ' || places.name, channels.channel_label) as site_name,
    places.longitude,
    places.latitude,
    located.ags
from channels
left join places
    on
        channels.source_id = places.source_id
        and channels.location_id = places.location_id
left join located
    on
        places.source_id = located.source_id
        and places.snapshot_sha256 = located.snapshot_sha256
        and places.location_id = located.entity_id
