"""What a release is made of, written down so that it can be made again from the landing alone."""

from __future__ import annotations

import functools
import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from connectors.catalogue import Source
from connectors.connector import Snapshot
from connectors.errors import SourceError
from connectors.identity import snapshot_sha256
from connectors.landing import FetchRecord, Landing
from connectors.region import Region
from connectors.registry import connector, parse_key, parse_options
from connectors.staging import StagedWriter, replace_parquet, staged_file
from connectors.tables import (
    EVIDENCE_TABLES,
    FETCH_LOG,
    LOCATED_POINT,
    REGION_AREA,
    SNAPSHOT_IN_FORCE,
    SOURCE_CATALOGUE,
    SOURCE_COVERAGE,
    SOURCE_RESOURCE,
    STATE_TABLES,
    STOP_NEARBY,
)

# What `connectors.view.freeze` makes from snapshots, landing, catalogue and region; the other tables of state hold
# verdicts on snapshots, which depend on what was in force when they landed.
_DERIVED = {
    table.name
    for table in (
        *(SNAPSHOT_IN_FORCE, FETCH_LOG, SOURCE_CATALOGUE, SOURCE_RESOURCE),
        *(SOURCE_COVERAGE, REGION_AREA, LOCATED_POINT, STOP_NEARBY),
    )
}
EVIDENCE = "evidence"


class LandingIncomplete(SourceError):
    """The landing does not hold what a release was made of."""


@dataclass(frozen=True)
class Ingredient:
    """A snapshot that a release is made of: the partition it speaks for and the file its bytes lie in."""

    source_id: str
    partition: str
    snapshot_sha256: str
    file_name: str


def recipe_key(catalogue: Mapping[str, Source], region: Region, code_version: str) -> str:
    """One hash over catalogue, region and code: unlike `input_key` blind to snapshots, clock and failures."""
    inputs = {
        "catalogue": [source.model_dump(mode="json") for source in catalogue.values()],
        "region": region.model_dump(mode="json"),
        "code_version": code_version,
    }
    return hashlib.sha256(json.dumps(inputs, sort_keys=True, ensure_ascii=False).encode()).hexdigest()


def snapshots_used(view: Path, landing: Path) -> list[dict[str, Any]]:
    """The snapshots a frozen view is made of: source, partition, content, parse key, when and whence they came."""
    rows = _rows(view, SNAPSHOT_IN_FORCE.name).to_pylist()
    files: dict[tuple[str, str, str | None], FetchRecord] = {}
    for source_id in sorted({row["source_id"] for row in rows}):
        for record in Landing(landing, source_id).log():
            if record.outcome in ("new", "unchanged"):
                files[source_id, record.partition, record.snapshot_sha256] = record
    used = []
    for row in rows:
        record = files[row["source_id"], row["partition"], row["snapshot_sha256"]]
        used.append({**row, "file_name": record.file_name, "url": record.url})
    return used


def fetch_log_rows(view: Path) -> dict[str, int]:
    """How many rows of each source's fetch log a frozen view knows: the log is append-only, so these are its first."""
    counted: dict[str, int] = {}
    for source_id in _rows(view, FETCH_LOG.name).column("source_id").to_pylist():
        counted[source_id] = counted.get(source_id, 0) + 1
    return dict(sorted(counted.items()))


def keep_verdicts(view: Path, folder: Path) -> None:
    """Write what was judged of snapshots into `folder`: the tables of verdicts, and the evidence of snapshots that are
    not in force (`evidence/<table>.parquet`)."""
    for table in STATE_TABLES:
        if table.name not in _DERIVED and (view / table.name).is_dir():
            replace_parquet(folder / f"{table.name}.parquet", _rows(view, table.name))
    in_force = str(view / SNAPSHOT_IN_FORCE.name / "rows.parquet")
    with duckdb.connect() as database:
        for table in EVIDENCE_TABLES:
            rows = database.execute(
                """
                select staged.*
                from read_parquet($files, hive_partitioning = false) as staged
                anti join read_parquet($in_force) as in_force
                    using (source_id, snapshot_sha256, parse_key)
                order by source_id, snapshot_sha256, parse_key, record_number
                """,
                {"files": str(view / table.name / "*.parquet"), "in_force": in_force},
            ).to_arrow_table()
            if rows.num_rows:
                replace_parquet(folder / EVIDENCE / f"{table.name}.parquet", rows.cast(table.schema))


def restore_verdicts(folder: Path, staged: Path) -> None:
    """Put what `keep_verdicts` wrote back below `staged`, where a view is frozen from."""
    for kept in sorted(folder.glob("*.parquet")):
        for (source_id,), rows in _parts(kept, ("source_id",)):
            replace_parquet(staged / kept.stem / f"{source_id}.parquet", rows)
    for kept in sorted((folder / EVIDENCE).glob("*.parquet")):
        for key, rows in _parts(kept, ("source_id", "snapshot_sha256", "parse_key")):
            replace_parquet(staged_file(staged, kept.stem, *key), rows)


def _parts(file: Path, key: Sequence[str]) -> Iterator[tuple[tuple[str, ...], pa.Table]]:
    """The rows of a file by their values in `key`."""
    rows = pq.ParquetFile(file).read()
    for values in sorted(set(zip(*(rows.column(name).to_pylist() for name in key), strict=True))):
        yield values, rows.filter(_equal(rows, dict(zip(key, values, strict=True))))


def _equal(rows: pa.Table, values: Mapping[str, str]) -> pa.Array:
    return functools.reduce(pc.and_, (pc.equal(rows.column(name), value) for name, value in values.items()))


def cut_fetch_log(landing: Path, source_id: str, rows: int, target: Path) -> None:
    """Write the first `rows` rows of a source's fetch log below `target`, another landing.

    Raises LandingIncomplete where the log has fewer.
    """
    records = Landing(landing, source_id).log()
    if len(records) < rows:
        raise LandingIncomplete(
            f"{landing / source_id}: the fetch log has {len(records)} rows, the release was made of {rows}; "
            "restore the log from a backup"
        )
    cut = Landing(target, source_id)
    for record in records[:rows]:
        cut.append(record)


def restage(source: Source, used: Sequence[Ingredient], landing: Landing, staged: Path, region: Region) -> None:
    """Parse exactly the snapshots a release was made of and say that they are in force; nothing is judged.

    Raises LandingIncomplete where bytes are missing or not those their name says, SourceError where they can no longer
    be parsed.
    """
    fetched = {
        (record.partition, record.snapshot_sha256): record.finished_at
        for record in landing.log()
        if record.outcome in ("new", "unchanged")
    }
    rows = []
    for snapshot in sorted(used, key=lambda snapshot: snapshot.partition):
        key = _stage(source, snapshot, landing, staged, region)
        rows.append(
            {
                "source_id": source.id,
                "partition": snapshot.partition,
                "snapshot_sha256": snapshot.snapshot_sha256,
                "parse_key": key,
                "fetched_at": fetched.get((snapshot.partition, snapshot.snapshot_sha256)),
            }
        )
    table = pa.Table.from_pylist(rows, schema=SNAPSHOT_IN_FORCE.columns)
    replace_parquet(staged / SNAPSHOT_IN_FORCE.name / f"{source.id}.parquet", table)


def _stage(source: Source, used: Ingredient, landing: Landing, staged: Path, region: Region) -> str:
    """Stage one snapshot; its parse key."""
    name, *pairs = used.partition.split("/")
    if name not in source.resources:
        raise LandingIncomplete(f"{source.id}: the catalogue of the release has no resource {name!r}")
    resource = source.resources[name]
    values = dict(pair.split("=", 1) for pair in pairs)
    found = connector(resource.connector)
    path = landing.file(used.snapshot_sha256, used.file_name)
    if not path.is_file():
        raise LandingIncomplete(f"{path}: missing; restore it from a backup, the release was made of it")
    sha256 = snapshot_sha256(resource, path)
    if sha256 != used.snapshot_sha256:
        raise LandingIncomplete(f"{path}: its content has sha256 {sha256}; it was changed, restore it from a backup")
    key = parse_key(resource, values, region)
    with StagedWriter(staged, source.id, used.snapshot_sha256, key) as out:
        found.parse(Snapshot(source.id, path, used.snapshot_sha256, values), out, region, **parse_options(resource))
        out.close()
    return key


def _rows(view: Path, table: str) -> pa.Table:
    return pq.ParquetFile(view / table / "rows.parquet").read()
