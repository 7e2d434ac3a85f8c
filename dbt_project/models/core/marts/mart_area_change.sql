select
    effective_date,
    former_area_id,
    area_id,
    kind,
    former_name,
    name,
    cast(persons_share as double) as persons_share,
    cast(area_share as double) as area_share,
    legal_source
from {{ ref('int_area_change') }}
