"""Check what a GTFS feed says about itself: references, order in time, speed, place. Findings have an example each.

Codes are the notices of the canonical validator (https://gtfs-validator.mobilitydata.org/rules.html) where it has one;
`stop_outside_europe`, `stop_without_location` and `stop_time_with_arrival_after_departure_time` are our own. Looked at
are the records that are kept, so the part in the region where a source asks for no more; what could not be read at all
is told where it is rejected.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

import duckdb
import numpy as np
import pyarrow as pa
import shapely

# Above these speeds the canonical validator says `fast_travel_between_consecutive_stops`; km/h.
_SPEED_LIMIT_KMH = {
    "tram": 100,
    "rail": 500,
    "subway": 150,
    "bus": 150,
    "coach": 150,
    "trolleybus": 150,
    "monorail": 150,
    "ferry": 80,
    "cable_tram": 30,
    "aerial_lift": 50,
    "funicular": 50,
}
_OTHER_SPEED_LIMIT_KMH = 200
# Times are mostly told in whole minutes: a ride of "0 minutes" may have taken nearly one.
_ROUNDING_S = 60
# The canonical validator's distance of `stop_too_far_from_shape`.
FAR_FROM_SHAPE_M = 100
_EARTH_RADIUS_M = 6_371_008.8  # mean radius, IUGG
# Europe with its islands, degrees; generous, for what lies outside is a mistake of another order.
_EUROPE = {"west": -32, "south": 27, "east": 61, "north": 82}
# The reference's values of the fields that say how a stop is served.
_ENUMS = {
    ("gtfs_stops", "location_type"): range(5),
    ("gtfs_stops", "wheelchair_boarding"): range(3),
    ("gtfs_trips", "direction_id"): range(2),
    ("gtfs_stop_times", "pickup_type"): range(4),
    ("gtfs_stop_times", "drop_off_type"): range(4),
    ("gtfs_calendar_dates", "exception_type"): range(1, 3),
    ("gtfs_frequencies", "exact_times"): range(2),
    ("gtfs_transfers", "transfer_type"): range(6),
}
# (file that refers, its column, file that must know it, that file's column)
_REFERENCES = (
    ("gtfs_routes", "agency_id", "gtfs_agency", "agency_id"),
    ("gtfs_trips", "route_id", "gtfs_routes", "route_id"),
    ("gtfs_trips", "shape_id", "gtfs_shapes", "shape_id"),
    ("gtfs_stops", "parent_station", "gtfs_stops", "stop_id"),
    ("gtfs_frequencies", "trip_id", "gtfs_trips", "trip_id"),
    ("gtfs_transfers", "from_stop_id", "gtfs_stops", "stop_id"),
    ("gtfs_transfers", "to_stop_id", "gtfs_stops", "stop_id"),
)


class FeedFinding(NamedTuple):
    """What was found in how many records: `field` is `file.column`; `example` the first of them in words."""

    code: str
    field: str
    records: int
    example: str


def check(db: duckdb.DuckDBPyConnection) -> list[FeedFinding]:
    """The findings over the tables `gtfs_…` of `db`, sorted; files a feed does not have are no finding here."""
    tables = {name for (name,) in db.execute("select table_name from duckdb_tables()").fetchall()}
    found = [
        *_references(db, tables),
        *_enums(db, tables),
        *_query(db, tables, _STOPS, _STOP_PLACES),
        *_query(db, tables, _TRIPS, _TIMES),
        *(_query(db, tables, ("gtfs_frequencies",), _FREQUENCIES)),
        *(_query(db, tables, ("gtfs_calendar",), _CALENDAR)),
        *(_query(db, tables, ("gtfs_routes",), _ROUTES)),
        *_far_from_shape(db, tables),
    ]
    return sorted(finding for finding in found if finding.records)


def _query(
    db: duckdb.DuckDBPyConnection, tables: set[str], needed: Iterable[str], queries: Iterable[str]
) -> Iterator[FeedFinding]:
    if tables.issuperset(needed):
        for query in queries:
            yield from (FeedFinding(*row) for row in db.execute(query).fetchall())


def _references(db: duckdb.DuckDBPyConnection, tables: set[str]) -> Iterator[FeedFinding]:
    for table, column, known_table, known in _REFERENCES:
        if {table, known_table} <= tables:
            yield from _found(
                db,
                "foreign_key_violation",
                f"{table}.{column}",
                f"""
                select record_number, {column} || ' is in no record of {_file(known_table)}' as words
                from {table} where {column} is not null and {column} not in (
                    select {known} from {known_table} where {known} is not null
                )
                """,
            )
    calendars = [name for name in ("gtfs_calendar", "gtfs_calendar_dates") if name in tables]
    known_services = " union ".join(f"select service_id from {name}" for name in calendars)
    yield from _found(
        db,
        "foreign_key_violation",
        "gtfs_trips.service_id",
        f"""
        select record_number, service_id || ' is in no calendar' as words
        from gtfs_trips where service_id not in ({known_services})
        """,
    )


def _enums(db: duckdb.DuckDBPyConnection, tables: set[str]) -> Iterator[FeedFinding]:
    for (table, column), values in _ENUMS.items():
        if table in tables:
            yield from _found(
                db,
                "unexpected_enum_value",
                f"{table}.{column}",
                f"""
                select record_number, cast({column} as varchar) || ', expected {values[0]} to {values[-1]}' as words
                from {table} where {column} not between {values[0]} and {values[-1]}
                """,
            )


def _found(db: duckdb.DuckDBPyConnection, code: str, field: str, offenders: str) -> Iterator[FeedFinding]:
    """One finding over `offenders`, a query of (record_number, words)."""
    count, number, words = db.execute(
        f"select count(*), min(record_number), arg_min(words, record_number) from ({offenders}) as offender"
    ).fetchall()[0]
    if count:
        yield FeedFinding(code, field.removeprefix("gtfs_"), count, f"record {number}: {words}")


def _file(table: str) -> str:
    return f"{table.removeprefix('gtfs_')}.txt"


def _metres(latitude_a: str, longitude_a: str, latitude_b: str, longitude_b: str) -> str:
    """Great-circle distance in metres (haversine) as SQL."""
    return f"""2 * {_EARTH_RADIUS_M} * asin(least(1, sqrt(
        sin(radians({latitude_b} - {latitude_a}) / 2) ** 2
        + cos(radians({latitude_a})) * cos(radians({latitude_b})) * sin(radians({longitude_b} - {longitude_a}) / 2) ** 2
    )))"""


def _told(code: str, field: str, offenders: str) -> str:
    """SQL of one finding over a query of (record_number, words)."""
    return f"""
        select '{code}', '{field}', count(*),
            'record ' || min(record_number) || ': ' || arg_min(words, record_number)
        from ({offenders}) as offender having count(*) > 0
    """


_STOPS = ("gtfs_stops",)
_STOP_PLACES = (
    _told(
        "stop_without_location",
        "stops.stop_lat",
        """
        select record_number, stop_id || ' has no place on earth' as words from gtfs_stops
        where (stop_lat is null or stop_lon is null) and coalesce(location_type, 0) in (0, 1, 2)
        """,
    ),
    _told(
        "stop_outside_europe",
        "stops.stop_lat",
        f"""
        select record_number, stop_id || ' lies at ' || stop_lat || ', ' || stop_lon
            || case when stop_lon between {_EUROPE["south"]} and {_EUROPE["north"]}
                and stop_lat between {_EUROPE["west"]} and {_EUROPE["east"]}
                then ': latitude and longitude look exchanged' else '' end as words
        from gtfs_stops
        where stop_lat not between {_EUROPE["south"]} and {_EUROPE["north"]}
            or stop_lon not between {_EUROPE["west"]} and {_EUROPE["east"]}
        """,
    ),
    _told(
        "wrong_parent_location_type",
        "stops.parent_station",
        """
        select child.record_number, child.stop_id || ' has the parent ' || parent.stop_id || ' of location_type '
            || coalesce(parent.location_type, 0) as words
        from gtfs_stops as child inner join gtfs_stops as parent on child.parent_station = parent.stop_id
        where coalesce(parent.location_type, 0) <> case when child.location_type = 4 then 0 else 1 end
        """,
    ),
    _told(
        "station_with_parent_station",
        "stops.parent_station",
        """
        select record_number, stop_id || ' is a station within ' || parent_station as words
        from gtfs_stops where location_type = 1 and parent_station is not null
        """,
    ),
    _told(
        "location_without_parent_station",
        "stops.parent_station",
        """
        select record_number, stop_id || ' of location_type ' || location_type || ' belongs to no station' as words
        from gtfs_stops where location_type in (2, 3, 4) and parent_station is null
        """,
    ),
)
_ROUTES = (
    _told(
        "route_both_short_and_long_name_missing",
        "routes.route_short_name",
        """
        select record_number, route_id || ' has neither name' as words
        from gtfs_routes where route_short_name is null and route_long_name is null
        """,
    ),
)
_CALENDAR = (
    _told(
        "start_and_end_range_out_of_order",
        "calendar.start_date",
        """
        select record_number, service_id || ' ends on ' || end_date || ', before it starts on ' || start_date as words
        from gtfs_calendar where end_date < start_date
        """,
    ),
)
_FREQUENCIES = (
    _told(
        "start_and_end_range_out_of_order",
        "frequencies.start_time",
        """
        select record_number, trip_id || ' ends before it starts' as words
        from gtfs_frequencies where end_s < start_s
        """,
    ),
    _told(
        "overlapping_frequency",
        "frequencies.start_time",
        """
        select record_number, trip_id || ' is repeated by the former record as well' as words
        from (
            select *, lag(end_s) over (partition by trip_id order by start_s, record_number) as former_end_s
            from gtfs_frequencies
        ) as following
        where start_s < former_end_s
        """,
    ),
)
_TRIPS = ("gtfs_stops", "gtfs_routes", "gtfs_trips", "gtfs_stop_times")
_LIMIT = " ".join(f"when '{mode}' then {limit}" for mode, limit in _SPEED_LIMIT_KMH.items())
_TIMED = """
    select stop_times.record_number, stop_times.trip_id, stop_times.stop_id,
        coalesce(arrival_s, departure_s) as arrives_s,
        lag(coalesce(departure_s, arrival_s)) over following as left_s,
        lag(stop_times.stop_id) over following as former_stop_id
    from gtfs_stop_times as stop_times
    where arrival_s is not null or departure_s is not null
    window following as (partition by stop_times.trip_id order by stop_sequence, stop_times.record_number)
"""
_TIMES = (
    _told(
        "stop_time_with_arrival_before_previous_departure_time",
        "stop_times.arrival_time",
        f"""
        select record_number, trip_id || ' arrives at ' || stop_id || ' ' || (left_s - arrives_s)
            || ' s before it left ' || former_stop_id as words
        from ({_TIMED}) as timed where arrives_s < left_s
        """,
    ),
    _told(
        "stop_time_with_arrival_after_departure_time",
        "stop_times.departure_time",
        """
        select record_number, trip_id || ' leaves ' || stop_id || ' ' || (arrival_s - departure_s)
            || ' s before it arrives' as words
        from gtfs_stop_times where departure_s < arrival_s
        """,
    ),
    _told(
        "fast_travel_between_consecutive_stops",
        "stop_times.arrival_time",
        f"""
        with rides as (
            select timed.record_number, timed.trip_id, former_stop_id, timed.stop_id, routes.mode,
                case routes.mode {_LIMIT} else {_OTHER_SPEED_LIMIT_KMH} end as limit_kmh,
                {_metres("former.stop_lat", "former.stop_lon", "stops.stop_lat", "stops.stop_lon")} as way_m,
                arrives_s - left_s
                    + case when arrives_s % 60 = 0 and left_s % 60 = 0 then {_ROUNDING_S} else 0 end as ride_s
            from ({_TIMED}) as timed
            inner join gtfs_stops as stops on timed.stop_id = stops.stop_id
            inner join gtfs_stops as former on timed.former_stop_id = former.stop_id
            inner join gtfs_trips as trips on timed.trip_id = trips.trip_id
            inner join gtfs_routes as routes on trips.route_id = routes.route_id
            where arrives_s >= left_s and stops.stop_lat is not null and former.stop_lat is not null
        )
        select record_number, trip_id || ' (' || mode || ') goes ' || round(way_m) || ' m from ' || former_stop_id
            || ' to ' || stop_id || ' in ' || ride_s || ' s, faster than ' || limit_kmh || ' km/h' as words
        from rides where way_m * 3.6 > limit_kmh * greatest(ride_s, 1)
        """,
    ),
    _told(
        "missing_trip_edge",
        "stop_times.arrival_time",
        """
        select record_number, trip_id || ' has no time at its first or last stop ' || stop_id as words
        from gtfs_stop_times
        where arrival_s is null and departure_s is null and (trip_id, stop_sequence) in (
            select trip_id, min(stop_sequence) from gtfs_stop_times group by trip_id
            union all
            select trip_id, max(stop_sequence) from gtfs_stop_times group by trip_id
        )
        """,
    ),
    _told(
        "location_with_unexpected_stop_time",
        "stop_times.stop_id",
        """
        select stop_times.record_number, stop_times.trip_id || ' calls at ' || stops.stop_id || ' of location_type '
            || stops.location_type || ', which is no stop or platform' as words
        from gtfs_stop_times as stop_times
        inner join gtfs_stops as stops on stop_times.stop_id = stops.stop_id
        where stops.location_type in (1, 2, 3, 4)
        """,
    ),
    _told(
        "unusable_trip",
        "trips.trip_id",
        """
        select trips.record_number, trips.trip_id || ' has one stop time only' as words
        from gtfs_trips as trips
        where trip_id in (select trip_id from gtfs_stop_times group by trip_id having count(*) = 1)
        """,
    ),
    _told(
        "unused_trip",
        "trips.trip_id",
        """
        select trips.record_number, trips.trip_id || ' has no stop times' as words
        from gtfs_trips as trips where trip_id not in (select trip_id from gtfs_stop_times)
        """,
    ),
    _told(
        "stop_without_stop_time",
        "stops.stop_id",
        """
        select record_number, stop_id || ' is served by no trip' as words
        from gtfs_stops
        where coalesce(location_type, 0) = 0 and stop_id not in (select stop_id from gtfs_stop_times)
        """,
    ),
)


def _far_from_shape(db: duckdb.DuckDBPyConnection, tables: set[str]) -> Iterator[FeedFinding]:
    """Stops further than FAR_FROM_SHAPE_M from the line of a trip that calls at them, each pair once."""
    if not {"gtfs_shapes", *_TRIPS} <= tables:
        return
    pairs = db.execute(
        """
        select min(stops.record_number) as record_number, trips.shape_id, stops.stop_id,
            min(stops.stop_lon) as longitude, min(stops.stop_lat) as latitude
        from gtfs_stop_times as stop_times
        inner join gtfs_trips as trips on stop_times.trip_id = trips.trip_id
        inner join gtfs_stops as stops on stop_times.stop_id = stops.stop_id
        where stops.stop_lon is not null and stops.stop_lat is not null
            and trips.shape_id in (select shape_id from gtfs_shapes group by shape_id having count(*) > 1)
        group by trips.shape_id, stops.stop_id order by trips.shape_id, record_number, stops.stop_id
        """
    ).to_arrow_table()
    points = db.execute(
        """
        select shape_id, shape_pt_lon as longitude, shape_pt_lat as latitude from gtfs_shapes
        where shape_id in (select shape_id from gtfs_shapes group by shape_id having count(*) > 1)
        order by shape_id, shape_pt_sequence, record_number
        """
    ).to_arrow_table()
    if not pairs.num_rows:
        return
    away_m = _distance_to_line_m(pairs, points)
    far = np.flatnonzero(away_m > FAR_FROM_SHAPE_M)
    if far.size:
        first = int(far[np.argmin(pairs["record_number"].to_numpy()[far])])
        row = pairs.slice(first, 1).to_pylist()[0]
        words = f"{row['stop_id']} lies {away_m[first]:.0f} m from shape {row['shape_id']}, whose trips call there"
        yield FeedFinding(
            "stop_too_far_from_shape", "stops.stop_lat", int(far.size), f"record {row['record_number']}: {words}"
        )


def _distance_to_line_m(pairs: pa.Table, points: pa.Table) -> np.ndarray:
    """Metres from each stop to the line of its shape, on a plane of each line's own (equirectangular at its middle)."""
    shape_ids, line_of_point = np.unique(points["shape_id"].to_numpy(zero_copy_only=False), return_inverse=True)
    line_of_pair = np.searchsorted(shape_ids, pairs["shape_id"].to_numpy(zero_copy_only=False))
    middle = np.bincount(line_of_point, weights=points["latitude"].to_numpy()) / np.bincount(line_of_point)
    lines = shapely.linestrings(_plane_m(points, middle[line_of_point]), indices=line_of_point)
    stops = shapely.points(_plane_m(pairs, middle[line_of_pair]))
    distance: np.ndarray = shapely.distance(stops, lines[line_of_pair])
    return distance


def _plane_m(places: pa.Table, middle_latitude: np.ndarray) -> np.ndarray:
    metres_per_degree = np.pi * _EARTH_RADIUS_M / 180
    east = places["longitude"].to_numpy() * metres_per_degree * np.cos(np.radians(middle_latitude))
    return np.column_stack([east, places["latitude"].to_numpy() * metres_per_degree])
