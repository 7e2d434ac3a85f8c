"""Standard load profiles: the BDEW's two header rows, and tables of a network operator by declared columns."""

from __future__ import annotations

import io
from datetime import time
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from connectors.errors import SnapshotRefused
from connectors.formats.load_profile import BDEW, CSV, XLSX
from tests.connectors.formats.parsing import Parsed, parsed

HEADER = ",Januar,Januar,März\n[kWh],SA,FT,WT\n"
OWN: dict[str, Any] = {
    **{"time": "Zeit", "day_type": "Tag", "unit": "W", "normalised_to_kwh": 1000.0},
    "profiles": {"h0": "Haushalt"},
}


def bdew(tmp_path: Path, body: str, **options: Any) -> Parsed:
    return parsed(tmp_path, BDEW, body.encode(), {"profile": "h25"}, **options)


def test_months_and_day_types_stand_in_two_header_rows(tmp_path: Path) -> None:
    found = bdew(tmp_path, HEADER + "00:00-00:15,22.152,23.148,20.126\n23:45-00:00,1.5,2.5,3.5\n")
    told = [(row["month"], row["day_type"], row["interval_start_minute"], row["value"]) for row in found.rows]
    assert told == [
        (1, "saturday", 0, 22.152),
        (1, "sunday_or_public_holiday", 0, 23.148),
        (3, "weekday", 0, 20.126),
        (1, "saturday", 1425, 1.5),
        (1, "sunday_or_public_holiday", 1425, 2.5),
        (3, "weekday", 1425, 3.5),
    ]
    assert {(row["profile"], row["unit"], row["normalised_to_kwh"]) for row in found.rows} == {("h25", "kWh", 1e6)}


def test_a_profile_of_a_thousand_kwh_says_so(tmp_path: Path) -> None:
    found = bdew(tmp_path, HEADER + "00:00-00:15,1,2,3\n", normalised_to_kwh=1000.0)
    assert set(found.column("normalised_to_kwh")) == {1000.0}


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("00:00,1,2,3", "expected an interval such as 00:00-00:15"),
        ("00:00-00:30,1,2,3", "expected a quarter-hour"),
        ("00:05-00:20,1,2,3", "expected a quarter-hour"),
        ("25:00-25:15,1,2,3", "expected an interval such as 00:00-00:15"),
        ("00:00-00:15,1,2", "expected 4 fields"),
        ("00:15-00:30,1,2,3", "told twice"),
        ('00:00-00:15,"1,5",-2,x', "expected a number with a decimal point"),
    ],
)
def test_a_line_that_cannot_be_read_is_rejected_with_all_its_values(tmp_path: Path, line: str, reason: str) -> None:
    found = bdew(tmp_path, f"{HEADER}00:15-00:30,1,2,3\n{line}\n")
    assert found.column("value") == [1.0, 2.0, 3.0]
    assert [why for *_, why in found.rejected] == [reason] * 3


@pytest.mark.parametrize(
    ("header", "words"),
    [
        (",Jan,Januar,März\n[kWh],SA,FT,WT\n", "German month names"),
        (",Januar,Januar,März\n[kWh],SA,SO,WT\n", "SA, FT and WT"),
        (",Januar,Januar,März\n[kWh],SA,SA,WT\n", "every pair once"),
        (",Januar,Januar\n[kWh],SA,FT,WT\n", "every pair once"),
        (",Januar,Januar,März\n[W],SA,FT,WT\n", r"expected the unit \[kWh\]"),
        ("", "German month names"),
    ],
)
def test_another_header_is_refused(tmp_path: Path, header: str, words: str) -> None:
    with pytest.raises(SnapshotRefused, match=words):
        bdew(tmp_path, header + "00:00-00:15,1,2,3\n")


def test_months_that_are_not_there_are_drift(tmp_path: Path) -> None:
    drifted = bdew(tmp_path, HEADER + "00:00-00:15,1,2,3\n").out.drifted
    assert ("load_profile_value", "März saturday", "missing") in drifted
    assert len(drifted) == 33


def own(tmp_path: Path, body: str, **options: Any) -> Parsed:
    return parsed(tmp_path, CSV, body.encode(), **(OWN | options))


def test_an_operators_columns_are_read_as_declared(tmp_path: Path) -> None:
    body = (
        "Stand 2026;;;\r\nZeit;Jahreszeit;Tag;Haushalt;Gewerbe\r\n"
        "00:00;Winter;Werktag;66,4;50\r\n00:15;Übergang;Sonntag;66;1\r\n"
    )
    found = own(tmp_path, body, season="Jahreszeit", profiles={"h0": "Haushalt", "g0": "Gewerbe"})
    told = [
        (row["profile"], row["season"], row["day_type"], row["interval_start_minute"], row["value"])
        for row in found.rows
    ]
    assert told == [
        ("h0", "winter", "weekday", 0, 66.4),
        ("g0", "winter", "weekday", 0, 50.0),
        ("h0", "transition", "sunday_or_public_holiday", 15, 66.0),
        ("g0", "transition", "sunday_or_public_holiday", 15, 1.0),
    ]
    assert {(row["unit"], row["normalised_to_kwh"]) for row in found.rows} == {("W", 1000.0)}
    assert found.left_out == {"preamble": 1}


def test_months_decimal_points_and_intervals_may_be_declared(tmp_path: Path) -> None:
    body = "Zeit,Monat,Haushalt\n00:00-00:15,Mär,1.074\n01:00,12,2\n"
    found = own(tmp_path, body, month="Monat", day_type=None, delimiter=",", decimal=".", interval_minutes=60)
    told = [(row["month"], row["day_type"], row["interval_start_minute"], row["value"]) for row in found.rows]
    assert told == [(3, "every_day", 0, 1.074), (12, "every_day", 60, 2.0)]
    assert set(found.column("interval_minutes")) == {60}


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("24:30;Werktag;1", "expected a time such as 00:15"),
        ("00:15;Brückentag;1", "expected a day type such as Werktag, Samstag or Sonntag"),
        ("00:15;Werktag;1.5", "expected a number with a decimal ','"),
        ("00:15;Werktag", "expected 3 fields"),
        ("00:00;WT;9", "told twice"),
    ],
)
def test_an_operators_line_that_means_nothing_is_rejected(tmp_path: Path, line: str, reason: str) -> None:
    found = own(tmp_path, f"Zeit;Tag;Haushalt\n00:00;Werktag;1\n{line}\n")
    assert found.column("value") == [1.0]
    assert [why for *_, why in found.rejected] == [reason]


@pytest.mark.parametrize(
    ("header", "options", "words"),
    [
        ("Zeit;Tag;Haus", {}, "Haushalt once"),
        ("Zeit;Tag;Haushalt;Haushalt", {}, "Haushalt once"),
        ("a;b;c", {}, "none of 2 rows holds the columns Zeit"),
        ("Zeit;Tag;Haushalt", {"profiles": {"h0": "Zeit"}}, "every column declared once"),
    ],
)
def test_a_declared_column_that_is_missing_or_twice_is_refused(
    tmp_path: Path, header: str, options: dict[str, Any], words: str
) -> None:
    with pytest.raises(SnapshotRefused, match=words):
        own(tmp_path, f"{header}\n00:00;Werktag;1;1\n", **options)


def workbook(*rows: list[Any], title: str = "Profile") -> bytes:
    book = openpyxl.Workbook()
    sheet = book.worksheets[0]
    sheet.title = title
    for row in rows:
        sheet.append(row)
    content = io.BytesIO()
    book.save(content)
    return content.getvalue()


def test_a_workbook_has_times_and_numbers_as_cells(tmp_path: Path) -> None:
    body = workbook(["Lastprofil"], ["Zeit", "Tag", "Haushalt"], [time(0, 15), "Samstag", 66.4], ["00:30", "SA", 7])
    found = parsed(tmp_path, XLSX, body, **OWN, sheet="Profile")
    told = [(row["day_type"], row["interval_start_minute"], row["value"]) for row in found.rows]
    assert told == [("saturday", 15, 66.4), ("saturday", 30, 7.0)]
    # A third, and a quarter-hour's part of one kWh a year.
    small = workbook(["Zeit", "Tag", "Haushalt"], ["00:15", "SA", 0.3333333333333333], [time(1), "SA", 3e-05])
    assert parsed(tmp_path, XLSX, small, **OWN).column("value") == [0.3333333333333333, 3e-05]
    with pytest.raises(SnapshotRefused, match="no sheet 'Werte', found Profile"):
        parsed(tmp_path, XLSX, body, **OWN, sheet="Werte")
