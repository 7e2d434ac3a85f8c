"""Parse tables of free parking places: a row per moment, a column per car park, known by its name and never its place.

Three generations of Münster's day files (archived by Code for Münster) are read by one declaration: 16 car parks; one
more put in front, which shifts all others; every field quoted, new car parks behind, a row of capacities below the
header and marks in place of numbers (`ges` geschlossen, closed; `bes` besetzt, full; `kei` no signal). Times are local
without offset, every 5 or 15 minutes, both passes of autumn's repeated hour one after the other. Rows may be of another
day than the file's name says: the row's own date counts.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

import pyarrow as pa

from connectors.civil_time import RowClock
from connectors.connector import Connector, Snapshot
from connectors.errors import SnapshotRefused
from connectors.region import Region
from connectors.staging import StagedWriter
from connectors.tables import PARKING_READING as TABLE
from connectors.text import CUT, CsvRecords, text_lines, without_mojibake

_FREE = re.compile(r"\d{1,6}")
_NEGATIVE = re.compile(r"-\d{1,6}")
_CAPACITY = re.compile(r"\(?(\d{1,6})\)?")
# Years in which civil time has a zone; the edges of the calendar have no UTC.
_YEARS = range(1900, 2100)
NAME_LIMIT_CHARACTERS = 100
# A day of minutes with 100 car parks has 144,000 cells.
CELL_LIMIT = 1_000_000


@dataclass(frozen=True)
class _Row:
    """A line of the file below the header: its number among them, its fields, and why it cannot be read, if so."""

    number: int
    fields: list[str]
    at: datetime | None = None
    local: datetime | None = None
    problem: str | None = None
    is_cut: bool = False


def parse(
    snapshot: Snapshot,
    out: StagedWriter,
    region: Region,
    /,
    *,
    time_column: str,
    time_format: str = "%Y-%m-%d %H:%M",
    delimiter: str = ",",
    capacity_label: str | None = None,
    marks: tuple[str, ...] = (),
    time_zone: str = "Europe/Berlin",
) -> None:
    """Stage free places per car park and moment; a record is a cell of a car park's column.

    time_column: header of the first column. capacity_label: what stands there in the row below the header that tells
    capacities, if there is one; its cells are out of scope as readings and stand beside every reading of the file.
    marks: what may stand in place of a number; the mart says what each means. Blank cells are staged without a value.
    Raises SnapshotRefused where the header is not of this layout.
    """
    where = f"{snapshot.source_id}: {snapshot.path.name}"
    records = CsvRecords(
        without_mojibake(text_lines(snapshot.path, where), where), where, delimiter=delimiter, strict=True
    )
    header = [name.strip() for name in next(records, [])]
    out.saw_header(TABLE, header)
    if time_column not in header:
        out.drift(TABLE, time_column, "missing")
        out.drift(TABLE, header[0] if header else "", "new")
    car_parks = _car_parks(header, time_column, where)
    clock = RowClock(ZoneInfo(time_zone))
    capacities: list[int | None] = [None] * len(car_parks)
    rows: list[_Row] = []
    number = 0
    for fields in records:
        if not fields:
            continue
        number += 1
        if number * len(car_parks) > CELL_LIMIT:
            raise SnapshotRefused(
                f"{where}: more than {CELL_LIMIT} cells in rows of {len(car_parks)} car parks, expected a day's; "
                "ask the publisher again"
            )
        out.read(TABLE, len(car_parks))
        if number == 1 and capacity_label is not None and fields[0].strip() == capacity_label:
            capacities = _capacities(fields[1:], car_parks, out)
            out.out_of_scope(TABLE, "row of capacities", len(car_parks))
            continue
        rows.append(_row(number, fields, len(header), time_format, clock, records.ends_open))
    parts = [
        _readings(place, car_park, capacity, rows, len(car_parks), frozenset(marks), out)
        for place, (car_park, capacity) in enumerate(zip(car_parks, capacities, strict=True), start=1)
    ]
    out.write(TABLE, pa.concat_tables(parts))


def _car_parks(header: Sequence[str], time_column: str, where: str) -> list[str]:
    """The names of the value columns, in the file's order; raises SnapshotRefused where this is another layout."""
    declare = "if the layout has changed, declare its time_column, delimiter and marks in the source's YAML"
    if header[:1] != [time_column] or len(header) < 2:
        found = ", ".join(repr(name[:NAME_LIMIT_CHARACTERS]) for name in header[:4]) or "nothing"
        raise SnapshotRefused(
            f"{where}: expected the header {time_column!r} and a column per car park, found {found}; "
            f"look at the file or ask the publisher again; {declare}"
        )
    for place, name in enumerate(header, start=1):
        if not name or len(name) > NAME_LIMIT_CHARACTERS or not name.isprintable():
            raise SnapshotRefused(
                f"{where}: column {place} is called {name[:40]!r}, expected a car park's name of at most "
                f"{NAME_LIMIT_CHARACTERS} characters; ask the publisher again; {declare}"
            )
    repeated = {name for name in header if header.count(name) > 1} if len(set(header)) < len(header) else set()
    if repeated:
        raise SnapshotRefused(f"{where}: column {min(repeated)!r} stands there twice; ask the publisher again")
    return list(header[1:])


def _capacities(cells: Sequence[str], car_parks: Sequence[str], out: StagedWriter) -> list[int | None]:
    """What the row of capacities says, `(743)` or `743`, per car park; null where it says nothing that can be read."""
    found: list[int | None] = []
    for place, car_park in enumerate(car_parks):
        cell = cells[place].strip() if place < len(cells) else ""
        match = _CAPACITY.fullmatch(cell)
        found.append(int(match[1]) if match else None)
        if cell and not match:
            out.unread(TABLE, car_park, "capacity: not a whole number", 1, cell)
    return found


def _row(number: int, fields: list[str], width: int, time_format: str, clock: RowClock, ends_open: bool) -> _Row:
    if len(fields) != width:
        reason = CUT if ends_open else f"expected {width} fields, found {len(fields)}"
        return _Row(number, fields, problem=reason)
    try:
        # The publisher writes local time without offset.
        local = datetime.strptime(fields[0].strip(), time_format)  # noqa: DTZ007
    except ValueError:
        return _Row(number, fields, problem="unreadable time")
    if local.year not in _YEARS:
        return _Row(number, fields, problem="unreadable time")
    at = clock.instant(local)
    if at is None:
        return _Row(number, fields, problem="local time does not exist")
    return _Row(number, fields, at, local, is_cut=ends_open)


def _readings(
    place: int,
    car_park: str,
    capacity: int | None,
    rows: Sequence[_Row],
    width: int,
    marks: frozenset[str],
    out: StagedWriter,
) -> pa.Table:
    """The readings of the car park in column `place`, as PARKING_READING wants them; unreadable cells are rejected."""
    numbers: list[int] = []
    kept: list[_Row] = []
    frees: list[int | None] = []
    told: list[str | None] = []
    for row in rows:
        record_number = (row.number - 1) * width + place
        cell = row.fields[place].strip() if place < len(row.fields) else ""
        problem = row.problem or _problem(cell, marks)
        if row.is_cut and place == width:
            problem = CUT
        if problem:
            raw = ",".join([*row.fields[:1], cell]) if row.problem else cell
            out.reject(TABLE, record_number, car_park, raw, problem)
            continue
        numbers.append(record_number)
        kept.append(row)
        frees.append(int(cell) if _FREE.fullmatch(cell) else None)
        told.append(cell if cell in marks else None)
    return pa.table(
        {
            "record_number": pa.array(numbers, pa.int64()),
            "car_park": pa.repeat(car_park, len(kept)).cast(pa.string()),
            "observed_local": pa.array([row.local for row in kept], pa.timestamp("us")),
            "observed_at": pa.array([row.at for row in kept], pa.timestamp("us", tz="UTC")),
            "free": pa.array(frees, pa.int32()),
            "capacity": pa.array([capacity] * len(kept), pa.int32()),
            "value_mark": pa.array(told, pa.string()),
        }
    )


def _problem(cell: str, marks: frozenset[str]) -> str | None:
    """Why a cell is no reading, None where it is one."""
    if not cell or cell in marks or _FREE.fullmatch(cell):
        return None
    if _NEGATIVE.fullmatch(cell):
        return "negative number of free places"
    return "neither a whole number nor a mark that the source declares"


CONNECTOR = Connector(name="parking_table", version=1, payload="csv", tables=(TABLE,), parse=parse)
