"""A timetable and a realtime message of one network, parsed by the connectors and built by dbt up to the marts."""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from connectors import tables
from connectors.connector import Snapshot
from connectors.formats import gtfs, gtfs_realtime
from connectors.region import region
from connectors.staging import Account, StagedWriter
from tests.dbt_project.conftest import Built, Staged, build, stage_core

MARTS = ("fct_stop_delay", "mart_punctuality", "mart_realtime_coverage")


def build_pair(feed: Path, messages: Sequence[Path], folder: Path) -> tuple[Built, Mapping[str, Account]]:
    """The marts of sources `feed` and `live`, and the account of the last message."""
    view = Staged(folder / "view")
    # Stops are located in municipalities.
    stage_core(view)
    account: Mapping[str, Account] = {}
    register = {"source_id": "register", "partition": "", "snapshot_sha256": "s1", "parse_key": "p1"}
    snapshots: list[dict[str, Any]] = [register]
    for source_id, parse, path in (
        ("feed", gtfs.parse, feed),
        *(("live", gtfs_realtime.parse, message) for message in messages),
    ):
        sha256 = path.name
        with StagedWriter(folder / "staged", source_id, sha256, "p") as out:
            parse(Snapshot(source_id, path, sha256), out, region())
            account = out.close()
        for table in tables.PARSED_TABLES:
            if out.file_of(table.name).exists():
                shutil.copy(out.file_of(table.name), view.root / table.name / f"{source_id}-{sha256}.parquet")
        key = {"source_id": source_id, "snapshot_sha256": sha256, "parse_key": "p"}
        snapshots.append({**key, "partition": "file"})
    view.state(tables.SNAPSHOT_IN_FORCE, snapshots)
    view.state(
        tables.SOURCE_CATALOGUE,
        [
            {"source_id": source_id, "domain": "transit", "priority": 1, "timetable_source_id": timetable}
            for source_id, timetable in (("feed", None), ("live", "feed"))
        ],
    )
    view.state(
        tables.SOURCE_RESOURCE,
        [
            {"source_id": source_id, "resource": "file", "connector": connector, "fresh_for_days": 1}
            for source_id, connector in (("feed", "gtfs"), ("live", "gtfs_realtime"))
        ],
    )
    chosen = [f"+{mart}" for mart in MARTS]
    built = build(view.root, folder / "build", "--select", *chosen, "--exclude-resource-type", "unit_test")
    assert built.result.success, built.result.exception
    return built, account
