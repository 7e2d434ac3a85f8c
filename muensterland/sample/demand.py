"""Standard load profiles (numbers of our own in the BDEW's layout and in a network operator's) and a city's series."""

from __future__ import annotations

import math

from openpyxl import Workbook

from muensterland.sample.packing import lines, workbook_bytes

HOST = "netz.beispielstrom.example/lastprofile"
PROFILES = ("h25", "g25", "l25")
OPERATOR_CSV = f"{HOST}/standardlastprofile.csv"
OPERATOR_XLSX = f"{HOST}/standardlastprofile.xlsx"
SERIES = "raw.githubusercontent.com/od-ms/converter-scripts/master/klimadashboard/klimadata.csv"
MONTHS = (
    *("Januar", "Februar", "März", "April", "Mai", "Juni"),
    *("Juli", "August", "September", "Oktober", "November", "Dezember"),
)
DAY_TYPES = ("SA", "FT", "WT")
# Hour of the highest load, and how much of it a Saturday, a Sunday and a weekday have.
SHAPES = {"h25": (19, (1.1, 1.15, 1.0)), "g25": (12, (0.7, 0.5, 1.2)), "l25": (18, (1.0, 0.98, 1.02))}
SEASONS = {"Winter": 1.2, "Sommer": 0.85, "Übergang": 1.0}
OPERATOR_DAYS = {"Werktag": 1.0, "Samstag": 1.1, "Sonntag": 1.15}
OPERATOR_HEADER = ("Zeit", "Jahreszeit", "Tag", "Haushalt", "Gewerbe")
# A million kWh a year over 35,040 quarter-hours.
MEAN_KWH = 1_000_000 / 35_040


def files() -> dict[str, bytes]:
    """All files by publisher's address."""
    profiles = {f"{HOST}/{profile}.csv": bdew(profile) for profile in PROFILES}
    return {**profiles, OPERATOR_CSV: operator_csv(), OPERATOR_XLSX: operator_xlsx(), SERIES: series()}


def bdew(profile: str) -> bytes:
    """A profile in the layout of the BDEW's tables of 2025, made for a million kWh a year."""
    peak, days = SHAPES[profile]
    columns = [(month, place) for month in range(1, 13) for place in range(3)]
    rows = [["", *(MONTHS[month - 1] for month, _ in columns)], ["[kWh]", *(DAY_TYPES[place] for _, place in columns)]]
    for minute in range(0, 1440, 15):
        values = [f"{_kwh(minute, peak) * days[place] * _of_month(month):.3f}" for month, place in columns]
        rows.append([f"{_time(minute)}-{_time(minute + 15)}", *values])
    return lines(rows).encode()


def _kwh(minute: int, peak: int) -> float:
    return MEAN_KWH * (1 + 0.5 * math.cos(2 * math.pi * (minute / 60 - peak) / 24))


def _of_month(month: int) -> float:
    return 1 + 0.1 * math.cos(2 * math.pi * (month - 1) / 12)


def _time(minute: int) -> str:
    return f"{minute // 60 % 24:02}:{minute % 60:02}"


def operator_csv() -> bytes:
    """A network operator's own table: a note above the header, seasons, decimal commas, W at 1,000 kWh a year."""
    rows = [list(OPERATOR_HEADER)]
    rows += [[*keys, *(f"{watts:.3f}".replace(".", ",") for watts in values)] for keys, values in _operator_rows()]
    note = "Standardlastprofile in W je 1.000 kWh (synthetisches Beispiel)\r\n"
    return (note + lines(rows, ";", "\r\n")).encode("utf-8-sig")


def operator_xlsx() -> bytes:
    """The same as a workbook."""
    workbook = Workbook()
    sheet = workbook.worksheets[0]
    sheet.title = "Profile"
    sheet.append(OPERATOR_HEADER)
    for keys, values in _operator_rows():
        sheet.append([*keys, *values])
    return workbook_bytes(workbook)


def _operator_rows() -> list[tuple[tuple[str, str, str], list[float]]]:
    """Time, season and day, and what a household and a business of 1,000 kWh a year take then, in W."""
    peaks = (SHAPES["h25"][0], SHAPES["g25"][0])
    return [
        ((_time(minute), season, day), [round(4 * _kwh(minute, peak) * of_season * of_day, 3) for peak in peaks])
        for season, of_season in SEASONS.items()
        for day, of_day in OPERATOR_DAYS.items()
        for minute in range(0, 1440, 15)
    ]


def series() -> bytes:
    """Series of a city in long format: years, months, winters, a target year, `€` and an ellipsis as controls; CRLF."""
    header = ["DATEINAME", "RAUM", "QUELLE_INSTITUTION", "THEMENBEREICH", "MERKMAL", "ZEIT", "WERT", "WERTEEINHEIT"]
    office = "Stadt Münster - Stabsstelle Beispiel (synthetisch)"

    def row(
        dataset: str, name: str, period: str, value: str, unit: str, area: str = "Münster, Gesamtstadt"
    ) -> list[str]:
        return [dataset, area, office, "9", name, period, value, unit]

    rows = [
        *(
            row("co2", "CO2-Emissionen - Gesamt", str(year), f"{2500 - 40 * (year - 1990)},00", "t")
            for year in range(1990, 2025)
        ),
        row("co2", "CO2-Emissionen - Gesamt (Zielwert)", "2030", "130,50", "t"),
        *(
            row("wärme", "Wärmeverbrauch", f"{year}/{year + 1}", f"{60 - year % 7},25", "GWh")
            for year in range(2019, 2024)
        ),
        *(row("busse", "Elektrobusse", f"2025-{month:02}", f"{40 + month}", "Anzahl") for month in range(1, 13)),
        row("einsparung", "Einsparung Betriebskosten", "2023", "1234,50", "\x80"),
        row("einsparung", "Saldo", "2023", "-3,50", "kt"),
        row("pv", "Leistung ab Jahr\x85", "2021", "29,75", "kWp", "Stadt Münster - PV-Anlage Beispielschule"),
        row("co2", "CO2-Emissionen - Gesamt", "2024", "1139,00", "t"),
        row("co2", "CO2-Emissionen - Verkehr", "im Jahr 2024", "300,00", "t"),
    ]
    return lines([header, *rows], ";", "\r\n").encode()
