"""Make a release again from the landing alone and say whether it is equal."""

from __future__ import annotations

import fcntl
import shutil
import tempfile
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict

from connectors.catalogue import DOMAINS
from connectors.ingredients import Ingredient, LandingIncomplete, cut_fetch_log, restage, restore_verdicts
from connectors.landing import Landing
from connectors.view import freeze
from muensterland.recipe import FOLDER, Recipe, read_recipe
from muensterland.settings import Home
from muensterland.steps import code_version, progress
from publishing.draft import survey
from publishing.manifest import read_manifest
from publishing.record import Release, ReleasedMart, SnapshotUsed


class RebuiltMart(BaseModel):
    """A mart as released and as made again. equal: same columns, rows and contents, volatile columns apart."""

    model_config = ConfigDict(frozen=True)

    mart: str
    state: Literal["equal", "differs", "missing", "new"]
    rows_released: int | None
    rows_rebuilt: int | None
    content_sha256_released: str | None
    content_sha256_rebuilt: str | None


class Rebuilt(BaseModel):
    """What making a release again came to. Another code version than the release's may explain a difference."""

    model_config = ConfigDict(frozen=True)

    version: str
    equal: bool
    code_version_released: str
    code_version_now: str
    snapshots: int
    marts: tuple[RebuiltMart, ...]


def rebuild(home: Home, release: Release) -> Rebuilt:
    """Parse the release's snapshots from the landing into a folder of its own, build with its clock, compare.

    Nothing staged is read, nothing of the home is changed. Raises RecipeMissing, LandingIncomplete naming the file,
    muensterland.warehouse.BuildFailed.
    """
    from muensterland.warehouse import build_domain

    recipe = read_recipe(release.path)
    with _place(home) as place:
        _lay_out(home, release, recipe, place)
        for domain in DOMAINS:
            marts = build_domain(place, domain, release.as_of.isoformat(), home.logs / "dbt")
            progress.info("dbt      %-32s %d marts, %s rows", domain, len(marts), f"{sum(marts.values()):,}")
        declared = read_manifest(place / "target" / "manifest.json")
        found = survey(place / "candidate.duckdb", declared, release.synthetic)
    marts_compared = tuple(
        _mart(name, release.marts.get(name), found.get(name)) for name in sorted({*release.marts, *found})
    )
    return Rebuilt(
        version=release.version,
        equal=all(mart.state == "equal" for mart in marts_compared),
        code_version_released=release.code_version,
        code_version_now=code_version(),
        snapshots=len(release.inputs),
        marts=marts_compared,
    )


def _lay_out(home: Home, release: Release, recipe: Recipe, place: Path) -> None:
    """Stage the release's snapshots anew and freeze them in `<place>/staged`, with what was known at its time."""
    landing, staged = place / "landing", place / "parsed"
    used = _by_source(release.inputs)
    for source in recipe.sources:
        cut_fetch_log(home.landing, source.id, recipe.fetch_log_rows.get(source.id, 0), landing)
        if used[source.id]:
            restage(source, used[source.id], Landing(home.landing, source.id), staged, recipe.region)
            progress.info("parse    %-32s %d snapshots from the landing", source.id, len(used[source.id]))
    restore_verdicts(release.path / FOLDER, staged)
    catalogue = {source.id: source for source in recipe.sources}
    freeze(place / "staged", catalogue, recipe.region, landing, staged, recipe.input)


def _by_source(inputs: tuple[SnapshotUsed, ...]) -> defaultdict[str, list[Ingredient]]:
    found: defaultdict[str, list[Ingredient]] = defaultdict(list)
    for used in inputs:
        if used.file_name is None:
            raise LandingIncomplete(f"{used.source_id} {used.partition}: the release does not name the snapshot's file")
        found[used.source_id].append(Ingredient(used.source_id, used.partition, used.snapshot_sha256, used.file_name))
    return found


def _mart(name: str, released: ReleasedMart | None, rebuilt: ReleasedMart | None) -> RebuiltMart:
    state: Literal["equal", "differs", "missing", "new"] = "differs"
    if released is None or rebuilt is None:
        state = "new" if released is None else "missing"
    elif released.content_sha256 == rebuilt.content_sha256:
        state = "equal"
    return RebuiltMart(
        mart=name,
        state=state,
        rows_released=released.rows if released else None,
        rows_rebuilt=rebuilt.rows if rebuilt else None,
        content_sha256_released=released.content_sha256 if released else None,
        content_sha256_rebuilt=rebuilt.content_sha256 if rebuilt else None,
    )


@contextmanager
def _place(home: Home) -> Iterator[Path]:
    """A fresh folder in the home, gone afterwards; one rebuild at a time, so that leftovers of a killed one go too."""
    folder = home.root / "rebuild"
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        for leftover in folder.iterdir():
            if leftover.is_dir():
                shutil.rmtree(leftover)
        with tempfile.TemporaryDirectory(dir=folder) as place:
            yield Path(place)
