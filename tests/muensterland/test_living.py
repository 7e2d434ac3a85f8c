"""Starting and stopping processes: only what was started, children included, and never beside another run."""

from __future__ import annotations

import json
import os
import signal
import socket
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psutil
import pytest
from typer.testing import CliRunner

from muensterland import living
from muensterland.alerts import Observation, tell
from muensterland.cli import app
from muensterland.lock import AnotherRunIsActive, locked
from muensterland.settings import Home
from tests.living.up import ended

# Says `ready` once it has a child; deaf to SIGTERM where asked to be.
PARENT = """
import signal, subprocess, sys, time
if "deaf" in sys.argv:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
print("ready", child.pid, flush=True)
time.sleep(600)
"""


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Home]:
    for name in ("INPUT", "MIRROR", "AIRFLOW_PORT"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("REGION_HOME", str(tmp_path))
    monkeypatch.setattr(living, "GRACE_S", 0.3)
    home = Home(tmp_path)
    home.claim("sample")
    yield home
    living.down()


def start(home: Home, name: str = "scheduler", *arguments: str) -> tuple[psutil.Process, psutil.Process]:
    """A stand-in for a component, and its child."""
    with locked(home) as lock:
        log = living._start(home, name, ["-c", PARENT, *arguments], home.root, lock.fileno())
    wait_for(lambda: "ready" in log.read_text())
    return psutil.Process(living._started(home)[name].pid), psutil.Process(int(log.read_text().split()[1]))


def wait_for(done: Callable[[], bool]) -> None:
    end = time.monotonic() + 20
    while not done():
        assert time.monotonic() < end
        time.sleep(0.02)


def test_what_was_started_is_stopped_with_its_children(home: Home) -> None:
    leader, child = start(home)
    assert living.status() == {"scheduler": "runs"}
    assert living.down() == ["scheduler"]
    assert ended(leader)
    assert ended(child)
    assert living.status() == {}


def test_what_does_not_listen_is_killed_after_a_while(home: Home) -> None:
    leader, child = start(home, "scheduler", "deaf")
    living.down()
    assert ended(leader)
    assert ended(child)


def test_children_of_a_process_that_died_are_stopped_as_well(home: Home) -> None:
    leader, child = start(home)
    os.kill(leader.pid, signal.SIGKILL)
    wait_for(lambda: living.status() == {"scheduler": "died"})
    assert not ended(child)
    assert living.down() == []
    wait_for(lambda: ended(child))


def test_another_process_under_the_same_number_is_left_alone(home: Home) -> None:
    leader, _ = start(home)
    place = home.airflow / "pids" / "scheduler.json"
    written = json.loads(place.read_text())
    place.write_text(json.dumps({**written, "created_at": written["created_at"] - 3_600}))
    assert living.status() == {"scheduler": "died"}
    assert living.down() == []
    assert leader.is_running()
    place.write_text(json.dumps(written))


def test_no_single_run_comes_between_and_none_is_disturbed(home: Home) -> None:
    start(home)
    with pytest.raises(AnotherRunIsActive, match="make down"), locked(home):
        pass
    living.down()
    with locked(home), pytest.raises(AnotherRunIsActive):
        living.up()
    with locked(home):
        pass


def test_it_is_not_started_twice(home: Home) -> None:
    start(home)
    with pytest.raises(living.CannotStart, match=r"up already \(scheduler runs\); `make down` stops it"):
        living.up()
    assert living.status() == {"scheduler": "runs"}


def test_a_taken_port_is_said_before_anything_is_started(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        monkeypatch.setenv("AIRFLOW_PORT", str(port))
        with pytest.raises(living.CannotStart, match=f"port {port} on 127.0.0.1 is taken.*AIRFLOW_PORT"):
            living.up()
    assert living.status() == {}


def test_a_component_that_ends_early_is_named_and_nothing_stays(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MIRROR", "http://127.0.0.1:9")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        monkeypatch.setenv("AIRFLOW_PORT", str(probe.getsockname()[1]))
    monkeypatch.setattr(living, "_prepare", lambda logs: None)
    monkeypatch.setattr(living.airflow_home, "configure_living", lambda home, port: None)
    monkeypatch.setattr(living, "COMPONENTS", {"dag-processor": ("no-such-command",)})
    with pytest.raises(living.CannotStart, match=r"dag-processor ended early: .*no-such-command.*dag-processor\.log"):
        living.up()
    assert living.status() == {}


def test_nothing_to_stop_is_fine(home: Home) -> None:
    assert living.down() == []
    assert living.status() == {}


@pytest.fixture
def healthy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(living, "health", lambda address: dict.fromkeys(("scheduler", "dag_processor"), "healthy"))


def observe(home: Home, state: str) -> None:
    seen = Observation("source nrw-schools", state, "answered 503 [busy]")
    tell(home.status / "alerts", [seen], {}, datetime(2026, 11, 23, 6, tzinfo=UTC), timedelta(days=7))


@pytest.mark.usefixtures("healthy")
def test_status_lists_every_part_once_and_is_content(home: Home) -> None:
    start(home)
    said = CliRunner().invoke(app, ["status"])
    assert said.exit_code == 0
    assert [line.split() for line in said.stdout.splitlines()] == [
        ["scheduler", "runs,", "healthy"],
        ["dag-processor", "healthy"],
    ]


@pytest.mark.usefixtures("healthy")
@pytest.mark.parametrize(("state", "code"), [("stale", 1), ("drift", 0), ("ok", 0)])
def test_status_tells_standing_troubles_with_their_reason(home: Home, state: str, code: int) -> None:
    start(home)
    observe(home, state)
    said = CliRunner().invoke(app, ["status"])
    assert said.exit_code == code
    trouble = f"source nrw-schools: {state} since 2026-11-23 06:00 UTC: answered 503 [busy]"
    assert (trouble in said.stdout) == (state != "ok")


def test_status_says_where_a_dead_part_tells_why_and_that_nobody_answers(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        monkeypatch.setenv("AIRFLOW_PORT", str(port := probe.getsockname()[1]))
    leader, _ = start(home)
    leader.kill()
    wait_for(lambda: living.status() == {"scheduler": "died"})
    said = CliRunner().invoke(app, ["status"])
    assert said.exit_code == 1
    assert f"died; see {home.logs / 'up' / 'scheduler.log'}" in said.stdout
    assert f"Airflow does not answer at http://127.0.0.1:{port}" in said.stdout
