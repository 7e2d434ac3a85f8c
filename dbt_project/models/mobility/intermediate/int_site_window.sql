-- From the first to the last month in which a site has lines, blank ones too. A merged reading reaches into the second
-- pass of the repeated hour.
with

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
    source_id,
    site_id,
    intervals_expected,
    last_hour_at,
    cast({{ instant_to_local('first_hour_at') }} as date) as first_reading_date,
    cast({{ instant_to_local('last_hour_at') }} as date) as last_reading_date,
    cast(date_trunc('month', {{ instant_to_local('first_hour_at') }}) as date) as first_month,
    cast(date_trunc('month', {{ instant_to_local('last_hour_at') }}) as date) as last_month
from readings
