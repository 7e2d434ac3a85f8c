-- Every municipality, year and severity from the atlas' first year (2016) to the last that is over: no accident in a
-- file in force that has this state is a measured zero, without such a file nothing is known.
with

years as (
    select 2016 + series_number as year
    from {{ number_series(100) }}
    where 2016 + series_number < extract(year from {{ as_of_date() }})
),

severities as (
    select 'killed' as severity
    union all
    select 'seriously_injured' as severity
    union all
    select 'slightly_injured' as severity
),

counts as (
    select
        ags,
        year,
        severity,
        count(*) as accidents,
        count(case when with_bicycle then 1 end) as accidents_with_bicycle
    from {{ ref('int_accident') }}
    where ags is not null
    group by ags, year, severity
),

judged as (
    select
        municipalities.ags,
        municipalities.population,
        years.year,
        severities.severity,
        case
            when files.year is null then 'no_file'
            when not files.has_state then 'state_not_in_file'
        end as status_reason
    from {{ ref('dim_municipality') }} as municipalities
    cross join years
    cross join severities
    left join {{ ref('int_accident_file') }} as files on years.year = files.year
)

select
    judged.ags,
    cast(judged.year as integer) as year,
    judged.severity,
    case when judged.status_reason is null then coalesce(counts.accidents, 0) end as accidents,
    case when judged.status_reason is null then coalesce(counts.accidents_with_bicycle, 0) end
        as accidents_with_bicycle,
    case
        when judged.status_reason is null and judged.population > 0
            then coalesce(counts.accidents, 0) * 1000 / cast(judged.population as double)
    end as accidents_per_1000_inhabitants,
    case when judged.status_reason is null then 'measured' else 'missing' end as value_status,
    judged.status_reason
from judged
left join counts
    on
        judged.ags = counts.ags
        and judged.year = counts.year
        and judged.severity = counts.severity
