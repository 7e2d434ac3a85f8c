"""The releases at a glance: which there are, which is current, what was rolled back."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from pydantic import AwareDatetime, BaseModel, ConfigDict

from publishing.history import Event, held_back, promoted_at, read_history, rolled_back
from publishing.shelf import ReleaseBroken, current_version, kept, read_release


class ReleaseRow(BaseModel):
    """A kept release in a line.

    rows: of all marts. bytes: of the folder. held_back: what is made of the same is not promoted again. broken: why its
    record cannot be read; what the record would say is null then.
    """

    model_config = ConfigDict(frozen=True)

    version: str
    current: bool
    as_of: AwareDatetime | None
    promoted_at: AwareDatetime | None
    marts: int | None
    rows: int | None
    bytes: int
    gate_passed: bool | None
    synthetic: bool | None
    rolled_back: bool
    held_back: bool
    broken: str | None


def list_releases(releases: Path) -> list[ReleaseRow]:
    """The releases that are kept, newest first; a broken one says why instead of stopping the list."""
    history, in_force = read_history(releases), current_version(releases)
    return [_row(releases / version, version == in_force, history) for version in reversed(kept(releases))]


def _row(folder: Path, is_current: bool, history: Sequence[Event]) -> ReleaseRow:
    try:
        release, broken = read_release(folder), None
    except ReleaseBroken as error:
        release, broken = None, str(error)
    return ReleaseRow(
        version=folder.name,
        current=is_current,
        as_of=release.as_of if release else None,
        promoted_at=promoted_at(history, folder.name),
        marts=len(release.marts) if release else None,
        rows=sum(mart.rows for mart in release.marts.values()) if release else None,
        bytes=sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()),
        gate_passed=release.gate.passed if release else None,
        synthetic=release.synthetic if release else None,
        rolled_back=folder.name in rolled_back(history),
        held_back=folder.name in held_back(history),
        broken=broken,
    )
