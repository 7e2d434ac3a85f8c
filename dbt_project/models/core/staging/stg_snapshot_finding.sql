select
    source_id,
    partition,
    snapshot_sha256,
    former_sha256,
    code,
    table_name,
    subject,
    example
from {{ staged('snapshot_finding') }}
