"""Mutated inputs through fetch and parse, as a publisher would have sent them: `make fuzz COUNT=2000 SEED=1`.

For every connector the sample region's file is damaged in a seeded way and fetched and parsed beside its undamaged
former snapshot. What must hold for each input:

1. It ends: nothing is raised but what the steps catch themselves, within TIME_LIMIT_S; a refusal has a message that
   names the file. A parser that fails on its own account (ParserFault, AccountingError) is a defect, though it does
   no harm.
2. Records read = staged + rejected + out of scope, by the account and by the rows that lie in the files.
3. What is refused leaves the former snapshot in force and no staged file behind.
4. No value comes in unseen. *Flagged* means: its record is rejected with column and reason, its column is reported as
   drift, or the snapshot is refused. After a faithful mutation (see `mutations`) every staged row must be a row of the
   undamaged file, value by value. After any other one this cannot be asked: a digit flipped in a plain CSV, or inside
   a member that was then packed again, is a number like any other, and only a checksum (an archive has one, a plain
   CSV has not) or a comparison with other data could tell. Then every staged value must be of its column's type and
   in its column's range.
"""

from __future__ import annotations

import argparse
import codecs
import csv
import faulthandler
import io
import json
import math
import re
import sys
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from functools import cache
from pathlib import Path
from random import Random
from typing import Any

import openpyxl
import pyarrow.parquet as pq
import pyproj
from google.transit import gtfs_realtime_pb2

from connectors.catalogue import Source, load_source
from connectors.fetching import fetch_source
from connectors.formats import CONNECTORS
from connectors.http import Answer, Ask
from connectors.landing import Landing
from connectors.parsing import parse_source
from connectors.registry import connector
from connectors.tables import COLUMN_DRIFT, COLUMN_SEEN, SNAPSHOT_MEASURE
from muensterland.sample import (
    accidents,
    air_quality,
    barrier_free,
    bast,
    council,
    counter_hours,
    demand,
    eco_visio,
    energy,
    grid,
    itnrw,
    market,
    mastr,
    mobility,
    monitor,
    motor_traffic,
    municipal,
    parking,
    realtime,
    registers,
    territory,
    transit,
)
from muensterland.settings import REPOSITORY
from tests.connectors import mutations as m

TIME_LIMIT_S = 30.0
PARTS = (
    *(territory, transit, barrier_free, realtime, mobility, energy, mastr, registers, grid, accidents, eco_visio, bast),
    *(parking, air_quality, counter_hours, motor_traffic, market, demand, municipal, monitor),
)
AS_OF = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
# They tell of the file, not of what it says.
LINEAGE = {"source_id", "snapshot_sha256", "parse_key", "record_number", "record_sha256", "trip_update_number"}
DEFECTS = ("failed on this file with", "; mend the parser")


@dataclass(frozen=True)
class Original:
    """An undamaged file of a format, how its source declares it, and what can be done to it."""

    connector: str
    name: str
    body: bytes
    faithful: Mapping[str, m.Change]
    damage: Mapping[str, m.Change]
    options: dict[str, Any] = field(default_factory=dict)
    partitions: dict[str, list[str]] = field(default_factory=dict)

    def source(self) -> Source:
        """A source that has this file and nothing else."""
        keys = "".join(f"{{{key}}}/" for key in self.partitions)
        resource = {
            "connector": self.connector,
            "url": f"https://town.example/{keys}{self.name}",
            "options": self.options,
            "partitions": self.partitions,
            # What is missing is for the guards to notice; here it must be clear what the parser noticed.
            "guards": {"size_ratio": "off", "record_ratio": "off"},
        }
        said = {"title_de": "S", "title_en": "T", "domain": "core", "publisher": "S", "attribution": "S"}
        where = {"homepage": "https://town.example/", "licence": "x", "licence_url": "https://town.example/l"}
        when = {"covers": ["05515"], "schedule": "0 5 * * *", "fresh_for_days": 3}
        # As the catalogue has it for these two: their every record counts.
        strict = self.connector in ("bkg_boundaries", "municipality_directory")
        where["rejection_limit"] = "0" if strict else "0.05"
        return Source.model_validate({"id": "town", **said, **where, **when, "resources": {"file": resource}})


@dataclass(frozen=True)
class Verdict:
    """What became of one mutated input; `problems` is empty where all that must hold does."""

    connector: str
    mutation: str
    number: int
    outcome: str
    message: str
    staged: int
    rejected: int
    seconds: float
    problems: tuple[str, ...]


def staged_of(staged: Path, sha256: str) -> list[Path]:
    """Where rows of the town's snapshot lie, apart from what its columns were, which is kept of a refused one too."""
    told = {COLUMN_DRIFT.name, COLUMN_SEEN.name, SNAPSHOT_MEASURE.name}
    return [path for path in staged.glob(f"*/source_id=town/snapshot_sha256={sha256}") if path.parts[-3] not in told]


class Shelf:
    """A client that hands out what lies on it, as a publisher would send it."""

    def __init__(self) -> None:
        self.body = b""
        self._asked = 0

    def download(self, ask: Ask, target: Path) -> Answer:
        self._asked += 1
        is_metadata = ask.url.endswith("/metadata/table")
        updated = {"Status": {"Code": 0, "Content": ""}, "Object": {"Updated": str(self._asked)}}
        target.write_bytes(json.dumps(updated).encode() if is_metadata else self.body)
        return Answer(200, None, None, target.stat().st_size)


class Bench:
    """A home in which one format's undamaged file is in force and mutated ones follow."""

    def __init__(self, folder: Path, original: Original) -> None:
        self._original = original
        self._source = original.source()
        self._landing = Landing(folder / "landing", "town")
        self._staged = folder / "staged"
        self._shelf = Shelf()
        self._shelf.body = original.body
        fetched = fetch_source(self._source, self._landing, self._shelf, AS_OF)  # type: ignore[arg-type]
        parsed = parse_source(self._source, self._landing, self._staged)
        assert not fetched.errors + parsed.errors, fetched.errors + parsed.errors
        self._former = self.in_force()
        self._rows = {table: set(rows) for table, rows in self._values(self._sha256()).items()}

    def try_out(self, mutation: str, number: int, seed: int) -> Verdict:
        """Damage the file in the way named, fetch and parse it, and judge what came of it."""
        dice = Random(f"{seed} {self._original.connector} {number}")
        change = {**self._original.faithful, **self._original.damage}[mutation]
        self._shelf.body = change(self._original.body, dice)
        begun = time.monotonic()
        fetched = fetch_source(self._source, self._landing, self._shelf, AS_OF)  # type: ignore[arg-type]
        outcome, message, staged, rejected = "refused at fetch", " ".join(fetched.errors), 0, 0
        problems: list[str] = []
        if not fetched.failed:
            parsed = parse_source(self._source, self._landing, self._staged)
            outcome, message = ("refused at parse", parsed.errors[0]) if parsed.errors else ("staged", "")
            if not parsed.errors:
                sha256 = self._sha256()
                accounts = self._accounts(sha256)
                staged = sum(account["staged"] for account in accounts.values())
                rejected = sum(account["rejected"] for account in accounts.values())
                problems += self._count_problems(sha256, accounts)
                is_faithful = mutation in self._original.faithful
                problems += self._foreign_rows(sha256) if is_faithful else self._odd_values(sha256)
        seconds = time.monotonic() - begun
        if outcome != "staged":
            problems += self._refusal_problems(message)
        if seconds > TIME_LIMIT_S:
            problems.append(f"took {seconds:.1f} s")
        self._restore()
        return Verdict(
            self._original.connector, mutation, number, outcome, message, staged, rejected, seconds, tuple(problems)
        )

    # -- what must hold ----------------------------------------------------------------------------------------------

    def _count_problems(self, sha256: str, accounts: dict[str, Counter[str]]) -> Iterator[str]:
        rejected = Counter(row["table_name"] for row in self._read(sha256, "rejected_row"))
        for table, account in accounts.items():
            rows = len(self._read(sha256, table))
            if account["read"] != account["staged"] + account["rejected"] + account["out_of_scope"]:
                yield f"{table}: {dict(account)} does not add up"
            if (rows, rejected[table]) != (account["staged"], account["rejected"]):
                yield f"{table}: {rows} rows, {rejected[table]} rejected in the files, the account says {account}"

    def _foreign_rows(self, sha256: str) -> Iterator[str]:
        for table, rows in self._values(sha256).items():
            foreign = [row for row in rows if row not in self._rows.get(table, set())]
            if foreign:
                yield f"{table}: {len(foreign)} rows are not in the undamaged file, first: {foreign[0]}"

    def _odd_values(self, sha256: str) -> Iterator[str]:
        for table in (table.name for table in connector(self._original.connector).tables):
            for row in self._read(sha256, table):
                for column, value in row.items():
                    if value is not None and not _is_plausible(column, value):
                        yield f"{table}.{column}: {value!r}"
                        return

    def _refusal_problems(self, message: str) -> Iterator[str]:
        if self.in_force() != self._former:
            yield "refused, but no longer the former snapshot is in force"
        if not message or self._name() not in message:
            yield f"the message does not name the file: {message}"
        if any(defect in message for defect in DEFECTS):
            yield f"a fault of the parser: {message}"
        log = pq.ParquetFile(self._staged / "parse_log/town.parquet").read().to_pylist()
        for row in log:
            places = staged_of(self._staged, row["snapshot_sha256"])
            if row["outcome"] == "refused" and places:
                yield f"refused, but staged: {places[0]}"
        if list(self._staged.glob(".writing.*")):
            yield "a half-written folder is left"

    # -- what lies in the home ---------------------------------------------------------------------------------------

    def _restore(self) -> None:
        """The undamaged file in force again."""
        self._shelf.body = self._original.body
        fetch_source(self._source, self._landing, self._shelf, AS_OF)  # type: ignore[arg-type]
        parse_source(self._source, self._landing, self._staged)
        self._former = self.in_force()

    def _name(self) -> str:
        return "1000A-0000" if self._original.connector == "genesis_ffcsv" else self._original.name.split("?")[0]

    def in_force(self) -> list[dict[str, Any]]:
        rows = pq.ParquetFile(self._staged / "snapshot_in_force/town.parquet").read().to_pylist()
        return [{**row, "fetched_at": None} for row in rows]

    def _sha256(self) -> str:
        (record,) = self._landing.latest_good().values()
        return str(record.snapshot_sha256)

    def _read(self, sha256: str, table: str) -> list[dict[str, Any]]:
        places = self._staged.glob(f"{table}/source_id=town/snapshot_sha256={sha256}/*.parquet")
        return [row for place in places for row in pq.ParquetFile(place).read().to_pylist()]

    def _values(self, sha256: str) -> dict[str, list[tuple[Any, ...]]]:
        tables = [table.name for table in connector(self._original.connector).tables]
        return {
            table: [
                tuple(value for column, value in sorted(row.items()) if column not in LINEAGE)
                for row in self._read(sha256, table)
            ]
            for table in tables
        }

    def _accounts(self, sha256: str) -> dict[str, Counter[str]]:
        accounts: dict[str, Counter[str]] = defaultdict(Counter)
        for row in self._read(sha256, "record_account"):
            accounts[row["table_name"]][row["outcome"]] += row["records"]
        return accounts


# What the columns of the staged tables may hold; the rest is text.
_RANGES: Mapping[str, Callable[[Any], bool]] = {
    "ags": lambda value: re.fullmatch(r"05(515|554|558|566|570)\d{3}", value) is not None,
    "ars": lambda value: re.fullmatch(r"\d{12}", value) is not None,
    "school_id": lambda value: re.fullmatch(r"\d{6}", value) is not None,
    "site_id": lambda value: re.fullmatch(r"(MQ)?\d{1,18}", value) is not None,
    "longitude": lambda value: -180 <= value <= 180,
    "latitude": lambda value: -90 <= value <= 90,
    "stop_lon": lambda value: -180 <= value <= 180,
    "stop_lat": lambda value: -90 <= value <= 90,
    "first_year": lambda value: 1000 <= value <= 9999,
    "status_id": lambda value: value in (31, 35, 37, 38),
    "value": lambda value: isinstance(value, str) or abs(value) < 1e16,
    **dict.fromkeys(("target_value", "baseline", "budget_eur"), lambda value: abs(value) < 1e15),
    **dict.fromkeys(("delay_s", "arrival_delay_s", "departure_delay_s"), lambda value: abs(value) <= 7 * 86_400),
}


def _is_plausible(column: str, value: Any) -> bool:
    if column in _RANGES and not _RANGES[column](value):
        return False
    if isinstance(value, str):
        return "\0" not in value and len(value) <= 2**17
    if isinstance(value, float):
        return math.isfinite(value) and (column in _RANGES or value >= 0)
    if isinstance(value, bool | bytes):
        return True
    if isinstance(value, int):
        return column in _RANGES or value >= 0
    return isinstance(value, date | datetime) and 1 <= value.year <= 9999


# -- the undamaged files ---------------------------------------------------------------------------------------------


@cache
def originals() -> tuple[Original, ...]:
    """One file per connector, as small as it can tell something; two of GTFS, one of them to be cut to the region."""
    files = {name: body for part in PARTS for name, body in part.files().items()}
    found = {name.rsplit("/", 1)[-1]: body for name, body in files.items()}
    (sites,) = (body for name, body in found.items() if name == "site_min.json")
    month = next(name for name in sorted(files) if name.endswith("/2026-05.csv"))
    (answer,) = (
        answer for answer in registers.answers() if answer.table == "1000A-0000" and answer.place.endswith(".zip")
    )
    (described,) = (
        answer for answer in registers.answers() if answer.table == "1000A-0000" and answer.place.endswith(".json")
    )
    gtfs = _in_archive(lambda name: name.endswith(".txt"), _table(","))
    genesis = _in_archive(lambda name: name.endswith(".csv"), _table(";"))
    export = _in_archive(lambda name: name.endswith(".xml"), m.RECORD_CHANGES)
    workbook = _in_archive(lambda name: name.endswith(".xml"), {})
    shapes = _in_archive(lambda name: "VG5000_GEM" in name, {})
    cells = _in_archive(lambda name: "_100m-" in name, _table(";"))
    year = _in_archive(lambda name: name.endswith(".csv"), _table(";"))
    return (
        Original("charging_register", "register.csv", _name_of(found, "Ladesaeulenregister"), *_plain(";")),
        Original("schools_nrw", "schuldaten.csv", _name_of(found, "schuldaten"), *_plain(";")),
        Original(
            "count_table",
            "2026-05.csv",
            _head(files[month], 300),
            *_plain(","),
            options=_declared("muenster-bicycle-counters"),
            partitions={"station": [month.split("/")[-2]]},
        ),
        Original(
            "count_table",
            "hours.csv",
            counter_hours.neutor(),
            *_plain(","),
            options=_declared("muenster-bicycle-hours", "neutor"),
        ),
        Original(
            "count_table",
            "2015_03_29_24mq.csv",
            motor_traffic.day_file(motor_traffic.SPRING),
            *_without_names(";"),
            options=_declared("muenster-motor-traffic"),
        ),
        Original(
            "count_table",
            "hours.xlsx",
            workbook_of(counter_hours.wolbecker()),
            *workbook,
            options={**_declared("muenster-bicycle-hours", "wolbecker"), "layout": "hourly_workbook"},
        ),
        Original(
            "count_site_table",
            "LSA.csv",
            motor_traffic.junctions(),
            *_plain(","),
            options=_declared("muenster-motor-traffic", "junctions"),
        ),
        Original("monitor_yaml", "goals.yml", monitor.goals_yaml(), *_yaml()),
        Original("monitor_workbook", "goals.xlsx", monitor.goals_workbook(), *workbook),
        Original(
            "statistic_table",
            "population.csv",
            files[f"{monitor.LOCALZERO}/population/2021.csv"],
            *_plain(","),
            options=_declared("localzero-statistics", "population"),
            partitions={"year": ["2021"]},
        ),
        Original("eco_counter_sites", "site_min.json", sites, _json(), m.BYTE_DAMAGE),
        Original("genesis_ffcsv", "rest", answer.body, *genesis, options={"table_code": "1000A-0000"}),
        Original("genesis_metadata", "describe?name=1000A-0000", described.body, *_object()),
        # The downloader's Latin-1 is read as UTF-8 as well, which the mutations want.
        Original(
            "itnrw_table",
            "82411-01i_00.csv",
            itnrw.income().decode("latin-1").encode(),
            *_without_names(";"),
            options=_declared("it-nrw", "disposable-income"),
        ),
        Original(
            "oparl",
            "papers",
            council.page(council.papers()[:25], None, 1),
            *_page(),
            options=_declared("muenster-council", "papers"),
        ),
        Original("gtfs", "feed.zip", _small_feed(_name_of(found, "stadtwerke_feed")), *gtfs),
        Original(
            "gtfs",
            "latest.zip",
            _small_feed(files["download.gtfs.de/germany/rv_free/latest.zip"]),
            *gtfs,
            options={"region_only": True},
        ),
        Original("gtfs_realtime", "trips.pb", _name_of(found, "trip-updates"), *_messages()),
        Original(
            "localzero_renewable_energy",
            "2024.csv",
            files[mastr.REFERENCE],
            *_plain(","),
            partitions={"year": ["2024"]},
        ),
        Original("mastr_export", "export.zip", _small_export(files[mastr.EXPORT]), *export),
        Original("municipality_directory", "gv.xlsx", _name_of(found, "AuszugGV2QAktuell"), *workbook),
        Original("bkg_boundaries", "vg5000.zip", _name_of(found, "vg5000"), *shapes),
        Original("census_grid", "grid.zip", _small_grid(files[grid.GRID]), *cells),
        Original("barrier_free_stops", "stops.csv", files[barrier_free.BARRIER_FREE], *_of_several_lines(";")),
        *_market(files),
        Original(
            "load_profile_bdew",
            "h25.csv",
            files[f"{demand.HOST}/h25.csv"],
            *_headed_twice(","),
            partitions={"profile": ["h25"]},
        ),
        Original("load_profile_csv", "own.csv", files[demand.OPERATOR_CSV], *_plain(";"), options=OWN_PROFILE),
        Original("load_profile_xlsx", "own.xlsx", files[demand.OPERATOR_XLSX], *workbook, options=OWN_PROFILE),
        Original(
            "municipal_series",
            "klimadata.csv",
            files[demand.SERIES],
            *_plain(";"),
            options={"areas": {"Münster, Gesamtstadt": "05515000"}},
        ),
        Original("accident_atlas", "accidents.zip", accidents.year_file(2024), *year),
        Original("eco_visio_sites", "4586.json", eco_visio.site_list(), _json(), m.BYTE_DAMAGE),
        Original(
            "eco_visio",
            "series.json",
            next(each.body for each in eco_visio.answers() if each.query["debut"] == "01/03/2026"),
            *_series(),
            partitions={"site": ["900100001"], "month": ["2026-03"]},
        ),
        # The mutations want UTF-8, of which plain letters are part.
        Original(
            "bast_stations", "Jawe2024.csv", bast.station_list().replace("Ü".encode("latin-1"), b"U"), *_plain(";")
        ),
        Original(
            "bast_hours",
            "zst95001.zip",
            _small_year(bast.year_file(bast.STATIONS[0])),
            *year,
            partitions={"station": ["95001"], "year": ["2025"]},
        ),
        Original(
            "parking_table",
            "2026-10-24.csv",
            _head(files[f"{parking.BASE}/2026-10-24.csv"], 80),
            *_plain(","),
            options=_declared("muenster-parking"),
        ),
        Original(
            "uba_air_quality_csv",
            "station1140.csv",
            next(body for name, body in air_quality.files().items() if name.endswith("1140.csv")),
            *_in_order_of_time(";"),
            options=_declared("muenster-air-quality"),
        ),
        Original(
            "uba_air_quality_json",
            "month.json",
            air_quality.answers()[0].body,
            *_hours(),
            options=_declared("uba-air-quality"),
        ),
        Original(
            "table",
            "containers.csv",
            municipal.glass(),
            *_plain(","),
            options=_declared("muenster-recycling-containers", "glass"),
        ),
        Original(
            "table",
            "ages.csv",
            files[f"{municipal.DISTRICTS}/ms_wohnberechtigte_nach_alter.csv"],
            *_plain(","),
            options=_declared("muenster-city-districts", "population-by-age"),
        ),
        Original(
            "table",
            "playgrounds.geojson",
            municipal.playgrounds(),
            *_features(),
            options=_declared("muenster-playgrounds-and-sports", "playgrounds"),
        ),
        Original(
            "table",
            "places.xlsx",
            workbook_of(municipal.glass()),
            *workbook,
            options={**_declared("muenster-recycling-containers", "glass"), "file": "xlsx"},
        ),
        Original("table", "places.gml", _gml(), *_elements(), options=_GML_OPTIONS),
    )


def _declared(source_id: str, resource: str = "readings") -> dict[str, Any]:
    """How the project's own source reads its files."""
    return load_source(REPOSITORY / "data/sources" / f"{source_id}.yml").resources[resource].options


def _without_names(delimiter: str) -> tuple[dict[str, m.Change], dict[str, m.Change]]:
    """What can be done to a plain CSV whose values are told by their places: to move columns is to change records."""
    faithful, damage = _plain(delimiter)
    del faithful["shuffle_columns"]
    return faithful, damage


def workbook_of(content: bytes) -> bytes:
    """A CSV of hours as the workbook it was exported from: dates are dates, numbers numbers, blanks texts."""
    book = openpyxl.Workbook()
    for row in csv.reader(io.StringIO(content.decode())):
        book.active.append([_typed(cell) for cell in row])
    packed = io.BytesIO()
    book.save(packed)
    members = m.members_of(packed.getvalue())
    # It tells when it was made.
    del members["docProps/core.xml"]
    return m.zipped(list(members.items()))


def _typed(cell: str) -> Any:
    if re.fullmatch(r"\d+/\d+/\d+ \d+:00", cell):
        return datetime.strptime(cell, "%m/%d/%Y %H:%M")  # noqa: DTZ007  local time without offset
    return int(cell) if cell.isdigit() else cell


# As the sample's source declares a network operator's table.
OWN_PROFILE = {
    **{"time": "Zeit", "season": "Jahreszeit", "day_type": "Tag", "unit": "W", "normalised_to_kwh": 1000.0},
    "profiles": {"haushalt": "Haushalt", "gewerbe": "Gewerbe"},
}


def _market(files: Mapping[str, bytes]) -> tuple[Original, ...]:
    week = next(name for name in sorted(files) if "/410/DE/410_DE_quarterhour_" in name)
    asked = {"series": ["410"], "region": ["DE"], "resolution": ["quarterhour"]}
    return (
        Original("smard_chart", "week.json", files[week], *_json_under("series"), partitions=asked),
        Original(
            "smard_index",
            "index.json",
            files[f"{market.CHARTS}/410/DE/index_quarterhour.json"],
            *_json_under("timestamps"),
            partitions=asked,
        ),
        Original("smard_download", "download.csv", _head(files[market.DOWNLOAD], 400), *_plain(";")),
        Original(
            "energy_charts", "power.json", market.power(), *_json_under("production_types"), options={"answer": "power"}
        ),
    )


def _name_of(files: Mapping[str, bytes], beginning: str) -> bytes:
    return next(body for name, body in files.items() if name.startswith(beginning))


def _head(content: bytes, lines: int) -> bytes:
    return b"".join(content.splitlines(keepends=True)[:lines])


def _table(delimiter: str) -> dict[str, m.Change]:
    return {**m.LINE_CHANGES, "shuffle_columns": m.shuffle_columns(delimiter)}


def _plain(delimiter: str) -> tuple[dict[str, m.Change], dict[str, m.Change]]:
    """What can be done to a plain CSV."""
    damage = {
        **m.BYTE_DAMAGE,
        "shuffle_header": m.shuffle_header(delimiter),
        "change_delimiter": m.change_delimiter(delimiter),
    }
    return {**_table(delimiter), "cut": m.cut}, damage


def _yaml() -> tuple[dict[str, m.Change], dict[str, m.Change]]:
    """What can be done to YAML whose entries go over several lines: to move or double some is to change entries."""
    changes = {**m.LINE_CHANGES, "cut": m.cut}
    moved = {name: changes.pop(name) for name in ("double_lines", "swap_lines")}
    return changes, {**m.BYTE_DAMAGE, **moved}


def _of_several_lines(delimiter: str) -> tuple[dict[str, m.Change], dict[str, m.Change]]:
    """What can be done to a plain CSV whose records go over several lines: to move lines is to change records."""
    faithful, damage = _plain(delimiter)
    moved = {name: faithful.pop(name) for name in ("double_lines", "swap_lines")}
    return faithful, {**damage, **moved}


def _in_archive(
    fits: Callable[[str], bool], faithful: Mapping[str, m.Change]
) -> tuple[dict[str, m.Change], dict[str, m.Change]]:
    """What can be done to an archive and, packed again, to its members; a member that is cut is not whole any more."""
    inner = {f"{name} in a member": m.in_member(fits, change) for name, change in faithful.items()}
    damage = {**m.BYTE_DAMAGE, "cut": m.cut}
    return {**m.ARCHIVE_CHANGES, **inner}, {
        f"{name} in a member": m.in_member(fits, change) for name, change in damage.items() if name not in faithful
    }


def _json() -> dict[str, m.Change]:
    def entries(change: Callable[[list[Any], Random], list[Any]]) -> m.Change:
        return lambda content, dice: json.dumps(change(json.loads(content), dice), ensure_ascii=False).encode()

    def keys(entry: dict[str, Any], dice: Random) -> dict[str, Any]:
        return dict(dice.sample(list(entry.items()), len(entry)))

    return {
        "cut": m.cut,
        "reencode": m.reencode,
        "encode_twice": m.encode_twice,
        "double_whole": m.double_whole,
        "double_entries": entries(lambda found, dice: [*found, dice.choice(found)]),
        "swap_entries": entries(lambda found, dice: dice.sample(found, len(found))),
        "shuffle_keys": entries(lambda found, dice: [keys(entry, dice) for entry in found]),
    }


def _json_under(key: str) -> tuple[dict[str, m.Change], dict[str, m.Change]]:
    """What can be done to a JSON object whose records stand in a list under `key`."""

    def entries(change: Callable[[list[Any], Random], list[Any]]) -> m.Change:
        def changed(content: bytes, dice: Random) -> bytes:
            whole = json.loads(content)
            return json.dumps(whole | {key: change(whole[key], dice)}).encode()

        return changed

    return {
        "cut": m.cut,
        "reencode": m.reencode,
        "double_whole": m.double_whole,
        "double_entries": entries(lambda found, dice: [*found, dice.choice(found)]),
        "swap_entries": entries(lambda found, dice: dice.sample(found, len(found))),
        "lose_entries": entries(lambda found, dice: dice.sample(found, dice.randrange(1, len(found)))),
    }, m.BYTE_DAMAGE


def _headed_twice(delimiter: str) -> tuple[dict[str, m.Change], dict[str, m.Change]]:
    """What can be done to a CSV with two header rows: one moved among the others makes another table."""
    faithful, damage = _plain(delimiter)
    moved = {name: faithful.pop(name) for name in ("double_lines", "swap_lines", "cut_lines", "shuffle_columns")}
    return faithful, {**damage, **moved}


_GML_OPTIONS: dict[str, Any] = {
    "into": "facility",
    "file": "gml",
    "columns": {"facility_id": "id", "kind": {"fixed": "playground"}, "name": "Name", "ags": {"fixed": "05515000"}},
    "place": {"geometry": True, "crs": "EPSG:25832"},
    "covers": ["05515000"],
}


def _gml() -> bytes:
    """The sample's playgrounds as a feature service would answer them."""
    to_metres = pyproj.Transformer.from_crs("EPSG:4326", "EPSG:25832", always_xy=True)
    members = []
    for number, feature in enumerate(json.loads(municipal.playgrounds())["features"][:40], start=1):
        east, north = to_metres.transform(*feature["geometry"]["coordinates"])
        place = f'<g:Point srsName="urn:ogc:def:crs:EPSG::25832"><g:pos>{east:.2f} {north:.2f}</g:pos></g:Point>'
        name = f"<m:Name>Spielplatz Mühlenweg {number}</m:Name>"
        members.append(f'<w:member><m:p g:id="p.{number}"><m:geom>{place}</m:geom>{name}</m:p></w:member>')
    spaces = (
        'xmlns:w="http://www.opengis.net/wfs/2.0" xmlns:g="http://www.opengis.net/gml/3.2" xmlns:m="https://m.example"'
    )
    head = '<?xml version="1.0" encoding="UTF-8"?>'
    return f"{head}<w:FeatureCollection {spaces}>{''.join(members)}</w:FeatureCollection>".encode()


def _features() -> tuple[dict[str, m.Change], dict[str, m.Change]]:
    """What can be done to the features of a GeoJSON."""

    def of_features(change: Callable[[list[Any], Random], list[Any]]) -> m.Change:
        def changed(content: bytes, dice: Random) -> bytes:
            whole = json.loads(content)
            return json.dumps({**whole, "features": change(whole["features"], dice)}, ensure_ascii=False).encode()

        return changed

    faithful = {
        "cut": m.cut,
        "reencode": m.reencode,
        "encode_twice": m.encode_twice,
        "lose_features": of_features(lambda found, dice: dice.sample(found, len(found) - 1)),
        "double_features": of_features(lambda found, dice: [*found, dice.choice(found)]),
        "swap_features": of_features(lambda found, dice: dice.sample(found, len(found))),
    }
    return faithful, dict(m.BYTE_DAMAGE)


def _elements() -> tuple[dict[str, m.Change], dict[str, m.Change]]:
    """What can be done to an XML that is read whole."""
    faithful = {"cut": m.cut, "reencode": m.reencode, "encode_twice": m.encode_twice, "double_whole": m.double_whole}
    return faithful, dict(m.BYTE_DAMAGE)


def _series() -> tuple[dict[str, m.Change], dict[str, m.Change]]:
    """What can be done to a series whose entries say by their order when they were counted: to move one is damage."""

    def entries(change: Callable[[list[Any], Random], list[Any]]) -> m.Change:
        return lambda content, dice: json.dumps(change(json.loads(content), dice)).encode()

    faithful = {name: change for name, change in _json().items() if not name.endswith(("entries", "keys"))}
    return faithful, {
        **m.BYTE_DAMAGE,
        "double_entries": entries(lambda found, dice: [*found, dice.choice(found)]),
        "lose_entries": entries(lambda found, dice: sorted(dice.sample(found, len(found) - dice.randrange(30)))),
        "swap_entries": entries(lambda found, dice: dice.sample(found, len(found))),
    }


def _in_order_of_time(delimiter: str) -> tuple[dict[str, m.Change], dict[str, m.Change]]:
    """What can be done to a CSV whose order tells the passes of autumn's hour apart: to move lines is damage."""
    faithful, damage = _plain(delimiter)
    moved = {name: faithful.pop(name) for name in ("cut_lines", "double_lines", "swap_lines", "double_whole")}
    return faithful, {**damage, **moved}


def _hours() -> tuple[dict[str, m.Change], dict[str, m.Change]]:
    """What can be done to an answer whose hours stand in an object, in any order."""

    def hours(change: Callable[[list[Any], Random], list[Any]]) -> m.Change:
        def changed(content: bytes, dice: Random) -> bytes:
            answer = json.loads(content)
            ((station, found),) = answer["data"].items()
            return json.dumps({**answer, "data": {station: dict(change(list(found.items()), dice))}}).encode()

        return changed

    faithful = {name: change for name, change in _json().items() if not name.endswith(("entries", "keys"))}
    return {
        **faithful,
        "swap_hours": hours(lambda found, dice: dice.sample(found, len(found))),
        "lose_hours": hours(lambda found, dice: dice.sample(found, dice.randrange(len(found)))),
    }, m.BYTE_DAMAGE


def _object() -> tuple[dict[str, m.Change], dict[str, m.Change]]:
    """What can be done to a document that is one object."""

    def shuffled(content: bytes, dice: Random) -> bytes:
        found = json.loads(content)
        return json.dumps(dict(dice.sample(list(found.items()), len(found))), ensure_ascii=False).encode()

    faithful = {name: change for name, change in _json().items() if not name.endswith(("entries", "keys"))}
    return {**faithful, "shuffle_keys": shuffled}, m.BYTE_DAMAGE


def _page() -> tuple[dict[str, m.Change], dict[str, m.Change]]:
    """What can be done to a page of a list whose objects stand in an object."""

    def data(change: Callable[[list[Any], Random], list[Any]]) -> m.Change:
        def changed(content: bytes, dice: Random) -> bytes:
            found = json.loads(content)
            return json.dumps({**found, "data": change(found["data"], dice)}, ensure_ascii=False).encode()

        return changed

    faithful, damage = _object()
    return {
        **faithful,
        "double_entries": data(lambda found, dice: [*found, dice.choice(found)]),
        "swap_entries": data(lambda found, dice: dice.sample(found, len(found))),
        "lose_entries": data(lambda found, dice: dice.sample(found, dice.randrange(len(found)))),
    }, damage


def _messages() -> tuple[dict[str, m.Change], dict[str, m.Change]]:
    """What can be done to a message of GTFS Realtime; behind its last byte may follow the same message again."""

    def entities(change: Callable[[list[Any], Random], list[Any]]) -> m.Change:
        def changed(content: bytes, dice: Random) -> bytes:
            message = gtfs_realtime_pb2.FeedMessage.FromString(content)
            chosen = change(list(message.entity), dice)
            return bytes(gtfs_realtime_pb2.FeedMessage(header=message.header, entity=chosen).SerializeToString())

        return changed

    return {
        "cut": m.cut,
        "double_whole": m.double_whole,
        "swap_entities": entities(lambda found, dice: dice.sample(found, len(found))),
        "lose_entities": entities(lambda found, dice: dice.sample(found, dice.randrange(len(found)))),
    }, m.BYTE_DAMAGE


def _small_feed(content: bytes) -> bytes:
    """Every tenth trip of a feed, with its stop_times."""
    members = m.members_of(content)
    trips = _records(members["trips.txt"])
    kept = [trips[0], *trips[1::10]]
    ids = {record[trips[0].index("trip_id")] for record in kept}
    times = _records(members["stop_times.txt"])
    place = times[0].index("trip_id")
    members["trips.txt"] = _csv(kept)
    members["stop_times.txt"] = _csv([times[0], *(record for record in times[1:] if record[place] in ids)])
    return m.zipped(list(members.items()))


def _small_grid(content: bytes) -> bytes:
    """Every twentieth cell of a grid, in each of its widths."""
    members = m.members_of(content)
    for name, body in members.items():
        if name.endswith(".csv"):
            header, *lines = body.splitlines(keepends=True)
            members[name] = b"".join([header, *lines[::20]])
    return m.zipped(list(members.items()))


def _small_year(content: bytes) -> bytes:
    """Some days of a year of hours."""
    return m.zipped([(name, _head(body, 200)) for name, body in m.members_of(content).items()])


def _records(content: bytes) -> list[list[str]]:
    return list(csv.reader(io.StringIO(content.decode("utf-8-sig"), newline="")))


def _csv(records: list[list[str]]) -> bytes:
    text = io.StringIO(newline="")
    csv.writer(text).writerows(records)
    return text.getvalue().encode()


def _small_export(content: bytes) -> bytes:
    """Twenty-five records of every file of an export."""
    kept = []
    for name, body in m.members_of(content).items():
        text = body.decode("utf-16")
        root = re.search(r"<(\w+)>", text)
        record = re.search(r"<\w+>\s*<(\w+)>", text)
        if root is None or record is None:
            continue
        parts = text.split(f"</{record[1]}>")
        short = f"</{record[1]}>".join(parts[:26]) if len(parts) > 26 else text
        short = (
            short
            if short.rstrip().endswith(f"</{root[1]}>")
            else short[: short.rfind(f"<{record[1]}>")] + f"</{root[1]}>"
        )
        kept.append((name, codecs.BOM_UTF16_LE + short.encode("utf-16-le")))
    return m.zipped(kept)


# -- many of them ----------------------------------------------------------------------------------------------------


def fuzz(count: int, seed: int, folder: Path) -> Iterator[Verdict]:
    """Verdicts on `count` mutated inputs, the formats and their mutations in turn; equal for equal seeds."""
    benches = []
    for number, original in enumerate(originals()):
        place = folder / str(number)
        place.mkdir()
        benches.append((Bench(place, original), [*original.faithful, *original.damage]))
    for number in range(count):
        bench, names = benches[number % len(benches)]
        faulthandler.dump_traceback_later(4 * TIME_LIMIT_S, exit=True)
        yield bench.try_out(names[number // len(benches) % len(names)], number, seed)
        faulthandler.cancel_dump_traceback_later()


def main() -> None:
    """Run the mutated inputs and print the figures; exit code 1 where something did not hold."""
    options = argparse.ArgumentParser(prog="make fuzz")
    options.add_argument("--count", type=int, default=2000)
    options.add_argument("--seed", type=int, default=1)
    chosen = options.parse_args()
    outcomes: dict[str, Counter[str]] = {name: Counter() for name in sorted(CONNECTORS)}
    slowest: dict[str, Verdict] = {}
    problems = 0
    with tempfile.TemporaryDirectory() as folder:
        for verdict in fuzz(chosen.count, chosen.seed, Path(folder)):
            counts = outcomes[verdict.connector]
            counts["inputs"] += 1
            counts[verdict.outcome] += 1
            counts["rows"] += verdict.staged
            counts["rejected rows"] += verdict.rejected
            counts["with rejected rows"] += bool(verdict.rejected)
            slow = slowest.setdefault(verdict.connector, verdict)
            slowest[verdict.connector] = max(slow, verdict, key=lambda each: each.seconds)
            for problem in verdict.problems:
                problems += 1
                sys.stdout.write(f"{verdict.connector} #{verdict.number} {verdict.mutation}: {problem[:600]}\n")
    columns = (
        "inputs",
        "staged",
        "with rejected rows",
        "refused at fetch",
        "refused at parse",
        "rows",
        "rejected rows",
    )
    sys.stdout.write(f"\n{'connector':24}{''.join(f'{column:>20}' for column in columns)}{'longest s':>12}\n")
    for name, counts in outcomes.items():
        if name in slowest:
            figures = "".join(f"{counts[column]:>20,}" for column in columns)
            sys.stdout.write(f"{name:24}{figures}{slowest[name].seconds:>12.2f}\n")
    sys.stdout.write(f"\n{chosen.count} inputs with seed {chosen.seed}: {problems} problems\n")
    sys.exit(bool(problems))


if __name__ == "__main__":
    main()
