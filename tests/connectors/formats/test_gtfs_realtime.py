"""GTFS Realtime messages, made with the bindings here and read by the parser."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from google.transit import gtfs_realtime_pb2 as realtime

from connectors.connector import Snapshot
from connectors.errors import PayloadRefused, SnapshotRefused
from connectors.formats import gtfs_realtime
from connectors.region import region
from connectors.staging import Account, StagedWriter
from connectors.tables import COLUMN_DRIFT, PARSED_TABLES, REJECTED_ROW, UNREAD_CELL

TOLD = datetime(2026, 11, 17, 20, 30, tzinfo=UTC)
POSIX = int(TOLD.timestamp())
Row = dict[str, Any]


class Parsed:
    """What a message was staged as."""

    def __init__(self, out: StagedWriter) -> None:
        self.accounts = out.close()
        self._out = out

    def rows(self, table: str) -> list[Row]:
        place = self._out.file_of(table)
        found: list[Row] = pq.ParquetFile(place).read().to_pylist() if place.exists() else []
        return found

    @property
    def calls(self) -> list[Row]:
        return self.rows("gtfs_rt_stop_time_update")

    @property
    def rejected(self) -> list[tuple[str, int, str, str]]:
        names = ("table_name", "record_number", "column_name", "reason")
        return [tuple(row[name] for name in names) for row in self.rows(REJECTED_ROW.name)]  # type: ignore[misc]


Parse = Callable[..., Parsed]


@pytest.fixture
def parse(tmp_path: Path) -> Parse:
    def read(message: Any) -> Parsed:
        path = tmp_path / "feed.pb"
        path.write_bytes(message if isinstance(message, bytes) else message.SerializePartialToString())
        with StagedWriter(tmp_path / "staged", "live", "a" * 64, "1") as out:
            gtfs_realtime.parse(Snapshot("live", path, "a" * 64), out, region())
            return Parsed(out)

    return read


def message(timestamp: int = POSIX) -> Any:
    found = realtime.FeedMessage()
    found.header.gtfs_realtime_version = "2.0"
    if timestamp:
        found.header.timestamp = timestamp
    return found


def trip_update(of: Any, trip_id: str = "t") -> Any:
    update = of.entity.add(id=trip_id).trip_update
    update.trip.trip_id = trip_id
    return update


# -- what is read ----------------------------------------------------------------------------------------------------


def test_a_stop_time_update_is_a_row_with_its_trip_and_times(parse: Parse) -> None:
    feed = message()
    update = trip_update(feed)
    update.trip.route_id, update.trip.direction_id = "R", 1
    update.trip.start_date, update.trip.start_time = "20261117", "25:10:05"
    update.timestamp, update.delay = POSIX - 20, 45
    first = update.stop_time_update.add(stop_sequence=0, stop_id="A")
    first.arrival.delay, first.departure.delay = -30, 0
    second = update.stop_time_update.add(stop_id="B")
    second.departure.time = POSIX + 60
    second.schedule_relationship = realtime.TripUpdate.StopTimeUpdate.SKIPPED
    parsed = parse(feed)
    trip = {
        "feed_at": TOLD,
        "measured_at": datetime(2026, 11, 17, 20, 29, 40, tzinfo=UTC),
        "trip_id": "t",
        "route_id": "R",
        "direction_id": 1,
        "start_date": date(2026, 11, 17),
        "start_time_s": 25 * 3600 + 605,
        "trip_schedule_relationship": None,
    }
    key = {"source_id": "live", "snapshot_sha256": "a" * 64, "parse_key": "1"}
    assert parsed.rows("gtfs_rt_trip_update") == [
        {**key, "record_number": 1, **trip, "delay_s": 45, "stop_time_updates": 2}
    ]
    blank = dict.fromkeys(("arrival_delay_s", "arrival_at", "departure_delay_s", "departure_at"))
    assert parsed.calls == [
        {
            **{**key, "record_number": 1, **trip, "trip_update_number": 1, "stop_sequence": 0, "stop_id": "A"},
            **{**blank, "schedule_relationship": None, "arrival_delay_s": -30, "departure_delay_s": 0},
        },
        {
            **{**key, "record_number": 2, **trip, "trip_update_number": 1, "stop_sequence": None, "stop_id": "B"},
            **{**blank, "schedule_relationship": "SKIPPED", "departure_at": datetime(2026, 11, 17, 20, 31, tzinfo=UTC)},
        },
    ]


def test_a_cancelled_trip_is_a_row_without_calls(parse: Parse) -> None:
    feed = message()
    trip_update(feed).trip.schedule_relationship = realtime.TripDescriptor.CANCELED
    parsed = parse(feed)
    (row,) = parsed.rows("gtfs_rt_trip_update")
    assert (row["trip_schedule_relationship"], row["stop_time_updates"], parsed.calls) == ("CANCELED", 0, [])


def test_nothing_that_leads_to_the_driver_is_staged(parse: Parse) -> None:
    feed = message()
    vehicle = feed.entity.add(id="MS-AB 123").vehicle
    vehicle.vehicle.id, vehicle.vehicle.label, vehicle.vehicle.license_plate = "W-4711", "Wagen Meier", "MS-AB 123"
    vehicle.trip.trip_id, vehicle.stop_id, vehicle.current_stop_sequence = "t", "A", 3
    vehicle.position.longitude, vehicle.position.latitude, vehicle.position.bearing = 7.5, 52.0, 90
    vehicle.timestamp = POSIX - 5
    vehicle.current_status = realtime.VehiclePosition.STOPPED_AT
    vehicle.occupancy_status, vehicle.occupancy_percentage = realtime.VehiclePosition.FULL, 120
    trip_update(feed).vehicle.license_plate = "MS-AB 123"
    parsed = parse(feed)
    (row,) = parsed.rows("gtfs_rt_vehicle_position")
    assert {name: row[name] for name in ("longitude", "latitude", "bearing_degrees", "speed_m_per_s")} == {
        "longitude": 7.5,
        "latitude": 52.0,
        "bearing_degrees": 90.0,
        "speed_m_per_s": None,
    }
    assert (row["stop_sequence"], row["current_status"], row["occupancy_status"]) == (3, "STOPPED_AT", "FULL")
    everything = str([parsed.rows(table.name) for table in PARSED_TABLES])
    assert not [word for word in ("W-4711", "Meier", "MS-AB") if word in everything]


def test_an_alert_speaks_german_where_it_can_and_is_open_where_a_period_is(parse: Parse) -> None:
    feed = message()
    alert = feed.entity.add(id="a1").alert
    alert.active_period.add(start=POSIX, end=POSIX + 60)
    alert.active_period.add(start=POSIX - 60)
    for language, said in (("en", "closed"), ("de-DE", "gesperrt"), ("", "?")):
        alert.header_text.translation.add(language=language, text=said)
    alert.description_text.translation.add(text="ohne Sprache")
    alert.cause = realtime.Alert.STRIKE
    alert.informed_entity.add(route_id="R", route_type=3)
    selector = alert.informed_entity.add(stop_id="A")
    selector.trip.trip_id = "t"
    parsed = parse(feed)
    (row,) = parsed.rows("gtfs_rt_alert")
    assert (row["header_text"], row["description_text"], row["url"]) == ("gesperrt", "ohne Sprache", None)
    assert (row["cause"], row["effect"], row["active_periods"]) == ("STRIKE", None, 2)
    assert row["active_from_at"] == datetime(2026, 11, 17, 20, 29, tzinfo=UTC)
    assert row["active_until_at"] is None
    informed = parsed.rows("gtfs_rt_informed_entity")
    assert [(one["route_id"], one["route_type"], one["stop_id"], one["trip_id"]) for one in informed] == [
        ("R", 3, None, None),
        (None, None, "A", "t"),
    ]


def test_a_message_of_the_night_is_empty_and_staged(parse: Parse) -> None:
    assert set(parse(message()).accounts.values()) == {Account()}


def test_entities_of_other_kinds_and_deleted_ones_are_out_of_scope(parse: Parse) -> None:
    feed = message()
    trip_update(feed)
    feed.entity.add(id="gone", is_deleted=True)
    feed.entity.add(id="line").shape.shape_id = "s"
    parsed = parse(feed)
    assert parsed.accounts["gtfs_rt_trip_update"] == Account(read=3, staged=1, out_of_scope=2)


# -- what is rejected ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("spoil", "column", "reason"),
    [
        (lambda trip, call: call.ClearField("stop_sequence"), "stop_sequence stop_id", "names no stop"),
        (lambda trip, call: setattr(call, "stop_sequence", 2**31), "stop_sequence", "not a number that may stand here"),
        (
            lambda trip, call: setattr(call.departure, "delay", 8 * 86_400),
            "departure.delay",
            "a delay of more than 7 days",
        ),
        (lambda trip, call: setattr(call.arrival, "time", 1), "arrival.time", "not seconds since 1970 in this century"),
        (
            lambda trip, call: setattr(call.arrival, "time", POSIX * 1000),
            "arrival.time",
            "not seconds since 1970 in this century",
        ),
        (
            lambda trip, call: setattr(call.arrival, "time", POSIX + 8 * 86_400),
            "arrival.time",
            "more than 7 days from the message",
        ),
        (
            lambda trip, call: call.MergeFromString(b"\x28\x63"),
            "schedule_relationship",
            "not a value of the reference",
        ),
        (lambda trip, call: call.MergeFromString(b"\x22\x02\xff\xfe"), "stop_id", "not UTF-8"),
        (lambda trip, call: setattr(call, "stop_id", "A\0"), "stop_id", "holds a NUL"),
    ],
)
def test_a_call_that_cannot_be_read_is_rejected_alone(
    parse: Parse, spoil: Callable[[Any, Any], None], column: str, reason: str
) -> None:
    feed = message()
    update = trip_update(feed)
    update.stop_time_update.add(stop_sequence=1).departure.delay = 5
    spoil(update.trip, update.stop_time_update.add(stop_sequence=2))
    parsed = parse(feed)
    assert parsed.rejected == [("gtfs_rt_stop_time_update", 2, column, reason)]
    assert [call["stop_sequence"] for call in parsed.calls] == [1]
    assert parsed.accounts["gtfs_rt_stop_time_update"] == Account(read=2, staged=1, rejected=1)


@pytest.mark.parametrize(
    ("spoil", "column", "reason"),
    [
        (lambda trip: setattr(trip, "start_date", "20261131"), "trip.start_date", "not a date YYYYMMDD"),
        (lambda trip: setattr(trip, "start_date", "2026-11-17"), "trip.start_date", "not a date YYYYMMDD"),
        (lambda trip: setattr(trip, "start_time", "7 Uhr"), "trip.start_time", "not a time H:MM:SS"),
        (lambda trip: trip.MergeFromString(b"\x20\x63"), "schedule_relationship", "not a value of the reference"),
        (lambda trip: setattr(trip, "trip_id", "x" * 1_001), "trip.trip_id", "more than 1000 characters"),
    ],
)
def test_a_trip_that_cannot_be_read_takes_its_calls_with_it(
    parse: Parse, spoil: Callable[[Any], None], column: str, reason: str
) -> None:
    feed = message()
    update = trip_update(feed)
    update.stop_time_update.add(stop_sequence=1)
    spoil(update.trip)
    trip_update(feed, "good").stop_time_update.add(stop_sequence=1)
    parsed = parse(feed)
    assert parsed.rejected == [
        ("gtfs_rt_trip_update", 1, column, reason),
        ("gtfs_rt_stop_time_update", 1, column, reason),
    ]
    assert [(call["trip_id"], call["trip_update_number"]) for call in parsed.calls] == [("good", 2)]


def test_without_any_timestamp_nobody_knows_when_a_trip_was_told_of(parse: Parse) -> None:
    feed = message(timestamp=0)
    trip_update(feed, "never")
    trip_update(feed, "known").timestamp = POSIX
    parsed = parse(feed)
    assert [row["trip_id"] for row in parsed.rows("gtfs_rt_trip_update")] == ["known"]
    assert parsed.rejected[0][3] == "neither message nor trip update has a timestamp"


@pytest.mark.parametrize(("longitude", "latitude"), [(0.0, 0.0), (200.0, 52.0), (7.5, float("nan"))])
def test_a_vehicle_at_no_place_on_earth_is_rejected(parse: Parse, longitude: float, latitude: float) -> None:
    feed = message()
    position = feed.entity.add(id="v").vehicle.position
    position.longitude, position.latitude = longitude, latitude
    assert parse(feed).accounts["gtfs_rt_vehicle_position"] == Account(read=1, rejected=1)


def test_what_only_informs_costs_no_record(parse: Parse) -> None:
    feed = message()
    vehicle = feed.entity.add(id="v").vehicle
    vehicle.position.longitude, vehicle.position.latitude, vehicle.position.speed = 7.5, 52.0, -3.0
    vehicle.MergeFromString(b"\x30\x63")  # a congestion level that nobody knows
    parsed = parse(feed)
    assert parsed.accounts["gtfs_rt_vehicle_position"] == Account(read=1, staged=1)
    unread = parsed.rows(UNREAD_CELL.name)
    assert [(row["column_name"], row["records"], row["example"]) for row in unread] == [
        ("congestion_level", 1, "99"),
        ("speed", 1, "-3.0"),
    ]


def test_a_field_that_the_reference_does_not_have_is_drift(parse: Parse) -> None:
    feed = message()
    update = trip_update(feed)
    update.MergeFromString(b"\xca\x3e\x01x")  # field 1001, an extension
    parsed = parse(feed)
    assert [(row["table_name"], row["column_name"]) for row in parsed.rows(COLUMN_DRIFT.name)] == [
        ("gtfs_rt_trip_update", "trip_update: field 1001")
    ]
    assert parsed.accounts["gtfs_rt_trip_update"].staged == 1


# -- what is refused -------------------------------------------------------------------------------------------------


def test_a_header_of_something_else_is_refused(parse: Parse) -> None:
    feed = message()
    feed.header.gtfs_realtime_version = "RSS"
    with pytest.raises(SnapshotRefused, match=r"live: feed\.pb: expected a header .*found 'RSS'; ask the publisher"):
        parse(feed)


def test_a_clock_in_milliseconds_is_refused(parse: Parse) -> None:
    with pytest.raises(SnapshotRefused, match=r"header\.timestamp: not seconds since 1970 .*ask the publisher"):
        parse(message(POSIX * 1000))


def test_an_entity_that_is_no_entity_refuses_the_message(parse: Parse) -> None:
    with pytest.raises(SnapshotRefused, match="entity 2: expected"):
        feed = message()
        trip_update(feed)
        parse(feed.SerializeToString() + b"\x12\x02\x1a\x63")


def test_an_entity_beyond_bounds_is_refused(parse: Parse) -> None:
    feed = message()
    trip_update(feed, "x" * 2**20)
    with pytest.raises(PayloadRefused, match=r"field 2 at byte .* expected at most 1048576; ask the publisher"):
        parse(feed)
