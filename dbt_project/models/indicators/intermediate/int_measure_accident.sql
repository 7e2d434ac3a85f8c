-- Road accidents with personal injury of the years of which a file is in force.
with

sources as (
    select {{ joined_texts('distinct source_id', 'source_id') }} as source_id
    from {{ ref('stg_accident') }}
),

years as (
    select
        ags,
        year,
        sum(accidents) as accidents,
        sum(case when severity in ('killed', 'seriously_injured') then accidents else 0 end) as accidents_severe,
        sum(accidents_with_bicycle) as accidents_bicycle
    from {{ ref('mart_accident_year') }}
    where value_status = 'measured'
    group by ags, year
),

told as (
    {% for measure in ['accidents', 'accidents_severe', 'accidents_bicycle'] -%}
        select
            '{{ measure }}' as measure_id,
            ags,
            year,
            {{ measure }} as value
        from years
        {% if not loop.last %}union all{% endif %}
    {% endfor %}
)

select
    told.measure_id,
    told.ags as area_id,
    cast(told.year as varchar) as period,
    {{ period_end('cast(told.year as varchar)') }} as period_date,
    cast(told.value as double) as value,
    'measured' as value_status,
    cast(null as varchar) as reason,
    sources.source_id,
    true as is_additive,
    false as is_lasting
from told
cross join sources
