select
    source_id,
    declaration,
    site_id,
    channel_id,
    first_date,
    last_date,
    channel_role,
    mode,
    direction,
    reason
from {{ staged('count_topology') }}
