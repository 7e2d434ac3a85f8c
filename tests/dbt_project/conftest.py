"""One region staged by hand and built once by dbt: what the tests of the marts look at."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from dbt.adapters.duckdb.connections import DuckDBConnectionManager
from dbt.cli.main import dbtRunner, dbtRunnerResult
from dbt.contracts.graph.manifest import Manifest

from connectors import tables
from connectors.tables import KEY, STATE_TABLES, Table
from muensterland.settings import REPOSITORY

AS_OF = "2026-11-22T12:00:00+00:00"
PROJECT = REPOSITORY / "dbt_project"
MUENSTER, BORKEN_1, BORKEN_2, WARENDORF_1 = "05515000", "05554001", "05554002", "05570001"
CITY = "Kreisfreie Stadt Münster"
# Municipalities per Kreis (Gemeindeverzeichnis); the keys below are numbered through, not the real ones.
KREISE = {"05515": 1, "05554": 17, "05558": 11, "05566": 24, "05570": 13}

Rows = Sequence[Mapping[str, Any]]


class Staged:
    """A folder of staged Parquet, one folder per table."""

    def __init__(self, root: Path) -> None:
        self.root = root
        for table in (*tables.PARSED_TABLES, *STATE_TABLES):
            self._write(table, "empty", [])

    def write(self, table: Table, source_id: str, rows: Rows, snapshot: str = "s1", parse_key: str = "p1") -> None:
        """Stage rows of one snapshot, numbered from 1."""
        key = {"source_id": source_id, "snapshot_sha256": snapshot, "parse_key": parse_key}
        numbered = [{**key, "record_number": number, **row} for number, row in enumerate(rows, 1)]
        self._write(table, f"{source_id}-{snapshot}-{parse_key}", numbered)

    def state(self, table: Table, rows: Rows) -> None:
        """Write a state table whole."""
        self._write(table, "state", rows)

    def _write(self, table: Table, name: str, rows: Rows) -> None:
        schema = table.columns if table in STATE_TABLES else pa.schema([*KEY, *table.columns])
        unknown = {column for row in rows for column in row} - set(schema.names)
        assert not unknown, f"{table.name} has no columns {unknown}"
        folder = self.root / table.name
        folder.mkdir(parents=True, exist_ok=True)
        pq.write_table(pa.Table.from_pylist([dict(row) for row in rows], schema=schema), folder / f"{name}.parquet")


@dataclass(frozen=True)
class Built:
    """What a dbt run left: the candidate and the artifacts."""

    candidate: Path
    target: Path
    result: dbtRunnerResult

    def query(self, sql: str) -> list[tuple[Any, ...]]:
        """Rows of the candidate, in UTC."""
        with duckdb.connect(self.candidate, read_only=True) as connection:
            connection.execute("set TimeZone = 'UTC'")
            return connection.execute(sql).fetchall()

    @property
    def manifest(self) -> dict[str, Any]:
        """dbt's manifest.json."""
        content: dict[str, Any] = json.loads((self.target / "manifest.json").read_text(encoding="utf-8"))
        return content


def build(staged: Path, folder: Path, *arguments: str, manifest: Manifest | None = None) -> Built:
    """Run `dbt build` in this process; everything it writes lies in `folder`.

    A `manifest` saves reading the project; then none is written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    result = dbt("build", staged, folder, *arguments, manifest=manifest)
    return Built(folder / "candidate.duckdb", folder / "target", result)


def parse() -> Manifest:
    """The project as dbt reads it."""
    with tempfile.TemporaryDirectory() as folder:
        manifest = dbt("parse", Path(folder), Path(folder)).result
    assert isinstance(manifest, Manifest)
    return manifest


def dbt(command: str, staged: Path, folder: Path, *arguments: str, manifest: Manifest | None = None) -> dbtRunnerResult:
    """Run a command of dbt in this process, with the candidate, the target and the logs in `folder`."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("REGION_CANDIDATE", str(folder / "candidate.duckdb"))
        patch.setenv("REGION_STAGED", str(staged))
        result = dbtRunner(manifest).invoke(
            [
                *(command, "--quiet", "--vars", json.dumps({"as_of": AS_OF})),
                *("--project-dir", str(PROJECT), "--profiles-dir", str(PROJECT)),
                *("--target-path", str(folder / "target"), "--log-path", str(folder / "logs")),
                *arguments,
            ]
        )
    # In process dbt keeps the file open for writing, and nobody else could read it.
    DuckDBConnectionManager.close_all_connections()  # type: ignore[no-untyped-call]
    return result


@pytest.fixture(scope="session")
def staged(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The hand-made region in staged Parquet."""
    folder = Staged(tmp_path_factory.mktemp("region") / "staged")
    stage_core(folder)
    stage_transit(folder)
    stage_realtime(folder)
    stage_mobility(folder)
    stage_energy(folder)
    stage_registers(folder)
    return folder.root


@pytest.fixture(scope="session")
def built(staged: Path, tmp_path_factory: pytest.TempPathFactory) -> Built:
    """The whole project built from the hand-made region, unit tests included."""
    return build(staged, tmp_path_factory.mktemp("build"))


# -- the region ---------------------------------------------------------------------------------------------------


def keys() -> list[str]:
    """The 66 municipality keys."""
    return [MUENSTER] + [
        f"{kreis}{number:03d}" for kreis, count in KREISE.items() if count > 1 for number in range(1, count + 1)
    ]


def ars(ags: str) -> str:
    """A 12-digit key: Kreis, four digits of the Verband, municipality."""
    return f"{ags[:5]}0{ags[5:]}{ags[5:]}"


def at(text: str) -> datetime:
    """An instant in UTC."""
    return datetime.fromisoformat(text + "+00:00")


def stage_core(folder: Staged) -> None:
    """Areas, the register, the catalogue, and how fetching and parsing went."""
    folder.state(
        tables.REGION_AREA,
        [
            {"area_id": "muensterland", "level": "region", "name_de": "Münsterland", "name_en": "Münsterland"},
            *(
                {
                    "area_id": kreis,
                    "level": "kreis",
                    "name_de": kreis,
                    "name_en": kreis,
                    "parent_area_id": "muensterland",
                }
                for kreis in KREISE
            ),
        ],
    )
    register = [
        {
            "ags": ags,
            "ars": ars(ags),
            "name": "Münster, Stadt" if ags == MUENSTER else f"Ort {ags}",
            "area_km2": 10.5,
            "population": 1000 + number,
            "population_date": date(2022, 12, 31),
            "territory_date": date(2024, 6, 30),
            "longitude": 7.6,
            "latitude": 51.9,
        }
        for number, ags in enumerate(keys())
    ]
    folder.write(tables.MUNICIPALITY_REGISTER, "register", register)
    # A snapshot that is no longer in force must not be read.
    folder.write(tables.MUNICIPALITY_REGISTER, "register", [{**register[0], "population": 1}], snapshot="old")
    folder.write(tables.MUNICIPALITY_BOUNDARY, "boundary", [{"ags": MUENSTER, "geometry_wkb": b"\x01"}])
    folder.write(
        tables.RECORD_ACCOUNT,
        "register",
        [
            {"table_name": "municipality_register", "outcome": "read", "records": 70},
            {"table_name": "municipality_register", "outcome": "staged", "records": 66},
            {"table_name": "municipality_register", "outcome": "rejected", "reason": "no key", "records": 1},
            {"table_name": "municipality_register", "outcome": "out_of_scope", "reason": "footer", "records": 3},
        ],
    )
    catalogue = [
        ("register", "core", 1, True),
        ("boundary", "core", 1, True),
        ("feed_a", "transit", 1, True),
        ("feed_b", "transit", 2, True),
        ("feed_gone", "transit", 3, False),
        ("live_a", "transit", 1, True),
        ("counters", "mobility", 1, True),
        ("mastr", "energy", 1, True),
        ("charging", "energy", 1, True),
        ("census", "registers", 1, True),
        ("regional", "registers", 1, True),
        ("schools", "registers", 1, True),
        ("city", "registers", 1, True),
    ]
    folder.state(
        tables.SOURCE_CATALOGUE,
        [
            {
                "source_id": source_id,
                "title_de": source_id,
                "title_en": source_id,
                "domain": domain,
                "priority": priority,
                "fresh_for_days": 30,
                "is_offered": is_offered,
                "synthetic": True,
                "timetable_source_id": "feed_a" if source_id == "live_a" else None,
            }
            for source_id, domain, priority, is_offered in catalogue
        ],
    )
    folder.state(
        tables.SOURCE_RESOURCE,
        [
            {
                "source_id": source_id,
                "resource": "",
                "connector": "gtfs" if domain == "transit" else "another",
                "fresh_for_days": 30,
            }
            for source_id, domain, _, _ in catalogue
        ],
    )
    everywhere = ("register", "boundary", "mastr", "charging", "census", "regional", "schools")
    folder.state(
        tables.SOURCE_COVERAGE,
        [{"source_id": source_id, "ags": ags} for source_id in everywhere for ags in keys()]
        + [{"source_id": s, "ags": MUENSTER} for s in ("feed_a", "feed_b", "feed_gone", "counters", "city")],
    )
    in_force = [source_id for source_id, _, _, is_offered in catalogue if is_offered and source_id != "schools"]
    folder.state(
        tables.SNAPSHOT_IN_FORCE,
        [
            {"source_id": source_id, "partition": "", "snapshot_sha256": "s1", "parse_key": "p1"}
            for source_id in [*in_force, "schools"]
        ]
        # What tells of the moment accumulates.
        + [
            {"source_id": "live_a", "partition": "", "snapshot_sha256": f"s{number}", "parse_key": "p1"}
            for number in (2, 3, 4)
        ]
        # Two partitions of equal bytes: their rows count once.
        + [{"source_id": "counters", "partition": "again", "snapshot_sha256": "s1", "parse_key": "p1"}],
    )

    def fetch(source_id: str, day: str, outcome: str, snapshot: str | None = "s1") -> dict[str, Any]:
        return {
            "source_id": source_id,
            "partition": "",
            "started_at": at(f"{day}T05:00:00"),
            "finished_at": at(f"{day}T05:00:10"),
            "outcome": outcome,
            "failure": "HTTP 503" if outcome == "failed" else None,
            "snapshot_sha256": snapshot,
        }

    def judged(source_id: str, snapshot: str, day: str) -> dict[str, Any]:
        return {
            "source_id": source_id,
            "partition": "",
            "snapshot_sha256": snapshot,
            "parse_key": "p1",
            "outcome": "staged",
            "fetched_at": at(f"{day}T05:00:10"),
            "is_latest": True,
        }

    folder.state(
        tables.FETCH_LOG,
        [
            *(fetch(s, "2026-11-21", "new") for s in in_force if s not in ("boundary", "counters", "mastr")),
            fetch("boundary", "2026-10-01", "new"),
            fetch("counters", "2026-11-20", "unchanged"),
            fetch("counters", "2026-11-21", "failed", None),
            fetch("mastr", "2026-11-01", "new"),
            fetch("mastr", "2026-11-21", "new", "broken"),
        ],
    )
    folder.state(
        tables.PARSE_LOG,
        [
            {**judged("mastr", "s1", "2026-11-01"), "is_latest": False},
            {
                **judged("mastr", "broken", "2026-11-21"),
                "outcome": "refused",
                "error": "export.zip: energy_unit: 2 records,\nformer 8",
                "former_sha256": "s1",
            },
            {**judged("register", "old", "2026-10-01"), "is_latest": False},
            {**judged("register", "s1", "2026-11-21"), "former_sha256": "old"},
        ],
    )
    folder.state(
        tables.SNAPSHOT_FINDING,
        [
            {
                "source_id": "mastr",
                "partition": "",
                "snapshot_sha256": "broken",
                "former_sha256": "s1",
                "code": "record_guard",
                "table_name": "energy_unit",
                "subject": "records",
                "example": "energy_unit: 2 records, the former snapshot has 8",
            }
        ],
    )
    # The former snapshot dates the same drift of the one in force.
    phone = {"table_name": "municipality_register", "column_name": "Telefon", "change": "new"}
    folder.write(tables.COLUMN_DRIFT, "register", [phone], snapshot="old")
    folder.write(tables.COLUMN_DRIFT, "register", [phone, {**phone, "column_name": "Fax"}])
    folder.write(
        tables.REJECTED_ROW,
        "register",
        [
            {
                "record_number": 70,
                "table_name": "municipality_register",
                "column_name": "ags",
                "raw_text": "=1+1\t",
                "reason": "no key",
            }
        ],
    )
    folder.state(
        tables.LOCATED_POINT,
        [
            {
                "source_id": source_id,
                "snapshot_sha256": "s1",
                "entity": entity,
                "entity_id": entity_id,
                "ags": ags,
                "stated_ags": {"U5": BORKEN_1, "100": MUENSTER}.get(entity_id),
            }
            for source_id, entity, entity_id, ags in [
                ("feed_a", "gtfs_stop", "M1", MUENSTER),
                ("feed_a", "gtfs_stop", "M2", MUENSTER),
                ("feed_a", "gtfs_stop", "B1", BORKEN_1),
                ("feed_b", "gtfs_stop", "bM1", MUENSTER),
                ("feed_b", "gtfs_stop", "bM2", MUENSTER),
                ("feed_b", "gtfs_stop", "bB1", BORKEN_1),
                ("mastr", "energy_unit", "U5", BORKEN_2),
                ("mastr", "energy_unit", "U6", WARENDORF_1),
                ("charging", "charging_station", "1", MUENSTER),
                ("charging", "charging_station", "2", MUENSTER),
                ("charging", "charging_station", "3", MUENSTER),
                ("schools", "school", "100", BORKEN_1),
            ]
        ],
    )


# -- transit ------------------------------------------------------------------------------------------------------


def stage_transit(folder: Staged) -> None:
    """Two operators that overlap: `feed_b` tells trip T1 of `feed_a` again, and one of its own."""
    bus = {"route_type": 3, "mode": "bus"}

    def stop(stop_id: str, name: str) -> dict[str, Any]:
        return {"stop_id": stop_id, "stop_name": name, "stop_lat": 51.9, "stop_lon": 7.6}

    def times(trip_id: str, *stops: tuple[Any, ...]) -> list[dict[str, Any]]:
        return [
            {
                "trip_id": trip_id,
                "stop_sequence": sequence * 5,
                "stop_id": stop_id,
                "arrival_s": seconds,
                "departure_s": seconds,
                "pickup_type": rest[0] if rest else None,
            }
            for sequence, (stop_id, seconds, *rest) in enumerate(stops)
        ]

    def trip(trip_id: str, route_id: str, service_id: str) -> dict[str, Any]:
        return {"trip_id": trip_id, "route_id": route_id, "service_id": service_id}

    def added(service_id: str, day: date) -> dict[str, Any]:
        return {"service_id": service_id, "date": day, "exception_type": 1}

    folder.write(
        tables.GTFS_STOPS,
        "feed_a",
        [stop("M1", "Hafen"), stop("M2", "Markt"), stop("B1", "Borken Bahnhof"), stop("X", "Enschede")],
    )
    folder.write(
        tables.GTFS_ROUTES,
        "feed_a",
        [
            {**bus, "route_id": "R1", "route_short_name": "1"},
            {**bus, "route_id": "R2", "route_short_name": "2"},
            {**bus, "route_id": "R3", "route_short_name": " ", "route_long_name": "Ring"},
        ],
    )
    folder.write(
        tables.GTFS_TRIPS,
        "feed_a",
        [
            trip("T1", "R1", "week"),
            trip("T2", "R1", "week"),
            trip("T3", "R2", "special"),
            trip("T4", "R3", "week"),
            trip("T5", "R2", "autumn"),
            trip("T6", "R2", "spring"),
        ],
    )
    folder.write(
        tables.GTFS_STOP_TIMES,
        "feed_a",
        [
            *times("T1", ("M1", 28800), ("M2", 29400), ("B1", 30600)),
            *times("T2", ("M1", 91800), ("M2", 92400)),
            *times("T3", ("M1", 36000, 1), ("M2", 36600, 0), ("B1", 37200)),
            *times("T4", ("M1", 0), ("M2", 300), ("B1", 600)),
            *times("T5", ("M1", 7200), ("M2", 7500), ("X", 9000)),
            *times("T6", ("M1", 3600), ("M2", None), ("X", 9000)),
        ],
    )
    folder.write(
        tables.GTFS_CALENDAR,
        "feed_a",
        [
            {
                "service_id": "week",
                **dict.fromkeys(("monday", "tuesday", "wednesday", "thursday", "friday"), True),
                **dict.fromkeys(("saturday", "sunday"), False),
                "start_date": date(2026, 11, 21),
                "end_date": date(2026, 11, 24),
            }
        ],
    )
    folder.write(
        tables.GTFS_CALENDAR_DATES,
        "feed_a",
        [
            {"service_id": "week", "date": date(2026, 11, 24), "exception_type": 2},
            added("special", date(2026, 11, 24)),
            added("autumn", date(2026, 10, 25)),
            added("spring", date(2026, 3, 29)),
        ],
    )
    folder.write(
        tables.GTFS_FREQUENCIES, "feed_a", [{"trip_id": "T4", "start_s": 25200, "end_s": 27000, "headway_s": 600}]
    )
    folder.write(
        tables.GTFS_STOPS,
        "feed_b",
        [stop("bM1", " HAFEN"), stop("bM2", "Markt"), stop("bB1", "Borken bahnhof ")],
    )
    folder.write(
        tables.GTFS_ROUTES, "feed_b", [{**bus, "route_id": "9", "route_short_name": "1"}, {**bus, "route_id": "RB"}]
    )
    folder.write(tables.GTFS_TRIPS, "feed_b", [trip("b1", "9", "both"), trip("b2", "RB", "own")])
    folder.write(
        tables.GTFS_STOP_TIMES,
        "feed_b",
        [
            *times("b1", ("bM1", 28800), ("bM2", 29400), ("bB1", 30600)),
            *times("b2", ("bM2", 39600), ("bB1", 41000)),
        ],
    )
    # feed_b has no calendar.txt.
    folder.write(
        tables.GTFS_CALENDAR_DATES,
        "feed_b",
        [added("both", date(2026, 11, 23)), added("both", date(2026, 11, 25)), added("own", date(2026, 11, 23))],
    )


def stage_realtime(folder: Staged) -> None:
    """What `live_a` told of the timetable of `feed_a` in four messages, the times in UTC."""

    def message(snapshot: str, told: str, *trips: tuple[dict[str, Any], list[dict[str, Any]]]) -> None:
        updates: list[dict[str, Any]] = []
        calls: list[dict[str, Any]] = []
        for number, (trip, of_trip) in enumerate(trips, start=1):
            # A trip update may say by itself when it was measured.
            shared = {"feed_at": at(told), **trip}
            updates.append({**shared, "stop_time_updates": len(of_trip)})
            calls += [{**shared, "trip_update_number": number, **call} for call in of_trip]
        folder.write(tables.GTFS_RT_TRIP_UPDATE, "live_a", updates, snapshot)
        folder.write(tables.GTFS_RT_STOP_TIME_UPDATE, "live_a", calls, snapshot)

    def delayed(sequence: int, seconds: int, what: str = "departure") -> dict[str, Any]:
        return {"stop_sequence": sequence, f"{what}_delay_s": seconds}

    monday = date(2026, 11, 23)
    t1 = {"trip_id": "T1", "route_id": "R1", "start_date": monday}
    canceled = {"trip_id": "T3", "start_date": date(2026, 11, 24), "trip_schedule_relationship": "CANCELED"}
    ghost = {"trip_id": "ghost"}
    # 07:50 local: T1 calls at 08:00, 08:10 and 08:30.
    message(
        "s1",
        "2026-11-23T06:50:00",
        (t1, [delayed(0, 30), delayed(5, 60), delayed(10, 120, "arrival")]),
        (ghost, [delayed(0, 0)]),
        ({"trip_id": "extra", "trip_schedule_relationship": "ADDED"}, [delayed(0, 0)]),
        ({"trip_id": "T4"}, [delayed(0, 0)]),
        # It does not run on that Wednesday.
        ({**t1, "start_date": date(2026, 11, 25)}, [delayed(0, 0)]),
    )
    # 08:05, of which the second call counts; 08:15, when it is over; 08:25, the last word on the third.
    message("s2", "2026-11-23T07:05:00", (t1, [delayed(5, 200), delayed(10, 240, "arrival")]))
    message("s3", "2026-11-23T07:15:00", (t1, [delayed(0, 840), delayed(5, 0)]), (canceled, []))
    message(
        "s4",
        "2026-11-23T07:25:00",
        (t1, [{"stop_sequence": 10, "departure_delay_s": -999, "arrival_delay_s": 330}]),
        # After midnight, of Monday's service day: 25:30 is 00:30 UTC. Numbered from 1, with the stops beside.
        (
            {"trip_id": "T2", "measured_at": at("2026-11-24T00:20:00")},
            [
                {"stop_sequence": 5, "stop_id": "M1", "departure_at": at("2026-11-24T00:31:00")},
                {"stop_sequence": 10, "stop_id": "M2", "schedule_relationship": "SKIPPED"},
            ],
        ),
        # The second 02:00 of autumn, and an hour after 23:00 UTC in spring, by times alone.
        (
            {"trip_id": "T5", "measured_at": at("2026-10-25T01:00:00")},
            [{"stop_sequence": 0, "departure_at": at("2026-10-25T01:02:00")}],
        ),
        (
            {"trip_id": "T6", "measured_at": at("2026-03-28T22:55:00")},
            [{"stop_sequence": 0, "departure_at": at("2026-03-28T23:00:45")}, delayed(5, 30)],
        ),
    )


# -- mobility -----------------------------------------------------------------------------------------------------


def stage_mobility(folder: Staged) -> None:
    """Site `spring` has a sum channel and a ghost; site `autumn` has only parts and a merged hour."""
    quarter = timedelta(minutes=15)

    def reading(site: str, channel: str, start: datetime, count: int | None, **more: Any) -> dict[str, Any]:
        role, mode, direction = {
            "sum": ("sum", "bicycle", "both"),
            "in": ("part", "bicycle", "in"),
            "out": ("part", "bicycle", "out"),
            "ghost": ("part", "car", "in"),
        }[channel]
        return {
            "site_id": site,
            "channel_id": f"{site}-{channel}",
            "channel_role": role,
            "mode": mode,
            "direction": direction,
            "interval_start_at": start,
            "interval_minutes": 15,
            "count": count,
            **more,
        }

    readings = []
    # 2026-03-28 (96 quarters), 2026-03-29 (92) and 2026-03-30 (96), all local days.
    for number in range(96 + 92 + 96):
        start = at("2026-03-27T23:00:00") + number * quarter
        blank = start == at("2026-03-30T08:15:00")  # 10:15 local
        status = {"raw_status": "4"} if start == at("2026-03-28T04:00:00") else {"raw_status": "0"}
        # Odd hours count more than even ones: the same number again and again would be a stuck sensor.
        both, inwards = (11 if start.hour % 2 else 9), (5 if start.hour % 3 == 0 else 4)
        readings += [
            reading("spring", "sum", start, None if blank else both, **status),
            reading("spring", "in", start, None if blank else inwards),
            reading("spring", "out", start, None if blank else both - inwards),
            reading("spring", "ghost", start, None),
        ]
    # An interval that a second file tells again counts once.
    readings.append(reading("spring", "sum", at("2026-03-29T10:00:00"), None))
    # 2025-10-26: 96 rows, the quarters of 02:xx hold both passes; they are staged at the first.
    for number in range(100):
        start = at("2025-10-25T22:00:00") + number * quarter
        hour = start.replace(minute=0)
        if hour == at("2025-10-26T01:00:00"):
            continue
        if hour == at("2025-10-26T00:00:00"):
            out = 3 if start.minute == 45 else 4
            readings.append(reading("autumn", "in", start, 3, clock_change="merged"))
            readings.append(reading("autumn", "out", start, out, clock_change="merged"))
        else:
            readings.append(reading("autumn", "in", start, 2 if start.hour % 2 else 1))
            readings.append(reading("autumn", "out", start, 2))
    folder.write(tables.COUNT_READING, "counters", readings)
    folder.write(
        tables.COUNT_SITE,
        "counters",
        [{"site_id": "spring", "site_name": "Neutor", "first_year": 2023}, {"site_id": "silent", "site_name": "Weg"}],
    )


# -- energy -------------------------------------------------------------------------------------------------------


def stage_energy(folder: Staged) -> None:
    """Units of every status, one of them twice at a seam, and a charging register with two equal rows."""

    def unit(unit_id: str, status_id: int, kilowatt: float, commissioned: date | None, **more: Any) -> dict[str, Any]:
        return {
            "unit_id": unit_id,
            "technology": "solar",
            "status_id": status_id,
            "ags": MUENSTER,
            "gross_capacity_kw": kilowatt,
            "commissioned_date": commissioned,
            "updated_at": datetime(2025, 1, 1),  # noqa: DTZ001 - local time without offset, as published
            **more,
        }

    folder.write(
        tables.ENERGY_UNIT,
        "mastr",
        [
            unit("U1", 35, 99.0, date(2020, 5, 31), updated_at=datetime(2024, 1, 1)),  # noqa: DTZ001
            unit("U1", 35, 10.5, date(2020, 5, 31), energy_carrier_id=2495),
            unit("U2", 37, 5.0, date(2020, 6, 1), temporarily_shut_date=date(2021, 1, 1)),
            unit("U3", 31, 100.0, date(2020, 1, 1)),
            unit("U4", 38, 2.0, date(1985, 1, 1), shut_date=date(2021, 3, 31)),
            unit("U5", 35, 3000.0, date(2019, 2, 28), ags=BORKEN_1, technology="wind", longitude=7.0, latitude=52.0),
            unit("U6", 35, 75.0, date(2026, 11, 30), ags=None, technology="biomass", longitude=8.0, latitude=51.9),
            unit("U7", 35, 75.0, date(2026, 12, 1), technology="hydro"),
        ],
    )
    folder.write(tables.ENERGY_CATALOGUE_VALUE, "mastr", [{"catalogue_id": 2495, "value": "Solare Strahlungsenergie"}])

    def station(points: int, kilowatt: float, commissioned: date, digest: str, kreis: str) -> dict[str, Any]:
        return {
            "kreis_name": kreis,
            "charging_points": points,
            "power_kw": kilowatt,
            "commissioned_date": commissioned,
            "record_sha256": digest,
            "longitude": 7.6,
            "latitude": 51.9,
        }

    folder.write(
        tables.CHARGING_STATION,
        "charging",
        [
            station(2, 22.2, date(2022, 3, 7), "same", CITY),
            station(2, 22.2, date(2022, 3, 7), "same", CITY),
            station(4, 100.1, date(2023, 1, 15), "other", "Landkreis Borken"),
            station(8, 300.0, date(2022, 1, 1), "outside", CITY),
        ],
    )


# -- registers ----------------------------------------------------------------------------------------------------


def stage_registers(folder: Staged) -> None:
    """A census table by ARS, a regional table with marks and a factor, and two schools."""

    def census(area_variable: str, value_variable: str, area_code: str, value: float) -> dict[str, Any]:
        return {
            "table_code": "1000A-0000",
            "period": "2022-05-15",
            "area_variable_code": area_variable,
            "area_code": area_code,
            "attribute_codes": "",
            "value": value,
            "value_unit": "Anzahl",
            "value_variable_code": value_variable,
        }

    folder.write(
        tables.STATISTIC_VALUE,
        "census",
        [
            census("GEODL1", "PRS001", "DG", 82719540.0),
            census("GEOGM4", "PRS018", ars(MUENSTER), 303772.0),
            census("GEOGM4", "PRS018", ars(BORKEN_1), 40000.0),
            census("GEOGM4", "PRS018", "092760130130", 2294.0),
        ],
    )

    def regional(period: str, area_code: str, value: float | None, mark: str | None, unit: str) -> dict[str, Any]:
        return {
            "table_code": "T",
            "period": period,
            "area_variable_code": "KREISE",
            "area_code": area_code,
            "attribute_codes": "GES=",
            "value": value,
            "value_mark": mark,
            "value_unit": unit,
            "value_variable_code": "V",
        }

    folder.write(
        tables.STATISTIC_VALUE,
        "regional",
        [
            regional("1", "05554", 1.5, None, "1000"),
            regional("2", "05554", None, "-", "Anzahl"),
            regional("3", "05554", None, ".", "EUR"),
            regional("4", "05554", None, "...", "EUR"),
            regional("5", "05554", None, "x", "EUR"),
            regional("6", "05554", None, "/", "EUR"),
            regional("7", "05554001", 7.0, None, "Anzahl"),
            regional("8", "05", 8.0, None, "Anzahl"),
            regional("9", "05554", None, None, "EUR"),
        ],
    )
    folder.write(
        tables.SCHOOL,
        "schools",
        [
            {"school_id": "100", "name": "A", "ags": MUENSTER, "longitude": 7.0, "latitude": 51.8},
            {"school_id": "101", "name": "B", "ags": MUENSTER},
        ],
    )
    stage_municipal(folder)


def stage_municipal(folder: Staged) -> None:
    """What a city keeps: a playground, figures of a district, an answer, a queue."""
    folder.write(
        tables.FACILITY,
        "city",
        [
            {"facility_id": "1", "kind": "playground", "name": "A", "ags": MUENSTER, "longitude": 7.0, "latitude": 51.8}
            | {"capacity": 300.0, "capacity_unit": "m2"},
        ],
    )
    district = {"ags": MUENSTER, "district_key": "11", "district_name": "Altstadt", "sex": "total", "period": "2014"}
    folder.write(
        tables.DISTRICT_VALUE,
        "city",
        [
            district | {"subject": "population", "value": 1450.0},
            district | {"subject": "population", "age_to": 9, "value_mark": ".", "mark_status": "suppressed"},
            district | {"subject": "households", "value": 900.0},
        ],
    )
    asked = {"survey": "s", "ags": MUENSTER, "district_name": "Altstadt", "question": "modal_split", "period": "2022"}
    folder.write(tables.SURVEY_ANSWER, "city", [asked | {"answer": "bicycle", "unit": "share", "value": 0.5}])
    queue = {"office_id": "o", "ags": MUENSTER, "read_local": datetime(2021, 1, 6, 8, 5), "waiting_persons": 3}  # noqa: DTZ001
    folder.write(tables.WAITING_TIME_READING, "city", [queue | {"waiting_time_min": 12.0, "updated_clock": "08:04"}])
    finding = {"code": "control_character", "field": "name", "records": 1, "example": "row 2: U+0085"}
    folder.write(tables.TABLE_FINDING, "city", [finding])


@pytest.fixture(scope="session")
def marts(built: Built) -> Iterator[dict[str, dict[str, Any]]]:
    """The manifest's nodes of schema `marts`, by name."""
    nodes = built.manifest["nodes"].values()
    yield {n["name"]: n for n in nodes if n["resource_type"] == "model" and n["schema"] == "marts"}
