"""What is old goes, what is young or data stays."""

from __future__ import annotations

import os
import subprocess
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from muensterland import maintenance

DAY_S = 86_400


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name, value in {"REGION_HOME": str(tmp_path), "INPUT": "sample", "LOG_RETENTION_DAYS": "30"}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("METADATA_DATABASE", raising=False)
    return tmp_path


def put(place: Path, days_ago: float) -> Path:
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_text("words")
    then = time.time() - days_ago * DAY_S
    os.utime(place, (then, then))
    for folder in list(place.parents)[:2]:
        os.utime(folder, (then, then))
    return place


def test_old_task_logs_go_and_empty_folders_with_them(home: Path) -> None:
    old = put(home / "logs/airflow/dag_id=a/run_id=1/attempt=1.log", 31)
    young = put(home / "logs/airflow/dag_id=a/run_id=2/attempt=1.log", 29)
    assert maintenance.remove_old_logs() == {"files": 1, "bytes": 5}
    assert not old.parent.exists()
    assert young.exists()


def test_data_is_never_touched(home: Path) -> None:
    data = [put(home / folder / "x" / "y.parquet", 4_000) for folder in ("landing", "staged", "releases", "status")]
    maintenance.remove_old_logs()
    maintenance.trim_work()
    assert all(place.exists() for place in data)


def test_old_work_goes_but_not_what_is_being_written(home: Path) -> None:
    put(home / "work/aaaa/candidate.duckdb", 31)
    put(home / "work/bbbb/staged/rows.parquet", 31)
    put(home / "work/bbbb/candidate.duckdb", 0)
    assert maintenance.trim_work() == ["aaaa"]
    assert sorted(path.name for path in (home / "work").iterdir()) == ["bbbb"]


def test_a_process_log_that_has_grown_is_cut_to_its_end_while_it_is_written(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(maintenance, "PROCESS_LOG_LIMIT", 100)
    monkeypatch.setattr(maintenance, "PROCESS_LOG_KEPT", 10)
    put(home / "logs/up/triggerer.log", 0)
    with (home / "logs/up/scheduler.log").open("a") as log:
        log.write("x" * 100 + "0123456789")
        log.flush()
        assert maintenance.trim_process_logs() == ["scheduler.log"]
        log.write("goes on")
    assert (home / "logs/up/scheduler.log").read_text() == "goes on"
    assert (home / "logs/up/scheduler.log.1").read_text() == "0123456789"
    assert (home / "logs/up/triggerer.log").read_text() == "words"


def test_a_home_without_logs_and_work_is_fine() -> None:
    assert maintenance.remove_old_logs() == {"files": 0, "bytes": 0}
    assert maintenance.trim_work() == []


def test_another_installations_database_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(subprocess, "run", lambda *args, **kwargs: pytest.fail("nothing may be run"))
    assert "not this home's" in maintenance.clean_metadata(datetime(2026, 11, 23, tzinfo=UTC))


def test_this_homes_database_is_cleaned_of_what_is_older(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put(home / "airflow/airflow.db", 0)
    # In a task Airflow hides the address.
    monkeypatch.setenv("AIRFLOW__DATABASE__SQL_ALCHEMY_CONN", "airflow-db-not-allowed:///")
    calls: list[tuple[list[str], dict[str, str]]] = []

    def run(command: list[str], *, env: dict[str, str], **_: Any) -> None:
        calls.append((command, env))

    monkeypatch.setattr(subprocess, "run", run)
    maintenance.clean_metadata(datetime(2026, 11, 23, 3, tzinfo=UTC))
    [(command, environment)] = calls
    assert command[2:6] == ["airflow", "db", "clean", "--yes"]
    assert command[-1] == "2026-10-24T03:00:00+00:00"
    assert environment["AIRFLOW__DATABASE__SQL_ALCHEMY_CONN"] == f"sqlite:///{home}/airflow/airflow.db"
