"""What Airflow reports becomes one message; how a source is, is told by what its run left behind."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from connectors.catalogue import load_source
from muensterland import callbacks
from muensterland.drift import newest_breaches, newest_drift
from muensterland.settings import REPOSITORY, Settings
from muensterland.steps import GateIsRed
from tests.connectors.conftest import source_of
from tests.muensterland.webhook import Posted, webhook


@pytest.fixture
def posted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Posted]]:
    """What a webhook was told; it is set up by an Airflow connection in the environment."""
    with webhook() as (hook, found):
        for name in ("ALERT_SMTP", "ALERT_WEBHOOK", "ALERT_MAIL_TO"):
            monkeypatch.delenv(name, raising=False)
        monkeypatch.setenv("REGION_HOME", str(tmp_path))
        monkeypatch.setenv("INPUT", "sample")
        connection = {"conn_type": "http", "host": hook}
        monkeypatch.setenv("AIRFLOW_CONN_MUENSTERLAND_WEBHOOK", json.dumps(connection))
        # Mail is looked for as well; an empty connection is none.
        monkeypatch.setenv("AIRFLOW_CONN_MUENSTERLAND_SMTP", json.dumps({"conn_type": "smtp"}))
        yield found


def told(posted: list[Posted]) -> list[tuple[str, str, str]]:
    return [(request.body["kind"], request.body["subject"], request.body["state"]) for request in posted]


def leave_status(source_id: str, **parts: Any) -> None:
    place = Settings().home.status / f"{source_id}.json"
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_text(json.dumps(parts))


def failed_task(error: BaseException | None) -> dict[str, Any]:
    return {"ti": SimpleNamespace(dag_id="region_release", task_id="gate"), "exception": error}


def test_a_red_gate_is_told_as_such_and_its_end_too(posted: list[Posted]) -> None:
    callbacks.task_failed(failed_task(GateIsRed("RED: failed 3 of 192 critical")))
    callbacks.task_failed(failed_task(GateIsRed("RED: failed 2 of 192 critical")))
    callbacks.task_succeeded(failed_task(None))
    assert told(posted) == [("trouble", "dag region_release", "red"), ("recovery", "dag region_release", "ok")]
    assert posted[0].body["detail"] == "gate: GateIsRed: RED: failed 3 of 192 critical"


def test_a_task_that_was_killed_is_told_too(posted: list[Posted]) -> None:
    callbacks.task_failed(failed_task(None))
    assert told(posted) == [("trouble", "dag region_release", "broken")]
    assert posted[0].body["detail"] == "gate: ended without a word"


def test_a_missed_deadline_names_the_run_and_the_time(posted: list[Posted]) -> None:
    context = {
        "dag_run": {"dag_id": "ingest_energy", "dag_run_id": "scheduled__1", "state": "running"},
        "deadline": {"id": "1", "deadline_time": "2026-11-23T09:00:00+00:00"},
    }
    asyncio.run(callbacks.deadline_missed(context))
    assert told(posted) == [("trouble", "dag ingest_energy", "late")]
    assert "scheduled__1 was to be done by 2026-11-23T09:00:00+00:00" in posted[0].body["detail"]


def test_the_end_of_an_ingestion_tells_of_its_sources_and_that_the_dag_is_done(posted: list[Posted]) -> None:
    callbacks.task_failed({"ti": SimpleNamespace(dag_id="ingest_registers", task_id="clock"), "exception": None})
    leave_status("nrw-schools", fetch={"error": "FetchFailed: HTTP 503", "errors": []}, parse={})
    callbacks.sources_settled("ingest_registers", {"nrw-schools": "failed", "zensus-2022": "new"})
    callbacks.sources_settled("ingest_registers", {"nrw-schools": "new", "zensus-2022": "unchanged"})
    assert told(posted) == [
        ("trouble", "dag ingest_registers", "broken"),
        ("recovery", "dag ingest_registers", "ok"),
        ("trouble", "source nrw-schools", "failed"),
        ("recovery", "source nrw-schools", "ok"),
    ]
    assert posted[2].body["detail"] == "FetchFailed: HTTP 503"


def test_the_environment_goes_before_a_connection(posted: list[Posted], monkeypatch: pytest.MonkeyPatch) -> None:
    with webhook() as (hook, elsewhere):
        monkeypatch.setenv("ALERT_WEBHOOK", hook)
        callbacks.task_failed(failed_task(None))
    assert len(elsewhere) == 1
    assert posted == []


# -- drift -------------------------------------------------------------------------------------------------------------


def stage_drift(staged: Path, partition: str, column: str | None, table: str = "count_reading") -> dict[str, str]:
    """A snapshot in force with (or without) a column that drifted, as parsing leaves it."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    from connectors.staging import staged_file

    sha256 = f"{abs(hash(partition)):064x}"[:64]
    if column:
        place = staged_file(staged, "column_drift", "town", sha256, "key")
        place.parent.mkdir(parents=True, exist_ok=True)
        pq.write_table(pa.table({"table_name": [table], "column_name": [column], "change": ["new"]}), place)
    return {"partition": partition, "snapshot_sha256": sha256, "parse_key": "key", "fetched_at": "2026-11-25"}


def test_of_months_only_the_newest_ones_drift_counts(tmp_path: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    town = source_of(
        {
            "sites": {"connector": "eco_counter_sites", "url": "https://town.example/sites.json"},
            "readings": {
                "connector": "count_table",
                "options": {"layout": "eco_counter_monthly"},
                "url": "https://town.example/{station}/{month}.csv",
                "partitions": {"station": ["a", "b"], "month": {"first": "2024-01"}},
            },
        }
    )
    rows = [
        stage_drift(tmp_path, "readings/station=a/month=2024-01", "gone by now"),
        stage_drift(tmp_path, "readings/station=a/month=2024-02", None),
        stage_drift(tmp_path, "readings/station=b/month=2024-01", "still there"),
        stage_drift(tmp_path, "sites", "height", table="count_site"),
    ]
    place = tmp_path / "snapshot_in_force" / "town.parquet"
    place.parent.mkdir()
    pq.write_table(pa.Table.from_pylist(rows), place)
    assert newest_drift(town, tmp_path) == ["count_reading: new column still there", "count_site: new column height"]


def test_a_source_that_never_came_does_not_drift(tmp_path: Path) -> None:
    assert newest_drift(load_source(REPOSITORY / "data/sources/nrw-schools.yml"), tmp_path) == []


def found_in_schools(home: Path, *findings: dict[str, str], columns: tuple[dict[str, str | None], ...] = ()) -> None:
    """The newest snapshot of the schools as parsing leaves it: what it drifted and what comparing it found."""
    import pyarrow as pa

    from connectors.staging import replace_parquet, staged_file
    from connectors.tables import COLUMN_DRIFT, SNAPSHOT_FINDING, SNAPSHOT_IN_FORCE

    staged = home / "staged"
    key = {"source_id": "nrw-schools", "partition": "schools", "snapshot_sha256": "aa"}
    found = [{**key, "former_sha256": "bb", "table_name": "school", **finding} for finding in findings]
    state = {SNAPSHOT_IN_FORCE: [{**key, "parse_key": "1", "fetched_at": None}], SNAPSHOT_FINDING: found}
    for table, rows in state.items():
        replace_parquet(staged / table.name / "nrw-schools.parquet", pa.Table.from_pylist(rows, schema=table.columns))
    place = staged_file(staged, COLUMN_DRIFT.name, "nrw-schools", "aa", "1")
    rows = [{"source_id": "nrw-schools", "snapshot_sha256": "aa", "parse_key": "1", **column} for column in columns]
    replace_parquet(place, pa.Table.from_pylist(rows, schema=COLUMN_DRIFT.schema))


RENAMED = {"table_name": "school", "column_name": "Kurzname", "change": "renamed", "former_name": "Kurzbezeichnung"}
SMALLER = {"code": "size_guard", "subject": "bytes", "example": "5 bytes, the former snapshot has 50"}
GONE = {"code": "column_missing", "subject": "Rechtsform", "example": "school.Rechtsform: was in the former snapshot"}


def test_a_drift_stands_whether_or_not_the_publisher_delivers_and_is_told_once(posted: list[Posted]) -> None:
    home = Settings().home.root
    found_in_schools(home, SMALLER, columns=(RENAMED,))
    for state in ("new", "stale", "unchanged"):
        callbacks.sources_settled("ingest_registers", {"nrw-schools": state})
    assert told(posted) == [
        ("trouble", "columns of nrw-schools", "drift"),
        ("trouble", "snapshot of nrw-schools", "unlike"),
        ("trouble", "source nrw-schools", "stale"),
        ("recovery", "source nrw-schools", "ok"),
    ]
    assert posted[0].body["detail"] == "school: renamed column Kurzbezeichnung -> Kurzname"
    assert posted[1].body["detail"] == "schools: size_guard: 5 bytes, the former snapshot has 50"
    found_in_schools(home)
    callbacks.sources_settled("ingest_registers", {"nrw-schools": "new"})
    assert told(posted)[4:] == [
        ("recovery", "columns of nrw-schools", "ok"),
        ("recovery", "snapshot of nrw-schools", "ok"),
    ]


def test_what_comparing_with_the_former_snapshot_found_is_drift_or_breach(posted: list[Posted]) -> None:
    home = Settings().home
    found_in_schools(home.root, SMALLER, GONE)
    schools = load_source(REPOSITORY / "data/sources/nrw-schools.yml")
    assert newest_drift(schools, home.staged) == [
        "school: column_missing Rechtsform (school.Rechtsform: was in the former snapshot)"
    ]
    assert newest_breaches(schools, home.staged) == ["schools: size_guard: 5 bytes, the former snapshot has 50"]
