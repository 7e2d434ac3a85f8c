"""The attacker on a real table: students of the Kreise by sex, nationality and subject, among them counts of 1 to 4."""

from __future__ import annotations

import csv
import io
import zipfile
from pathlib import Path

import pytest

from connectors import tables
from connectors.formats.statistic_time import span_of
from tests.dbt_project.conftest import KREISE, Staged, build, stage_core
from tests.privacy.attacker import attack
from tests.privacy.published import cell, system

TABLE = "21311-01-01-4-B"
MARTS = ("dim_area", "mart_area_change", "mart_statistic", "mart_statistic_today")


@pytest.mark.real
def test_students_of_the_region_stay_unknown_where_they_are_few(real: Path, tmp_path: Path) -> None:
    (archive,) = (real / "registers" / "regionalstatistik-ffcsv").glob(f"{TABLE}_*_de_flat.zip")
    with zipfile.ZipFile(archive) as opened:
        text = opened.read(opened.namelist()[0]).decode("utf-8-sig")
    lines = [line for line in csv.DictReader(io.StringIO(text), delimiter=";") if _area(line) in KREISE]
    rows = [
        {
            "table_code": TABLE,
            "period": line["time"],
            **dict(zip(("period_start_date", "period_end_date"), span_of(line["time"]) or (), strict=True)),
            "area_variable_code": "KREISE",
            "area_code": _area(line),
            "attribute_codes": ";".join(
                f"{line[f'{number}_variable_code']}={line[f'{number}_variable_attribute_code']}" for number in (2, 3, 4)
            ),
            "value": None if line["value"] in ("-", ".", "x", "/", "...") else float(line["value"]),
            "value_mark": line["value"] if line["value"] in ("-", ".", "x", "/", "...") else None,
            "value_unit": line["value_unit"],
            "value_variable_code": line["value_variable_code"],
        }
        for line in lines
    ]
    small = [row for row in rows if row["value"] is not None and 0 < float(str(row["value"])) < 5]
    assert small
    folder = Staged(tmp_path / "staged")
    stage_core(folder)
    folder.write(tables.STATISTIC_VALUE, "regional", rows)
    built = build(
        folder.root,
        tmp_path / "build",
        *("--select", *(f"+{mart}" for mart in MARTS), "--exclude-resource-type", "unit_test", "test"),
    )
    assert built.result.success

    def read(mart: str) -> list[dict[str, object]]:
        names = [name for (name,) in built.query(f"select column_name from (describe marts.{mart})")]
        return [dict(zip(names, row, strict=True)) for row in built.query(f"select * from marts.{mart}")]

    told = read("mart_statistic")
    hidden = {cell(row) for row in told if row["reason"] == "disclosure_control"}
    known = attack(system(read, {TABLE}))
    assert len(hidden) >= len(small)
    assert len(hidden) < len(rows) / 4
    assert hidden <= known.keys()
    assert [one for one in hidden if known[one].is_found] == []


def _area(line: dict[str, str]) -> str:
    return line["1_variable_attribute_code"]
