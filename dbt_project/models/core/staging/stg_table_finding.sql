select
    source_id,
    snapshot_sha256,
    parse_key,
    code,
    field,
    records,
    example
from {{ staged('table_finding') }}
