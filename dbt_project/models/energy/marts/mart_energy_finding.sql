-- What the sources of this domain contradict, of themselves and of each other. Codes and words: energy_finding_code.
with

stations as (
    select
        source_id,
        snapshot_sha256,
        record_number,
        ags,
        stated_ags,
        is_location_conflict,
        is_repeated_row,
        told_by_source_id,
        stated_distance_m,
        concat(
            'record ', record_number, ': ', coalesce(operator, '?'), ', ', coalesce(place, '?'), ', lies in ',
            case when location_precision = 'point' then ags else 'no municipality of the region' end, ', ',
            cast(round(stated_distance_m / 1000) as integer), ' km from the centre'
        ) as words
    from {{ ref('int_charging_station') }}
),

found as (
    select
        source_id,
        'charging_elsewhere' as code,
        stated_ags as subject,
        count(*) as occurrences,
        {{ first_by_order('words', 'record_number') }} as example
    from stations
    where is_location_conflict
    group by source_id, stated_ags
    union all
    select
        source_id,
        'charging_far' as code,
        stated_ags as subject,
        count(*) as occurrences,
        {{ first_by_order('words', 'record_number') }} as example
    from stations
    where stated_distance_m > {{ var('charging_far_m') }}
    group by source_id, stated_ags
    union all
    select
        source_id,
        'charging_repeated' as code,
        '' as subject,
        count(*) as occurrences,
        concat('record ', min(record_number)) as example
    from stations
    where is_repeated_row
    group by source_id
    union all
    select
        source_id,
        'charging_told_twice' as code,
        told_by_source_id as subject,
        count(*) as occurrences,
        concat('record ', min(record_number)) as example
    from stations
    where told_by_source_id is not null
    group by source_id, told_by_source_id
    union all
    select
        min(source_id) as source_id,
        'market_gap' as code,
        concat(series, ' ', region, ' ', interval_minutes, ' min') as subject,
        count(*) as occurrences,
        concat('first: ', cast(min(start_at) as string)) as example
    from {{ ref('int_market_interval') }}
    where value is null
    group by series, region, interval_minutes
    union all
    select
        files.source_id,
        'market_file_missing' as code,
        concat(files.series, ' ', files.region, ' ', files.resolution) as subject,
        count(*) as occurrences,
        concat('first: ', cast(min(files.starts_at) as string)) as example
    from {{ ref('int_market_file') }} as files
    where files.readings = 0
    group by files.source_id, files.series, files.region, files.resolution
    union all
    select
        source_id,
        'market_differs' as code,
        concat(series, ' ', region) as subject,
        count(*) as occurrences,
        concat(
            cast(min(month) as string), ': ', cast(round(100 * max(abs(difference_share)), 1) as string),
            ' % at most from ', min(reference_source_id)
        ) as example
    from {{ ref('mart_market_comparison') }}
    where abs(difference_share) > {{ var('market_difference_share') }}
    group by source_id, series, region
    union all
    select
        source_id,
        'market_intervals_apart' as code,
        concat(series, ' ', region) as subject,
        sum(intervals_apart) as occurrences,
        concat('first: ', cast(min(first_apart_at) as string)) as example
    from {{ ref('mart_market_comparison') }}
    where intervals_apart > 0
    group by source_id, series, region
    union all
    select
        source_id,
        'series_contradicts' as code,
        concat(coalesce(dataset, ''), ' ', series) as subject,
        count(*) as occurrences,
        min(concat(period, ': ', cast(lowest as string), ' and ', cast(highest as string))) as example
    from (
        select
            source_id,
            dataset,
            series,
            period,
            min(value) as lowest,
            max(value) as highest
        from {{ ref('stg_municipal_series_value') }}
        where ags is not null
        group by source_id, ags, dataset, series, period, unit
        having min(value) < max(value)
    ) as told
    group by source_id, dataset, series
)

select
    found.source_id,
    found.code,
    {{ printable("coalesce(found.subject, '')", 200) }} as subject,
    codes.severity,
    cast(found.occurrences as bigint) as count,
    {{ printable('found.example', 300) }} as example,
    codes.title_de,
    codes.title_en
from found
inner join {{ ref('energy_finding_code') }} as codes on found.code = codes.code
