select
    finding_id,
    source_id,
    site_id,
    channel_id,
    mode,
    direction,
    first_date,
    last_date,
    code,
    amount,
    reference_amount,
    detail
from {{ ref('int_counting_finding') }}
union all
select
    finding_id,
    source_id,
    site_id,
    channel_id,
    mode,
    direction,
    first_date,
    last_date,
    code,
    amount,
    reference_amount,
    {{ printable('detail', 500) }} as detail
from {{ ref('int_parking_finding') }}
union all
select
    finding_id,
    source_id,
    site_id,
    channel_id,
    mode,
    direction,
    first_date,
    last_date,
    code,
    amount,
    reference_amount,
    {{ printable('detail', 500) }} as detail
from {{ ref('int_air_quality_finding') }}
