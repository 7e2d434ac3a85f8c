"""What the GTFS Schedule reference says of the files that are staged: columns, kinds of cells, keys.

https://gtfs.org/documentation/schedule/reference/
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, NamedTuple

from connectors.formats.gtfs_modes import mode_sql
from connectors.tables import (
    GTFS_AGENCY,
    GTFS_ATTRIBUTIONS,
    GTFS_CALENDAR,
    GTFS_CALENDAR_DATES,
    GTFS_FEED_INFO,
    GTFS_FREQUENCIES,
    GTFS_ROUTES,
    GTFS_SHAPES,
    GTFS_STOP_TIMES,
    GTFS_STOPS,
    GTFS_TRANSFERS,
    GTFS_TRIPS,
    Table,
)

Kind = Literal[
    "text", "name", "whole", "positive", "number", "time", "day", "flag", "degrees", "latitude", "longitude", "mode"
]
# cell: every record must fill it. column: the file must have the column. optional: neither. informs: nor does what the
# marts count depend on it, so that a cell that cannot be read costs no record.
Need = Literal["cell", "column", "optional", "informs"]

_PLACE_ON_EARTH = r"""
    case when regexp_full_match(trim(raw_stop_lat), '[+-]?\d{{1,2}}(\.\d*)?')
        and regexp_full_match(trim(raw_stop_lon), '[+-]?\d{{1,3}}(\.\d*)?')
        and abs(try_cast(trim(raw_stop_lat) as double)) <= 90 and abs(try_cast(trim(raw_stop_lon) as double)) <= 180
        and not (try_cast(trim(raw_stop_lat) as double) = 0 and try_cast(trim(raw_stop_lon) as double) = 0)
    then try_cast(trim({raw}) as double) end
"""
# {raw} is the cell as text, never null; the result is null where the cell is blank or cannot be read.
READ: Mapping[Kind, str] = {
    "text": "nullif({raw}, '')",
    "name": r"nullif(regexp_replace({raw}, '\p{{Cc}}', '', 'g'), '')",
    "whole": r"case when regexp_full_match(trim({raw}), '\d{{1,9}}') then try_cast(trim({raw}) as integer) end",
    "positive": r"""case when regexp_full_match(trim({raw}), '0*[1-9]\d{{0,8}}')
        then try_cast(trim({raw}) as integer) end""",
    "number": r"""case when regexp_full_match(trim({raw}), '[+-]?\d{{1,15}}(\.\d*)?([eE][+-]?\d{{1,2}})?')
        then try_cast(trim({raw}) as double) end""",
    "latitude": r"""case when regexp_full_match(trim({raw}), '[+-]?\d{{1,2}}(\.\d*)?')
        and abs(try_cast(trim({raw}) as double)) <= 90 then try_cast(trim({raw}) as double) end""",
    "longitude": r"""case when regexp_full_match(trim({raw}), '[+-]?\d{{1,3}}(\.\d*)?')
        and abs(try_cast(trim({raw}) as double)) <= 180 then try_cast(trim({raw}) as double) end""",
    "time": r"""case when regexp_full_match(trim({raw}), '\d{{1,2}}:[0-5]\d:[0-5]\d') then
        try_cast(split_part(trim({raw}), ':', 1) as integer) * 3600
        + try_cast(split_part({raw}, ':', 2) as integer) * 60
        + try_cast(split_part(trim({raw}), ':', 3) as integer) end""",
    "day": r"""case when regexp_full_match(trim({raw}), '\d{{8}}')
        then try_cast(try_strptime(trim({raw}), '%Y%m%d') as date) end""",
    "flag": "case trim({raw}) when '1' then true when '0' then false end",
    "degrees": _PLACE_ON_EARTH,
    "mode": mode_sql("try_cast(trim({raw}) as integer)"),
}
UNREADABLE: Mapping[Kind, str] = {
    "whole": "not a whole number",
    "positive": "not a whole number above 0",
    "number": "not a number",
    "latitude": "not a latitude",
    "longitude": "not a longitude",
    "time": "not a time H:MM:SS",
    "day": "not a date YYYYMMDD",
    "flag": "neither 0 nor 1",
}


class Column(NamedTuple):
    """A column of a file: under which name it is staged, what its cells are, and what follows if they are not."""

    staged: str
    source: str
    kind: Kind
    need: Need


def _column(source: str, kind: Kind = "text", need: Need = "optional", staged: str | None = None) -> Column:
    return Column(staged or source, source, kind, need)


@dataclass(frozen=True)
class File:
    """A file of the reference: the table it fills, its key and its columns."""

    name: str
    table: Table
    key: tuple[str, ...]
    columns: tuple[Column, ...]


def _file(name: str, table: Table, key: str, columns: tuple[Column, ...]) -> File:
    return File(name, table, tuple(key.split()), columns)


def _inform(kind: Kind, names: str) -> tuple[Column, ...]:
    """Columns of one kind that only inform."""
    return tuple(_column(name, kind, "informs") for name in names.split())


_WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")

STOP_TIMES = _file(
    "stop_times.txt",
    GTFS_STOP_TIMES,
    "trip_id stop_sequence",
    (
        _column("trip_id", need="cell"),
        _column("stop_sequence", "whole", "cell"),
        _column("stop_id", need="cell"),
        _column("arrival_time", "time", "column", staged="arrival_s"),
        _column("departure_time", "time", "column", staged="departure_s"),
        _column("pickup_type", "whole"),
        _column("drop_off_type", "whole"),
        *_inform("name", "stop_headsign"),
        *_inform("whole", "timepoint continuous_pickup continuous_drop_off"),
        *_inform("number", "shape_dist_traveled"),
        *_inform("text", "location_group_id location_id pickup_booking_rule_id drop_off_booking_rule_id"),
        _column("start_pickup_drop_off_window", "time", "informs", staged="start_pickup_drop_off_window_s"),
        _column("end_pickup_drop_off_window", "time", "informs", staged="end_pickup_drop_off_window_s"),
    ),
)
# All but stop_times, which comes last: it needs the stops and trips that were accepted.
SMALL_FILES = (
    _file(
        "agency.txt",
        GTFS_AGENCY,
        "agency_id",
        (
            _column("agency_id"),
            _column("agency_name", "name", "cell"),
            _column("agency_url", need="column"),
            _column("agency_timezone", need="cell"),
            *_inform("text", "agency_lang agency_phone agency_fare_url agency_email"),
            *_inform("whole", "cemv_support"),
        ),
    ),
    _file(
        "stops.txt",
        GTFS_STOPS,
        "stop_id",
        (
            _column("stop_id", need="cell"),
            _column("stop_code"),
            _column("stop_name", "name", "column"),
            _column("stop_lat", "degrees", "column"),
            _column("stop_lon", "degrees", "column"),
            _column("location_type", "whole"),
            _column("parent_station"),
            _column("wheelchair_boarding", "whole"),
            _column("platform_code"),
            *_inform("name", "tts_stop_name stop_desc"),
            *_inform("text", "zone_id stop_url stop_timezone level_id"),
            *_inform("whole", "stop_access"),
        ),
    ),
    _file(
        "routes.txt",
        GTFS_ROUTES,
        "route_id",
        (
            _column("route_id", need="cell"),
            _column("agency_id"),
            _column("route_short_name", "name"),
            _column("route_long_name", "name"),
            _column("route_type", "whole", "cell"),
            _column("route_type", "mode", staged="mode"),
            *_inform("name", "route_desc"),
            *_inform("text", "route_url route_color route_text_color network_id"),
            *_inform("whole", "route_sort_order continuous_pickup continuous_drop_off cemv_support"),
        ),
    ),
    _file(
        "trips.txt",
        GTFS_TRIPS,
        "trip_id",
        (
            _column("trip_id", need="cell"),
            _column("route_id", need="cell"),
            _column("service_id", need="cell"),
            _column("trip_headsign", "name"),
            _column("direction_id", "whole"),
            _column("shape_id"),
            *_inform("name", "trip_short_name"),
            *_inform("text", "block_id"),
            *_inform("whole", "wheelchair_accessible bikes_allowed cars_allowed"),
            *_inform("number", "safe_duration_factor"),
            _column("safe_duration_offset", "number", "informs", staged="safe_duration_offset_s"),
        ),
    ),
    _file(
        "calendar.txt",
        GTFS_CALENDAR,
        "service_id",
        (
            _column("service_id", need="cell"),
            *(_column(day, "flag", "cell") for day in _WEEKDAYS),
            _column("start_date", "day", "cell"),
            _column("end_date", "day", "cell"),
        ),
    ),
    _file(
        "calendar_dates.txt",
        GTFS_CALENDAR_DATES,
        "service_id date",
        (
            _column("service_id", need="cell"),
            _column("date", "day", "cell"),
            _column("exception_type", "positive", "cell"),
        ),
    ),
    _file(
        "frequencies.txt",
        GTFS_FREQUENCIES,
        "trip_id start_s",
        (
            _column("trip_id", need="cell"),
            _column("start_time", "time", "cell", staged="start_s"),
            _column("end_time", "time", "cell", staged="end_s"),
            _column("headway_secs", "positive", "cell", staged="headway_s"),
            _column("exact_times", "whole"),
        ),
    ),
    _file(
        "feed_info.txt",
        GTFS_FEED_INFO,
        "",  # the reference allows one record
        (
            _column("feed_publisher_name", "name", "column"),
            _column("feed_version"),
            _column("feed_start_date", "day"),
            _column("feed_end_date", "day"),
            *_inform("text", "feed_publisher_url feed_lang default_lang feed_contact_email feed_contact_url"),
        ),
    ),
    _file(
        "transfers.txt",
        GTFS_TRANSFERS,
        "from_stop_id to_stop_id from_route_id to_route_id from_trip_id to_trip_id",
        (
            *(_column(f"{side}_{what}_id") for what in ("stop", "route", "trip") for side in ("from", "to")),
            _column("transfer_type", "whole", "column"),
            _column("min_transfer_time", "whole", staged="min_transfer_time_s"),
        ),
    ),
    _file(
        "shapes.txt",
        GTFS_SHAPES,
        "shape_id shape_pt_sequence",
        (
            _column("shape_id", need="cell"),
            _column("shape_pt_sequence", "whole", "cell"),
            _column("shape_pt_lat", "latitude", "cell"),
            _column("shape_pt_lon", "longitude", "cell"),
            *_inform("number", "shape_dist_traveled"),
        ),
    ),
    _file(
        "attributions.txt",
        GTFS_ATTRIBUTIONS,
        "attribution_id agency_id route_id trip_id organization_name",
        (
            *(_column(name) for name in ("attribution_id", "agency_id", "route_id", "trip_id")),
            _column("organization_name", "name", "cell"),
            *_inform("flag", "is_producer is_operator is_authority"),
            *_inform("text", "attribution_url attribution_email attribution_phone"),
        ),
    ),
)
FILES = (*SMALL_FILES, STOP_TIMES)
# Supply is counted without them: where one lacks a column it requires, it is left out and the feed stays.
INFORMING_FILES = ("transfers.txt", "shapes.txt", "attributions.txt")
REQUIRED = ("agency.txt", "stops.txt", "routes.txt", "trips.txt", "stop_times.txt")
UNSTAGED_FILES = frozenset(
    f"{name}.txt"
    for name in (
        *("fare_attributes", "fare_rules", "timeframes", "rider_categories", "fare_media", "fare_products"),
        *("fare_leg_rules", "fare_leg_join_rules", "fare_transfer_rules", "areas", "stop_areas", "networks"),
        *("route_networks", "pathways", "levels", "location_groups", "location_group_stops"),
        *("booking_rules", "translations"),
    )
) | {"locations.geojson"}
