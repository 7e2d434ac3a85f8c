"""Publish a candidate as a release: promoted whole or not at all, readers never meet a half state."""

from __future__ import annotations

import fcntl
import json
import os
import re
import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from publishing.draft import TITLE_DE, TITLE_EN, build, survey, title
from publishing.manifest import read_manifest
from publishing.quality import Judged
from publishing.quality import write as write_quality
from publishing.record import RECORD, GateSummary, Release, SnapshotUsed

CURRENT = "current"
# Every version ever given, in the order they were given: no number is given twice, the oldest release goes first.
LEDGER = "versions.txt"
LOCK = ".lock"
DRAFT = ".draft-"
NEXT_LINK = ".current-next"
VERSION = re.compile(r"(?P<day>\d{4}\.\d{2}\.\d{2})\.(?P<number>[1-9]\d*)")
# The release just replaced may still be being opened by somebody, so at least one stays beside the current one.
KEEP_AT_LEAST = 2


class GateRed(RuntimeError):
    """The gate did not pass the candidate; nothing was promoted."""


class ReleaseBroken(RuntimeError):
    """A release folder is not what it should be."""


@dataclass(frozen=True)
class Published:
    """What became of a candidate: `release` is the current one afterwards, new (`promoted`) or still right."""

    promoted: bool
    release: Release


def current(releases: Path) -> Release | None:
    """The release that `current` leads to, None where none was promoted yet.

    Its `path` is the release's own folder, the link followed once: what is read from there belongs together, also
    when another release is promoted meanwhile. Raises ReleaseBroken naming the file.
    """
    link = releases / CURRENT
    if not link.is_symlink():
        return None
    return read_release(releases / link.readlink().name)


def read_release(folder: Path) -> Release:
    """The release in `folder`; raises ReleaseBroken where its record is missing or says something else."""
    record = folder / RECORD
    try:
        return Release.model_validate({**json.loads(record.read_text(encoding="utf-8")), "path": folder})
    except (OSError, ValueError) as error:
        raise ReleaseBroken(
            f"{record}: expected the record of a release, came: {error}; link {CURRENT} to another release"
        ) from error


def publish(
    *,
    candidate: Path,
    manifest: Path,
    releases: Path,
    as_of: datetime,
    input_key: str,
    inputs: Sequence[Mapping[str, str]],
    code_version: str,
    gate: Mapping[str, Any],
    synthetic: bool,
    attributions: Sequence[Mapping[str, str]] = (),
    reports: Sequence[Path] = (),
    judged: Judged | None = None,
    keep: int = 5,
) -> Published:
    """Promote the marts of `candidate` as a new release, unless the current one already says the same.

    `inputs` are the snapshots in force (source_id, partition, snapshot_sha256, parse_key), `gate` the verdict as a
    dictionary (`passed`, `counts`), `reports` files to lay beside the record, `judged` the judgement to
    tell of in tables of their own, `keep` how many releases stay.
    Raises GateRed where the verdict is not a pass, ManifestIncomplete or CandidateDiffers where dbt's manifest and the
    candidate do not fit; then, and if the process dies at any point, `current` leads where it led before.
    """
    if gate["passed"] is not True:
        raise GateRed(f"{candidate}: the gate is red ({gate['counts']}); nothing is promoted, see the gate report")
    if keep < KEEP_AT_LEAST:
        raise ValueError(f"keep={keep}: expected at least {KEEP_AT_LEAST}, readers may still open the former release")
    if as_of.tzinfo is None:
        raise ValueError(f"as_of={as_of.isoformat()}: expected an instant with an offset")
    marts = survey(candidate, read_manifest(manifest), synthetic)
    with _only_publisher(releases):
        _clear_leftovers(releases)
        former = current(releases)
        if former is not None and former.holds(marts, synthetic):
            return Published(promoted=False, release=former)
        draft = Release(
            path=Path(tempfile.mkdtemp(prefix=DRAFT, dir=releases)),
            version=_next_version(releases, as_of),
            title_de=title(TITLE_DE, synthetic),
            title_en=title(TITLE_EN, synthetic),
            synthetic=synthetic,
            as_of=as_of.astimezone(UTC),
            input_key=input_key,
            code_version=code_version,
            inputs=tuple(
                sorted((SnapshotUsed.model_validate(used) for used in inputs), key=lambda used: used.sort_key)
            ),
            gate=GateSummary.model_validate(gate),
            attributions=tuple(dict(attribution) for attribution in attributions),
            marts=marts,
        )
        build(candidate, draft)
        if judged is not None:
            draft = write_quality(draft, former, judged)
        for report in reports:
            shutil.copyfile(report, draft.path / report.name)
        release = _promote(releases, draft)
        _prune(releases, keep)
    return Published(promoted=True, release=release)


def _promote(releases: Path, draft: Release) -> Release:
    final = releases / draft.version
    _write_ledger(releases, [*_ledger(releases), draft.version])
    draft.path.chmod(0o755)
    for path in (*draft.path.rglob("*"), draft.path):
        _sync(path)
    draft.path.rename(final)
    _sync(releases)
    link = releases / NEXT_LINK
    link.symlink_to(draft.version)
    link.replace(releases / CURRENT)
    _sync(releases)
    return draft.model_copy(update={"path": final})


def _next_version(releases: Path, as_of: datetime) -> str:
    day = as_of.astimezone(UTC).strftime("%Y.%m.%d")
    given = [match for match in map(VERSION.fullmatch, (*_ledger(releases), *_folders(releases))) if match]
    number = max((int(match["number"]) for match in given if match["day"] == day), default=0) + 1
    return f"{day}.{number}"


def _prune(releases: Path, keep: int) -> None:
    there = _folders(releases)
    in_force = (releases / CURRENT).readlink().name
    others = [version for version in _ledger(releases) if version in there and version != in_force]
    for version in others[: max(0, len(others) - (keep - 1))]:
        # Out of sight first: a folder that is half deleted must not look like a release.
        doomed = (releases / version).rename(releases / f"{DRAFT}{version}")
        shutil.rmtree(doomed)


def _clear_leftovers(releases: Path) -> None:
    for draft in releases.glob(f"{DRAFT}*"):
        shutil.rmtree(draft)
    (releases / NEXT_LINK).unlink(missing_ok=True)


def _folders(releases: Path) -> set[str]:
    return {path.name for path in releases.iterdir() if path.is_dir() and VERSION.fullmatch(path.name)}


def _ledger(releases: Path) -> list[str]:
    ledger = releases / LEDGER
    return ledger.read_text(encoding="utf-8").split() if ledger.exists() else []


def _write_ledger(releases: Path, versions: Sequence[str]) -> None:
    fresh = releases / f".{LEDGER}"
    fresh.write_text("".join(f"{version}\n" for version in versions), encoding="utf-8")
    _sync(fresh)
    fresh.replace(releases / LEDGER)


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


@contextmanager
def _only_publisher(releases: Path) -> Iterator[None]:
    """Wait until no other process publishes here; the lock falls with the process, however it ends."""
    releases.mkdir(parents=True, exist_ok=True)
    with (releases / LOCK).open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
