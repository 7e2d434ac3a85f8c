-- What places of a kind there are: schools in operation, and how full car parks were.
with

-- The register has no date: it is as new as its newest entry at least.
register_date as (
    select
        source_id,
        max(operating_since_date) as date
    from {{ ref('dim_school') }}
    where operating_since_date <= {{ as_of_date() }}
    group by source_id
),

school_counts as (
    select
        source_id,
        ags,
        count(*) as schools,
        count(case when school_type_code = '02' then 1 end) as primary_schools
    from {{ ref('dim_school') }}
    where
        ags is not null
        and operating_status_code = '1'
    group by source_id, ags
),

schools as (
    {% for measure in ['schools', 'primary_schools'] -%}
        select
            '{{ measure }}' as measure_id,
            register_date.source_id,
            municipalities.ags,
            register_date.date,
            coalesce(counts.{{ measure }}, 0) as value
        from {{ ref('dim_municipality') }} as municipalities
        cross join register_date
        left join school_counts as counts
            on
                municipalities.ags = counts.ags
                and register_date.source_id = counts.source_id
        {% if not loop.last %}union all{% endif %}
    {% endfor %}
),

car_parks as (
    select
        parks.ags,
        hours.source_id,
        cast(extract(year from hours.hour_local) as varchar) as year,
        cast(sum(cast(hours.occupancy_share as decimal(18, 6))) as double) / count(*) as occupancy_share
    from {{ ref('mart_parking_hour') }} as hours
    inner join {{ ref('dim_car_park') }} as parks
        on
            hours.source_id = parks.source_id
            and hours.car_park = parks.car_park
    where
        hours.value_status = 'measured'
        and hours.occupancy_share is not null
        and parks.ags is not null
    group by parks.ags, hours.source_id, extract(year from hours.hour_local)
)

select
    measure_id,
    ags as area_id,
    cast(date as varchar) as period,
    date as period_date,
    cast(value as double) as value,
    'measured' as value_status,
    cast(null as varchar) as reason,
    source_id,
    true as is_additive,
    false as is_lasting
from schools
union all
select
    'car_park_occupancy' as measure_id,
    ags as area_id,
    year as period,
    {{ period_end('year') }} as period_date,
    occupancy_share as value,
    'measured' as value_status,
    cast(null as varchar) as reason,
    source_id,
    false as is_additive,
    false as is_lasting
from car_parks
