"""Counts by site: batches make what one table would, and what did not change comes from the former release, with the
same contents as if everything had been computed."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import duckdb
import pytest
from dbt.adapters.duckdb.connections import DuckDBConnectionManager
from dbt.cli.main import dbtRunner

from connectors import tables
from muensterland.warehouse import models_key
from publishing.contents import column_types, content_sha256
from tests.dbt_project.conftest import PROJECT, Staged, at, stage_core

AS_OF = "2026-11-22T12:00:00+00:00"
# Ids are publishers' texts, and end up in SQL. Nobody has listed `long gone`, whose readings are of another year.
SITES = ("n1", "o'n2", "s3", "long gone")
FIRST = {site: at("2026-11-10T00:00:00") for site in SITES} | {"long gone": at("2024-05-06T00:00:00")}
DAYS = 3
BERLIN = ZoneInfo("Europe/Berlin")
# The views of the core read what is staged now.
STAGING = "stg_snapshot_in_force stg_snapshot_key stg_source_catalogue stg_source_coverage stg_located_point"
MARTS = "tag:mobility"
BATCHES = "stg_count_site stg_count_topology stg_count_correction stg_count_reading_snapshot int_site_batch"
# Of the domain, what nothing told by counting site is joined with.
OTHERS = ("*car_park", "mart_air_quality_day", "*accident*")


@dataclass(frozen=True)
class Warehouse:
    """A candidate that dbt made."""

    file: Path

    def contents(self) -> dict[str, str]:
        """The content hash, as a release has it, of every mart that is told by site."""
        with duckdb.connect(self.file, read_only=True) as connection:
            connection.execute("set TimeZone = 'UTC'")
            tables = connection.execute(
                "select distinct schema_name || '.' || table_name from duckdb_columns() where column_name = 'site_id' "
                "and schema_name = 'marts' order by all"
            ).fetchall()
            return {
                name: content_sha256(connection, name, list(column_types(connection, name)), ["inputs_key"])
                for (name,) in tables
            }

    def computed(self) -> set[str]:
        """The sites that were computed, not taken over."""
        return {
            site for (site,) in self.query("select site_id from intermediate.int_site_batch where batch_number >= 0")
        }

    def query(self, sql: str) -> list[tuple[Any, ...]]:
        with duckdb.connect(self.file, read_only=True) as connection:
            return connection.execute(sql).fetchall()


Build = Callable[..., Warehouse]


def dbt(candidate: Path, staged: Path, selected: str, former: Path | None, models: str, **variables: Any) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("REGION_CANDIDATE", str(candidate))
        patch.setenv("REGION_STAGED", str(staged))
        patch.setenv("REGION_FORMER", str(former or ""))
        patch.setenv("REGION_MODELS", models)
        result = dbtRunner().invoke(
            [
                *("build", "--quiet", "--select", selected, "--vars", json.dumps({"as_of": AS_OF, **variables})),
                *("--exclude", *OTHERS, "--exclude-resource-type", "test", "unit_test"),
                *("--project-dir", str(PROJECT), "--profiles-dir", str(PROJECT)),
                *("--target-path", str(candidate.parent / "target"), "--log-path", str(candidate.parent / "logs")),
            ]
        )
    DuckDBConnectionManager.close_all_connections()  # type: ignore[no-untyped-call]
    assert result.success, [f"{one.node.name}: {one.message}" for one in result.result or [] if one.message != "OK"]


def readings(site: str, count: int = 10) -> list[dict[str, Any]]:
    """Three days of a site with one channel, its own curve and a blank quarter."""
    return [
        {
            "site_id": site,
            "channel_id": f"{site}-sum",
            "channel_label": site,
            "channel_role": "sum",
            "mode": "bicycle",
            "direction": "both",
            "interval_start_local": (FIRST[site] + number * timedelta(minutes=15))
            .astimezone(BERLIN)
            .replace(tzinfo=None),
            "interval_start_at": FIRST[site] + number * timedelta(minutes=15),
            "interval_minutes": 15,
            "count": None if number == 40 else count + number % 7 + len(site),
        }
        for number in range(96 * DAYS)
    ]


def stage(folder: Path, **counts: int) -> Staged:
    """Every site in a snapshot of its own; those named by `counts` with other values in another snapshot."""
    staged = Staged(folder)
    stage_core(staged)
    staged.write(
        tables.COUNT_SITE, "counters", [{"site_id": site, "site_name": site} for site in SITES[:3]], snapshot="list"
    )
    in_force = [("counters", "sites", "list")]
    for site in SITES:
        count = counts.get(site.replace(" ", "_").replace("'", ""), 10)
        snapshot = f"{site} {count}".replace("'", "")
        staged.write(tables.COUNT_READING, "counters", readings(site, count), snapshot=snapshot)
        in_force.append(("counters", f"readings/station={site}", snapshot))
    add_in_force(staged, in_force)
    return staged


def add_in_force(staged: Staged, rows: list[tuple[str, str, str]]) -> None:
    names = ("source_id", "partition", "snapshot_sha256")
    state = [{**dict(zip(names, row, strict=True)), "parse_key": "p1"} for row in rows]
    with duckdb.connect() as connection:
        place = staged.root / "snapshot_in_force" / "state.parquet"
        core = connection.execute(
            "select source_id, partition, snapshot_sha256, parse_key from read_parquet(?)", [str(place)]
        )
        former = [dict(zip((*names, "parse_key"), row, strict=True)) for row in core.fetchall() if row[0] != "counters"]
    staged.state(tables.SNAPSHOT_IN_FORCE, [*former, *state])


@pytest.fixture(scope="module")
def core(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the domain needs of the core's marts, built once."""
    folder = tmp_path_factory.mktemp("core")
    staged = Staged(folder / "staged")
    stage_core(staged)
    candidate = folder / "candidate.duckdb"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("REGION_CANDIDATE", str(candidate))
        patch.setenv("REGION_STAGED", str(staged.root))
        patch.setenv("REGION_FORMER", "")
        result = dbtRunner().invoke(
            [
                *("build", "--quiet", "--select", "tag:core", "--vars", json.dumps({"as_of": AS_OF})),
                *("--exclude-resource-type", "test", "unit_test"),
                *("--project-dir", str(PROJECT), "--profiles-dir", str(PROJECT)),
                *("--target-path", str(folder / "target"), "--log-path", str(folder / "logs")),
            ]
        )
    DuckDBConnectionManager.close_all_connections()  # type: ignore[no-untyped-call]
    assert result.success
    return candidate


@pytest.fixture(scope="module")
def build(core: Path, tmp_path_factory: pytest.TempPathFactory) -> Build:
    """Build the domain from staged readings, over a copy of the core."""

    def made(
        staged: Staged, former: Warehouse | None = None, models: str = "m1", selected: str = MARTS, **variables: Any
    ) -> Warehouse:
        candidate = tmp_path_factory.mktemp("run") / "candidate.duckdb"
        shutil.copy(core, candidate)
        former_file = former.file if former else None
        dbt(candidate, staged.root, f"{STAGING} {selected}", former_file, models, **variables)
        return Warehouse(candidate)

    return made


@pytest.fixture(scope="module")
def first(build: Build, tmp_path_factory: pytest.TempPathFactory) -> Warehouse:
    return build(stage(tmp_path_factory.mktemp("first")))


@pytest.fixture(scope="module")
def corrected(tmp_path_factory: pytest.TempPathFactory) -> Staged:
    """A site's file came again with other values."""
    return stage(tmp_path_factory.mktemp("corrected"), on2=25)


@pytest.fixture(scope="module")
def alone(build: Build, corrected: Staged) -> Warehouse:
    """The marts of the corrected readings without a former release, in batches of two sites of 288 readings each."""
    return build(corrected, readings_per_batch=2 * 288)


def test_without_a_former_release_every_site_is_computed(first: Warehouse) -> None:
    assert first.computed() == {*SITES}
    hours = dict(
        first.query("select site_id, count(count) from marts.fct_count_hour where direction = 'both' group by all")
    )
    assert hours == dict.fromkeys(SITES, 24 * DAYS)


def test_only_the_corrected_site_is_computed_and_the_marts_are_those_of_batches_without_a_former_release(
    first: Warehouse, corrected: Staged, alone: Warehouse, build: Build
) -> None:
    after = build(corrected, first)
    assert after.computed() == {"o'n2"}
    # What is intermediate knows the others no more.
    assert after.query("select distinct site_id from intermediate.int_channel_hour") == [("o'n2",)]
    assert alone.query("select count(distinct batch_number) from intermediate.int_site_batch") == [(3,)]
    assert after.contents() == alone.contents()
    changed = {name for name, content in after.contents().items() if content != first.contents()[name]}
    assert {"marts.fct_count_hour", "marts.mart_traffic_day"} <= changed
    comments = "select table_name, column_name, comment from duckdb_columns() where schema_name = 'marts' order by all"
    assert after.query(comments) == alone.query(comments)


@pytest.mark.parametrize(
    "change", [{"models": "m2"}, {"traffic_min_complete_share": 0.01}], ids=["another model", "another variable"]
)
def test_other_code_computes_everything_again(
    change: dict[str, Any], first: Warehouse, corrected: Staged, build: Build
) -> None:
    assert build(corrected, first, selected=BATCHES, **change).computed() == {*SITES}


def test_another_day_leaves_alone_what_the_clock_does_not_reach(first: Warehouse, build: Build, tmp_path: Path) -> None:
    staged = stage(tmp_path)
    tomorrow = {"as_of": "2026-11-23T12:00:00+00:00"}
    after = build(staged, first, **tomorrow)
    assert after.computed() == {"n1", "o'n2", "s3"}
    assert after.contents() == build(staged, **tomorrow).contents()


def test_a_former_release_that_knew_no_keys_is_not_used(
    first: Warehouse, corrected: Staged, build: Build, tmp_path: Path
) -> None:
    older = tmp_path / "older.duckdb"
    shutil.copy(first.file, older)
    with duckdb.connect(older) as connection:
        connection.execute("alter table marts.dim_counting_site drop column inputs_key")
    assert build(corrected, Warehouse(older), selected=BATCHES).computed() == {*SITES}


def test_the_key_of_the_models_knows_every_file_of_the_project(tmp_path: Path) -> None:
    project = tmp_path / "project"
    (project / "models").mkdir(parents=True)
    model = project / "models" / "int_a.sql"
    model.write_text("select 1 as a", encoding="utf-8")
    before = models_key(project)
    assert models_key(project) == before
    model.write_text("select 2 as a", encoding="utf-8")
    changed = models_key(project)
    assert changed != before
    model.rename(model.with_name("int_b.sql"))
    assert models_key(project) not in (before, changed)
