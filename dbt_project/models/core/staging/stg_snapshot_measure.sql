-- Of every snapshot that was judged, also of refused and superseded ones.
select
    source_id,
    snapshot_sha256,
    parse_key,
    measure,
    subject,
    amount
from {{ staged('snapshot_measure') }}
