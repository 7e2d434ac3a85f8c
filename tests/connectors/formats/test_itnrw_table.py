"""IT.NRW's own CSV: preamble, merged header, footer; every cell accounted for."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from connectors.connector import Snapshot
from connectors.errors import SnapshotRefused
from connectors.formats.itnrw_table import CONNECTOR
from connectors.region import region
from connectors.staging import StagedWriter

SHA = "a" * 64
PREAMBLE = ["Tabelle: 12345-01i", "Beschäftigte nach Geschlecht", "Stichtag: 30.06.2025", ""]
HEADER = [";;Beschäftigte;;;Höhe", ";;Insgesamt;männlich;weiblich;"]
FOOTER = ["_____", "Zeichenerklärung: - nichts", "(C) Niemand", "Stand: 01.02.2026"]
DAY = {"columns": ("area_code", "area_label"), "period_in_preamble": r"Stichtag: ([\d.]+)"}
MUENSTER = "05515000;    Münster, Stadt;12;7;5;1,5"


def parse(
    tmp_path: Path,
    *rows: str,
    header: list[str] = HEADER,
    end: str = "\r\n",
    preamble: list[str] = PREAMBLE,
    **options: Any,
) -> tuple[StagedWriter, list[dict[str, Any]]]:
    path = tmp_path / "12345-01i_00.csv"
    path.write_bytes(("\r\n".join([*preamble, *header, *rows]) + end).encode("latin-1"))
    with StagedWriter(tmp_path / "staged", "itnrw", SHA, "1-x") as out:
        CONNECTOR.parse(Snapshot("itnrw", path, SHA), out, region(), **({"table_code": "12345-01i"} | DAY | options))
        out.close()
    place = out.file_of("statistic_value")
    return out, pq.ParquetFile(place).read().to_pylist() if place.exists() else []


def rejected(out: StagedWriter) -> Counter[tuple[int, str, str]]:
    rows = pq.ParquetFile(out.file_of("rejected_row")).read().to_pylist()
    return Counter((row["record_number"], row["column_name"], row["reason"]) for row in rows)


def test_cells_under_a_merged_header_are_values_with_the_day_of_the_preamble(tmp_path: Path) -> None:
    out, rows = parse(tmp_path, "05;NRW;9;9;9;9", MUENSTER, "05554;  Borken, Kreis;-;.;/;x", *FOOTER)
    assert [(row["area_code"], row["value_variable_code"], row["value"], row["value_mark"]) for row in rows] == [
        ("05515000", "Beschäftigte - Insgesamt", 12.0, None),
        ("05515000", "Beschäftigte - männlich", 7.0, None),
        ("05515000", "Beschäftigte - weiblich", 5.0, None),
        ("05515000", "Höhe", 1.5, None),
        ("05554", "Beschäftigte - Insgesamt", None, "-"),
        ("05554", "Beschäftigte - männlich", None, "."),
        ("05554", "Beschäftigte - weiblich", None, "/"),
        ("05554", "Höhe", None, "x"),
    ]
    assert {(row["period"], str(row["period_start_date"]), row["time_code"]) for row in rows} == {
        ("30.06.2025", "2025-06-30", "STAG")
    }
    assert (rows[0]["area_label"], rows[0]["statistic_code"], rows[0]["value_unit"]) == (
        "Münster, Stadt",
        "12345",
        "Anzahl",
    )
    account = out.accounts["statistic_value"]
    # Three rows of preamble (a blank line is none), two of header, four of footer; twelve cells, four of them NRW's.
    assert (account.read, account.staged, account.out_of_scope, account.rejected) == (21, 8, 13, 0)


def test_a_period_in_front_and_a_row_of_units(tmp_path: Path) -> None:
    header = ["Jahr;Gebiet;;Einkommen;", ";;;insgesamt;je Kopf", ";;;Tsd. EUR;EUR"]
    options = {"columns": ("period", "area_code", "area_label"), "period_in_preamble": None, "has_unit_row": True}
    rows = ["2022;05515;Münster;100;20", ";05554;Borken;200;30", "2023;05515;Münster;110;21", "einst;05515;Münster;1;2"]
    out, found = parse(
        tmp_path, *rows, header=header, header_rows=3, codes={"Einkommen - je Kopf": "E"}, time_code="JAHR", **options
    )
    assert [(row["period"], row["area_code"], row["value"], row["value_unit"]) for row in found] == [
        ("2022", "05515", 100.0, "Tsd. EUR"),
        ("2022", "05515", 20.0, "EUR"),
        ("2022", "05554", 200.0, "Tsd. EUR"),
        ("2022", "05554", 30.0, "EUR"),
        ("2023", "05515", 110.0, "Tsd. EUR"),
        ("2023", "05515", 21.0, "EUR"),
    ]
    assert {row["value_variable_code"] for row in found} == {"Einkommen - insgesamt", "E"}
    assert {(row["time_code"], str(row["period_end_date"])[:4]) for row in found} == {
        ("JAHR", "2022"),
        ("JAHR", "2023"),
    }
    assert out.drifted == [("statistic_value", "Einkommen - insgesamt", "new")]
    assert rejected(out) == {(11, "period", "expected a day, year or another period"): 2}


def test_an_attribute_may_stand_in_front(tmp_path: Path) -> None:
    rows = ["05515;Frauen;5", "05515;Männer;7"]
    options = {"columns": ("area_code", "attribute:GES")}
    _, found = parse(tmp_path, *rows, header=[";;Personen"], header_rows=1, **options)
    assert [(row["attribute_codes"], row["value"]) for row in found] == [("GES=Frauen", 5.0), ("GES=Männer", 7.0)]


def test_what_cannot_be_read_is_rejected_cell_by_cell(tmp_path: Path) -> None:
    rows = [MUENSTER, "05554;Borken;1.074;zwei;3;4", "Borken;Kreis;1;2;3;4", "05558;Coesfeld;1;2;3"]
    out, found = parse(tmp_path, *rows, *FOOTER)
    assert len(found) == 6
    number = "expected a number with a decimal comma or a sign"
    assert rejected(out) == {
        (8, "Beschäftigte - Insgesamt", number): 1,
        (8, "Beschäftigte - männlich", number): 1,
        (9, "area_code", "expected the key of an area"): 4,
        (10, "row", "expected 6 fields, found 5"): 4,
    }


@pytest.mark.parametrize("end", ["", "\r\n05554;  Bor", "\r\n05554"])
def test_a_row_that_was_cut_is_no_row(tmp_path: Path, end: str) -> None:
    out, found = parse(tmp_path, "05566;  Steinfurt;1;2;3;4", MUENSTER, end=end)
    assert len(found) == (8 if end else 4)
    (((_, column, reason), cells),) = rejected(out).items()
    assert (column, reason, cells) == ("row", "the file ends within this line", 4)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"header": [";;A;;;B"], "preamble": []}, "expected 2 header rows"),
        ({"header": [";;A;A;B;C", ";;x;x;y;z"]}, "expected a name of its own"),
        ({"preamble": ["Tabelle", "x", "ohne Tag"]}, "expected a period in the preamble"),
        ({"codes": {"Beschäftigte - divers": "D"}}, "expected the columns Beschäftigte - divers"),
        ({"columns": ("area_code", "name")}, "mend the source's YAML"),
        ({"columns": ("area_label",)}, "mend the source's YAML"),
        ({"period_in_preamble": None}, "mend the source's YAML"),
    ],
)
def test_another_layout_is_refused(tmp_path: Path, options: dict[str, Any], words: str) -> None:
    with pytest.raises(SnapshotRefused, match=words):
        parse(tmp_path, MUENSTER, *FOOTER, **options)


def test_a_file_without_data_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SnapshotRefused, match="found none in 9 rows"):
        parse(tmp_path, *FOOTER)


PERIODS = {"columns": ("period", "area_code", "area_label"), "period_in_preamble": None}


def test_below_a_row_that_cannot_be_read_its_own_period_holds(tmp_path: Path) -> None:
    rows = ["31.12.2020;05515000;Münster;1", "31.12.2021;05515000;Münster;2;extra", ";05554004;Ahaus;3"]
    out, staged = parse(tmp_path, *rows, *FOOTER, header=[";;;Menschen", ";;;Insgesamt"], **PERIODS)
    assert [(row["period"], row["area_code"], row["value"]) for row in staged] == [
        ("31.12.2020", "05515000", 1.0),
        ("31.12.2021", "05554004", 3.0),
    ]
    assert sum(rejected(out).values()) == 1


def test_a_lone_cell_above_more_data_is_no_footer(tmp_path: Path) -> None:
    with pytest.raises(SnapshotRefused, match="below it holds the key of an area"):
        parse(tmp_path, MUENSTER, "Kreis Borken;;;;;", "05554004;Ahaus;12;7;5;1,5", *FOOTER)
