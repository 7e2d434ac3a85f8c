"""The landing: bytes as they came, content-addressed, and a log of every attempt to fetch; append-only."""

from __future__ import annotations

import json
import os
from collections import defaultdict
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Literal

Outcome = Literal["new", "unchanged", "absent", "failed"]
# How the addresses of files begin that were dropped by hand.
INBOX = "inbox:"


@dataclass(frozen=True)
class FetchRecord:
    """One attempt to fetch a partition (design, section 3)."""

    source_id: str
    partition: str
    url: str
    started_at: datetime
    finished_at: datetime
    http_status: int | None
    etag: str | None
    last_modified: str | None
    snapshot_sha256: str | None
    bytes: int
    outcome: Outcome
    error: str | None
    file_name: str | None = None


class Landing:
    """One source's part of the landing: `<source>/<sha256>/<original name>` beside `<source>/fetch_log.jsonl`."""

    def __init__(self, root: Path, source_id: str) -> None:
        self.folder = root / source_id
        self._log = self.folder / "fetch_log.jsonl"

    def keep(self, draft: Path, sha256: str, name: str) -> Path:
        """Move a completely written file into place; what lies there already stays as it is."""
        place = self.folder / sha256 / name
        if place.exists():
            draft.unlink()
            return place
        place.parent.mkdir(parents=True, exist_ok=True)
        with draft.open("rb") as stream:
            os.fsync(stream.fileno())
        draft.rename(place)
        return place

    def file(self, sha256: str, name: str) -> Path:
        """Where a snapshot's bytes lie."""
        return self.folder / sha256 / name

    def append(self, record: FetchRecord) -> None:
        """Add one row to the fetch log; a row is one write, so that a killed run leaves whole rows.

        A row that a power failure cut was never in the log (see `log`), so it makes way for the next one.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        line = json.dumps(asdict(record), default=_instant, ensure_ascii=False) + "\n"
        with self._log.open("a+b") as stream:
            if stream.tell():
                stream.seek(-1, os.SEEK_END)
                if stream.read(1) != b"\n":
                    os.truncate(self._log, self._log.read_bytes().rfind(b"\n") + 1)
            stream.write(line.encode())

    def log(self) -> list[FetchRecord]:
        """All attempts, oldest first; a last row cut by a power failure is left out."""
        if not self._log.exists():
            return []
        rows = self._log.read_bytes().split(b"\n")
        return [_record(row) for row in rows[:-1] if row]

    def spans(self) -> dict[str, list[tuple[FetchRecord, FetchRecord]]]:
        """Per partition, oldest first, the attempt that brought each snapshot and the last that confirmed it.

        A publisher who still has what it had (`unchanged`) does not supersede a file that was dropped later; a dropped
        file that was refused when it was parsed (`failed` with its sha256) makes way for what was before.
        """
        found: dict[str, list[tuple[FetchRecord, FetchRecord]]] = defaultdict(list)
        for row in self.log():
            spans = found[row.partition]
            is_last = bool(spans) and spans[-1][0].snapshot_sha256 == row.snapshot_sha256
            if row.outcome in ("new", "unchanged") and is_last:
                spans[-1] = spans[-1][0], row
            elif row.outcome == "new" or (row.outcome == "unchanged" and not (spans and _is_dropped(spans[-1][0]))):
                spans.append((row, row))
            elif row.outcome == "failed" and _is_dropped(row):
                refused = [span for span in spans if span[0].snapshot_sha256 == row.snapshot_sha256]
                if refused and _is_dropped(refused[-1][0]):
                    spans.remove(refused[-1])
        return {partition: spans for partition, spans in found.items() if spans}

    def latest_good(self) -> dict[str, FetchRecord]:
        """Per partition the last attempt that brought or confirmed what is to be in force (see `spans`)."""
        return {partition: spans[-1][1] for partition, spans in self.spans().items()}

    def latest_downloads(self) -> dict[str, FetchRecord]:
        """Per partition the last attempt that ended with the publisher's bytes in hand."""
        good = (row for row in self.log() if row.outcome in ("new", "unchanged"))
        return {row.partition: row for row in good if not _is_dropped(row)}


def _is_dropped(record: FetchRecord) -> bool:
    return record.url.startswith(INBOX)


def _instant(value: object) -> str:
    if isinstance(value, datetime):
        return value.isoformat()
    raise TypeError(f"{type(value).__name__} does not belong into the fetch log")


def _record(row: bytes) -> FetchRecord:
    fields = json.loads(row)
    for name in ("started_at", "finished_at"):
        fields[name] = datetime.fromisoformat(fields[name])
    return FetchRecord(**fields)
