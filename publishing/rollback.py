"""Change by hand which release is current, and let again what a rollback holds back."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from publishing.history import Event, Held, append_event, held_back, now, rolled_back, who
from publishing.record import Release
from publishing.shelf import (
    NoSuchRelease,
    ReleaseBroken,
    current_version,
    find,
    kept,
    only_publisher,
    point_current_to,
    read_release,
)


class NothingToDo(ValueError):
    """What was asked for is so already."""


@dataclass(frozen=True)
class Returned:
    """A release that was made current by hand, and what was written down."""

    release: Release
    event: Event


def roll_back(releases: Path, version: str | None = None, reason: str | None = None) -> Returned:
    """Make a kept release current, atomically: `version`, or the one before the current.

    Going back, the releases left behind are held back: what has the snapshots that the target lacks, by the same
    catalogue and code, is not promoted again until it is allowed or made current by hand. Going forward to a later one
    lets that one again.
    Raises NoSuchRelease, NothingToDo where it is current already, ReleaseBroken where it cannot be read.
    """
    _require(releases)
    with only_publisher(releases) as history:
        there, former = kept(releases), current_version(releases)
        target = find(releases, version or _before(releases, there, former, rolled_back(history)))
        if target.version == former:
            raise NothingToDo(f"{releases}: release {former} is current already")
        at = there.index(target.version)
        back = former in there[at:]
        behind = there[at + 1 : there.index(former) + 1] if back and former is not None else []
        point_current_to(releases, target.version)
        event = Event(
            at=now(),
            action="rolled_back" if back else "restored",
            version=target.version,
            former=former,
            by=who(),
            reason=reason,
            held_back={version: _held(releases / version, target) for version in behind},
        )
        return Returned(target, append_event(releases, event))


def allow(releases: Path, version: str, reason: str | None = None) -> Event:
    """Let be promoted again what a rollback holds back; raises NothingToDo naming what is held back."""
    _require(releases)
    with only_publisher(releases) as history:
        held = held_back(history)
        if version not in held:
            raise NothingToDo(f"{releases}: {version} is not held back; held back: {', '.join(held) or 'nothing'}")
        return append_event(releases, Event(at=now(), action="allowed", version=version, by=who(), reason=reason))


def _require(releases: Path) -> None:
    if not releases.is_dir():
        raise NoSuchRelease(f"{releases}: no release was ever promoted here; run the pipeline, or check REGION_HOME")


def _before(releases: Path, there: list[str], former: str | None, bad: frozenset[str]) -> str:
    """The last release before the current one that was not rolled back itself."""
    earlier = [version for version in there[: there.index(former)] if version not in bad] if former in there else []
    if not earlier:
        raise NoSuchRelease(f"{releases}: no release before {former or 'the first one'}; kept: {', '.join(there)}")
    return earlier[-1]


def _held(folder: Path, target: Release) -> Held:
    """What the release in `folder` has and the target lacks; nothing where its record cannot be read: it is gone."""
    try:
        release = read_release(folder)
    except ReleaseBroken:
        return Held(recipe_key="", snapshots=())
    own, lacking = ({snapshot.identity for snapshot in one.inputs} for one in (release, target))
    return Held(recipe_key=release.recipe_key, snapshots=tuple(sorted(own - lacking or own)))
