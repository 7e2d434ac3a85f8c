from __future__ import annotations

import csv
import zipfile
from collections import defaultdict
from pathlib import Path
from typing import Any

import duckdb
import pyarrow.parquet as pq
import pytest

from connectors.connector import Connector, Snapshot
from connectors.formats.charging_register import CONNECTOR as CHARGING
from connectors.formats.mastr import CONNECTOR as MASTR
from connectors.region import region
from connectors.staging import StagedWriter

pytestmark = pytest.mark.real
SHA = "a" * 64
LOCALZERO_COLUMNS = {"pv": "solar", "wind_on": "wind", "biomass": "biomass", "water": "hydro"}


def parse(tmp_path: Path, connector: Connector, path: Path, **options: Any) -> StagedWriter:
    with StagedWriter(tmp_path / "staged", "source", SHA, "1-x") as out:
        connector.parse(Snapshot("source", path, SHA), out, region(), **options)
        out.close()
    return out


def test_capacity_per_municipality_and_technology_is_localzeros(tmp_path: Path, real: Path) -> None:
    export = real / "standin" / "Gesamtdatenexport_20260101_25.2.zip"
    out = parse(tmp_path, MASTR, export)
    with duckdb.connect() as database:
        sums = database.execute(
            """
            select ags, technology, sum(gross_capacity_kw)
            from (select distinct unit_id, ags, technology, gross_capacity_kw, status_id from read_parquet(?))
            where status_id in (35, 37)
            group by all
            """,
            [str(out.file_of("energy_unit"))],
        ).fetchall()
    found = defaultdict(float, {(ags, technology): kw for ags, technology, kw in sums})
    with (real / "energy" / "localzero-renewable-energy" / "2024.csv").open(encoding="utf-8") as stream:
        expected = {
            (row["ags"], technology): float(row[column] or 0)
            for row in csv.DictReader(stream)
            # A key that ends in 000 names a Kreis, but for Münster.
            if region().holds(row["ags"]) and (row["ags"] == "05515000" or not row["ags"].endswith("000"))
            for column, technology in LOCALZERO_COLUMNS.items()
        }
    assert len(expected) == 66 * 4
    assert {key: pytest.approx(kw, abs=0.001) for key, kw in expected.items()} == {key: found[key] for key in expected}
    assert set(found) == set(expected)


def test_every_unit_of_the_export_is_accounted_for(tmp_path: Path, real: Path) -> None:
    export = real / "standin" / "Gesamtdatenexport_20260101_25.2.zip"
    counted = 0
    with zipfile.ZipFile(export) as archive:
        for name in archive.namelist():
            if name.startswith("Einheiten"):
                counted += archive.read(name).decode("utf-16").count("</EinheitMastrNummer>")
    out = parse(tmp_path, MASTR, export)
    account = out.accounts["energy_unit"]
    assert account.read == counted == account.staged + account.out_of_scope
    assert out.drifted == [("energy_unit", "NeuesFeld2026", "new")]
    assert out.accounts["energy_catalogue_value"].staged == 15


def test_the_charging_register_of_muenster(tmp_path: Path, real: Path) -> None:
    out = parse(tmp_path, CHARGING, real / "energy" / "ms-ladesaeulen-bnetza" / "ladesaeulen-muenster.csv")
    rows = pq.ParquetFile(out.file_of("charging_station")).read().to_pylist()
    assert len(rows) == 166
    assert sum(row["charging_points"] for row in rows) == 321
    assert sum(row["power_kw"] for row in rows) == pytest.approx(8_449.59, abs=1e-6)
    assert out.drifted == []


def test_the_charging_register_as_published_in_2022(tmp_path: Path, real: Path) -> None:
    path = real / "energy" / "bnetza-ladesaeulenregister-2022" / "Ladesaeulenregister.csv"
    out = parse(tmp_path, CHARGING, path, region_only=False)
    rows = pq.ParquetFile(out.file_of("charging_station")).read().to_pylist()
    assert len(rows) == 292
    assert str(rows[0]["commissioned_date"]) == "2021-07-22"
    assert out.drifted == []
    assert parse(tmp_path / "region", CHARGING, path).accounts["charging_station"].out_of_scope == 292
