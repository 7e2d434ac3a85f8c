select
    source_id,
    site_id,
    channel_id,
    valid_from,
    valid_to,
    {{ printable('channel_label', 200) }} as channel_label,
    channel_role,
    mode,
    direction,
    case when declaration is not null then 'declaration' else 'file' end as declared_by,
    declaration,
    first_value_date,
    last_value_date,
    filled_share
from {{ ref('int_channel_version') }}
