"""Tables as IT.NRW's own downloader writes them: Latin-1, preamble, merged header, footer; every figure invented."""

from __future__ import annotations

from collections.abc import Sequence

from muensterland.sample.geography import KREIS_NAMES, OUTSIDE, REGION, population
from muensterland.sample.packing import dice, lines

BASE = "www.landesdatenbank.nrw.de/ldbnrwws/downloader/00/tables"
INCOME, UNEMPLOYED = f"{BASE}/82411-01i_00.csv", f"{BASE}/13211-05i_00.csv"
FOOTER = (
    ["_" * 30],
    ["Zeichenerklärung: - nichts vorhanden; . Zahlenwert unbekannt oder geheim zu halten"],
    ["Synthetisches Beispiel, kein Werk von IT.NRW"],
    ["Stand: 01.10.2026 / 08:00:00"],
)


def files() -> dict[str, bytes]:
    """Both tables by publisher's address."""
    return {INCOME: income(), UNEMPLOYED: unemployed()}


def income() -> bytes:
    """Disposable income by year, Kreis and municipality: a row of units below the names, the year in every row."""
    preamble = [
        ["Tabelle: 82411-01i"],
        ["Verfügbares Einkommen der privaten Haushalte (synthetisch)"],
        ["Volkswirtschaftliche Gesamtrechnungen"],
        ["Gemeinden - Jahr"],
    ]
    header = [
        ["Jahr", "Gemeinden", "", "Verfügbares Einkommen", ""],
        ["", "", "", "insgesamt", "je Einwohner/-in"],
        ["", "", "", "Tsd. EUR", "EUR"],
    ]
    roll = dice("income")
    rows = []
    for year in ("2022", "2023"):
        for key, name, inhabitants in _areas():
            each = 22_000 + roll.randrange(6_000)
            rows.append([year, key, name, str(round(each * inhabitants / 1_000)), str(each)])
    return _table(preamble, header, rows)


def unemployed() -> bytes:
    """Unemployed on a day that only the preamble tells, by sex under a merged cell; small cells are secret."""
    preamble = [
        ["Tabelle: 13211-05i"],
        ["Arbeitslose nach Geschlecht (synthetisch)"],
        ["Stichtag: 30.06.2026"],
        [""],
    ]
    header = [["Gemeinden", "", "Arbeitslose", "", ""], ["", "", "Insgesamt", "männlich", "weiblich"]]
    roll = dice("unemployed")
    counts = {
        key: [round(inhabitants * (0.015 + 0.005 * roll.random())) for _ in range(2)]
        for key, _, inhabitants in _areas()
    }
    rows = []
    for key, name, _ in _areas():
        # A Kreis is the sum of its municipalities; of the Land all others are not told.
        members = [counts[other] for other in counts if len(key) == 5 and len(other) == 8 and other[:5] == key]
        men, women = map(sum, zip(*members, strict=True)) if members else counts[key]
        split = [".", "."] if men + women < 160 else [str(men), str(women)]
        rows.append([key, name, str(men + women), *split])
    return _table(preamble, header, rows)


def _areas() -> list[tuple[str, str, int]]:
    """Keys of 5 and 8 digits in one column, names indented by their level."""
    found = [("05", "Nordrhein-Westfalen", 18_000_000)]
    for kreis, name in KREIS_NAMES.items():
        members = [place for place in (*REGION, *OUTSIDE[1:]) if place.kreis == kreis]
        if not kreis.startswith("05") or not members:
            continue
        found.append((kreis, f"  {name}, Kreis", sum(sum(population(place.ags)) for place in members)))
        found += [(place.ags, f"    {place.name}", sum(population(place.ags))) for place in members]
    return found


def _table(preamble: Sequence[list[str]], header: Sequence[list[str]], rows: Sequence[list[str]]) -> bytes:
    return lines([*preamble, *header, *rows, *FOOTER], ";", "\r\n").encode("latin-1")
