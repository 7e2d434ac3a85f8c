select
    source_id,
    title_de,
    title_en,
    domain,
    publisher,
    url,
    licence,
    licence_url,
    attribution,
    schedule,
    priority,
    fresh_for_days,
    is_offered,
    synthetic,
    timetable_source_id
from {{ staged('source_catalogue') }}
