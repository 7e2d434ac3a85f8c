select
    source_id,
    partition,
    snapshot_sha256,
    parse_key,
    outcome,
    error
from {{ staged('parse_log') }}
