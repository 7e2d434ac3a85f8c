"""The benchmark's export: copies of the sample's, of which the first lies in the region, each with its own numbers."""

from __future__ import annotations

import zipfile
from collections import Counter
from pathlib import Path

import pyarrow.parquet as pq

from connectors.connector import Snapshot
from connectors.formats.mastr import CONNECTOR
from connectors.region import region
from connectors.staging import StagedWriter
from tests.bench import mastr


def test_the_region_of_a_multiplied_export_is_the_generators(tmp_path: Path) -> None:
    export = tmp_path / "export.zip"
    copies = mastr.multiply(export, 34 * 10**6)
    assert copies == 2
    with zipfile.ZipFile(export) as archive:
        assert sum(member.file_size for member in archive.infolist()) >= 34 * 10**6
    with StagedWriter(tmp_path / "staged", "mastr", "a" * 64, "1") as out:
        CONNECTOR.parse(Snapshot("mastr", export, "a" * 64), out, region())
        accounts = out.close()
    units = pq.ParquetFile(out.file_of("energy_unit")).read(["unit_id", "technology"]).to_pylist()
    assert Counter(unit["technology"] for unit in units) == mastr.expected(copies) == mastr.expected(1)
    assert len({unit["unit_id"] for unit in units}) == len(units)
    # Twice the 6,795 units of the sample: seams are left out when parts are cut anew.
    assert accounts["energy_unit"].read == 2 * 6_795


def test_one_copy_in_forty_six_lies_in_the_region() -> None:
    assert mastr.expected(46) == mastr.expected(1)
    assert {name: count / 2 for name, count in mastr.expected(47).items()} == mastr.expected(1)
