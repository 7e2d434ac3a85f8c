with

calls as (
    select
        source_id,
        route_id,
        route_name,
        service_date,
        status,
        delay_s,
        is_on_time,
        cast(floor(scheduled_s / 3600) as integer) as hour
    from {{ ref('fct_stop_delay') }}
    where scheduled_s is not null
)

select
    source_id,
    route_id,
    hour,
    min(route_name) as route_name,
    min(service_date) as first_service_date,
    max(service_date) as last_service_date,
    count(case when status = 'observed' then 1 end) as observations,
    cast(count(case when is_on_time then 1 end) as double)
    / nullif(count(case when status = 'observed' then 1 end), 0) as share_on_time,
    {{ quantile("case when status = 'observed' then delay_s end", 0.5) }} as median_delay_s,
    count(case when status = 'observed' and delay_s < -{{ var('on_time_early_s') }} then 1 end) as early,
    count(case when status = 'observed' and delay_s > {{ var('on_time_late_s') }} then 1 end) as late,
    count(case when status = 'canceled' then 1 end) as canceled,
    count(case when status = 'skipped' then 1 end) as skipped,
    count(case when status in ('forecast', 'no_data', 'implausible') then 1 end) as not_observed
from calls
group by source_id, route_id, hour
