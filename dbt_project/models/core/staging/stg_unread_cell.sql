-- Of every snapshot that was judged and staged, as the rejected records are.
select
    source_id,
    snapshot_sha256,
    parse_key,
    table_name,
    column_name,
    reason,
    records,
    example
from {{ staged('unread_cell') }}
