"""Münster's series of energy and climate: two layouts, decimal comma, controls in names, periods of many kinds."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import pytest

from connectors.errors import SnapshotRefused
from connectors.formats.municipal_series import CONNECTOR
from tests.connectors.formats.parsing import Parsed, parsed

AREAS = {"Münster, Gesamtstadt": "05515000"}
WITH_DATASET = "DATEINAME;RAUM;QUELLE_INSTITUTION;THEMENBEREICH;MERKMAL;ZEIT;WERT;WERTEEINHEIT"
WITHOUT = '"RAUM";"DATENQUELLE";"THEMENBEREICH";"MERKMAL";"ZEIT";"WERT";"WERTEEINHEIT"'


def line(period: str = "1982", value: str = "39,20", unit: str = "%", series: str = "Wege/Tag - Kfz") -> str:
    return f"wege;Münster, Gesamtstadt;Amt;4;{series};{period};{value};{unit}"


def read(tmp_path: Path, *lines: str, **options: Any) -> Parsed:
    return parsed(tmp_path, CONNECTOR, ("\r\n".join(lines) + "\r\n").encode(), **({"areas": AREAS} | options))


def test_both_layouts_say_the_same(tmp_path: Path) -> None:
    other = '"Münster, Gesamtstadt";"Amt";4;"Wege/Tag - Kfz";"1982";39,20;"%"'
    (first,) = read(tmp_path, WITH_DATASET, line()).rows
    (second,) = read(tmp_path, WITHOUT, other).rows
    assert first["dataset"] == "wege"
    assert second["dataset"] is None
    told = ("ags", "area_label", "institution", "topic_code", "series", "period", "value", "unit")
    assert [first[name] for name in told] == [second[name] for name in told]
    assert (first["value"], first["period_start_date"]) == (39.2, date(1982, 1, 1))


@pytest.mark.parametrize(
    ("period", "start"),
    [
        ("2030", date(2030, 1, 1)),
        ("2025-12", date(2025, 12, 1)),
        ("2026-06-03", date(2026, 6, 3)),
        ("2023/2024", date(2023, 1, 1)),
        ("2012/2014", date(2012, 1, 1)),
    ],
)
def test_periods_of_many_kinds_have_a_first_day(tmp_path: Path, period: str, start: date) -> None:
    (row,) = read(tmp_path, WITH_DATASET, line(period)).rows
    assert (row["period"], row["period_start_date"]) == (period, start)


@pytest.mark.parametrize("period", ["", "82", "2025-13", "2025-02-30", "2024/2023", "2000/2020", "im Jahr 2024"])
def test_what_is_no_period_rejects_its_line(tmp_path: Path, period: str) -> None:
    found = read(tmp_path, WITH_DATASET, line(period), line())
    assert len(found.rows) == 1
    assert [(number, column) for number, column, _ in found.rejected] == [(2, "ZEIT")]


def test_controls_are_the_letters_of_windows_and_break_no_line(tmp_path: Path) -> None:
    found = read(tmp_path, WITH_DATASET, line(unit="\x80 pro Jahr", series="Leistung ab Jahr\x85"), line("1990"))
    assert [(row["series"], row["unit"]) for row in found.rows] == [
        ("Leistung ab Jahr…", "€ pro Jahr"),
        ("Wege/Tag - Kfz", "%"),
    ]


@pytest.mark.parametrize(
    ("raw", "value", "mark"), [("-3,5", -3.5, None), ("12", 12.0, None), ("", None, None), (".", None, ".")]
)
def test_values_blanks_and_marks(tmp_path: Path, raw: str, value: float | None, mark: str | None) -> None:
    (row,) = read(tmp_path, WITH_DATASET, line(value=raw)).rows
    assert (row["value"], row["value_mark"]) == (value, mark)


@pytest.mark.parametrize("raw", ["1.074,5", "39.2", "1 000", "ca. 3"])
def test_a_number_of_another_spelling_rejects_its_line(tmp_path: Path, raw: str) -> None:
    assert read(tmp_path, WITH_DATASET, line(value=raw)).rejected == [
        (2, "WERT", "expected a number with a decimal comma")
    ]


def test_a_single_plant_is_no_municipality(tmp_path: Path) -> None:
    plant = line().replace("Münster, Gesamtstadt", "Stadt Münster - PV-Anlage Pumpwerk")
    assert read(tmp_path, WITH_DATASET, plant, line()).column("ags") == [None, "05515000"]


def test_a_missing_column_a_foreign_area_and_a_short_line(tmp_path: Path) -> None:
    with pytest.raises(SnapshotRefused, match="expected the columns MERKMAL"):
        read(tmp_path, WITH_DATASET.replace("MERKMAL", "NAME"), line())
    with pytest.raises(SnapshotRefused, match="05315000 lies outside the region"):
        read(tmp_path, WITH_DATASET, line(), areas={"Köln": "05315000"})
    assert read(tmp_path, WITH_DATASET, line() + ";x").rejected == [(2, "row", "expected 8 fields")]
