from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Any

import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from connectors.connector import Connector, Snapshot
from connectors.formats.bkg_boundaries import CONNECTOR as BOUNDARIES
from connectors.formats.municipality_directory import CONNECTOR as DIRECTORY
from connectors.locate import POINT, boundaries_of, locate
from connectors.region import region
from connectors.staging import StagedWriter

pytestmark = pytest.mark.real
SHA = "a" * 64


def parse(tmp_path: Path, connector: Connector, path: Path, **options: Any) -> StagedWriter:
    with StagedWriter(tmp_path / "staged", "source", SHA, "1-x") as out:
        connector.parse(Snapshot("source", path, SHA), out, region(), **options)
        out.close()
    return out


def rows(out: StagedWriter, table: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = pq.ParquetFile(out.file_of(table)).read().to_pylist()
    return found


@pytest.fixture
def vg5000(tmp_path: Path, real: Path) -> Path:
    """The zip that the mirror packs of the layer's files."""
    path = tmp_path / "vg5000_12-31.utm32s.shape.ebenen.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for member in sorted((real / "geo" / "bkg-vg5000-gem").iterdir()):
            archive.write(member, member.name)
    return path


@pytest.fixture
def gv2q(real: Path) -> Path:
    return real / "geo" / "gemeindeverzeichnis-gv2q" / "AuszugGV2QAktuell.xlsx"


def test_the_region_has_66_boundaries(tmp_path: Path, vg5000: Path) -> None:
    out = parse(tmp_path, BOUNDARIES, vg5000)
    found = {row["ags"] for row in rows(out, "municipality_boundary")}
    assert len(found) == 66
    assert {key: sum(ags.startswith(key) for ags in found) for key in region().kreis_keys} == {
        "05515": 1,
        "05554": 17,
        "05558": 11,
        "05566": 24,
        "05570": 13,
    }
    assert out.accounts["municipality_boundary"].read == 10_994
    assert out.drifted == []


def test_the_register_names_66_municipalities_with_the_population_of_the_sheet(tmp_path: Path, gv2q: Path) -> None:
    out = parse(tmp_path, DIRECTORY, gv2q)
    staged = [row for row in rows(out, "municipality_register") if region().holds(row["ags"])]
    sheet = openpyxl.load_workbook(gv2q, read_only=True)["Onlineprodukt_Gemeinden30062024"]
    counted = [
        row[9]
        for row in sheet.iter_rows(values_only=True)
        # The sheet's own column of tourist regions names the Münsterland: a way to it without the keys.
        if row[0] == "60" and row[17] == "Münsterland"
    ]
    assert len(staged) == len(counted) == 66
    assert sum(row["population"] for row in staged) == sum(counted)
    muenster = next(row for row in staged if row["ags"] == "05515000")
    assert (muenster["name"], muenster["area_km2"], muenster["population"]) == ("Münster, Stadt", 303.28, 320_946)
    assert str(muenster["population_date"]) == "2022-12-31"
    assert str(muenster["territory_date"]) == "2024-06-30"
    assert out.accounts["municipality_register"].rejected == 0


def test_in_all_of_germany_one_area_without_a_municipality_has_no_longitude(tmp_path: Path, gv2q: Path) -> None:
    out = parse(tmp_path, DIRECTORY, gv2q, region_only=False)
    # It lies in Hesse and gives 0 as its longitude.
    assert [row["record_number"] for row in rows(out, "rejected_row")] == [4486]


def test_the_directorys_centres_lie_in_the_boundaries_of_their_municipality(
    tmp_path: Path, vg5000: Path, gv2q: Path
) -> None:
    parse(tmp_path, BOUNDARIES, vg5000)
    register = rows(parse(tmp_path, DIRECTORY, gv2q), "municipality_register")
    view = tmp_path / "view"
    (view / "municipality_boundary").mkdir(parents=True)
    staged = next((tmp_path / "staged" / "municipality_boundary").rglob("*.parquet"))
    (view / "municipality_boundary" / "rows.parquet").write_bytes(staged.read_bytes())
    centres = [
        {"source_id": "source", "snapshot_sha256": SHA, "entity": "centre", "entity_id": row["ags"]}
        | {name: row[name] for name in ("longitude", "latitude")}
        for row in register
        if region().holds(row["ags"])
    ]
    located = locate(pa.Table.from_pylist(centres, schema=POINT), boundaries_of(view)).to_pylist()
    assert len(located) == 66
    assert [row["entity_id"] for row in located if row["ags"] != row["entity_id"]] == []
