"""One real `up` and `down`: healthy, on loopback only, with the pools and DAGs; a single run stays away meanwhile."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import psutil
import requests

from tests.conftest import REPOSITORY
from tests.living.up import airflow, ended, muensterland

PASSWORD = "nur-fuer-diesen-test"  # noqa: S105 - of an Airflow that lives for seconds


def listening(process: psutil.Process) -> set[str]:
    """Addresses `process` listens on; none where it ended meanwhile: the scheduler's children come and go."""
    try:
        connections = process.net_connections("inet")
    except psutil.NoSuchProcess:
        return set()
    return {connection.laddr.ip for connection in connections if connection.status == psutil.CONN_LISTEN}


def test_up_serves_the_dags_on_loopback_and_down_leaves_nothing(tmp_path: Path) -> None:
    catalogue = tmp_path / "sources"
    catalogue.mkdir()
    shutil.copy(REPOSITORY / "data/sources/nrw-schools.yml", catalogue)
    home = tmp_path / "home"
    settings = {"SOURCES_DIR": str(catalogue), "REGION_HOME": str(home), "INPUT": "sample"}
    with airflow(home, SOURCES_DIR=str(catalogue), AIRFLOW_PASSWORD=PASSWORD) as up:
        written = {path.stem: json.loads(path.read_text()) for path in (home / "airflow/pids").glob("*.json")}
        assert sorted(written) == ["api-server", "dag-processor", "sample-publisher", "scheduler", "triggerer"]
        parts = {name: psutil.Process(entry["pid"]) for name, entry in written.items()}
        ours = list(parts.values())
        ours += [child for part in parts.values() for child in part.children(recursive=True)]
        assert {address for process in ours for address in listening(process)} == {"127.0.0.1"}

        assert requests.get(f"{up.address}/api/v2/dags", timeout=30).status_code == 401
        pools = {pool["name"]: pool for pool in up.get("pools")["pools"]}
        assert set(pools) == {"default_pool", "warehouse", "www_schulministerium_nrw_de"}
        assert pools["www_schulministerium_nrw_de"]["slots"] == 1
        assert pools["www_schulministerium_nrw_de"]["include_deferred"] is False

        single = muensterland("run", settings)
        assert single.returncode == 2
        assert "another run is active" in single.stderr
        again = muensterland("up", {**settings, "AIRFLOW_PORT": "1"})
        assert again.returncode == 2
        assert "Airflow is up already" in again.stderr

        # A crash: one part is gone, which `status` says with its exit code.
        parts["triggerer"].kill()
        psutil.wait_procs([parts["triggerer"]], timeout=10)
        status = muensterland("status", {**settings, "AIRFLOW_PORT": up.address.rsplit(":", 1)[1]})
        assert status.returncode == 1
        assert "triggerer          died" in status.stdout
        assert "scheduler          runs" in status.stdout
    assert not [process for process in ours if not ended(process)]
    assert not list((home / "airflow/pids").iterdir())
    logs = [path for path in (home / "logs").rglob("*") if path.is_file()]
    assert logs
    assert not [path for path in logs if PASSWORD.encode() in path.read_bytes()]
