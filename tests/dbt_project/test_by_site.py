"""Counts by site: batches make what one table would, and what did not change comes from the former release, with the
same contents as if everything had been computed."""

from __future__ import annotations

import shutil
from datetime import timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import duckdb
import pytest

from connectors import tables
from muensterland.warehouse import models_key
from tests.dbt_project.conftest import Staged, at, stage_core
from tests.dbt_project.counting import BATCHES, Build, Warehouse, add_in_force, builder

# Ids are publishers' texts, and end up in SQL. Nobody has listed `long gone`, whose readings are of another year.
SITES = ("n1", "o'n2", "s3", "long gone")
FIRST = {site: at("2026-11-10T00:00:00") for site in SITES} | {"long gone": at("2024-05-06T00:00:00")}
DAYS = 3
BERLIN = ZoneInfo("Europe/Berlin")


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


@pytest.fixture(scope="module")
def build(tmp_path_factory: pytest.TempPathFactory) -> Build:
    return builder(tmp_path_factory)


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
