"""Parse hourly air quality of the Umweltbundesamt (UBA): its CSV, as archived for Münster, and its API's JSON.

CSV: byte order mark, `;`, a column per component with averaging and unit in its header, the time in quotes within
quotes, `-` for no value, a note on the source as last line. `01:00` to `24:00` name the END of an hour in the time
valid then (the note says: CET or CEST). Spring's day so goes from 02:00 to 04:00, and autumn's has 03:00 twice: the
hours that end there began at 02:00 in either pass. An hour less on the wall is the hour's beginning, whose passes the
file's order tells apart.

JSON: `data` by station id and beginning of the hour in CET, which here is UTC+1 all year: `[end, index, incomplete,
[component, value, index, share], …]` (bundesAPI/luftqualitaet-api, openapi.yaml; roe-dl/weewx-DWD#41 quotes an answer).
Hours need not be in their order, and a component without a value is left out.

Particulate matter is told as the mean of the 24 hours that end with the interval, ozone and NO2 as the hour's mean.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Literal, NamedTuple
from zoneinfo import ZoneInfo

import pyarrow as pa
from pydantic import BaseModel, ConfigDict

from connectors.civil_time import CIVIL_TIME, STANDARD_TIME, RowClock
from connectors.connector import Connector, Snapshot
from connectors.errors import SnapshotRefused
from connectors.region import Region
from connectors.staging import StagedWriter
from connectors.tables import AIR_QUALITY_READING as TABLE
from connectors.text import CUT, CsvRecords, read_text, text_lines, without_mojibake

HOUR = timedelta(hours=1)
Component = Literal["pm10", "pm2_5", "o3", "no2"]
Averaging = Literal["hour", "day_floating"]
# Component ids of the API (ENDPOINTS of the issue; read_data.py of od-ms/luftqualitaet-muenster says how each is
# averaged). Others, such as 2 CO and 4 SO2, are not staged.
COMPONENTS: Mapping[int, tuple[Component, Averaging]] = {
    1: ("pm10", "day_floating"),
    3: ("o3", "hour"),
    5: ("no2", "hour"),
    9: ("pm2_5", "day_floating"),
}
NOT_STAGED = "component that is not staged"
NOTE = "note on the source"
NO_VALUE = "-"
_TIME = re.compile(r"'?((?:19|20)\d{2}-\d{2}-\d{2}) (\d{2}):00'?")
_VALUE = re.compile(r"\d{1,5}(?:\.\d{1,6})?")
_KEY_TIME = re.compile(r"(?:19|20)\d{2}-\d{2}-\d{2} \d{2}:00:00")
# Ten years of hours.
ROW_LIMIT = 100_000
# A month of a station has 90 KB, a year 1 MB.
JSON_LIMIT_BYTES = 16 * 2**20


class Column(BaseModel):
    """What a column of the CSV holds."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    component: Component
    averaging: Averaging


class Station(BaseModel):
    """A measuring station by the id that the API gives it: its code and what it is called."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    code: str
    name: str


class _Hour(NamedTuple):
    station: Station
    local: datetime
    at: datetime


class _Readings:
    """Readings gathered column by column."""

    def __init__(self) -> None:
        self.columns: dict[str, list[Any]] = {
            name: [] for name in ("number", "component", "averaging", "value", "mark", "station", "local", "at")
        }

    def add(
        self, number: int, hour: _Hour, kind: tuple[Component, Averaging], value: float | None, mark: str | None
    ) -> None:
        row = (number, *kind, value, mark, *hour)
        for values, cell in zip(self.columns.values(), row, strict=True):
            values.append(cell)

    def table(self) -> pa.Table:
        found = self.columns
        return pa.table(
            {
                "record_number": pa.array(found["number"], pa.int64()),
                "station_id": pa.array([station.code for station in found["station"]], pa.string()),
                "station_name": pa.array([station.name for station in found["station"]], pa.string()),
                "component": pa.array(found["component"], pa.string()),
                "averaging": pa.array(found["averaging"], pa.string()),
                "interval_start_local": pa.array(found["local"], pa.timestamp("us")),
                "interval_start_at": pa.array(found["at"], pa.timestamp("us", tz="UTC")),
                "interval_minutes": pa.array([60] * len(found["number"]), pa.int32()),
                "value_ug_m3": pa.array(found["value"], pa.float64()),
                "value_mark": pa.array(found["mark"], pa.string()),
            }
        )


# -- CSV -------------------------------------------------------------------------------------------------------------


def parse_csv(
    snapshot: Snapshot,
    out: StagedWriter,
    region: Region,
    /,
    *,
    stations: dict[str, str],
    columns: dict[str, Column],
    station_column: str = "Station code",
    time_column: str = "Date",
    note: str = "Source:",
    not_staged: tuple[str, ...] = (),
    time_zone: str = "Europe/Berlin",
) -> None:
    """Stage the values (µg/m³) of the columns declared; a record is a cell of one of them, or the note at the end.

    stations: the codes that may stand there → names. note: how the last line begins. columns: header → component and
    averaging; all must be there, others are reported as drift unless `not_staged` names them. Raises SnapshotRefused
    where the header lacks a column.
    """
    where = f"{snapshot.source_id}: {snapshot.path.name}"
    lines = without_mojibake(text_lines(snapshot.path, where), where)
    records = CsvRecords(lines, where, delimiter=";")
    header = [name.strip() for name in next(records, [])]
    places = _places(header, [station_column, time_column, *columns], not_staged, where, out)
    kinds = [(places[name], name, (column.component, column.averaging)) for name, column in columns.items()]
    clocks = {
        code: (Station(code=code, name=name), RowClock(ZoneInfo(time_zone), HOUR)) for code, name in stations.items()
    }
    readings = _Readings()
    number = 0
    for fields in _limited(records, where):
        if len(fields) == 1 and fields[0].startswith(note):
            number += 1
            out.read(TABLE, 1)
            out.out_of_scope(TABLE, NOTE)
            continue
        out.read(TABLE, len(kinds))
        problem, hour = _csv_hour(fields, len(header), places[station_column], places[time_column], clocks)
        for place, name, kind in kinds:
            number += 1
            cell = fields[place].strip() if place < len(fields) else ""
            is_cut = records.ends_open and place == len(fields) - 1
            fault = problem or (CUT if is_cut else _cell_fault(cell))
            if fault or hour is None:
                out.reject(TABLE, number, name, ";".join(fields) if problem else cell, str(fault))
            else:
                value = float(cell) if _VALUE.fullmatch(cell) else None
                readings.add(number, hour, kind, value, cell if cell == NO_VALUE else None)
    out.write(TABLE, readings.table())


def _limited(records: CsvRecords, where: str) -> Iterator[list[str]]:
    """The records that are not blank; raises SnapshotRefused beyond ROW_LIMIT."""
    count = 0
    for fields in records:
        if any(field.strip() for field in fields):
            count += 1
            if count > ROW_LIMIT:
                raise SnapshotRefused(f"{where}: more than {ROW_LIMIT} rows, expected hours; ask the publisher again")
            yield fields


def _places(
    header: Sequence[str], wanted: Sequence[str], not_staged: Sequence[str], where: str, out: StagedWriter
) -> dict[str, int]:
    """Where each declared column stands; tells of all others."""
    repeated = {name for name in header if header.count(name) > 1} if len(set(header)) < len(header) else set()
    if repeated:
        raise SnapshotRefused(f"{where}: column {min(repeated)!r} stands there twice; ask the publisher again")
    out.saw_header(TABLE, header)
    for name in header:
        if name not in wanted and name not in not_staged:
            out.drift(TABLE, name, "new")
    missing = [name for name in wanted if name not in header]
    for name in missing:
        out.drift(TABLE, name, "missing")
    if missing:
        found = ", ".join(repr(name[:80]) for name in header[:10]) or "nothing"
        raise SnapshotRefused(
            f"{where}: expected a column {missing[0]!r}, found {found}; look at the file or ask the publisher again; "
            "if the layout has changed, declare its columns in the source's YAML"
        )
    return {name: header.index(name) for name in wanted}


def _csv_hour(
    fields: Sequence[str],
    width: int,
    station_place: int,
    time_place: int,
    clocks: Mapping[str, tuple[Station, RowClock]],
) -> tuple[str | None, _Hour | None]:
    """Why a row cannot be read, or the hour it is of. Rows without an index have a blank field too many."""
    if len(fields) < width or any(field.strip() for field in fields[width:]):
        return f"expected {width} fields, found {len(fields)}", None
    code = fields[station_place].strip()
    if code not in clocks:
        return "station that the source does not declare", None
    match = _TIME.fullmatch(fields[time_place].strip())
    if not match or not 1 <= int(match[2]) <= 24:
        return "not an hour from 01:00 to 24:00", None
    try:
        local = datetime.fromisoformat(match[1]) + HOUR * (int(match[2]) - 1)
    except ValueError:
        return "not an hour from 01:00 to 24:00", None
    station, clock = clocks[code]
    at = clock.instant(local)
    if at is None:
        return "local time does not exist", None
    return None, _Hour(station, local, at)


def _cell_fault(cell: str) -> str | None:
    if not cell or cell == NO_VALUE or _VALUE.fullmatch(cell):
        return None
    return "negative concentration" if cell.startswith("-") else "not a number"


# -- JSON ------------------------------------------------------------------------------------------------------------


def parse_json(snapshot: Snapshot, out: StagedWriter, region: Region, /, *, stations: dict[str, Station]) -> None:
    """Stage the values (µg/m³) of the API's answer; a record is a component's entry of a station's hour.

    stations: id as the API has it → code and name. Entries of other components are out of scope. Raises SnapshotRefused
    where the answer has no `data` by station, is larger than JSON_LIMIT_BYTES, or names a key twice.
    """
    where = f"{snapshot.source_id}: {snapshot.path.name}"
    readings = _Readings()
    number = 0
    for station_id, hours in _data(snapshot, where).items():
        station = stations.get(station_id)
        for key, entry in _members(hours, f"{where}: station {station_id[:40]!a}").items():
            components = _components(entry)
            # An hour that is none is a record itself: nobody knows what it holds.
            out.read(TABLE, max(1, len(components)) if not _is_hour(entry) else len(components))
            problem, hour = _json_hour(station, key, entry)
            if problem and not components:
                number += 1
                out.reject(TABLE, number, station_id, f"{key} {_raw(entry)}", problem)
            for component in components:
                number += 1
                kind, fault = _kind(component)
                if problem or fault or hour is None:
                    out.reject(TABLE, number, station_id, f"{key} {_raw(component)}", str(problem or fault))
                elif kind is None:
                    out.out_of_scope(TABLE, NOT_STAGED)
                else:
                    readings.add(number, hour, kind, _number(component[1]), None)
    out.write(TABLE, readings.table())


def _data(snapshot: Snapshot, where: str) -> dict[str, Any]:
    size = snapshot.path.stat().st_size
    if size > JSON_LIMIT_BYTES:
        raise SnapshotRefused(
            f"{where}: {size} bytes, expected at most {JSON_LIMIT_BYTES} of a station's month; ask the publisher again"
        )
    try:
        answer = json.loads(read_text(snapshot.path), object_pairs_hook=_once)
    except (ValueError, RecursionError) as error:
        raise SnapshotRefused(f"{where}: expected JSON, {error}; ask the publisher again") from error
    if not isinstance(answer, dict) or "data" not in answer:
        raise SnapshotRefused(
            f"{where}: expected an object with `data` by station, found {_raw(answer)[:200]}; check the address in the "
            "source's YAML or ask the publisher again"
        )
    return _members(answer["data"], f"{where}: data")


def _members(found: Any, where: str) -> dict[str, Any]:
    """The members of an object; PHP writes an object without members as an empty list."""
    if found == []:
        return {}
    if not isinstance(found, dict):
        raise SnapshotRefused(f"{where}: expected an object, found {_raw(found)[:100]}; ask the publisher again")
    return found


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a key stands twice in one object")
    return found


def _is_hour(entry: Any) -> bool:
    return isinstance(entry, list) and len(entry) >= 3 and all(isinstance(part, list) for part in entry[3:])


def _components(entry: Any) -> list[Any]:
    return entry[3:] if _is_hour(entry) else []


def _json_hour(station: Station | None, key: str, entry: Any) -> tuple[str | None, _Hour | None]:
    """Why an hour cannot be read, or the hour it is."""
    if station is None:
        return "station that the source does not declare", None
    if not _is_hour(entry):
        return "not a list of end, index, incomplete and components", None
    begin, end = _standard_time(key), _standard_time(entry[0])
    if begin is None or end is None or end - begin != HOUR:
        return "not an hour from its beginning to its end", None
    return None, _Hour(station, begin.astimezone(CIVIL_TIME).replace(tzinfo=None), begin)


def _standard_time(text: Any) -> datetime | None:
    """The instant of a time in CET; the midnight that ends a day may be written 24:00:00."""
    if not isinstance(text, str) or not _KEY_TIME.fullmatch(text):
        return None
    hour = int(text[11:13])
    if hour > 24:
        return None
    try:
        return (datetime.fromisoformat(text[:10]).replace(tzinfo=STANDARD_TIME) + HOUR * hour).astimezone(UTC)
    except ValueError:
        return None


def _kind(component: list[Any]) -> tuple[tuple[Component, Averaging] | None, str | None]:
    """Component and averaging of an entry (None: not staged), and why it cannot be read."""
    if len(component) < 2 or type(component[0]) is not int:
        return None, "not a list of component, value, index and share"
    if component[0] not in COMPONENTS:
        return None, None
    value = component[1]
    if value is not None and _number(value) is None:
        is_negative = str(value).startswith("-")
        return None, "negative concentration" if is_negative else "not a number"
    return COMPONENTS[component[0]], None


def _number(value: Any) -> float | None:
    if type(value) not in (int, float, str) or not _VALUE.fullmatch(str(value)):
        return None
    return float(value)


def _raw(value: Any) -> str:
    try:
        # In ASCII: half of a surrogate pair would go into no message and no file.
        return json.dumps(value)
    except RecursionError:
        return f"{type(value).__name__}, nested too deeply to be shown"


CSV = Connector(name="uba_air_quality_csv", version=1, payload="csv", tables=(TABLE,), parse=parse_csv)
JSON = Connector(name="uba_air_quality_json", version=1, payload="json", tables=(TABLE,), parse=parse_json)
