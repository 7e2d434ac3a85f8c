"""Small twins of the real counters' quirks (PROVENANCE, "Quirks: bike counters"), as monthly files."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

MONTHS = ("2024-07", "2024-08", "2024-09", "2024-10")
AUTUMN = date(2024, 10, 27)
QUARTER = timedelta(minutes=15)
# Bicycles of a quarter hour and direction: none by night.
PROFILE = (0, 0, 0, 0, 0, 2, 8, 30, 28, 14, 12, 12, 14, 15, 16, 20, 26, 32, 24, 16, 10, 6, 3, 0)

# What a channel counts in a quarter hour: a number, or None for a blank cell.
Values = Callable[[datetime], int | None]


def ordinary(shift: int) -> Values:
    """An ordinary direction: never the same from hour to hour, day to day, week to week."""

    def value(moment: datetime) -> int:
        base = PROFILE[moment.hour]
        noise = (moment.toordinal() * 5 + moment.hour * 3 + moment.minute // 15 + shift) % 7
        return base + noise if base else 0

    return value


def blank(moment: datetime) -> None:
    """A channel that never says anything."""


@dataclass(frozen=True)
class Station:
    """A counter: labels and values per channel id and month; rows of `absent` moments are not in the file."""

    number: str
    labels: Callable[[str], Mapping[str, str]]
    values: Mapping[str, Values]
    absent: Callable[[datetime], bool] = lambda moment: False
    months: tuple[str, ...] = MONTHS
    has_sum: bool = field(default=True)

    def cells(self, moment: datetime) -> dict[str, int | None]:
        """Count per channel id, the sum channel included."""
        ids = [id_ for id_ in self.labels(f"{moment:%Y-%m}") if id_ != self.number]
        counts = {id_: self.values[id_](moment) for id_ in ids}
        total = {self.number: sum(count or 0 for count in counts.values())} if self.has_sum else {}
        return {**total, **counts}

    def rows(self, month: str) -> Iterator[tuple[datetime, dict[str, int | None]]]:
        """The rows of a month's file."""
        moment = datetime.fromisoformat(f"{month}-01")
        while f"{moment:%Y-%m}" == month:
            if not self.absent(moment):
                yield moment, self.cells(moment)
            moment += QUARTER

    def file(self, month: str) -> bytes:
        """The bytes of a month's file."""
        labels = self.labels(month)
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\r\n")
        writer.writerow(
            ["Datetime", *(f"{id_} ({label})" for id_, label in labels.items()), *(f"{i}-status" for i in labels)]
        )
        for moment, cells in self.rows(month):
            values = [cells[id_] for id_ in labels]
            writer.writerow(
                [
                    f"{moment:%Y-%m-%d %H:%M}",
                    *("" if v is None else v for v in values),
                    *("" if v is None else 0 for v in values),
                ]
            )
        return text.getvalue().encode()

    def total(self, first: str, until: str, channel: str | None = None) -> int:
        """What a channel (the sum channel) counts from one local time up to another."""
        found = 0
        for month in self.months:
            for moment, cells in self.rows(month):
                if datetime.fromisoformat(first) <= moment < datetime.fromisoformat(until):
                    found += cells[channel or self.number] or 0
        return found


def _always(labels: Mapping[str, str]) -> Callable[[str], Mapping[str, str]]:
    return lambda month: labels


def _between(first: str, until: str) -> Callable[[datetime], bool]:
    start, end = datetime.fromisoformat(first), datetime.fromisoformat(until)
    return lambda moment: start <= moment < end


# Bohlweg: in 2024-10 a car and a further bicycle channel, filled for one hour, and part of the sum.
_moments = _between("2024-10-05 10:00", "2024-10-05 11:00")
BOHLWEG = Station(
    "300037926",
    lambda month: {
        "300037926": "Bohlweg",
        "353413831": "Bohlweg [Bike Stadteinwärts]",
        "353413832": "Bohlweg [Bike Stadtauswärts]",
        **(
            {"353485115": "Bohlweg [Car IN]", "353484923": "Bohlweg [Bike Stadteinwärts]"} if month == "2024-10" else {}
        ),
    },
    {
        "353413831": ordinary(0),
        "353413832": ordinary(3),
        "353485115": lambda moment: 1 if _moments(moment) else None,
        "353484923": lambda moment: 5 if _moments(moment) else None,
    },
)

# Bismarckallee: IN and OUT change places in 2024-10.
_AS_BEFORE = {
    "300038855": "Bismarckallee",
    "353420516": "Bismarckallee Fahrräder IN",
    "353420517": "Bismarckallee Fahrräder OUT",
}
_SWAPPED = {
    "300038855": "Bismarckallee",
    "353420516": "Bismarckallee Fahrräder OUT",
    "353420517": "Bismarckallee Fahrräder IN",
}
BISMARCKALLEE = Station(
    "300038855",
    lambda month: _SWAPPED if month >= "2024-10" else _AS_BEFORE,
    {"353420516": ordinary(1), "353420517": ordinary(4)},
)
# The same swap at a site whose source declares what holds.
DECLARED = Station(
    "300038856",
    lambda month: {
        "300038856": "Andere Allee",
        "353420518": "Andere Allee Fahrräder OUT" if month >= "2024-10" else "Andere Allee Fahrräder IN",
        "353420519": "Andere Allee Fahrräder IN" if month >= "2024-10" else "Andere Allee Fahrräder OUT",
    },
    {"353420518": ordinary(1), "353420519": ordinary(4)},
)

# Hafenstraße: other words from month to month, the same directions. A spike and a stuck sensor of our own.
_spike = _between("2024-09-18 03:00", "2024-09-18 03:15")
_stuck = _between("2024-09-20 08:00", "2024-09-20 16:00")


def _hafen(moment: datetime) -> int:
    if _spike(moment):
        return 5_000
    return 17 if _stuck(moment) else ordinary(2)(moment) or 0


HAFENSTRASSE = Station(
    "100031300",
    lambda month: (
        {"100031300": "Hafenstraße", "101031300": "Hafenstraße Fahrräder IN", "102031300": "Hafenstraße Fahrräder OUT"}
        if month == "2024-08"
        else {"100031300": "Hafenstraße", "101031300": "Channel 1 IN", "102031300": "Channel 2 OUT"}
    ),
    {"101031300": _hafen, "102031300": ordinary(5)},
)

# Lütkenbecker Straße: zeros from 13 to 30 September in all channels.
_dead = _between("2024-09-13 00:00", "2024-10-01 00:00")
LUETKENBECKER = Station(
    "300037920",
    _always(
        {
            "300037920": "Lütkenbecker Str.",
            "353413813": "Lütkenbecker Str. [Bike Stadteinwärts]",
            "353413814": "Lütkenbecker Str. [Bike Stadtauswärts]",
        }
    ),
    {
        "353413813": lambda moment: 0 if _dead(moment) else ordinary(0)(moment),
        "353413814": lambda moment: 0 if _dead(moment) else ordinary(2)(moment),
    },
)

# Wolbecker Straße: the last day of August is missing, that of September has 20 rows; in 2024-10-27 02:xx stand the
# publisher's own figures, 67, 67, 48 and 44, that hold both passes. One direction is dead on a Wednesday.
_MERGED = {0: (34, 33), 15: (33, 34), 30: (24, 24), 45: (22, 22)}
_one_dead = _between("2024-08-14 06:00", "2024-08-14 16:00")


def _wolbecker(place: int) -> Values:
    def value(moment: datetime) -> int:
        if moment.date() == AUTUMN and moment.hour == 2:
            return _MERGED[moment.minute][place]
        return 0 if place == 1 and _one_dead(moment) else ordinary(place)(moment) or 0

    return value


WOLBECKER = Station(
    "100020113",
    _always({"100020113": "Wolbecker Straße", "101020113": "FR stadteinwärts", "102020113": "FR stadtauswärts"}),
    {"101020113": _wolbecker(0), "102020113": _wolbecker(1)},
    lambda moment: moment.date() == date(2024, 8, 31) or _between("2024-09-30 05:00", "2024-10-01 00:00")(moment),
)

# Neutor: three days without rows, then four; a second source tells the first week of July, too.
_NEUTOR = {"100035541": "Neutor", "101035541": "Neutor stadteinwärts", "102035541": "Neutor stadtauswärts"}
_three = _between("2024-09-10 00:00", "2024-09-13 00:00")
_four = _between("2024-10-07 00:00", "2024-10-11 00:00")
NEUTOR = Station(
    "100035541",
    _always(_NEUTOR),
    {"101035541": ordinary(1), "102035541": ordinary(6)},
    lambda moment: _three(moment) or _four(moment),
)
NEUTOR_TOLD_AGAIN = Station(
    "100035541",
    _always(_NEUTOR),
    {"101035541": ordinary(2), "102035541": ordinary(3)},
    lambda moment: moment.date() >= date(2024, 7, 8),
    ("2024-07",),
)

# Gartenstraße: what the source declares wrong.
GARTENSTRASSE = Station(
    "100034978",
    _always({"100034978": "Gartenstraße", "101034978": "Gartenstraße einwärts", "102034978": "Gartenstraße auswärts"}),
    {"101034978": ordinary(3), "102034978": ordinary(5)},
)

STATIONS = (BOHLWEG, BISMARCKALLEE, HAFENSTRASSE, LUETKENBECKER, WOLBECKER, NEUTOR)
