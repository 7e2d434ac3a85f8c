"""The folder of the releases: which are kept and in what order, where the link `current` leads, who may change it."""

from __future__ import annotations

import fcntl
import json
import os
import re
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from publishing.history import Event, append_event, last_former, now, read_history, who
from publishing.record import RECORD, Release

CURRENT = "current"
# Every version ever given, in the order they were given: no number is given twice, the oldest release goes first.
LEDGER = "versions.txt"
LOCK = ".lock"
DRAFT = ".draft-"
NEXT_LINK = ".current-next"
VERSION = re.compile(r"(?P<day>\d{4}\.\d{2}\.\d{2})\.(?P<number>[1-9]\d*)")
# The release just replaced may still be being opened by somebody, so at least one stays beside the current one.
KEEP_AT_LEAST = 2
KEEP = 5


class ReleaseBroken(RuntimeError):
    """A release folder is not what it should be."""


class NoSuchRelease(ValueError):
    """A release was asked for that is not kept here."""


def current(releases: Path) -> Release | None:
    """The release that `current` leads to, None where none was promoted yet.

    Its `path` is the release's own folder, the link followed once: what is read from there belongs together, also
    when another release is promoted meanwhile. Raises ReleaseBroken naming the file.
    """
    version = current_version(releases)
    return None if version is None else read_release(releases / version)


def current_version(releases: Path) -> str | None:
    """The version that `current` leads to, None where none was promoted yet."""
    link = releases / CURRENT
    return link.readlink().name if link.is_symlink() else None


def read_release(folder: Path) -> Release:
    """The release in `folder`; raises ReleaseBroken where its record is missing or says something else."""
    record = folder / RECORD
    try:
        return Release.model_validate({**json.loads(record.read_text(encoding="utf-8")), "path": folder})
    except (OSError, ValueError) as error:
        raise ReleaseBroken(
            f"{record}: expected the record of a release, came: {error}; link {CURRENT} to another release"
        ) from error


def kept(releases: Path) -> list[str]:
    """The versions of the releases that are there, oldest first."""
    there = _folders(releases)
    given = versions(releases)
    return [*sorted(there - set(given)), *(version for version in given if version in there)]


def find(releases: Path, version: str) -> Release:
    """The release of that version, or of the word `current`; raises NoSuchRelease naming those there are."""
    there = kept(releases)
    found = current_version(releases) if version == CURRENT else version
    if not there or found is None:
        raise NoSuchRelease(f"{releases}: no release was promoted here yet; run the pipeline, or check REGION_HOME")
    if found not in there:
        raise NoSuchRelease(f"{releases}: no release {version}, expected one of {', '.join(there)}")
    return read_release(releases / found)


def point_current_to(releases: Path, version: str) -> None:
    """Move the link `current` in one step: a reader meets the former release or this one."""
    link = releases / NEXT_LINK
    link.symlink_to(version)
    link.replace(releases / CURRENT)
    sync(releases)


def next_version(releases: Path, as_of: datetime) -> str:
    """A version that was never given: the day of `as_of` in UTC and the next number of that day."""
    day = as_of.astimezone(UTC).strftime("%Y.%m.%d")
    given = [match for match in map(VERSION.fullmatch, (*versions(releases), *_folders(releases))) if match]
    number = max((int(match["number"]) for match in given if match["day"] == day), default=0) + 1
    return f"{day}.{number}"


def versions(releases: Path) -> list[str]:
    """Every version ever given, in the order they were given."""
    ledger = releases / LEDGER
    return ledger.read_text(encoding="utf-8").split() if ledger.exists() else []


def give_version(releases: Path, version: str) -> None:
    """Write down that a version is given away."""
    fresh = releases / f".{LEDGER}"
    fresh.write_text("".join(f"{given}\n" for given in [*versions(releases), version]), encoding="utf-8")
    sync(fresh)
    fresh.replace(releases / LEDGER)


def surplus(releases: Path, keep: int) -> list[str]:
    """The releases beyond the `keep` that stay, oldest first; never the current one nor the one it replaced.

    Raises ValueError where fewer are to stay than readers need.
    """
    if keep < KEEP_AT_LEAST:
        raise ValueError(f"keep={keep}: expected at least {KEEP_AT_LEAST}, readers may still open the former release")
    there = kept(releases)
    needed = {current_version(releases), last_former(read_history(releases))}
    others = [version for version in there if version not in needed]
    return others[: max(0, len(there) - keep)]


def prune(releases: Path, keep: int) -> list[str]:
    """Remove the `surplus` and write it down; the versions removed. The caller holds the lock."""
    gone = surplus(releases, keep)
    for version in gone:
        # Out of sight first: a folder that is half deleted must not look like a release.
        doomed = (releases / version).rename(releases / f"{DRAFT}{version}")
        shutil.rmtree(doomed)
        append_event(
            releases, Event(at=now(), action="pruned", version=version, by=who(), reason=f"the last {keep} stay")
        )
    return gone


def clear_leftovers(releases: Path) -> None:
    """Remove what a killed process left behind. The caller holds the lock."""
    for draft in releases.glob(f"{DRAFT}*"):
        shutil.rmtree(draft)
    (releases / NEXT_LINK).unlink(missing_ok=True)


def sync(path: Path) -> None:
    """Return when a file's bytes, or a folder's entries, are on the disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


@contextmanager
def only_publisher(releases: Path) -> Iterator[Sequence[Event]]:
    """Wait until no other process changes releases here, clear up after a killed one; yields the history.

    The lock falls with the process, however it ends.
    """
    releases.mkdir(parents=True, exist_ok=True)
    with (releases / LOCK).open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        clear_leftovers(releases)
        yield read_history(releases)


def _folders(releases: Path) -> set[str]:
    if not releases.is_dir():
        return set()
    return {path.name for path in releases.iterdir() if path.is_dir() and VERSION.fullmatch(path.name)}
