"""What happened to the releases: an append-only ledger with a line of JSON per promotion, rollback and pruning."""

from __future__ import annotations

import getpass
import os
from collections.abc import Collection, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError

HISTORY = "history.jsonl"
# rolled_back: an earlier release became current; restored: a later one did, by hand; allowed: may be made again.
Action = Literal["promoted", "rolled_back", "restored", "allowed", "pruned"]
BECAME_CURRENT: tuple[Action, ...] = ("promoted", "rolled_back", "restored")


class HistoryBroken(RuntimeError):
    """A line of the ledger is not what it should be."""


class Held(BaseModel):
    """What of a release that was rolled back must not be promoted again.

    recipe_key: of catalogue, region and code. snapshots: those it has and the release one went back to lacks, or all of
    its own where that lacks none; each as source, partition and content.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    recipe_key: str
    snapshots: tuple[tuple[str, str, str], ...]

    def holds(self, recipe_key: str, in_force: Collection[tuple[str, str, str]]) -> bool:
        """Whether a release of this recipe and these snapshots would say again what was rolled back.

        What other sources bring meanwhile makes no difference: the snapshots in question are still there.
        """
        return bool(recipe_key) and self.recipe_key == recipe_key and set(self.snapshots) <= set(in_force)


class Event(BaseModel):
    """One thing that was done to a release.

    version: the release that became current, was allowed again or removed. former: the one current before.
    record_sha256: of the `release.json` that was promoted. held_back: by version, what of the releases that a rollback
    left behind is not promoted again until one allows it.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    at: AwareDatetime
    action: Action
    version: str
    by: str
    former: str | None = None
    reason: str | None = None
    record_sha256: str | None = None
    held_back: dict[str, Held] = Field(default_factory=dict)


def read_history(releases: Path) -> list[Event]:
    """Every event, oldest first; a last line cut by a power failure was never written, so it is left out.

    Raises HistoryBroken naming file and line.
    """
    ledger = releases / HISTORY
    if not ledger.exists():
        return []
    events = []
    for number, line in enumerate(ledger.read_bytes().split(b"\n")[:-1], start=1):
        try:
            events.append(Event.model_validate_json(line))
        except ValidationError as error:
            raise HistoryBroken(
                f"{ledger}: line {number}: expected an event of the releases' history, came {line[:80]!r}; "
                "restore the file from a backup, or take the line out"
            ) from error
    return events


def append_event(releases: Path, event: Event) -> Event:
    """Add an event to the ledger, on the disk when this returns, and give it back."""
    ledger = releases / HISTORY
    line = event.model_dump_json(exclude_defaults=True).encode() + b"\n"
    with ledger.open("a+b") as stream:
        if stream.tell():
            stream.seek(-1, os.SEEK_END)
            if stream.read(1) != b"\n":
                os.truncate(ledger, ledger.read_bytes().rfind(b"\n") + 1)
        stream.write(line)
        stream.flush()
        os.fsync(stream.fileno())
    return event


def now() -> datetime:
    """The instant an event is written down, in UTC to the second."""
    return datetime.now(UTC).replace(microsecond=0)


def who() -> str:
    """The account that acts, or its number where it has no name."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return f"uid {os.getuid()}"


def promoted_at(events: Sequence[Event], version: str) -> datetime | None:
    """When a release was promoted, None where the ledger does not say."""
    return next((event.at for event in events if event.action == "promoted" and event.version == version), None)


def rolled_back(events: Sequence[Event]) -> frozenset[str]:
    """The releases that a rollback left behind and that nobody made current again."""
    behind: set[str] = set()
    for event in events:
        behind |= event.held_back.keys()
        if event.action in BECAME_CURRENT:
            behind.discard(event.version)
    return frozenset(behind)


def held_back(events: Sequence[Event]) -> dict[str, Held]:
    """The releases that must not be made again without being asked for, and by what they are known, by version."""
    held: dict[str, Held] = {}
    for event in events:
        held |= event.held_back
        if event.action in (*BECAME_CURRENT, "allowed"):
            held.pop(event.version, None)
    return held


def held_version(events: Sequence[Event], recipe_key: str, in_force: Collection[tuple[str, str, str]]) -> str | None:
    """The release for whose sake nothing of this recipe and these snapshots is promoted, None where none holds it."""
    return next((version for version, held in held_back(events).items() if held.holds(recipe_key, in_force)), None)


def last_former(events: Sequence[Event]) -> str | None:
    """The release that was current before the present one: a reader may still be opening it."""
    return next((event.former for event in reversed(events) if event.action in BECAME_CURRENT), None)
