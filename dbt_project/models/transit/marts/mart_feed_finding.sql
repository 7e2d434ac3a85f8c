with

ranked as (
    select
        source_id,
        snapshot_sha256,
        code,
        field,
        example,
        sum(records) over (partition by source_id, snapshot_sha256, code, field) as records,
        row_number() over (
            partition by source_id, snapshot_sha256, code, field
            order by record_number asc, example asc
        ) as place
    from {{ ref('int_feed_finding') }}
)

select
    ranked.source_id as feed,
    ranked.snapshot_sha256,
    ranked.code,
    codes.severity,
    cast(ranked.records as bigint) as count,
    {{ printable('ranked.example', 300) }} as example,
    {{ printable('ranked.field', 200) }} as field
from ranked
inner join {{ ref('feed_finding_code') }} as codes on ranked.code = codes.code
where ranked.place = 1
