select
    source_id,
    partition,
    snapshot_sha256,
    parse_key,
    fetched_at
from {{ staged('snapshot_in_force') }}
