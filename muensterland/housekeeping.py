"""What the landing holds and why, and the deliberate removal of what nobody needs any more.

No run removes anything from the landing; `prune` does, when somebody asks for it, and writes down what it took.
"""

from __future__ import annotations

import json
import shutil
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Literal

import pyarrow.parquet as pq
from pydantic import AwareDatetime, BaseModel, ConfigDict

from connectors.compaction import COMPACT_FROM
from connectors.history import landed
from connectors.landing import Landing
from connectors.tables import EVIDENCE_TABLES, PARSE_LOG, SNAPSHOT_IN_FORCE
from muensterland.settings import Home
from publishing.history import who
from publishing.shelf import kept, read_release

PRUNED = "pruned.jsonl"
# What parsing found in a snapshot stays, for those who ask how a source has changed.
_FINDINGS = tuple(table.name for table in EVIDENCE_TABLES)
# A killed freeze leaves drafts; one of this age is nobody's any more.
_DRAFT_AGE = timedelta(days=1)

Why = Literal["in_force", "released", "compared", "recent", "prunable"]


class _Shape(BaseModel):
    model_config = ConfigDict(frozen=True)


class LandedSnapshot(_Shape):
    """A folder of the landing: the bytes of one content.

    why: in_force (staged, or the latest of a partition), released (named by a kept release), recent (mentioned by the
    fetch log not long ago, also as evidence of what was refused), compared (a newer one that stays was judged against
    it: without it that one would be judged anew), or prunable.
    """

    source_id: str
    snapshot_sha256: str
    bytes: int
    last_mentioned_at: AwareDatetime
    why: Why


class Usage(_Shape):
    """What a source takes in the landing: snapshots and bytes by why they stay, and the attempts in its fetch log."""

    source_id: str
    attempts: int
    snapshots: int
    bytes: int
    in_force: int
    released: int
    recent: int
    compared: int
    prunable: int
    prunable_bytes: int


class Pruned(_Shape):
    """What pruning removes, or would: contents of the landing, and files made from bytes that are gone or replaced."""

    dry_run: bool
    snapshots: tuple[LandedSnapshot, ...]
    landing_bytes: int
    staged_files: int
    staged_bytes: int


@dataclass(frozen=True)
class _Key:
    source_id: str
    snapshot_sha256: str
    parse_key: str


def usage(home: Home, now: datetime, keep_days: int) -> list[Usage]:
    """What each source takes, by id; `prunable` is what `prune` would remove."""
    snapshots = landed_snapshots(home, now, keep_days)
    found = []
    for source_id in _source_ids(home):
        own = [snapshot for snapshot in snapshots if snapshot.source_id == source_id]
        counts = Counter(snapshot.why for snapshot in own)
        found.append(
            Usage(
                source_id=source_id,
                attempts=len(Landing(home.landing, source_id).log()),
                snapshots=len(own),
                bytes=sum(snapshot.bytes for snapshot in own),
                in_force=counts["in_force"],
                released=counts["released"],
                recent=counts["recent"],
                compared=counts["compared"],
                prunable=counts["prunable"],
                prunable_bytes=sum(snapshot.bytes for snapshot in own if snapshot.why == "prunable"),
            )
        )
    return found


def landed_snapshots(home: Home, now: datetime, keep_days: int) -> list[LandedSnapshot]:
    """Every content in the landing with why it stays, or that it need not.

    Raises publishing.shelf.ReleaseBroken where a kept release cannot say what it was made of.
    """
    released = {
        (used.source_id, used.snapshot_sha256)
        for version in kept(home.releases)
        for used in read_release(home.releases / version).inputs
    }
    return [
        snapshot
        for source_id in _source_ids(home)
        for snapshot in _of_source(home, source_id, released, now - timedelta(days=keep_days))
    ]


def _of_source(home: Home, source_id: str, released: set[tuple[str, str]], since: datetime) -> list[LandedSnapshot]:
    landing = Landing(home.landing, source_id)
    mentioned = {
        record.snapshot_sha256: record.finished_at for record in landing.log() if record.snapshot_sha256 is not None
    }
    needed = {row.snapshot_sha256 for row in _in_force(home, source_id)}
    needed |= {record.snapshot_sha256 or "" for record in landing.latest_good().values()}
    found = []
    for folder in sorted(path for path in landing.folder.iterdir() if path.is_dir() and path.name[0] != "."):
        at = mentioned.get(folder.name) or datetime.fromtimestamp(folder.stat().st_mtime, UTC)
        why: Why = "prunable"
        if folder.name in needed:
            why = "in_force"
        elif (source_id, folder.name) in released:
            why = "released"
        elif at > since:
            why = "recent"
        found.append(
            LandedSnapshot(
                source_id=source_id,
                snapshot_sha256=folder.name,
                bytes=_size(folder),
                last_mentioned_at=at,
                why=why,
            )
        )
    free = {snapshot.snapshot_sha256 for snapshot in found if snapshot.why == "prunable"}
    compared = _compared(home, landing, source_id, free)
    return [
        snapshot.model_copy(update={"why": "compared"}) if snapshot.snapshot_sha256 in free & compared else snapshot
        for snapshot in found
    ]


def _compared(home: Home, landing: Landing, source_id: str, free: set[str]) -> set[str]:
    """The snapshots without which others would be judged otherwise than they were.

    Parsing judges what landed for a partition in its order, each against the last accepted one before it. So accepted
    ones go only from the beginning, up to one that is accepted itself, and not the one that what is in force was
    compared with; refused ones decide nothing.
    """
    verdicts = {
        (row["partition"], row["snapshot_sha256"], row["former_sha256"]): row["outcome"]
        for row in _rows(home, PARSE_LOG.name, source_id)
    }
    kept_for_others: set[str] = set()
    for partition, entries in landed(landing).items():
        names = [entry.snapshot_sha256 for entry in entries]
        accepted: list[int] = []
        for place, name in enumerate(names):
            former = names[accepted[-1]] if accepted else None
            # What was not judged yet will be, against what is there then.
            if verdicts.get((partition, name, former), "staged") == "staged":
                accepted.append(place)
        last_start = accepted[-2] if len(accepted) > 1 else 0
        starts = [place for place in accepted if place <= last_start and free.issuperset(names[:place])]
        kept_for_others |= {names[place] for place in accepted if place >= max(starts, default=0)}
    return kept_for_others


def prune(home: Home, now: datetime, keep_days: int) -> Pruned:
    """Remove what `plan` says and write it down in `landing/pruned.jsonl`. The caller holds the home's lock."""
    planned = plan(home, now, keep_days)
    for snapshot in planned.snapshots:
        # Written down first: what the ledger tells and the landing still holds is removed by the next prune.
        line = {"at": now.isoformat(), "by": who(), **snapshot.model_dump(mode="json", exclude={"why"})}
        with (home.landing / PRUNED).open("a", encoding="utf-8") as ledger:
            ledger.write(json.dumps(line) + "\n")
        shutil.rmtree(home.landing / snapshot.source_id / snapshot.snapshot_sha256)
    for path in _staged_leftovers(home, now, keep_days, planned.snapshots):
        path.unlink()
    return planned.model_copy(update={"dry_run": False})


def plan(home: Home, now: datetime, keep_days: int) -> Pruned:
    """What pruning would remove: bytes that are neither in force nor named by a kept release nor mentioned within
    `keep_days`, staged files of those and of replaced parses, and leftovers of compaction."""
    snapshots = [one for one in landed_snapshots(home, now, keep_days) if one.why == "prunable"]
    leftovers = _staged_leftovers(home, now, keep_days, snapshots)
    return Pruned(
        dry_run=True,
        snapshots=tuple(snapshots),
        landing_bytes=sum(snapshot.bytes for snapshot in snapshots),
        staged_files=len(leftovers),
        staged_bytes=sum(path.stat().st_size for path in leftovers),
    )


def _staged_leftovers(home: Home, now: datetime, keep_days: int, gone: Sequence[LandedSnapshot]) -> list[Path]:
    without_bytes = {(snapshot.source_id, snapshot.snapshot_sha256) for snapshot in gone}
    in_force = {key for source_id in _source_ids(home) for key in _in_force(home, source_id)}
    found = []
    for path in sorted(home.staged.glob("*/source_id=*/snapshot_sha256=*/*.parquet")):
        table, source, snapshot = path.relative_to(home.staged).parts[:3]
        key = _Key(source.partition("=")[2], snapshot.partition("=")[2], path.stem)
        replaced = (key.source_id, key.snapshot_sha256) in without_bytes or _is_older(path, now, keep_days)
        if key not in in_force and replaced and table not in _FINDINGS:
            found.append(path)
    return [*found, *_compaction_leftovers(home, now)]


def _compaction_leftovers(home: Home, now: datetime) -> Iterator[Path]:
    """Drafts of a killed freeze, and compacted files of sources that are too small for them now."""
    for path in sorted((home.staged / ".compacted").glob("*/*/*")):
        is_draft = path.name.startswith(".") and _is_older(path, now, _DRAFT_AGE.days)
        if is_draft or len(_in_force(home, path.parent.name)) <= COMPACT_FROM:
            yield path


def _is_older(path: Path, now: datetime, days: int) -> bool:
    return now - datetime.fromtimestamp(path.stat().st_mtime, UTC) >= timedelta(days=days)


def _in_force(home: Home, source_id: str) -> list[_Key]:
    return [
        _Key(row["source_id"], row["snapshot_sha256"], row["parse_key"])
        for row in _rows(home, SNAPSHOT_IN_FORCE.name, source_id)
    ]


def _rows(home: Home, table: str, source_id: str) -> list[dict[str, Any]]:
    """A source's rows in a table of state."""
    place = home.staged / table / f"{source_id}.parquet"
    rows: list[dict[str, Any]] = pq.ParquetFile(place).read().to_pylist() if place.exists() else []
    return rows


def _source_ids(home: Home) -> list[str]:
    if not home.landing.is_dir():
        return []
    return sorted(path.name for path in home.landing.iterdir() if path.is_dir() and path.name[0] != ".")


def _size(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
