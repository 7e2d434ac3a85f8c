select
    source_id,
    partition,
    url,
    started_at,
    finished_at,
    http_status,
    etag,
    last_modified,
    snapshot_sha256,
    bytes,
    outcome,
    error,
    failure
from {{ staged('fetch_log') }}
