from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from connectors.connector import Snapshot
from connectors.errors import SnapshotRefused
from connectors.formats.genesis_ffcsv import CONNECTOR
from connectors.region import region
from connectors.staging import StagedWriter

SHA = "a" * 64
HEADER = (
    "statistics_code;statistics_label;time_code;time_label;time;"
    "1_variable_code;1_variable_label;1_variable_attribute_code;1_variable_attribute_label;"
    "2_variable_code;2_variable_label;2_variable_attribute_code;2_variable_attribute_label;"
    "3_variable_code;3_variable_label;3_variable_attribute_code;3_variable_attribute_label;"
    "value;value_unit;value_variable_code;value_variable_label"
)
BORKEN = "KREISE;Kreise;05554;Borken, Kreis"
NATIONALITY = "NAT;Nationalität;NATA;ausländisch"
SEX_TOTAL = "GES;Geschlecht;;Insgesamt"


def line(value: str = "144,36", *variables: str) -> str:
    chosen = ";".join(variables or (BORKEN, NATIONALITY, SEX_TOTAL))
    return f"13111;Beschäftigte;STAG;Stichtag;2025-06-30;{chosen};{value};Anzahl;ERW032;Beschäftigte"


def parse(
    tmp_path: Path, *lines: str, header: str = HEADER, member: str = "13111-01_177_de_flat.csv", **options: Any
) -> tuple[StagedWriter, list[dict[str, Any]]]:
    path = tmp_path / "answer.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(member, "\ufeff" + "\n".join([header, *lines]) + "\n")
    with StagedWriter(tmp_path / "staged", "genesis", SHA, "1-x") as out:
        CONNECTOR.parse(Snapshot("genesis", path, SHA), out, region(), **({"table_code": "13111-01"} | options))
        out.close()
    place = out.file_of("statistic_value")
    return out, pq.ParquetFile(place).read().to_pylist() if place.exists() else []


def rejected(out: StagedWriter) -> list[tuple[int, str, str | None]]:
    rows = pq.ParquetFile(out.file_of("rejected_row")).read().to_pylist()
    return [(row["record_number"], row["column_name"], row["raw_text"]) for row in rows]


def test_a_line_is_staged_with_its_area_and_sorted_attributes(tmp_path: Path) -> None:
    out, (row,) = parse(tmp_path, line())
    assert (row["record_number"], row["table_code"], row["statistic_code"]) == (2, "13111-01", "13111")
    assert (row["time_code"], row["period"]) == ("STAG", "2025-06-30")
    assert (row["area_variable_code"], row["area_code"], row["area_label"]) == ("KREISE", "05554", "Borken, Kreis")
    assert row["attribute_codes"] == "GES=;NAT=NATA"
    assert row["attribute_labels"] == "Geschlecht=Insgesamt;Nationalität=ausländisch"
    assert (row["value"], row["value_mark"], row["value_unit"]) == (144.36, None, "Anzahl")
    assert (row["value_variable_code"], row["value_variable_label"]) == ("ERW032", "Beschäftigte")
    assert out.drifted == []


def test_the_area_may_be_any_of_the_variables_and_a_variable_may_be_left_out(tmp_path: Path) -> None:
    _, rows = parse(tmp_path, line("5", NATIONALITY, SEX_TOTAL, BORKEN), line("6", BORKEN, ";;;", SEX_TOTAL))
    assert [(row["area_code"], row["attribute_codes"]) for row in rows] == [
        ("05554", "GES=;NAT=NATA"),
        ("05554", "GES="),
    ]


@pytest.mark.parametrize("mark", ["-", ".", "...", "x", "/", ""])
def test_a_sign_is_a_mark_and_no_number(tmp_path: Path, mark: str) -> None:
    _, (row,) = parse(tmp_path, line(mark))
    assert (row["value"], row["value_mark"]) == (None, mark)


def test_negative_numbers_and_an_uncertain_quality_are_kept(tmp_path: Path) -> None:
    lines = [f"{line('-9,9')};e", f"{line('12')};()", f"{line('-')};"]
    _, rows = parse(tmp_path, *lines, header=HEADER + ";value_q")
    assert [(row["value"], row["value_mark"]) for row in rows] == [(-9.9, None), (12.0, "()"), (None, "-")]


@pytest.mark.parametrize("value", ["1.074", "1e5", "12,", "NaN", "144.36", "zwölf", "0x10"])
def test_any_other_text_is_rejected(tmp_path: Path, value: str) -> None:
    out, rows = parse(tmp_path, line(value), line("1"))
    assert [row["record_number"] for row in rows] == [3]
    assert rejected(out) == [(2, "value", value)]


def test_lines_of_other_areas_are_out_of_scope_unless_asked_for(tmp_path: Path) -> None:
    lines = [
        line("1", "DINSG;Deutschland;DG;Deutschland", NATIONALITY, SEX_TOTAL),
        line("2", "DLAND;Länder;05;Nordrhein-Westfalen", NATIONALITY, SEX_TOTAL),
        line("3", "GEOGM4;Gemeinden;055580044044;Senden", NATIONALITY, SEX_TOTAL),
        line("unreadable", "KREISE;Kreise;09162;München", NATIONALITY, SEX_TOTAL),
        line("5", "GEMEIN;Gemeinden;05515000;Münster", NATIONALITY, SEX_TOTAL),
    ]
    out, rows = parse(tmp_path, *lines)
    assert [(row["record_number"], row["area_code"]) for row in rows] == [(4, "055580044044"), (6, "05515000")]
    assert out.accounts["statistic_value"].out_of_scope == 3
    out, rows = parse(tmp_path, *lines, region_only=False)
    assert len(rows) == 4
    assert rejected(out) == [(5, "value", "unreadable")]


def test_a_line_without_one_area_or_with_a_strange_key_is_rejected(tmp_path: Path) -> None:
    lines = [
        line("1", ";;;", NATIONALITY, SEX_TOTAL),
        line("2", BORKEN, "DLAND;Länder;05;NRW", SEX_TOTAL),
        line("3", "KREISE;Kreise;Borken;Borken", NATIONALITY, SEX_TOTAL),
    ]
    out, rows = parse(tmp_path, *lines)
    assert rows == []
    assert rejected(out) == [
        (2, "variable_code", "NAT;GES"),
        (3, "variable_code", "KREISE;DLAND;GES"),
        (4, "variable_attribute_code", "Borken"),
    ]


def test_a_torn_line_is_rejected_and_the_numbers_of_the_others_stay(tmp_path: Path) -> None:
    torn = "13111;Beschäftigte;STAG"
    out, rows = parse(tmp_path, line("1"), torn, line("3"))
    assert [(row["record_number"], row["value"]) for row in rows] == [(2, 1.0), (4, 3.0)]
    assert rejected(out) == [(3, "row", torn)]


def test_a_quoted_label_may_hold_separator_and_line_break(tmp_path: Path) -> None:
    quoted = line().replace("Borken, Kreis", '"Borken; Kreis\nNRW"')
    out, rows = parse(tmp_path, quoted, line("2"))
    assert [(row["record_number"], row["area_label"]) for row in rows] == [
        (2, "Borken; Kreis\nNRW"),
        (3, "Borken, Kreis"),
    ]
    assert out.accounts["statistic_value"].read == 2


def test_missing_columns_are_refused_and_new_ones_are_drift(tmp_path: Path) -> None:
    with pytest.raises(SnapshotRefused, match="missing: value_unit"):
        parse(tmp_path, line(), header=HEADER.replace("value_unit", "unit"))
    out, _ = parse(tmp_path, line() + ";neu", header=HEADER + ";value_new")
    assert out.drifted == [("statistic_value", "value_new", "new")]


def test_a_zip_without_the_tables_flat_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SnapshotRefused, match=r"expected one member 13111-01…_flat\.csv"):
        parse(tmp_path, line(), member="13111-01.csv")
    with pytest.raises(SnapshotRefused, match="found 12411-01_1_de_flat"):
        parse(tmp_path, line(), member="12411-01_1_de_flat.csv")


def test_an_enormous_field_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SnapshotRefused, match="line 2 has more than 65536 characters"):
        parse(tmp_path, line("1", f"KREISE;Kreise;05554;{'x' * 200_000}", NATIONALITY, SEX_TOTAL))


def test_a_line_says_the_days_of_its_period_and_a_month_that_stands_apart_narrows_a_year(tmp_path: Path) -> None:
    month = "MONAT;Monat;MONAT03;März"
    lines = [line("1"), line("2", BORKEN, month, SEX_TOTAL).replace("STAG;Stichtag;2025-06-30", "JAHR;Jahr;2024")]
    lines += [line("3").replace("STAG;Stichtag;2025-06-30", "SEMEST;Semester;2023-10P6M")]
    lines += [line("4").replace("2025-06-30", "einst")]
    out, rows = parse(tmp_path, *lines)
    assert [(row["time_code"], row["period"]) for row in rows[1:]] == [
        ("JAHR", "2024"),
        ("SEMEST", "2023-10P6M"),
        ("STAG", "einst"),
    ]
    assert [(str(row["period_start_date"]), str(row["period_end_date"])) for row in rows] == [
        ("2025-06-30", "2025-06-30"),
        ("2024-03-01", "2024-03-31"),
        ("2023-10-01", "2024-03-31"),
        ("None", "None"),
    ]
    (told,) = pq.ParquetFile(out.file_of("unread_cell")).read().to_pylist()
    assert (told["column_name"], told["records"], told["example"]) == ("time", 1, "einst")


@pytest.mark.parametrize("count", range(1, 7))
def test_a_table_has_from_one_to_six_variables_in_either_language(tmp_path: Path, count: int) -> None:
    columns = [
        f"{n}_variable_{part}"
        for n in range(1, count + 1)
        for part in ("code", "label", "attribute_code", "attribute_label")
    ]
    header = ";".join(
        [
            *("statistics_code", "statistics_label", "time_code", "time_label", "time", *columns),
            *("value", "value_unit", "value_variable_code", "value_variable_label"),
        ]
    )
    # The area stands last.
    fields = [f"V{n};Variable {n};A{n};Attribute {n}" for n in range(1, count)]
    told = ";".join(["1;Statistic;JAHR;Year;2023", *fields, "KREISE;Districts;05554;Borken, Kreis", "7;number;V;Value"])
    out, (row,) = parse(tmp_path, told, header=header, member="13111-01_177_en_flat.csv")
    assert row["attribute_codes"] == ";".join(f"V{n}=A{n}" for n in range(1, count))
    assert row["attribute_labels"] == ";".join(f"Variable {n}=Attribute {n}" for n in range(1, count))
    assert (row["area_code"], row["value"], row["value_unit"]) == ("05554", 7.0, "number")
    assert out.drifted == []


def test_a_table_without_a_line_is_staged_as_nothing(tmp_path: Path) -> None:
    out, rows = parse(tmp_path)
    assert (rows, out.accounts["statistic_value"].read) == ([], 0)


def test_texts_of_a_line_are_texts_whatever_they_hold(tmp_path: Path) -> None:
    quoted = line("1", BORKEN, 'N\'A;Nationa\'lität;x\' || \'y;"drei ""Worte"""', SEX_TOTAL)
    _, (row,) = parse(tmp_path, quoted)
    assert row["attribute_codes"] == "GES=;N'A=x' || 'y"
    assert row["attribute_labels"] == 'Geschlecht=Insgesamt;Nationa\'lität=drei "Worte"'


def test_lines_of_hundreds_of_kinds_are_no_table(tmp_path: Path) -> None:
    lines = [line("1", BORKEN, f"V{number};L;A;A", SEX_TOTAL) for number in range(101)]
    with pytest.raises(SnapshotRefused, match="more than 100 different sets of variables"):
        parse(tmp_path, *lines)
