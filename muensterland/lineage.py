"""From a mart to the snapshots it came from: what dbt's manifest says of models, met with what each snapshot staged.

The graph is written when a release is made (`lineage.json` in its folder), so that it tells of that release's models.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import duckdb
from pydantic import AwareDatetime, BaseModel, ConfigDict, ValidationError

from connectors.locate import ENTITIES
from connectors.tables import (
    COLUMN_DRIFT,
    GTFS_STOPS,
    LOCATED_POINT,
    MUNICIPALITY_BOUNDARY,
    MUNICIPALITY_REGISTER,
    PARSED_TABLES,
    RECORD_ACCOUNT,
    REJECTED_ROW,
    SNAPSHOT_IN_FORCE,
    SOURCE_COVERAGE,
    STOP_NEARBY,
)
from muensterland.feeds import makes_rows
from publishing.manifest import SCHEMA
from publishing.record import Release, ReleasedMart
from publishing.sql import quoted

FILE = "lineage.json"
# Of the parsed tables, those that tell of the parsing and not of the region.
_ACCOUNTS = {REJECTED_ROW.name, RECORD_ACCOUNT.name, COLUMN_DRIFT.name}
_FROM_BYTES = {table.name for table in PARSED_TABLES} - _ACCOUNTS
# A model names a staged table in the one macro that reads files.
_STAGED = re.compile(r"staged\(\s*['\"](\w+)['\"]\s*\)")
_AREA_COLUMNS = ("ags", "area_id")

Kind = Literal["mart", "model", "seed"]


class LineageUnknown(ValueError):
    """A release does not tell where a mart, or an area, comes from."""


class _Shape(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Node(_Shape):
    """A model, mart or seed: what it is made from. staged: tables of snapshots it reads; state: of the pipeline."""

    name: str
    kind: Kind
    parents: tuple[str, ...]
    staged: tuple[str, ...]
    state: tuple[str, ...]


class Fed(_Shape):
    """How many records a snapshot in force staged in a table."""

    table: str
    source_id: str
    snapshot_sha256: str
    records: int


class Graph(_Shape):
    """What `lineage.json` holds."""

    nodes: tuple[Node, ...]
    fed: tuple[Fed, ...]


class SnapshotOf(_Shape):
    """A snapshot a mart came from; records by staged table that the mart reads."""

    source_id: str
    partition: str
    snapshot_sha256: str
    fetched_at: AwareDatetime | None
    url: str | None
    file_name: str | None
    licence: str | None
    attribution: str | None
    records: dict[str, int]


class Silent(_Shape):
    """A source that feeds the mart, but says nothing of the area."""

    source_id: str
    reason: str


class Lineage(_Shape):
    """Where a mart of a release comes from; with `area` only the snapshots that speak for it."""

    release: str
    mart: str
    version: str
    area: str | None
    nodes: tuple[Node, ...]
    snapshots: tuple[SnapshotOf, ...]
    silent: tuple[Silent, ...]


def write_lineage(run: Path) -> Path:
    """Write the graph of a run's models and frozen view beside its candidate; the file."""
    manifest = json.loads((run / "target" / "manifest.json").read_text(encoding="utf-8"))
    graph = Graph(nodes=tuple(nodes_of(manifest)), fed=tuple(_fed(run / "staged")))
    file = run / FILE
    file.write_text(graph.model_dump_json(indent=1) + "\n", encoding="utf-8")
    return file


def nodes_of(manifest: Mapping[str, Any]) -> list[Node]:
    """The models and seeds of a dbt manifest, by name; parents are models and seeds.

    Located points are read through one model for all kinds: whoever reads it comes from the boundaries, and from the
    points' own tables of the kinds it names, of all where it names none. So it is with the stops near points. What only
    orders the work is no parent of anything.
    """
    found = {
        key: node
        for key, node in manifest["nodes"].items()
        if node["resource_type"] in ("model", "seed") and makes_rows(node)
    }
    reads = {key: _STAGED.findall(node.get("raw_code") or "") for key, node in found.items()}
    nodes = []
    for key, node in found.items():
        parents = [parent for parent in manifest["parent_map"].get(key, ()) if parent in found]
        staged = {table for table in reads[key] if table in _FROM_BYTES}
        if SOURCE_COVERAGE.name in reads[key]:
            staged.add(MUNICIPALITY_REGISTER.name)
        if any(LOCATED_POINT.name in reads[parent] for parent in parents):
            staged |= {MUNICIPALITY_BOUNDARY.name, *_point_tables(node["raw_code"])}
        if any(STOP_NEARBY.name in reads[parent] for parent in parents):
            staged |= {GTFS_STOPS.name, *_point_tables(node["raw_code"])}
        nodes.append(
            Node(
                name=node["name"],
                kind=_kind(node),
                parents=tuple(sorted(found[parent]["name"] for parent in parents)),
                staged=tuple(sorted(staged)),
                state=tuple(sorted(set(reads[key]) - _FROM_BYTES)),
            )
        )
    return sorted(nodes, key=lambda node: node.name)


def _point_tables(sql: str) -> set[str]:
    named = {table for table, (entity, *_) in ENTITIES.items() if f"'{entity}'" in sql}
    return named or set(ENTITIES)


def _kind(node: Mapping[str, Any]) -> Kind:
    if node["resource_type"] == "seed":
        return "seed"
    return "mart" if node["schema"] == SCHEMA else "model"


def _fed(view: Path) -> Iterable[Fed]:
    """What each snapshot in force staged, by table, from the records' accounts."""
    with duckdb.connect() as database:
        rows = database.execute(
            """
            select account.table_name, account.source_id, account.snapshot_sha256, sum(account.records)::bigint
            from read_parquet($accounts, hive_partitioning = false) as account
            semi join read_parquet($in_force) as in_force using (source_id, snapshot_sha256, parse_key)
            where account.outcome = 'staged' and account.records > 0
            group by all
            order by all
            """,
            {
                "accounts": str(view / RECORD_ACCOUNT.name / "*.parquet"),
                "in_force": str(view / SNAPSHOT_IN_FORCE.name / "rows.parquet"),
            },
        ).fetchall()
    return [
        Fed(table=table, source_id=source_id, snapshot_sha256=sha256, records=records)
        for table, source_id, sha256, records in rows
    ]


def trace(release: Release, mart: str, area: str | None = None) -> Lineage:
    """The models a mart is made from and the snapshots that fed them.

    With `area` (a key of `dim_area`) only the snapshots of sources that speak for it (`mart_coverage`) and, where rows
    name their source, have a row of it in the mart; the others are `silent`, with the reason.
    Raises LineageUnknown where the release has no such mart or area, or does not hold `lineage.json`.
    """
    if mart not in release.marts:
        raise LineageUnknown(
            f"release {release.version} has no mart {mart}, expected one of {', '.join(release.marts)}"
        )
    graph = read_graph(release.path)
    nodes = _above(mart, graph)
    snapshots = _snapshots(release, nodes, graph.fed)
    silent = _silent(release, mart, area, {used.source_id for used in snapshots}) if area else {}
    return Lineage(
        release=release.version,
        mart=mart,
        version=release.marts[mart].version,
        area=area,
        nodes=nodes,
        snapshots=tuple(used for used in snapshots if used.source_id not in silent),
        silent=tuple(Silent(source_id=source, reason=reason) for source, reason in sorted(silent.items())),
    )


def read_graph(folder: Path) -> Graph:
    """The graph in a release's folder; raises LineageUnknown naming the file."""
    file = folder / FILE
    try:
        return Graph.model_validate_json(file.read_bytes())
    except (OSError, ValidationError) as error:
        raise LineageUnknown(f"{file}: expected the lineage of a release, came: {error}") from error


def _above(mart: str, graph: Graph) -> tuple[Node, ...]:
    """The mart and everything it is made from, the mart first, then by name."""
    by_name = {node.name: node for node in graph.nodes}
    found, ahead = {mart}, [mart]
    while ahead:
        for parent in by_name[ahead.pop()].parents:
            if parent not in found:
                found.add(parent)
                ahead.append(parent)
    return (by_name[mart], *(by_name[name] for name in sorted(found - {mart})))


def _snapshots(release: Release, nodes: Sequence[Node], fed: Sequence[Fed]) -> list[SnapshotOf]:
    tables = {table for node in nodes for table in node.staged}
    records: dict[tuple[str, str], dict[str, int]] = {}
    for entry in fed:
        if entry.table in tables:
            records.setdefault((entry.source_id, entry.snapshot_sha256), {})[entry.table] = entry.records
    terms = {attribution["id"]: attribution for attribution in release.attributions}
    return [
        SnapshotOf(
            source_id=used.source_id,
            partition=used.partition,
            snapshot_sha256=used.snapshot_sha256,
            fetched_at=used.fetched_at,
            url=used.url,
            file_name=used.file_name,
            licence=terms.get(used.source_id, {}).get("licence"),
            attribution=terms.get(used.source_id, {}).get("attribution"),
            records=records[used.source_id, used.snapshot_sha256],
        )
        for used in release.inputs
        if (used.source_id, used.snapshot_sha256) in records
    ]


def _silent(release: Release, mart: str, area: str, sources: set[str]) -> dict[str, str]:
    """Which of the sources say nothing of the area in the mart, and why."""
    with duckdb.connect(str(release.warehouse), read_only=True) as connection:
        level = connection.execute(
            f"select level from {quoted(SCHEMA, 'dim_area')} where area_id = ?", [area]
        ).fetchone()
        if level is None:
            raise LineageUnknown(f"release {release.version} has no area {area}; see dim_area for the keys there are")
        if level == ("region",):
            return {}
        speaking = connection.execute(
            f"select distinct source_id from {quoted(SCHEMA, 'mart_coverage')} where starts_with(ags, ?)", [area[:8]]
        ).fetchall()
        silent = dict.fromkeys(sources - {source for (source,) in speaking}, f"does not speak for {area}")
        named = _named_sources(connection, release, mart, area)
    if named is not None:
        anywhere, here = named
        silent |= dict.fromkeys(sources & (anywhere - here) - silent.keys(), f"has no row of {area} in {mart}")
    return silent


def _named_sources(
    connection: duckdb.DuckDBPyConnection, release: Release, mart: str, area: str
) -> tuple[set[str], set[str]] | None:
    """The sources that rows of the mart name, anywhere and in the area; None where rows name no source or no place.

    A mart without a place of its own has that of the dimension whose key it holds (a departure that of its stop).
    """
    place = _place_of(release, mart)
    if place is None:
        return None
    owner, column = place
    has_source = [name for name in (mart, owner) if "source_id" in _columns(release.marts[name])]
    if not has_source:
        return None
    key = release.marts[owner].primary_key
    same = " and ".join(f"m.{quoted(name)} = p.{quoted(name)}" for name in key)
    side = "m" if has_source[0] == mart else "p"
    rows = connection.execute(
        f"""
        select {side}.source_id, coalesce(bool_or(starts_with(p.{quoted(column)}, ?)), false)
        from {quoted(SCHEMA, mart)} as m
        inner join {quoted(SCHEMA, owner)} as p on {same}
        where {side}.source_id is not null
        group by all
        """,
        [area],
    ).fetchall()
    return {source for source, _ in rows}, {source for source, is_here in rows if is_here}


def _place_of(release: Release, mart: str) -> tuple[str, str] | None:
    """The mart that knows the place of the mart's rows (itself, or a dimension by its key) and the column."""
    columns = _columns(release.marts[mart])
    dimensions = [
        name for name, other in release.marts.items() if name.startswith("dim_") and set(other.primary_key) <= columns
    ]
    for owner in (mart, *dimensions):
        for column in _AREA_COLUMNS:
            if column in _columns(release.marts[owner]):
                return owner, column
    return None


def _columns(mart: ReleasedMart) -> set[str]:
    return {column.name for column in mart.columns}
