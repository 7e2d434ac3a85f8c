-- From the first month in which a site has lines, blank ones too, to the last one; to the month of as_of where the
-- publisher still lists the site, for what does not come is missing. A merged reading reaches into the second pass of
-- the repeated hour.
with

listed as (
    select distinct site_id
    from {{ ref('stg_count_site') }}
),

readings as (
    select
        min(source_id) as source_id,
        site_id,
        min(hour_at) as first_hour_at,
        max(case when is_merged then hour_at + interval 1 hour else hour_at end) as last_hour_at,
        max(intervals_expected) as intervals_expected
    from {{ ref('int_channel_hour') }}
    group by site_id
)

select
    readings.source_id,
    readings.site_id,
    readings.intervals_expected,
    readings.last_hour_at,
    cast({{ instant_to_local('readings.first_hour_at') }} as date) as first_reading_date,
    cast({{ instant_to_local('readings.last_hour_at') }} as date) as last_reading_date,
    cast(date_trunc('month', {{ instant_to_local('readings.first_hour_at') }}) as date) as first_month,
    greatest(
        cast(date_trunc('month', {{ instant_to_local('readings.last_hour_at') }}) as date),
        case
            when listed.site_id is not null then {{ as_of_month() }}
            else cast(date_trunc('month', {{ instant_to_local('readings.last_hour_at') }}) as date)
        end
    ) as last_month
from readings
left join listed on readings.site_id = listed.site_id
