"""A small candidate and the manifest dbt would write beside it."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb
import pytest

from publishing.release import Published, publish

AS_OF = datetime(2025, 3, 31, 4, 0, tzinfo=UTC)
GREEN = {"passed": True, "counts": {"critical": {"checks": 3, "failed": 0}}}


def model(name: str, columns: dict[str, str], **meta: Any) -> dict[str, Any]:
    return {
        "resource_type": "model",
        "schema": "marts",
        "name": name,
        "alias": name,
        "description": f"What {name} is for.",
        "config": {"meta": {"version": "1.0.0", "title_de": f"Tafel {name}", "title_en": f"Table {name}", **meta}},
        "meta": {},
        "columns": {column: {"name": column, "description": text} for column, text in columns.items()},
    }


def write_manifest(path: Path, *models: dict[str, Any]) -> Path:
    staging = {**model("stg_pair", {"value": "not released"}), "schema": "staging"}
    nodes = {f"model.muensterland.{node['name']}": node for node in (*models, staging)}
    nodes["test.muensterland.t"] = {"resource_type": "test", "schema": "marts", "name": "t"}
    path.write_text(json.dumps({"nodes": nodes}), encoding="utf-8")
    return path


PAIR = model(
    "fct_pair",
    {"area_id": "The area's key.", "left_value": "It's one half.", "right_value": "The other.", "read_at": "Fetched."},
    primary_key=["area_id"],
    volatile_columns=["read_at"],
)
AREA = model("dim_area", {"area_id": "The area's key.", "name_de": "Its name."}, primary_key=["area_id"])


def write_candidate(path: Path, value: int, read_at: str = "2025-03-31 02:00:00+00") -> Path:
    path.unlink(missing_ok=True)
    with duckdb.connect(str(path)) as connection:
        connection.execute(f"""
            create schema marts;
            create schema staging;
            create table staging.stg_pair as select {value} as value;
            create table marts.fct_pair as
                select area_id, {value}::bigint as left_value, {value}::bigint as right_value,
                    timestamptz '{read_at}' as read_at
                from (values ('05570'), ('05515'), ('05554')) as areas (area_id);
            create table marts.dim_area as
                select * from (values ('05515', 'Münster'), ('05554', 'Kreis Borken')) as areas (area_id, name_de);
        """)
    return path


@pytest.fixture
def releases(tmp_path: Path) -> Path:
    return tmp_path / "releases"


@pytest.fixture
def manifest(tmp_path: Path) -> Path:
    return write_manifest(tmp_path / "manifest.json", PAIR, AREA)


@pytest.fixture
def promote(tmp_path: Path, releases: Path, manifest: Path) -> Callable[..., Published]:
    """Publish a candidate whose two values are both `value`."""

    def _promote(value: int, read_at: str = "2025-03-31 02:00:00+00", **changed: Any) -> Published:
        arguments: dict[str, Any] = {
            "candidate": write_candidate(tmp_path / "candidate.duckdb", value, read_at),
            "manifest": manifest,
            "releases": releases,
            "as_of": AS_OF,
            "input_key": f"key-{value}",
            "inputs": [
                {"source_id": "b", "partition": "", "snapshot_sha256": "22", "parse_key": "1-x"},
                {"source_id": "a", "partition": "2025-02", "snapshot_sha256": "11", "parse_key": "1-x"},
            ],
            "code_version": "abc123",
            "gate": GREEN,
            "synthetic": False,
        }
        return publish(**{**arguments, **changed})

    return _promote
