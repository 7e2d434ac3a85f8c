"""Parse the Münster bicycle counters: the station list and the monthly Eco-Counter CSV files.

The CSV holds local time without offset. Its columns are `Datetime`, one `<channel id> (<label>)` per channel and one
`<channel id>-status` per channel; the channel that bears the station's id is the sum of the others. Ids are stable,
labels are not. Work is done on Arrow columns: there are thousands of files, each too small to open a database for.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as arrow_csv

from connectors.connector import Connector, Snapshot
from connectors.errors import SnapshotRefused
from connectors.region import Region
from connectors.staging import REJECTED_LIMIT, StagedWriter
from connectors.tables import COUNT_CHANNEL, COUNT_READING, COUNT_SITE
from connectors.text import CUT, CsvRecords, is_mojibake, read_text, text_lines, without_mojibake

TIMESTAMP_COLUMN = "Datetime"
_CHANNEL = re.compile(r"([0-9]+) \((.*)\)", re.DOTALL)
_STATUS = re.compile(r"([0-9]+)-status")
# Years in which civil time has a zone; the edges of the calendar have no UTC.
_TIMESTAMP = r"^(19|20)\d{2}-\d{2}-\d{2} \d{2}:\d{2}$"
_COUNT = r"^\d{1,18}$"
# A month of minutes with 20 channels has 900,000 cells; every cell becomes a row that bears its channel's label.
CELL_LIMIT = 2_000_000
LABEL_LIMIT_CHARACTERS = 200

# What the labels of all 23 stations say (PROVENANCE, "Quirks: bike counters"); `stdteinwärts` is the publisher's.
# IN and OUT stand in capitals, so that the German word `in` says nothing.
_INWARDS = re.compile(r"\bIN\b|(?i:einwärts)")
_OUTWARDS = re.compile(r"\bOUT\b|(?i:auswärts)")
_MODES = (
    ("car", re.compile(r"\b(car|pkw|kfz)\b", re.IGNORECASE)),
    ("pedestrian", re.compile(r"fußgänger|pedestrian", re.IGNORECASE)),
)


# -- readings --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Channel:
    """A value column: its place in the file, what it counts, and the place of its status column, if there is one."""

    place: int
    status_place: int | None
    header: str
    channel_id: str
    channel_label: str
    channel_role: str

    @property
    def direction(self) -> str:
        if self.channel_role == "sum":
            return "both"
        inwards, outwards = bool(_INWARDS.search(self.channel_label)), bool(_OUTWARDS.search(self.channel_label))
        if inwards == outwards:
            return "unknown"
        return "in" if inwards else "out"

    @property
    def mode(self) -> str:
        return next((mode for mode, mark in _MODES if mark.search(self.channel_label)), "bicycle")


class _Moment(NamedTuple):
    """What a row's local time means: its instant (seconds since 1970 UTC) and clock change, or why it means nothing."""

    at: int | None
    clock_change: str | None
    problem: str | None


def parse_readings(
    snapshot: Snapshot,
    out: StagedWriter,
    region: Region,
    /,
    *,
    interval_minutes: int = 15,
    time_zone: str = "Europe/Berlin",
) -> None:
    """Stage one station's month, a record per value cell; the partition names the `station`.

    Blank cells are staged with a null count. Where autumn's repeated hour is not repeated, its readings hold both
    passes and say `merged`. Raises SnapshotRefused where the file is no UTF-8 CSV of this layout.
    """
    header, records, is_cut = _shape(snapshot)
    channels = _channels(snapshot, header, out)
    if records * len(channels) > CELL_LIMIT:
        raise _refused(
            snapshot,
            f"{records} rows of {len(channels)} channels, expected at most {CELL_LIMIT} cells of one station's month",
        )
    out.read(COUNT_READING, records * len(channels))
    if not records:
        return
    cells, numbers = _cells(snapshot, header, channels, out)
    local = _local_times(pc.utf8_trim_whitespace(cells.column(0)))
    moments = _moments(local.to_pylist(), ZoneInfo(time_zone))
    rows = _Rows(
        cells=cells,
        problems=[
            CUT if is_cut and number == records else moment.problem
            for number, moment in zip(numbers, moments, strict=True)
        ],
        common={
            "site_id": pa.repeat(snapshot.partition["station"], len(cells)),
            "interval_start_local": local,
            "interval_start_at": pa.array([moment.at for moment in moments], pa.timestamp("s", tz="UTC")),
            "interval_minutes": pa.repeat(pa.scalar(interval_minutes, pa.int32()), len(cells)),
            "clock_change": pa.array([moment.clock_change for moment in moments], pa.string()),
        },
    )
    parts = [
        rows.readings(channel, (numbers - 1) * len(channels) + order, out)
        for order, channel in enumerate(channels, start=1)
    ]
    out.write(COUNT_READING, pa.concat_tables(parts))


@dataclass(frozen=True)
class _Rows:
    """The rows of a file: all cells as text, why a row's time is unusable, and the columns its channels share."""

    cells: pa.Table
    problems: list[str | None]
    common: dict[str, pa.Array]

    def readings(self, channel: _Channel, record_numbers: npt.NDArray[np.int64], out: StagedWriter) -> pa.Table:
        """A channel's readings, as COUNT_READING wants them; its unreadable cells are rejected."""
        raw = self.cells.column(channel.place)
        trimmed = pc.utf8_trim_whitespace(raw)
        is_count = pc.match_substring_regex(trimmed, _COUNT)
        readable = pc.or_(is_count, pc.equal(trimmed, "")).to_numpy(zero_copy_only=False)
        keep = readable & np.array([problem is None for problem in self.problems], dtype=bool)
        for row in np.flatnonzero(~keep):
            cell, problem = raw[row].as_py(), self.problems[row]
            if problem:
                evidence = f"{self.cells.column(0)[row].as_py()},{cell}"
            else:
                evidence = cell
                problem = "negative count" if cell.strip().startswith("-") else "not a whole number"
            out.reject(COUNT_READING, int(record_numbers[row]), channel.header, evidence, problem)
        said = ("channel_id", "channel_label", "channel_role", "mode", "direction")
        columns = {
            "record_number": pa.array(record_numbers),
            **self.common,
            **{name: pa.repeat(getattr(channel, name), len(keep)) for name in said},
            "count": pc.if_else(is_count, trimmed, None),
            "value_mark": pa.nulls(len(keep), pa.string()),
            "raw_status": self._status(channel),
        }
        return pa.table(columns).filter(pa.array(keep))

    def _status(self, channel: _Channel) -> pa.ChunkedArray | pa.Array:
        """The status cells as they are; null where blank or where there is no such column."""
        if channel.status_place is None:
            return pa.nulls(len(self.cells), pa.string())
        cells = self.cells.column(channel.status_place)
        return pc.if_else(pc.equal(cells, ""), None, cells)


def _shape(snapshot: Snapshot) -> tuple[list[str], int, bool]:
    """Header, number of rows and whether the last one may be cut.

    By Python's csv module: a count apart from the reader that stages.
    """
    where = f"{snapshot.source_id}: {snapshot.path.name}"
    rows = CsvRecords(without_mojibake(text_lines(snapshot.path, where), where), where, strict=True)
    header, records = [name.strip() for name in next(rows, [])], sum(1 for row in rows if row)
    return header, records, rows.ends_open


def _refused(snapshot: Snapshot, what: str) -> SnapshotRefused:
    return SnapshotRefused(f"{snapshot.source_id}: {snapshot.path.name}: {what}; ask the publisher again")


def _channels(snapshot: Snapshot, header: list[str], out: StagedWriter) -> list[_Channel]:
    """The value columns in the file's order; columns nobody declared and missing status columns are reported."""
    if not header or header[0] != TIMESTAMP_COLUMN:
        raise _refused(snapshot, f"expected {TIMESTAMP_COLUMN!r} as first column, found {header[:3]}")
    out.saw_header(COUNT_READING, header)
    repeated = {name for name in header if header.count(name) > 1}
    if repeated:
        raise _refused(snapshot, f"column {min(repeated)!r} stands there twice")
    status_places = {match[1]: place for place, name in enumerate(header) if (match := _STATUS.fullmatch(name))}
    station = snapshot.partition["station"]
    channels = [
        _Channel(
            place=place,
            status_place=status_places.get(match[1]),
            header=name,
            channel_id=match[1],
            channel_label=match[2],
            channel_role="sum" if match[1] == station else "part",
        )
        for place, name in enumerate(header)
        if (match := _CHANNEL.fullmatch(name))
    ]
    ids = [channel.channel_id for channel in channels]
    if long := [channel for channel in channels if len(channel.header) > LABEL_LIMIT_CHARACTERS]:
        raise _refused(
            snapshot,
            f"channel {long[0].header[:60]!r}… has a label of more than {LABEL_LIMIT_CHARACTERS} characters",
        )
    if not ids or len(set(ids)) < len(ids):
        raise _refused(snapshot, f"expected one column `<id> (<label>)` per channel, found channels {ids}")
    if len(ids) > 1 and station not in ids:
        # Were one of them the sum all the same, the site would count double: somebody must look.
        out.drift(COUNT_READING, station, "missing")
    known = {TIMESTAMP_COLUMN, *(channel.header for channel in channels), *(f"{id_}-status" for id_ in ids)}
    for name in header:
        if name not in known:
            out.drift(COUNT_READING, name, "new")
    for channel in channels:
        if channel.status_place is None:
            out.drift(COUNT_READING, f"{channel.channel_id}-status", "missing")
    return channels


def _cells(
    snapshot: Snapshot, header: list[str], channels: Sequence[_Channel], out: StagedWriter
) -> tuple[pa.Table, npt.NDArray[np.int64]]:
    """The rows as wide as the header and their numbers in the file; other rows are rejected, cell by cell."""
    malformed: list[int] = []

    def put_aside(row: arrow_csv.InvalidRow) -> str:
        if len(malformed) * len(channels) > REJECTED_LIMIT:
            return "error"
        malformed.append(row.number - 1)  # the header is row 1
        reason = f"expected {row.expected_columns} fields, found {row.actual_columns}"
        for order, channel in enumerate(channels, start=1):
            number = (row.number - 2) * len(channels) + order
            out.reject(COUNT_READING, number, channel.header, row.text, reason)
        return "skip"

    names = [str(place) for place in range(len(header))]
    try:
        cells = arrow_csv.read_csv(
            snapshot.path,
            # Rows are numbered only without threads.
            arrow_csv.ReadOptions(use_threads=False, column_names=names, skip_rows_after_names=1),
            arrow_csv.ParseOptions(newlines_in_values=True, invalid_row_handler=put_aside),
            arrow_csv.ConvertOptions(column_types={name: pa.string() for name in names}),
        ).combine_chunks()
    except pa.ArrowInvalid as error:
        raise _refused(snapshot, f"expected CSV, {error}") from error
    numbers = np.setdiff1d(np.arange(1, len(cells) + len(malformed) + 1), malformed)
    return cells, numbers


def _local_times(stamps: pa.ChunkedArray) -> pa.ChunkedArray:
    """`YYYY-MM-DD HH:MM` as a timestamp without zone, null where it is anything else."""
    formed = pc.if_else(pc.match_substring_regex(stamps, _TIMESTAMP), stamps, None)
    return pc.strptime(formed, format="%Y-%m-%d %H:%M", unit="us", error_is_null=True)


def _moments(local: Sequence[datetime | None], zone: ZoneInfo) -> list[_Moment]:
    """What each local time means in `zone`, in the file's order (PEP 495 says which are doubled or do not exist)."""
    seen: set[datetime] = set()
    second_passes: set[datetime] = set()
    doubled_days: set[date] = set()
    moments = []
    for time in local:
        if time is None:
            moments.append(_Moment(None, None, "unreadable timestamp"))
            continue
        first = int(time.replace(tzinfo=zone).timestamp())
        second = int(time.replace(tzinfo=zone, fold=1).timestamp())
        if first > second:
            moments.append(_Moment(None, None, f"local time does not exist in {zone.key}"))
        elif time not in seen:
            seen.add(time)
            moments.append(_Moment(first, "merged" if first < second else None, None))
        elif first < second and time not in second_passes:
            second_passes.add(time)
            doubled_days.add(time.date())
            moments.append(_Moment(second, None, None))
        else:
            moments.append(_Moment(None, None, "repeated interval"))
    if not doubled_days:
        return moments
    # A file that spells out both passes merges nothing, even where one of the two readings is absent.
    return [
        moment._replace(clock_change=None) if time is not None and time.date() in doubled_days else moment
        for time, moment in zip(local, moments, strict=True)
    ]


# -- sites -----------------------------------------------------------------------------------------------------------

_SITE_KEYS = ("name", "directory", "start", "channels")


def parse_sites(snapshot: Snapshot, out: StagedWriter, region: Region, /) -> None:
    """Stage the station list `site_min.json`: a record per station, and one per channel entry of a station.

    `start` is the publisher's and may lie years after the first file. Raises SnapshotRefused where the file is no
    JSON list.
    """
    try:
        entries = json.loads(read_text(snapshot.path))
    except (ValueError, RecursionError) as error:
        raise _refused(snapshot, f"expected JSON, {error}") from error
    if not isinstance(entries, list):
        raise _refused(snapshot, f"expected a list of stations, found {type(entries).__name__}")
    out.read(COUNT_SITE, len(entries))
    out.read(COUNT_CHANNEL, sum(len(_channel_entries(entry)) for entry in entries))
    sites: dict[str, dict[str, Any]] = {}
    channels: dict[tuple[str, str], dict[str, Any]] = {}
    number = 0
    for site_number, entry in enumerate(entries, start=1):
        _report_keys(entry, out)
        site_id = _text_id(entry.get("directory")) if isinstance(entry, dict) else None
        problem = _site_problem(entry, site_id, sites)
        if problem:
            out.reject(COUNT_SITE, site_number, problem[0], _raw(entry), problem[1])
        else:
            sites[str(site_id)] = {
                "record_number": site_number,
                "site_id": site_id,
                "site_name": entry["name"],
                "first_year": entry.get("start"),
                **dict.fromkeys(("longitude", "latitude", "mode", "operator", "ags")),
            }
        for channel in _channel_entries(entry):
            number += 1
            pair = channel if isinstance(channel, list) and len(channel) == 2 else [None, None]
            channel_id, label = _text_id(pair[0]), pair[1]
            if problem:
                out.reject(COUNT_CHANNEL, number, "channels", _raw(channel), "its station was rejected")
            elif channel_id is None or not _is_text(label) or is_mojibake(label):
                out.reject(COUNT_CHANNEL, number, "channels", _raw(channel), "not a pair of channel id and label")
            elif (str(site_id), channel_id) in channels:
                out.reject(COUNT_CHANNEL, number, "channels", _raw(channel), "repeated channel")
            else:
                channels[str(site_id), channel_id] = {
                    "record_number": number,
                    "site_id": site_id,
                    "channel_id": channel_id,
                    "channel_label": label,
                }
    out.write(COUNT_SITE, list(sites.values()))
    out.write(COUNT_CHANNEL, list(channels.values()))


def _channel_entries(entry: Any) -> list[Any]:
    channels = entry.get("channels") if isinstance(entry, dict) else None
    return channels if isinstance(channels, list) else []


def _report_keys(entry: Any, out: StagedWriter) -> None:
    if isinstance(entry, dict):
        out.saw_fields(COUNT_SITE, dict.fromkeys(entry, 1))
        for key in entry.keys() - set(_SITE_KEYS):
            out.drift(COUNT_SITE, key, "new")
        for key in set(_SITE_KEYS) - entry.keys():
            out.drift(COUNT_SITE, key, "missing")


def _site_problem(entry: Any, site_id: str | None, sites: dict[str, Any]) -> tuple[str, str] | None:
    """(key, reason) why the entry is no station, None where it is one."""
    if not isinstance(entry, dict):
        return "", "not a JSON object"
    if site_id is None:
        return "directory", "not a station id"
    if site_id in sites:
        return "directory", "repeated station"
    if not _is_text(entry.get("name")):
        return "name", "not a text"
    if is_mojibake(entry["name"]):
        return "name", "broken encoding"
    start = entry.get("start")
    if start is not None and (type(start) is not int or not 1000 <= start <= 9999):
        return "start", "not a year"
    if not isinstance(entry.get("channels"), list):
        return "channels", "not a list"
    return None


def _text_id(value: Any) -> str | None:
    """A counter's id as digits, whether it came as a number or as text; None where it is neither."""
    text = str(value) if type(value) in (int, str) else ""
    return text if re.fullmatch(r"[0-9]{1,18}", text) else None


def _is_text(value: Any) -> bool:
    """Whether the value is a text; half of a surrogate pair, which JSON can write as `\\ud800`, is none."""
    return isinstance(value, str) and not re.search(r"[\ud800-\udfff]", value)


def _raw(value: Any) -> str:
    try:
        return json.dumps(value, ensure_ascii=False)
    except RecursionError:
        return f"{type(value).__name__}, nested too deeply to be shown"


SITES = Connector(
    name="eco_counter_sites", version=4, payload="json", tables=(COUNT_SITE, COUNT_CHANNEL), parse=parse_sites
)
READINGS = Connector(name="eco_counter_csv", version=5, payload="csv", tables=(COUNT_READING,), parse=parse_readings)
