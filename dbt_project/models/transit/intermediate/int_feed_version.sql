-- What each version of a feed says of its own validity. A source may keep several in force (`versions` in its YAML).
-- "The dataset provides complete and reliable schedule information for service in the period" from feed_start_date to
-- feed_end_date (GTFS Schedule reference, feed_info.txt); what its calendars have beyond is told all the same.
with

versions as (
    select
        source_id,
        snapshot_sha256,
        max(fetched_at) as fetched_at
    from {{ ref('stg_snapshot_in_force') }}
    group by source_id, snapshot_sha256
),

feeds as (
    select distinct source_id
    from {{ ref('stg_source_resource') }}
    where connector = 'gtfs'
),

told as (
    select
        source_id,
        snapshot_sha256,
        feed_version,
        feed_start_date,
        feed_end_date
    from {{ ref('stg_gtfs_feed_info') }}
    qualify row_number() over (partition by source_id, snapshot_sha256 order by record_number asc) = 1
),

service_spans as (
    select
        source_id,
        snapshot_sha256,
        start_date as first_date,
        end_date as last_date
    from {{ ref('stg_gtfs_calendar') }}
    where monday or tuesday or wednesday or thursday or friday or saturday or sunday
    union all
    select
        source_id,
        snapshot_sha256,
        date as first_date,
        date as last_date
    from {{ ref('stg_gtfs_calendar_dates') }}
    where exception_type = 1
),

services as (
    select
        source_id,
        snapshot_sha256,
        min(first_date) as first_service_date,
        max(last_date) as last_service_date
    from service_spans
    group by source_id, snapshot_sha256
)

select
    versions.source_id,
    versions.snapshot_sha256,
    versions.fetched_at,
    told.feed_version,
    services.first_service_date,
    services.last_service_date,
    coalesce(told.feed_start_date, services.first_service_date) as valid_from,
    coalesce(told.feed_end_date, services.last_service_date) as valid_to,
    row_number() over (
        partition by versions.source_id
        order by versions.fetched_at desc nulls last, versions.snapshot_sha256 asc
    ) as age
from versions
inner join feeds on versions.source_id = feeds.source_id
left join told
    on
        versions.source_id = told.source_id
        and versions.snapshot_sha256 = told.snapshot_sha256
left join services
    on
        versions.source_id = services.source_id
        and versions.snapshot_sha256 = services.snapshot_sha256
