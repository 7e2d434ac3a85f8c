select
    source_id,
    resource,
    connector,
    fresh_for_days
from {{ staged('source_resource') }}
