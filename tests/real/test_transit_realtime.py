"""Real GTFS Realtime: one network's timetable and messages, read here by plain loops over protobuf and CSV.

Brest, 30 April 2023, half past one in the afternoon: the trip updates tell times, no delays and no start dates, and
number the stops otherwise than the timetable does.
"""

from __future__ import annotations

import csv
import io
import statistics
import zipfile
from collections import Counter, defaultdict
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from google.transit import gtfs_realtime_pb2 as realtime

from connectors.connector import Snapshot
from connectors.formats import gtfs_realtime
from connectors.payload import check_payload
from connectors.region import region
from connectors.staging import Account, StagedWriter
from tests.dbt_project.conftest import Built
from tests.dbt_project.realtime_pair import build_pair

PAIR = "transit/gtfs-brest-with-rt"
UPDATES, VEHICLES, ALERTS = (f"bibus-brest-gtfs-rt-{name}" for name in ("trip-update", "vehicle-position", "alerts"))
BINDINGS = "transit/gtfs-rt-bindings-pb"
SERVICE_DATE = date(2023, 4, 30)
# Noon of that day in Brest, summer time, minus 12 h: 2023-04-29T22:00:00Z.
MIDNIGHT = 1_682_805_600
LIMIT_S = 900

pytestmark = pytest.mark.real


def message(path: Path) -> Any:
    return realtime.FeedMessage.FromString(path.read_bytes())


def staged(path: Path, tmp_path: Path) -> StagedWriter:
    check_payload(path, "protobuf")
    with StagedWriter(tmp_path, "live", "a" * 64, "1") as out:
        gtfs_realtime.parse(Snapshot("live", path, "a" * 64), out, region())
        out.close()
    return out


def timetable(feed: Path) -> tuple[dict[str, str], dict[str, list[dict[str, str]]]]:
    """The route of every trip that runs on the day, and the calls of every trip in order."""

    def read(name: str) -> list[dict[str, str]]:
        return list(csv.DictReader(io.StringIO(archive.read(name).decode("utf-8-sig"), newline="")))

    with zipfile.ZipFile(feed) as archive:
        day = f"{SERVICE_DATE:%Y%m%d}"
        running = {
            row["service_id"]
            for row in read("calendar.txt")
            if row["sunday"] == "1" and row["start_date"] <= day <= row["end_date"]
        }
        for row in read("calendar_dates.txt"):
            if row["date"] == day:
                (running.add if row["exception_type"] == "1" else running.discard)(row["service_id"])
        routes = {row["trip_id"]: row["route_id"] for row in read("trips.txt") if row["service_id"] in running}
        calls = defaultdict(list)
        for row in read("stop_times.txt"):
            calls[row["trip_id"]].append(row)
    for of_trip in calls.values():
        of_trip.sort(key=lambda row: int(row["stop_sequence"]))
    return routes, calls


def seconds(time: str) -> int:
    hours, minutes, rest = map(int, time.split(":"))
    return hours * 3600 + minutes * 60 + rest


@pytest.fixture(scope="module")
def pair(real: Path, tmp_path_factory: pytest.TempPathFactory) -> Built:
    return build_pair(real / PAIR / "gtfs.zip", [real / PAIR / UPDATES], tmp_path_factory.mktemp("brest"))[0]


def test_every_update_is_staged_as_the_message_tells_it(real: Path, tmp_path: Path) -> None:
    out = staged(real / PAIR / UPDATES, tmp_path)
    told = message(real / PAIR / UPDATES)
    expected = [
        (entity.trip_update.trip.trip_id, call.stop_sequence, call.stop_id, call.arrival.time, call.departure.time)
        for entity in told.entity
        for call in entity.trip_update.stop_time_update
    ]
    rows = pq.ParquetFile(out.file_of("gtfs_rt_stop_time_update")).read().to_pylist()
    assert [
        (
            *(row[name] for name in ("trip_id", "stop_sequence", "stop_id")),
            *(int(row[name].timestamp()) for name in ("arrival_at", "departure_at")),
        )
        for row in rows
    ] == expected
    assert out.accounts["gtfs_rt_trip_update"] == Account(read=434, staged=434)
    assert out.accounts["gtfs_rt_stop_time_update"] == Account(read=12_168, staged=12_168)
    assert {int(row["feed_at"].timestamp()) for row in rows} == {told.header.timestamp}
    assert out.drifted == []


def test_vehicles_and_alerts_are_staged_whole(real: Path, tmp_path: Path) -> None:
    vehicles = staged(real / PAIR / VEHICLES, tmp_path / "v")
    assert vehicles.accounts["gtfs_rt_vehicle_position"] == Account(read=33, staged=33)
    ids = [entity.vehicle.vehicle.id for entity in message(real / PAIR / VEHICLES).entity]
    rows = str(pq.ParquetFile(vehicles.file_of("gtfs_rt_vehicle_position")).read().to_pylist())
    assert len(ids) == 33
    assert not [one for one in ids if one in rows]
    alerts = staged(real / PAIR / ALERTS, tmp_path / "a")
    told = message(real / PAIR / ALERTS)
    informed = sum(len(entity.alert.informed_entity) for entity in told.entity)
    assert alerts.accounts["gtfs_rt_alert"] == Account(read=42, staged=42)
    assert alerts.accounts["gtfs_rt_informed_entity"] == Account(read=informed, staged=informed)
    rows = pq.ParquetFile(alerts.file_of("gtfs_rt_alert")).read().to_pylist()
    assert [row["header_text"] for row in rows] == [e.alert.header_text.translation[0].text for e in told.entity]


def test_messages_of_an_older_specification_are_read(real: Path, tmp_path: Path) -> None:
    places = {}
    for path in sorted((real / BINDINGS).glob("*.pb")):
        out = staged(path, tmp_path / path.name)
        (row,) = pq.ParquetFile(out.file_of("gtfs_rt_vehicle_position")).read().to_pylist()
        places[path.name] = row["longitude"], row["latitude"], row["occupancy_status"], row["feed_at"]
    assert places == {
        "vehicle-position-pre-occupancy-defaults-no-occupancy.pb": (-60.0, 50.0, None, None),
        "vehicle-position-pre-occupancy-defaults-with-occupancy-status.pb": (-60.0, 50.0, "FEW_SEATS_AVAILABLE", None),
        "vehicle_position.pb": (-122.0, 47.0, None, None),
    }


def test_delays_are_those_of_a_plain_loop_over_message_and_timetable(pair: Built, real: Path) -> None:
    routes, calls = timetable(real / PAIR / "gtfs.zip")
    told = message(real / PAIR / UPDATES)
    expected: dict[tuple[str, int], tuple[str, int]] = {}
    unmatched = agreeing = 0
    for entity in told.entity:
        trip_id = entity.trip_update.trip.trip_id
        for update in entity.trip_update.stop_time_update:
            # No trip calls twice at one stop, so the stop alone tells the call.
            found = [row for row in calls[trip_id] if row["stop_id"] == update.stop_id and trip_id in routes]
            if not found:
                unmatched += 1
                continue
            (row,) = found
            agreeing += int(row["stop_sequence"]) == update.stop_sequence
            is_last = row is calls[trip_id][-1]
            time = update.arrival.time if is_last else update.departure.time
            planned = seconds(row["arrival_time" if is_last else "departure_time"])
            delay = time - MIDNIGHT - planned
            status = "observed" if time - told.header.timestamp <= LIMIT_S else "forecast"
            status = "implausible" if abs(delay) > 43_200 else status
            expected[trip_id, int(row["stop_sequence"])] = status, delay
    rows = pair.query("select trip_id, stop_sequence, status, delay_s from marts.fct_stop_delay")
    assert {(trip, sequence): (status, delay) for trip, sequence, status, delay in rows} == expected
    # By its number, 466 of 12,132 would have been found where they belong.
    assert (len(expected), unmatched, agreeing) == (12_132, 36, 466)
    assert Counter(status for status, _ in expected.values()) == {"forecast": 11_757, "observed": 374, "implausible": 1}


def test_punctuality_is_that_of_a_plain_loop(pair: Built, real: Path) -> None:
    routes, calls = timetable(real / PAIR / "gtfs.zip")
    planned = {
        (trip_id, int(row["stop_sequence"])): seconds(row["arrival_time" if row is of_trip[-1] else "departure_time"])
        for trip_id, of_trip in calls.items()
        for row in of_trip
    }
    delays: dict[tuple[str, int], list[int]] = defaultdict(list)
    for trip_id, sequence, delay in pair.query(
        "select trip_id, stop_sequence, delay_s from marts.fct_stop_delay where status = 'observed'"
    ):
        delays[routes[trip_id], planned[trip_id, sequence] // 3600].append(delay)
    rows = pair.query(
        "select route_id, hour, observations, share_on_time, median_delay_s from marts.mart_punctuality "
        "where observations > 0"
    )
    assert {row[:2]: row[2:] for row in rows} == {
        key: (len(of_key), sum(-90 <= delay <= 210 for delay in of_key) / len(of_key), statistics.median(of_key))
        for key, of_key in delays.items()
    }
    assert sum(map(len, delays.values())) == 374


def test_the_share_of_trips_and_updates_that_the_timetable_has(pair: Built, real: Path) -> None:
    routes, _ = timetable(real / PAIR / "gtfs.zip")
    told = [entity.trip_update.trip.trip_id for entity in message(real / PAIR / UPDATES).entity]
    matched = sum(trip_id in routes for trip_id in told)
    rows = pair.query(
        "select service_date, trips_scheduled, trips_told, trips_matched, trips_unmatched, stop_time_updates, "
        "stop_time_updates_matched, match_share from marts.mart_realtime_coverage"
    )
    assert rows == [(SERVICE_DATE, len(routes), 434, matched, 434 - matched, 12_168, 12_132, matched / 434)]
    assert (matched, len(routes)) == (432, 858)
