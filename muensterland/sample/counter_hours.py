"""Bicycle counters of former years: a sheet of hours per site and year, the weather beside and a total below."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, timedelta

from muensterland.sample.mobility import WORKDAY
from muensterland.sample.packing import dice

BASE = "raw.githubusercontent.com/codeformuenster/open-data/master/verkehrsdaten/fahrrad"
NEUTOR = f"{BASE}/zaehlstelle_neutor_2015_stundenauswertung.csv"
WOLBECKER = f"{BASE}/zaehlstelle_wolbecker_2016_stundenauswertung.csv"
DOUBLE_HOUR = 2
PER_DAY = 4_000
# Days of a sheet, which a real one has all the year round: those on which clocks change and what comes after the fault.
DAYS_2015 = (date(2015, 3, 28), date(2015, 3, 29), date(2015, 10, 24), date(2015, 10, 25))
DAYS_2016 = (date(2016, 3, 26), date(2016, 3, 27), date(2016, 3, 28))
SPRING = (date(2015, 3, 29), date(2016, 3, 27))
AUTUMN = (date(2015, 10, 25),)


def files() -> dict[str, bytes]:
    """The two sheets by publisher's address."""
    return {NEUTOR: neutor(), WOLBECKER: wolbecker()}


def neutor() -> bytes:
    """2015: spring's hour is a blank second row of 3:00; one direction fails on the last day."""
    rows, total = ["Stunden,Zählung Neutor,FR stadteinwärts,FR stadtauswärts,Temperatur (°C),Windstärke (km/h)"], 0
    for moment, inwards, outwards in _hours(DAYS_2015, "neutor"):
        if inwards is None:
            rows.append(f"{_stamp(moment)},,,,,")
            continue
        total += inwards + outwards
        told = "" if moment.date() == DAYS_2015[-1] else inwards
        rows.append(f"{_stamp(moment)},{inwards + outwards},{told},{outwards},7,11")
    rows.append(f"Insgesamt,{total},,,,")
    return ("\n".join(rows) + "\n").encode()


def wolbecker() -> bytes:
    """2016: spring's hour is a second row of 3:00 with zeros; the counter fails on the last day."""
    rows, total = ["Stunden,Wolbecker Straße (gesamt),FR stadteinwärts,FR stadtauswärts,Temperatur (°C),Wetter"], 0
    for moment, inwards, outwards in _hours(DAYS_2016, "wolbecker"):
        if inwards is None:
            rows.append(f"{_stamp(moment)},0,0,0,,")
        elif moment.date() == DAYS_2016[-1]:
            rows.append(f"{_stamp(moment)},technische Störung,,,,")
        else:
            total += inwards + outwards
            rows.append(f"{_stamp(moment)},{inwards + outwards},{inwards},{outwards},9,Nebel")
    rows += [",,,,,", f"Jahressumme,{total},,,,"]
    return ("\n".join(rows) + "\n").encode()


def _hours(days: tuple[date, ...], name: str) -> Iterator[tuple[datetime, int | None, int]]:
    """The rows of a sheet: hours with bicycles in and out; None for the row that stands for spring's hour."""
    roll = dice(f"hours {name}")
    for day in days:
        for hour, share in enumerate(WORKDAY):
            moment = datetime(day.year, day.month, day.day, hour)  # noqa: DTZ001  local time without offset
            passes = 2 if day in AUTUMN and hour == DOUBLE_HOUR else 1
            count = int(PER_DAY * share / 1_000 * (0.8 + 0.4 * roll.random())) * passes
            if day in SPRING and hour == DOUBLE_HOUR:
                yield moment + timedelta(hours=1), None, 0
            else:
                yield moment, count * 6 // 10, count - count * 6 // 10


def _stamp(moment: datetime) -> str:
    return f"{moment.month}/{moment.day}/{moment.year} {moment.hour}:00"
