"""The steps take what was dropped into the inbox after what was downloaded, and give back what they refuse."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
import yaml

from connectors.errors import FetchFailed, SnapshotRefused
from muensterland import steps
from muensterland.sample import monitor, registers
from muensterland.settings import REPOSITORY
from tests.connectors.conftest import source_fields
from tests.connectors.publisher import Publisher, document, publishing

AS_OF = "2026-11-22T12:00:00+00:00"
URL = "https://town.example/schools.csv"
HALF_AN_HOUR = 1_800


@pytest.fixture
def schools() -> bytes:
    """The sample's list of schools."""
    return next(body for name, body in registers.files().items() if name.endswith("schuldaten.csv"))


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home whose clock is half an hour ahead of the file system's: whatever was dropped rests."""
    now = tmp_path.stat().st_ctime + HALF_AN_HOUR
    monkeypatch.setattr(steps.time, "time", lambda: now)
    monkeypatch.setenv("REGION_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("SOURCES_DIR", str(tmp_path / "sources"))
    (tmp_path / "sources").mkdir()
    return tmp_path / "home"


def declare(home: Path, offered: str = "sample", **resource: Any) -> None:
    schools = {"connector": "schools_nrw", **resource}
    fields = source_fields({"schools": schools}, domain="registers", inputs=[offered])
    (home.parent / "sources" / "town.yml").write_text(yaml.safe_dump(fields), encoding="utf-8")


def drop(home: Path, name: str, content: bytes) -> None:
    folder = home / "inbox" / "town"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes(content)


def run() -> tuple[dict[str, Any], dict[str, Any]]:
    return steps.fetch("town", AS_OF), steps.parse("town")


def in_force(home: Path) -> list[tuple[str, int]]:
    """Partition and number of staged schools of what is in force."""
    found = []
    for row in pq.ParquetFile(home / "staged/snapshot_in_force/town.parquet").read().to_pylist():
        (place,) = home.glob(f"staged/school/source_id=town/snapshot_sha256={row['snapshot_sha256']}/*.parquet")
        found.append((row["partition"], pq.ParquetFile(place).metadata.num_rows))
    return found


def test_a_source_by_hand_goes_from_the_inbox_to_staged_rows(home: Path, schools: bytes) -> None:
    declare(home, inbox=r"schuldaten.*\.csv")
    fetched, parsed = run()
    assert (fetched["new"], fetched["failed"], parsed["parsed"]) == (0, 0, 0)
    drop(home, "schuldaten (1).csv", schools)
    fetched, parsed = run()
    assert (fetched["new"], fetched["failed"], parsed["parsed"]) == (1, 0, 1)
    assert in_force(home) == [("schools", parsed["staged"])]
    assert parsed["staged"] > 300
    assert steps.source_state(steps.Settings().home, "town") == "new"


def test_while_a_step_has_not_ended_the_source_is_not_in_order(
    home: Path, schools: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    declare(home, inbox=r"schuldaten.*\.csv")
    drop(home, "schuldaten.csv", schools)
    run()
    left: list[tuple[str, list[str]]] = []
    parse_source = steps.parse_source

    def looked_at(*arguments: Any) -> Any:
        # Who is killed here leaves just this behind.
        found = steps.Settings().home
        left.append((steps.source_state(found, "town"), steps.source_errors(found, "town")))
        return parse_source(*arguments)

    monkeypatch.setattr(steps, "parse_source", looked_at)
    steps.parse("town")
    assert left == [("stale", ["parse has not ended: it runs, or was killed; run it again"])]
    assert steps.source_state(steps.Settings().home, "town") == "new"


def test_what_is_dropped_is_taken_though_the_publisher_is_down(
    home: Path, schools: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    declare(home, url=URL)
    with publishing() as publisher:
        monkeypatch.setenv("MIRROR", publisher.base)
        with pytest.raises(FetchFailed):
            steps.fetch("town", AS_OF)
        drop(home, "schools.csv", schools)
        fetched, parsed = run()
    assert (fetched["new"], fetched["failed"]) == (1, 1)
    assert in_force(home) == [("schools", parsed["staged"])]


def test_a_dropped_file_that_does_not_parse_comes_back_once_and_the_publishers_stays(
    home: Path, schools: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    declare(home, url=URL)
    with publishing() as publisher:
        _publish(publisher, schools, monkeypatch)
        _, parsed = run()
        before = in_force(home)
        drop(home, "mended.csv", schools.replace(b"Schulnummer", b"Nummer", 1))
        fetched = steps.fetch("town", AS_OF)
        with pytest.raises(SnapshotRefused, match=r"mended\.csv: expected each of the columns"):
            steps.parse("town")
        rejected = sorted(path.name for path in (home / "inbox/town/rejected").iterdir())
        (home / "inbox/town/rejected/mended.csv").unlink()
        _, again = run()
    assert (fetched["unchanged"], fetched["new"]) == (1, 1)
    assert (again["parsed"] + again["kept"], again["refused"]) == (1, 0), (
        "the next run goes on with what was there before"
    )
    assert rejected == ["mended.csv", "mended.csv.reason.txt"]
    reason = (home / "inbox/town/rejected/mended.csv.reason.txt").read_text(encoding="utf-8")
    assert "missing: Schulnummer" in reason
    assert in_force(home) == before == [("schools", parsed["staged"])]
    assert not (home / "inbox/town/rejected/mended.csv").exists(), "given back once, not at every run"


def test_files_where_nobody_looks_are_told(home: Path, schools: bytes, caplog: pytest.LogCaptureFixture) -> None:
    declare(home, inbox="x")
    run()
    (home / "inbox" / "schuldaten.csv").write_bytes(schools)
    with caplog.at_level("WARNING"):
        steps.settle("registers")
    assert f"{home / 'inbox' / 'schuldaten.csv'}: nobody looks there" in caplog.text


def test_a_folder_of_a_source_that_is_not_offered_is_told(home: Path, caplog: pytest.LogCaptureFixture) -> None:
    declare(home, "live", inbox="x")
    (home / "inbox" / "town").mkdir(parents=True)
    with caplog.at_level("WARNING"):
        steps.settle("registers")
    assert f"{home / 'inbox' / 'town'}: nobody looks there" in caplog.text
    assert "INPUT=sample" in caplog.text


def test_a_file_that_belongs_nowhere_is_told_once_and_leaves_nothing_to_try_again(home: Path, schools: bytes) -> None:
    declare(home, inbox=r"schuldaten\.csv")
    drop(home, "unknown.csv", schools)
    fetched = steps.fetch("town", AS_OF)
    assert fetched["failed"] == 1
    assert steps.source_state(steps.Settings().home, "town") == "failed"
    (error,) = steps.source_errors(steps.Settings().home, "town")
    assert "unknown.csv: fits 0 of the source's resources" in error


def _publish(publisher: Publisher, content: bytes, patch: pytest.MonkeyPatch) -> None:
    patch.setenv("MIRROR", publisher.base)
    publisher.says(URL, document(content))


def test_a_municipality_drops_its_goals_and_gets_back_what_cannot_be_read(home: Path) -> None:
    declared = REPOSITORY / "data" / "sources" / "municipal-monitor.yml"
    fields = yaml.safe_load(declared.read_text(encoding="utf-8"))
    resources = {"id": "town", "inputs": ["sample"]}
    (home.parent / "sources" / "town.yml").write_text(yaml.safe_dump(fields | resources), encoding="utf-8")
    drop(home, "muenster.yml", monitor.goals_yaml())
    drop(home, "kreis-borken.xlsx", monitor.goals_workbook())
    fetched, parsed = run()
    assert (fetched["new"], fetched["failed"], parsed["parsed"]) == (2, 0, 2)
    drop(home, "muenster.yml", monitor.goals_yaml().replace(b"target_value: 20\n", b"target_value: viel\n"))
    _, parsed = run()
    assert parsed["refused"] == 1
    reason = (home / "inbox/town/rejected/muenster.yml.reason.txt").read_text(encoding="utf-8")
    assert "target_value: expected a number" in reason
    # What was in force stays so.
    rows = pq.ParquetFile(home / "staged/snapshot_in_force/town.parquet").read().to_pylist()
    assert sorted(row["partition"] for row in rows) == ["workbook/register=kreis-borken", "yaml/register=muenster"]
