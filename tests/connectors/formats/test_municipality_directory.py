from __future__ import annotations

import shutil
import zipfile
from datetime import date
from pathlib import Path
from typing import Any

import openpyxl
import pyarrow.parquet as pq
import pytest

from connectors.connector import Snapshot
from connectors.errors import SnapshotRefused
from connectors.formats.municipality_directory import CONNECTOR
from connectors.region import region
from connectors.staging import StagedWriter

SHA = "a" * 64
HEADER = {
    "A1": "Gemeinden in Deutschland nach Fläche, Bevölkerung und Postleitzahl am 30.06.2024 (2. Quartal)",
    "A3": "Satz-art",
    "B3": "Text-kenn-zeichen",
    "C3": "Amtlicher Regionalschlüssel (ARS)",
    "H3": "Gemeindename",
    "I3": "Fläche km2 1)",
    "J3": "Bevölkerung2)",
    "N3": "Postleit-zahl3)",
    "O3": "Geografische Mittelpunktkoordinaten",
    "C4": "Land",
    "D4": "RB",
    "E4": "Kreis",
    "F4": "VB",
    "G4": "Gem",
    "J4": "insgesamt",
    "O4": "Längengrad",
    "P4": "Breitengrad",
    "C5": "Gebietsstand am 30.06.2024 (2. Quartal)",
    "I5": "31.12.2022 (Jahr)",
    "J5": "am 31.12.2021 (Jahr)",
}
SENDEN: dict[str, Any] = {
    "A": "60",
    "B": "64",
    "C": "05",
    "D": "5",
    "E": "58",
    "F": "0044",
    "G": "044",
    "H": "Senden",
    "I": 109.41,
    "J": 20805,
    "N": "48308",
    "O": "7,485022",
    "P": "51,855919",
}


def workbook(tmp_path: Path, rows: list[dict[str, Any]], header: dict[str, str] = HEADER) -> Path:
    book = openpyxl.Workbook()
    book.active.title = "Inhalt"
    sheet = book.create_sheet("Onlineprodukt_Gemeinden30062024")
    for cell, text in header.items():
        sheet[cell] = text
    for number, row in enumerate(rows, start=6):
        for letter, value in row.items():
            sheet[f"{letter}{number}"] = value
    path = tmp_path / "AuszugGV2QAktuell.xlsx"
    book.save(path)
    return path


def parse(tmp_path: Path, path: Path) -> tuple[StagedWriter, list[dict[str, Any]]]:
    with StagedWriter(tmp_path / "staged", "gv", SHA, "1-x") as out:
        CONNECTOR.parse(Snapshot("gv", path, SHA), out, region())
        out.close()
    place = out.file_of("municipality_register")
    return out, pq.ParquetFile(place).read().to_pylist() if place.exists() else []


def rejected(out: StagedWriter) -> list[tuple[int, str, str | None]]:
    rows = pq.ParquetFile(out.file_of("rejected_row")).read().to_pylist()
    return [(row["record_number"], row["column_name"], row["raw_text"]) for row in rows]


def test_a_municipality_has_its_keys_figures_and_the_dates_of_the_header(tmp_path: Path) -> None:
    _, rows = parse(tmp_path, workbook(tmp_path, [SENDEN]))
    (row,) = rows
    assert {key: row[key] for key in ("record_number", "ags", "ars", "name", "postal_code")} == {
        "record_number": 6,
        "ags": "05558044",
        "ars": "055580044044",
        "name": "Senden",
        "postal_code": "48308",
    }
    assert (row["area_km2"], row["population"]) == (109.41, 20805)
    assert (row["longitude"], row["latitude"]) == (7.485022, 51.855919)
    assert row["territory_date"] == date(2024, 6, 30)
    assert row["area_date"] == date(2022, 12, 31)
    assert row["population_date"] == date(2021, 12, 31)


def test_every_other_row_is_out_of_scope_with_its_reason(tmp_path: Path) -> None:
    rows = [
        {"A": "10", "C": "05", "H": "Nordrhein-Westfalen"},
        {"A": "40", "B": "43", "C": "05", "D": "5", "E": "58", "H": "Coesfeld"},
        SENDEN,
        {},
        {"A": "Quelle: Gemeindeverzeichnis-Informationssystem"},
    ]
    out, staged = parse(tmp_path, workbook(tmp_path, rows))
    assert len(staged) == 1
    accounts = pq.ParquetFile(out.file_of("record_account")).read().to_pylist()
    assert {row["reason"]: row["records"] for row in accounts if row["outcome"] == "out_of_scope"} == {
        "record type 10": 1,
        "record type 40": 1,
        "blank row": 1,
        "footer": 1,
    }


@pytest.mark.parametrize(
    ("letter", "value", "column", "raw"),
    [
        ("C", 5, "ars", "5"),
        ("J", "20.805", "population", "20.805"),
        ("I", "109,41", "area_km2", "109,41"),
        ("N", "4830", "postal_code", "4830"),
        ("O", "7.485022", "longitude", "7.485022"),
        ("A", "70", "Satzart", "70"),
    ],
)
def test_a_cell_that_cannot_be_read_rejects_its_row(
    tmp_path: Path, letter: str, value: object, column: str, raw: str
) -> None:
    out, rows = parse(tmp_path, workbook(tmp_path, [SENDEN, SENDEN | {letter: value}]))
    assert [row["record_number"] for row in rows] == [6]
    assert rejected(out) == [(7, column, raw)]


def test_another_header_is_refused_with_its_cell(tmp_path: Path) -> None:
    with pytest.raises(SnapshotRefused, match="cell J4: expected the header 'insgesamt', found 'männlich'"):
        parse(tmp_path, workbook(tmp_path, [SENDEN], HEADER | {"J4": "männlich"}))
    with pytest.raises(SnapshotRefused, match="cell I5: expected a date"):
        parse(tmp_path, workbook(tmp_path, [SENDEN], HEADER | {"I5": "31.13.2022"}))
    with pytest.raises(SnapshotRefused, match="expected a sheet whose cell A1 begins"):
        parse(tmp_path, workbook(tmp_path, [SENDEN], HEADER | {"A1": "Kreise"}))


def test_a_workbook_with_entities_is_refused_before_it_is_opened(tmp_path: Path) -> None:
    path = workbook(tmp_path, [SENDEN])
    hostile = tmp_path / "hostile.xlsx"
    shutil.copy(path, hostile)
    with zipfile.ZipFile(hostile, "a") as archive:
        archive.writestr("xl/extra.xml", '<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "aaaa">]><x>&a;</x>')
    with pytest.raises(SnapshotRefused, match=r"xl/extra\.xml declares a DOCTYPE"):
        parse(tmp_path, hostile)


def test_a_zip_that_is_no_workbook_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "other.xlsx"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("[Content_Types].xml", "<Types/>")
    with pytest.raises(SnapshotRefused, match="expected an xlsx workbook"):
        parse(tmp_path, path)
