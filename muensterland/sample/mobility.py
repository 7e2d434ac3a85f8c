"""Bicycle counters as Münster publishes them: a station list and one CSV per station and month, quarter-hourly."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from muensterland.sample.packing import dice

BASE = "raw.githubusercontent.com/od-ms/radverkehr-zaehlstellen/main"
MONTHS = tuple(date(2026, month, 1) for month in range(1, 11))
QUARTER = timedelta(minutes=15)
# Europe/Berlin in 2026: the hour from 02:00 is missing in spring and passes twice in autumn.
SPRING, AUTUMN = date(2026, 3, 29), date(2026, 10, 25)
DOUBLE_HOUR = 2

# Invented share of a day's bicycles per hour, in per mille; each sums to 1000.
WORKDAY = (5, 3, 2, 2, 4, 14, 45, 105, 95, 55, 42, 42, 48, 50, 52, 62, 85, 98, 70, 45, 30, 22, 15, 9)
WEEKEND = (18, 14, 10, 7, 5, 5, 10, 20, 35, 55, 70, 80, 82, 82, 82, 80, 76, 68, 56, 44, 36, 28, 21, 16)
# Bicycles of a month against the yearly mean, in per cent, January to October.
SEASON = (60, 65, 85, 105, 120, 130, 125, 115, 120, 100)


@dataclass(frozen=True)
class Channel:
    """A column of a station's file: its stable id and the label it carries until and from `relabelled`."""

    number: int
    label: str
    former_label: str = ""
    relabelled: date = date.min
    is_ghost: bool = False

    def header(self, month: date) -> str:
        label = self.former_label if month < self.relabelled else self.label
        return f"{self.number} ({label})"


@dataclass(frozen=True)
class Station:
    """A counting site: its first channel is the sum of the next two, further ones are ghosts."""

    number: int
    name: str
    per_day: int
    channels: tuple[Channel, ...]
    unpublished: date | None = None


@dataclass(frozen=True)
class Gap:
    """A stretch of a station's local time, from first up to but not including `until`."""

    station: int
    first: datetime
    until: datetime

    def holds(self, station: int, moment: datetime) -> bool:
        return self.station == station and self.first <= moment < self.until


STATIONS = (
    Station(
        900000001,
        "Beispielweg (synthetisch)",
        6_000,
        (
            Channel(900000001, "Beispielweg"),
            Channel(901000001, "FR stadteinwärts", "FR stdteinwärts", date(2026, 6, 1)),  # the publisher's own slip
            Channel(902000001, "FR stadtauswärts"),
        ),
    ),
    Station(
        900000002,
        "Musterallee (synthetisch)",
        3_500,
        (
            Channel(900000002, "Musterallee"),
            Channel(901000002, "Musterallee Fahrräder IN"),
            Channel(902000002, "Musterallee Fahrräder OUT"),
            Channel(903000002, "Musterallee Fahrräder IN", is_ghost=True),
        ),
        unpublished=date(2026, 7, 1),
    ),
    Station(
        900000003,
        "Probepromenade (synthetisch)",
        1_800,
        (
            Channel(900000003, "Probepromenade"),
            Channel(901000003, "Probepromenade [Bike Stadteinwärts]"),
            Channel(902000003, "Probepromenade [Bike Stadtauswärts]"),
        ),
    ),
)
# Rows that are not there: an outage, and a month that was taken before its last day was over.
ABSENT = (
    Gap(900000001, datetime(2026, 2, 10, 6), datetime(2026, 2, 12, 18)),
    Gap(900000001, datetime(2026, 4, 30, 2, 30), datetime(2026, 5, 1)),
)
# Rows without value and without status.
BLANK = (Gap(900000002, datetime(2026, 5, 4, 9), datetime(2026, 5, 4, 12)),)
# A dead sensor that goes on reporting zero.
DEAD = (Gap(900000003, datetime(2026, 8, 10), datetime(2026, 8, 14)),)
# Values the counter's own software doubts or changed.
STATUS = {
    "4": (Gap(900000002, datetime(2026, 3, 16), datetime(2026, 3, 18)),),
    "modified": (Gap(900000003, datetime(2026, 9, 4, 12), datetime(2026, 9, 4, 13)),),
}


def files() -> dict[str, bytes]:
    """The station list and every published month by publisher's address."""
    found = {f"{BASE}/site_min.json": site_list()}
    for station in STATIONS:
        for month in MONTHS:
            if month != station.unpublished:
                found[f"{BASE}/{station.number}/{month:%Y-%m}.csv"] = month_file(station, month)
    return found


def site_list() -> bytes:
    """`site_min.json`: name, folder, first year and channels of every station."""
    sites = [
        {
            "name": station.name,
            "directory": str(station.number),
            "start": MONTHS[0].year,
            "channels": [[channel.number, channel.label] for channel in station.channels if not channel.is_ghost],
        }
        for station in STATIONS
    ]
    return json.dumps(sites, indent=4).encode()


def month_file(station: Station, month: date) -> bytes:
    """One month of a station: a column per channel, then a status column per channel; CRLF."""
    names = [channel.header(month) for channel in station.channels]
    status = [f"{channel.number}-status" for channel in station.channels]
    rows = [",".join(["Datetime", *names, *status])]
    roll = dice(f"bicycles {station.number} {month}")
    ghosts = len(station.channels) - 3
    for moment in _quarters(month):
        inwards, outwards = _counted(station, moment, roll)
        if not _any(ABSENT, station, moment):
            rows.append(f"{moment:%Y-%m-%d %H:%M}," + _cells(station, moment, inwards, outwards, ghosts))
    return ("\r\n".join(rows) + "\r\n").encode()


def _cells(station: Station, moment: datetime, inwards: int, outwards: int, ghosts: int) -> str:
    if _any(BLANK, station, moment):
        return "," * (2 * len(station.channels) - 1)
    if _any(DEAD, station, moment):
        inwards = outwards = 0
    status = next((name for name, gaps in STATUS.items() if _any(gaps, station, moment)), "0")
    values = [str(inwards + outwards), str(inwards), str(outwards), *[""] * ghosts]
    return ",".join([*values, status, status, status, *[""] * ghosts])


def _quarters(month: date) -> Iterator[datetime]:
    """The local quarter hours of a month; the hour spring leaves out is left out, autumn's is not repeated."""
    moment = datetime(month.year, month.month, 1)  # noqa: DTZ001  the publisher writes local time without offset
    while moment.month == month.month:
        if not (moment.date() == SPRING and moment.hour == DOUBLE_HOUR):
            yield moment
        moment += QUARTER


def _counted(station: Station, moment: datetime, roll: random.Random) -> tuple[int, int]:
    """Invented bicycles (inwards, outwards) in a quarter hour: in towards town by morning, out by evening."""
    is_weekend = moment.weekday() >= 5
    share = (WEEKEND if is_weekend else WORKDAY)[moment.hour]
    passes = 2 if moment.date() == AUTUMN and moment.hour == DOUBLE_HOUR else 1
    mean = station.per_day * SEASON[moment.month - 1] / 100 * (0.6 if is_weekend else 1.0) * share / 4_000 * passes
    count = int(mean * (0.75 + 0.5 * roll.random()) + roll.random())
    inwards_share = 0.5 if is_weekend else 0.65 if moment.hour < 12 else 0.38
    inwards = min(count, int(count * (inwards_share + 0.1 * (roll.random() - 0.5)) + roll.random()))
    return inwards, count - inwards


def _any(gaps: tuple[Gap, ...], station: Station, moment: datetime) -> bool:
    return any(gap.holds(station.number, moment) for gap in gaps)
