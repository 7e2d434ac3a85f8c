from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from connectors.connector import Snapshot
from connectors.errors import SnapshotRefused
from connectors.formats.charging_register import CONNECTOR
from connectors.region import region
from connectors.staging import StagedWriter

SHA = "a" * 64
HEADER_2023 = (
    "Betreiber;Straße;Hausnummer;Adresszusatz;Postleitzahl;Ort;Bundesland;Kreis/kreisfreie Stadt;Breitengrad;"
    "Längengrad;Inbetriebnahmedatum;Nennleistung Ladeeinrichtung [kW];Art der Ladeeinrichung;Anzahl Ladepunkte;"
    "Steckertypen1;P1 [kW];Public Key1"
)
LINE = (
    "Stadtwerke;Ritterstraße;38;;48143;Münster;Nordrhein-Westfalen;{kreis};{latitude};{longitude};{date};{power};"
    "Normalladeeinrichtung;{points};AC Steckdose Typ 2;22;"
)
VALUES = {
    "kreis": "Kreisfreie Stadt Münster",
    "latitude": "51,964164",
    "longitude": "7,63198",
    "date": "07.03.2022",
    "power": "22,5",
    "points": "2",
}


def line(**changes: str) -> str:
    return LINE.format(**(VALUES | changes))


def parse(
    tmp_path: Path, *lines: str, bom: str = "", bytes_in: str = "utf-8", **options: Any
) -> tuple[StagedWriter, list[dict[str, Any]]]:
    path = tmp_path / "Ladesaeulenregister.csv"
    path.write_bytes((bom + "\r\n".join(lines) + "\r\n").encode(bytes_in))
    with StagedWriter(tmp_path / "staged", "bnetza", SHA, "1-x") as out:
        CONNECTOR.parse(Snapshot("bnetza", path, SHA), out, region(), **options)
        out.close()
    place = out.file_of("charging_station")
    return out, pq.ParquetFile(place).read().to_pylist() if place.exists() else []


def rejected(out: StagedWriter) -> list[tuple[int, str, str | None]]:
    rows = pq.ParquetFile(out.file_of("rejected_row")).read().to_pylist()
    return [(row["record_number"], row["column_name"], row["reason"]) for row in rows]


def reasons(out: StagedWriter) -> dict[str, int]:
    rows = pq.ParquetFile(out.file_of("record_account")).read().to_pylist()
    return {row["reason"]: row["records"] for row in rows if row["outcome"] == "out_of_scope"}


def test_a_device_is_staged_with_its_types(tmp_path: Path) -> None:
    out, (row,) = parse(tmp_path, HEADER_2023, line())
    assert (row["record_number"], row["operator"], row["place"]) == (2, "Stadtwerke", "Münster")
    assert (row["latitude"], row["longitude"], row["power_kw"]) == (51.964164, 7.63198, 22.5)
    assert (row["commissioned_date"], row["charging_points"]) == (date(2022, 3, 7), 2)
    assert (row["kreis_name"], row["device_type"]) == ("Kreisfreie Stadt Münster", "Normalladeeinrichtung")
    assert out.drifted == []


def test_equal_lines_are_devices_of_their_own_with_one_hash(tmp_path: Path) -> None:
    _, rows = parse(tmp_path, HEADER_2023, line(), line(), line(points="1"))
    assert [row["record_number"] for row in rows] == [2, 3, 4]
    assert rows[0]["record_sha256"] == rows[1]["record_sha256"] != rows[2]["record_sha256"]


def test_the_header_of_2022_has_other_names_and_two_digit_years(tmp_path: Path) -> None:
    header = HEADER_2023.replace("Nennleistung Ladeeinrichtung [kW]", "Anschlussleistung")
    out, (row,) = parse(tmp_path, header, line(date="22.07.21"), bom="\ufeff")
    assert (row["commissioned_date"], row["power_kw"]) == (date(2021, 7, 22), 22.5)
    assert out.drifted == []


def test_the_header_of_2025_below_a_preamble_has_longitude_before_latitude(tmp_path: Path) -> None:
    header = (
        "Ladeeinrichtungs-ID;Betreiber;Anzeigename (Karte);Status;Art der Ladeeinrichtung;Anzahl Ladepunkte;"
        "Nennleistung Ladeeinrichtung [kW];Inbetriebnahmedatum;Postleitzahl;Ort;Kreis/kreisfreie Stadt;Längengrad;"
        "Breitengrad;Steckertypen1;Nennleistung Stecker1;EVSE-ID1;Public Key1"
    )
    device = "1;Werk;Werk;In Betrieb;Schnellladeeinrichtung;4;300;01.01.2024;48143;Münster;Münster;7,63;51,96;;;;"
    out, (row,) = parse(tmp_path, "Ladesäulenregister;;", ";;;", "Stand: 01.09.2025", header, device)
    assert (row["record_number"], row["longitude"], row["latitude"]) == (5, 7.63, 51.96)
    assert (row["power_kw"], row["charging_points"]) == (300.0, 4)
    assert reasons(out) == {"preamble": 3}
    assert out.drifted == []


def test_a_latin_1_file_is_read_when_declared_and_refused_when_not(tmp_path: Path) -> None:
    _, (row,) = parse(tmp_path, HEADER_2023, line(), bytes_in="latin-1", encoding="latin-1")
    assert row["place"] == "Münster"
    with pytest.raises(SnapshotRefused, match="0xdf"):
        parse(tmp_path, HEADER_2023, line(), bytes_in="latin-1")


def test_devices_elsewhere_are_out_of_scope_but_the_name_of_a_kreis_beats_the_point(tmp_path: Path) -> None:
    cologne = {"kreis": "Kreisfreie Stadt Köln", "latitude": "50,937417", "longitude": "6,97069"}
    near_wesel = {"latitude": "51,618381", "longitude": "6,567385"}
    lines = (
        line(**cologne),
        line(**near_wesel),
        line(**near_wesel, kreis="Landkreis Borken"),
        line(**near_wesel, kreis="Kreis Wesel"),
    )
    out, rows = parse(tmp_path, HEADER_2023, *lines)
    assert [row["record_number"] for row in rows] == [3, 4]
    assert reasons(out) == {"outside the region": 2}
    _, rows = parse(tmp_path, HEADER_2023, *lines, region_only=False)
    assert len(rows) == 4


@pytest.mark.parametrize(
    ("changes", "column", "reason"),
    [
        ({"latitude": "7,63198", "longitude": "51,964164"}, "Breitengrad", "latitude and longitude swapped"),
        ({"latitude": "0,0", "longitude": "0,0"}, "Breitengrad", "outside Germany"),
        ({"latitude": "51.964164"}, "Breitengrad", "expected degrees with a decimal comma"),
        ({"longitude": ""}, "Längengrad", "expected degrees with a decimal comma"),
        ({"power": "1.074,5"}, "Nennleistung Ladeeinrichtung [kW]", "expected kW with a decimal comma"),
        ({"points": "zwei"}, "Anzahl Ladepunkte", "expected a whole number"),
        ({"date": "2022-03-07"}, "Inbetriebnahmedatum", "expected a date D.M.Y"),
        ({"power": "22;5"}, "row", "expected 17 fields"),
    ],
)
def test_what_cannot_be_read_rejects_the_line_alone(
    tmp_path: Path, changes: dict[str, str], column: str, reason: str
) -> None:
    out, rows = parse(tmp_path, HEADER_2023, line(**changes), line())
    assert [row["record_number"] for row in rows] == [3]
    assert rejected(out) == [(2, column, reason)]


def test_blank_rows_and_the_footer_are_out_of_scope(tmp_path: Path) -> None:
    out, rows = parse(tmp_path, HEADER_2023, line(), "", ";" * 16, "Quelle: Bundesnetzagentur")
    assert len(rows) == 1
    assert reasons(out) == {"blank row": 2, "footer": 1}


def test_a_missing_column_is_refused_and_a_new_one_is_drift(tmp_path: Path) -> None:
    with pytest.raises(SnapshotRefused, match="expected a column Anzahl Ladepunkte"):
        parse(tmp_path, HEADER_2023.replace("Anzahl Ladepunkte", "Punkte"), line())
    with pytest.raises(SnapshotRefused, match="none of the first 100 lines holds the headers"):
        parse(tmp_path, "a;b;c")
    out, _ = parse(tmp_path, HEADER_2023 + ";Neu", line() + ";x")
    assert out.drifted == [("charging_station", "Neu", "new")]


def test_a_broken_encoding_or_an_endless_field_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SnapshotRefused, match="broken encoding"):
        parse(tmp_path, HEADER_2023, line().replace("Münster", "MÃ¼nster"))
    with pytest.raises(SnapshotRefused, match="line 2 has more than 65536 characters"):
        parse(tmp_path, HEADER_2023, '"' + "x" * 200_000)


@pytest.mark.parametrize(
    ("points", "powers", "fast"),
    [
        ("2", "22;;x;22,0;", 0),
        ("2", "150;;x;150;", 2),
        # A point of 43 kW alternating current is a fast one, one of 22 kW beside it is none.
        ("2", "22;;x;43;", 1),
        # The file has columns for fewer points than the device has.
        ("6", "22;;x;22;", None),
        ("2", "22;;x;;", None),
    ],
)
def test_points_of_more_than_22_kw_are_fast(tmp_path: Path, points: str, powers: str, fast: int | None) -> None:
    header = HEADER_2023 + ";Steckertypen2;P2 [kW];Public Key2"
    device = line(points=points).removesuffix("22;") + powers
    _, (row,) = parse(tmp_path, header, device)
    assert row["fast_points"] == fast
