-- One row per run of a trip: a trip without `frequencies` runs once as listed, a trip with them at start + k * headway
-- while that lies before the end, shifted as a whole.
with

trips as (
    select
        source_id,
        snapshot_sha256,
        trip_id,
        service_id,
        line_key,
        route_name,
        stop_times,
        first_departure_s,
        last_arrival_s,
        first_merged_stop_id,
        last_merged_stop_id
    from {{ ref('int_trip') }}
),

frequencies as (
    select
        source_id,
        snapshot_sha256,
        trip_id,
        record_number,
        start_s,
        end_s,
        headway_s
    from {{ ref('stg_gtfs_frequencies') }}
),

frequent_trips as (
    select distinct
        source_id,
        snapshot_sha256,
        trip_id
    from frequencies
),

-- 172800: a headway of one second through 48 hours, the most that service days hold.
shifts as (
    select
        frequencies.source_id,
        frequencies.snapshot_sha256,
        frequencies.trip_id,
        frequencies.record_number as frequency_number,
        numbers.series_number as run_number,
        frequencies.start_s + numbers.series_number * frequencies.headway_s as run_departure_s
    from frequencies
    inner join {{ number_series(172800) }} as numbers
        on ceil((frequencies.end_s - frequencies.start_s) / (frequencies.headway_s * 1.0)) > numbers.series_number
    where frequencies.headway_s > 0
)

select
    trips.source_id,
    trips.snapshot_sha256,
    trips.trip_id,
    trips.service_id,
    trips.line_key,
    trips.route_name,
    trips.stop_times,
    trips.first_merged_stop_id,
    trips.last_merged_stop_id,
    coalesce(shifts.frequency_number, 0) as frequency_number,
    coalesce(shifts.run_number, 0) as run_number,
    coalesce(shifts.run_departure_s - trips.first_departure_s, 0) as shift_s,
    coalesce(shifts.run_departure_s, trips.first_departure_s) as first_departure_s,
    trips.last_arrival_s + coalesce(shifts.run_departure_s - trips.first_departure_s, 0) as last_arrival_s
from trips
left join frequent_trips
    on
        trips.source_id = frequent_trips.source_id
        and trips.snapshot_sha256 = frequent_trips.snapshot_sha256
        and trips.trip_id = frequent_trips.trip_id
left join shifts
    on
        trips.source_id = shifts.source_id
        and trips.snapshot_sha256 = shifts.snapshot_sha256
        and trips.trip_id = shifts.trip_id
where
    frequent_trips.trip_id is null
    or shifts.trip_id is not null
