"""A frozen view of everything in force: one folder of Parquet files per staged table, for dbt to read.

The files are hard links, so that connectors may go on writing and compacting while a release is built from the view.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from connectors.catalogue import Source
from connectors.civil_time import CIVIL_TIME
from connectors.compaction import compacted, in_order_of_time
from connectors.counts import declared_corrections, declared_topology
from connectors.landing import FetchRecord, Landing
from connectors.locate import boundaries_of, locate, points_of
from connectors.nearby import nearby
from connectors.region import Region
from connectors.staging import replace_parquet
from connectors.tables import (
    COUNT_CORRECTION,
    COUNT_TOPOLOGY,
    EVIDENCE_TABLES,
    FETCH_LOG,
    LOCATED_POINT,
    MUNICIPALITY_REGISTER,
    PARSE_LOG,
    PARSED_TABLES,
    REGION_AREA,
    SNAPSHOT_FINDING,
    SNAPSHOT_IN_FORCE,
    SOURCE_CATALOGUE,
    SOURCE_COVERAGE,
    SOURCE_RESOURCE,
    STOP_NEARBY,
    Table,
)


def snapshots_in_force(catalogue: Mapping[str, Source], staged: Path) -> pa.Table:
    """The rows of `snapshot_in_force` of all sources in the catalogue, sorted by source and partition."""
    return _state(SNAPSHOT_IN_FORCE, catalogue, staged)


def freeze(
    view: Path, catalogue: Mapping[str, Source], region: Region, landing: Path, staged: Path, input_kind: str
) -> None:
    """Lay out `<view>/<table>/*.parquet` for every staged table; each table has at least one, possibly empty, file."""
    in_force = snapshots_in_force(catalogue, staged)
    judged = _state(PARSE_LOG, catalogue, staged)
    for table in PARSED_TABLES:
        _link_table(view, table, judged if table in EVIDENCE_TABLES else in_force, staged)
    _write(view, SNAPSHOT_IN_FORCE, in_force)
    _write(view, PARSE_LOG, judged)
    _write(view, SNAPSHOT_FINDING, _state(SNAPSHOT_FINDING, catalogue, staged))
    _write(view, FETCH_LOG, _fetch_log(catalogue, landing))
    _write(view, SOURCE_CATALOGUE, _source_catalogue(catalogue.values(), input_kind))
    _write(view, SOURCE_RESOURCE, _source_resource(catalogue.values()))
    _write(view, SOURCE_COVERAGE, _source_coverage(catalogue.values(), view, region))
    _write(view, REGION_AREA, _region_area(region))
    _write(view, COUNT_TOPOLOGY, declared_topology(catalogue.values(), input_kind))
    _write(view, COUNT_CORRECTION, declared_corrections(catalogue.values(), input_kind))
    points = points_of(view)
    _write(view, LOCATED_POINT, locate(points, boundaries_of(view)))
    _write(view, STOP_NEARBY, nearby(points))


def _state(table: Table, catalogue: Mapping[str, Source], staged: Path) -> pa.Table:
    places = [staged / table.name / f"{source_id}.parquet" for source_id in sorted(catalogue)]
    parts = [pq.ParquetFile(place).read() for place in places if place.exists()]
    # A home of an older version may lack a column.
    return pa.concat_tables([table.columns.empty_table(), *parts], promote_options="default")


def _rows(table: Table, source_id: str, staged: Path) -> list[dict[str, Any]]:
    place = staged / table.name / f"{source_id}.parquet"
    rows: list[dict[str, Any]] = pq.ParquetFile(place).read().to_pylist() if place.exists() else []
    return rows


def _write(view: Path, table: Table, rows: pa.Table) -> None:
    replace_parquet(view / table.name / "rows.parquet", rows.select(table.columns.names).cast(table.columns))


def _link_table(view: Path, table: Table, snapshots: pa.Table, staged: Path) -> None:
    replace_parquet(view / table.name / "none.parquet", table.schema.empty_table())
    by_source: dict[str, list[tuple[str, str, str]]] = defaultdict(list)
    for key in in_order_of_time(snapshots.to_pylist()):
        by_source[key[0]].append(key)
    for source_id, keys in by_source.items():
        for number, place in enumerate(compacted(staged, table, source_id, keys)):
            os.link(place, view / table.name / f"{source_id}-{number}.parquet")


def _fetch_log(catalogue: Mapping[str, Source], landing: Path) -> pa.Table:
    names = [name for name in FETCH_LOG.columns.names if name != "failure"]
    rows = [
        {**{name: getattr(record, name) for name in names}, "failure": failure_of(record)}
        for source_id in sorted(catalogue)
        for record in Landing(landing, source_id).log()
    ]
    return pa.Table.from_pylist(rows, schema=FETCH_LOG.columns)


def failure_of(record: FetchRecord) -> str | None:
    """Why a fetch failed, in words that stay the same while it fails in the same way; None where it did not.

    The error itself names bytes, seconds and places on this machine, which are others every time.
    """
    if record.outcome != "failed":
        return None
    error = record.error or ""
    if record.snapshot_sha256 is not None:
        # "<file>: expected csv, html came: '<!doctype …": what came begins where the quotation does.
        words = re.split(r"['\"(;]", error.split(": ", 1)[-1])[0].rstrip(" :,")
        return re.sub(r"\d+", "…", words) or "not what the source declares"
    status = re.search(r"HTTP \d{3}", error)
    if status:
        return status[0]
    return "not reached" if "not reached" in error else "no usable answer"


def _source_resource(sources: Iterable[Source]) -> pa.Table:
    rows = [
        {
            "source_id": source.id,
            "resource": name,
            "connector": resource.connector,
            "fresh_for_days": resource.fresh_for_days or source.fresh_for_days,
        }
        for source in sources
        for name, resource in source.resources.items()
    ]
    return pa.Table.from_pylist(rows, schema=SOURCE_RESOURCE.columns)


def _source_catalogue(sources: Iterable[Source], input_kind: str) -> pa.Table:
    rows = [
        {
            **source.model_dump(include=set(SOURCE_CATALOGUE.columns.names)),
            "source_id": source.id,
            "url": next(iter(source.resources.values())).address,
            "is_offered": input_kind in source.inputs,
            "synthetic": input_kind == "sample",
            "timetable_source_id": source.timetable,
        }
        for source in sources
    ]
    return pa.Table.from_pylist(rows, schema=SOURCE_CATALOGUE.columns)


def _source_coverage(sources: Iterable[Source], view: Path, region: Region) -> pa.Table:
    """Every municipality a source speaks for: those it names, and all of a Kreis it names."""
    with duckdb.connect() as database:
        register = database.execute(
            "select distinct ags from read_parquet($files, hive_partitioning = false) order by ags",
            {"files": [str(path) for path in sorted((view / MUNICIPALITY_REGISTER.name).glob("*.parquet"))]},
        ).fetchall()
    municipalities = [ags for (ags,) in register if region.holds(ags)]
    rows = [
        {"source_id": source.id, "ags": ags}
        for source in sources
        for ags in municipalities
        if any(ags.startswith(key) for key in source.covers)
    ]
    return pa.Table.from_pylist(rows, schema=SOURCE_COVERAGE.columns)


def _region_area(region: Region) -> pa.Table:
    rows = [
        {
            "area_id": region.area_id,
            "level": "region",
            "name_de": region.name_de,
            "name_en": region.name_en,
            "parent_area_id": None,
        },
        *(
            {
                "area_id": kreis.area_id,
                "level": "kreis",
                "name_de": kreis.name_de,
                "name_en": kreis.name_en,
                "parent_area_id": region.area_id,
            }
            for kreis in region.kreise
        ),
    ]
    return pa.Table.from_pylist(rows, schema=REGION_AREA.columns)


def troubles(catalogue: Mapping[str, Source], landing: Path, staged: Path, as_of: datetime) -> list[str]:
    """What marts tell of fetching and parsing beside the snapshots in force, sorted.

    Partitions whose last fetch failed and in which way, or found nothing where something is in force; resources that
    are stale on the day of `as_of`; snapshots that are refused; what was found in comparing those that are told of with
    their former ones. Not when any of it was.
    """
    in_force = snapshots_in_force(catalogue, staged).to_pylist()
    held = {(row["source_id"], row["partition"]) for row in in_force}
    refused = [
        row
        for row in _state(PARSE_LOG, catalogue, staged).to_pylist()
        if row["outcome"] == "refused" and row["is_latest"]
    ]
    told = {(row["source_id"], row["partition"], row["snapshot_sha256"]) for row in (*in_force, *refused)}
    return sorted(
        [
            *_fetch_troubles(catalogue, landing, held),
            *_stale(catalogue, landing, staged, as_of),
            *(
                f"{row['source_id']} {row['partition']} refused {row['snapshot_sha256']}: {row['error']}"
                for row in refused
            ),
            *(
                " ".join(str(row[name]) for name in SNAPSHOT_FINDING.columns.names)
                for row in _state(SNAPSHOT_FINDING, catalogue, staged).to_pylist()
                if (row["source_id"], row["partition"], row["snapshot_sha256"]) in told
            ),
        ]
    )


def last_successes(source_id: str, landing: Path, staged: Path) -> dict[str, datetime | None]:
    """When each resource that was asked for was last confirmed by bytes that were not refused, as
    `int_partition_state` counts it; None where none was.

    Refused is what a parser, a guard or the drop folder refused, unless it is in force for all that.
    """
    log = Landing(landing, source_id).log()
    refused = {row["snapshot_sha256"] for row in _rows(PARSE_LOG, source_id, staged) if row["outcome"] == "refused"}
    refused |= {record.snapshot_sha256 for record in log if record.outcome == "failed"}
    refused -= {row["snapshot_sha256"] for row in _rows(SNAPSHOT_IN_FORCE, source_id, staged)}
    found: dict[str, datetime | None] = {}
    for record in log:
        resource = record.partition.split("/")[0]
        found.setdefault(resource, None)
        if record.outcome in ("new", "unchanged") and record.snapshot_sha256 not in refused:
            found[resource] = record.finished_at
    return found


def _stale(catalogue: Mapping[str, Source], landing: Path, staged: Path, as_of: datetime) -> Iterator[str]:
    """Resources without a success within their days, as `int_resource_state` counts them."""
    day = as_of.astimezone(CIVIL_TIME).replace(hour=0, minute=0, second=0, microsecond=0)
    for source in catalogue.values():
        succeeded = last_successes(source.id, landing, staged)
        for name, resource in source.resources.items():
            days = resource.fresh_for_days or source.fresh_for_days
            last = succeeded.get(name)
            if last is not None and last < day - timedelta(days=days):
                yield f"{source.id} {name} stale"


def _fetch_troubles(catalogue: Mapping[str, Source], landing: Path, held: set[tuple[str, str]]) -> Iterator[str]:
    for source_id in sorted(catalogue):
        last: dict[str, FetchRecord] = {}
        for record in Landing(landing, source_id).log():
            # Where a resource's partitions were unknown, the attempt is the resource's until they are known.
            last.pop(record.partition.split("/")[0], None)
            last[record.partition] = record
        for partition, record in last.items():
            if record.outcome == "failed":
                yield f"{source_id} {partition} failed: {failure_of(record)}"
            elif record.outcome == "absent" and (source_id, partition) in held:
                yield f"{source_id} {partition} absent"


def input_key(
    catalogue: Mapping[str, Source],
    region: Region,
    in_force: pa.Table,
    trouble: list[str],
    code_version: str,
    as_of: datetime,
) -> str:
    """What a release is a function of, as one hash.

    Snapshots in force (not when they were fetched), `troubles`, catalogue, region, code, and the clock's local date:
    models know no more of the clock.
    """
    inputs = {
        "in_force": in_force.drop_columns(["fetched_at"]).to_pylist(),
        "troubles": trouble,
        "catalogue": [source.model_dump(mode="json") for source in catalogue.values()],
        "region": region.model_dump(mode="json"),
        "code_version": code_version,
        "as_of_date": as_of.astimezone(CIVIL_TIME).date().isoformat(),
    }
    return hashlib.sha256(json.dumps(inputs, sort_keys=True, ensure_ascii=False).encode()).hexdigest()
