"""Airflow's environment: secrets of a home's own, a database by one setting, lineage only when asked for."""

from __future__ import annotations

import json
import os
import stat
from pathlib import Path

import pytest

from muensterland import airflow_home
from muensterland.settings import Home


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Home:
    for name in [name for name in os.environ if name.startswith("AIRFLOW")]:
        monkeypatch.delenv(name)
    for name in ("METADATA_DATABASE", "OPENLINEAGE_FILE", "PYTHONPATH", "SCARF_ANALYTICS", "DO_NOT_TRACK"):
        # Set first, so that what the code sets is undone at the end.
        monkeypatch.setenv(name, "")
        monkeypatch.delenv(name)
    # Everything that the code sets is undone at the end.
    monkeypatch.setattr(os, "environ", os.environ.copy())
    monkeypatch.setenv("REGION_HOME", str(tmp_path))
    monkeypatch.setenv("INPUT", "live")
    return Home(tmp_path)


def test_secrets_are_made_once_per_home_and_for_the_owner_alone(home: Home) -> None:
    airflow_home.configure_living(home, 8080)
    first = {name: os.environ[name] for name in os.environ if "SECRET" in name or "FERNET" in name}
    assert len(first) == 3
    assert all(len(secret) > 40 for secret in first.values())
    for name in first:
        del os.environ[name]
    airflow_home.configure_living(home, 8080)
    assert {name: os.environ[name] for name in first} == first
    folder = home.airflow / "secrets"
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert {stat.S_IMODE(place.stat().st_mode) for place in folder.iterdir()} == {0o600}


def test_a_password_is_made_once_unless_one_is_set(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    airflow_home.configure_living(home, 8080)
    made = json.loads(airflow_home.password_file(home).read_text())["admin"]
    assert len(made) >= 16
    airflow_home.configure_living(home, 8080)
    assert json.loads(airflow_home.password_file(home).read_text()) == {"admin": made}
    monkeypatch.setenv("AIRFLOW_PASSWORD", "selbst gewählt")
    airflow_home.configure_living(home, 8080)
    assert json.loads(airflow_home.password_file(home).read_text()) == {"admin": "selbst gewählt"}
    assert stat.S_IMODE(airflow_home.password_file(home).stat().st_mode) == 0o600


def test_everything_listens_on_loopback_and_few_tasks_run_at_once(home: Home) -> None:
    airflow_home.configure_living(home, 18_080)
    assert os.environ["AIRFLOW__API__HOST"] == "127.0.0.1"
    assert os.environ["AIRFLOW__CORE__EXECUTION_API_SERVER_URL"] == "http://127.0.0.1:18080/execution/"
    assert os.environ["AIRFLOW__CORE__EXECUTOR"] == "LocalExecutor"
    assert int(os.environ["AIRFLOW__CORE__PARALLELISM"]) <= 4
    assert "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_ALL_ADMINS" not in os.environ


def test_the_metadata_database_is_one_setting(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    address = "postgresql+psycopg2://airflow:geheim@127.0.0.1/airflow"
    monkeypatch.setenv("METADATA_DATABASE", address)
    airflow_home.configure(home)
    assert os.environ["AIRFLOW__DATABASE__SQL_ALCHEMY_CONN"] == address


def test_without_it_the_database_is_a_file_of_the_home(home: Home) -> None:
    airflow_home.configure(home)
    assert os.environ["AIRFLOW__DATABASE__SQL_ALCHEMY_CONN"] == f"sqlite:///{home.airflow}/airflow.db"


def test_what_is_set_already_stays(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIRFLOW__CORE__PARALLELISM", "16")
    monkeypatch.setenv("AIRFLOW__DATABASE__SQL_ALCHEMY_CONN", "sqlite:////elsewhere.db")
    airflow_home.configure_living(home, 8080)
    assert os.environ["AIRFLOW__CORE__PARALLELISM"] == "16"
    assert os.environ["AIRFLOW__DATABASE__SQL_ALCHEMY_CONN"] == "sqlite:////elsewhere.db"


def test_lineage_is_off_unless_a_file_is_named(home: Home) -> None:
    airflow_home.configure(home)
    assert os.environ["AIRFLOW__OPENLINEAGE__DISABLED"] == "True"
    assert "AIRFLOW__OPENLINEAGE__TRANSPORT" not in os.environ


def test_lineage_goes_to_the_file_and_holds_no_source_code(
    home: Home, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("OPENLINEAGE_FILE", str(tmp_path / "lineage" / "events.jsonl"))
    airflow_home.configure(home)
    assert json.loads(os.environ["AIRFLOW__OPENLINEAGE__TRANSPORT"]) == {
        "type": "file",
        "log_file_path": str(tmp_path / "lineage" / "events.jsonl"),
        "append": True,
    }
    assert os.environ["AIRFLOW__OPENLINEAGE__DISABLED"] == "False"
    # Airflow's transport makes no folder.
    assert (tmp_path / "lineage").is_dir()


def test_there_is_a_pool_per_host_and_one_for_the_warehouse(home: Home) -> None:
    found = airflow_home.pools()
    assert found[-1] == "warehouse"
    assert {"download_gtfs_de", "www_schulministerium_nrw_de", "raw_githubusercontent_com"} <= set(found)
    assert len(found) == len(set(found))
