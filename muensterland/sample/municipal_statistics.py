"""Regionalstatistik 12411-02-03-5: population of municipalities by sex and age, on the territory of each day.

Areas merge, are divided and get other keys between the days, as the seed area_change invents it for the sample. Small
municipalities have ages in which one to four persons live.
"""

from __future__ import annotations

import csv
import itertools
from collections import Counter
from collections.abc import Iterator
from datetime import date

from muensterland.sample.geography import REGION, population
from muensterland.sample.packing import dice
from muensterland.settings import REPOSITORY

TABLE = "12411-02-03-5"
DAYS = (date(2019, 12, 31), date(2020, 12, 31), date(2021, 12, 31))
CHANGES = REPOSITORY / "dbt_project" / "seeds" / "core" / "area_change.csv"
SEXES = (("GESM", "männlich"), ("GESW", "weiblich"), ("", "Insgesamt"))
# Upper bounds of the age groups; the last one is open.
BOUNDS = (3, 6, 10, 15, 18, 20, 25, 30, 35, 40, 45, 50, 55, 60, 65, 75)
HEADER = [
    *("statistics_code", "statistics_label", "time_code", "time_label", "time"),
    *(
        f"{number}_variable_{part}"
        for number in (1, 2, 3)
        for part in ("code", "label", "attribute_code", "attribute_label")
    ),
    *("value", "value_unit", "value_variable_code", "value_variable_label"),
]


def ages() -> list[tuple[str, str, float]]:
    """(code, label, share of the inhabitants) of the 17 groups."""
    lowest = (0, *BOUNDS)
    found = []
    for low, high in zip(lowest, (*BOUNDS, None), strict=True):
        width = (high or 83) - low
        share = width / 83
        label = f"{low} bis unter {high} Jahre" if high else f"{low} Jahre und mehr"
        code = f"ALT{low:03d}B{high:02d}" if high else f"ALT{low:03d}UM"
        found.append((code, label, share))
    return found


def territories(day: date) -> dict[str, tuple[str, int]]:
    """Name and inhabitants of the municipalities of a day by key, from those of today and the invented changes."""
    changes = [row for row in csv.DictReader(CHANGES.open(encoding="utf-8")) if row["is_synthetic"] == "true"]
    later = [row for row in changes if date.fromisoformat(row["effective_date"]) > day and row["kind"] != "renaming"]
    gone = {row["area_id"] for row in later if row["kind"] in ("merger", "division", "key_change")}
    found = {place.ags: (place.name, sum(population(place.ags))) for place in REGION if place.ags not in gone}
    for row in later:
        # Of an incorporated village few persons: its ages have small counts.
        share = 0.5 if row["kind"] == "merger" else 1.0
        persons = 240 if row["kind"] == "incorporation" else round(share * sum(population(row["area_id"])))
        known = found.get(row["former_area_id"], ("", 0))[1]
        found[row["former_area_id"]] = (row["former_name"], known + persons)
    return dict(sorted(found.items()))


def counts(day: date) -> dict[tuple[str, str, str], int]:
    """Persons by key, sex and age group: sums agree, for totals are made of them."""
    roll = dice(f"ages {day.isoformat()}")
    return {
        (ags, sex, age): max(
            0, round(persons * share * (0.46 + 0.08 * roll.random()) * (1 - 0.004 * (2021 - day.year)))
        )
        for ags, (_, persons) in territories(day).items()
        for sex, _ in SEXES[:2]
        for age, _, share in ages()
    }


def rows() -> Iterator[list[str]]:
    """Lines of the flat file: every combination of sex and age group with their totals, which have an empty code."""
    groups = [*((code, label) for code, label, _ in ages()), ("", "Insgesamt")]
    for day in DAYS:
        persons: Counter[tuple[str, str, str]] = Counter()
        for (ags, sex, age), count in counts(day).items():
            for key in itertools.product((ags,), (sex, ""), (age, "")):
                persons[key] += count
        for ags, (name, _) in territories(day).items():
            for sex, sex_label in SEXES:
                for age, age_label in groups:
                    value = persons[ags, sex, age]
                    yield [
                        *("12411", "Fortschreibung des Bevölkerungsstandes", "STAG", "Stichtag", day.isoformat()),
                        *("GEMEIN", "Gemeinden", ags, name, "GES", "Geschlecht", sex, sex_label),
                        *("ALTX17", "Altersgruppen (17)", age, age_label),
                        *(str(value) if value else "-", "Anzahl", "BEVSTD", "Bevölkerungsstand"),
                    ]


def table() -> list[list[str]]:
    """The flat file with its header, in no order."""
    found = list(rows())
    dice("municipal order").shuffle(found)
    return [HEADER, *found]
