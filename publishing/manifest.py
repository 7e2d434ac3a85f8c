"""What dbt's manifest declares of the marts: titles, version, key, columns."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

SCHEMA = "marts"
VERSION = re.compile(r"^\d+\.\d+\.\d+$")
Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]


class ManifestIncomplete(ValueError):
    """dbt's manifest does not declare what a release must say of a mart."""


class PersonCount(BaseModel):
    """How a column that counts persons is protected: `meta` of the column, whose `role` is `count_persons`.

    suppressed: by the pipeline, so no count from 1 to `min_persons` - 1 stands in it, in rows where the column `where`
    holds (all rows without it); cell_key: by the publisher, shown as it came.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    role: Literal["count_persons"]
    protection: Literal["suppressed", "cell_key"]
    min_persons: Annotated[int, Field(ge=2)]
    where: Text | None = None


class Declaration(BaseModel):
    """One mart as declared in dbt: `meta` of the model, its description and its columns' descriptions."""

    model_config = ConfigDict(frozen=True)

    name: Text
    description: Text
    title_de: Text
    title_en: Text
    version: Annotated[str, StringConstraints(pattern=VERSION.pattern)]
    primary_key: Annotated[tuple[Text, ...], Field(min_length=1)]
    volatile_columns: tuple[Text, ...] = ()
    key_figures: tuple[Text, ...] = ()
    columns: Annotated[dict[str, Text], Field(min_length=1)]
    person_counts: dict[str, PersonCount] = {}


def read_manifest(manifest: Path) -> dict[str, Declaration]:
    """The marts that dbt's `target/manifest.json` declares (models of schema `marts`), by name.

    Raises ManifestIncomplete naming the mart and the key that is missing or wrong.
    """
    nodes = json.loads(manifest.read_text(encoding="utf-8"))["nodes"].values()
    models = [node for node in nodes if node["resource_type"] == "model" and node["schema"] == SCHEMA]
    declared = [_declaration(manifest, node) for node in models]
    return {mart.name: mart for mart in sorted(declared, key=lambda mart: mart.name)}


def read_withdrawn(manifest: Path) -> dict[str, str]:
    """The version of each mart that is withdrawn by `enabled: false`, by name; empty where none is.

    Raises ManifestIncomplete naming a withdrawn mart without a version.
    """
    nodes = [
        node for same in json.loads(manifest.read_text(encoding="utf-8")).get("disabled", {}).values() for node in same
    ]
    models = [node for node in nodes if node["resource_type"] == "model" and "primary_key" in _meta(node)]
    for node in models:
        if not VERSION.fullmatch(str(_meta(node).get("version"))):
            raise ManifestIncomplete(f"{manifest}: withdrawn mart {node['name']}: version: expected MAJOR.MINOR.PATCH")
    return {node.get("alias") or node["name"]: _meta(node)["version"] for node in models}


def _meta(node: dict[str, Any]) -> dict[str, Any]:
    return {**node.get("meta", {}), **node.get("config", {}).get("meta", {})}


def _declaration(manifest: Path, node: dict[str, Any]) -> Declaration:
    name = node.get("alias") or node["name"]
    meta = _meta(node)
    columns = {column["name"]: column["description"] for column in node["columns"].values()}
    roles = {column["name"]: _meta(column) for column in node["columns"].values()}
    try:
        mart = Declaration.model_validate(
            {
                **meta,
                "name": name,
                "description": node["description"],
                "columns": columns,
                "person_counts": {column: role for column, role in roles.items() if "role" in role},
            }
        )
    except ValidationError as error:
        keys = "; ".join(f"{'.'.join(map(str, part['loc']))}: {part['msg']}" for part in error.errors())
        raise ManifestIncomplete(f"{manifest}: mart {name}: {keys}; declare it in the model's YAML") from error
    conditions = {count.where for count in mart.person_counts.values() if count.where is not None}
    strangers = {*mart.primary_key, *mart.volatile_columns, *mart.key_figures, *conditions} - columns.keys()
    if strangers:
        raise ManifestIncomplete(f"{manifest}: mart {name}: meta names columns it has not: {sorted(strangers)}")
    return mart
