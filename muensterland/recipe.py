"""What a release was made of beside its snapshots, kept in the release: `recipe/` below its folder.

With it and the landing the release can be made again, whatever the catalogue says by then (`muensterland.rebuild`).
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from connectors.catalogue import Source
from connectors.ingredients import fetch_log_rows, keep_verdicts
from connectors.region import Region
from muensterland.settings import Input

FOLDER = "recipe"
_FILE = "recipe.json"


class RecipeMissing(RuntimeError):
    """A release does not hold what it was made of."""


class Recipe(BaseModel):
    """Catalogue and region as they were, and how far the fetch logs were known: rows by source."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    input: Input
    recipe_key: str
    fetch_log_rows: dict[str, int]
    region: Region
    sources: tuple[Source, ...]


def write_recipe(run: Path, sources: Iterable[Source], region: Region, kind: Input, recipe_key: str) -> Path:
    """Write the recipe of what is frozen in `<run>/staged`; its folder."""
    view, folder = run / "staged", run / FOLDER
    folder.mkdir()
    keep_verdicts(view, folder)
    recipe = Recipe(
        input=kind,
        recipe_key=recipe_key,
        fetch_log_rows=fetch_log_rows(view),
        region=region,
        sources=tuple(sources),
    )
    (folder / _FILE).write_text(recipe.model_dump_json(indent=1) + "\n", encoding="utf-8")
    return folder


def read_recipe(folder: Path) -> Recipe:
    """The recipe in a run's or a release's folder; raises RecipeMissing naming the file."""
    file = folder / FOLDER / _FILE
    try:
        return Recipe.model_validate_json(file.read_bytes())
    except (OSError, ValidationError) as error:
        raise RecipeMissing(
            f"{file}: expected what the release was made of, came: {error}; releases of older code cannot be rebuilt"
        ) from error
