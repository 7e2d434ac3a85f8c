from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from connectors.connector import Snapshot
from connectors.errors import SnapshotRefused
from connectors.formats.schools_nrw import CONNECTOR
from connectors.region import region
from connectors.staging import StagedWriter

SHA = "a" * 64
HEADER = (
    "Schulnummer;Schulform;Schulbezeichnung_1;Schulbezeichnung_2;Schulbezeichnung_3;Kurzbezeichnung;PLZ;Ort;Strasse;"
    "Telefonvorwahl;Telefon;Faxvorwahl;Fax;E-Mail;Homepage;Rechtsform;Traegernummer;Gemeindeschluessel;"
    "Schulbetriebsschluessel;Schulbetriebsdatum;EPSG;UTMRechtswert;UTMHochwert"
)
SCHOOL = {
    "number": "100012",
    "ags": "05515000",
    "date": "01.08.2017",
    "epsg": "EPSG:25832",
    "east": "500000",
    "north": "5757000",
}


def line(**changes: str) -> str:
    value = SCHOOL | changes
    cells = [value["number"], "02", "Städt. Grundschule", "Am Park", "", "Münster, GG Am Park", "48143", "Münster"]
    cells += ["Netzestr. 12", "0251", "103320", "0251", "103321", "100012@schule.nrw.de", "http://example.org", "1"]
    cells += ["10080", value["ags"], "1", value["date"], value["epsg"], value["east"], value["north"]]
    return ";".join(f'"{cell}"' for cell in cells)


def parse(
    tmp_path: Path, *lines: str, header: str = HEADER, **options: Any
) -> tuple[StagedWriter, list[dict[str, Any]]]:
    path = tmp_path / "schuldaten.csv"
    path.write_text("\n".join(["sep=;", header + ";", *lines]) + "\n", encoding="utf-8")
    with StagedWriter(tmp_path / "staged", "schools", SHA, "1-x") as out:
        CONNECTOR.parse(Snapshot("schools", path, SHA), out, region(), **options)
        out.close()
    place = out.file_of("school")
    return out, pq.ParquetFile(place).read().to_pylist() if place.exists() else []


def rejected(out: StagedWriter) -> list[tuple[int, str, str]]:
    rows = pq.ParquetFile(out.file_of("rejected_row")).read().to_pylist()
    return [(row["record_number"], row["column_name"], row["reason"]) for row in rows]


def test_a_school_is_staged_with_its_place_in_degrees(tmp_path: Path) -> None:
    out, (row,) = parse(tmp_path, line())
    assert (row["record_number"], row["school_id"], row["ags"]) == (3, "100012", "05515000")
    assert (row["name"], row["short_name"]) == ("Städt. Grundschule Am Park", "Münster, GG Am Park")
    assert (row["school_type_code"], row["legal_form_code"], row["operating_status_code"]) == ("02", "1", "1")
    assert row["operating_since_date"] == date(2017, 8, 1)
    # Easting 500,000 m is the central meridian of zone 32, 9 degrees east.
    assert row["longitude"] == pytest.approx(9.0, abs=1e-9)
    assert row["latitude"] == pytest.approx(51.965, abs=0.01)
    assert out.drifted == []


def test_ways_to_reach_people_are_not_staged(tmp_path: Path) -> None:
    _, rows = parse(tmp_path, line())
    for secret in ("103320", "103321", "@schule", "example.org", "Netzestr"):
        assert secret not in str(rows)


def test_the_preamble_and_schools_elsewhere_are_out_of_scope(tmp_path: Path) -> None:
    out, rows = parse(tmp_path, line(ags="05911000", number="100000"), line(), "")
    assert [row["school_id"] for row in rows] == ["100012"]
    accounts = pq.ParquetFile(out.file_of("record_account")).read().to_pylist()
    assert {row["reason"]: row["records"] for row in accounts if row["outcome"] == "out_of_scope"} == {
        "preamble": 1,
        "outside the region": 1,
        "blank row": 1,
    }
    _, rows = parse(tmp_path, line(ags="05911000", number="100000"), line(), region_only=False)
    assert len(rows) == 2


def test_without_a_coordinate_system_the_place_is_unknown(tmp_path: Path) -> None:
    _, (row,) = parse(tmp_path, line(epsg="null"))
    assert (row["longitude"], row["latitude"]) == (None, None)


def test_a_trailing_separator_is_no_field(tmp_path: Path) -> None:
    _, rows = parse(tmp_path, line() + ";")
    assert len(rows) == 1


@pytest.mark.parametrize(
    ("changes", "column", "reason"),
    [
        ({"number": "1012"}, "Schulnummer", "expected 6 digits"),
        ({"ags": "5515000"}, "Gemeindeschluessel", "expected 8 digits"),
        ({"epsg": "EPSG:31467"}, "EPSG", "expected EPSG:25832 or null"),
        ({"east": "3404500,O"}, "UTMRechtswert", "expected metres"),
        ({"east": "5757000", "north": "404500"}, "UTMRechtswert", "outside North Rhine-Westphalia"),
        ({"number": "100013"}, "Schulnummer", "school repeated"),
    ],
)
def test_what_cannot_be_read_rejects_the_line_alone(
    tmp_path: Path, changes: dict[str, str], column: str, reason: str
) -> None:
    out, rows = parse(tmp_path, line(number="100013"), line(**changes), line(number="100014"))
    assert [row["school_id"] for row in rows] == ["100013", "100014"]
    assert rejected(out) == [(4, column, reason)]


def test_an_impossible_date_or_a_torn_line_is_rejected(tmp_path: Path) -> None:
    out, rows = parse(tmp_path, line(date="31.02.2017"), '"100015";"02"')
    assert rows == []
    assert [(number, column) for number, column, _ in rejected(out)] == [(3, "Schulbetriebsdatum"), (4, "row")]


def test_missing_columns_are_refused_and_new_ones_are_drift(tmp_path: Path) -> None:
    with pytest.raises(SnapshotRefused, match="missing: Schulnummer"):
        parse(tmp_path, line(), header=HEADER.replace("Schulnummer", "Nummer"))
    out, _ = parse(tmp_path, line() + ';"x"', header=HEADER + ";Neu")
    assert out.drifted == [("school", "Neu", "new")]


def test_a_broken_encoding_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SnapshotRefused, match="broken encoding"):
        parse(tmp_path, line().replace("Städt", "StÃ¤dt"))
