"""Air quality as the Umweltbundesamt publishes it: a CSV of years per station, and its API's JSON by month."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from muensterland.sample.eco_visio import Answer
from muensterland.sample.packing import dice

ARCHIVE = "raw.githubusercontent.com/od-ms/luftqualitaet-muenster/main/public/data"
API = "www.umweltbundesamt.de/api/air_data/v3/airquality/json"
ZONE = ZoneInfo("Europe/Berlin")
CET = timedelta(hours=1)
HOUR = timedelta(hours=1)
HEADER = (
    '"Station code"',
    "Date",
    '"Particulate matter (PM₁₀) Daily average (hourly floating) in µg/m³"',
    '"Ozone (O₃) One hour average in µg/m³"',
    '"Nitrogen dioxide (NO₂) One hour average in µg/m³"',
    '"Particulate matter (PM₂,₅) Daily average (hourly floating) in µg/m³"',
    '"Air quality index"',
)
NOTE = '"Source: synthetic sample, nothing of it measured. All times are the time valid then (CET or CEST)."'
# In the order of the columns: the API's component ids.
COMPONENTS = {"pm10": 1, "o3": 3, "no2": 5, "pm2_5": 9}


@dataclass(frozen=True)
class Station:
    """A measuring station: the API's number, its code, and which components it measures."""

    number: str
    code: str
    components: tuple[str, ...]


STATIONS = (
    Station("1140", "DENW095", ("pm10", "o3", "no2", "pm2_5")),
    # By the street nobody measures ozone.
    Station("1303", "DENW260", ("pm10", "no2", "pm2_5")),
)
# The archive's files: the whole file would be two years; these are the days around its clock changes.
SPANS = {"2022-01-01_2024-01-01": ((date(2023, 3, 24), date(2023, 3, 28)), (date(2023, 10, 27), date(2023, 10, 31)))}
MONTHS = (date(2026, 9, 1), date(2026, 10, 1))
# Hours (UTC) without a value: a calibration, and half a day without power.
GAPS = (
    ("DENW095", "no2", datetime(2026, 9, 10, 8, tzinfo=UTC), 4),
    ("DENW095", "o3", datetime(2026, 9, 11, 6, tzinfo=UTC), 12),
    ("DENW260", "pm10", datetime(2026, 9, 14, 22, tzinfo=UTC), 1),
)


def files() -> dict[str, bytes]:
    """The archive's files by publisher's address."""
    return {
        f"{ARCHIVE}/luftqualitaet_muenster_{span}_station{station.number}.csv": archive_file(station, days)
        for span, days in SPANS.items()
        for station in STATIONS
    }


def answers() -> list[Answer]:
    """What the API says of every station and month."""
    return [
        Answer(
            API,
            {"station": station.number, "date_from": f"{month:%Y-%m-%d}"},
            f"{API}/{station.number}/{month:%Y-%m}.json",
            api_answer(station, month),
        )
        for station in STATIONS
        for month in MONTHS
    ]


def archive_file(station: Station, spans: tuple[tuple[date, date], ...]) -> bytes:
    """Hours by their END in the time valid then, 01:00 to 24:00; `-` where there is no value."""
    lines = [";".join(HEADER)]
    for first, last in spans:
        for begin in _hours(first, last):
            values = [_value(station, component, begin) for component in COMPONENTS]
            cells = ["-" if value is None else f"{value:g}" for value in values]
            # Without any value the publisher also leaves out the index, with a delimiter too many.
            index = ";" if all(value is None for value in values) else '"very good"'
            lines.append(f"{station.code};\"'{end_of(begin)}'\";{';'.join(cells)};{index}")
    return ("\ufeff" + "\n".join([*lines, "", NOTE]) + "\n").encode()


def end_of(begin: datetime) -> str:
    """The end of an hour as the CSV writes it: an hour after what the clock showed at its beginning."""
    local = begin.astimezone(ZONE).replace(tzinfo=None)
    return f"{local:%Y-%m-%d} {local.hour + 1:02}:00"


def api_answer(station: Station, month: date) -> bytes:
    """Hours by their beginning in CET all year; components without a value are left out."""
    following = (month + timedelta(days=31)).replace(day=1)
    hours: dict[str, Any] = {}
    moment = datetime(month.year, month.month, 1, tzinfo=UTC) - CET
    while (moment + CET).date() < following:
        entries = [
            [id_, value, 0, "0.5"]
            for component, id_ in COMPONENTS.items()
            if (value := _value(station, component, moment)) is not None
        ]
        if entries:
            is_incomplete = int(len(entries) < len(COMPONENTS))
            hours[_cet(moment)] = [_cet(moment + HOUR), 0, is_incomplete, *entries]
        moment += HOUR
    # As they come: not all in the order of time.
    late = list(hours)[3:5]
    ordered = {**{key: hours[key] for key in hours if key not in late}, **{key: hours[key] for key in late}}
    last = following - timedelta(days=1)
    request = {"station": station.number, "date_from": f"{month}", "date_to": f"{last}", "index": "id"}
    return json.dumps({"request": request, "data": {station.number: ordered}}).encode()


def _cet(moment: datetime) -> str:
    return f"{moment + CET:%Y-%m-%d %H:00:00}"


def _hours(first: date, last: date) -> Iterator[datetime]:
    """The beginnings (UTC) of the hours of local days."""
    moment = datetime(first.year, first.month, first.day, tzinfo=ZONE).astimezone(UTC)
    while moment.astimezone(ZONE).date() <= last:
        yield moment
        moment += HOUR


def _value(station: Station, component: str, begin: datetime) -> float | None:
    """An invented concentration (µg/m³) of an hour."""
    if component not in station.components:
        return None
    for code, which, first, hours in GAPS:
        if (code, which) == (station.code, component) and first <= begin < first + HOUR * hours:
            return None
    noise = dice(f"air {station.code} {component} {begin:%Y-%m-%d %H}").random()
    hour = (begin + CET).hour
    if component == "o3":
        # A hot afternoon in September.
        peak = 150 if begin.date() == date(2026, 9, 5) else 60
        return float(round(20 + peak * math.exp(-(((hour - 15) / 5) ** 2)) + 5 * noise))
    if component == "no2":
        return float(round(15 + 10 * math.exp(-(((hour - 8) / 3) ** 2)) + 8 * noise))
    # A mean of 24 hours moves slowly; one day of fireworks.
    base = 58 if component == "pm10" and begin.date() == date(2026, 10, 3) else 14
    return float(round(base * (1 if component == "pm10" else 0.6) + 3 * noise))
