select
    source_id,
    ags
from {{ staged('source_coverage') }}
