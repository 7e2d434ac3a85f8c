-- A run that calls several times in a municipality counts once for it, with its shortest ride.
with

calls as (
    select
        day_type,
        service_date,
        source_id,
        snapshot_sha256,
        trip_id,
        shift_s,
        stop_sequence,
        ags,
        departure_s,
        arrival_s
    from {{ ref('int_day_type_call') }}
),

rides as (
    select
        boarded.day_type,
        boarded.service_date,
        boarded.ags as from_ags,
        alighted.ags as to_ags,
        min(alighted.arrival_s - boarded.departure_s) as ride_s
    from calls as boarded
    inner join calls as alighted
        on
            boarded.day_type = alighted.day_type
            and boarded.source_id = alighted.source_id
            and boarded.snapshot_sha256 = alighted.snapshot_sha256
            and boarded.trip_id = alighted.trip_id
            and boarded.shift_s = alighted.shift_s
            and boarded.stop_sequence < alighted.stop_sequence
            and boarded.ags <> alighted.ags
    where
        boarded.departure_s is not null
        and alighted.arrival_s is not null
    group by
        boarded.day_type,
        boarded.service_date,
        boarded.source_id,
        boarded.snapshot_sha256,
        boarded.trip_id,
        boarded.shift_s,
        boarded.ags,
        alighted.ags
)

select
    from_ags,
    to_ags,
    day_type,
    service_date,
    count(*) as direct_trips,
    cast(min(ride_s) as bigint) as fastest_s,
    {{ quantile('ride_s', 0.5) }} as median_s
from rides
group by from_ags, to_ags, day_type, service_date
