-- What is to be said of the feeds that are in force, and of a newer one that was refused. Rejected records and cells
-- that could not be read get the notice of the canonical validator for what is wrong with them.
with

versions as (
    select
        source_id,
        snapshot_sha256,
        valid_from,
        valid_to
    from {{ ref('int_feed_version') }}
),

rejected as (
    select
        rejections.source_id,
        rejections.snapshot_sha256,
        rejections.reason,
        concat(
            replace(rejections.table_name, 'gtfs_', ''),
            case when rejections.column_name <> '' then concat('.', rejections.column_name) else '' end
        ) as field,
        1 as records,
        rejections.record_number,
        concat(
            'record ', cast(rejections.record_number as string), ': ', rejections.reason, ': ',
            substr(coalesce(rejections.raw_text, ''), 1, 80)
        ) as example
    from {{ ref('stg_rejected_row') }} as rejections
    inner join {{ ref('stg_snapshot_key') }} as in_force
        on
            rejections.source_id = in_force.source_id
            and rejections.snapshot_sha256 = in_force.snapshot_sha256
            and rejections.parse_key = in_force.parse_key
    union all
    select
        cells.source_id,
        cells.snapshot_sha256,
        cells.reason,
        concat(replace(cells.table_name, 'gtfs_', ''), '.', cells.column_name) as field,
        cells.records,
        0 as record_number,
        concat(cells.reason, ': ', substr(cells.example, 1, 80)) as example
    from {{ ref('stg_unread_cell') }} as cells
    inner join {{ ref('stg_snapshot_key') }} as in_force
        on
            cells.source_id = in_force.source_id
            and cells.snapshot_sha256 = in_force.snapshot_sha256
            and cells.parse_key = in_force.parse_key
),

refusals as (
    select
        parse_log.source_id,
        parse_log.snapshot_sha256,
        finding.code,
        finding.table_name,
        finding.subject,
        finding.example
    from {{ ref('stg_parse_log') }} as parse_log
    inner join {{ ref('stg_snapshot_finding') }} as finding
        on
            parse_log.source_id = finding.source_id
            and parse_log.partition = finding.partition
            and parse_log.snapshot_sha256 = finding.snapshot_sha256
            and coalesce(parse_log.former_sha256, '') = coalesce(finding.former_sha256, '')
    left join versions
        on
            parse_log.source_id = versions.source_id
            and parse_log.snapshot_sha256 = versions.snapshot_sha256
    where
        parse_log.is_latest
        and (versions.snapshot_sha256 is not null or parse_log.outcome = 'refused')
),

found as (
    select
        source_id,
        snapshot_sha256,
        code,
        field,
        records,
        0 as record_number,
        example
    from {{ ref('stg_gtfs_finding') }}
    union all
    select
        source_id,
        snapshot_sha256,
        case
            when reason like 'no %' then 'missing_required_field'
            when reason = 'repeated key' then 'duplicate_key'
            when reason like 'unknown %' then 'foreign_key_violation'
            when reason like 'expected % fields%' then 'invalid_row_length'
            when reason = 'not a whole number' then 'invalid_integer'
            when reason = 'not a whole number above 0' then 'number_out_of_range'
            when reason in ('not a number', 'not a latitude', 'not a longitude') then 'invalid_float'
            when reason like 'not a time%' then 'invalid_time'
            when reason like 'not a date%' then 'invalid_date'
            when reason like 'neither %' then 'unexpected_enum_value'
            else 'invalid_cell'
        end as code,
        field,
        records,
        record_number,
        example
    from rejected
    union all
    select
        drift.source_id,
        drift.snapshot_sha256,
        case
            when drift.column_name like 'file:%' then 'unknown_file'
            else 'unknown_column'
        end as code,
        case
            when drift.column_name like 'file:%' then substr(drift.column_name, 6)
            else concat(replace(drift.table_name, 'gtfs_', ''), '.', drift.column_name)
        end as field,
        1 as records,
        0 as record_number,
        'the GTFS reference does not know it' as example
    from {{ ref('stg_column_drift') }} as drift
    inner join {{ ref('stg_snapshot_key') }} as in_force
        on
            drift.source_id = in_force.source_id
            and drift.snapshot_sha256 = in_force.snapshot_sha256
            and drift.parse_key = in_force.parse_key
    where drift.change in ('new', 'renamed')
    union all
    select
        drift.source_id,
        drift.snapshot_sha256,
        'missing_required_column' as code,
        concat(replace(drift.table_name, 'gtfs_', ''), '.', coalesce(drift.former_name, drift.column_name)) as field,
        1 as records,
        0 as record_number,
        'the file is left out without it' as example
    from {{ ref('stg_column_drift') }} as drift
    inner join {{ ref('stg_snapshot_key') }} as in_force
        on
            drift.source_id = in_force.source_id
            and drift.snapshot_sha256 = in_force.snapshot_sha256
            and drift.parse_key = in_force.parse_key
    where
        drift.change in ('missing', 'renamed')
        and drift.column_name not like 'file:%'
    union all
    select
        source_id,
        snapshot_sha256,
        code,
        concat_ws('.', nullif(replace(table_name, 'gtfs_', ''), ''), subject) as field,
        1 as records,
        0 as record_number,
        example
    from refusals
    union all
    select
        source_id,
        snapshot_sha256,
        case
            when valid_to < {{ as_of_date() }} then 'expired_calendar'
            when valid_to < {{ as_of_date() }} + interval 7 day then 'feed_expiration_date7_days'
            when valid_to < {{ as_of_date() }} + interval 30 day then 'feed_expiration_date30_days'
        end as code,
        'feed_info.feed_end_date' as field,
        1 as records,
        0 as record_number,
        concat('valid to ', cast(valid_to as string)) as example
    from {{ ref('int_feed_version') }}
    where age = 1
    union all
    select
        source_id,
        snapshot_sha256,
        'feed_not_yet_valid' as code,
        'feed_info.feed_start_date' as field,
        1 as records,
        0 as record_number,
        concat('valid from ', cast(valid_from as string)) as example
    from {{ ref('int_feed_version') }}
    where
        age = 1
        and valid_from > {{ as_of_date() }}
),

feeds as (
    select distinct source_id
    from {{ ref('stg_source_resource') }}
    where connector = 'gtfs'
)

select
    found.source_id,
    found.snapshot_sha256,
    found.code,
    found.field,
    found.records,
    found.record_number,
    found.example
from found
inner join feeds on found.source_id = feeds.source_id
where found.code is not null
