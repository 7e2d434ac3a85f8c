"""Which sources feed a mart: what dbt's manifest says it is made from, met with what the connectors stage."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from connectors.catalogue import Source
from connectors.registry import connector
from connectors.tables import (
    COLUMN_DRIFT,
    FETCH_LOG,
    LOCATED_POINT,
    MUNICIPALITY_BOUNDARY,
    PARSE_LOG,
    RECORD_ACCOUNT,
    REJECTED_ROW,
)
from muensterland.settings import Input

STAGING = "stg_"
# What the pipeline writes down about every source.
OF_EVERY_SOURCE = {table.name for table in (COLUMN_DRIFT, FETCH_LOG, PARSE_LOG, RECORD_ACCOUNT, REJECTED_ROW)}


def feeding_sources(manifest: Path, sources: Iterable[Source], kind: Input) -> dict[str, tuple[str, ...]]:
    """The ids of the sources that feed each mart of dbt's `target/manifest.json`, among those `kind` offers.

    A source feeds a mart where one of its connectors fills a staged table that a staging model above the mart reads
    (`stg_<table>`). A mart made from what the pipeline writes down about its sources tells of all; located
    points hold boundaries.
    """
    staged_by = {
        source.id: {table.name for part in source.resources.values() for table in connector(part.connector).tables}
        for source in sources
        if kind in source.inputs
    }
    written = json.loads(manifest.read_text(encoding="utf-8"))
    names = {
        node_id: node["name"]
        for node_id, node in written["nodes"].items()
        if node["resource_type"] == "model" and makes_rows(node)
    }
    marts = [node_id for node_id in names if written["nodes"][node_id]["schema"] == "marts"]
    feeds = {}
    for mart in sorted(marts, key=names.__getitem__):
        tables = _staged_tables(mart, written["parent_map"], names)
        feeds[names[mart]] = tuple(sorted(source for source, fills in staged_by.items() if _feeds(fills, tables)))
    return feeds


def makes_rows(node: Mapping[str, Any]) -> bool:
    """Whether rows of other models are made of those of a node of dbt's manifest.

    A model that says `only_orders_work` in its `meta` decides what is computed when; what it reads feeds nobody.
    """
    return not node.get("config", {}).get("meta", {}).get("only_orders_work", False)


def _feeds(fills: set[str], tables: set[str]) -> bool:
    """Whether a source that fills these staged tables feeds what is made from `tables`."""
    if tables & OF_EVERY_SOURCE:
        return True
    through_points = {MUNICIPALITY_BOUNDARY.name} if LOCATED_POINT.name in tables else set()
    return bool(fills & (tables | through_points))


def _staged_tables(mart: str, parents: Mapping[str, list[str]], names: Mapping[str, str]) -> set[str]:
    """The staged tables that the models above `mart` read."""
    seen: set[str] = set()
    ahead = [mart]
    while ahead:
        for parent in parents.get(ahead.pop(), ()):
            if parent in names and parent not in seen:
                seen.add(parent)
                ahead.append(parent)
    return {names[node].removeprefix(STAGING) for node in seen if names[node].startswith(STAGING)}
