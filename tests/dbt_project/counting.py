"""Marts of counts built from staged readings alone, in batches, over a core that is built once."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import pytest
from dbt.adapters.duckdb.connections import DuckDBConnectionManager
from dbt.cli.main import dbtRunner

from connectors import tables
from publishing.contents import column_types, content_sha256
from tests.dbt_project.conftest import AS_OF, PROJECT, Staged, stage_core

# The views of the core read what is staged now.
STAGING = "stg_snapshot_in_force stg_snapshot_key stg_source_catalogue stg_source_coverage stg_located_point"
MARTS = "tag:mobility"
BATCHES = (
    "stg_count_site stg_count_channel stg_count_location int_channel_location stg_count_topology "
    "stg_count_correction stg_count_reading_snapshot int_site_batch"
)
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


def _dbt(candidate: Path, staged: Path, selected: str, former: Path | None, models: str, **variables: Any) -> None:
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


def _core(folder: Path) -> Path:
    """What the domain needs of the core's marts."""
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


def builder(folders: pytest.TempPathFactory) -> Build:
    """How to build the domain from staged readings, over copies of one core."""
    core = _core(folders.mktemp("core"))

    def build(
        staged: Staged, former: Warehouse | None = None, models: str = "m1", selected: str = MARTS, **variables: Any
    ) -> Warehouse:
        candidate = folders.mktemp("run") / "candidate.duckdb"
        shutil.copy(core, candidate)
        former_file = former.file if former else None
        _dbt(candidate, staged.root, f"{STAGING} {selected}", former_file, models, **variables)
        return Warehouse(candidate)

    return build
