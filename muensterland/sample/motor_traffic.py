"""Loop counts of motor traffic: a file per day, a row per cross-section, a column per hour; the junctions apart."""

from __future__ import annotations

from datetime import date

from muensterland.sample.packing import dice

BASE = "raw.githubusercontent.com/codeformuenster/kfzData/master/data/raw"
JUNCTIONS = "raw.githubusercontent.com/codeformuenster/traffic-dynamics/master/doc/LSA.csv"
# Days on which clocks change and their neighbours; the others were never published.
SPRING, AUTUMN = date(2015, 3, 29), date(2015, 10, 25)
DAYS = (date(2015, 3, 28), SPRING, date(2015, 10, 24), AUTUMN)
DOUBLE_HOUR = 2
# Invented share of a day's vehicles per hour, in per mille; sums to 1000.
HOURS = (8, 5, 4, 4, 6, 16, 42, 72, 68, 55, 50, 52, 55, 54, 56, 62, 74, 80, 68, 54, 40, 32, 27, 16)
# Cross-sections by the number in parentheses: node and lane, vehicles of a day. 9001 is the sum of 9002 and 9003.
SECTIONS = (
    (9001, "99010_FV12_GR", 0),
    (9002, "99010_FV12_G", 6_000),
    (9003, "99010_FV12_R", 1_500),
    (9004, "99020_FV1_ L", 900),
    (9005, "99020_15_DRad1", 700),
)
# Node, streets, latitude, longitude.
NODES = (
    ("99010", "Beispielring", "Musterstraße", "51.961000", "7.631000"),
    ("99020", "Beispielring", "Probeweg", "51.957000", "7.620000"),
)


def files() -> dict[str, bytes]:
    """The junctions and the published days by publisher's address."""
    return {JUNCTIONS: junctions(), **{f"{BASE}/{day:%Y_%m_%d}_24mq.csv": day_file(day) for day in DAYS}}


def junctions() -> bytes:
    """`LSA.csv`: ids with leading zeros, `-` for what is not known."""
    rows = ["Steuergruppe,Technik,ID,StrA,StrB,StrC,StrD,NbW,NbX,NbY,NbZ,Lat,Long"]
    rows += [f"-,-,{node},{first},{second},,,,,,,{north},{east}" for node, first, second, north, east in NODES]
    return ("\n".join(rows) + "\n").encode()


def day_file(day: date) -> bytes:
    """A day: rows end with a delimiter, the header does not; in spring 23 values stand under its 24 hours."""
    roll = dice(f"motor traffic {day}")
    passed = {
        number: [int(per_day * share / 1_000 * (0.8 + 0.4 * roll.random())) for share in HOURS]
        for number, _, per_day in SECTIONS
    }
    passed[9001] = [straight + right for straight, right in zip(passed[9002], passed[9003], strict=True)]
    rows = [f"Name  /  Date: {day:%Y_%m_%d};{';'.join(f'{hour}:00' for hour in range(24))}"]
    rows += [_row(f"MQ_{name} (MQ{number})", _cells(day, passed[number])) for number, name, _ in SECTIONS]
    rows.append(_row("LSA 99010 Schleifen (MQ9101)", _cells(day, [2 * count for count in passed[9001]])))
    rows.append(_row("---Test (MQ9102)", _cells(day, [1] * 24)))
    if day == AUTUMN:
        # Two cells of the day on which clocks change: a correction below zero, and none at all.
        rows[2] = _row(
            "MQ_99010_FV12_G (MQ9002)", [*_cells(day, passed[9002])[:2], "-32", *_cells(day, passed[9002])[3:]]
        )
        rows[3] = _row("MQ_99010_FV12_R (MQ9003)", [*_cells(day, passed[9003])[:2], "", *_cells(day, passed[9003])[3:]])
    return ("\n".join(rows) + "\n").encode()


def _cells(day: date, counts: list[int]) -> list[str]:
    """Values in the order of the day's hours: spring's are one less, autumn's third holds both passes."""
    if day == SPRING:
        return [str(count) for hour, count in enumerate(counts) if hour != DOUBLE_HOUR]
    factor = 2 if day == AUTUMN else 1
    return [str(count * factor if hour == DOUBLE_HOUR else count) for hour, count in enumerate(counts)]


def _row(name: str, cells: list[str]) -> str:
    return ";".join([name, *cells, ""])
