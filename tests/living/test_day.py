"""A scheduled day in fast time: two minutes are a day, the scheduler starts the runs, the publishers' files change.

`make day` runs it (about twelve minutes, marker `living`); with SCREENSHOT_FOLDER set it leaves pictures of the page.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from datetime import UTC, datetime
from pathlib import Path

import duckdb
import pytest

from muensterland.settings import Settings
from tests.living.up import Airflow, airflow, until
from tests.muensterland.webhook import Posted, webhook

pytestmark = pytest.mark.living

# The domains whose publishers are asked every "day"; the others keep their schedule and run once, at the start.
DAILY = ("transit", "registers")
FEED = "api.busradar.conterra.de/data/stadtwerke_feed.zip"
SCHOOLS = "www.schulministerium.nrw.de/BiPo/OpenData/Schuldaten/schuldaten.csv"


def catalogue_of_a_fast_day(folder: Path) -> Path:
    folder.mkdir()
    for path in Settings().sources_dir.glob("*.yml"):
        text = path.read_text(encoding="utf-8")
        if any(f"domain: {domain}\n" in text for domain in DAILY):
            text = re.sub(r'schedule: ".*"', 'schedule: "*/2 * * * *"', text)
        (folder / path.name).write_text(text, encoding="utf-8")
    return folder


def asked(home: Path, sql: str) -> list[tuple[object, ...]]:
    """What the current release says."""
    with duckdb.connect(str(home / "releases/current/muensterland.duckdb"), read_only=True) as release:
        return release.sql(sql).fetchall()


def a_day_passes(up: Airflow) -> None:
    """Wait until every daily DAG has begun and ended a scheduled run from now on, and the release has followed."""
    begin = datetime.now(UTC)

    def began(run: dict[str, str]) -> bool:
        return bool(run["start_date"]) and datetime.fromisoformat(run["start_date"]) > begin

    def over() -> bool:
        ingested = all(
            any(began(run) and run["state"] == "success" for run in up.runs(f"ingest_{domain}")) for domain in DAILY
        )
        return ingested and all(run["state"] not in ("queued", "running") for run in up.runs("region_release"))

    until(over, limit_s=900, pause_s=3)


def released(home: Path) -> str:
    """The version that is current."""
    return (home / "releases/current").resolve().name


def a_release_follows(home: Path, former: str) -> str:
    """Wait for another release than `former` to be current; its version."""
    until(lambda: released(home) != former, limit_s=600)
    return released(home)


def messages(posted: list[Posted]) -> list[tuple[str, str, str]]:
    return [(request.body["kind"], request.body["subject"], request.body["state"]) for request in posted]


def test_a_day_in_fast_time(tmp_path: Path) -> None:
    home = tmp_path / "home"
    catalogue = catalogue_of_a_fast_day(tmp_path / "sources")
    with (
        webhook() as (hook, posted),
        airflow(home, SOURCES_DIR=str(catalogue), ALERT_WEBHOOK=hook, TASK_RETRIES="0") as up,
    ):
        publisher = home / "sample"
        # -- the first morning: everything is new
        until(lambda: (home / "releases/current").exists(), limit_s=600)
        first = released(home)
        a_day_passes(up)
        baseline = [
            ("trouble", "columns of bnetza-mastr", "drift"),
            ("trouble", "columns of gtfs-de-regional-rail", "drift"),
        ]
        assert sorted(messages(posted)) == baseline

        # -- a source changes, another one is gone
        schools = publisher / SCHOOLS
        schools.write_bytes(schools.read_bytes().replace(b"Beispiel-Grundschule", b"Umbenannte Schule", 1))
        shutil.move(publisher / FEED, tmp_path / "feed.zip")
        a_day_passes(up)
        second = a_release_follows(home, first)
        renamed = "select count(*) from marts.dim_school where name like '%Umbenannte Schule%'"
        until(lambda: asked(home, renamed) == [(1,)], limit_s=600)
        reason = "select distinct reason is null from marts.mart_coverage where source_id = 'stadtwerke-muenster-gtfs'"
        until(lambda: asked(home, reason) == [(False,)], limit_s=600)
        # It stays away for another day, and is told of once.
        a_day_passes(up)
        assert messages(posted)[2:] == [("trouble", "source stadtwerke-muenster-gtfs", "stale")]

        picture(up, "trouble")

        # -- the lost one is back, and the schools come with another column
        shutil.move(tmp_path / "feed.zip", publisher / FEED)
        schools.write_bytes(with_another_column(schools.read_bytes()))
        a_day_passes(up)
        a_release_follows(home, second)
        until(lambda: asked(home, reason) == [(True,)], limit_s=600)
        assert sorted(messages(posted)[3:]) == [
            ("recovery", "source stadtwerke-muenster-gtfs", "ok"),
            ("trouble", "columns of nrw-schools", "drift"),
        ]

        # -- one more day: nothing is new, so nothing is told and nothing released
        a_day_passes(up)
        last = released(home)
        a_day_passes(up)
        assert released(home) == last
        assert len(posted) == 5

        states = {dag_id: {run["state"] for run in up.runs(dag_id)} - {"queued", "running"} for dag_id in all_dags(up)}
        assert all(found <= {"success"} for found in states.values()), states
        scheduled = [run for run in up.runs("ingest_transit") if run["run_type"] == "scheduled"]
        failed = [run for run in scheduled if "failed" in up.tasks("ingest_transit", run["dag_run_id"]).values()]
        # It was away for more than one day, and told of once.
        assert len(failed) > 1
        for run in failed:
            tasks = up.tasks("ingest_transit", run["dag_run_id"])
            assert tasks["from_api_busradar_conterra_de.fetch[stadtwerke-muenster-gtfs]"] == "failed"
            assert tasks["from_download_gtfs_de.parse[gtfs-de-local]"] == "success"
        picture(up, "evening")


def with_another_column(schools: bytes) -> bytes:
    """The schools' file (first line `sep=;`, then the header, each line with a trailing separator) one column wider."""
    first, header, *rows = schools.decode("utf-8").splitlines()
    return "\n".join([first, f"{header}Neue Spalte;", *(f'{row};"x"' for row in rows), ""]).encode()


def all_dags(up: Airflow) -> list[str]:
    return [dag["dag_id"] for dag in up.get("dags")["dags"]]


def picture(up: Airflow, name: str) -> None:
    """Pictures of the page, where a folder for them is named: tests/living/picture.mjs needs playwright-core."""
    folder = os.environ.get("SCREENSHOT_FOLDER")
    if not folder:
        return
    script = Path(__file__).parent / "picture.mjs"
    secrets = up.home / "airflow/secrets/passwords.json"
    subprocess.run(["node", str(script), up.address, str(secrets), folder, name], check=True, timeout=120)  # noqa: S607
