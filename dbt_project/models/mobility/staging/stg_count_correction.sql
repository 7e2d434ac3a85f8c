select
    source_id,
    declaration,
    site_id,
    channel_id,
    first_at,
    until_at,
    action,
    factor,
    expected_count,
    reason,
    provider
from {{ staged('count_correction') }}
