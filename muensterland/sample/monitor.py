"""What the monitor needs beside other registers: LocalZero's CSVs, cases by Kreis, and a city's and a Kreis' goals."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from openpyxl import Workbook

from muensterland.sample.geography import KREIS_NAMES, REGION, Municipality, area_km2, population
from muensterland.sample.packing import dice, lines, workbook_bytes

LOCALZERO = "raw.githubusercontent.com/GermanZero-de/localzero-data-public/main"
COVID = "raw.githubusercontent.com/od-ms/resources/master/coronavirus-fallzahlen-regierungsbezirk-muenster.csv"
OWN = "monitor.beispielstadt.example/register"


def files() -> dict[str, bytes]:
    """The CSVs and the two registers of goals and projects by publisher's address."""
    found = {f"{LOCALZERO}/population/{year}.csv": _people(year) for year in (2018, 2021)}
    found |= {f"{LOCALZERO}/area/{year}.csv": _land(year) for year in (2018, 2021)}
    found |= {f"{LOCALZERO}/destatis/{year}.csv": _vehicle_km(year) for year in (2018, 2021)}
    found |= {f"{LOCALZERO}/flats/2021.csv": _flats(), f"{LOCALZERO}/buildings/2021.csv": _buildings()}
    return found | {COVID: _covid(), f"{OWN}/muenster.yml": goals_yaml(), f"{OWN}/borken.xlsx": goals_workbook()}


# -- LocalZero: all of Germany in one file, a Kreis as an AGS that ends in 000 -----------------------------------------


def _people(year: int) -> bytes:
    return _table(["ags", "total"], ([str(_people_then(place, year))] for place in REGION), REGION)


def _people_then(place: Municipality, year: int) -> int:
    """Invented: half a percent fewer for each year before 2025."""
    return sum(population(place.ags)) * (1000 - 5 * (2025 - year)) // 1000


def _land(year: int) -> bytes:
    header = [
        *("ags", "land_total", "land_settlement", "land_traffic", "veg_agri", "veg_forrest", "veg_wood", "veg_heath"),
        *("veg_moor", "veg_marsh", "veg_plant_uncover_com", "water_total", "settlement_ghd"),
    ]
    shares = (1.0, 0.11 + 0.002 * (year - 2018), 0.055, 0.62, 0.15, 0.01, 0.001, 0.002, 0.001, 0.003, 0.02, 0.02)
    # In hectares; heath is left blank, as LocalZero does where there is none.
    rows = (
        ["" if share == 0.001 else f"{100 * area_km2(place.ags) * share:.1f}" for share in shares] for place in REGION
    )
    return _table(header, rows, REGION)


def _flats() -> bytes:
    header = [
        *("ags", "residential_buildings_total", "buildings_1flat", "buildings_2flats", "buildings_3flats"),
        *("buildings_dorms", "residential_buildings_area_total"),
    ]
    rows = (
        [
            str(people * 3 // 10),
            str(people * 2 // 10),
            str(people // 20),
            str(people // 20),
            "1",
            f"{people * 0.047:.1f}",
        ]
        for people in (_people_then(place, 2021) for place in REGION)
    )
    return _table(header, rows, REGION)


def _buildings() -> bytes:
    ages = (
        *("until_1919", "1919_1948", "1949_1978", "1979_1986", "1987_1990", "1991_1995", "1996_2000", "2001_2004"),
        *("2005_2008", "2009_2011"),
    )
    flats = (*ages[:-1], "2009_today", "heatnet")
    header = [
        *("ags", "buildings_total", *(f"buildings_{age}" for age in ages), "buildings_heatnet"),
        *("flats_total", *(f"flats_{age}" for age in flats)),
    ]
    roll = dice("buildings")
    rows = []
    for _ in REGION:
        counts = [roll.randrange(100, 900) for _ in ages]
        total = sum(counts)
        row = [total, *counts, total // roll.randrange(20, 90), 2 * total, *(2 * count for count in counts), total // 9]
        rows.append([f"{number:.1f}" for number in row])
    return _table(header, rows, REGION)


def _vehicle_km(year: int) -> bytes:
    header = ["ags", "total_mega_km", "rail_mega_km", "metro_mega_km", "bus_mega_km"]
    roll = dice(f"vehicle-km {year}")
    rows = [["DG000000", "3311.9", "664.0", "309.0", "2531.0"]]
    for kreis in KREIS_NAMES:
        rail, bus = roll.randrange(3, 20), roll.randrange(40, 130)
        rows.append([f"{kreis}000", f"{(rail + bus) / 10}", f"{rail / 10}", "0.0", f"{bus / 10}"])
    return lines([header, *rows]).encode()


def _table(
    header: Sequence[str], rows: Iterator[Sequence[str]] | Sequence[Sequence[str]], of: Sequence[Municipality]
) -> bytes:
    """Germany, one municipality elsewhere, then the municipalities with their figures."""
    elsewhere = [[key, *("1" for _ in header[1:])] for key in ("DG000000", "09162000")]
    return lines([header, *elsewhere, *([place.ags, *row] for place, row in zip(of, rows, strict=True))]).encode()


# -- cases by Kreis, the newest day first ------------------------------------------------------------------------------

COVID_DAYS = ("20.07.2023", "31.12.2022", "30.12.2022", "31.12.2021", "31.12.2020", "09.03.2020")


def _covid() -> bytes:
    rows = [["Gebiet", "Datum", "Bestätigte Faelle", "Gesundete", "Todesfaelle"]]
    for number, day in enumerate(COVID_DAYS):
        so_far = len(COVID_DAYS) - 1 - number
        for place, kreis in ((f"{'Stadt' if key == '05515' else 'Kreis'} {KREIS_NAMES[key]}", key) for key in _KREISE):
            cases = int(kreis) * so_far // 4
            # On the first days nobody had recovered or died: the columns are blank.
            rows.append(
                [place, day, str(cases), str(cases * 9 // 10), str(cases // 500)]
                if so_far
                else [place, day, "3", "", ""]
            )
    rows.append(["Kreis Recklinghausen", COVID_DAYS[0], "9", "9", "0"])
    return lines(rows).encode()


_KREISE = tuple(key for key in KREIS_NAMES if any(place.kreis == key for place in REGION))

# -- goals and projects ------------------------------------------------------------------------------------------------

# One goal of every kind: on course, reached, without a baseline, behind, and one that is told for Kreise only.
GOALS = (
    ("ms-solar-2030", "05515000", "solar_kw_per_1000", "20", "2030-12-31", "5", "2020-12-31"),
    ("ms-ladepunkte-2030", "05515000", "charging_points_per_1000", "0.1", "2030-12-31", "0.01", "2020-12-31"),
    ("ms-waermenetz-2035", "05515000", "heat_network_share", "0.4", "2035-12-31", "", ""),
    ("ms-abfahrten-2028", "05515000", "departures_per_1000", "400", "2028-12-31", "100", "2025-12-31"),
    ("borken-abfall-2030", "05554012", "waste_kg_per_head", "400", "2030-12-31", "500", "2023-12-31"),
)
COUNCIL = "Rat der Stadt (synthetisch)"


def goals_yaml() -> bytes:
    """Goals and projects of Münster, every key of each entry there, as the format asks."""
    text = "# Erfundene Ziele und Projekte\ngoals:\n"
    for goal_id, area, indicator, target, due, baseline, since in GOALS:
        text += (
            f"  - goal_id: {goal_id}\n    area_id: {area}\n    indicator_id: {indicator}\n    target_value: {target}\n"
            f"    target_date: {due}\n    baseline: {baseline}\n    baseline_date: {since}\n"
            f"    adopted_by: {COUNCIL}\n    source: https://ratsinfo.beispielstadt.example/vorlage/{goal_id}\n"
        )
    text += (
        "projects:\n  - project_id: ms-solardaecher\n    field_of_action: supply_energy\n    area_ids: [05515000]\n"
        "    title: Solardächer auf Schulen (synthetisch)\n    status: running\n    start: 2024-03-01\n"
        "    end: 2027-12-31\n    budget_eur: 2500000\n    indicator_ids: [solar_kw_per_1000]\n    outcome:\n"
    )
    return text.encode()


def goals_workbook() -> bytes:
    """Goals and projects of a Kreis as a spreadsheet; its program took a key for a number and a day for a date."""
    workbook = Workbook()
    goals = workbook.active
    goals.title = "Ziele"
    goals.append(
        [
            *("goal_id", "area_id", "indicator_id", "target_value", "target_date", "baseline", "baseline_date"),
            *("adopted_by", "source"),
        ]
    )
    goals.append(
        [
            *("kreis-borken-wind-2030", 5554, "wind_kw_per_km2", "500,5", "31.12.2030", 100, "31.12.2019"),
            *("Kreistag (synthetisch)", None),
        ]
    )
    projects = workbook.create_sheet("Projekte")
    projects.append(
        [
            *("project_id", "field_of_action", "area_ids", "title", "status", "start", "end", "budget_eur"),
            *("indicator_ids", "outcome"),
        ]
    )
    projects.append(
        [
            *("kreis-borken-radschnellweg", "mobility", "05554012, 05554008", "Radschnellweg (synthetisch)"),
            *("abgeschlossen", "01.04.2021", "30.06.2025", "4800000,00", "bicycle_traffic_change", "12 km gebaut"),
        ]
    )
    projects.append(
        [
            *("kreis-borken-gewerbe", "commerce_industry", "05554", "Gründerzentrum (synthetisch)", "laufend"),
            *("01.01.2023", "31.12.2025", None, "business_registrations_per_10000; insolvencies_per_100000", None),
        ]
    )
    return workbook_bytes(workbook)
