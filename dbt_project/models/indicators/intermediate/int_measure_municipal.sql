-- What municipalities' own registers tell: facilities and their places (of the file in force, whose own date is not
-- told: the year of as_of), waiting times of offices per year, and what councils did in whole years.
with

as_of_year as (
    select cast(extract(year from {{ as_of_date() }}) as varchar) as year
),

facilities as (
    select
        facilities.source_id,
        facilities.ags,
        facilities.kind,
        as_of_year.year,
        count(*) as facilities,
        sum(case when facilities.capacity_unit = 'places' then facilities.capacity end) as places
    from {{ ref('dim_facility') }} as facilities
    cross join as_of_year
    where
        facilities.ags is not null
        and facilities.kind in ('playground', 'sports_ground', 'container', 'day_care')
    group by facilities.source_id, facilities.ags, facilities.kind, as_of_year.year
),

waiting as (
    select
        source_id,
        ags,
        cast(extract(year from date) as varchar) as year,
        cast(sum(cast(mean_waiting_time_min as decimal(18, 6))) as double) / count(*) as minutes
    from {{ ref('mart_waiting_time_day') }}
    where
        mean_waiting_time_min is not null
        and ags is not null
    group by source_id, ags, extract(year from date)
),

council_sources as (
    select
        ags,
        {{ joined_texts('distinct source_id', 'source_id') }} as source_id
    from (
        select
            source_id,
            ags
        from {{ ref('stg_council_meeting') }}
        union all
        select
            source_id,
            ags
        from {{ ref('stg_council_paper') }}
    ) as told
    group by ags
),

councils as (
    select
        ags,
        cast(extract(year from month) as varchar) as year,
        sum(meetings) as meetings,
        sum(papers) as papers
    from {{ ref('mart_council_activity') }}
    group by ags, extract(year from month)
    having count(*) = 12
),

told as (
    select
        concat(kind, 's') as measure_id,
        source_id,
        ags,
        year,
        cast(facilities as double) as value,
        true as is_additive
    from facilities
    union all
    select
        'day_care_places' as measure_id,
        source_id,
        ags,
        year,
        cast(places as double) as value,
        true as is_additive
    from facilities
    where
        kind = 'day_care'
        and places is not null
    union all
    select
        'waiting_time_min' as measure_id,
        source_id,
        ags,
        year,
        minutes as value,
        false as is_additive
    from waiting
    {% for measure in ['meetings', 'papers'] -%}
        union all
        select
            'council_{{ measure }}' as measure_id,
            council_sources.source_id,
            councils.ags,
            councils.year,
            cast(councils.{{ measure }} as double) as value,
            true as is_additive
        from councils
        inner join council_sources on councils.ags = council_sources.ags
        where councils.{{ measure }} is not null
    {% endfor %}
)

select
    measure_id,
    ags as area_id,
    year as period,
    {{ period_end('year') }} as period_date,
    value,
    'measured' as value_status,
    cast(null as varchar) as reason,
    source_id,
    is_additive,
    false as is_lasting
from told
