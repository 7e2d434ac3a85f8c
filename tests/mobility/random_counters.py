"""Random small counters in the layout of Münster's monthly files, and what a plain reading of their text counts."""

from __future__ import annotations

import csv
import io
import random
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta

QUARTER = timedelta(minutes=15)
# The hour from 02:00 that spring leaves out; autumn's two are one in these files.
SPRING = (date(2025, 3, 30), date(2026, 3, 29))
AUTUMN = (date(2025, 10, 26), date(2026, 10, 25))
# Nobody counts for the first 20 days of this month.
OUTAGE = date(2025, 7, 1)
# Of one counter a year and a half, of the others what clock changes and comparing want.
LONG = [(2025, month) for month in range(1, 13)] + [(2026, month) for month in range(1, 7)]
SPANS = (
    [(2025, 3), (2025, 10), (2026, 3), (2026, 10)],
    [(year, month) for year in (2025, 2026) for month in (2, 3, 4, 5, 6)],
)

# Counts per station, direction and local date.
Days = dict[tuple[str, str, date], int]


@dataclass(frozen=True)
class Counter:
    """A station with its channels, id to label; its own id, where it is a channel, is the sum of the others."""

    station: str
    channels: tuple[tuple[str, str], ...]
    months: Mapping[str, bytes]


def random_counter(seed: int) -> Counter:
    """A counter with what real ones have: a sum or none, ghosts, gaps, cut months, blanks, doubted and dead hours."""
    roll = random.Random(seed)
    station = f"{seed + 1}00000"
    parts = [(f"{station}1", "Weg IN"), (f"{station}2", "Weg OUT")][: roll.choice([1, 2, 2])]
    ghosts = [(f"{station}9", "Weg Fahrräder IN")] if roll.random() < 0.5 else []
    has_sum = len(parts) == 2 and roll.random() < 0.6
    channels = ([(station, "Weg")] if has_sum else []) + parts + ghosts
    level = roll.randint(4, 60)
    months = {}
    for year, month in LONG if seed == 0 else SPANS[seed % len(SPANS)]:
        months[f"{year}-{month:02}"] = _month(date(year, month, 1), channels, len(parts), has_sum, level, roll)
    return Counter(station, tuple(channels), months)


def _month(
    first: date, channels: list[tuple[str, str]], parts: int, has_sum: bool, level: int, roll: random.Random
) -> bytes:
    header = ["Datetime", *(f"{id_} ({label})" for id_, label in channels), *(f"{id_}-status" for id_, _ in channels)]
    rows = [header]
    moments = list(_quarters(first))
    trouble = _troubles(moments, roll)
    for moment in moments:
        kind = trouble.get(moment.replace(minute=0), "")
        if kind == "absent":
            continue
        twice = 2 if moment.date() in AUTUMN and moment.hour == 2 else 1
        counts = [roll.randint(0, level) * twice for _ in range(parts)]
        if kind == "dead":
            counts = [0] * parts
        values = ([sum(counts)] if has_sum else []) + counts
        cells = [""] * len(values) if kind == "blank" else [str(value) for value in values]
        status = ["" if kind == "blank" else "4" if kind == "doubted" else "0"] * len(values)
        ghosts = [""] * (len(channels) - len(values))
        rows.append([str(moment)[:16], *cells, *ghosts, *status, *ghosts])
    text = io.StringIO()
    csv.writer(text, lineterminator="\r\n").writerows(rows)
    return text.getvalue().encode()


def _quarters(first: date) -> Iterator[datetime]:
    moment = datetime(first.year, first.month, 1)  # noqa: DTZ001  the layout has local time without offset
    while moment.month == first.month:
        if not (moment.date() in SPRING and moment.hour == 2):
            yield moment
        moment += QUARTER


def _troubles(moments: list[datetime], roll: random.Random) -> dict[datetime, str]:
    """What ails which local hours of the month; clock changes are left whole more often than not."""
    found: dict[datetime, str] = {}
    kinds = [("absent", 3), ("blank", 5), ("doubted", 2), ("dead", 40)]
    for _ in range(roll.randint(0, 3)):
        start = roll.choice(moments).replace(minute=0)
        kind, hours = roll.choice([("absent", 100), *kinds])
        found |= {start + timedelta(hours=hour): kind for hour in range(hours)}
    if moments[0].date() == OUTAGE:
        found |= {moments[0] + timedelta(hours=hour): "absent" for hour in range(20 * 24)}
    if roll.random() < 0.3:  # the month's last day is cut
        last = moments[-1].replace(minute=0)
        found |= {last - timedelta(hours=hour): "absent" for hour in range(roll.choice([20, 24]))}
    return found


def days_of(counter: Counter) -> Days:
    """What the files report per direction and day, by the csv module and a loop; days without a value are not in it.

    Both is the sum channel where the station has one, else the parts.
    """
    found: Days = defaultdict(int)
    for content in counter.months.values():
        for row in csv.DictReader(io.StringIO(content.decode(), newline="")):
            day = date.fromisoformat(row["Datetime"][:10])
            has_sum = counter.channels[0][0] == counter.station
            for id_, label in counter.channels:
                cell = row[f"{id_} ({label})"]
                if not cell:
                    continue
                if id_ == counter.station:
                    found[counter.station, "both", day] += int(cell)
                    continue
                found[counter.station, "in" if "IN" in label else "out", day] += int(cell)
                if not has_sum:
                    found[counter.station, "both", day] += int(cell)
    return dict(found)
