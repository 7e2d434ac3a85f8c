"""A release is as it was promoted, or what is not is named."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import duckdb
import pytest

from publishing.history import read_history
from publishing.record import Release
from publishing.release import Published, read_release
from publishing.verify import verify

Promote = Callable[..., Published]


def findings(release: Release) -> list[tuple[str, str, str | None]]:
    return [(one.place, one.file, one.mart) for one in verify(release, read_history(release.path.parent))]


@pytest.fixture
def release(promote: Promote, tmp_path: Path) -> Release:
    report = tmp_path / "gate.html"
    report.write_text("<html>")
    folder = tmp_path / "recipe"
    folder.mkdir()
    (folder / "recipe.json").write_text("{}")
    return promote(7, reports=[report, folder]).release


def test_an_untouched_release_has_no_findings(release: Release) -> None:
    assert findings(release) == []
    assert set(release.files) == {
        "muensterland.duckdb",
        "gate.html",
        "recipe/recipe.json",
        "parquet/dim_area.parquet",
        "parquet/fct_pair.parquet",
    }


def test_a_changed_value_names_the_mart(release: Release) -> None:
    with duckdb.connect(str(release.warehouse)) as connection:
        connection.execute("update marts.fct_pair set left_value = 8 where area_id = '05554'")
    assert findings(release) == [
        ("file", "muensterland.duckdb", None),
        ("duckdb", "muensterland.duckdb", "fct_pair"),
    ]


def test_a_missing_row_and_a_dropped_column_are_told(release: Release) -> None:
    with duckdb.connect(str(release.warehouse)) as connection:
        connection.execute("delete from marts.fct_pair where area_id = '05554'")
        connection.execute("alter table marts.dim_area drop column name_de")
    problems = {one.mart: one.problem for one in verify(release, []) if one.mart}
    assert problems["dim_area"] == "columns differ from the record: name_de"
    assert next(one.problem for one in verify(release, []) if one.mart == "fct_pair") == "expected 3 rows, found 2"


def test_parquet_of_another_content_names_the_mart(release: Release) -> None:
    target = release.parquet / "dim_area.parquet"
    with duckdb.connect() as connection:
        connection.execute(f"copy (select '05515' as area_id, 'Munster' as name_de) to '{target}' (format parquet)")
    assert findings(release) == [
        ("file", "parquet/dim_area.parquet", None),
        ("parquet", "parquet/dim_area.parquet", "dim_area"),
        ("parquet", "parquet/dim_area.parquet", "dim_area"),
    ]


@pytest.mark.parametrize("damage", ["missing", "cut", "garbage"])
def test_a_damaged_file_is_a_finding_and_no_crash(release: Release, damage: str) -> None:
    if damage == "missing":
        release.warehouse.unlink()
    else:
        content = release.warehouse.read_bytes()
        release.warehouse.write_bytes(content[:4000] if damage == "cut" else b"x" * len(content))
    (release.parquet / "fct_pair.parquet").write_bytes(b"PAR1")
    places = findings(release)
    assert ("file", "muensterland.duckdb", None) in places
    assert ("duckdb", "muensterland.duckdb", None) in places
    assert ("parquet", "parquet/fct_pair.parquet", "fct_pair") in places
    assert ("parquet", "parquet/dim_area.parquet", "dim_area") not in places
    if damage == "missing":
        assert not release.warehouse.exists()


def test_a_changed_report_and_a_stranger_are_told(release: Release) -> None:
    (release.path / "gate.html").write_text("<html>green")
    (release.path / "parquet" / "extra.parquet").write_text("x")
    assert findings(release) == [("file", "gate.html", None), ("file", "parquet/extra.parquet", None)]


def test_a_record_that_was_rewritten_to_fit_is_found_by_the_history(release: Release) -> None:
    record = release.path / "release.json"
    content = json.loads(record.read_text())
    content["code_version"] = "forged"
    record.write_text(json.dumps(content))
    found = verify(read_release(release.path), read_history(release.path.parent))
    assert [(one.place, one.file) for one in found] == [("record", "release.json"), ("duckdb", "muensterland.duckdb")]
    assert "it was changed" in found[0].problem
    assert "forged" in found[1].problem
