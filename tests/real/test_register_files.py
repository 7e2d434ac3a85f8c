from __future__ import annotations

import csv
import io
import json
import zipfile
from collections import Counter
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from connectors.connector import Connector, Snapshot
from connectors.formats.genesis_ffcsv import CONNECTOR as GENESIS
from connectors.formats.genesis_metadata import CONNECTOR as DESCRIPTION
from connectors.formats.oparl import CONNECTOR as OPARL
from connectors.formats.schools_nrw import CONNECTOR as SCHOOLS
from connectors.region import region
from connectors.staging import StagedWriter
from tests.conftest import SHARED

pytestmark = pytest.mark.real
SHA = "a" * 64
ANSWERS = sorted((SHARED / "real" / "registers").glob("*-ffcsv/*.zip"))
DESCRIPTIONS = sorted((SHARED / "real" / "registers").glob("*-ffcsv/*__metadata_table.json"))


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


MARKS = ("-", ".", "...", "x", "/", "")


def sums_of(lines: list[dict[str, str]]) -> dict[str | None, tuple[int, int, Decimal]]:
    """Per mark: lines, lines with a number, and the sum of these; a quality beside a number is its mark."""
    found: dict[str | None, tuple[int, int, Decimal]] = {}
    for line in lines:
        is_mark = line["value"] in MARKS
        quality = line.get("value_q") or "e"
        mark = line["value"] if is_mark else None if quality == "e" else quality
        number = Decimal(0) if is_mark else Decimal(line["value"].replace(",", "."))
        count, numbers, total = found.get(mark, (0, 0, Decimal(0)))
        found[mark] = (count + 1, numbers + (not is_mark), total + number)
    return found


@pytest.mark.parametrize("answer", ANSWERS, ids=lambda path: path.name)
def test_every_line_of_an_answer_is_staged_and_its_sums_are_those_of_the_file(tmp_path: Path, answer: Path) -> None:
    out = parse(tmp_path, GENESIS, answer, table_code=answer.name.split("_")[0], region_only=False)
    lines = flat_lines(answer)
    account = out.accounts["statistic_value"]
    assert account.read == account.staged == len(lines)
    assert out.drifted == []
    staged = pq.ParquetFile(out.file_of("statistic_value")).read().to_pylist()
    found: dict[str | None, tuple[int, int, Decimal]] = {}
    for row in staged:
        count, numbers, total = found.get(row["value_mark"], (0, 0, Decimal(0)))
        number = Decimal(0) if row["value"] is None else Decimal(repr(row["value"]))
        found[row["value_mark"]] = (count + 1, numbers + (row["value"] is not None), total + number)
    assert found == sums_of(lines)
    # Every period of the real tables is one whose days are known.
    assert all(row["period_start_date"] <= row["period_end_date"] for row in staged)
    places = [name[0] for name in lines[0] if name[1:] == "_variable_code"]
    variables = sum(bool(line[f"{place}_variable_code"]) for line in lines for place in places)
    # All but one of a line's variables classify it, the other names its area.
    assert sum(row["attribute_codes"].count("=") for row in staged) == variables - len(lines)


@pytest.mark.parametrize("table", ["1000A-0000", "12411-01-01-4"])
def test_an_english_answer_says_the_same_in_other_words(tmp_path: Path, real: Path, table: str) -> None:
    said = []
    for language in ("de", "en"):
        (answer, *_) = sorted((real / "registers").glob(f"*-ffcsv/{table}_*_{language}_flat.zip"))
        folder = tmp_path / language
        folder.mkdir()
        out = parse(folder, GENESIS, answer, table_code=table)
        rows = pq.ParquetFile(out.file_of("statistic_value")).read().to_pylist()
        codes = ("period", "area_code", "attribute_codes", "value", "value_mark", "value_variable_code")
        said.append(sorted(tuple(str(row[code]) for code in codes) for row in rows))
        assert out.drifted == []
    assert said[0] == said[1]


@pytest.mark.parametrize("described", DESCRIPTIONS, ids=lambda path: path.name)
def test_every_description_names_the_variables_of_its_table(tmp_path: Path, described: Path) -> None:
    table = described.name.split("__")[0]
    path = tmp_path / "table"
    path.write_bytes(described.read_bytes())
    with StagedWriter(tmp_path / "staged", "source", SHA, "1-x") as out:
        DESCRIPTION.parse(Snapshot("source", path, SHA, {"table": table}), out, region())
        out.close()
    (row,) = pq.ParquetFile(out.file_of("statistic_table")).read().to_pylist()
    assert (row["table_code"], out.drifted) == (table, [])
    answers = [answer for answer in ANSWERS if answer.name.startswith(f"{table}_")]
    assert answers
    told = {part.split("=")[0] for part in row["variables"].split(";")}
    for line in flat_lines(answers[0]):
        assert line["statistics_code"] == row["statistic_code"]
        assert line["value_variable_code"] in told
        # A table of Kreise also has lines of the levels above, which its description does not name.
        assert line["1_variable_code"] in told | {"DINSG", "DLAND", "REGBEZ"}


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


@pytest.mark.parametrize("kind", ["Meeting", "Paper"])
def test_the_specifications_own_objects_are_read(tmp_path: Path, real: Path, kind: str) -> None:
    told = json.loads((real / "registers" / "oparl-spec-examples" / f"{kind}-01.json").read_text(encoding="utf-8"))
    path = tmp_path / "list"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("00000-00001.json", json.dumps({"data": [told], "links": {}}))
    out = parse(tmp_path, OPARL, path, objects=kind.lower(), ags="05515000")
    (row,) = pq.ParquetFile(out.file_of(f"council_{kind.lower()}")).read().to_pylist()
    assert row[f"{kind.lower()}_id"] == told["id"]
    assert (out.drifted, row["is_deleted"]) == ([], False)
    if kind == "Meeting":
        assert (row["start_at"].isoformat(), row["agenda_items"]) == ("2013-01-04T07:00:00+00:00", 1)
    else:
        assert (str(row["paper_date"]), row["reference"]) == ("2014-04-04", "1234/2014")
