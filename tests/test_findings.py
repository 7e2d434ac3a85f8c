"""Publishers change their files: what may not come into force stays out, and mart_source_finding says so."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import duckdb
import pytest

from muensterland import steps
from muensterland.sample import energy, mobility, registers, territory
from muensterland.sample.generate import generate
from muensterland.sample.server import serve
from muensterland.settings import Settings

pytestmark = pytest.mark.long(1)

AS_OF = "2026-11-22T12:00:00+00:00"
SOURCES = (
    "bkg-boundaries",
    "bnetza-charging-register",
    "destatis-municipality-directory",
    "muenster-bicycle-counters",
    "nrw-schools",
)
MONTH = f"{mobility.BASE}/900000001/2026-10.csv"
Row = tuple[str, str, int, str]


@dataclass(frozen=True)
class Region:
    """A home and the publishers it asks, whose files a test may change."""

    home: Path
    publishers: Path
    catalogue: Path

    def change(self, address: str, old: str, new: str) -> None:
        place = self.publishers / address
        text = place.read_bytes().decode()
        assert old in text
        place.write_bytes(text.replace(old, new).encode())

    def declare(self, source_id: str, old: str, new: str) -> None:
        """A commit in the catalogue."""
        place = self.catalogue / f"{source_id}.yml"
        text = place.read_text(encoding="utf-8")
        assert old in text
        place.write_text(text.replace(old, new), encoding="utf-8")

    def ingest(self) -> None:
        for source_id in SOURCES:
            for step in (lambda name: steps.fetch(name, AS_OF), steps.parse):
                try:
                    step(source_id)
                except (steps.FetchFailed, steps.SnapshotRefused):
                    break

    def build(self) -> tuple[str, Path]:
        """The inputs' key and a candidate with the marts of the core."""
        run = steps.begin_release(AS_OF)
        assert run is not None
        steps.build(run["run"], AS_OF, "core")
        return run["input_key"], steps.candidate_of(run["run"])

    def in_force(self, source_id: str, partition: str) -> str:
        place = self.home / "staged" / "snapshot_in_force" / f"{source_id}.parquet"
        (row,) = duckdb.sql(f"select snapshot_sha256 from '{place}' where partition = '{partition}'").fetchall()
        return str(row[0])

    def landed(self, source_id: str, partition: str) -> list[dict[str, Any]]:
        """The rows of the fetch log, oldest first."""
        log = (self.home / "landing" / source_id / "fetch_log.jsonl").read_text(encoding="utf-8")
        return [row for row in map(json.loads, log.splitlines()) if row["partition"] == partition]


def findings(candidate: Path, source_id: str) -> dict[tuple[str, str], Row]:
    """severity, code, count and example by snapshot and code."""
    with duckdb.connect(str(candidate), read_only=True) as database:
        rows = database.execute(
            "select snapshot_sha256, code, severity, count, example from marts.mart_source_finding where source_id = ?",
            [source_id],
        ).fetchall()
    return {(sha256, code): (severity, code, count, example) for sha256, code, severity, count, example in rows}


def since(candidate: Path) -> dict[tuple[str, str], datetime]:
    with duckdb.connect(str(candidate), read_only=True) as database:
        rows = database.sql("select source_id, code, first_seen_at from marts.mart_source_finding").fetchall()
    return {(source_id, code): at for source_id, code, at in rows}


@dataclass(frozen=True)
class Changed:
    """A region after its publishers changed: what was in force before, and the candidate of today."""

    region: Region
    before: dict[tuple[str, str], str]
    key: str
    candidate: Path


@pytest.fixture(scope="module")
def changed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Changed]:
    root = tmp_path_factory.mktemp("findings")
    region = Region(root / "home", root / "publishers", root / "sources")
    generate(region.publishers)
    shutil.copytree(Settings().sources_dir, region.catalogue)
    region.declare("nrw-schools", "fresh_for_days: 14", "fresh_for_days: 14\ndrift: freeze")
    with serve(region.publishers) as address, pytest.MonkeyPatch.context() as patch:
        settings = {"REGION_HOME": region.home, "INPUT": "sample", "SOURCES_DIR": region.catalogue, "MIRROR": address}
        for name, value in settings.items():
            patch.setenv(name, str(value))
        region.ingest()
        before = {
            ("nrw-schools", "schools"): region.in_force("nrw-schools", "schools"),
            ("bnetza-charging-register", "register"): region.in_force("bnetza-charging-register", "register"),
            ("muenster-bicycle-counters", MONTH): region.in_force(
                "muenster-bicycle-counters", "readings/station=900000001/month=2026-10"
            ),
        }
        region.change(registers.SCHOOLS, "Homepage;", "Bemerkung;")
        region.change(energy.CHARGING, "Adresszusatz;", "Adress-Zusatz;")
        lines = (region.publishers / MONTH).read_bytes().splitlines(keepends=True)
        (region.publishers / MONTH).write_bytes(b"".join(lines[:297]))
        (region.publishers / territory.BOUNDARIES).unlink()
        region.ingest()
        key, candidate = region.build()
        copy = root / "candidate.duckdb"
        shutil.copy(candidate, copy)
        yield Changed(region, before, key, copy)


def test_a_column_that_vanished_under_freeze_keeps_the_former_snapshot(changed: Changed) -> None:
    region = changed.region
    latest = region.landed("nrw-schools", "schools")[-1]["snapshot_sha256"]
    assert region.in_force("nrw-schools", "schools") == changed.before["nrw-schools", "schools"] != latest
    told = findings(changed.candidate, "nrw-schools")
    assert told.keys() >= {(latest, "snapshot_refused"), (latest, "column_missing"), (latest, "column_new")}
    severity, _, count, example = told[latest, "snapshot_refused"]
    assert (severity, count) == ("critical", 1)
    assert example.startswith("schools: schuldaten.csv: new column 'Bemerkung' in school; missing column 'Homepage'")
    assert told[latest, "column_missing"] == (
        *("warning", "column_missing", 1),
        "school.Homepage: was in the former snapshot",
    )
    assert told[latest, "column_new"][3] == "school.Bemerkung: nobody declared it"


def test_a_renamed_column_is_told_and_the_new_snapshot_in_force(changed: Changed) -> None:
    source_id = "bnetza-charging-register"
    latest = changed.region.landed(source_id, "register")[-1]["snapshot_sha256"]
    assert changed.region.in_force(source_id, "register") == latest != changed.before[source_id, "register"]
    told = findings(changed.candidate, source_id)
    assert told[latest, "column_renamed"] == (
        *("warning", "column_renamed", 1),
        "charging_station.Adresszusatz -> Adress-Zusatz: renamed",
    )
    # The sample holds one device with a point nobody can place.
    assert told[latest, "record_rejected"][:3] == ("warning", "record_rejected", 1)
    assert told[latest, "record_rejected"][3].startswith("charging_station record ")
    assert {sha256 for sha256, _ in told} == {latest}


def test_a_file_below_its_guard_keeps_the_former_snapshot(changed: Changed) -> None:
    source_id, partition = "muenster-bicycle-counters", "readings/station=900000001/month=2026-10"
    latest = changed.region.landed(source_id, partition)[-1]["snapshot_sha256"]
    assert changed.region.in_force(source_id, partition) == changed.before[source_id, MONTH] != latest
    told = findings(changed.candidate, source_id)
    # 296 of 31 * 96 quarter hours (the sample merges autumn's hour), three channels each.
    assert told[latest, "record_guard"] == (
        *("warning", "record_guard", 1),
        "count_reading: 888 records, the former snapshot has 8928: 0.10 times as many, "
        "record_ratio.min allows no less than 0.6",
    )
    assert told[latest, "size_guard"][:3] == ("warning", "size_guard", 1)
    severity, _, count, example = told[latest, "snapshot_refused"]
    assert (severity, count) == ("critical", 1)
    assert example.startswith(f"{partition}: 2026-10.csv: count_reading: 888 records")


def test_a_failed_fetch_is_told_with_what_came(changed: Changed) -> None:
    told = findings(changed.candidate, "bkg-boundaries")
    assert told == {("none", "fetch_failed"): ("warning", "fetch_failed", 1, "boundaries: HTTP 404")}
    failed = changed.region.landed("bkg-boundaries", "boundaries")[-1]
    assert failed["outcome"] == "failed"
    assert since(changed.candidate)["bkg-boundaries", "fetch_failed"] == datetime.fromisoformat(failed["finished_at"])


def test_what_is_as_it_was_makes_no_new_release_and_is_known_since_then(changed: Changed) -> None:
    first_seen = since(changed.candidate)
    changed.region.ingest()
    key, candidate = changed.region.build()
    # Failing again in the same way is nothing new.
    assert key == changed.key
    assert since(candidate) == first_seen
    assert len(changed.region.landed("bkg-boundaries", "boundaries")) >= 3


def test_a_commit_in_the_catalogue_accepts_the_exception(changed: Changed) -> None:
    region, source_id = changed.region, "nrw-schools"
    latest = region.landed(source_id, "schools")[-1]["snapshot_sha256"]
    region.declare(source_id, "    guards:\n", f"    accept: [{latest}]\n    guards:\n")
    region.ingest()
    key, candidate = region.build()
    assert key != changed.key
    assert region.in_force(source_id, "schools") == latest
    told = findings(candidate, source_id)
    assert (latest, "column_missing") in told
    assert (latest, "snapshot_refused") not in told
