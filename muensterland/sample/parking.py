"""Free parking places as Münster's parking guidance system is archived: a file per day, in its three generations."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from muensterland.sample.packing import dice

BASE = "raw.githubusercontent.com/codeformuenster/parking-decks-muenster/master/data"
TIME = "Datum und Uhrzeit"
CAPACITIES = "Anzahl Parkplätze gesamt"
ZONE = ZoneInfo("Europe/Berlin")
# By night the guidance system says something every 15 minutes, by day every 5.
NIGHT_ENDS = 6
MARKS_SINCE = date(2025, 1, 1)


@dataclass(frozen=True)
class CarPark:
    """A column: its name, its places, when it stands in the files, when it opens, and what is odd about it.

    odd: `always_zero` (built, but not connected), `frozen` (the display stands still), `no_signal`.
    """

    name: str
    capacity: int
    since: date = date.min
    opens: int = 0
    closes: int = 24
    odd: str | None = None


# Later ones stand where the publisher put them: one before all others, which so shift.
CAR_PARKS = (
    CarPark("PH Musterkreuz (synthetisch)", 1_000, since=date(2023, 1, 1), odd="always_zero"),
    CarPark("PH Beispielhof (synthetisch)", 740),
    CarPark("PP Probeplatz (synthetisch)", 200, opens=7, closes=21),
    CarPark("Busparkplatz (synthetisch)", 60, odd="no_signal"),
    CarPark("PH Standbild (synthetisch)", 300, odd="frozen"),
    CarPark("TG Neubau (synthetisch)", 350, since=date(2025, 1, 1)),
)
ALWAYS_FULL_AT = range(13, 15)


def _all(_: datetime) -> bool:
    return True


@dataclass(frozen=True)
class Day:
    """A published file: the day its name says, the day its rows are of, and which of that day's moments it has."""

    name: date
    rows_of: date
    has: Callable[[datetime], bool] = _all
    doubles: bool = False


DAYS = (
    # The archive's first file holds some minutes of the next day, a few of them twice, and the next one its evening.
    Day(date(2019, 8, 19), date(2019, 8, 20), lambda time: time.hour == 17 and time.minute < 20, doubles=True),
    Day(date(2019, 8, 20), date(2019, 8, 20), lambda time: time.hour >= 22),
    Day(date(2021, 10, 31), date(2021, 10, 31)),
    Day(date(2023, 3, 26), date(2023, 3, 26)),
    # Cut in the morning.
    Day(date(2024, 11, 4), date(2024, 11, 4), lambda time: (time.hour, time.minute) <= (8, 10)),
    Day(date(2026, 10, 24), date(2026, 10, 24)),
    Day(date(2026, 10, 25), date(2026, 10, 25)),
    # An hour nobody listened in.
    Day(date(2026, 10, 26), date(2026, 10, 26), lambda time: time.hour != 11),
)


def files() -> dict[str, bytes]:
    """Every day's file by publisher's address."""
    return {f"{BASE}/{day.name}.csv": day_file(day) for day in DAYS}


def day_file(day: Day) -> bytes:
    """A day: CRLF; before 2025 bare and zero for all that is not open, since then quoted and with marks."""
    car_parks = [car_park for car_park in CAR_PARKS if car_park.since <= day.rows_of]
    knows_marks = day.rows_of >= MARKS_SINCE
    quoted = '"{}"'.format if knows_marks else "{}".format
    rows = [[quoted(TIME), *(quoted(car_park.name) for car_park in car_parks)]]
    if knows_marks:
        rows.append([quoted(CAPACITIES), *(quoted(f"({car_park.capacity})") for car_park in car_parks)])
    roll = dice(f"parking {day.name}")
    for moment in moments(day.rows_of):
        local = moment.astimezone(ZONE)
        if not day.has(local):
            continue
        noise = roll.random()
        cells = [_cell(car_park, local, noise, knows_marks) for car_park in car_parks]
        row = [quoted(f"{local:%Y-%m-%d %H:%M}"), *(cell if cell.isdigit() else quoted(cell) for cell in cells)]
        rows += [row] * (2 if day.doubles and local.minute >= 10 else 1)
    return ("\r\n".join(",".join(row) for row in rows) + "\r\n").encode()


def moments(day: date) -> Iterator[datetime]:
    """The instants (UTC) of a local day's rows: 236 in spring, 240, 244 in autumn."""
    moment = datetime(day.year, day.month, day.day, tzinfo=ZONE).astimezone(UTC)
    while moment.astimezone(ZONE).date() == day:
        yield moment
        moment += timedelta(minutes=15 if moment.astimezone(ZONE).hour < NIGHT_ENDS else 5)


def _cell(car_park: CarPark, local: datetime, noise: float, knows_marks: bool) -> str:
    """Free places, or what stands there where nobody can park or knows."""
    if car_park.odd == "no_signal":
        return "kei" if knows_marks else "0"
    if car_park.odd == "always_zero" or not car_park.opens <= local.hour < car_park.closes:
        return "ges" if knows_marks else "0"
    if car_park.odd == "frozen":
        return str(car_park.capacity // 2)
    # Full after noon; emptied towards the night.
    hour = local.hour + local.minute / 60
    taken = 0.9 * math.exp(-(((hour - 14) / 4) ** 2)) + 0.05 * noise
    free = round(car_park.capacity * (1 - min(taken, 1)))
    if car_park.capacity == min(one.capacity for one in CAR_PARKS if one.opens) and local.hour in ALWAYS_FULL_AT:
        # On and off: the last places come and go.
        free = 0 if local.minute % 15 == 5 else 2
    return "bes" if knows_marks and free == 0 else str(free)
