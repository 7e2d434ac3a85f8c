"""Permanent counters of the BASt: the yearly list of stations (Latin-1) and a zip of hours per station and year."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta

from muensterland.sample.mobility import WEEKEND, WORKDAY
from muensterland.sample.packing import dice, lines, zipped

LIST = "www.bast.de/DE/Themen/Digitales/HF_1/Massnahmen/verkehrszaehlung/Daten/2024_1/Jawe2024.csv"
HOURS = "www.bast.de/videos"
YEAR = 2025
# Europe/Berlin in 2025; the files have 24 lines on both days.
SPRING, AUTUMN = date(2025, 3, 30), date(2025, 10, 26)
DOUBLE_HOUR = 3  # the hour that begins at 02:00 is the third

COLUMNS = ("TK_Nr", "DZ_Nr", "DZ_Name", "Land_Nr", "Land_Code", "Str_Kl", "Str_Nr", "Koor_WGS84_N", "Koor_WGS84_E")
CLASSES = ("PLZ", "Pkw", "Lfw", "Mot", "PmA", "Bus", "LoA", "Lzg", "Sat", "Son")
KEY = ("TKNR", "Zst", "Land", "Strklas", "Strnum", "Datum", "Wotag", "Fahrtzw", "Stunde")
COUNTS = (
    *("KFZ_R1", "KFZ_R2", "Lkw_R1", "Lkw_R2"),
    *(f"{name}_{direction}" for direction in ("R1", "R2") for name in CLASSES),
)


@dataclass(frozen=True)
class Station:
    """A counter on a motorway or federal road."""

    number: str
    name: str
    road: tuple[str, str]
    longitude: str
    latitude: str
    per_day: int = 0


STATIONS = (
    Station("95001", "Musterdreieck (synthetisch)", ("A", "1"), "7,6900", "51,9900", 30_000),
    # Listed, but its hours are not published.
    Station("95002", "Übungskreuz (synthetisch)", ("B", "54"), "7,3500", "52,1500"),
    Station("95003", "Fernstadt (synthetisch)", ("A", "99"), "11,5800", "48,1400"),
    Station("95004", "Ortlos (synthetisch)", ("B", "1"), "", ""),
)


def files() -> dict[str, bytes]:
    """The list and the one published year by publisher's address."""
    return {LIST: station_list(), f"{HOURS}/{YEAR}/zst{STATIONS[0].number}.zip": year_file(STATIONS[0])}


def station_list() -> bytes:
    """The stations with their places; decimal comma, CRLF."""
    rows = [("4011", each.number, each.name, "5", "NW", *each.road, each.latitude, each.longitude) for each in STATIONS]
    return lines([COLUMNS, *rows], ";", "\r\n").encode("latin-1")


def year_file(station: Station) -> bytes:
    """A year of hours: 24 a day; counts estimated, unusual and missing among them."""
    roll = dice(f"bast {station.number}")
    header = [*KEY, *(name for count in COUNTS for name in (count, f"K_{count}"))]
    rows = [_line(station, day, hour, roll) for day in _days() for hour in range(1, 25)]
    return zipped({f"zst{station.number}_{YEAR}.csv": lines([header, *rows], ";", "\r\n").encode("latin-1")})


def _line(station: Station, day: date, hour: int, roll: random.Random) -> list[str]:
    is_weekend = day.weekday() >= 5
    share = (WEEKEND if is_weekend else WORKDAY)[hour - 1]
    passes = 2 if day == AUTUMN and hour == DOUBLE_HOUR else 1
    is_left_out = day == SPRING and hour == DOUBLE_HOUR
    mean = 0.0 if is_left_out else station.per_day / 2 * (0.8 if is_weekend else 1.05) * share / 1_000 * passes
    counts: dict[str, int] = {}
    for direction in ("R1", "R2"):
        counts |= {f"{name}_{direction}": count for name, count in _classes(mean, is_weekend, roll).items()}
    mark = _mark(day, hour)
    cells = [cell for name in COUNTS for cell in ("-1" if mark == "d" else str(counts[name]), mark)]
    purpose = "s" if day.weekday() == 6 else "w"
    key = ("4011", station.number, "5", *station.road, f"{day:%y%m%d}", str(day.isoweekday()), purpose, f"{hour:02}")
    return [*key, *cells]


def _classes(mean: float, is_weekend: bool, roll: random.Random) -> dict[str, int]:
    """Invented counts of an hour in a direction that add up as the publisher's do."""
    total = int(mean * (0.85 + 0.3 * roll.random()))
    lorries = int(total * (0.04 if is_weekend else 0.16))
    found = {"Bus": lorries // 20, "PmA": lorries // 15, "LoA": lorries // 5, "Son": total // 200}
    found["Lzg"] = lorries - found["Bus"] - found["PmA"] - found["LoA"]
    found["Sat"] = found["Lzg"] * 3 // 4
    cars = total - lorries - found["Son"]
    found |= {"Lfw": cars // 10, "Mot": cars // 60}
    found["Pkw"] = cars - found["Lfw"] - found["Mot"]
    return found | {"PLZ": cars, "Lkw": lorries, "KFZ": total}


def _mark(day: date, hour: int) -> str:
    """- as measured, s estimated, u unusual but kept, d none."""
    if day == date(2025, 2, 11):
        return "d"
    if day == date(2025, 5, 6) and 8 <= hour <= 15:
        return "s"
    return "u" if day == date(2025, 3, 3) and 10 <= hour <= 18 else "-"


def _days() -> Iterator[date]:
    day = date(YEAR, 1, 1)
    while day.year == YEAR:
        yield day
        day += timedelta(days=1)
