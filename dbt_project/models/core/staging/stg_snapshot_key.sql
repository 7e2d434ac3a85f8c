-- Two partitions may hold the same bytes: their rows are staged, and count, once.
select distinct
    source_id,
    snapshot_sha256,
    parse_key
from {{ ref('stg_snapshot_in_force') }}
