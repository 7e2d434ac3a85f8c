select
    source_id,
    resource,
    fresh_for_days
from {{ staged('source_resource') }}
