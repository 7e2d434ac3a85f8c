"""The one-shot runner: the whole pipeline through Airflow's own DAGs in one process, with progress and a summary."""

from __future__ import annotations

import contextlib
import gc
import logging
import os
import shutil
import sys
import time
from collections.abc import Iterator
from typing import Any, TextIO
from unittest.mock import patch

import requests
from rich.console import Console
from rich.markup import escape

from connectors.http import CONNECT_TIMEOUT_S
from muensterland import airflow_home, steps, summary
from muensterland.lock import locked
from muensterland.orchestration import ingestions
from muensterland.settings import Home, Settings
from publishing.release import current

# The summary's tables cut names short on anything narrower.
NARROWEST = 110
# Airflow's imports make a million objects that stay; Python's default (700, 10, 10) looks through them again and again,
# a sixth of the time of a run that finds nothing new.
COLLECT_GARBAGE_AFTER = (1_000_000, 20, 50)


class ClockGoesBack(RuntimeError):
    """AS_OF lies before that of the current release, which readers would lose."""


class MirrorMissing(RuntimeError):
    """The input is to come from a mirror, and there is none."""


def run() -> int:
    """Run every ingest DAG, then the release; 0 only if one was promoted or the current one is still right."""
    gc.set_threshold(*COLLECT_GARBAGE_AFTER)
    settings = Settings()
    home = settings.home
    home.claim(settings.input)
    require_mirror(settings)
    _require_later_clock(settings)
    instant = settings.clock().isoformat()
    os.environ.update(AS_OF=instant, REGION_HOME=str(home.root), INPUT=settings.input, TASK_RETRIES="0")
    with locked(home), sample_publisher(settings), quiet(home, "run.log") as terminal:
        width = max(NARROWEST, shutil.get_terminal_size((NARROWEST, 24)).columns)
        console = Console(file=terminal, highlight=False, soft_wrap=True, width=width)
        console.print(f"[bold]{summary.title(settings.input)}[/bold], as of {instant}, home {escape(str(home.root))}")
        with progress_to(console):
            started = time.monotonic()
            release_run = _run_dags(home)
            seconds = time.monotonic() - started
        code = summary.show(console, Settings(), succeeded=release_run, seconds=seconds)
    # The process ends: what it holds goes with it, unsearched.
    gc.freeze()
    return code


def require_mirror(settings: Settings) -> None:
    """Raise MirrorMissing at once where every fetch would fail after its last attempt, minutes later."""
    if settings.input == "live" or (settings.input == "sample" and settings.mirror is None):
        return
    if settings.mirror is None:
        raise MirrorMissing("INPUT=mirror needs MIRROR=http://HOST:PORT, the address that stands in for all publishers")
    try:
        requests.head(settings.mirror, timeout=CONNECT_TIMEOUT_S, allow_redirects=False)
    except requests.RequestException as error:
        raise MirrorMissing(f"MIRROR={settings.mirror} does not answer ({type(error).__name__}); start it") from error


def _require_later_clock(settings: Settings) -> None:
    """Raise ClockGoesBack where a typing error in AS_OF would take readers back by years."""
    release = current(settings.home.releases)
    if release is not None and settings.as_of is not None and settings.as_of < release.as_of:
        raise ClockGoesBack(
            f"AS_OF={settings.as_of.isoformat()} lies before {release.as_of.isoformat()}, the clock of the current "
            f"release {release.version}: set another REGION_HOME to look back, or roll back to a former release"
        )


def _run_dags(home: Home) -> bool:
    """Whether the release's DAG run succeeded; failed ingestion is for the sources' states to tell."""
    airflow_home.configure(home)
    steps.progress.info("airflow  preparing")
    airflow_home.prepare_database(home)
    bag = _dag_bag()
    with _written(bag):
        for ingestion in ingestions():
            _test(bag, ingestion.dag_id)
        return _test(bag, "region_release") == "success"


def _dag_bag() -> Any:
    """The DAGs, read once and written to the metadata. Raises RuntimeError where a file does not import."""
    from airflow.dag_processing.bundles.manager import DagBundlesManager
    from airflow.dag_processing.dagbag import BundleDagBag, sync_bag_to_db

    manager = DagBundlesManager()  # type: ignore[no-untyped-call]
    manager.sync_bundles_to_db()
    [bundle] = manager.get_all_dag_bundles()
    bundle.initialize()
    bag = BundleDagBag(dag_folder=bundle.path, bundle_path=bundle.path, bundle_name=bundle.name)
    if bag.import_errors:
        raise RuntimeError(f"DAG files do not import: {bag.import_errors}")
    sync_bag_to_db(bag, bundle.name, bundle.version)
    return bag


@contextlib.contextmanager
def _written(bag: Any) -> Iterator[None]:
    """Keep `test()` from reading and writing all DAGs anew before each of them: the files stay as they are.

    Airflow 3.3.2 does so for siblings that are triggered by an operator (apache/airflow#64884).
    """
    from airflow.dag_processing import dagbag

    with patch.multiple(dagbag, BundleDagBag=lambda **_: bag, sync_bag_to_db=lambda *_: None):
        yield


def _test(bag: Any, dag_id: str) -> str:
    dag = bag.dags[dag_id]
    # Airflow 3.3.2 stumbles over a deadline in `test()`; whoever started a single run sees that it is late.
    dag.deadline = None
    return str(dag.test().state)


@contextlib.contextmanager
def sample_publisher(settings: Settings) -> Iterator[None]:
    """For INPUT=sample the project's own publisher on loopback, for the time of the run."""
    if settings.input != "sample" or settings.mirror:
        yield
        return
    from muensterland.sample.generate import generate
    from muensterland.sample.server import serve

    generate(settings.home.sample)
    with serve(settings.home.sample) as address:
        os.environ["MIRROR"] = address
        yield
    del os.environ["MIRROR"]


@contextlib.contextmanager
def quiet(home: Home, log_name: str, terminal: int = 1) -> Iterator[TextIO]:
    """Send what Airflow, dbt and their libraries print to a log file; yields the terminal, descriptor 1 or 2."""
    home.logs.mkdir(parents=True, exist_ok=True)
    sys.stdout.flush()
    sys.stderr.flush()
    saved = os.dup(1), os.dup(2)
    with (home.logs / log_name).open("w") as log, os.fdopen(os.dup(terminal), "w") as shown:
        os.dup2(log.fileno(), 1)
        os.dup2(log.fileno(), 2)
        try:
            yield shown
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            for number, descriptor in enumerate(saved, 1):
                os.dup2(descriptor, number)
                os.close(descriptor)


@contextlib.contextmanager
def progress_to(console: Console) -> Iterator[None]:
    """Print what the steps report, a line each."""

    class Lines(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            style = "red" if record.levelno >= logging.ERROR else None
            console.print(escape(f"  {record.getMessage()}"), style=style)

    handler = Lines()
    steps.progress.addHandler(handler)
    steps.progress.setLevel(logging.INFO)
    try:
        yield
    finally:
        steps.progress.removeHandler(handler)
