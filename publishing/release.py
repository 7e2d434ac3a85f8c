"""Publish a candidate as a release: promoted whole or not at all, readers never meet a half state."""

from __future__ import annotations

import hashlib
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from publishing.compatibility import BreakingChange, compare_contracts
from publishing.draft import TITLE_DE, TITLE_EN, build, seal, survey, title
from publishing.history import Event, append_event, held_version, now, who
from publishing.manifest import read_manifest, read_withdrawn
from publishing.quality import Judged
from publishing.quality import write as write_quality
from publishing.record import RECORD, GateSummary, Release, ReleasedMart, SnapshotUsed
from publishing.shelf import (
    DRAFT,
    KEEP,
    KEEP_AT_LEAST,
    ReleaseBroken,
    current,
    current_version,
    give_version,
    next_version,
    only_publisher,
    point_current_to,
    prune,
    read_release,
    sync,
)

__all__ = ["BreakingChange", "GateRed", "Published", "ReleaseBroken", "current", "publish", "read_release"]


class GateRed(RuntimeError):
    """The gate did not pass the candidate; nothing was promoted."""


@dataclass(frozen=True)
class Published:
    """What became of a candidate: `release` is the current one afterwards, new (`promoted`) or still right.

    held_back: the release that was rolled back and would be said again, for whose sake nothing was promoted.
    notices: what readers of the marts might want to know of the change.
    """

    promoted: bool
    release: Release
    held_back: str | None = None
    notices: tuple[str, ...] = ()


def publish(
    *,
    candidate: Path,
    manifest: Path,
    releases: Path,
    as_of: datetime,
    input_key: str,
    inputs: Sequence[Mapping[str, Any]],
    code_version: str,
    recipe_key: str = "",
    gate: Mapping[str, Any],
    synthetic: bool,
    attributions: Sequence[Mapping[str, str]] = (),
    reports: Sequence[Path] = (),
    judged: Judged | None = None,
    keep: int = KEEP,
) -> Published:
    """Promote the marts of `candidate` as a new release, unless the current one already says the same.

    Nor is it promoted where it would say again what was rolled back and not allowed since (`publishing.history.Held`).

    `inputs` are the snapshots in force (fields of SnapshotUsed), `gate` the verdict as a dictionary (`passed`,
    `counts`), `reports` files and folders to lay beside the record, `judged` the judgement to tell of in tables of
    their own, `keep` how many releases stay.
    Raises GateRed where the verdict is not a pass, ManifestIncomplete or CandidateDiffers where dbt's manifest and the
    candidate do not fit, BreakingChange where a mart breaks its contract without a new major version; then, and if the
    process dies at any point, `current` leads where it led before.
    """
    if gate["passed"] is not True:
        raise GateRed(f"{candidate}: the gate is red ({gate['counts']}); nothing is promoted, see the gate report")
    if keep < KEEP_AT_LEAST:
        raise ValueError(f"keep={keep}: expected at least {KEEP_AT_LEAST}, readers may still open the former release")
    if as_of.tzinfo is None:
        raise ValueError(f"as_of={as_of.isoformat()}: expected an instant with an offset")
    marts = survey(candidate, read_manifest(manifest), synthetic)
    used = [SnapshotUsed.model_validate(one) for one in inputs]
    with only_publisher(releases) as history:
        former = current(releases)
        notices: tuple[str, ...] = ()
        if former is not None:
            # A run killed between the link and the history has promoted all the same.
            _write_down(releases, former.path, None, history, reason="promoted before, written down now")
            if former.holds(marts, synthetic):
                return Published(promoted=False, release=former)
            held = held_version(history, recipe_key, [snapshot.identity for snapshot in used])
            if held is not None:
                return Published(promoted=False, release=former, held_back=held)
            if former.synthetic == synthetic:
                notices = _refuse_breaking(former, marts, manifest)
        draft = Release(
            path=Path(tempfile.mkdtemp(prefix=DRAFT, dir=releases)),
            version=next_version(releases, as_of),
            title_de=title(TITLE_DE, synthetic),
            title_en=title(TITLE_EN, synthetic),
            synthetic=synthetic,
            as_of=as_of.astimezone(UTC),
            input_key=input_key,
            code_version=code_version,
            recipe_key=recipe_key,
            inputs=tuple(sorted(used, key=lambda snapshot: snapshot.sort_key)),
            gate=GateSummary.model_validate(gate),
            attributions=tuple(dict(attribution) for attribution in attributions),
            marts=marts,
        )
        build(candidate, draft)
        if judged is not None:
            draft = write_quality(draft, former, judged)
        for report in reports:
            (shutil.copytree if report.is_dir() else shutil.copyfile)(report, draft.path / report.name)
        release = _promote(releases, seal(draft), history)
        prune(releases, keep)
    return Published(promoted=True, release=release, notices=notices)


def _refuse_breaking(former: Release, marts: Mapping[str, ReleasedMart], manifest: Path) -> tuple[str, ...]:
    """Raise BreakingChange where a contract is broken; what else is worth telling."""
    found = compare_contracts(former.marts, marts, read_withdrawn(manifest))
    if found.breaking:
        raise BreakingChange(
            f"breaking changes against release {former.version}, which stays current: {' | '.join(found.breaking)}"
        )
    return found.notices


def _promote(releases: Path, draft: Release, history: Sequence[Event]) -> Release:
    final = releases / draft.version
    give_version(releases, draft.version)
    draft.path.chmod(0o755)
    for path in (*draft.path.rglob("*"), draft.path):
        sync(path)
    draft.path.rename(final)
    sync(releases)
    former = current_version(releases)
    point_current_to(releases, draft.version)
    _write_down(releases, final, former, history)
    return draft.model_copy(update={"path": final})


def _write_down(
    releases: Path, release: Path, former: str | None, history: Sequence[Event], reason: str | None = None
) -> None:
    """Add a promotion to the history, unless it stands there."""
    if any(event.action == "promoted" and event.version == release.name for event in history):
        return
    record_sha256 = hashlib.sha256((release / RECORD).read_bytes()).hexdigest()
    append_event(
        releases,
        Event(
            at=now(),
            action="promoted",
            version=release.name,
            by=who(),
            former=former,
            reason=reason,
            record_sha256=record_sha256,
        ),
    )
