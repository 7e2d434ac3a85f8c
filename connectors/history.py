"""What has landed for a source, partition by partition, in the order of the fetch log."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from connectors.landing import Landing


@dataclass(frozen=True)
class Landed:
    """The bytes of a partition from the fetch that brought them (`first_at`) to the last that confirmed them."""

    snapshot_sha256: str
    path: Path
    first_at: datetime
    last_at: datetime


def landed(landing: Landing) -> dict[str, list[Landed]]:
    """Per partition every snapshot that landed, oldest first; one that came back after another stands there twice.

    Snapshots whose bytes are no longer there are left out.
    """
    found: dict[str, list[Landed]] = defaultdict(list)
    for row in landing.log():
        if row.outcome not in ("new", "unchanged") or row.snapshot_sha256 is None or row.file_name is None:
            continue
        entries = found[row.partition]
        if entries and entries[-1].snapshot_sha256 == row.snapshot_sha256:
            entries[-1] = replace(entries[-1], last_at=row.finished_at)
        else:
            path = landing.file(row.snapshot_sha256, row.file_name)
            entries.append(Landed(row.snapshot_sha256, path, row.finished_at, row.finished_at))
    return {
        partition: present
        for partition, entries in sorted(found.items())
        if (present := [entry for entry in entries if entry.path.is_file()])
    }
