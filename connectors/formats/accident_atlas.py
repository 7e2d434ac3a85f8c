"""Parse the Unfallatlas: every road accident with personal injury in Germany, one file per year.

Statistische Ämter des Bundes und der Länder, `Unfallorte{year}_EPSG25832_CSV.zip` at opengeodata.nrw.de. No such file
was at hand: what is known of them stands in programs that read them (headers of 2016 to 2018 with a line each in
od-ms' reader for Münster; 2019 to 2025 in carstenartur/Unfallatlas and others, which agree). Confirmed by several of
them: `;`, decimal comma, a member `csv/Unfallorte{year}_LinRef.txt` or `….csv` whose name changes, a byte order mark in
some years, and columns that change place and name from year to year, as COLUMNS has them. By one alone: blanks within
numbers. The meaning of the codes is that of the publisher's description of the data (Unfallkategorie, Unfallart,
Unfalltyp, Lichtverhältnisse, Straßenzustand).
North Rhine-Westphalia is in the atlas from 2019 on (IT.NRW, press release on the atlas of 2019).
"""

from __future__ import annotations

import re
import zipfile
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import pyproj

from connectors.archive import extract, files, open_zip
from connectors.connector import Connector, Snapshot
from connectors.errors import SnapshotRefused
from connectors.region import BoundingBox, Region
from connectors.staging import StagedWriter
from connectors.tables import ACCIDENT as TABLE
from connectors.text import CUT, CsvRecords, german_lines

Column = Literal[
    "state",
    "district",
    "kreis",
    "municipality",
    "accident_id",
    "year",
    "month",
    "hour",
    "weekday",
    "severity",
    "kind_id",
    "type_id",
    "light_id",
    "road_condition_id",
    "with_bicycle",
    "with_car",
    "with_pedestrian",
    "with_motorcycle",
    "with_goods_vehicle",
    "with_other",
    "longitude",
    "latitude",
    "easting_m",
    "northing_m",
]
# What the publisher calls each, newest name first. The first name that a header has is read.
COLUMNS: Mapping[Column, tuple[str, ...]] = {
    "state": ("ULAND",),
    "district": ("UREGBEZ",),
    "kreis": ("UKREIS",),
    "municipality": ("UGEMEINDE",),
    # 2016: FID and OBJECTID; 2017: OBJECTID and UIDENTSTLA; 2018: OBJECTID_1; 2019, 2020, 2022: OBJECTID; from 2020:
    # UIDENTSTLAE; 2021, 2023, 2024: OID_. Numbers of lines are no ids, but better than none.
    "accident_id": ("UIDENTSTLAE", "UIDENTSTLA", "OBJECTID", "OBJECTID_1", "OID_", "FID"),
    "year": ("UJAHR",),
    "month": ("UMONAT",),
    "hour": ("USTUNDE",),
    "weekday": ("UWOCHENTAG",),
    "severity": ("UKATEGORIE",),
    "kind_id": ("UART",),
    "type_id": ("UTYP1",),
    # LICHT in 2017.
    "light_id": ("ULICHTVERH", "LICHT"),
    # 2016: IstStrasse; 2017 to 2020: STRZUSTAND; one edition of 2021: USTRZUSTAND; else from 2021: IstStrassenzustand.
    "road_condition_id": ("IstStrassenzustand", "USTRZUSTAND", "STRZUSTAND", "IstStrasse"),
    "with_bicycle": ("IstRad",),
    "with_car": ("IstPKW",),
    "with_pedestrian": ("IstFuss",),
    "with_motorcycle": ("IstKrad",),
    # Not in 2017, when goods vehicles were among the others.
    "with_goods_vehicle": ("IstGkfz",),
    # IstSonstig up to 2018.
    "with_other": ("IstSonstige", "IstSonstig"),
    "longitude": ("XGCSWGS84",),
    "latitude": ("YGCSWGS84",),
    "easting_m": ("LINREFX",),
    "northing_m": ("LINREFY",),
}
# Which of them a file may lack; of the coordinates one pair must be there.
OPTIONAL: frozenset[Column] = frozenset({"with_goods_vehicle", "longitude", "latitude", "easting_m", "northing_m"})
DEGREES: tuple[Column, Column] = ("longitude", "latitude")
METRES: tuple[Column, Column] = ("easting_m", "northing_m")
# How sure the publisher is of the place, from 2023 on.
COLUMNS_NOT_STAGED = frozenset({"PLST"})
# Every year since has told goods vehicles apart.
GOODS_VEHICLES_SINCE = 2018

ANOTHER_STATE = "another state"
OUTSIDE = "outside the region"
SEVERITIES = {1: "killed", 2: "seriously_injured", 3: "slightly_injured"}
SUNDAY = 1
# North Rhine-Westphalia with a margin, degrees in EPSG:4326.
STATE = BoundingBox(west=5.8, south=50.3, east=9.5, north=52.6)
BATCH_ROWS = 5_000
# A year of Germany is 30 MB; a member unpacks to no more than this.
UNPACKED_LIMIT_BYTES = 500 * 2**20
# The longest header has 26 columns.
HEADER_LIMIT_BYTES = 2**16


def parse(
    snapshot: Snapshot, out: StagedWriter, region: Region, /, *, columns: dict[Column, list[str]] | None = None
) -> None:
    """Stage one row per accident of the region, by the municipality key of the record; a record is one line but the
    header.

    Lines of other states and municipalities are out of scope, decided by their key alone; a file without this state
    says so by having no lines outside of the region in it. `columns` adds names that a later year gives a column. The
    partition's `year`, if it has one, must be that of every line. weekday: 1 Monday to 7 Sunday (1 is Sunday in the
    file); with_goods_vehicle is null where the file does not tell them apart. Raises SnapshotRefused where the zip has
    not exactly one table of accidents or that lacks a column.
    """
    path = _table(snapshot, out.scratch)
    where = f"{snapshot.source_id}: {snapshot.path.name}: {path.name}"
    records = CsvRecords(german_lines(path, where), where, delimiter=";")
    header = [name.strip() for name in next(records, [])]
    places = _places(out, where, header, _names(columns or {}), _year_of(snapshot))
    read = _Reader(out, region, header, places, _year_of(snapshot))
    rows: list[dict[str, Any]] = []
    last_is_staged = len(header) - 1 in places.values()
    for number, line in enumerate(records, start=1):
        out.read(TABLE, 1)
        row = read.row(number, line)
        if row is not None and records.ends_open and last_is_staged:
            out.reject(TABLE, number, header[-1], ";".join(line), CUT)
        elif row is not None:
            rows.append(row)
        if len(rows) == BATCH_ROWS:
            out.write(TABLE, _placed(out, rows))
            rows = []
    out.write(TABLE, _placed(out, rows))
    read.tell()


# -- the table in the archive ----------------------------------------------------------------------------------------


def _table(snapshot: Snapshot, scratch: Path) -> Path:
    """The one member that begins with the header of a table of accidents, unpacked; names and folders change."""
    with open_zip(snapshot.path, UNPACKED_LIMIT_BYTES) as archive:
        members = files(archive)
        fitting = [
            member
            for name, member in members.items()
            if name.lower().endswith((".csv", ".txt")) and _is_table(archive, member)
        ]
        if len(fitting) != 1:
            raise SnapshotRefused(
                f"{snapshot.source_id}: {snapshot.path.name}: expected one member (.csv or .txt) whose header has "
                f"{_marks()}, found {len(fitting)} among {', '.join(sorted(members)[:20]) or 'none'}; see whether the "
                "publisher changed the file"
            )
        return extract(archive, fitting[0], scratch)


def _is_table(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> bool:
    with archive.open(member) as stream:
        first = stream.readline(HEADER_LIMIT_BYTES).removeprefix(b"\xef\xbb\xbf").decode("latin-1")
    names = {name.strip(' "\r\n') for name in first.split(";")}
    return {COLUMNS["state"][0], COLUMNS["severity"][0]} <= names


def _marks() -> str:
    return f"{COLUMNS['state'][0]} and {COLUMNS['severity'][0]}"


# -- columns ---------------------------------------------------------------------------------------------------------


def _names(added: Mapping[Column, Sequence[str]]) -> dict[Column, tuple[str, ...]]:
    return {column: (*added.get(column, ()), *names) for column, names in COLUMNS.items()}


def _places(
    out: StagedWriter, where: str, header: list[str], names: Mapping[Column, tuple[str, ...]], year: int | None
) -> dict[Column, int]:
    """Where each column stands in a line; those nobody declared, and goods vehicles where they miss, are reported."""
    repeated = {name for name in header if name and header.count(name) > 1}
    if repeated:
        raise SnapshotRefused(f"{where}: the header holds {', '.join(sorted(repeated))} twice; ask the publisher")
    out.saw_header(TABLE, header)
    known = COLUMNS_NOT_STAGED.union(*names.values())
    for name in header:
        if name and name not in known:
            out.drift(TABLE, name, "new")
    places = {
        column: next(header.index(name) for name in candidates if name in header)
        for column, candidates in names.items()
        if any(name in header for name in candidates)
    }
    if "with_goods_vehicle" not in places and year is not None and year >= GOODS_VEHICLES_SINCE:
        out.drift(TABLE, names["with_goods_vehicle"][0], "missing")
    missing = [column for column in names if column not in places and column not in OPTIONAL]
    if not any(all(column in places for column in pair) for pair in (DEGREES, METRES)):
        missing += DEGREES
    for column in missing:
        out.drift(TABLE, names[column][0], "missing")
    if missing:
        column = missing[0]
        raise SnapshotRefused(
            f"{where}: expected a column {' or '.join(names[column])} for {', '.join(missing)}, found "
            f"{', '.join(header)[:500]}; declare the new name in the source's YAML, options: {{columns: {{{column}: "
            f"[NAME]}}}}"
        )
    return places


# -- lines -----------------------------------------------------------------------------------------------------------


class _Reader:
    """Turns lines into rows, and remembers what it could not read of columns that only inform."""

    def __init__(
        self, out: StagedWriter, region: Region, header: list[str], places: dict[Column, int], year: int | None
    ) -> None:
        self._out = out
        self._region = region
        self._header = header
        self._places = places
        self._year = year
        self._states = {key[:2] for key in region.kreis_keys}
        self._strange: Counter[str] = Counter()

    def row(self, number: int, line: list[str]) -> dict[str, Any] | None:
        """The line as a row with its place as it came, None where it is none, was rejected or lies elsewhere."""
        if len(line) != len(self._header) or not line[self._places["state"]].strip():
            if any(cell.strip() for cell in line):
                expected = f"expected {len(self._header)} fields, the state's key among them"
                self._out.reject(TABLE, number, "row", ";".join(line), expected)
            else:
                self._out.out_of_scope(TABLE, "blank row")
            return None
        try:
            state = self._digits(line, "state", 2)
            if state not in self._states:
                self._out.out_of_scope(TABLE, ANOTHER_STATE)
                return None
            kreis = state + self._digits(line, "district", 1) + self._digits(line, "kreis", 2)
            if not self._region.holds(kreis):
                self._out.out_of_scope(TABLE, OUTSIDE)
                return None
            return {
                "record_number": number,
                "ags": self._municipality(kreis + self._digits(line, "municipality", 3)),
                **{column: read(self._cell(line, column)) for column, read in _READERS.items()},
                "year": self._year_in(line),
                "with_goods_vehicle": (
                    _flag(self._cell(line, "with_goods_vehicle")) if "with_goods_vehicle" in self._places else None
                ),
                **self._place(line),
            }
        except _UnreadableError as fault:
            self._out.reject(TABLE, number, self._header[self._places[fault.column]], fault.raw, fault.expected)
            return None

    def tell(self) -> None:
        """Say which keys of the region are no municipality's: their accidents are staged by place alone."""
        for ags, records in sorted(self._strange.items()):
            self._out.unread(TABLE, self._header[self._places["municipality"]], "no municipality's key", records, ags)

    def _cell(self, line: list[str], column: Column) -> _Cell:
        return _Cell(column, line[self._places[column]].strip())

    def _digits(self, line: list[str], column: Column, width: int) -> str:
        """Part of a key, with the leading zeros that a spreadsheet took."""
        cell = self._cell(line, column)
        if not re.fullmatch(f"[0-9]{{1,{width}}}", cell.raw):
            raise _UnreadableError(cell, f"expected {width} digits")
        return cell.raw.zfill(width)

    def _municipality(self, ags: str) -> str | None:
        if ags in self._region.centres:
            return ags
        self._strange[ags] += 1
        return None

    def _year_in(self, line: list[str]) -> int:
        cell = self._cell(line, "year")
        year = _whole(cell, 1900, 2100)
        if self._year not in (None, year):
            raise _UnreadableError(cell, f"expected the file's year {self._year}")
        return year

    def _place(self, line: list[str]) -> dict[str, float | None]:
        found: dict[str, float | None] = dict.fromkeys((*DEGREES, *METRES))
        for pair in (DEGREES, METRES):
            if all(column in self._places for column in pair):
                found |= {column: _number(self._cell(line, column)) for column in pair}
        return found


@dataclass(frozen=True)
class _Cell:
    column: Column
    raw: str


class _UnreadableError(ValueError):
    def __init__(self, cell: _Cell, expected: str) -> None:
        super().__init__(expected)
        self.column, self.raw, self.expected = cell.column, cell.raw, expected


def _whole(cell: _Cell, first: int, last: int) -> int:
    if not re.fullmatch(r"[0-9]{1,4}", cell.raw) or not first <= int(cell.raw) <= last:
        raise _UnreadableError(cell, f"expected a whole number from {first} to {last}")
    return int(cell.raw)


def _code(last: int) -> Callable[[_Cell], int | None]:
    """A code from 0 to `last`, null where it is blank."""
    return lambda cell: _whole(cell, 0, last) if cell.raw else None


def _flag(cell: _Cell) -> bool:
    return bool(_whole(cell, 0, 1))


def _number(cell: _Cell) -> float | None:
    """A number with decimal comma; the publisher's have blanks within."""
    text = re.sub(r"\s", "", cell.raw)
    if not text:
        return None
    if not re.fullmatch(r"-?[0-9]{1,8}(,[0-9]{1,20})?", text):
        raise _UnreadableError(cell, "expected a number with a decimal comma")
    return float(text.replace(",", "."))


def _weekday(cell: _Cell) -> int:
    day = _whole(cell, 1, 7)
    return 7 if day == SUNDAY else day - 1


def _id(cell: _Cell) -> str:
    if not re.fullmatch(r"[0-9A-Za-z]{1,40}", cell.raw):
        raise _UnreadableError(cell, "expected an id of letters and digits")
    return cell.raw


_READERS: Mapping[Column, Callable[[_Cell], Any]] = {
    "accident_id": _id,
    "month": lambda cell: _whole(cell, 1, 12),
    "hour": lambda cell: _whole(cell, 0, 23),
    "weekday": _weekday,
    "severity": lambda cell: SEVERITIES[_whole(cell, 1, 3)],
    "kind_id": _code(9),
    "type_id": _code(7),
    "light_id": _code(2),
    "road_condition_id": _code(2),
    "with_bicycle": _flag,
    "with_car": _flag,
    "with_pedestrian": _flag,
    "with_motorcycle": _flag,
    "with_other": _flag,
}


def _placed(out: StagedWriter, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The rows with longitude and latitude in EPSG:4326, of metres where they have no degrees; those whose place lies
    outside of the state are rejected."""
    from_metres = [row for row in rows if row["longitude"] is None and row["easting_m"] is not None]
    if from_metres:
        to_degrees = pyproj.Transformer.from_crs("EPSG:25832", "EPSG:4326", always_xy=True)
        places = to_degrees.transform(
            [row["easting_m"] for row in from_metres], [row["northing_m"] for row in from_metres]
        )
        for row, longitude, latitude in zip(from_metres, *places, strict=True):
            row["longitude"], row["latitude"] = longitude, latitude
    placed = []
    for row in rows:
        longitude, latitude = row["longitude"], row["latitude"]
        known = longitude is not None and latitude is not None
        if known and not STATE.holds(longitude, latitude):
            out.reject(TABLE, row["record_number"], "place", f"{longitude} {latitude}", "outside of the state")
            continue
        kept = {name: value for name, value in row.items() if name not in METRES}
        placed.append(kept if known else kept | {"longitude": None, "latitude": None})
    return placed


def _year_of(snapshot: Snapshot) -> int | None:
    year = snapshot.partition.get("year")
    return int(year) if year is not None and re.fullmatch(r"[0-9]{4}", year) else None


CONNECTOR = Connector(
    name="accident_atlas",
    version=1,
    payload="zip",
    tables=(TABLE,),
    parse=parse,
    unpacked_limit_bytes=UNPACKED_LIMIT_BYTES,
)
