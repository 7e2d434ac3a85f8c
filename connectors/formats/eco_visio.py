"""Parse what Eco-Visio's public pages ask for: the list of an organisation's counters and a counter's series.

No answer of Münster's two counters was at hand. The list is as bundesAPI/eco-visio-api keeps it (`eins.json`, a whole
answer of organisation 4586, counters all over the world: hence the region's bounding box); its README has the
parameters. The series is `[["MM/DD/YYYY", "count"], …]`, one entry per interval, in the order of time, without the
hour: so say the programs that ask for it, of which three read the date as month/day/year, and two agree that `fin` is
not included. A day of hours has 24 entries, of spring's change 23 (one program); nobody says what autumn's has, so 24
are taken as one entry that holds both passes of the repeated hour and 25 as one each. Intervals are numbered: all
agree on 3 for hours and 4 for days; for 2 some say 15 and some 30 minutes, so hours are asked for.
"""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from connectors.address import day_of
from connectors.civil_time import CIVIL_TIME, IntervalMinutes, hours_in_day, midnight, passes
from connectors.connector import Connector, Listed, Snapshot
from connectors.errors import SnapshotRefused
from connectors.region import Region
from connectors.staging import StagedWriter
from connectors.tables import COUNT_CHANNEL, COUNT_READING, COUNT_SITE
from connectors.text import is_mojibake, read_text

# `pratique`: as two programs have them; others (horses, mixed, …) are told apart by none.
PRACTICES = {1: "pedestrian", 2: "bicycle", 4: "car"}
UNKNOWN_MODE = "unknown"
BICYCLE = 2
# Keys of the list's entries that programs have seen; most have an entry only where they say something.
KEYS_READ = ("idPdc", "nom", "lat", "lon", "pratique", "mainPratique", "debut")
KEYS_NOT_STAGED = frozenset(
    {
        *("id_pdc_img", "photo", "lienPublic", "fin", "debutPeriode", "finPeriode", "current_year_default", "token"),
        *("externalUrl", "nomOrganisme", "logo", "pays", "sig", "pictoPublic", "today", "total", "lastDay", "moyD"),
        *("publicMessage", "filtre", "formule_site", "cumulFlowId", "totalLY", "lastDayLY", "option1", "titre"),
    }
)
OUTSIDE = "outside the region"
NO_PLACE = "no place told"
# A month of quarter hours has 3,000 entries, ten years of hours 88,000.
ENTRIES_LIMIT = 100_000


# -- counters --------------------------------------------------------------------------------------------------------


def parse_sites(
    snapshot: Snapshot,
    out: StagedWriter,
    region: Region,
    /,
    *,
    practice: int = BICYCLE,
    region_only: bool = True,
) -> None:
    """Stage the counters of the list, and their flows as channels; a record is an entry, or a flow of one.

    `region_only` leaves out of scope what lies outside the region's bounding box or says no place (0, 0 is none).
    `practice`: which flows the resource that takes its values from this list asks for (see `listed`). first_year is
    that of `debut`, which may lie before the first value. Raises SnapshotRefused where the file is no JSON list.
    """
    entries = _list(snapshot.path, f"{snapshot.source_id}: {snapshot.path.name}")
    out.read(COUNT_SITE, len(entries))
    out.read(COUNT_CHANNEL, sum(len(_flows(entry)) for entry in entries))
    seen: set[str] = set()
    flow_number = 0
    sites: list[dict[str, Any]] = []
    channels: list[dict[str, Any]] = []
    for number, entry in enumerate(entries, start=1):
        _report_keys(entry, out)
        flows = list(enumerate(_flows(entry), start=flow_number + 1))
        flow_number += len(flows)
        fault = _site_fault(entry) or (("idPdc", "repeated counter") if str(entry["idPdc"]) in seen else None)
        if fault:
            out.reject(COUNT_SITE, number, fault[0], _raw(entry), fault[1])
            for flow, found in flows:
                out.reject(COUNT_CHANNEL, flow, "pratique", _raw(found), "its counter was rejected")
            continue
        place = _place(entry)
        if region_only and (place is None or not region.bounding_box.holds(*place)):
            reason = NO_PLACE if place is None else OUTSIDE
            out.out_of_scope(COUNT_SITE, reason)
            out.out_of_scope(COUNT_CHANNEL, reason, len(flows))
            continue
        site_id = str(entry["idPdc"])
        seen.add(site_id)
        sites.append(
            {
                "record_number": number,
                "site_id": site_id,
                "site_name": entry["nom"],
                "first_year": _first_year(entry.get("debut")),
                "longitude": place[0] if place else None,
                "latitude": place[1] if place else None,
                "mode": PRACTICES.get(entry["mainPratique"], UNKNOWN_MODE),
                "operator": None,
                "ags": None,
            }
        )
        told: set[str] = set()
        for flow, found in flows:
            problem = _flow_fault(found) or ("repeated flow" if str(found["id"]) in told else None)
            if problem:
                out.reject(COUNT_CHANNEL, flow, "pratique", _raw(found), problem)
                continue
            told.add(str(found["id"]))
            mode = PRACTICES.get(found["pratique"], UNKNOWN_MODE)
            channels.append(
                {
                    "record_number": flow,
                    "site_id": site_id,
                    "channel_id": str(found["id"]),
                    "channel_label": mode,
                    "location_id": None,
                }
            )
    out.write(COUNT_SITE, sites)
    out.write(COUNT_CHANNEL, channels)


def listed(path: Path, region: Region, /, *, practice: int = BICYCLE, region_only: bool = True) -> Iterator[Listed]:
    """The counters to ask for, each with its `flows` of this practice, joined by `;` as the publisher wants them.

    Counters without such flows are left out: the sum of bicycles and walkers is a count of nothing.
    """
    for entry in _list(path, path.name):
        if _site_fault(entry):
            continue
        place = _place(entry)
        if region_only and (place is None or not region.bounding_box.holds(*place)):
            continue
        flows = [str(flow["id"]) for flow in _flows(entry) if not _flow_fault(flow) and flow["pratique"] == practice]
        if flows:
            yield Listed(str(entry["idPdc"]), {"flows": ";".join(dict.fromkeys(flows))})


def _list(path: Path, where: str) -> list[Any]:
    try:
        entries = json.loads(read_text(path))
    except (ValueError, RecursionError) as error:
        raise SnapshotRefused(f"{where}: expected JSON, {error}; ask the publisher again") from error
    if not isinstance(entries, list):
        raise SnapshotRefused(f"{where}: expected a list, found {type(entries).__name__}; ask the publisher again")
    if len(entries) > ENTRIES_LIMIT:
        raise SnapshotRefused(
            f"{where}: {len(entries)} entries, expected at most {ENTRIES_LIMIT}; check the address in the source's YAML"
        )
    return entries


def _flows(entry: Any) -> list[Any]:
    flows = entry.get("pratique") if isinstance(entry, dict) else None
    return flows if isinstance(flows, list) else []


def _report_keys(entry: Any, out: StagedWriter) -> None:
    if isinstance(entry, dict):
        out.saw_fields(COUNT_SITE, dict.fromkeys(entry, 1))
        for key in entry.keys() - {*KEYS_READ, *KEYS_NOT_STAGED}:
            out.drift(COUNT_SITE, key, "new")
        for key in set(KEYS_READ) - entry.keys():
            out.drift(COUNT_SITE, key, "missing")


def _site_fault(entry: Any) -> tuple[str, str] | None:
    """(key, reason) why the entry is no counter, None where it is one."""
    if not isinstance(entry, dict):
        return "", "not a JSON object"
    if not _is_id(entry.get("idPdc")):
        return "idPdc", "not a counter's id"
    name = entry.get("nom")
    if not isinstance(name, str) or re.search(r"[\ud800-\udfff]", name) or len(name) > 200:
        return "nom", "not a text"
    if is_mojibake(name):
        return "nom", "broken encoding"
    if not isinstance(entry.get("pratique"), list):
        return "pratique", "not a list"
    if type(entry.get("mainPratique")) is not int:
        return "mainPratique", "not a whole number"
    if _first_year(entry.get("debut")) is None and entry.get("debut") is not None:
        return "debut", "expected a date DD/MM/YYYY"
    for key, limit in (("lat", 90), ("lon", 180)):
        degrees = _degrees(entry.get(key))
        if entry.get(key) is not None and (degrees is None or abs(degrees) > limit):
            return key, "not degrees"
    return None


def _flow_fault(flow: Any) -> str | None:
    known = isinstance(flow, dict) and _is_id(flow.get("id")) and type(flow.get("pratique")) is int
    return None if known else "not a flow with id and pratique"


def _is_id(value: Any) -> bool:
    """Counters and flows have numbers, written as such or as text."""
    return type(value) in (int, str) and re.fullmatch(r"[0-9]{1,18}", str(value)) is not None


def _degrees(value: Any) -> float | None:
    if type(value) in (int, float):
        return float(value) if abs(value) <= 360 else None
    fits = isinstance(value, str) and re.fullmatch(r"-?[0-9]{1,3}(\.[0-9]{1,20})?", value.strip())
    return float(value) if fits else None


def _place(entry: dict[str, Any]) -> tuple[float, float] | None:
    longitude, latitude = _degrees(entry.get("lon")), _degrees(entry.get("lat"))
    return None if longitude is None or latitude is None or (longitude, latitude) == (0, 0) else (longitude, latitude)


def _first_year(day: Any) -> int | None:
    match = re.fullmatch(r"[0-9]{2}/[0-9]{2}/([12][0-9]{3})", day) if isinstance(day, str) else None
    return int(match[1]) if match else None


def _raw(value: Any) -> str:
    try:
        return json.dumps(value)
    except RecursionError:
        return f"{type(value).__name__}, nested too deeply to be shown"


# -- series ----------------------------------------------------------------------------------------------------------


def parse_readings(
    snapshot: Snapshot,
    out: StagedWriter,
    region: Region,
    /,
    *,
    practice: int = BICYCLE,
    interval_minutes: IntervalMinutes = 60,
    day_first: bool = False,
    time_zone: str = CIVIL_TIME.key,
) -> None:
    """Stage a counter's series, a record per entry; the partition names the `site` and may name the `month`.

    It is the sum of the flows asked for. An entry's hour is its place among those of its day: a day with another number
    of entries than it has intervals is rejected, but for the last one, which may still run and counts from midnight.
    `day_first`: dates are DD/MM/YYYY. An entry of the first day after the month is out of scope, should `fin` be
    included. Raises SnapshotRefused where the file is no JSON list or its days are not in the order of time.
    """
    where = f"{snapshot.source_id}: {snapshot.path.name}"
    entries = _list(snapshot.path, where)
    out.read(COUNT_READING, len(entries))
    readings: list[tuple[int, date, Any]] = []
    for number, entry in enumerate(entries, start=1):
        day = _day(entry, day_first)
        if day is None:
            out.reject(COUNT_READING, number, "date", _raw(entry), "not a pair of a date and a count")
        else:
            readings.append((number, day, entry[1]))
    if any(later[1] < earlier[1] for earlier, later in itertools.pairwise(readings)):
        raise SnapshotRefused(
            f"{where}: the days of the series are not in the order of time, but an entry's hour is its place in it; "
            "ask the publisher again"
        )
    months = _Month(snapshot.partition.get("month"))
    series = _Series(out, snapshot.partition["site"], practice, interval_minutes, ZoneInfo(time_zone))
    last = readings[-1][1] if readings else None
    rows: list[dict[str, Any]] = []
    for day, found in itertools.groupby(readings, key=lambda reading: reading[1]):
        of_day = list(found)
        if months.ends_before(day):
            out.out_of_scope(COUNT_READING, "day after the month", len(of_day))
        elif not months.holds(day):
            for number, _, value in of_day:
                out.reject(COUNT_READING, number, "date", f"{day} {value}", "no day of the month asked for")
        else:
            rows += series.rows(day, of_day, may_run=day == last)
    out.write(COUNT_READING, rows)


class _Month:
    """The month asked for, if one was."""

    def __init__(self, month: str | None) -> None:
        self._month = month

    def holds(self, day: date) -> bool:
        return self._month is None or f"{day:%Y-%m}" == self._month

    def ends_before(self, day: date) -> bool:
        return self._month is not None and day == day_of(self._month, "next")


class _Series:
    """Gives the entries of a day their instants."""

    def __init__(self, out: StagedWriter, site_id: str, practice: int, interval_minutes: int, zone: ZoneInfo) -> None:
        self._out = out
        self._interval = timedelta(minutes=interval_minutes)
        self._zone = zone
        self._common = {
            "site_id": site_id,
            "channel_id": site_id,
            "channel_label": None,
            "channel_role": "sum",
            "mode": PRACTICES.get(practice, UNKNOWN_MODE),
            "direction": "both",
            "interval_minutes": interval_minutes,
            "value_mark": None,
            "raw_status": None,
        }

    def rows(self, day: date, entries: Sequence[tuple[int, date, Any]], *, may_run: bool) -> Iterator[dict[str, Any]]:
        per_hour = timedelta(hours=1) // self._interval
        # A day told as a whole is one entry.
        whole = hours_in_day(day, self._zone) * per_hour or 1
        if len(entries) == 24 * per_hour != whole:
            # A day by the clock. Autumn's may also be one that still runs, but for its last hour: on that one evening.
            clock = datetime(day.year, day.month, day.day)  # noqa: DTZ001  what the clock shows, with its zone apart
            places = [passes(clock + place * self._interval, self._zone) for place in range(len(entries))]
        elif len(entries) == whole or (may_run and len(entries) < whole):
            begins = midnight(day, self._zone)
            places = [(begins + place * self._interval,) for place in range(len(entries))]
        else:
            for number, _, value in entries:
                reason = f"{len(entries)} entries of a day, expected {whole}: the hour of none is known"
                self._out.reject(COUNT_READING, number, "date", f"{day} {value}", reason)
            return
        for (number, _, value), instants in zip(entries, places, strict=True):
            count = _count(value)
            if count is _UNREADABLE:
                self._out.reject(COUNT_READING, number, "count", _raw(value), "not a count")
            elif not instants:
                self._left_out(number, day, count)
            else:
                yield {
                    "record_number": number,
                    **self._common,
                    "interval_start_local": instants[0].astimezone(self._zone).replace(tzinfo=None),
                    "interval_start_at": instants[0].astimezone(UTC),
                    "count": count,
                    "clock_change": "merged" if len(instants) > 1 else None,
                }

    def _left_out(self, number: int, day: date, count: Any) -> None:
        """An entry of the hour that spring leaves out holds nothing; what it counted would be lost."""
        if count:
            reason = f"local time does not exist in {self._zone.key}"
            self._out.reject(COUNT_READING, number, "date", f"{day} {count}", reason)
        else:
            self._out.out_of_scope(COUNT_READING, "hour that spring leaves out")


_UNREADABLE = object()


def _count(value: Any) -> Any:
    """A count as a number, None where there is none, `_UNREADABLE` where it is neither."""
    if value is None or value == "" or value == "null":
        return None
    fits = type(value) in (int, str) and re.fullmatch(r"[0-9]{1,9}", str(value))
    return int(value) if fits else _UNREADABLE


def _day(entry: Any, day_first: bool) -> date | None:
    if not isinstance(entry, list) or len(entry) != 2 or not isinstance(entry[0], str):
        return None
    match = re.fullmatch(r"([0-9]{2})/([0-9]{2})/((?:19|20)[0-9]{2})", entry[0])
    if match is None:
        return None
    day, month = (match[1], match[2]) if day_first else (match[2], match[1])
    try:
        return date(int(match[3]), int(month), int(day))
    except ValueError:
        return None


SITES = Connector(
    name="eco_visio_sites",
    version=1,
    payload="json",
    tables=(COUNT_SITE, COUNT_CHANNEL),
    parse=parse_sites,
    listed=listed,
    listed_fields=("flows",),
)
READINGS = Connector(name="eco_visio", version=1, payload="json", tables=(COUNT_READING,), parse=parse_readings)
