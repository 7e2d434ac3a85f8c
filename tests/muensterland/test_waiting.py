"""The fetch task: what its run asks for, and how it waits for a publisher."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from airflow.sdk.exceptions import AirflowSkipException, TaskDeferred

from connectors.errors import FetchFailed
from connectors.selection import Selection
from muensterland import steps
from muensterland.settings import REPOSITORY
from muensterland.waiting import FetchSource, selected
from tests.connectors.publisher import Publisher, Reply, publishing

AS_OF = "2026-11-22T12:00:00+00:00"
URL = "https://www.schulministerium.nrw.de/BiPo/OpenData/Schuldaten/schuldaten.csv"
PARAMS = {"source": "", "force": False, "from_month": "", "to_month": "", "as_of": ""}
SCHOOLS = b"sep=;\nSchulnummer;Schulform\n"


@pytest.fixture
def publisher(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Publisher]:
    with publishing() as running:
        settings = {"REGION_HOME": str(tmp_path), "INPUT": "mirror", "MIRROR": running.base, "TASK_RETRIES": "2"}
        for name, value in settings.items():
            monkeypatch.setenv(name, value)
        monkeypatch.delenv("PUBLISHER_WAIT_LIMIT_S", raising=False)
        yield running


def fetch(waits: int | None = None) -> str:
    """The task as Airflow runs it: for the first time, or after so many waits."""
    task = FetchSource(task_id="fetch", source="nrw-schools", as_of=AS_OF)
    context: dict[str, Any] = {"params": PARAMS}
    return task.execute(context) if waits is None else task.after_wait(context, {"moment": "now"}, waits)


def test_a_source_is_fetched_and_named(publisher: Publisher) -> None:
    publisher.says(URL, Reply(200, SCHOOLS))
    assert fetch() == "nrw-schools"
    assert steps.read_status(steps.Settings().home, "nrw-schools")["fetch"]["new"] == 1


def test_a_publisher_that_asks_for_patience_is_waited_for_without_a_worker(publisher: Publisher) -> None:
    publisher.says(URL, Reply(429, headers={"Retry-After": "3600"}), Reply(200, SCHOOLS))
    before = datetime.now(UTC)
    with pytest.raises(TaskDeferred) as deferred:
        fetch()
    moment = deferred.value.trigger.moment
    assert timedelta(seconds=3_600) <= moment - before < timedelta(seconds=3_660)
    assert (deferred.value.method_name, deferred.value.kwargs) == ("after_wait", {"waits": 1})
    assert len(publisher.asked) == 1
    assert fetch(waits=1) == "nrw-schools"


@pytest.mark.parametrize(
    ("settings", "waits", "retry_after"),
    [
        ({}, 2, "3600"),
        ({"TASK_RETRIES": "0"}, None, "3600"),
        ({"PUBLISHER_WAIT_LIMIT_S": "600"}, None, "3600"),
        ({}, None, "100000000000"),
    ],
    ids=["waited often enough", "a single run waits for nobody", "longer than the limit", "for ever"],
)
def test_patience_has_an_end(
    publisher: Publisher,
    monkeypatch: pytest.MonkeyPatch,
    settings: dict[str, str],
    waits: int | None,
    retry_after: str,
) -> None:
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    publisher.says(URL, Reply(429, headers={"Retry-After": retry_after}))
    with pytest.raises(FetchFailed, match=r"waiting \d+ s is too long"):
        fetch(waits)


def test_another_failure_is_not_waited_for(publisher: Publisher) -> None:
    publisher.says(URL, Reply(403))
    with pytest.raises(FetchFailed, match="403"):
        fetch()


def test_a_former_wait_is_forgotten_with_the_next_fetch(publisher: Publisher) -> None:
    publisher.says(URL, Reply(503, headers={"Retry-After": "3600"}), Reply(200, SCHOOLS))
    with pytest.raises(TaskDeferred):
        fetch()
    assert fetch(waits=1) == "nrw-schools"
    assert steps.asked_back_at("nrw-schools") is None


def test_a_run_of_one_source_skips_the_others() -> None:
    with pytest.raises(AirflowSkipException, match="of zensus-2022 only"):
        selected("nrw-schools", {**PARAMS, "source": "zensus-2022"})


def test_months_skip_what_has_none() -> None:
    months = {**PARAMS, "from_month": "2019-01", "to_month": "2020-12"}
    assert selected("muenster-bicycle-counters", months) == Selection("2019-01", "2020-12")
    with pytest.raises(AirflowSkipException, match="nrw-schools is not partitioned by days, months or years"):
        selected("nrw-schools", months)


def test_force_asks_afresh() -> None:
    assert selected("nrw-schools", {**PARAMS, "force": True}) == Selection(afresh=True)


def test_months_that_do_not_fit_are_an_error() -> None:
    with pytest.raises(ValueError, match="give both or none"):
        selected("muenster-bicycle-counters", {**PARAMS, "from_month": "2019-01"})


def test_the_first_release_waits_until_every_source_was_asked(
    publisher: Publisher, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    catalogue = tmp_path / "sources"
    catalogue.mkdir()
    realtime = ("stadtwerke-muenster-gtfs", "stadtwerke-muenster-realtime")
    for name in ("nrw-schools", "bnetza-charging-register", *realtime):
        shutil.copy(REPOSITORY / "data" / "sources" / f"{name}.yml", catalogue)
    monkeypatch.setenv("SOURCES_DIR", str(catalogue))
    # No release follows realtime, so none waits for it.
    timetable = "stadtwerke-muenster-gtfs"
    assert steps.missing_for_first_release() == [timetable, "bnetza-charging-register", "nrw-schools"]
    publisher.says(URL, Reply(403))
    with pytest.raises(FetchFailed):
        steps.fetch("nrw-schools", AS_OF)
    # Asked in vain is asked; the other one was not.
    assert steps.missing_for_first_release() == [timetable, "bnetza-charging-register"]


def test_a_source_that_was_never_asked_has_no_state(publisher: Publisher) -> None:
    publisher.says(URL, Reply(403))
    with pytest.raises(FetchFailed):
        steps.fetch("nrw-schools", AS_OF)
    assert steps.settle("registers") == {"nrw-schools": "failed"}


def test_an_airflow_connection_says_who_asks_else_the_environment(
    publisher: Publisher, monkeypatch: pytest.MonkeyPatch
) -> None:
    base = "https://www-genesis.destatis.de/genesisWS/rest/2020"
    refused = b'{"Status": {"Code": 15, "Content": "Sie sind nicht berechtigt"}}'
    publisher.says(f"{base}/metadata/table", Reply(200, refused))
    task = FetchSource(task_id="fetch", source="destatis-genesis", as_of=AS_OF)
    monkeypatch.setenv("DESTATIS_USERNAME", "environment")
    monkeypatch.delenv("DESTATIS_PASSWORD", raising=False)
    with pytest.raises(FetchFailed, match="Airflow connection") as told:
        task.execute({"params": PARAMS})
    monkeypatch.setenv("AIRFLOW_CONN_DESTATIS", '{"conn_type": "generic", "login": "DE123", "password": "a-secret"}')
    with pytest.raises(FetchFailed):
        task.execute({"params": PARAMS})
    users = [(asked.headers["username"], asked.headers["password"]) for asked in publisher.asked]
    assert users == [("environment", ""), ("DE123", "a-secret")]
    written = [path for path in steps.Settings().home.root.rglob("*") if path.is_file()]
    assert written and not any(b"a-secret" in path.read_bytes() for path in written)
    assert "a-secret" not in str(told.value)
