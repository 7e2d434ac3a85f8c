-- A feed that only crosses a municipality tells a part of its departures: the number is shown, but not as reliable.
with

declared as (
    select
        ags,
        {{ joined_texts('distinct source_id', 'source_id') }} as source_id,
        max(case when reason like 'in part%' then 0 else 1 end) = 1 as is_whole
    from {{ ref('mart_coverage') }}
    where
        domain = 'transit'
        and source_id <> 'none'
    group by ags
),

departures as (
    select
        ags,
        service_date,
        sum(departures) as departures
    from {{ ref('mart_transit_supply_daytype') }}
    where day_type = 'school_day'
    group by ags, service_date
),

access as (
    select
        ags,
        service_date,
        population_500m,
        population_total
    from {{ ref('mart_transit_access') }}
    where
        min_departures = 20
        and population_share_500m is not null
)

select
    'departures_school_day' as measure_id,
    departures.ags as area_id,
    cast(departures.service_date as varchar) as period,
    departures.service_date as period_date,
    cast(departures.departures as double) as value,
    case when declared.is_whole then 'measured' else 'unreliable' end as value_status,
    case when not declared.is_whole then 'only feeds that do not declare the municipality tell of it' end as reason,
    declared.source_id,
    true as is_additive,
    false as is_lasting
from departures
inner join declared on departures.ags = declared.ags
{% for measure, column in [('people_near_stop', 'population_500m'), ('people_in_grid', 'population_total')] %}
    union all
    select
        '{{ measure }}' as measure_id,
        access.ags as area_id,
        cast(access.service_date as varchar) as period,
        access.service_date as period_date,
        cast(access.{{ column }} as double) as value,
        'measured' as value_status,
        cast(null as varchar) as reason,
        declared.source_id,
        false as is_additive,
        false as is_lasting
    from access
    inner join declared on access.ags = declared.ags
{% endfor %}
