-- A share is given where both speak for the municipality: a grid, and a feed that declares it and runs on the school
-- day.
with

thresholds as (
    {% for departures in var('access_departures') -%}
        select cast({{ departures }} as integer) as min_departures
        {% if not loop.last %}union all{% endif %}
    {% endfor %}
),

school_day as (
    select service_date
    from {{ ref('int_day_type_date') }}
    where day_type = 'school_day'
),

speaking as (
    select distinct
        coverage.ags,
        school_day.service_date
    from {{ ref('int_service_date') }} as dates
    inner join school_day on dates.service_date = school_day.service_date
    inner join {{ ref('stg_source_coverage') }} as coverage on dates.source_id = coverage.source_id
),

-- The nearest stop with as many departures, per cell and threshold.
reached as (
    select
        near_stops.cell_id,
        thresholds.min_departures,
        min(near_stops.distance_m) as distance_m
    from {{ ref('int_cell_stop') }} as near_stops
    inner join {{ ref('int_school_day_departure') }} as served
        on near_stops.merged_stop_id = served.merged_stop_id
    inner join thresholds on served.departures >= thresholds.min_departures
    group by near_stops.cell_id, thresholds.min_departures
),

people as (
    select
        ags,
        count(*) as cells,
        count(case when population is null then 1 end) as cells_without_number,
        cast(sum(population) as bigint) as population_total
    from {{ ref('int_population_cell') }}
    group by ags
),

people_near as (
    select
        cells.ags,
        reached.min_departures,
        cast(sum(case when reached.distance_m <= 300 then cells.population end) as bigint) as population_300m,
        cast(sum(case when reached.distance_m <= 500 then cells.population end) as bigint) as population_500m
    from {{ ref('int_population_cell') }} as cells
    inner join reached on cells.cell_id = reached.cell_id
    group by cells.ags, reached.min_departures
),

told as (
    select
        municipalities.ags,
        thresholds.min_departures,
        speaking.service_date,
        people.population_total,
        coalesce(people.cells, 0) as cells,
        coalesce(people.cells_without_number, 0) as cells_without_number,
        case
            when people.population_total > 0 and speaking.ags is not null then coalesce(people_near.population_300m, 0)
        end as population_300m,
        case
            when people.population_total > 0 and speaking.ags is not null then coalesce(people_near.population_500m, 0)
        end as population_500m,
        case
            when people.cells is null then 'no population grid in force speaks for the municipality'
            when coalesce(people.population_total, 0) = 0 then 'the population grid counts nobody in the municipality'
            when speaking.ags is null then 'no timetable in force that declares the municipality runs on the school day'
        end as reason
    from {{ ref('dim_municipality') }} as municipalities
    cross join thresholds
    left join people on municipalities.ags = people.ags
    left join speaking on municipalities.ags = speaking.ags
    left join people_near
        on
            municipalities.ags = people_near.ags
            and thresholds.min_departures = people_near.min_departures
)

select
    ags,
    min_departures,
    service_date,
    cast(population_300m as double) / population_total as population_share_300m,
    cast(population_500m as double) / population_total as population_share_500m,
    population_300m,
    population_500m,
    population_total,
    cells,
    cells_without_number,
    reason
from told
