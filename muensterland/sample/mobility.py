"""Bicycle counters as Münster publishes them: a station list and one CSV per station and month, quarter-hourly."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from muensterland.sample.packing import dice

BASE = "raw.githubusercontent.com/od-ms/radverkehr-zaehlstellen/main"
YEAR = 2026
MONTHS = tuple(date(year, month, 1) for year in (YEAR - 1, YEAR) for month in range(1, 13))[: 12 + 10]
QUARTER = timedelta(minutes=15)
# Europe/Berlin: the hour from 02:00 is missing in spring and passes twice in autumn.
SPRING = (date(2025, 3, 30), date(2026, 3, 29))
AUTUMN = (date(2025, 10, 26), date(2026, 10, 25))
DOUBLE_HOUR = 2

# Invented share of a day's bicycles per hour, in per mille; each sums to 1000.
WORKDAY = (5, 3, 2, 2, 4, 14, 45, 105, 95, 55, 42, 42, 48, 50, 52, 62, 85, 98, 70, 45, 30, 22, 15, 9)
WEEKEND = (18, 14, 10, 7, 5, 5, 10, 20, 35, 55, 70, 80, 82, 82, 82, 80, 76, 68, 56, 44, 36, 28, 21, 16)
# Bicycles of a month against the yearly mean, in per cent, January to December.
SEASON = (60, 65, 85, 105, 120, 130, 125, 115, 120, 100, 80, 65)
# Bicycles of the former year against this one.
FORMER_SHARE = 0.95


@dataclass(frozen=True)
class Channel:
    """A column of a station's file: its stable id and the label it carries until and from `relabelled`."""

    number: int
    label: str
    former_label: str = ""
    relabelled: date = date.min
    is_ghost: bool = False

    def header(self, month: date) -> str:
        """The column's name in a month's file."""
        label = self.former_label if month < self.relabelled else self.label
        return f"{self.number} ({label})"


@dataclass(frozen=True)
class Station:
    """A counting site: its first channel is the sum of the next two, the others ghosts; `opened` a first of month."""

    number: int
    name: str
    per_day: int
    channels: tuple[Channel, ...]
    opened: date
    unpublished: date | None = None

    @property
    def months(self) -> tuple[date, ...]:
        """The months that are published."""
        return tuple(month for month in MONTHS if month >= self.opened and month != self.unpublished)


@dataclass(frozen=True)
class Fault:
    """What went wrong at a station from `first` up to but not including `until` (local time as in its files).

    absent: no rows. blank: neither value nor status. dead: the sensor goes on reporting zero.
    Anything else is the status the counter's own software gives values it doubts (4) or changed.
    """

    station: int
    first: str
    until: str
    kind: str


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
        opened=date(2025, 1, 1),
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
        opened=date(2026, 1, 1),  # there is no former year to compare with
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
        opened=date(2025, 7, 1),  # half a year, of which no yearly mean can be told
    ),
)
FAULTS = (
    Fault(900000001, "2026-02-10 06:00", "2026-02-12 18:00", "absent"),
    Fault(900000001, "2026-04-30 02:30", "2026-05-01 00:00", "absent"),  # taken before the month's last day was over
    Fault(900000002, "2026-05-04 09:00", "2026-05-04 12:00", "blank"),
    Fault(900000003, "2026-08-10 00:00", "2026-08-14 00:00", "dead"),
    Fault(900000002, "2026-03-16 00:00", "2026-03-18 00:00", "4"),
    Fault(900000003, "2026-09-04 12:00", "2026-09-04 13:00", "modified"),
)
SOUND = "0"


def files() -> dict[str, bytes]:
    """The station list and every published month by publisher's address."""
    found = {f"{BASE}/site_min.json": site_list()}
    for station in STATIONS:
        for month in station.months:
            found[f"{BASE}/{station.number}/{month:%Y-%m}.csv"] = month_file(station, month)
    return found


def site_list() -> bytes:
    """`site_min.json`: name, folder, first year and channels of every station."""
    sites = [
        {
            "name": station.name,
            "directory": str(station.number),
            "start": YEAR,
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
    faults = [fault for fault in FAULTS if fault.station == station.number]
    for moment in _quarters(month):
        inwards, outwards = _counted(station, moment, roll)
        stamp = str(moment)[: len("2026-01-01 00:00")]
        kind = next((fault.kind for fault in faults if fault.first <= stamp < fault.until), SOUND)
        if kind != "absent":
            rows.append(f"{stamp},{_cells(station, kind, inwards, outwards)}")
    return ("\r\n".join(rows) + "\r\n").encode()


def _cells(station: Station, kind: str, inwards: int, outwards: int) -> str:
    """The sum, its two parts and blank ghosts, then the same with their status."""
    ghosts = "," * (len(station.channels) - 3)
    if kind == "blank":
        return f",,{ghosts},,,{ghosts}"
    if kind == "dead":
        return f"0,0,0{ghosts},{SOUND},{SOUND},{SOUND}{ghosts}"
    return f"{inwards + outwards},{inwards},{outwards}{ghosts},{kind},{kind},{kind}{ghosts}"


def _quarters(month: date) -> Iterator[datetime]:
    """The local quarter hours of a month; the hour spring leaves out is left out, autumn's is not repeated."""
    moment = datetime(month.year, month.month, 1)  # noqa: DTZ001  the publisher writes local time without offset
    while moment.month == month.month:
        if not (moment.date() in SPRING and moment.hour == DOUBLE_HOUR):
            yield moment
        moment += QUARTER


def _counted(station: Station, moment: datetime, roll: random.Random) -> tuple[int, int]:
    """Invented bicycles (inwards, outwards) in a quarter hour: in towards town by morning, out by evening."""
    is_weekend = moment.weekday() >= 5
    share = (WEEKEND if is_weekend else WORKDAY)[moment.hour]
    passes = 2 if moment.date() in AUTUMN and moment.hour == DOUBLE_HOUR else 1
    per_day = station.per_day * SEASON[moment.month - 1] / 100 * (0.6 if is_weekend else 1.0)
    if moment.year < YEAR:
        per_day *= FORMER_SHARE
    mean = per_day * share / 4_000 * passes
    count = int(mean * (0.75 + 0.5 * roll.random()) + roll.random())
    inwards_share = 0.5 if is_weekend else 0.65 if moment.hour < 12 else 0.38
    inwards = min(count, int(count * (inwards_share + 0.1 * (roll.random() - 0.5)) + roll.random()))
    return inwards, count - inwards
