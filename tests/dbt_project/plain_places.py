"""What parking and air quality files say, by Python's csv module and plain loops: nothing of the pipeline is used."""

from __future__ import annotations

import csv
import io
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta


@dataclass(frozen=True)
class ParkingDay:
    """Moments told of a car park on a day, and the sum of the free places told at those that tell some."""

    moments: int
    free_sum: int


def parking_days(files: Iterable[bytes]) -> dict[tuple[str, str], ParkingDay]:
    """Per car park and the date in the row; a row that stands there twice counts once, but for autumn's second pass."""
    told: dict[tuple[str, str], dict[tuple[str, int], int]] = defaultdict(dict)
    for content in files:
        header, *rows = csv.reader(io.StringIO(content.decode("utf-8-sig"), newline=""))
        former, passes = "", 0
        for row in rows:
            time = row[0]
            if not time[:1].isdigit():
                continue
            # Rows come in the order of time, so a step back is a clock put back.
            passes += time < former
            former = time
            # After 03:00 the second pass is over.
            which = passes if time[11:13] == "02" else 0
            for car_park, cell in zip(header[1:], row[1:], strict=True):
                told[car_park, time[:10]][time, which] = int(cell) if cell.isdigit() else 0
    return {key: ParkingDay(len(moments), sum(moments.values())) for key, moments in told.items()}


@dataclass(frozen=True)
class AirDay:
    """The statistics of a component's day, None where the law's share of hours is missing."""

    hours: int
    mean: float | None
    max_hour: float | None
    max_8_hour_mean: float | None


def air_days(content: bytes, first: date) -> dict[tuple[str, date], AirDay]:
    """Per component and day of CET of a file without gaps that begins with the first hour of `first`.

    Its rows are one hour after the other, so a row's place is its hour: no clock is needed to read them.
    """
    _, *rows = csv.reader(io.StringIO(content.decode("utf-8-sig"), newline=""), delimiter=";")
    rows = [row for row in rows if len(row) > 1]
    found = {}
    for place, component in enumerate(("pm10", "o3", "no2", "pm2_5"), start=2):
        values = [None if row[place] == "-" else float(row[place]) for row in rows]
        means = [_mean(values[max(0, end - 8) : end], 6) for end in range(1, len(values) + 1)]
        for number in range((len(values) + 23) // 24):
            hours = values[24 * number : 24 * number + 24]
            measured = [value for value in hours if value is not None]
            if component.startswith("pm"):
                # The floating mean that ends at midnight is the day's.
                day = AirDay(len(measured), hours[23] if len(hours) == 24 else None, None, None)
            else:
                eights = [mean for mean in means[24 * number : 24 * number + 24] if mean is not None]
                highest = max(eights) if component == "o3" and len(eights) >= 18 else None
                day = AirDay(len(measured), _mean(hours, 18), max(measured, default=None), highest)
            found[component, first + timedelta(days=number)] = day
    return found


def _mean(values: list[float | None], at_least: int) -> float | None:
    measured = [value for value in values if value is not None]
    return sum(measured) / len(measured) if len(measured) >= at_least else None
