"""Eco-Visio: an organisation's list of counters, all over the world, and each counter's series by month, hourly."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from muensterland.sample.mobility import AUTUMN, DOUBLE_HOUR, MONTHS, SEASON, SPRING, WEEKEND, WORKDAY
from muensterland.sample.packing import dice

BASE = "www.eco-visio.net/api/aladdin/1.0.0/pbl/publicwebpageplus"
ORGANISATION = "4586"
LIST = f"{BASE}/{ORGANISATION}"
# `pratique`: 1 walkers, 2 bicycles.
BICYCLES = 2


@dataclass(frozen=True)
class Counter:
    """A counter of the list; flows: (id, pratique)."""

    number: int
    name: str
    longitude: float
    latitude: float
    flows: tuple[tuple[int, int], ...]
    per_day: int = 0


COUNTERS = (
    Counter(900100001, "Musterstraße (synthetisch)", 7.6246, 51.9440, ((900110001, 2), (900120001, 2)), 5_200),
    # Walkers are counted apart, and are not asked for.
    Counter(900100002, "Beispieltor (synthetisch)", 7.6154, 51.9664, ((900110002, 2), (900130002, 1)), 7_000),
    Counter(900100003, "Elsewhere (synthetic)", 23.36929, 69.96787, ((900110003, 2),), 200),
    Counter(900100004, "Nowhere (synthetic)", 0, 0, ((900110004, 2),), 0),
)
IN_REGION = COUNTERS[:2]


@dataclass(frozen=True)
class Answer:
    """What is answered at an address with these items in its query, and under which name it is kept."""

    url: str
    query: dict[str, str]
    place: str
    body: bytes


def files() -> dict[str, bytes]:
    """The list by publisher's address."""
    return {LIST: site_list()}


def answers() -> list[Answer]:
    """The series of every counter of the region and month."""
    return [
        Answer(
            f"{BASE}/data/{counter.number}",
            {
                "idPdc": str(counter.number),
                "interval": "3",
                "flowIds": ";".join(str(number) for number, practice in counter.flows if practice == BICYCLES),
                "debut": f"{month:%d/%m/%Y}",
                # The day that ends it is not included.
                "fin": f"{_next(month):%d/%m/%Y}",
            },
            f"{BASE}/data/{counter.number}/{month:%Y-%m}.json",
            json.dumps(series(counter, month)).encode(),
        )
        for counter in IN_REGION
        for month in MONTHS
    ]


def site_list() -> bytes:
    """The counters as the publisher lists them."""
    return json.dumps([_entry(counter) for counter in COUNTERS], ensure_ascii=False).encode()


def _entry(counter: Counter) -> dict[str, Any]:
    return {
        "id_pdc_img": 0,
        "idPdc": counter.number,
        "lat": counter.latitude,
        "lon": counter.longitude,
        "nom": counter.name,
        "photo": [],
        "pratique": [{"pratique": practice, "id": number} for number, practice in counter.flows],
        "mainPratique": BICYCLES,
        "debut": f"{MONTHS[0]:%d/%m/%Y}",
        "debutPeriode": f"{MONTHS[0]:%d/%m/%Y}",
        "current_year_default": 1,
        "externalUrl": "https://www.eco-visio.net",
        "nomOrganisme": "Synthetic counters of the sample",
        "pays": "de",
        "sig": 1,
        "pictoPublic": "totem_vert.png",
        "today": "01/11/2026",
        "total": 10 * counter.per_day,
        "lastDay": counter.per_day,
        "moyD": counter.per_day,
    }


def series(counter: Counter, month: date) -> list[list[str | None]]:
    """A month by the hour: MM/DD/YYYY and the count as text; 23 entries in spring, 24 in autumn, two hours in one."""
    roll = dice(f"eco-visio {counter.number} {month}")
    entries: list[list[str | None]] = []
    for day in _days(month):
        is_weekend = day.weekday() >= 5
        for hour in range(24):
            if day in SPRING and hour == DOUBLE_HOUR:
                continue
            passes = 2 if day in AUTUMN and hour == DOUBLE_HOUR else 1
            share = (WEEKEND if is_weekend else WORKDAY)[hour]
            mean = (
                counter.per_day * SEASON[month.month - 1] / 100 * (0.6 if is_weekend else 1.0) * share / 1_000 * passes
            )
            count = int(mean * (0.75 + 0.5 * roll.random()) + roll.random())
            is_down = counter is COUNTERS[0] and date(2026, 6, 9) <= day <= date(2026, 6, 10)
            entries.append([f"{day:%m/%d/%Y}", None if is_down else str(count)])
    return entries


def _days(month: date) -> Iterator[date]:
    day = month
    while day.month == month.month:
        yield day
        day += timedelta(days=1)


def _next(month: date) -> date:
    return (month + timedelta(days=31)).replace(day=1)
