"""A living Airflow on this machine: start its processes in the background, say how they are, stop them again.

What runs is written down under `REGION_HOME/airflow/pids/`. Every process holds the home's lock, so that no single
run comes between them.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import socket
import subprocess
import sys
import time
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

import psutil
import requests

from muensterland import airflow_home
from muensterland.lock import locked
from muensterland.settings import REPOSITORY, Home, Settings

HOST = "127.0.0.1"
PUBLISHER, SCHEDULER = "sample-publisher", "scheduler"
# Logs of tasks are read from disk: Airflow's own log servers would listen on all interfaces.
COMPONENTS: dict[str, tuple[str, ...]] = {
    "api-server": ("api-server", "--host", HOST, "--workers", "1"),
    "dag-processor": ("dag-processor",),
    "triggerer": ("triggerer", "--skip-serve-logs"),
    SCHEDULER: ("scheduler", "--skip-serve-logs"),
}
HEALTH = ("metadatabase", "scheduler", "triggerer", "dag_processor")
START_LIMIT_S = 180.0
# The scheduler lets running tasks end; what takes longer is killed, which every step survives.
GRACE_S = 60.0
# The clock that processes are dated by may be corrected while they run.
SAME_START_S = 2.0

State = Literal["runs", "died", "is not there"]


class CannotStart(RuntimeError):
    """Airflow was not started, or did not come up; nothing is left running."""


@dataclass(frozen=True)
class Started:
    """A process that `up` started: its number alone may be another's later."""

    pid: int
    created_at: float


def up() -> str:
    """Start Airflow, and the sample publisher where INPUT is sample, and wait until it is healthy; its address.

    Raises CannotStart where it is up already, the port is taken or a process ends early, AnotherRunIsActive where a
    run is at work in this home.
    """
    settings = Settings()
    home = settings.home
    home.claim(settings.input)
    _refuse_running(home)
    address = f"http://{HOST}:{settings.airflow_port}"
    _refuse_taken(settings.airflow_port)
    logs = home.logs / "up"
    logs.mkdir(parents=True, exist_ok=True)
    with locked(home) as lock:
        _forget(home)
        os.environ.update(REGION_HOME=str(home.root), INPUT=settings.input)
        airflow_home.configure_living(home, settings.airflow_port)
        try:
            if settings.input == "sample" and settings.mirror is None:
                os.environ["MIRROR"] = _start_publisher(home, logs, lock.fileno())
            _prepare(logs)
            for name, arguments in COMPONENTS.items():
                if name == SCHEDULER:
                    # Tasks talk to the API server: what is due at once would fail before it answers.
                    _wait_until_healthy(home, address, logs, ("metadatabase",))
                _start(home, name, ["-m", "airflow", *arguments], logs, lock.fileno())
            _wait_until_healthy(home, address, logs, HEALTH)
        except BaseException:
            down()
            raise
    return address


def down() -> list[str]:
    """Stop what `up` started in this home, children included; the names of what ran.

    Asks first, waits GRACE_S for running tasks to end, then kills.
    """
    home = Settings().home
    started = _started(home)
    stopped = [name for name, process in started.items() if _process(process) is not None]
    # The scheduler first, while the others still answer its tasks.
    _stop([process for name, process in started.items() if name == SCHEDULER])
    _stop([process for name, process in started.items() if name != SCHEDULER])
    _forget(home)
    return stopped


def status() -> dict[str, State]:
    """What has become of each process that `up` started in this home; empty where it is not up."""
    home = Settings().home
    return {name: state_of(home, name) for name in _started(home)}


def health(address: str) -> dict[str, str]:
    """How Airflow says its parts are; empty where it does not answer."""
    try:
        with requests.Session() as session:
            # Never by the machine's proxy: this is the machine.
            session.trust_env = False
            answer = session.get(f"{address}/api/v2/monitor/health", timeout=10)
        parts = answer.json() if answer.ok else {}
    except (requests.RequestException, ValueError):
        return {}
    return {name: str(parts.get(name, {}).get("status")) for name in HEALTH}


def parts(states: Mapping[str, State], health: Mapping[str, str]) -> dict[str, list[str]]:
    """What is known of each part, once: what has become of its process, then how Airflow says it is."""
    said = {name.replace("_", "-"): word for name, word in health.items()}
    return {
        name: [known[name] for known in (states, said) if name in known] for name in dict.fromkeys([*states, *said])
    }


def state_of(home: Home, name: str) -> State:
    """Whether the process written down under `name` is the one that was started."""
    started = _started(home).get(name)
    if started is None:
        return "is not there"
    return "runs" if _process(started) is not None else "died"


def _refuse_running(home: Home) -> None:
    states = {name: state_of(home, name) for name in _started(home)}
    if any(state == "runs" for state in states.values()):
        words = ", ".join(f"{name} {state}" for name, state in states.items())
        raise CannotStart(f"{home.root}: Airflow is up already ({words}); `make down` stops it")


def _refuse_taken(port: int) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError as error:
            raise CannotStart(
                f"port {port} on {HOST} is taken ({error.strerror}); set AIRFLOW_PORT to another one"
            ) from error


def _prepare(logs: Path) -> None:
    """Create or upgrade the metadata database in a process of its own: Airflow talks much while it does."""
    with (logs / "prepare.log").open("w") as log:
        outcome = subprocess.run(
            [sys.executable, "-m", "muensterland", "airflow-init"],
            cwd=REPOSITORY, stdin=subprocess.DEVNULL, stdout=log, stderr=log, check=False,
        )  # fmt: skip
    if outcome.returncode:
        raise CannotStart(f"the metadata database could not be prepared: {_last_words(logs / 'prepare.log')}")


def _start_publisher(home: Home, logs: Path, lock: int) -> str:
    """Start the sample publisher on a free port; its address."""
    arguments = ["-m", "muensterland.sample", "--port", "0", "--folder", str(home.sample)]
    log = _start(home, PUBLISHER, arguments, logs, lock)
    deadline = time.monotonic() + START_LIMIT_S
    while time.monotonic() < deadline and state_of(home, PUBLISHER) == "runs":
        if found := re.search(r" at (http://\S+)\n", log.read_text(encoding="utf-8")):
            return found[1]
        time.sleep(0.1)
    raise CannotStart(f"{PUBLISHER} did not come up: {_last_words(log)}")


def _start(home: Home, name: str, arguments: list[str], logs: Path, lock: int) -> Path:
    """Start a process in a session of its own, write it down and return its log."""
    path = logs / f"{name}.log"
    if path.exists():
        # What a former process said last may tell why it died.
        path.replace(path.with_suffix(".log.1"))
    # For appending, so that `maintenance` may cut it while the process writes.
    with path.open("a") as log:
        child = subprocess.Popen(
            [sys.executable, *arguments],
            cwd=REPOSITORY, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
            start_new_session=True, pass_fds=[lock],
        )  # fmt: skip
    started = Started(child.pid, psutil.Process(child.pid).create_time())
    place = _pids(home) / f"{name}.json"
    place.parent.mkdir(parents=True, exist_ok=True)
    draft = place.with_suffix(".draft")
    draft.write_text(json.dumps(asdict(started)), encoding="utf-8")
    draft.replace(place)
    return path


def _wait_until_healthy(home: Home, address: str, logs: Path, parts: Iterable[str]) -> None:
    deadline = time.monotonic() + START_LIMIT_S
    while time.monotonic() < deadline:
        for name in _started(home):
            if state_of(home, name) != "runs":
                raise CannotStart(f"{name} ended early: {_last_words(logs / f'{name}.log')}")
        found = health(address)
        if all(found.get(part) == "healthy" for part in parts):
            return
        time.sleep(0.5)
    raise CannotStart(f"Airflow is not healthy after {START_LIMIT_S:.0f} s: {health(address)}; see {logs}")


def _stop(leaders: Iterable[Started]) -> None:
    """Ask processes to end, their children with them, or the children where these are all that is left; then kill."""
    family: list[psutil.Process] = []
    for started in leaders:
        members, leader = _family(started), _process(started)
        family += members
        for process in members if leader is None else [leader]:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.terminate()
    _, alive = psutil.wait_procs(family, timeout=GRACE_S)
    for process in alive:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.kill()
    psutil.wait_procs(alive, timeout=10)


def _family(started: Started) -> list[psutil.Process]:
    """The process and everything of its session: what it left behind when it died belongs to it as well."""
    try:
        if not _is_same(psutil.Process(started.pid), started):
            return []
    except psutil.NoSuchProcess:
        # Its number stays with its session as long as anything of that runs.
        pass
    family = []
    for process in psutil.process_iter():
        try:
            if os.getsid(process.pid) == started.pid:
                family.append(process)
        except ProcessLookupError:
            continue
    return family


def _process(started: Started) -> psutil.Process | None:
    """The very process that was started, where it still runs."""
    try:
        process = psutil.Process(started.pid)
        return process if _is_same(process, started) and process.status() != psutil.STATUS_ZOMBIE else None
    except psutil.NoSuchProcess:
        return None


def _is_same(process: psutil.Process, started: Started) -> bool:
    return bool(abs(process.create_time() - started.created_at) < SAME_START_S)


def _started(home: Home) -> Mapping[str, Started]:
    """What is written down, sorted by name."""
    places = sorted(_pids(home).glob("*.json"))
    return {place.stem: Started(**json.loads(place.read_text(encoding="utf-8"))) for place in places}


def _forget(home: Home) -> None:
    for place in _pids(home).glob("*.json"):
        place.unlink(missing_ok=True)


def _pids(home: Home) -> Path:
    return home.airflow / "pids"


def _last_words(log: Path) -> str:
    lines = log.read_text(encoding="utf-8", errors="replace").splitlines()[-5:]
    return f"{' | '.join(lines) or 'it said nothing'} (see {log})"
