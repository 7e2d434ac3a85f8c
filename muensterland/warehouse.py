"""Run dbt in process: one domain after the other into one candidate file."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable
from pathlib import Path

from muensterland.settings import REPOSITORY

PROJECT = REPOSITORY / "dbt_project"
# In a run's folder: the warehouse of the release that was current when the run began, as a link to its file.
FORMER = "former.duckdb"


class BuildFailed(RuntimeError):
    """A model or a test failed in `dbt build`; nothing is promoted."""


def build_domain(run: Path, domain: str, as_of: str, logs: Path) -> dict[str, int]:
    """Build, test and document the models tagged `domain` into `<run>/candidate.duckdb`; rows per mart.

    Reads `<run>/staged` and, where it is there, `<run>/former.duckdb`: what did not change is taken over from it, so
    that the marts are the same with it and without. Leaves dbt's artefacts in `<run>/target`. Raises BuildFailed naming
    what failed.
    """
    from dbt.adapters.duckdb.connections import DuckDBConnectionManager
    from dbt.cli.main import dbtRunner

    os.environ.update(
        REGION_STAGED=str(run / "staged"),
        REGION_CANDIDATE=str(run / "candidate.duckdb"),
        REGION_FORMER=str(run / FORMER) if (run / FORMER).exists() else "",
        REGION_MODELS=models_key(PROJECT),
        DBT_SEND_ANONYMOUS_USAGE_STATS="false",
    )
    arguments = ["build", "--select", f"tag:{domain}", "--exclude-resource-type", "unit_test"]
    arguments += ["--project-dir", str(PROJECT), "--profiles-dir", str(PROJECT)]
    arguments += ["--target-path", str(run / "target"), "--log-path", str(logs)]
    arguments += ["--vars", json.dumps({"as_of": as_of}), "--quiet", "--no-use-colors"]
    outcome = dbtRunner().invoke(arguments)
    # In process dbt would keep the candidate open for writing, and nobody could read it.
    close_candidate: Callable[[], None] = DuckDBConnectionManager.close_all_connections
    close_candidate()
    results = list(getattr(outcome.result, "results", []))
    failed = [result for result in results if result.status in ("error", "fail", "runtime error")]
    if not outcome.success:
        words = "; ".join(f"{result.node.name}: {result.message}" for result in failed) or str(outcome.exception)
        raise BuildFailed(f"dbt build {domain}: {words}; see {logs / 'dbt.log'}")
    return _rows(run / "candidate.duckdb", [r.node.name for r in results if r.node.resource_type == "model"])


def models_key(project: Path) -> str:
    """A hash over everything in a dbt project that decides what its models say, and the version of their engine."""
    import duckdb

    digest = hashlib.sha256(duckdb.__version__.encode())
    for path in sorted(project.rglob("*")):
        if path.suffix in (".sql", ".yml", ".csv"):
            digest.update(f"{path.relative_to(project)}\0{hashlib.sha256(path.read_bytes()).hexdigest()}\n".encode())
    return digest.hexdigest()


def _rows(candidate: Path, models: list[str]) -> dict[str, int]:
    import duckdb

    with duckdb.connect(str(candidate), read_only=True) as database:
        tables = database.sql("select table_name from duckdb_tables() where schema_name = 'marts'").fetchall()
        return {
            name: database.sql(f"select count(*) from marts.{name}").fetchall()[0][0]
            for (name,) in sorted(tables)
            if name in models
        }
