"""Figures per area, a column each: keys, names, times and blanks."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from connectors.connector import Snapshot
from connectors.errors import SnapshotRefused
from connectors.formats import statistic_table
from connectors.region import region
from connectors.staging import Account, StagedWriter

LAND = (
    "ags,total,forest\nDG000000,9,9\n05515000,30328,4981.5\n05554000,142098,\n05554004,15124,x\n09162000,1,1\n12,1,1\n"
)


def staged(folder: Path, text: str, partition: dict[str, str] | None = None, **options: Any) -> Any:
    path = folder / "land.csv"
    path.write_text(text, encoding="utf-8")
    with StagedWriter(folder / "staged", "town", "0" * 64, "p") as out:
        statistic_table.parse(Snapshot("town", path, "0" * 64, partition or {}), out, region(), **options)
        account = out.close()["statistic_value"]
    places = (folder / "staged").glob("statistic_value/**/*.parquet")
    return account, [row for place in places for row in pq.ParquetFile(place).read().to_pylist()]


def test_a_kreis_ends_in_000_and_a_blank_is_a_value_that_is_missing(tmp_path: Path) -> None:
    options = {"table_code": "land", "area": "ags", "values": {"total": "ha", "forest": "ha"}}
    account, rows = staged(tmp_path, LAND, {"year": "2021"}, period_partition="year", **options)
    told = {(row["area_code"], row["value_variable_code"]): (row["value"], row["value_mark"]) for row in rows}
    assert told == {
        ("05515000", "total"): (30328.0, None),
        ("05515000", "forest"): (4981.5, None),
        ("05554", "total"): (142098.0, None),
        ("05554", "forest"): (None, ""),
        ("05554004", "total"): (15124.0, None),
    }
    assert account == Account(read=12, staged=5, rejected=3, out_of_scope=4)
    assert {(row["period"], row["period_end_date"]) for row in rows} == {("2021", date(2021, 12, 31))}


def test_names_become_keys_and_the_last_date_of_a_year_counts(tmp_path: Path) -> None:
    days = (("31.12.2022", 9), ("30.12.2022", 8), ("20.07.2023", 10))
    text = "Gebiet,Datum,Tote\nKleve,1.1.2022,5\n" + "".join(f"Kreis Borken,{day},{dead}\n" for day, dead in days)
    account, rows = staged(
        tmp_path,
        text,
        table_code="covid",
        area="Gebiet",
        areas={"Kreis Borken": "05554"},
        period_column="Datum",
        last_of_year=True,
        values={"Tote": "Anzahl"},
    )
    assert [(row["area_code"], row["period"], row["value"]) for row in rows] == [
        ("05554", "2022-12-31", 9.0),
        ("05554", "2023-07-20", 10.0),
    ]
    assert account == Account(read=4, staged=2, out_of_scope=2)


def test_a_column_that_is_gone_and_a_time_nobody_declared_refuse(tmp_path: Path) -> None:
    options = {"table_code": "land", "area": "ags", "values": {"water": "ha"}}
    with pytest.raises(SnapshotRefused, match="missing: water"):
        staged(tmp_path, LAND, period="2021", **options)
    with pytest.raises(SnapshotRefused, match="its time is not declared"):
        staged(tmp_path, LAND, **options)
