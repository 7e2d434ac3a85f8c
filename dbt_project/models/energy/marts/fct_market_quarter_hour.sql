select
    series,
    region,
    start_at,
    cast({{ instant_to_local('start_at') }} as timestamp) as start_local,
    interval_minutes,
    value,
    unit,
    case when value is null then 'missing' else 'measured' end as value_status,
    source_id
from {{ ref('int_market_interval') }}
