select
    source_id,
    partition,
    snapshot_sha256,
    parse_key,
    outcome,
    error,
    former_sha256,
    fetched_at,
    is_latest
from {{ staged('parse_log') }}
