-- The change of bicycle traffic as mart_traffic_trend has it for every level, and of motor traffic the median site:
-- no counters are added up, their number says more about a total than traffic does. Whole years alone.
with

sites as (
    select
        sites.ags,
        years.mode,
        years.year,
        {{ quantile('years.dtv', 0.5) }} as dtv,
        {{ joined_texts('distinct sites.source_id', 'sites.source_id') }} as source_id
    from {{ ref('mart_traffic_year') }} as years
    inner join {{ ref('dim_counting_site') }} as sites on years.site_id = sites.site_id
    where
        years.mode in ('motor_vehicle', 'heavy_vehicle')
        and years.direction = 'both'
        and years.dtv is not null
        and not years.is_running
        and sites.ags is not null
    group by sites.ags, years.mode, years.year
),

bicycle_sources as (
    select {{ joined_texts('distinct source_id', 'source_id') }} as source_id
    from {{ ref('dim_counting_site') }}
    where mode = 'bicycle'
)

select
    case sites.mode when 'motor_vehicle' then 'motor_dtv' else 'heavy_dtv' end as measure_id,
    sites.ags as area_id,
    cast(sites.year as varchar) as period,
    {{ period_end('cast(sites.year as varchar)') }} as period_date,
    cast(sites.dtv as double) as value,
    'measured' as value_status,
    cast(null as varchar) as reason,
    sites.source_id,
    false as is_additive,
    false as is_lasting
from sites
union all
select
    'bicycle_change' as measure_id,
    trends.place_id as area_id,
    cast(trends.year as varchar) as period,
    {{ period_end('cast(trends.year as varchar)') }} as period_date,
    trends.change_share as value,
    'measured' as value_status,
    cast(null as varchar) as reason,
    bicycle_sources.source_id,
    false as is_additive,
    false as is_lasting
from {{ ref('mart_traffic_trend') }} as trends
cross join bicycle_sources
where
    trends.level in ('municipality', 'kreis', 'region')
    and trends.mode = 'bicycle'
    and trends.change_share is not null
    and not trends.is_running
    and bicycle_sources.source_id is not null
