"""What dbt's manifest declares of the marts: titles, version, key, columns."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

SCHEMA = "marts"
Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]


class ManifestIncomplete(ValueError):
    """dbt's manifest does not declare what a release must say of a mart."""


class Declaration(BaseModel):
    """One mart as declared in dbt: `meta` of the model, its description and its columns' descriptions."""

    model_config = ConfigDict(frozen=True)

    name: Text
    description: Text
    title_de: Text
    title_en: Text
    version: Annotated[str, StringConstraints(pattern=r"^\d+\.\d+\.\d+$")]
    primary_key: Annotated[tuple[Text, ...], Field(min_length=1)]
    volatile_columns: tuple[Text, ...] = ()
    columns: Annotated[dict[str, Text], Field(min_length=1)]


def read_manifest(manifest: Path) -> dict[str, Declaration]:
    """The marts that dbt's `target/manifest.json` declares (models of schema `marts`), by name.

    Raises ManifestIncomplete naming the mart and the key that is missing or wrong.
    """
    nodes = json.loads(manifest.read_text(encoding="utf-8"))["nodes"].values()
    models = [node for node in nodes if node["resource_type"] == "model" and node["schema"] == SCHEMA]
    declared = [_declaration(manifest, node) for node in models]
    return {mart.name: mart for mart in sorted(declared, key=lambda mart: mart.name)}


def _declaration(manifest: Path, node: dict[str, Any]) -> Declaration:
    name = node.get("alias") or node["name"]
    meta = {**node.get("meta", {}), **node.get("config", {}).get("meta", {})}
    columns = {column["name"]: column["description"] for column in node["columns"].values()}
    try:
        mart = Declaration.model_validate(
            {**meta, "name": name, "description": node["description"], "columns": columns}
        )
    except ValidationError as error:
        keys = "; ".join(f"{'.'.join(map(str, part['loc']))}: {part['msg']}" for part in error.errors())
        raise ManifestIncomplete(f"{manifest}: mart {name}: {keys}; declare it in the model's YAML") from error
    strangers = {*mart.primary_key, *mart.volatile_columns} - columns.keys()
    if strangers:
        raise ManifestIncomplete(f"{manifest}: mart {name}: meta names columns it has not: {sorted(strangers)}")
    return mart
