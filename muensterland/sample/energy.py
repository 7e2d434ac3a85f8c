"""Energy registers of the Bundesnetzagentur: the Ladesäulenregister (CSV) and the MaStR full export (UTF-16 XML)."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from xml.sax.saxutils import escape

from muensterland.sample.geography import BY_AGS, KREIS_NAMES, OUTSIDE, REGION, Municipality, point_within, to_degrees
from muensterland.sample.packing import dice, lines, zipped

CHARGING = (
    "data.bundesnetzagentur.de/Bundesnetzagentur/DE/Fachthemen/ElektrizitaetundGas/E-Mobilitaet/"
    "Ladesaeulenregister_BNetzA.csv"
)
# Münster's own list of the devices in the city, made from a former edition of the register.
CITY_CHARGING = "raw.githubusercontent.com/od-ms/converter-scripts/master/ladesaeulen/ladesaeulen-muenster.csv"
LINK_PAGE = "www.marktstammdatenregister.de/MaStR/Datendownload"
EXPORT_NAME = "Gesamtdatenexport_20261101_26.2.zip"
EXPORT = f"download.marktstammdatenregister.de/{EXPORT_NAME}"
# The day both registers are published at; nothing is commissioned after it.
STATE = date(2026, 11, 1)

PREAMBLE = (
    "Ladesäulenregister (synthetisches Beispiel)",
    "",
    "Erfundene Ladeeinrichtungen, keine Daten der Bundesnetzagentur",
    "",
    "Stand: 1. November 2026",
    "",
    "Hinweis: Die Liste ist nach Orten sortiert.",
    "Nennleistung in kW",
    "",
    "Allgemeine Informationen;;;;;;;;;;;;;;1. Ladepunkt;;;2. Ladepunkt;;;3. Ladepunkt;;;4. Ladepunkt;;",
)
CHARGING_HEADER = (
    *("Betreiber", "Straße", "Hausnummer", "Adresszusatz", "Postleitzahl", "Ort", "Bundesland"),
    *("Kreis/kreisfreie Stadt", "Breitengrad", "Längengrad", "Inbetriebnahmedatum"),
    *("Nennleistung Ladeeinrichtung [kW]", "Art der Ladeeinrichung", "Anzahl Ladepunkte"),
    *(
        f"{name}{number}{unit}"
        for number in "1234"
        for name, unit in (("Steckertypen", ""), ("P", " [kW]"), ("Public Key", ""))
    ),
)
OPERATORS = ("Beispielstrom GmbH (synthetisch)", "Musterladen eG (synthetisch)", "Stadtwerke Probe (synthetisch)")
# Power of a device and of each of its points in kW, as the register writes them.
DEVICES = (("22", "11"), ("44", "22"), ("22", "22"), ("11", "11"), ("39,6", "39,6"), ("150", "75"), ("300", "150"))


def files() -> dict[str, bytes]:
    """The register, the link page and the export by publisher's address."""
    return {CHARGING: charging_register(), CITY_CHARGING: city_charging(), LINK_PAGE: link_page(), EXPORT: export()}


# -- Ladesäulenregister ---------------------------------------------------------------------------------------------


def charging_register() -> bytes:
    """About 300 devices: preamble, decimal commas, one row twice, one with a latitude nobody can read; BOM, CRLF."""
    rows = _devices()
    rows.insert(101, rows[100])
    rows[50][CHARGING_HEADER.index("Breitengrad")] = "5l,9641"  # a letter where a digit belongs
    text = "\r\n".join(PREAMBLE) + "\r\n" + lines([CHARGING_HEADER, *rows], ";", "\r\n")
    return text.encode("utf-8-sig")


def city_charging() -> bytes:
    """The city's devices again, in the header and with the years of 2022; one that the register lacks, one far away."""
    rows = [
        row for row in _devices() if row[CHARGING_HEADER.index("Kreis/kreisfreie Stadt")] == "Kreisfreie Stadt Münster"
    ]
    day = CHARGING_HEADER.index("Inbetriebnahmedatum")
    greven = point_within("05566012", dice("misplaced"))
    for operator, (longitude, latitude) in (
        ("neu", to_degrees(point_within("05515000", dice("city")))),
        ("fern", to_degrees(greven)),
    ):
        added = list(rows[0])
        added[0] = f"Musterladen {operator} (synthetisch)"
        added[CHARGING_HEADER.index("Längengrad")] = str(longitude).replace(".", ",")
        added[CHARGING_HEADER.index("Breitengrad")] = str(latitude).replace(".", ",")
        rows.append(added)
    shown = [[*row[:day], f"{row[day][:-4]}{row[day][-2:]}", *row[day + 1 :]] for row in rows]
    header = ["Anschlussleistung" if name.startswith("Nennleistung") else name for name in CHARGING_HEADER]
    return lines([header, *shown], ";", "\r\n").encode()


def _devices() -> list[list[str]]:
    roll = dice("charging")
    places = [*REGION * 4, *OUTSIDE * 6, *[BY_AGS["05515000"]] * 18]
    return [_device(place, roll) for place in sorted(places, key=lambda place: place.short_name)]


def _device(place: Municipality, roll: random.Random) -> list[str]:
    longitude, latitude = to_degrees(point_within(place.ags, roll))
    power, per_point = DEVICES[roll.randrange(len(DEVICES))]
    points = 1 if power == per_point else 2
    is_fast = float(power.replace(",", ".")) > 50
    plug = "DC Kupplung Combo" if is_fast else "AC Steckdose Typ 2"
    commissioned = _day(roll, date(2016, 1, 1), date(2026, 9, 30))
    kreis = f"{'Kreisfreie Stadt' if place.is_kreisfrei else 'Kreis'} {KREIS_NAMES[place.kreis]}"
    return [
        *(OPERATORS[roll.randrange(3)], "Beispielstraße", str(1 + roll.randrange(90)), ""),
        *(place.postal_code, place.short_name, "Niedersachsen" if place.ags < "05" else "Nordrhein-Westfalen", kreis),
        *(str(latitude).replace(".", ","), str(longitude).replace(".", ",")),
        *(f"{commissioned.day}.{commissioned.month}.{commissioned.year}", power),
        *("Schnellladeeinrichtung" if is_fast else "Normalladeeinrichtung", str(points)),
        *([plug, per_point, ""] * points + [""] * 3 * (4 - points)),
    ]


def _day(roll: random.Random, first: date, last: date) -> date:
    return first + timedelta(days=roll.randrange((last - first).days + 1))


# -- Marktstammdatenregister ----------------------------------------------------------------------------------------

PLANNED, RUNNING, PAUSED, SHUT = "31", "35", "37", "38"
# Units up to this gross capacity are published without coordinates (MaStR, protection of private persons).
HIDDEN_UP_TO_KW = 30.0
SOLAR_PARTS = 3


@dataclass(frozen=True)
class Technology:
    """A file family of the export: its tags, the energy carrier's catalogue id, how many units and how large."""

    family: str
    element: str
    carrier: str
    units: int
    first_number: int
    gross_kw: Callable[[random.Random], float]
    details: Callable[[random.Random], tuple[tuple[str, str], ...]]


def _solar_kw(roll: random.Random) -> float:
    return 3 + 20 * roll.random() if roll.random() < 0.85 else 31 + 720 * roll.random() ** 3


def _solar_details(roll: random.Random) -> tuple[tuple[str, str], ...]:
    siting = ("853", "853", "853", "852", "2961")[roll.randrange(5)]
    return (("AnzahlModule", str(8 + roll.randrange(900))), ("Lage", siting), ("Hauptausrichtung", "699"))


SOLAR = Technology("EinheitenSolar", "EinheitSolar", "2495", 5_400, 0, _solar_kw, _solar_details)
OTHERS = (
    Technology(
        "EinheitenWind",
        "EinheitWind",
        "2497",
        400,
        10_000,
        lambda roll: 600 + 4_900 * roll.random(),
        lambda roll: (("NameWindpark", "Windpark Beispielheide"), ("Lage", "888"), ("Nabenhoehe", "131.00")),
    ),
    Technology(
        "EinheitenBiomasse", "EinheitBiomasse", "2493", 150, 20_000, lambda roll: 40 + 700 * roll.random(), lambda _: ()
    ),
    Technology(
        "EinheitenWasser", "EinheitWasser", "2498", 50, 30_000, lambda roll: 8 + 120 * roll.random(), lambda _: ()
    ),
)

# An element MaStR has not announced; the misplaced unit carries it.
UNKNOWN_TAG = "NeuesMerkmalSynthetisch"
# The wind unit whose key says Ahaus and whose coordinates say Gronau.
MISPLACED_UNIT = "SEE909999010000"
# The solar unit whose record is not well-formed: an ampersand nobody escaped.
BROKEN_UNIT = "SEE909999002500"

CATALOGUE = {
    "1": (
        "Energieträger",
        {
            "2493": "Biomasse",
            "2495": "Solare Strahlungsenergie",
            "2496": "Speicher",
            "2497": "Wind",
            "2498": "Wasser",
        },
    ),
    "2": (
        "EinheitBetriebsstatus",
        {
            PLANNED: "In Planung",
            RUNNING: "In Betrieb",
            PAUSED: "Vorübergehend stillgelegt",
            SHUT: "Endgültig stillgelegt",
        },
    ),
    "3": (
        "Lage",
        {
            "852": "Freifläche",
            "853": "Bauliche Anlagen (Hausdach, Gebäude und Fassade)",
            "888": "Windkraft an Land",
            "2961": "Steckerfertige Erzeugungsanlage",
        },
    ),
    "4": ("Bundesland", {"1403": "Niedersachsen", "1409": "Nordrhein-Westfalen"}),
    "5": ("Land", {"84": "Deutschland"}),
}


def link_page() -> bytes:
    """The page that links today's export."""
    return (
        '<!DOCTYPE html>\n<html lang="de"><head><meta charset="utf-8"><title>Datendownload (synthetisch)</title></head>'
        f"<body>\n<h1>Datendownload</h1>\n<p>Gesamtdatenexport vom {STATE:%d.%m.%Y}: "
        f'<a href="https://{EXPORT}">Download</a></p>\n</body></html>\n'
    ).encode()


def export() -> bytes:
    """The full export: solar in three parts, the last record of a part being the first of the next."""
    solar = _units(SOLAR)
    size = len(solar) // SOLAR_PARTS
    members = {
        f"{SOLAR.family}_{part + 1}.xml": _xml(SOLAR.family, solar[max(0, part * size - 1) : (part + 1) * size])
        for part in range(SOLAR_PARTS)
    }
    for technology in OTHERS:
        members[f"{technology.family}.xml"] = _xml(technology.family, _units(technology))
    values = [
        _element("Katalogwert", (("Id", number), ("Wert", value), ("KatalogKategorieId", category)))
        for category, (_, entries) in CATALOGUE.items()
        for number, value in entries.items()
    ]
    categories = [
        _element("Katalogkategorie", (("Id", category), ("Name", name))) for category, (name, _) in CATALOGUE.items()
    ]
    members["Katalogwerte.xml"] = _xml("Katalogwerte", values)
    members["Katalogkategorien.xml"] = _xml("Katalogkategorien", categories)
    return zipped(members)


def _units(technology: Technology) -> list[str]:
    roll = dice(technology.family)
    return [
        _unit(technology, number, place, roll)
        for number, place in zip(range(technology.units), _places(roll), strict=False)
    ]


def _places(roll: random.Random) -> Iterator[Municipality]:
    """Each municipality once, then at random; every twelfth unit lies outside the region."""
    number = 0
    while True:
        for place in REGION:
            number += 1
            if number % 12 == 0:
                yield OUTSIDE[roll.randrange(len(OUTSIDE))]
            yield place if number <= len(REGION) else REGION[roll.randrange(len(REGION))]


def _unit(technology: Technology, number: int, place: Municipality, roll: random.Random) -> str:
    serial = f"909999{technology.first_number + number:06d}"
    is_misplaced = f"SEE{serial}" == MISPLACED_UNIT
    place = BY_AGS["05554004"] if is_misplaced else place
    gross = technology.gross_kw(roll)
    longitude, latitude = to_degrees(point_within("05554020" if is_misplaced else place.ags, roll))
    ages_ago = _day(roll, date(2000, 1, 1), date(2026, 10, 25))
    updated = _day(roll, date(2024, 1, 1), date(2026, 10, 31))
    fields = [
        ("EinheitMastrNummer", f"SEE{serial}"),
        ("DatumLetzteAktualisierung", f"{updated}T{roll.randrange(24):02d}:12:33.{roll.randrange(10**7):07d}"),
        ("LokationMaStRNummer", f"SEL{serial}"),
        ("NetzbetreiberpruefungStatus", "1"),
        ("AnlagenbetreiberMastrNummer", f"ABR{serial}"),
        ("Land", "84"),
        ("Bundesland", "1403" if place.ags < "05" else "1409"),
        ("Landkreis", KREIS_NAMES[place.kreis]),
        ("Gemeinde", place.short_name),
        ("Gemeindeschluessel", place.ags),
        ("Postleitzahl", place.postal_code),
        ("Ort", place.short_name),
    ]
    if gross > HIDDEN_UP_TO_KW:
        fields += [("Laengengrad", f"{longitude:.6f}"), ("Breitengrad", f"{latitude:.6f}")]
    fields += [("Registrierungsdatum", str(max(ages_ago, date(2019, 2, 1)))), *_life(ages_ago, roll)]
    fields += [
        ("NameStromerzeugungseinheit", f"Anlage <{number}> Beispiel & Co (synthetisch)"),
        ("Energietraeger", technology.carrier),
        ("Bruttoleistung", f"{gross:.3f}"),
        ("Nettonennleistung", f"{0.9 * gross:.3f}"),
        ("Einspeisungsart", "689"),
        *technology.details(roll),
        ("EegMaStRNummer", f"EEG{serial}"),
    ]
    if is_misplaced:
        fields.append((UNKNOWN_TAG, "1"))
    record = _element(technology.element, fields)
    return record.replace("&amp;", "&") if f"SEE{serial}" == BROKEN_UNIT else record


def _life(commissioned: date, roll: random.Random) -> list[tuple[str, str]]:
    """Dates and status of a unit: nine in ten run, the others are planned, paused or shut for good."""
    chance = roll.random()
    later = str(_day(roll, commissioned, date(2026, 10, 31)))
    if chance < 0.04:
        planned = _day(roll, date(2026, 12, 1), date(2028, 12, 31))
        return [("GeplantesInbetriebnahmedatum", str(planned)), *_status(PLANNED)]
    began = ("Inbetriebnahmedatum", str(commissioned))
    if chance < 0.08:
        return [began, ("DatumEndgueltigeStilllegung", later), *_status(SHUT)]
    if chance < 0.10:
        return [began, ("DatumBeginnVoruebergehendeStilllegung", later), *_status(PAUSED)]
    return [began, *_status(RUNNING)]


def _status(status: str) -> tuple[tuple[str, str], ...]:
    return (("EinheitSystemstatus", "472"), ("EinheitBetriebsstatus", status))


def _element(name: str, fields: Sequence[tuple[str, str]]) -> str:
    body = "".join(f"    <{tag}>{escape(value)}</{tag}>\n" for tag, value in fields)
    return f"  <{name}>\n{body}  </{name}>\n"


def _xml(family: str, records: Sequence[str]) -> bytes:
    text = f'<?xml version="1.0" encoding="utf-16"?>\n<{family}>\n{"".join(records)}</{family}>\n'
    return b"\xff\xfe" + text.encode("utf-16-le")  # `utf-16` would follow the machine's byte order
