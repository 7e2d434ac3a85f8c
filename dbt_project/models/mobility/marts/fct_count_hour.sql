select
    hours.site_id,
    hours.mode,
    hours.direction,
    hours.hour_at,
    hours.hour_local,
    hours.count,
    case when coalesce(doubts.value_status, 'measured') in ('measured', 'corrected') then hours.count_corrected end
        as count_validated,
    imputed.count_imputed,
    hours.intervals_expected,
    hours.intervals_measured,
    coalesce(doubts.value_status, 'measured') as value_status,
    doubts.code as status_reason
from {{ ref('int_count_hour') }} as hours
left join {{ ref('int_hour_doubt') }} as doubts
    on
        hours.site_id = doubts.site_id
        and hours.mode = doubts.mode
        and hours.direction = doubts.direction
        and hours.hour_at = doubts.hour_at
left join {{ ref('int_hour_imputed') }} as imputed
    on
        hours.site_id = imputed.site_id
        and hours.mode = imputed.mode
        and hours.direction = imputed.direction
        and hours.hour_at = imputed.hour_at
