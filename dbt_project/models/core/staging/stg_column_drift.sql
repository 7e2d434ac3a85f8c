-- Every snapshot that was judged, not only those in force: how long a drift has been known is told by the older ones.
select
    source_id,
    snapshot_sha256,
    parse_key,
    table_name,
    column_name,
    change,
    former_name
from {{ staged('column_drift') }}
