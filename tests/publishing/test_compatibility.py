"""Which changes of a mart need which version."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import pytest

from publishing.compatibility import BreakingChange, compare_contracts
from publishing.manifest import ManifestIncomplete, read_withdrawn
from publishing.record import ReleasedColumn, ReleasedMart
from publishing.release import Published, current
from tests.publishing.conftest import AREA, PAIR, model, write_candidate, write_manifest


def mart(version: str = "1.2.3", key: tuple[str, ...] = ("id",), **types: str) -> ReleasedMart:
    columns = {"id": "VARCHAR", "count": "BIGINT", **types}
    return ReleasedMart(
        title_de="T",
        title_en="T",
        description="D",
        version=version,
        primary_key=key,
        volatile_columns=(),
        rows=1,
        content_sha256="x",
        columns=tuple(ReleasedColumn(name=name, type=kind, description="d") for name, kind in columns.items() if kind),
    )


def found(after: ReleasedMart, before: ReleasedMart | None = None) -> tuple[tuple[str, ...], tuple[str, ...]]:
    compared = compare_contracts({"m": before or mart()}, {"m": after}, {})
    return compared.breaking, compared.notices


def test_the_same_contract_breaks_nothing() -> None:
    assert found(mart()) == ((), ())
    assert found(mart("1.2.4")) == ((), ())


@pytest.mark.parametrize(
    ("after", "said"),
    [
        (mart(count=""), "column count is gone, but version 1.2.3"),
        (mart("1.3.0", count="", total="BIGINT"), r"column count is gone \(renamed to total\?\), but version 1.3.0"),
        (mart(count="INTEGER"), "column count was BIGINT, is INTEGER"),
        (mart("1.9.9", key=("id", "count")), r"the primary key was \(id\), is \(id, count\)"),
        (mart("1.2.2"), "version 1.2.2 goes back behind 1.2.3"),
        (mart("0.9.0", count=""), "version 0.9.0 goes back behind 1.2.3"),
    ],
)
def test_a_breaking_change_without_a_new_major_names_mart_versions_and_way_out(after: ReleasedMart, said: str) -> None:
    (breaking,), _ = found(after)
    assert breaking.startswith("m: ")
    with pytest.raises(AssertionError, match=said):
        raise AssertionError(breaking)


def test_a_new_major_may_break_everything() -> None:
    assert found(mart("2.0.0", key=("other",), count="", other="DATE")) == ((), ())


def test_every_change_is_told_and_a_tenth_minor_is_newer_than_the_ninth() -> None:
    breaking, _ = found(mart("1.10.0", key=("count",), id="BLOB"), mart("1.9.0"))
    assert ["primary key" in one or "column id" in one for one in breaking] == [True, True]


def test_a_new_column_wants_a_new_minor_and_stops_nothing() -> None:
    assert found(mart("1.3.0", extra="DATE")) == ((), ())
    breaking, (notice,) = found(mart("1.2.4", extra="DATE"))
    assert breaking == ()
    assert "new column extra, version 1.2.3 -> 1.2.4" in notice
    assert "1.3.0" in notice


@pytest.mark.parametrize(("withdrawn", "stops"), [({}, True), ({"m": "1.9.0"}, True), ({"m": "2.0.0"}, False)])
def test_a_mart_goes_only_with_a_new_major(withdrawn: dict[str, str], stops: bool) -> None:
    compared = compare_contracts({"m": mart()}, {}, withdrawn)
    assert bool(compared.breaking) is stops
    if stops:
        assert "`enabled: false` and `version: 2.0.0`" in compared.breaking[0]


def test_a_new_mart_breaks_nothing() -> None:
    assert compare_contracts({}, {"m": mart()}, {}) == compare_contracts({}, {}, {})


# -- at publishing ---------------------------------------------------------------------------------------------------

Promote = Callable[..., Published]


def versioned(node: dict[str, Any], version: str) -> dict[str, Any]:
    return {**node, "config": {"meta": {**node["config"]["meta"], "version": version}}}


def candidate_without_name(path: Path) -> Path:
    with duckdb.connect(str(path)) as connection:
        connection.execute("alter table marts.dim_area drop column name_de")
        connection.execute("alter table marts.dim_area add column name varchar default 'x'")
    return path


def test_a_breaking_candidate_leaves_the_release_and_a_new_major_lets_it(
    promote: Promote, releases: Path, tmp_path: Path
) -> None:
    promote(1)
    renamed = model("dim_area", {"area_id": "Key.", "name": "Name."}, primary_key=["area_id"])
    candidate = candidate_without_name(write_candidate(tmp_path / "renamed.duckdb", 2))
    with pytest.raises(BreakingChange, match=r"release 2025\.03\.31\.1.*dim_area: column name_de is gone \(renamed to"):
        promote(2, candidate=candidate, manifest=write_manifest(tmp_path / "m.json", PAIR, renamed))
    assert current(releases) is not None
    assert sorted(path.name for path in releases.glob("2025*")) == ["2025.03.31.1"]
    major = write_manifest(tmp_path / "m.json", PAIR, versioned(renamed, "2.0.0"))
    assert promote(2, candidate=candidate, manifest=major).promoted


def test_a_withdrawn_mart_says_so_in_the_manifest(promote: Promote, tmp_path: Path) -> None:
    promote(1)
    candidate = write_candidate(tmp_path / "fewer.duckdb", 2)
    with duckdb.connect(str(candidate)) as connection:
        connection.execute("drop table marts.dim_area")
    manifest = write_manifest(tmp_path / "m.json", PAIR)
    with pytest.raises(BreakingChange, match=r"dim_area: the mart \(version 1\.0\.0\) is gone without being withdrawn"):
        promote(2, candidate=candidate, manifest=manifest)
    content = json.loads(manifest.read_text())
    content["disabled"] = {"model.muensterland.dim_area": [versioned(AREA, "2.0.0")]}
    manifest.write_text(json.dumps(content))
    assert promote(2, candidate=candidate, manifest=manifest).promoted


def test_a_new_column_is_promoted_and_told(promote: Promote, tmp_path: Path) -> None:
    promote(1)
    candidate = write_candidate(tmp_path / "wider.duckdb", 2)
    with duckdb.connect(str(candidate)) as connection:
        connection.execute("alter table marts.dim_area add column level varchar default 'kreis'")
    wider = {**AREA, "columns": {**AREA["columns"], "level": {"name": "level", "description": "Level."}}}
    published = promote(2, candidate=candidate, manifest=write_manifest(tmp_path / "m.json", PAIR, wider))
    assert published.promoted
    assert "dim_area: new column level" in published.notices[0]


def test_a_withdrawn_mart_needs_a_version(tmp_path: Path) -> None:
    manifest = tmp_path / "m.json"
    nameless = model("dim_area", {}, primary_key=["area_id"], version="two")
    manifest.write_text(json.dumps({"nodes": {}, "disabled": {"model.m.dim_area": [nameless]}}))
    with pytest.raises(ManifestIncomplete, match="withdrawn mart dim_area: version"):
        read_withdrawn(manifest)
