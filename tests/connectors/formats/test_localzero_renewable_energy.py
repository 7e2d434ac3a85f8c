from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from connectors.connector import Snapshot
from connectors.errors import SnapshotRefused
from connectors.formats.localzero_renewable_energy import CONNECTOR
from connectors.region import region
from connectors.staging import StagedWriter

SHA = "a" * 64
HEADER = "ags,pv,wind_on,biomass,water\n"


def parse(folder: Path, text: str, year: str = "2024") -> tuple[StagedWriter, list[dict[str, Any]]]:
    path = folder / "2024.csv"
    path.write_text(text, encoding="utf-8")
    with StagedWriter(folder / "staged", "localzero", SHA, "1") as out:
        CONNECTOR.parse(Snapshot("localzero", path, SHA, {"year": year}), out, region())
        out.close()
    place = out.file_of("energy_reference_capacity")
    return out, pq.ParquetFile(place).read().to_pylist() if place.exists() else []


def test_each_technology_of_a_municipality_is_a_row(tmp_path: Path) -> None:
    _, rows = parse(tmp_path, HEADER + "05515000,114086.462,98550.000,12024.500,0\n")
    assert [(row["record_number"], row["technology"], row["year"], row["capacity_kw"]) for row in rows] == [
        (21, "solar", 2024, 114086.462),
        (22, "wind", 2024, 98550.0),
        (23, "biomass", 2024, 12024.5),
        (24, "hydro", 2024, 0.0),
    ]


def test_germany_is_staged_while_kreise_and_other_areas_are_out_of_scope(tmp_path: Path) -> None:
    out, rows = parse(tmp_path, HEADER + "05554000,1,2,3,4\n05554004,1,2,3,4\n01001000,1,2,3,4\nDG000000,1,2,3,4\n")
    assert {row["ags"] for row in rows} == {"05554004", "DG000000"}
    account = out.accounts["energy_reference_capacity"]
    assert (account.read, account.staged, account.out_of_scope) == (16, 8, 8)


def test_what_is_no_number_rejects_its_cell_alone(tmp_path: Path) -> None:
    out, rows = parse(tmp_path, HEADER + "05515000,n/a,2,3,4\n05554004,1,2,3\n")
    assert [row["technology"] for row in rows] == ["wind", "biomass", "hydro"]
    assert out.accounts["energy_reference_capacity"].rejected == 1 + 4


@pytest.mark.parametrize(
    ("text", "year", "said"),
    [
        ("ags,pv,wind,biomass,water\n", "2024", "expected each of the columns"),
        (HEADER + "05515000,1,2,3,4\n05515000,1,2,3,4\n", "2024", "stands there twice"),
        (HEADER, "latest", "expected a partition `year`"),
    ],
)
def test_another_header_a_municipality_twice_and_no_year_are_refused(
    tmp_path: Path, text: str, year: str, said: str
) -> None:
    with pytest.raises(SnapshotRefused, match=said):
        parse(tmp_path, text, year)
