-- From the first month in which a site has lines, blank ones too, to the last one; to the month of as_of where the
-- publisher still lists the site, for what does not come is missing.
with

listed as (
    select distinct site_id
    from {{ ref('stg_count_site') }}
),

readings as (
    select
        min(source_id) as source_id,
        site_id,
        min(date) as first_date,
        max(date) as last_date,
        max(last_hour_at) as last_hour_at,
        max(intervals_per_hour) as intervals_expected
    from {{ ref('int_channel_day') }}
    where intervals_per_hour is not null
    group by site_id
)

select
    readings.source_id,
    readings.site_id,
    readings.intervals_expected,
    readings.last_hour_at,
    readings.first_date as first_reading_date,
    readings.last_date as last_reading_date,
    cast(date_trunc('month', readings.first_date) as date) as first_month,
    greatest(
        cast(date_trunc('month', readings.last_date) as date),
        case
            when listed.site_id is not null then {{ as_of_month() }}
            else cast(date_trunc('month', readings.last_date) as date)
        end
    ) as last_month
from readings
left join listed on readings.site_id = listed.site_id
