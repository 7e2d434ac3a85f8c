"""What a release is made of is written down, and staged again from the landing alone."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from connectors.catalogue import Source
from connectors.ingredients import (
    Ingredient,
    LandingIncomplete,
    cut_fetch_log,
    fetch_log_rows,
    keep_verdicts,
    recipe_key,
    restage,
    restore_verdicts,
    snapshots_used,
)
from connectors.landing import Landing
from connectors.region import region
from connectors.staging import replace_parquet
from connectors.tables import PARSE_LOG, REJECTED_ROW
from connectors.view import freeze
from tests.connectors.conftest import AS_OF, Land, Letters
from tests.connectors.test_view import House, rows, source

LATER = AS_OF + timedelta(days=3)


@pytest.fixture
def house(letters: Letters, land: Land, tmp_path: Path) -> House:
    return House(tmp_path, land)


def made_of(view: Path, house: House) -> list[Ingredient]:
    return [
        Ingredient(used["source_id"], used["partition"], used["snapshot_sha256"], used["file_name"])
        for used in snapshots_used(view, house.landing)
    ]


def test_the_snapshots_name_their_files_and_where_they_came_from(house: House) -> None:
    town = source(1)
    house.parse(town, {0: b"a\n"})
    (used,) = snapshots_used(house.freeze(town), house.landing)
    assert (used["source_id"], used["partition"], used["fetched_at"]) == ("town", "file/line=0", AS_OF)
    assert Landing(house.landing, "town").file(used["snapshot_sha256"], used["file_name"]).read_bytes() == b"a\n"
    assert used["url"].startswith("https://")
    assert fetch_log_rows(house.freeze(town)) == {"town": 1}


def test_what_was_in_force_is_staged_again_whatever_came_later(house: House, tmp_path: Path) -> None:
    town = source(2)
    house.parse(town, {0: b"old\n", 1: b"other\n"})
    view = house.freeze(town)
    used, known = made_of(view, house), fetch_log_rows(view)
    house.parse(town, {0: b"new\n"}, LATER)
    landing, staged, again = tmp_path / "cut", tmp_path / "staged-again", tmp_path / "again"
    cut_fetch_log(house.landing, "town", known["town"], landing)
    restage(town, used, Landing(house.landing, "town"), staged, region())
    freeze(again, {"town": town}, region(), landing, staged, "live")
    for table in ("count_site", "record_account", "snapshot_in_force", "fetch_log", "rejected_row"):
        assert rows(again, table) == rows(view, table), table
    assert rows(again, "count_site", "site_id") == [("old",), ("other",)]


def test_bytes_that_are_gone_or_others_are_refused_by_name(house: House, tmp_path: Path) -> None:
    town = source(1)
    house.parse(town, {0: b"a\n"})
    used = made_of(house.freeze(town), house)
    landing = Landing(house.landing, "town")
    place = landing.file(used[0].snapshot_sha256, used[0].file_name)
    place.chmod(0o644)
    place.write_bytes(b"b\n")
    with pytest.raises(LandingIncomplete, match=rf"{place.name}: its content has sha256 .* it was changed"):
        restage(town, used, landing, tmp_path / "again", region())
    place.unlink()
    with pytest.raises(LandingIncomplete, match=rf"{place.name}: missing; restore it from a backup"):
        restage(town, used, landing, tmp_path / "again", region())


def test_a_log_that_lost_rows_is_refused(house: House, tmp_path: Path) -> None:
    house.parse(source(1), {0: b"a\n"})
    with pytest.raises(LandingIncomplete, match="town: the fetch log has 1 rows, the release was made of 2"):
        cut_fetch_log(house.landing, "town", 2, tmp_path / "cut")


def test_verdicts_and_evidence_come_back(house: House, tmp_path: Path) -> None:
    town = source(2)
    house.parse(town, {0: b"a\n", 1: b"b\n"})
    view = house.freeze(town)
    # Evidence of a snapshot that is not in force, as guards leave it in a view.
    key = {"source_id": "town", "snapshot_sha256": "ff", "parse_key": "1-x", "record_number": 1}
    row = {"table_name": "count_site", "column_name": "site_name", "raw_text": "?", "reason": "evidence"}
    rejected = pa.Table.from_pylist([key | row], schema=REJECTED_ROW.schema)
    replace_parquet(view / "rejected_row" / "more.parquet", rejected)
    kept = tmp_path / "kept"
    keep_verdicts(view, kept)
    (file,) = (kept / "evidence").iterdir()
    assert pq.ParquetFile(file).read().column("reason").to_pylist() == ["evidence"]
    staged = tmp_path / "again"
    restore_verdicts(kept, staged)
    log = pq.ParquetFile(staged / PARSE_LOG.name / "town.parquet").read()
    assert [(row["partition"], row["outcome"]) for row in log.to_pylist()] == [
        ("file/line=0", "staged"),
        ("file/line=1", "staged"),
    ]
    (place,) = (staged / "rejected_row").rglob("*.parquet")
    assert place.relative_to(staged).as_posix() == "rejected_row/source_id=town/snapshot_sha256=ff/1-x.parquet"


def test_the_key_is_blind_to_snapshots_and_sharp_for_code_and_catalogue(house: House) -> None:
    town = source(2)
    house.parse(town, {0: b"a\n", 1: b"b\n"})

    def key(code: str = "1", declared: Source = town) -> str:
        return recipe_key({"town": declared}, region(), code)

    first = key()
    house.parse(town, {0: b"new\n"}, LATER)
    assert key() == first
    assert key(code="2") != first
    assert key(declared=source(2, fresh_for_days=9)) != first
