from __future__ import annotations

import csv
import io
import zipfile
from collections import Counter
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from connectors.connector import Connector, Snapshot
from connectors.formats.genesis_ffcsv import CONNECTOR as GENESIS
from connectors.formats.schools_nrw import CONNECTOR as SCHOOLS
from connectors.region import region
from connectors.staging import StagedWriter
from tests.conftest import SHARED

pytestmark = pytest.mark.real
SHA = "a" * 64
ANSWERS = sorted((SHARED / "real" / "registers").glob("*-ffcsv/*.zip"))


def parse(tmp_path: Path, connector: Connector, path: Path, **options: Any) -> StagedWriter:
    with StagedWriter(tmp_path / "staged", "source", SHA, "1-x") as out:
        connector.parse(Snapshot("source", path, SHA), out, region(), **options)
        out.close()
    return out


def flat_lines(path: Path) -> list[dict[str, str]]:
    with zipfile.ZipFile(path) as archive:
        (name,) = archive.namelist()
        text = archive.read(name).decode("utf-8-sig")
    return list(csv.DictReader(io.StringIO(text), delimiter=";"))


@pytest.mark.parametrize("answer", ANSWERS, ids=lambda path: path.name)
def test_every_line_of_an_answer_is_staged(tmp_path: Path, answer: Path) -> None:
    out = parse(tmp_path, GENESIS, answer, table_code=answer.name.split("_")[0], region_only=False)
    lines = flat_lines(answer)
    account = out.accounts["statistic_value"]
    assert account.read == account.staged == len(lines)
    assert out.drifted == []
    staged = pq.ParquetFile(out.file_of("statistic_value")).read(["value", "value_mark"]).to_pylist()
    marks = Counter(line["value"] for line in lines if line["value"] in ("-", ".", "...", "x", "/", ""))
    assert Counter(row["value_mark"] for row in staged if row["value"] is None) == marks


@pytest.mark.parametrize("language", ["de", "en"])
def test_the_census_names_66_municipalities(tmp_path: Path, real: Path, language: str) -> None:
    (answer,) = (real / "registers" / "zensus2022-ffcsv").glob(f"1000A-0000_*_{language}_flat.zip")
    out = parse(tmp_path, GENESIS, answer, table_code="1000A-0000")
    rows = pq.ParquetFile(out.file_of("statistic_value")).read().to_pylist()
    assert len({row["area_code"] for row in rows}) == len(rows) == 66
    counted = [int(line["value"]) for line in flat_lines(answer) if region().holds(line["1_variable_attribute_code"])]
    assert sum(row["value"] for row in rows) == sum(counted)


def test_schools_per_municipality_are_those_of_the_file(tmp_path: Path, real: Path) -> None:
    path = real / "registers" / "nrw-schuldaten" / "schuldaten.csv"
    out = parse(tmp_path, SCHOOLS, path)
    rows = pq.ParquetFile(out.file_of("school")).read().to_pylist()
    counted = Counter(
        line.split('";"')[17] for line in path.read_text(encoding="utf-8").splitlines() if line.startswith('"')
    )
    expected = {ags: schools for ags, schools in counted.items() if region().holds(ags)}
    assert sum(expected.values()) == 542
    assert len(expected) == 66
    assert Counter(row["ags"] for row in rows) == expected
    assert all(row["longitude"] is not None for row in rows)
    assert out.drifted == []
