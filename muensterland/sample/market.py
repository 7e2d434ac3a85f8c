"""The national electricity market as SMARD (charts and download) and Energy-Charts publish it: October and March 2026.

October has the day of 25 hours, March the one of 23. The two publishers differ by a little, and on one day by a lot.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from muensterland.sample.eco_visio import Answer
from muensterland.sample.packing import lines

CHARTS = "www.smard.de/app/chart_data"
DOWNLOAD = "www.smard.de/downloadcenter/Realisierte_Erzeugung_Strommix.csv"
POWER = "api.energy-charts.info/public_power"
PRICE = "api.energy-charts.info/price"
INSTALLED = "api.energy-charts.info/installed_power"
BERLIN = ZoneInfo("Europe/Berlin")
# Weeks begin on Monday, local time; the last one is still running.
WEEKS = tuple(date(2026, 9, 28) + timedelta(days=7 * number) for number in range(5))
# The moment both publish at; nothing is known after it.
STATE = datetime(2026, 11, 1, 5, tzinfo=UTC)
OCTOBER, MARCH = (2026, 10), (2026, 3)
# One value that was never measured, and a quarter-hour that is missing as a row.
UNMEASURED, LEFT_OUT = datetime(2026, 10, 7, 10, 15, tzinfo=UTC), datetime(2026, 10, 14, 3, 30, tzinfo=UTC)
# The day on which the second publisher has half as much wind again.
ODD_DAY = date(2026, 10, 20)
# Filter of SMARD -> (technology, GW installed at the beginning of 2025 and of 2026).
CAPACITY = {
    "188": ("Solar", 104.0, 117.0),
    "186": ("Wind onshore", 66.0, 70.5),
    "189": ("Biomass", 9.1, 9.2),
    "3792": ("Hydro", 5.1, 5.1),
}


def _hour(at: datetime) -> float:
    local = at.astimezone(BERLIN)
    return local.hour + local.minute / 60


def solar(at: datetime) -> float:
    """MWh of the quarter-hour: a bell over the day, other on each day."""
    bell = max(0.0, math.sin(math.pi * (_hour(at) - 6) / 12))
    return round(6000 * bell * (0.7 + 0.3 * math.sin(at.toordinal())))


def wind(at: datetime) -> float:
    """MWh of the quarter-hour: weather of several days."""
    days = at.timestamp() / 86_400
    return round(3200 + 2400 * math.sin(days * 0.9) + 500 * math.sin(days * 7))


def biomass(at: datetime) -> float:
    """MWh of the quarter-hour, nearly always the same."""
    return round(1060 + 20 * math.sin(_hour(at) / 4))


def hydro(at: datetime) -> float:
    """MWh of the quarter-hour."""
    return round(410 + 15 * math.sin(at.timestamp() / 400_000))


def load(at: datetime) -> float:
    """MWh of the quarter-hour: less at night."""
    return round(12_500 + 2500 * math.sin(math.pi * (_hour(at) - 5) / 14))


def price(at: datetime) -> float:
    """EUR/MWh; below zero on sunny Sundays."""
    return round(95 - solar(at) / 50 - (20 if at.astimezone(BERLIN).isoweekday() == 7 else 0), 2)


# Filter of SMARD -> (production type of Energy-Charts, MWh of a quarter-hour).
SERIES: dict[str, tuple[str, Callable[[datetime], float]]] = {
    "4068": ("Solar", solar),
    "4067": ("Wind onshore", wind),
    "4066": ("Biomass", biomass),
    "1226": ("Hydro Run-of-River", hydro),
    "410": ("Load", load),
}


def files() -> dict[str, bytes]:
    """What SMARD and its download centre have, by publisher's address."""
    return {
        **{name: content for number in SERIES for name, content in _charts(number, "DE", "quarterhour")},
        **dict(_charts("4169", "DE-LU", "hour")),
        **{name: content for number in CAPACITY for name, content in _capacities(number)},
        DOWNLOAD: download(),
    }


def answers() -> list[Answer]:
    """What Energy-Charts answers by query: October, and installed power."""
    month = {"start": "2026-10-01", "end": "2026-10-31"}
    return [
        Answer(POWER, {"country": "de", **month}, f"{POWER}.json", power()),
        Answer(PRICE, {"bzn": "DE-LU", **month}, f"{PRICE}.json", prices()),
        Answer(INSTALLED, {"country": "de", "time_step": "yearly"}, f"{INSTALLED}.json", installed()),
    ]


# -- SMARD -----------------------------------------------------------------------------------------------------------


def _charts(number: str, region: str, resolution: str) -> Iterator[tuple[str, bytes]]:
    folder = f"{CHARTS}/{number}/{region}"
    yield f"{folder}/index_{resolution}.json", _json({"timestamps": [_milliseconds(_midnight(week)) for week in WEEKS]})
    for week in WEEKS:
        start = _midnight(week)
        series = [
            [_milliseconds(at), _told(number, at)]
            for at in _moments(start, _midnight(week + timedelta(days=7)), 15 if resolution == "quarterhour" else 60)
            if not (number == "1226" and at == LEFT_OUT)
        ]
        yield f"{folder}/{number}_{region}_{resolution}_{_milliseconds(start)}.json", _chart(series)


def _told(number: str, at: datetime) -> float | None:
    """What SMARD says; nothing of what is still to come, or was not measured."""
    if at >= STATE or (number == "4067" and at == UNMEASURED):
        return None
    return price(at) if number == "4169" else float(SERIES[number][1](at))


def _capacities(number: str) -> Iterator[tuple[str, bytes]]:
    folder = f"{CHARTS}/{number}/DE"
    years = {year: _milliseconds(_midnight(date(year, 1, 1))) for year in (2025, 2026)}
    yield f"{folder}/index_year.json", _json({"timestamps": list(years.values())})
    for (_, at), gigawatt in zip(years.items(), CAPACITY[number][1:], strict=True):
        yield f"{folder}/{number}_DE_year_{at}.json", _chart([[at, gigawatt * 1000]])


def _chart(series: list[list[float | None]]) -> bytes:
    return _json({"meta_data": {"version": 1, "created": _milliseconds(STATE)}, "series": series})


def download() -> bytes:
    """March as the download centre gives it: BOM, local time without offset, thousands dots, a mark for no value."""
    numbers = ("4066", "1226", "4067", "4068")
    titles = ("Biomasse", "Wasserkraft", "Wind Onshore", "Photovoltaik")
    rows = [["Datum", "Anfang", "Ende", *(f"{title} [MWh] Originalauflösungen" for title in titles)]]
    for at in _of_month(*MARCH):
        begins, ends = at.astimezone(BERLIN), (at + timedelta(minutes=15)).astimezone(BERLIN)
        values = [_german(SERIES[number][1](at)) for number in numbers]
        if at == datetime(2026, 3, 11, 5, tzinfo=UTC):
            values[1] = "-"
        rows.append([f"{begins:%d.%m.%Y}", f"{begins:%H:%M}", f"{ends:%H:%M}", *values])
    return lines(rows, ";", "\r\n").encode("utf-8-sig")


def _german(value: float) -> str:
    return f"{value:,.0f}".replace(",", ".")


# -- Energy-Charts ---------------------------------------------------------------------------------------------------


def power() -> bytes:
    """MW on average over every quarter-hour of October, half a per cent above SMARD; shares of other series as well."""
    moments = list(_of_month(*OCTOBER))
    types = [
        {"name": name, "data": [round(4 * 1.005 * value(at) * (1.5 if _is_odd(name, at) else 1), 1) for at in moments]}
        for name, value in SERIES.values()
    ]
    shares = {"name": "Renewable share of load", "data": [50.0] * len(moments)}
    return _json(
        {
            "unix_seconds": [int(at.timestamp()) for at in moments],
            "production_types": [*types, shares],
            "deprecated": False,
        }
    )


def _is_odd(name: str, at: datetime) -> bool:
    return name == "Wind onshore" and at.astimezone(BERLIN).date() == ODD_DAY


def prices() -> bytes:
    """EUR/MWh of every hour of October."""
    moments = [at for at in _of_month(*OCTOBER) if at.minute == 0]
    said = {
        "license_info": "Synthetic example (no data of Bundesnetzagentur | SMARD.de)",
        "unit": "EUR / MWh",
        "deprecated": False,
    }
    return _json(
        {**said, "unix_seconds": [int(at.timestamp()) for at in moments], "price": [price(at) for at in moments]}
    )


def installed() -> bytes:
    """GW installed by year, one per cent above SMARD."""
    types = [
        {"name": "Solar DC" if name == "Solar" else name, "data": [round(1.01 * value, 3) for value in values]}
        for name, *values in CAPACITY.values()
    ]
    return _json(
        {
            "time": ["2025", "2026"],
            "production_types": types,
            "last_update": _milliseconds(STATE) // 1000,
            "deprecated": False,
        }
    )


# -- time ------------------------------------------------------------------------------------------------------------


def _midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=BERLIN).astimezone(UTC)


def _of_month(year: int, month: int) -> Iterator[datetime]:
    """The quarter-hours of a local month, clock change included."""
    return _moments(_midnight(date(year, month, 1)), _midnight(date(year + month // 12, month % 12 + 1, 1)), 15)


def _moments(start: datetime, end: datetime, minutes: int) -> Iterator[datetime]:
    while start < end:
        yield start
        start += timedelta(minutes=minutes)


def _milliseconds(at: datetime) -> int:
    return int(at.timestamp()) * 1000


def _json(content: object) -> bytes:
    return json.dumps(content, separators=(",", ":")).encode()
