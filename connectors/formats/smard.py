"""Parse SMARD, the electricity market data of the Bundesnetzagentur: its chart_data API and its download CSV.

The API has an index of files per series, `{"timestamps": [ms, …]}`, and a file per week (hours and quarter-hours) or
year, `{"meta_data": …, "series": [[ms, value], …]}`; instants are milliseconds since 1970 (UTC). The CSV has local time
without offset, in three generations of headers.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from reprlib import repr as shortened
from typing import Any, Literal

from connectors.civil_time import CIVIL_TIME, passes
from connectors.connector import Connector, Listed, Snapshot
from connectors.errors import SnapshotRefused
from connectors.formats.market import (
    CALENDAR,
    EUR_PER_MWH,
    MINUTES,
    MW,
    MWH,
    NO_INSTANT,
    NO_NUMBER,
    Reading,
    Series,
    instant_of,
    number_of,
    stage,
)
from connectors.region import Region
from connectors.staging import StagedWriter
from connectors.tables import MARKET_FILE, MARKET_READING
from connectors.text import CUT, CsvRecords, text_lines, without_mojibake

# Filter of the chart_data API -> series (bundesAPI/smard-api; installed capacity: the ids of the group that the site
# calls `Installierte Erzeugungsleistung`, of which four have a technology of ours).
FILTERS = {
    "1223": Series("generation_lignite", MWH),
    "1224": Series("generation_nuclear", MWH),
    "1225": Series("generation_wind_offshore", MWH),
    "1226": Series("generation_hydro", MWH),
    "1227": Series("generation_other_conventional", MWH),
    "1228": Series("generation_other_renewable", MWH),
    "4066": Series("generation_biomass", MWH),
    "4067": Series("generation_wind_onshore", MWH),
    "4068": Series("generation_solar", MWH),
    "4069": Series("generation_hard_coal", MWH),
    "4070": Series("generation_pumped_storage", MWH),
    "4071": Series("generation_gas", MWH),
    "410": Series("load", MWH),
    "4359": Series("residual_load", MWH),
    "4169": Series("price_day_ahead", EUR_PER_MWH),
    "186": Series("capacity_wind_onshore", MW),
    "188": Series("capacity_solar", MW),
    "189": Series("capacity_biomass", MW),
    "3792": Series("capacity_hydro", MW),
}
# Column of the download, without unit, in German and English -> series.
COLUMNS = {
    "Biomasse": "generation_biomass",
    "Wasserkraft": "generation_hydro",
    "Wind Offshore": "generation_wind_offshore",
    "Wind Onshore": "generation_wind_onshore",
    "Photovoltaik": "generation_solar",
    "Sonstige Erneuerbare": "generation_other_renewable",
    "Kernenergie": "generation_nuclear",
    "Braunkohle": "generation_lignite",
    "Steinkohle": "generation_hard_coal",
    "Erdgas": "generation_gas",
    "Pumpspeicher": "generation_pumped_storage",
    "Sonstige Konventionelle": "generation_other_conventional",
    "Gesamt (Netzlast)": "load",
    "Gesamtverbrauch (Netzlast)": "load",
    "Netzlast": "load",
    "Residuallast": "residual_load",
    "Deutschland/Luxemburg": "price_day_ahead",
    "Biomass": "generation_biomass",
    "Hydropower": "generation_hydro",
    "Wind offshore": "generation_wind_offshore",
    "Wind onshore": "generation_wind_onshore",
    "Photovoltaics": "generation_solar",
    "Other renewable": "generation_other_renewable",
    "Nuclear": "generation_nuclear",
    "Lignite": "generation_lignite",
    "Hard coal": "generation_hard_coal",
    "Fossil gas": "generation_gas",
    "Hydro pumped storage": "generation_pumped_storage",
    "Other conventional": "generation_other_conventional",
    "Germany/Luxembourg": "price_day_ahead",
}
UNITS = {"MWh": MWH, "€/MWh": EUR_PER_MWH, "MW": MW}
# Columns that say when an interval begins: date and time apart, or both in one; the end of an interval says nothing.
DATE_HEADERS, TIME_HEADERS, END_HEADERS = (
    ("Datum", "Datum von", "Start date"),
    ("Uhrzeit", "Anfang", "Start"),
    ("Ende", "Datum bis", "End date", "End"),
)
_COLUMN = re.compile(r"(?P<name>.+?)\s*\[(?P<unit>[^\]]+)\]\s*(?:Originalauflösungen|Berechnete Auflösungen)?")
# `1.074` is one thousand and seventy-four, `1.07` is nothing.
_NUMBER = re.compile(r"-?(?:[0-9]{1,3}(?:\.[0-9]{3})+|[0-9]{1,12})(?:,[0-9]{1,6})?")
_LOCAL = re.compile(r"([0-9]{2})\.([0-9]{2})\.([0-9]{4}) ([0-9]{2}):([0-9]{2})")
# A week has 700 quarter-hours, an index a file per week since 2014.
LENGTH_LIMIT = 10_000
# Twelve series of ten years of quarter-hours are four million values.
VALUE_LIMIT = 6_000_000
BEFORE = "before the first file that is read"
NO_TIME, NO_SUCH_TIME, TOO_OFTEN = "expected D.M.Y h:m", "the clock skips this time", "the clock shows this time once"

Resolution = Literal["quarterhour", "hour", "day", "week", "month", "year"]


# -- chart_data ------------------------------------------------------------------------------------------------------


def parse_index(snapshot: Snapshot, out: StagedWriter, region: Region, /, *, since: date | None = None) -> None:
    """Stage the files that an index announces; a record is one timestamp.

    The partition names `series` (a filter), `region` and `resolution`. since: files that begin before this local day
    are out of scope. Raises SnapshotRefused for any other layout.
    """
    series, market_region, resolution = _asked(snapshot)
    timestamps = _content(snapshot.path, _where(snapshot), "timestamps")
    out.read(MARKET_FILE, len(timestamps))
    rows, seen = [], set()
    for number, timestamp in enumerate(timestamps, start=1):
        at = _instant(timestamp)
        if at is None:
            out.reject(MARKET_FILE, number, "timestamps", shortened(timestamp), NO_INSTANT)
        elif at in seen:
            out.reject(MARKET_FILE, number, "timestamps", str(at), "announced twice")
        elif since is not None and _local_day(at) < since:
            out.out_of_scope(MARKET_FILE, BEFORE)
        else:
            seen.add(at)
            said = {"series": series.name, "region": market_region, "resolution": resolution}
            rows.append({"record_number": number, **said, "starts_at": at})
    out.write(MARKET_FILE, rows)


def listed(path: Path, region: Region, /, *, since: date | None = None) -> Iterator[Listed]:
    """The files that an index announces, by their timestamps; each ends where the next begins, the last one goes on.

    Raises SnapshotRefused for any other layout.
    """
    starts = {at: timestamp for timestamp in _content(path, path.name, "timestamps") if (at := _instant(timestamp))}
    ordered = sorted(starts)
    ends = [_local_day(following - timedelta(seconds=1)) for _, following in pairwise(ordered)]
    for at, last_day in zip(ordered, [*ends, date.max], strict=False):
        if since is None or _local_day(at) >= since:
            yield Listed(str(starts[at]), last_day=last_day)


def _local_day(at: datetime) -> date:
    return at.astimezone(CIVIL_TIME).date()


def parse_chart(snapshot: Snapshot, out: StagedWriter, region: Region, /) -> None:
    """Stage one file of a series; a record is one `[ms, value]`, null is missing and at the end not yet published.

    Units are the series': MWh of the interval, EUR/MWh, MW installed. The partition names `series` (a filter),
    `region` and `resolution`. Raises SnapshotRefused for any other layout.
    """
    series, market_region, resolution = _asked(snapshot)
    entries = _content(snapshot.path, _where(snapshot), "series")
    out.read(MARKET_READING, len(entries))
    readings = []
    for number, entry in enumerate(entries, start=1):
        pair = entry if isinstance(entry, list) and len(entry) == 2 else [None, None]
        at, value = _instant(pair[0]), number_of(pair[1])
        minutes = MINUTES.get(resolution, 1)
        if at is None or at.timestamp() % (60 * minutes):
            out.reject(MARKET_READING, number, "series", shortened(entry), f"{NO_INSTANT} and resolution")
        elif value is None and pair[1] is not None:
            out.reject(MARKET_READING, number, "series", shortened(entry), NO_NUMBER)
        else:
            readings.append(Reading(number, at, value))
    stage(out, series, market_region, resolution, readings)


def _asked(snapshot: Snapshot) -> tuple[Series, str, str]:
    """The series, the region and the resolution that the partition asks for."""
    values, where = snapshot.partition, _where(snapshot)
    for key in ("series", "region", "resolution"):
        if key not in values:
            raise SnapshotRefused(f"{where}: the partition names no {key}; add it to the source's YAML")
    if values["series"] not in FILTERS:
        raise SnapshotRefused(f"{where}: series {values['series']!r} is no filter of FILTERS; add it to the parser")
    if values["resolution"] not in (*MINUTES, *CALENDAR):
        raise SnapshotRefused(
            f"{where}: resolution {values['resolution']!r}, expected {', '.join([*MINUTES, *CALENDAR])}"
        )
    return FILTERS[values["series"]], values["region"], values["resolution"]


def _where(snapshot: Snapshot) -> str:
    return f"{snapshot.source_id}: {snapshot.path.name}"


def _content(path: Path, where: str, key: str) -> list[Any]:
    try:
        content = json.loads(path.read_bytes())
    except (ValueError, RecursionError) as error:
        raise SnapshotRefused(f"{where}: expected JSON, {error}; ask the publisher again") from error
    found = content.get(key) if isinstance(content, dict) else None
    if not isinstance(found, list) or not 0 < len(found) <= LENGTH_LIMIT:
        raise SnapshotRefused(
            f"{where}: expected an object with a list {key!r} of 1 to {LENGTH_LIMIT} entries; ask the publisher again"
        )
    return found


def _instant(milliseconds: Any) -> datetime | None:
    if isinstance(milliseconds, bool) or not isinstance(milliseconds, int) or milliseconds % 1000:
        return None
    return instant_of(milliseconds // 1000)


# -- download CSV ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Layout:
    """Where a file's columns stand: of the date, of the time (None where the date holds it), of every series."""

    date: int
    time: int | None
    series: tuple[tuple[int, Series], ...]
    width: int


def parse_download(
    snapshot: Snapshot,
    out: StagedWriter,
    region: Region,
    /,
    *,
    market_region: str = "DE",
    resolution: Resolution = "quarterhour",
) -> None:
    """Stage a download; a record is one cell of a declared series, `-` its mark of a value there is not.

    In the hour that autumn repeats the first row of a time is its first pass, the second its second: the file is in
    the order of time. Raises SnapshotRefused where a column is missing or no series is known.
    """
    where = _where(snapshot)
    records = CsvRecords(without_mojibake(text_lines(snapshot.path, where), where), where, delimiter=";")
    layout = _layout(snapshot, out, next(records, []))
    readings: dict[Series, list[Reading]] = {series: [] for _, series in layout.series}
    shown: Counter[datetime] = Counter()
    values = 0
    for number, line in enumerate(records, start=2):
        if not any(field.strip() for field in line):
            continue
        values += len(layout.series)
        if values > VALUE_LIMIT:
            raise SnapshotRefused(f"{where}: more than {VALUE_LIMIT} values; download fewer years at once")
        out.read(MARKET_READING, len(layout.series))
        first = (number - 1) * len(layout.series) + 1
        fault, at = _moment(line, layout, shown)
        if records.ends_open and fault is None:
            fault = CUT
        for place, (position, series) in enumerate(layout.series):
            raw = "" if fault else line[position].strip()
            if fault:
                out.reject(MARKET_READING, first + place, series.name, ";".join(line), fault)
            elif raw and raw != "-" and not _NUMBER.fullmatch(raw):
                out.reject(MARKET_READING, first + place, series.name, raw, "expected a German number")
            elif at is not None:
                value = float(raw.replace(".", "").replace(",", ".")) if raw not in ("", "-") else None
                readings[series].append(Reading(first + place, at, value, raw if raw == "-" else None))
    for series, found in readings.items():
        stage(out, series, market_region, resolution, found)


def _layout(snapshot: Snapshot, out: StagedWriter, header: list[str]) -> _Layout:
    names = [name.strip() for name in header]
    out.saw_header(MARKET_READING, names)
    places = {name: place for place, name in enumerate(names)}
    date = next((places[name] for name in DATE_HEADERS if name in places), None)
    time = next((places[name] for name in TIME_HEADERS if name in places), None)
    found: list[tuple[int, Series]] = []
    for name, place in places.items():
        column = _COLUMN.fullmatch(name)
        known = column and column["unit"] in UNITS and COLUMNS.get(column["name"])
        if column and known:
            found.append((place, Series(known, UNITS[column["unit"]])))
        elif name and name not in (*DATE_HEADERS, *TIME_HEADERS, *END_HEADERS):
            out.drift(MARKET_READING, name, "new")
    missing = "a column Datum, Datum von or Start date" if date is None else "a series"
    told = [series.name for _, series in found]
    if date is None or not found or len(set(told)) < len(told) or len(places) < len(names):
        what = f"expected {missing}" if date is None or not found else "expected every column and series once"
        raise SnapshotRefused(
            f"{snapshot.source_id}: {snapshot.path.name}: {what}, found {', '.join(names)[:500]}; "
            "compare the header with the parser's COLUMNS"
        )
    return _Layout(date, time, tuple(found), len(names))


def _moment(line: list[str], layout: _Layout, shown: Counter[datetime]) -> tuple[str | None, datetime | None]:
    """Why a line means no moment, or None, and the instant it means; `shown` counts the times the clock showed."""
    if len(line) != layout.width:
        return f"expected {layout.width} fields", None
    text = (
        line[layout.date].strip() if layout.time is None else f"{line[layout.date].strip()} {line[layout.time].strip()}"
    )
    matched = _LOCAL.fullmatch(text)
    if matched is None:
        return NO_TIME, None
    day, month, year, hour, minute = map(int, matched.groups())
    try:
        local = datetime(year, month, day, hour, minute)  # noqa: DTZ001 - local time without offset, as published
    except ValueError:
        return NO_TIME, None
    instants = passes(local, CIVIL_TIME)
    shown[local] += 1
    if not instants:
        return NO_SUCH_TIME, None
    if shown[local] > len(instants):
        return TOO_OFTEN if len(instants) == 1 else "the clock shows this time twice", None
    at = instants[shown[local] - 1]
    return (None, at) if instant_of(int(at.timestamp())) else (NO_TIME, None)


INDEX = Connector("smard_index", version=1, payload="json", tables=(MARKET_FILE,), parse=parse_index, listed=listed)
CHART = Connector("smard_chart", version=1, payload="json", tables=(MARKET_READING,), parse=parse_chart)
DOWNLOAD = Connector("smard_download", version=1, payload="csv", tables=(MARKET_READING,), parse=parse_download)
