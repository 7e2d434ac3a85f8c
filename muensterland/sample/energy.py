"""The Ladesäulenregister of the Bundesnetzagentur (CSV)."""

from __future__ import annotations

import random
from datetime import date, timedelta

from muensterland.sample.geography import BY_AGS, KREIS_NAMES, OUTSIDE, REGION, Municipality, point_within, to_degrees
from muensterland.sample.packing import dice, lines

CHARGING = (
    "data.bundesnetzagentur.de/Bundesnetzagentur/DE/Fachthemen/ElektrizitaetundGas/E-Mobilitaet/"
    "Ladesaeulenregister_BNetzA.csv"
)
# Münster's own list of the devices in the city, made from a former edition of the register.
CITY_CHARGING = "raw.githubusercontent.com/od-ms/converter-scripts/master/ladesaeulen/ladesaeulen-muenster.csv"

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
    """The register, and the city's list, by publisher's address."""
    return {CHARGING: charging_register(), CITY_CHARGING: city_charging()}


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
    commissioned = day_between(roll, date(2016, 1, 1), date(2026, 9, 30))
    kreis = f"{'Kreisfreie Stadt' if place.is_kreisfrei else 'Kreis'} {KREIS_NAMES[place.kreis]}"
    return [
        *(OPERATORS[roll.randrange(3)], "Beispielstraße", str(1 + roll.randrange(90)), ""),
        *(place.postal_code, place.short_name, "Niedersachsen" if place.ags < "05" else "Nordrhein-Westfalen", kreis),
        *(str(latitude).replace(".", ","), str(longitude).replace(".", ",")),
        *(f"{commissioned.day}.{commissioned.month}.{commissioned.year}", power),
        *("Schnellladeeinrichtung" if is_fast else "Normalladeeinrichtung", str(points)),
        *([plug, per_point, ""] * points + [""] * 3 * (4 - points)),
    ]


def day_between(roll: random.Random, first: date, last: date) -> date:
    """A day from the first to the last, both included."""
    return first + timedelta(days=roll.randrange((last - first).days + 1))
