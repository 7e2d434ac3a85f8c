"""Parse the permanent counters of the Bundesanstalt für Straßen- und Verkehrswesen: hourly files and list of stations.

No such file was at hand. Hours: `https://www.bast.de/videos/{year}/zst{station}.zip`, one CSV with `;`. Confirmed by
programs that read it (MATSim's, a pipeline of the A 3, the portal of Konstanz, which has BASt's description of the
columns): `Datum` yymmdd, `Stunde` 01 to 24, of which 01 is 0 to 1 o'clock; per class and direction a count and, as
`K_…`, its mark; and the classes, whose sums a published line shows: KFZ (all) = PLZ + Lkw + Son; PLZ = Pkw + Lfw + Mot;
Lkw (BASt's group: lorries over 3.5 t, buses, and cars with trailers) = PmA + Bus + LoA + Lzg, and Sat is part of Lzg.
So classes overlap: each of a mode of its own, never two of one. There is no sum of both directions.

Marks: `-` is a value as measured (all agree). `s` is estimated (one program, as BASt's reports say of gaps); `u` is
implausible by one program and an unusual value kept as measured by BASt's report on 2005: it stays, with its mark.
`a` and `d` are taken as no value by another program. What is negative is no value.

Clock: a year has 8,760 lines, 24 a day (one reader counted them); BASt's report speaks of checking MEZ/MESZ at the
counters, so the hours are those of civil time. What stands in the hour that spring leaves out, and whether autumn's
doubled hour holds both, is told nowhere: see `parse_hours`. `standard_time` is for the case that all of it is CET.

Stations: the yearly table `Jawe{year}.csv` (Latin-1, `;`, 255 columns, decimal comma), as three programs read it.
"""

from __future__ import annotations

import re
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

from connectors.archive import extract, files, open_zip
from connectors.civil_time import CIVIL_TIME, STANDARD_TIME, passes
from connectors.connector import Connector, Listed, Snapshot
from connectors.errors import SnapshotRefused
from connectors.region import Region
from connectors.staging import StagedWriter
from connectors.tables import COUNT_READING, COUNT_SITE
from connectors.text import CUT, CsvRecords, german_lines

# -- hours -----------------------------------------------------------------------------------------------------------

STATION, DAY, HOUR = "Zst", "Datum", "Stunde"
KEYS_NOT_STAGED = frozenset({"TKNR", "Land", "Strklas", "Strnum", "Wotag", "Fahrtzw"})
CLASSES = ("KFZ", "Lkw", "PLZ", "Pkw", "Lfw", "Mot", "PmA", "Bus", "LoA", "Lzg", "Sat", "Son")
DIRECTIONS = ("R1", "R2")
# What is staged unless the source says otherwise: each class with the mode it counts.
MODES = {"KFZ": "motor_vehicle", "Lkw": "heavy_vehicle", "Pkw": "car"}
MEASURED = "-"
NOT_ASKED = "class not asked for"
LEFT_OUT = "hour that spring leaves out"
UNPACKED_LIMIT_BYTES = 200 * 2**20
# A leap year has 8,784 lines of 24 values.
LINES_LIMIT = 10_000


class _Channel(NamedTuple):
    """A class in a direction: the places of its count and of its mark in a line."""

    name: str
    mode: str
    count_place: int
    mark_place: int | None


def parse_hours(
    snapshot: Snapshot,
    out: StagedWriter,
    region: Region,
    /,
    *,
    modes: dict[str, str] | None = None,
    missing_marks: list[str] | None = None,
    standard_time: bool = False,
) -> None:
    """Stage a station's hours, a record per count (class and direction); the partition names the `station`.

    `modes`: the classes to stage and what each counts, by default MODES; counts of others are out of scope. Directions
    are channels of direction `unknown`: R1 and R2 are not in and out. raw_status is the mark, null where measured;
    counts with `missing_marks` (default a, d) or below zero are null, the mark or number is their value_mark.

    An hour of the clock that spring leaves out is out of scope where it is blank, zero or not marked as measured;
    a measured one is rejected, for then the clock is another one (`standard_time`: CET all year). The hour that autumn
    repeats is `merged`. Raises SnapshotRefused where the zip has not one table, of this station, with these columns.
    """
    asked = MODES if modes is None else modes
    path = _table(snapshot, out.scratch)
    where = f"{snapshot.source_id}: {snapshot.path.name}: {path.name}"
    _check_modes(where, asked)
    records = CsvRecords(german_lines(path, where), where, delimiter=";")
    header = [name.strip() for name in next(records, [])]
    channels, others = _channels(out, where, header, asked)
    hours = _Hours(out, snapshot, header, channels, STANDARD_TIME if standard_time else CIVIL_TIME, missing_marks)
    rows: list[dict[str, Any]] = []
    for number, line in enumerate(records, start=1):
        if number > LINES_LIMIT:
            raise SnapshotRefused(
                f"{where}: more than {LINES_LIMIT} lines, expected the hours of a station's year; check the address"
            )
        if not any(cell.strip() for cell in line):
            out.read(COUNT_READING, 1)
            out.out_of_scope(COUNT_READING, "blank row")
            continue
        out.read(COUNT_READING, len(channels) + others)
        out.out_of_scope(COUNT_READING, NOT_ASKED, others)
        rows += hours.rows(number, line, is_cut=records.ends_open)
    out.write(COUNT_READING, rows)


def _table(snapshot: Snapshot, scratch: Path) -> Path:
    with open_zip(snapshot.path, UNPACKED_LIMIT_BYTES) as archive:
        members = files(archive)
        fitting: list[zipfile.ZipInfo] = [
            member for name, member in members.items() if name.lower().endswith((".csv", ".txt"))
        ]
        if len(fitting) != 1:
            raise SnapshotRefused(
                f"{snapshot.source_id}: {snapshot.path.name}: expected one member .csv, found "
                f"{', '.join(sorted(members)[:20]) or 'none'}; see whether the publisher changed the file"
            )
        return extract(archive, fitting[0], scratch)


def _check_modes(where: str, modes: Mapping[str, str]) -> None:
    strange = [name for name in modes if name not in CLASSES]
    if strange:
        raise SnapshotRefused(
            f"{where}: options: modes: {strange[0]!r} is no class; expected some of {', '.join(CLASSES)}"
        )
    if len(set(modes.values())) < len(modes):
        raise SnapshotRefused(
            f"{where}: options: modes: two classes count the same mode, but classes overlap and would count double; "
            "give each a mode of its own"
        )


def _channels(out: StagedWriter, where: str, header: list[str], modes: Mapping[str, str]) -> tuple[list[_Channel], int]:
    """The channels asked for in the header's order, and how many other counts a line has; drift is reported."""
    repeated = {name for name in header if name and header.count(name) > 1}
    if repeated:
        raise SnapshotRefused(f"{where}: the header holds {', '.join(sorted(repeated))} twice; ask the publisher")
    out.saw_header(COUNT_READING, header)
    counts = [f"{name}_{direction}" for name in CLASSES for direction in DIRECTIONS]
    known = {STATION, DAY, HOUR, *KEYS_NOT_STAGED, *counts, *(f"K_{name}" for name in counts)}
    for name in header:
        if name and name not in known:
            out.drift(COUNT_READING, name, "new")
    wanted = [f"{name}_{direction}" for name in modes for direction in DIRECTIONS]
    missing = [name for name in (STATION, DAY, HOUR, *wanted) if name not in header]
    for name in missing:
        out.drift(COUNT_READING, name, "missing")
    if missing:
        raise SnapshotRefused(
            f"{where}: expected the columns {', '.join(missing)}, found {', '.join(header)[:500]}; leave classes "
            "that a station does not count out of modes in the source's YAML, or compare the file with the connector"
        )
    channels = []
    for name in wanted:
        mark = f"K_{name}"
        if mark not in header:
            out.drift(COUNT_READING, mark, "missing")
        place = header.index(mark) if mark in header else None
        channels.append(_Channel(name, modes[name.split("_")[0]], header.index(name), place))
    return channels, sum(name in header for name in counts if name not in wanted)


@dataclass(frozen=True)
class _Value:
    count: int | None
    value_mark: str | None
    raw_status: str | None


class _Hours:
    """Turns lines into readings."""

    def __init__(
        self,
        out: StagedWriter,
        snapshot: Snapshot,
        header: list[str],
        channels: list[_Channel],
        zone: Any,
        missing_marks: list[str] | None,
    ) -> None:
        self._out = out
        self._where = f"{snapshot.source_id}: {snapshot.path.name}"
        self._station = snapshot.partition["station"]
        self._year = snapshot.partition.get("year")
        self._width = len(header)
        self._key = [header.index(name) for name in (STATION, DAY, HOUR)]
        self._channels = channels
        self._zone = zone
        self._missing = frozenset(("a", "d") if missing_marks is None else missing_marks)
        self._seen: set[datetime] = set()

    def rows(self, number: int, line: list[str], *, is_cut: bool) -> Iterator[dict[str, Any]]:
        first = (number - 1) * len(self._channels) + 1
        local, fault = self._local(line, is_cut)
        if local is None:
            for place, channel in enumerate(self._channels):
                self._out.reject(COUNT_READING, first + place, channel.name, ";".join(line), fault)
            return
        instants = passes(local, self._zone)
        for place, channel in enumerate(self._channels):
            try:
                value = self._value(channel, line)
            except ValueError as error:
                raw = line[channel.count_place]
                self._out.reject(COUNT_READING, first + place, channel.name, raw, str(error))
                continue
            if not instants:
                self._left_out(first + place, channel, line, value)
                continue
            start = instants[0]
            yield {
                "record_number": first + place,
                "site_id": self._station,
                "channel_id": channel.name,
                "channel_label": channel.name,
                "channel_role": "part",
                "mode": channel.mode,
                "direction": "unknown",
                "interval_start_local": start.astimezone(CIVIL_TIME).replace(tzinfo=None),
                "interval_start_at": start,
                "interval_minutes": 60,
                "count": value.count,
                "value_mark": value.value_mark,
                "raw_status": value.raw_status,
                "clock_change": "merged" if len(instants) > 1 else None,
            }

    def _local(self, line: list[str], is_cut: bool) -> tuple[datetime | None, str]:
        """The clock's time at which the line's hour begins, or why there is none."""
        if len(line) != self._width:
            return None, f"expected {self._width} fields"
        if is_cut:
            return None, CUT
        station, day, hour = (line[place].strip() for place in self._key)
        if station.lstrip("0") != self._station.lstrip("0"):
            raise SnapshotRefused(
                f"{self._where}: expected the station {self._station}, found {station[:40]!r}; check the address in "
                "the source's YAML"
            )
        begin = _day(day)
        if begin is None or (self._year is not None and str(begin.year) != self._year):
            return None, f"expected a day yymmdd{f' of {self._year}' if self._year else ''}"
        if not re.fullmatch(r"[0-9]{1,2}", hour) or not 1 <= int(hour) <= 24:
            return None, "expected an hour 01 to 24"
        local = datetime(begin.year, begin.month, begin.day) + timedelta(hours=int(hour) - 1)  # noqa: DTZ001  the clock's
        if local in self._seen:
            return None, "repeated hour"
        self._seen.add(local)
        return local, ""

    def _value(self, channel: _Channel, line: list[str]) -> _Value:
        raw = line[channel.count_place].strip()
        mark = line[channel.mark_place].strip() if channel.mark_place is not None else ""
        if not re.fullmatch(r"(-?[0-9]{1,6})?", raw):
            raise ValueError("expected a whole number")
        if not re.fullmatch(r"[-A-Za-z0-9]{0,3}", mark):
            raise ValueError(f"its mark {mark[:20]!r} is none of up to three letters")
        status = mark if mark not in ("", MEASURED) else None
        if mark in self._missing:
            return _Value(None, mark, status)
        if not raw or raw.startswith("-"):
            return _Value(None, raw or None, status)
        return _Value(int(raw), None, status)

    def _left_out(self, number: int, channel: _Channel, line: list[str], value: _Value) -> None:
        if value.count and value.raw_status is None:
            reason = "measured in an hour that the clock leaves out; is the file in standard_time?"
            self._out.reject(COUNT_READING, number, channel.name, ";".join(line), reason)
        else:
            self._out.out_of_scope(COUNT_READING, LEFT_OUT)


def _day(text: str) -> date | None:
    """yymmdd of this century, whose leading zero a number has lost."""
    if not re.fullmatch(r"[0-9]{5,6}", text):
        return None
    digits = text.zfill(6)
    try:
        return date(2000 + int(digits[:2]), int(digits[2:4]), int(digits[4:]))
    except ValueError:
        return None


# -- stations --------------------------------------------------------------------------------------------------------

NUMBER, NAME, LONGITUDE, LATITUDE = "DZ_Nr", "DZ_Name", "Koor_WGS84_E", "Koor_WGS84_N"
STATION_COLUMNS = (NUMBER, NAME, LONGITUDE, LATITUDE)
# How columns begin that tell of the station itself; all others are figures of the year.
STATION_FAMILIES = ("DZ_", "Koor_")
PLACES_NOT_STAGED = ("Koor_UTM32_E", "Koor_UTM32_N")
OUTSIDE = "outside the region"


def parse_stations(snapshot: Snapshot, out: StagedWriter, region: Region, /) -> None:
    """Stage the stations within the region's bounding box; a record is one line but the header.

    Those that say no place are out of scope as well. Its other 250 columns (yearly figures of BASt's own) are not
    staged; which there are is compared with the former list. Raises SnapshotRefused where it lacks a column.
    """
    rows: dict[str, dict[str, Any]] = {}
    for number, found in _stations(snapshot.path, f"{snapshot.source_id}: {snapshot.path.name}", out):
        out.read(COUNT_SITE, 1)
        if isinstance(found, str):
            out.out_of_scope(COUNT_SITE, found)
        elif isinstance(found, _Fault):
            out.reject(COUNT_SITE, number, found.column, found.raw, found.reason)
        elif not region.bounding_box.holds(found.longitude, found.latitude):
            out.out_of_scope(COUNT_SITE, OUTSIDE)
        elif found.number in rows:
            out.reject(COUNT_SITE, number, NUMBER, found.number, "station repeated")
        else:
            rows[found.number] = {
                "record_number": number,
                "site_id": found.number,
                "site_name": found.name,
                "first_year": None,
                "longitude": found.longitude,
                "latitude": found.latitude,
                "mode": MODES["KFZ"],
                "operator": None,
                "ags": None,
            }
    out.write(COUNT_SITE, list(rows.values()))


def listed(path: Path, region: Region, /) -> Iterator[Listed]:
    """The numbers of the stations within the region's bounding box."""
    for _, found in _stations(path, path.name, None):
        if isinstance(found, _Station) and region.bounding_box.holds(found.longitude, found.latitude):
            yield Listed(found.number)


class _Station(NamedTuple):
    number: str
    name: str
    longitude: float
    latitude: float


class _Fault(NamedTuple):
    column: str
    raw: str
    reason: str


def _stations(path: Path, where: str, out: StagedWriter | None) -> Iterator[tuple[int, _Station | _Fault | str]]:
    """Each line's number and the station it tells, what is wrong with it, or why it is out of scope."""
    records = CsvRecords(german_lines(path, where), where, delimiter=";")
    header = [name.strip() for name in next(records, [])]
    missing = [name for name in STATION_COLUMNS if header.count(name) != 1]
    if out is not None:
        out.saw_header(COUNT_SITE, header)
        for name in missing:
            out.drift(COUNT_SITE, name, "missing")
        for name in header:
            if name.startswith(STATION_FAMILIES) and name not in (*STATION_COLUMNS, *PLACES_NOT_STAGED):
                out.drift(COUNT_SITE, name, "new")
    if missing:
        raise SnapshotRefused(
            f"{where}: expected each of the columns {', '.join(STATION_COLUMNS)} once, found {', '.join(header)[:500]}"
            "; compare the file with the connector"
        )
    places = [header.index(name) for name in STATION_COLUMNS]
    for number, line in enumerate(records, start=1):
        if not any(cell.strip() for cell in line):
            yield number, "blank row"
        elif len(line) != len(header):
            yield number, _Fault("row", ";".join(line), f"expected {len(header)} fields")
        elif records.ends_open and len(header) - 1 in places:
            yield number, _Fault("row", ";".join(line), CUT)
        else:
            yield number, _station(*(line[place].strip() for place in places))


def _station(number: str, name: str, east: str, north: str) -> _Station | _Fault | str:
    if not re.fullmatch(r"[0-9]{1,6}", number):
        return _Fault(NUMBER, number, "expected a station's number")
    if not east or not north:
        return "no place told"
    for column, raw, limit in ((LONGITUDE, east, 180), (LATITUDE, north, 90)):
        if not re.fullmatch(r"[0-9]{1,3}(,[0-9]{1,20})?", raw) or float(raw.replace(",", ".")) > limit:
            return _Fault(column, raw, "expected degrees with a decimal comma")
    return _Station(number, name[:200], float(east.replace(",", ".")), float(north.replace(",", ".")))


HOURS = Connector(
    name="bast_hours",
    version=1,
    payload="zip",
    tables=(COUNT_READING,),
    parse=parse_hours,
    unpacked_limit_bytes=UNPACKED_LIMIT_BYTES,
)
STATIONS = Connector(
    name="bast_stations", version=1, payload="csv", tables=(COUNT_SITE,), parse=parse_stations, listed=listed
)
