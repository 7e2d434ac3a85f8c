"""Municipal registers: GENESIS answers of two statistical offices (POST) and the schools of North Rhine-Westphalia."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from muensterland.sample import statistics
from muensterland.sample.geography import BY_AGS, KREIS_NAMES, OUTSIDE, REGION, Municipality, point_within, population
from muensterland.sample.packing import dice, lines, zipped

SCHOOLS = "www.schulministerium.nrw.de/BiPo/OpenData/Schuldaten/schuldaten.csv"
ZENSUS = "ergebnisse.zensus2022.de/api/rest/2020"
REGIONAL = "www.regionalstatistik.de/genesisws/rest/2020"
# GENESIS names the member after the millisecond it was written in.
MILLISECOND = "1793509153999"
COPYRIGHT = "Synthetisches Beispiel, kein Werk der Statistischen Ämter des Bundes und der Länder"


@dataclass(frozen=True)
class Answer:
    """What a GENESIS method answers to a POST form whose `key` is the table's name; bytes lie at `place`.

    form: what the form must have beside it.
    """

    url: str
    table: str
    place: str
    body: bytes
    key: str = "name"
    form: Mapping[str, str] = field(default_factory=dict)


def files() -> dict[str, bytes]:
    """The school list by publisher's address."""
    return {SCHOOLS: schools()}


def answers() -> tuple[Answer, ...]:
    """The answers of the GENESIS hosts."""
    return (
        *_answers(ZENSUS, "1000A-0000", _zensus_rows(), _zensus_structure()),
        *_answers(REGIONAL, "12411-01-01-4", _kreis_rows(), _kreis_structure()),
        *(answer for table in statistics.TABLES for answer in _statistic(table)),
    )


def _answers(base: str, table: str, rows: Sequence[Sequence[str]], metadata: dict[str, Any]) -> tuple[Answer, Answer]:
    body = lines(rows, ";").encode("utf-8-sig")
    archive = zipped({f"{table}_{MILLISECOND}_de_flat.csv": body})
    described = _json(metadata)
    return (
        Answer(f"{base}/data/tablefile", table, f"{base}/{table}.zip", archive),
        Answer(f"{base}/metadata/table", table, f"{base}/{table}.json", described),
    )


# -- further tables: what one of them tells is made by a job --------------------------------------------------------

MADE_BY_A_JOB = "12531-0043"
JOB = f"{MADE_BY_A_JOB}_179350915"


def _statistic(table: statistics.Table) -> Iterator[Answer]:
    rows = list(table.lines())
    dice(f"order of {table.code}").shuffle(rows)
    header = [*_flat_header(1 + len(table.variables)), *(["value_q"] if table.has_quality else [])]
    answered, described = _answers(table.host, table.code, [header, *rows], _structure_of(table))
    yield described
    if table.code != MADE_BY_A_JOB:
        yield answered
        return
    base = table.host
    too_large = "Die Tabelle ist zu gross, um im Dialog abgerufen zu werden; bitte mit job=true anfordern"
    created = f"Der Bearbeitungsauftrag wurde erstellt. Der Name der Ergebnistabelle lautet: {JOB}"
    listing = _status(0, "erfolgreich") | {"List": [{"Code": JOB, "State": "fertig"}]}
    yield Answer(answered.url, table.code, f"{base}/job.json", _json(_status(99, created)), form={"job": "true"})
    yield Answer(answered.url, table.code, f"{base}/too_large.json", _json(_status(98, too_large)))
    yield Answer(f"{base}/catalogue/results", JOB, f"{base}/results.json", _json(listing), key="selection")
    yield Answer(f"{base}/data/resultfile", JOB, f"{base}/{JOB}.zip", answered.body)


def _structure_of(table: statistics.Table) -> dict[str, Any]:
    measures = [_variable(measure.code, measure.label) for measure in table.measures]
    rows = [_variable(*variable[:2]) for variable in table.variables]
    return _metadata(
        table.code,
        table.title,
        table.period,
        {
            "Head": _variable(*table.statistic, "Statistik"),
            "Columns": [_variable(*table.level, "Merkmal", measures)],
            "Rows": rows,
            "Subheading": _variable(*table.time[:2]),
        },
        "02.10.2026 08:00:00h",
    )


def _status(code: int, content: str) -> dict[str, Any]:
    return {"Status": {"Code": code, "Content": content, "Type": "Information"}, "Object": None}


def _json(content: Mapping[str, Any]) -> bytes:
    return json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode()


# -- Zensus 1000A-0000: population of Germany and every municipality, keyed by ARS, in no order --------------------


def _zensus_rows() -> list[list[str]]:
    statistic = ["1000A", "Bevölkerung kompakt (Gebietsstand 15.05.2022)", "STAG", "Stichtag", "2022-05-15"]
    level = ["GEOGM4", "Gemeinden (Gebietsstand 15.05.2022)"]
    germany = [*statistic, "GEODL1", "Deutschland", "DG", "Deutschland", "81234567", "Anzahl", "PRS001", "Personen"]
    rows = [
        [*statistic, *level, place.ars, place.name, str(census_population(place.ags)), "Anzahl", "PRS018", "Personen"]
        for place in BY_AGS.values()
    ]
    dice("census order").shuffle(rows)
    return [_flat_header(1), germany, *rows]


def census_population(ags: str) -> int:
    """Invented: one in fifty fewer than the Gemeindeverzeichnis of the sample says two years later."""
    return sum(population(ags)) * 49 // 50


def _zensus_structure() -> dict[str, Any]:
    persons = [_variable("PRS018", "Personen")]
    return _metadata(
        "1000A-0000",
        "Personen: Bevölkerungszahl",
        ("09.05.2011", "15.05.2022"),
        {
            "Head": _variable("1000A", "Bevölkerung kompakt (Gebietsstand 15.05.2022)", "Statistik"),
            "Columns": [_variable("STAG", "Stichtag")],
            "Rows": [
                _variable("GEODL1", "Deutschland"),
                _variable("GEOGM4", "Gemeinden (Gebietsstand 15.05.2022)", "Merkmal", persons),
            ],
        },
        "20.08.2026 10:27:35h",
    )


# -- Regionalstatistik 12411-01-01-4: population of the Kreise by sex --------------------------------------------------

DESIGNATION = {True: "kreisfreie Stadt", False: "Kreis"}
# Kreise that no longer are (a true zero) or did not report (unknown), and one 8-digit key among the Kreise.
MARKED = (("15151", "Anhalt-Zerbst, Kreis", "-"), ("16056", "Eisenach, kreisfreie Stadt", "."))
EIGHT_DIGITS = ("05334002", "Aachen, kreisfreie Stadt", (100_001, 100_002))


def _kreis_rows() -> list[list[str]]:
    statistic = ["12411", "Fortschreibung des Bevölkerungsstandes", "STAG", "Stichtag", "2025-12-31"]
    level = ["KREISE", "Kreise und kreisfreie Städte"]
    sexes = (("GESM", "männlich"), ("GESW", "weiblich"), ("", "Insgesamt"))  # the total has an empty code
    rows = [
        [*statistic, *level, *kreis, "GES", "Geschlecht", *sex, value, "Anzahl", "BEVSTD", "Bevölkerungsstand"]
        for *kreis, values in _kreise()
        for sex, value in zip(sexes, values, strict=True)
    ]
    dice("kreis order").shuffle(rows)
    return [_flat_header(2), *rows]


def _kreise() -> list[tuple[str, str, tuple[str, str, str]]]:
    """(key, label, (male, female, total)): sums of the sample's municipalities, then those with marks."""
    found = []
    for key, name in KREIS_NAMES.items():
        members = [place for place in BY_AGS.values() if place.kreis == key]
        male = sum(population(place.ags)[0] for place in members)
        female = sum(population(place.ags)[1] for place in members)
        label = f"{name}, {DESIGNATION[members[0].is_kreisfrei]}"
        found.append((key, label, (str(male), str(female), str(male + female))))
    found += [(key, label, (mark, mark, mark)) for key, label, mark in MARKED]
    key, label, (male, female) = EIGHT_DIGITS
    return [*found, (key, label, (str(male), str(female), str(male + female)))]


def _kreis_structure() -> dict[str, Any]:
    stand = [_variable("BEVSTD", "Bevölkerungsstand")]
    return _metadata(
        "12411-01-01-4",
        "Bevölkerung nach Geschlecht - Stichtag 31.12. - regionale\nTiefe: Kreise und krfr. Städte",
        ("31.12.1995", "31.12.2025"),
        {
            "Head": _variable("12411", "Fortschreibung des Bevölkerungsstandes", "Statistik", stand),
            "Columns": [_variable("STAG", "Stichtag", "Merkmal", [_variable("GES", "Geschlecht")])],
            "Rows": [_variable("KREISE", "Kreise und kreisfreie Städte")],
        },
        "31.08.2026 11:18:07h",
    )


# -- what GENESIS answers have in common ------------------------------------------------------------------------------


def _flat_header(variables: int) -> list[str]:
    classifying = [
        f"{number}_variable_{part}"
        for number in range(1, variables + 1)
        for part in ("code", "label", "attribute_code", "attribute_label")
    ]
    return [
        *("statistics_code", "statistics_label", "time_code", "time_label", "time"),
        *classifying,
        *("value", "value_unit", "value_variable_code", "value_variable_label"),
    ]


def _metadata(
    table: str, content: str, period: tuple[str, str], structure: dict[str, Any], updated: str
) -> dict[str, Any]:
    return {
        "Ident": {"Service": "metadata", "Method": "table"},
        "Status": {"Code": 0, "Content": "erfolgreich", "Type": "Information"},
        "Parameter": {"username": "*" * 20, "password": "*" * 20, "name": table, "area": "Alle", "language": "de"},
        "Object": {
            "Code": table,
            "Content": content,
            "Time": {"From": period[0], "To": period[1]},
            "Valid": "false",
            "Structure": {"Subtitel": None, "Subheading": None, **structure},
            "Updated": updated,
        },
        "Copyright": COPYRIGHT,
    }


def _variable(
    code: str, content: str, kind: str = "Merkmal", structure: list[dict[str, Any]] | None = None
) -> dict[str, Any]:
    return {
        "Code": code,
        "Content": content,
        "Type": kind,
        "Values": None,
        "Selected": None,
        "Functions": None,
        "Structure": structure,
        "Updated": "see parent",
    }


# -- schools --------------------------------------------------------------------------------------------------------

SCHOOL_HEADER = (
    *("Schulnummer", "Schulform", "Schulbezeichnung_1", "Schulbezeichnung_2", "Schulbezeichnung_3", "Kurzbezeichnung"),
    *("PLZ", "Ort", "Strasse", "Telefonvorwahl", "Telefon", "Faxvorwahl", "Fax", "E-Mail", "Homepage", "Rechtsform"),
    *("Traegernummer", "Gemeindeschluessel", "Schulbetriebsschluessel", "Schulbetriebsdatum"),
    *("EPSG", "UTMRechtswert", "UTMHochwert"),
)
# Key of the school form and what the form is called; primary schools are the most common.
SCHOOL_FORMS = (
    *(("02", "Grundschule"),) * 5,
    *(("20", "Gymnasium"), ("10", "Realschule"), ("15", "Gesamtschule"), ("30", "Berufskolleg")),
)
FIRST_SCHOOL = 990_000
INHABITANTS_PER_SCHOOL = 6_300


def schools() -> bytes:
    """About 400 schools: `sep=;` first, a header that ends in `;`, everything quoted, the text `null` for nothing."""
    places = [
        place
        for place in (*REGION, *OUTSIDE[1:])  # the ministry knows only schools of its own state
        for _ in range(1 + sum(population(place.ags)) // INHABITANTS_PER_SCHOOL)
    ]
    roll = dice("schools")
    rows = [_school(FIRST_SCHOOL + number, place, roll) for number, place in enumerate(places)]
    rows[1][-3] = "null"
    rows[2][-3:] = ["null", "null", "null"]
    quoted = "".join(";".join(f'"{value}"' for value in row) + "\n" for row in rows)
    return ("sep=;\n" + ";".join(SCHOOL_HEADER) + ";\n" + quoted).encode()


def _school(number: int, place: Municipality, roll: random.Random) -> list[str]:
    form, title = SCHOOL_FORMS[(number - FIRST_SCHOOL) % len(SCHOOL_FORMS)]
    where = point_within(place.ags, roll)
    return [
        *(str(number), form, f"Beispiel-{title}", "(synthetisch)", "", f"{place.short_name}, Beispiel-{title}"),
        *(place.postal_code, place.short_name, f"Schulstr. {1 + roll.randrange(60)}", "0000", "0", "0000", "0"),
        *(f"{number}@schule.example", "", str(1 + (roll.random() < 0.1)), "10000", place.ags),
        *("6" if roll.random() < 0.02 else "1", f"01.08.{1970 + roll.randrange(55)}", "EPSG:25832"),
        *(f"{where.east:.0f}", f"{where.north:.0f}"),
    ]
