-- Every snapshot that was judged, not only those in force: how long a fault has been known is told by the older ones.
select
    source_id,
    snapshot_sha256,
    parse_key,
    record_number,
    table_name,
    column_name,
    raw_text,
    reason
from {{ staged('rejected_row') }}
