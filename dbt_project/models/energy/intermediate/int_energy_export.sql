-- The exports of the register in force, by the day they tell of; is_latest: the one that speaks of today. Two of one
-- day (the daily export and its key-date copy) are told by the one of the higher hash alone.
with

exports as (
    select
        source_id,
        snapshot_sha256,
        export_date,
        is_whole
    from {{ ref('stg_energy_export') }}
    qualify row_number() over (
        partition by source_id, export_date
        order by snapshot_sha256 desc
    ) = 1
)

select
    source_id,
    snapshot_sha256,
    export_date,
    coalesce(is_whole, false) as is_whole,
    export_date = max(export_date) over () as is_latest
from exports
where export_date is not null
