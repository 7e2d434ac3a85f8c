select
    series,
    region,
    at,
    cast({{ instant_to_local('at') }} as timestamp) as at_local,
    interval_minutes,
    value,
    unit,
    case when value is null then 'missing' else 'measured' end as value_status,
    source_id
from {{ ref('int_market_interval') }}
