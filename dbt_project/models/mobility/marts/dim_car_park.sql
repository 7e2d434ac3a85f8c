with

only_areas as (
    select
        source_id,
        min(ags) as ags
    from {{ ref('stg_source_coverage') }}
    group by source_id
    having count(distinct ags) = 1
),

car_parks as (
    select
        source_id,
        car_park,
        min(first_reading_at) as first_reading_at,
        max(last_reading_at) as last_reading_at,
        count(*) as days_with_readings,
        max(case when capacity_source_status = 'told' then local_date end) as capacity_date
    from {{ ref('int_parking_day') }}
    group by source_id, car_park
)

select
    car_parks.source_id,
    car_parks.car_park,
    only_areas.ags,
    case when only_areas.ags is not null then 'municipality' end as location_precision,
    days.capacity,
    car_parks.capacity_date,
    car_parks.first_reading_at,
    car_parks.last_reading_at,
    cast(car_parks.days_with_readings as integer) as days_with_readings
from car_parks
left join only_areas on car_parks.source_id = only_areas.source_id
left join {{ ref('int_parking_day') }} as days
    on
        car_parks.source_id = days.source_id
        and car_parks.car_park = days.car_park
        and car_parks.capacity_date = days.local_date
