-- change_share: trips against the feed that was in force before. Of several versions in force the newest is described.
with

feeds as (
    select distinct resources.source_id
    from {{ ref('stg_source_resource') }} as resources
    inner join {{ ref('stg_source_catalogue') }} as catalogue on resources.source_id = catalogue.source_id
    where
        resources.connector = 'gtfs'
        and catalogue.is_offered
),

newest as (
    select
        source_id,
        snapshot_sha256,
        valid_from,
        valid_to
    from {{ ref('int_feed_version') }}
    where age = 1
),

speaking as (
    select distinct source_id
    from {{ ref('int_feed_date') }}
    where service_date = {{ as_of_date() }}
),

kept as (
    select
        source_id,
        count(*) as versions
    from {{ ref('int_feed_version') }}
    group by source_id
),

-- A snapshot may have been parsed by several versions of the parser.
trips as (
    select
        source_id,
        snapshot_sha256,
        max(amount) as trips
    from {{ ref('stg_snapshot_measure') }}
    where
        measure = 'trips'
        and subject = 'the feed'
    group by source_id, snapshot_sha256
),

judged as (
    select
        source_id,
        snapshot_sha256,
        max(former_sha256) as former_sha256
    from {{ ref('stg_parse_log') }}
    where outcome = 'staged'
    group by source_id, snapshot_sha256
),

stopped as (
    select distinct source_id
    from {{ ref('stg_parse_log') }}
    where
        is_latest
        and outcome = 'refused'
),

described as (
    select
        feeds.source_id,
        newest.snapshot_sha256,
        newest.valid_from,
        newest.valid_to,
        {{ days_between(as_of_date(), 'newest.valid_to') }} as days_left,
        now_running.trips,
        former.trips as former_trips,
        coalesce(kept.versions, 0) as versions,
        stopped.source_id is not null as is_stopped,
        speaking.source_id is not null as is_speaking
    from feeds
    left join newest on feeds.source_id = newest.source_id
    left join kept on feeds.source_id = kept.source_id
    left join speaking on feeds.source_id = speaking.source_id
    left join stopped on feeds.source_id = stopped.source_id
    left join judged
        on
            newest.source_id = judged.source_id
            and newest.snapshot_sha256 = judged.snapshot_sha256
    left join trips as now_running
        on
            newest.source_id = now_running.source_id
            and newest.snapshot_sha256 = now_running.snapshot_sha256
    left join trips as former
        on
            judged.source_id = former.source_id
            and judged.former_sha256 = former.snapshot_sha256
)

select
    source_id as feed,
    snapshot_sha256,
    valid_from,
    valid_to,
    days_left,
    trips,
    former_trips,
    case when former_trips > 0 then trips / (former_trips * 1.0) - 1 end as change_share,
    versions,
    case
        when snapshot_sha256 is null then 'missing'
        when is_stopped then 'stopped'
        when days_left < 0 then 'expired'
        when not is_speaking then 'not_yet_valid'
        when days_left < 30 then 'expires_soon'
        else 'valid'
    end as status
from described
