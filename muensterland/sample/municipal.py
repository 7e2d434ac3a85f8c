"""Registers that one city keeps: containers, playgrounds, day-care, districts, a survey, a queue; all invented."""

from __future__ import annotations

import json
import random
from datetime import date, datetime, timedelta
from typing import Any

from muensterland.sample.eco_visio import Answer
from muensterland.sample.geography import MUENSTER, point_within, to_degrees
from muensterland.sample.packing import dice, lines

AWM = "raw.githubusercontent.com/od-ms/converter-scripts/master/data"
ARCHIVE = "raw.githubusercontent.com/codeformuenster/open-data/master"
DISTRICTS = f"{ARCHIVE}/statistik_stadtteile"
QUEUE = "raw.githubusercontent.com/codeformuenster/parking-decks-muenster/master/data_citizen_center"
CATALOGUE = "opendata.stadt-muenster.de/api/3/action/package_show"
DATASET = "ffceaec5-d943-4660-b0cb-b38ca236e293"
SERVICE = "www.stadt-muenster.de/ows/mapserv706/kitaserv"
CENTRES, PAGE = 230, 200
# (number, name): a city of six districts; the sums over them have no number.
PARTS = (
    ("11", "Altstadt"),
    ("21", "Hafen"),
    ("31", "Seeviertel"),
    ("51", "Westerfeld"),
    ("61", "Nordheide"),
    ("81", "Südau"),
)
SUMS = (("Mitte", PARTS[:3]), ("Außen", PARTS[3:]), ("Stadt Münster", PARTS))
YEARS = range(2010, 2015)
AGES = (*(f"{first} - {first + 9}" for first in range(0, 90, 10)), "90 u. mehr")
# Fewer than this many the city writes as a dot; the house hides some more.
FEWEST = 3
QUEUE_DAYS = (date(2020, 10, 26), date(2021, 1, 6), date(2021, 1, 7))


def files() -> dict[str, bytes]:
    """Every file by publisher's address."""
    figures = {
        "ms_wohnberechtigte": _by_year("population", 5_000),
        "ms_haushalte": _by_year("households", 2_800),
        "ms_arbeitslose": _by_year("unemployed", 220),
        "ms_sozialversicherungspflichtige": _by_year("employees", 1_900),
        "ms_wohnberechtigte_nach_alter": _by_age(_people("male"), _people("female")),
        "ms_wohnberechtigte_nach_alter_maennlich": _by_age(_people("male")),
        "ms_wohnberechtigte_nach_alter_weiblich": _by_age(_people("female")),
    }
    return {
        f"{AWM}/awm-glascontainer-combined.csv": glass(),
        f"{AWM}/awm-altkleider.csv": _containers("Altkleidercontainer", 12),
        f"{AWM}/awm-elektrokleingeraete.csv": _containers("Elektrokleingeräte-Container", 8),
        f"{AWM}/mobilitaetsdaten.csv": survey(),
        f"{ARCHIVE}/spielplaetze.geojson": playgrounds(),
        f"{ARCHIVE}/sportstaetten.geojson": sports_grounds(),
        **{f"{DISTRICTS}/{name}.csv": body for name, body in figures.items()},
        **{f"{QUEUE}/{day}.csv": queue(day) for day in QUEUE_DAYS},
    }


def answers() -> list[Answer]:
    """The catalogue's answer, in a list as DKAN gives it, and the pages of the feature service."""
    found = [Answer(CATALOGUE, {"id": DATASET}, f"{CATALOGUE}/{DATASET}.json", _package())]
    for start in range(0, CENTRES + 1, PAGE):
        query = {"TYPENAMES": "ms:kitas01", "COUNT": str(PAGE), "STARTINDEX": str(start)}
        found.append(Answer(SERVICE, query, f"{SERVICE}/{start}.json", day_care(start)))
    return found


# -- containers and the catalogue that leads to them ------------------------------------------------------------------


def glass() -> bytes:
    """The list of glass containers; its last line is the date it was made."""
    roll = dice("glass containers")
    rows = [
        [
            *("Glascontainer", _quarter(number), f"Musterweg {number} (synthetisch)", "ja" if number % 9 else "nein"),
            *("nein", "nein", "bunt, weiß", *_latitude_longitude(roll)),
        ]
        for number in range(1, 61)
    ]
    header = ["Containertyp", "Stadtteil", "Standort", "öffentlich", "Wertstoffhof", "Unterflurstandort", "Sorten"]
    return lines([[*header, "Latitude", "Longitude"], *rows, ["Datum", "2026-10-30"]]).encode()


def _containers(kind: str, count: int) -> bytes:
    roll = dice(kind)
    rows = [
        [kind, _quarter(number), f"Beispielplatz {number} (synthetisch)", "", *_latitude_longitude(roll)]
        for number in range(1, count + 1)
    ]
    header = ["Containertyp", "Standort1", "Standort2", "Standort3", "Latitude", "Longitude"]
    return lines([header, *rows, ["Erstellungsdatum:", "2026-10-30", "", "", "", "", ""]], line_end="\r\n").encode()


def _quarter(number: int) -> str:
    return f"48143 Münster - {PARTS[number % len(PARTS)][1]}"


def _latitude_longitude(roll: random.Random) -> list[str]:
    longitude, latitude = _place(roll)
    return [f"{latitude:.6f}", f"{longitude:.6f}"]


def _place(roll: random.Random) -> tuple[float, float]:
    longitude, latitude = to_degrees(point_within(MUENSTER.ags, roll))
    return round(longitude, 6), round(latitude, 6)


def _package() -> bytes:
    resources = [
        {"id": "r1", "name": "Vorschau", "format": "html", "url": f"https://{AWM}/awm-glascontainer-combined.html"},
        {"id": "r2", "name": "CSV", "format": "CSV", "url": f"https://{AWM}/awm-glascontainer-combined.csv"},
        {"id": "r3", "name": "Stand 2019", "format": "csv", "url": "https://elsewhere.example/glass-2019.csv"},
    ]
    dataset = {"id": DATASET, "name": "standorte-der-glascontainer", "title": "Standorte", "resources": resources}
    return json.dumps({"help": "Synthetic example", "success": True, "result": [dataset]}).encode()


# -- GeoJSON: playgrounds, sports grounds, day-care -------------------------------------------------------------------


def playgrounds() -> bytes:
    """Points with an area in square metres; one name holds a control character that breaks naive readers."""
    roll = dice("playgrounds")
    features = []
    for number in range(1, 181):
        name = f"SP BEISPIELWEG {number}" + ("\u0085(synthetisch)" if number == 7 else "")
        properties = {"Spielplatz-Name": name, "Groesse": 300 + 10 * number, "Bereich": "B/C", "Ball": 0}
        unused = {"Skater": None, "Streetball": None, "Rechtswert": 3405248, "Hochwert": 5759252}
        features.append(_feature(properties | unused, roll))
    return _collection(features)


def sports_grounds() -> bytes:
    """Halls and fields; one lies at the origin of a former grid, one stands there twice."""
    roll = dice("sports grounds")
    kinds = ("Einfachhallen", "Dreifachhallen", "Sportplätze", "Tennisanlagen")
    features = []
    for number in range(1, 61):
        address = {"Plz": "48143", "Strname": "Musterstraße", "Hsnr": str(number)}
        said = {"Produkt": "Sport", "Teilprodukt": kinds[number % 4], "Objekt": f"Sportstätte {number} (synthetisch)"}
        features.append(_feature(said | address | {"Rechtswert": 0, "Hochwert": 0, "field_9": None}, roll))
    features[11]["geometry"]["coordinates"] = [-24.82, 26.29]
    features.append(features[3])
    return _collection(features)


def day_care(start: int) -> bytes:
    """A page of the feature service, which says how many there are and when it was asked."""
    features = []
    for number in range(start + 1, min(start + PAGE, CENTRES) + 1):
        roll = dice(f"day-care {number}")
        said = {"NAME": f"Kita Beispielnest {number} (synthetisch)", "ADRESSE": f"Kinderweg {number}"}
        said |= {"TRAEGER": "Beispielträger", "PLAETZE": str(40 + number % 60), "HOMEPAGE": "https://kita.example/"}
        features.append({"id": f"kitas01.{number}"} | _feature(said, roll))
    told = {"numberMatched": CENTRES, "numberReturned": len(features), "timeStamp": "2026-11-01T05:00:00Z"}
    return json.dumps({"type": "FeatureCollection", **told, "features": features}, ensure_ascii=False).encode()


def _feature(properties: dict[str, Any], roll: random.Random) -> dict[str, Any]:
    geometry = {"type": "Point", "coordinates": list(_place(roll))}
    return {"type": "Feature", "properties": properties, "geometry": geometry}


def _collection(features: list[dict[str, Any]]) -> bytes:
    return json.dumps({"type": "FeatureCollection", "features": features}, ensure_ascii=False).encode()


# -- figures of districts ---------------------------------------------------------------------------------------------


def _with_sums(figures: dict[str, list[int]]) -> list[tuple[str, str, list[int]]]:
    """(name, number, figures) of the districts, and of the sums over them."""
    rows = [(name, number, figures[number]) for number, name in PARTS]
    for name, parts in SUMS:
        rows.append((name, "", [sum(column) for column in zip(*(figures[number] for number, _ in parts), strict=True)]))
    return rows


def _by_year(subject: str, size: int) -> bytes:
    roll = dice(f"districts {subject}")
    figures = {}
    for number, _ in PARTS:
        begin = size // 2 + roll.randrange(size)
        figures[number] = [begin + roll.randrange(begin // 20) + step * begin // 100 for step, _ in enumerate(YEARS)]
    if subject == "population":
        figures = {number: [*told[:-1], sum(map(sum, _ages(number)))] for number, told in figures.items()}
    rows = [[name, number, *map(str, told)] for name, number, told in _with_sums(figures)]
    return lines([["BezirkName", "BezirkNummer", *map(str, YEARS)], *rows]).encode()


def _ages(number: str) -> tuple[list[int], list[int]]:
    """Men and women of a district by age group."""
    roll = dice(f"ages {number}")
    men = [max(0, 420 - 45 * group + roll.randrange(80)) for group in range(len(AGES))]
    men[-1] = roll.randrange(8)
    return men, [count + roll.randrange(30) for count in men]


def _people(sex: str) -> dict[str, list[int]]:
    return {number: _ages(number)[0 if sex == "male" else 1] for number, _ in PARTS}


def _by_age(*parts: dict[str, list[int]]) -> bytes:
    """A row per district: the total, then the age groups; few people are a dot."""
    figures = {
        number: [sum(counts) for counts in zip(*(part[number] for part in parts), strict=True)] for number, _ in PARTS
    }
    rows = []
    for name, number, told in _with_sums(figures):
        rows.append([name, number, str(sum(told)), *(str(count) if count >= FEWEST else "." for count in told)])
    return lines([["BezirkName", "BezirkNummer", "Gesamt", *AGES], *rows]).encode()


# -- the survey and the queue -----------------------------------------------------------------------------------------


def survey() -> bytes:
    """A row per district of 48 columns, names standing there three times, decimal commas."""
    roll = dice("survey")
    modes = ["Fuß", "Rad", "MIV", "ÖPNV", "Sonstige"]
    fine = ["Fuß", "Rad", "E-Bike", "MIV-F", "Krad", "MIV-MF", "Bahn", "Bus", "Sonstige"]
    means = ["Pers./Haush.", "Pkw/100 EW", "Pkw/Haush.", "Rad/100 EW", "Rad/Haush.", "Durchschnittsalter (Jahre)"]
    work = ["Azubi", "Schüler", "Studenten", "in Ausbildung", "Vollzeit", "Teilzeit", "Erwerbst."]
    times = ["Wege/P*T", "Wege/mP*T", "min/mP", "min/Weg"]
    header = ["Zeile", "Stadtteil", *means, *(f"Anteil {each}" for each in work), *modes, *times, *fine, *modes, *fine]
    rows = []
    for line, (_, name) in enumerate(PARTS, start=1):
        cases = [40 + roll.randrange(200) for _ in fine]
        coarse = [cases[0], cases[1] + cases[2], sum(cases[3:6]), cases[6] + cases[7], cases[8]]
        total = sum(cases)
        told = [1.5 + roll.random(), 40.0, 0.8, 120.0, 2.4, 38 + 20 * roll.random(), *(roll.random() for _ in work)]
        told += [*(case / total for case in coarse), 3.1, 3.4, 62.5, 19.25, *(case / total for case in cases)]
        numbers = [f"{value:.15g}".replace(".", ",") for value in told]
        rows.append([str(line), name, *numbers, *map(str, (*coarse, *cases, total))])
    return lines([[*header, "Gesamt"], *rows], ";").encode()


def queue(day: date) -> bytes:
    """The display of the office, read every five minutes; for an hour nobody writes it."""
    roll = dice(f"queue {day}")
    begin = datetime(day.year, day.month, day.day, 8, 5)  # noqa: DTZ001 - local time without offset, as published
    rows = []
    for step in range(96):
        read = begin + timedelta(minutes=5 * step)
        written = read - timedelta(minutes=roll.randrange(5))
        if 24 <= step < 36:
            written = begin + timedelta(minutes=115)
        people = roll.randrange(12)
        rows.append([f"{read:%Y-%m-%d %H:%M}", str(people), str(2 + 2 * people), str(100 + step), f"{written:%H:%M}"])
    header = ["Datum und Uhrzeit", "Anzahl wartender Personen", "durchschnittliche Wartezeit in Minuten"]
    return lines([[*header, "nächste Nummer", "letzte Aktualisierung"], *rows]).encode()
