"""A living Airflow for tests: started by `python -m muensterland up`, asked over its REST API, stopped again."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import requests

from tests.conftest import REPOSITORY
from tests.muensterland.webhook import free_port


def muensterland(command: str, environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    """One command of the command line, to its end."""
    return subprocess.run(
        [sys.executable, "-m", "muensterland", command],
        cwd=REPOSITORY,
        env={**os.environ, "COLUMNS": "200", **environment},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


def ended(process: psutil.Process) -> bool:
    """Whether a process is gone, or only its entry is left; it may go while one asks."""
    try:
        return not process.is_running() or process.status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


@dataclass(frozen=True)
class Airflow:
    """An Airflow that is up: its home, its address, and a token for its REST API."""

    home: Path
    address: str
    token: str

    def get(self, path: str, **params: Any) -> dict[str, Any]:
        """The JSON of `/api/v2/<path>`."""
        return self._ask("GET", path, params=params)

    def trigger(self, dag_id: str, **conf: Any) -> str:
        """Start a run; its id."""
        body = {"logical_date": None, "conf": conf}
        return str(self._ask("POST", f"dags/{dag_id}/dagRuns", json=body)["dag_run_id"])

    def runs(self, dag_id: str) -> list[dict[str, Any]]:
        """All runs of a DAG, oldest first."""
        found: list[dict[str, Any]] = self.get(f"dags/{dag_id}/dagRuns", limit=100)["dag_runs"]
        return sorted(found, key=lambda run: run["run_after"])

    def tasks(self, dag_id: str, run_id: str) -> dict[str, str]:
        """State per task of a run; mapped ones by the name of their source."""
        found = self.get(f"dags/{dag_id}/dagRuns/{run_id}/taskInstances", limit=100)["task_instances"]
        names = {
            f"{task['task_id']}[{task['rendered_map_index']}]" if task["map_index"] >= 0 else task["task_id"]: task
            for task in found
        }
        return {name: task["state"] for name, task in names.items()}

    def _ask(self, method: str, path: str, **kwargs: Any) -> dict[str, Any]:
        answer = requests.request(
            method,
            f"{self.address}/api/v2/{path}",
            headers={"Authorization": f"Bearer {self.token}"},
            timeout=30,
            **kwargs,
        )
        assert answer.ok, answer.text
        content: dict[str, Any] = answer.json()
        return content


@contextmanager
def airflow(home: Path, **settings: str) -> Iterator[Airflow]:
    """Airflow up on a free port until the block ends."""
    port = free_port()
    environment = {"REGION_HOME": str(home), "INPUT": "sample", "AIRFLOW_PORT": str(port), **settings}
    outcome = muensterland("up", environment)
    assert outcome.returncode == 0, outcome.stderr
    try:
        address = f"http://127.0.0.1:{port}"
        passwords = json.loads((home / "airflow/secrets/passwords.json").read_text())
        answer = requests.post(
            f"{address}/auth/token", json={"username": "admin", "password": passwords["admin"]}, timeout=30
        )
        yield Airflow(home, address, answer.json()["access_token"])
    finally:
        down = muensterland("down", environment)
        assert down.returncode == 0, down.stderr


def until(done: Callable[[], bool], limit_s: float, pause_s: float = 1.0) -> None:
    """Wait until something is so; an AssertionError where it is not after `limit_s`."""
    end = time.monotonic() + limit_s
    while not done():
        assert time.monotonic() < end, f"not so after {limit_s:.0f} s"
        time.sleep(pause_s)
