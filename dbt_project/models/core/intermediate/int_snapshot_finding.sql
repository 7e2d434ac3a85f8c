-- What was found in every snapshot that was judged; is_told where it is in force, or the latest one and refused. Of a
-- partition whose snapshots of many days are in force together the last one is told.
-- first_seen_at: the fetch of the first snapshot of the source that showed the same.
with

in_force as (
    select
        source_id,
        partition,
        snapshot_sha256
    from {{ ref('stg_snapshot_in_force') }}
    qualify row_number() over (
        partition by source_id, partition
        order by fetched_at desc nulls last, snapshot_sha256 asc
    ) = 1
),

judged as (
    select
        parse_log.source_id,
        parse_log.partition,
        parse_log.snapshot_sha256,
        parse_log.parse_key,
        parse_log.former_sha256,
        parse_log.outcome,
        parse_log.error,
        parse_log.fetched_at,
        in_force.source_id is not null or (parse_log.is_latest and parse_log.outcome = 'refused') as is_told
    from {{ ref('stg_parse_log') }} as parse_log
    left join in_force
        on
            parse_log.source_id = in_force.source_id
            and parse_log.partition = in_force.partition
            and parse_log.snapshot_sha256 = in_force.snapshot_sha256
),

-- Two partitions of equal bytes, or a snapshot that came back, are one snapshot.
snapshots as (
    select
        source_id,
        snapshot_sha256,
        parse_key,
        min(fetched_at) as fetched_at,
        max(case when is_told then 1 else 0 end) = 1 as is_told
    from judged
    group by source_id, snapshot_sha256, parse_key
),

drifts as (
    select
        snapshots.source_id,
        snapshots.snapshot_sha256,
        snapshots.fetched_at,
        snapshots.is_told,
        concat(case when drift.column_name like 'file:%' then 'file_' else 'column_' end, drift.change) as code,
        concat_ws('.', drift.table_name, concat_ws(' -> ', drift.former_name, drift.column_name)) as subject,
        case
            when drift.column_name like 'file:%' then substr(drift.column_name, 6)
            else concat_ws('.', drift.table_name, concat_ws(' -> ', drift.former_name, drift.column_name))
        end as what,
        case drift.change
            when 'new' then 'nobody declared it'
            when 'missing' then 'declared, not there'
            else 'renamed'
        end as words
    from {{ ref('stg_column_drift') }} as drift
    inner join snapshots
        on
            drift.source_id = snapshots.source_id
            and drift.snapshot_sha256 = snapshots.snapshot_sha256
            and drift.parse_key = snapshots.parse_key
),

rejections as (
    select
        snapshots.source_id,
        snapshots.snapshot_sha256,
        snapshots.fetched_at,
        snapshots.is_told,
        rejected.table_name,
        rejected.record_number,
        rejected.column_name,
        rejected.raw_text,
        rejected.reason,
        rejected.parse_key
    from {{ ref('stg_rejected_row') }} as rejected
    inner join snapshots
        on
            rejected.source_id = snapshots.source_id
            and rejected.snapshot_sha256 = snapshots.snapshot_sha256
            and rejected.parse_key = snapshots.parse_key
),

unread as (
    select
        snapshots.source_id,
        snapshots.snapshot_sha256,
        snapshots.fetched_at,
        snapshots.is_told,
        concat(cell.table_name, '.', cell.column_name) as subject,
        cell.records as occurrences,
        concat(cell.table_name, '.', cell.column_name, ': ', cell.reason, ': ', cell.example) as example
    from {{ ref('stg_unread_cell') }} as cell
    inner join snapshots
        on
            cell.source_id = snapshots.source_id
            and cell.snapshot_sha256 = snapshots.snapshot_sha256
            and cell.parse_key = snapshots.parse_key
),

-- What declared tables hold that somebody should look at.
suspicious as (
    select
        snapshots.source_id,
        snapshots.snapshot_sha256,
        snapshots.fetched_at,
        snapshots.is_told,
        finding.code,
        finding.field as subject,
        finding.records as occurrences,
        concat(finding.field, ': ', finding.example) as example
    from {{ ref('stg_table_finding') }} as finding
    inner join snapshots
        on
            finding.source_id = snapshots.source_id
            and finding.snapshot_sha256 = snapshots.snapshot_sha256
            and finding.parse_key = snapshots.parse_key
),

ranked_rejections as (
    select
        source_id,
        snapshot_sha256,
        fetched_at,
        is_told,
        table_name,
        record_number,
        column_name,
        raw_text,
        reason,
        count(*) over (
            partition by source_id, snapshot_sha256, table_name, column_name, reason
        ) as records,
        row_number() over (
            partition by source_id, snapshot_sha256, table_name, column_name, reason
            order by record_number asc nulls last, raw_text asc nulls last, parse_key asc nulls last
        ) as place
    from rejections
),

comparisons as (
    select
        judged.source_id,
        judged.snapshot_sha256,
        judged.fetched_at,
        judged.is_told,
        finding.code,
        concat_ws('.', nullif(finding.table_name, ''), finding.subject) as subject,
        finding.example
    from {{ ref('stg_snapshot_finding') }} as finding
    inner join judged
        on
            finding.source_id = judged.source_id
            and finding.partition = judged.partition
            and finding.snapshot_sha256 = judged.snapshot_sha256
            and coalesce(finding.former_sha256, '') = coalesce(judged.former_sha256, '')
),

conflicts as (
    select
        source_id,
        snapshot_sha256,
        entity,
        entity_id,
        ags,
        stated_ags,
        count(*) over (partition by source_id, snapshot_sha256, entity) as points,
        row_number() over (partition by source_id, snapshot_sha256, entity order by entity_id asc) as place
    from {{ ref('stg_located_point') }}
    where ags <> stated_ags
),

found as (
    select
        source_id,
        snapshot_sha256,
        fetched_at,
        is_told,
        code,
        subject,
        subject as sort_key,
        1 as occurrences,
        concat(what, ': ', words) as example
    from drifts
    union all
    select
        source_id,
        snapshot_sha256,
        fetched_at,
        is_told,
        'record_rejected' as code,
        concat(table_name, '.', column_name, ': ', reason) as subject,
        concat(table_name, ' ', lpad(cast(record_number as string), 19, '0'), ' ', column_name) as sort_key,
        records as occurrences,
        concat_ws(
            ': ',
            concat(table_name, ' record ', cast(record_number as string), ', ', column_name),
            reason,
            substr(raw_text, 1, 80)
        ) as example
    from ranked_rejections
    where place = 1
    union all
    select
        source_id,
        snapshot_sha256,
        fetched_at,
        is_told,
        'cell_unread' as code,
        subject,
        subject as sort_key,
        occurrences,
        example
    from unread
    union all
    select
        source_id,
        snapshot_sha256,
        fetched_at,
        is_told,
        code,
        subject,
        subject as sort_key,
        occurrences,
        example
    from suspicious
    union all
    select
        source_id,
        snapshot_sha256,
        fetched_at,
        is_told,
        code,
        subject,
        subject as sort_key,
        1 as occurrences,
        example
    from comparisons
    union all
    select
        source_id,
        snapshot_sha256,
        fetched_at,
        is_told,
        'snapshot_refused' as code,
        partition as subject,
        partition as sort_key,
        1 as occurrences,
        concat(partition, ': ', error) as example
    from judged
    where outcome = 'refused'
    union all
    select
        conflicts.source_id,
        conflicts.snapshot_sha256,
        snapshots.fetched_at,
        true as is_told,
        'location_conflict' as code,
        conflicts.entity as subject,
        conflicts.entity as sort_key,
        conflicts.points as occurrences,
        concat(
            conflicts.entity, ' ', conflicts.entity_id, ': the record says ', conflicts.stated_ags,
            ', the point lies in ', conflicts.ags
        ) as example
    from conflicts
    left join snapshots
        on
            conflicts.source_id = snapshots.source_id
            and conflicts.snapshot_sha256 = snapshots.snapshot_sha256
            and snapshots.is_told
    where conflicts.place = 1
),

-- Partitions of equal bytes tell the same twice, a comparison may tell what the snapshot alone does.
once as (
    select
        source_id,
        snapshot_sha256,
        code,
        subject,
        max(case when is_told then 1 else 0 end) = 1 as is_told,
        min(fetched_at) as fetched_at,
        min(sort_key) as sort_key,
        max(occurrences) as occurrences,
        min(example) as example
    from found
    group by source_id, snapshot_sha256, code, subject
)

select
    source_id,
    snapshot_sha256,
    code,
    subject,
    is_told,
    sort_key,
    occurrences,
    example,
    min(fetched_at) over (partition by source_id, code, subject) as first_seen_at
from once
