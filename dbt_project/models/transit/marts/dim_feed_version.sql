with

spoken as (
    select
        source_id,
        snapshot_sha256,
        count(*) as service_dates,
        min(service_date) as first_speaking_date,
        max(service_date) as last_speaking_date
    from {{ ref('int_feed_date') }}
    group by source_id, snapshot_sha256
)

select
    versions.source_id as feed,
    versions.snapshot_sha256,
    {{ printable('versions.feed_version', 200) }} as feed_version,
    versions.valid_from,
    versions.valid_to,
    versions.first_service_date,
    versions.last_service_date,
    spoken.first_speaking_date,
    spoken.last_speaking_date,
    coalesce(spoken.service_dates, 0) as speaking_dates,
    versions.age = 1 as is_newest
from {{ ref('int_feed_version') }} as versions
left join spoken
    on
        versions.source_id = spoken.source_id
        and versions.snapshot_sha256 = spoken.snapshot_sha256
