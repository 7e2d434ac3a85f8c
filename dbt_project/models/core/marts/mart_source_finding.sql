with

found as (
    select
        source_id,
        snapshot_sha256,
        code,
        sort_key,
        subject,
        occurrences,
        example,
        first_seen_at
    from {{ ref('int_snapshot_finding') }}
    where is_told
    union all
    select
        source_id,
        'none' as snapshot_sha256,
        code,
        subject as sort_key,
        subject,
        occurrences,
        example,
        first_seen_at
    from {{ ref('int_fetch_finding') }}
),

ranked as (
    select
        source_id,
        snapshot_sha256,
        code,
        example,
        first_seen_at,
        sum(occurrences) over (partition by source_id, snapshot_sha256, code) as occurrences,
        min(occurrences) over (partition by source_id, snapshot_sha256, code) as least,
        row_number() over (
            partition by source_id, snapshot_sha256, code
            order by sort_key asc, subject asc, example asc
        ) as place
    from found
)

select
    ranked.source_id,
    ranked.snapshot_sha256,
    ranked.code,
    codes.severity,
    -- Days of several resources are not added up.
    cast(case codes.counts when 'days' then ranked.least else ranked.occurrences end as bigint) as count,
    {{ printable('ranked.example', 300) }} as example,
    ranked.first_seen_at
from ranked
inner join {{ ref('finding_code') }} as codes on ranked.code = codes.code
where ranked.place = 1
