select
    area_id,
    level,
    name_de,
    name_en,
    parent_area_id
from {{ staged('region_area') }}
