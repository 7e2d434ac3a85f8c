"""What has landed for a source, partition by partition, in the order of the fetch log."""

from __future__ import annotations

from dataclasses import dataclass
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
    found: dict[str, list[Landed]] = {}
    for partition, spans in sorted(landing.spans().items()):
        for first, last in spans:
            path = landing.file(str(first.snapshot_sha256), str(last.file_name))
            if path.is_file():
                entry = Landed(str(first.snapshot_sha256), path, first.finished_at, last.finished_at)
                found.setdefault(partition, []).append(entry)
    return found
