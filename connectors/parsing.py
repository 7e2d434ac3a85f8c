"""Parse what a source has landed and say which snapshots are in force."""

from __future__ import annotations

import logging
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from connectors.boundary import parser_faults_named
from connectors.catalogue import Resource, Source
from connectors.connector import Snapshot
from connectors.errors import SnapshotRefused, SourceError
from connectors.landing import FetchRecord, Landing
from connectors.region import Region, region
from connectors.registry import connector, parse_key, parse_options
from connectors.staging import Account, StagedWriter, remove_leftovers, replace_parquet, staged_file
from connectors.tables import PARSE_LOG, RECORD_ACCOUNT, SNAPSHOT_IN_FORCE

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class ParseSummary:
    """What parsing a source came to: snapshots parsed, already staged and refused; records over what is in force."""

    source_id: str
    parsed: int
    kept: int
    refused: int
    read: int
    staged: int
    rejected: int
    out_of_scope: int
    errors: tuple[str, ...]


def parse_source(source: Source, landing: Landing, staged: Path) -> ParseSummary:
    """Parse every landed snapshot that is not staged yet and replace the source's rows of `snapshot_in_force`.

    A refused snapshot leaves the former one of its partition in force and is not parsed again until its bytes, the
    source's options or the parser change.
    """
    remove_leftovers(staged, source.id)
    in_force = {row["partition"]: row for row in _rows(staged, SNAPSHOT_IN_FORCE.name, source.id)}
    known = {(row["snapshot_sha256"], row["parse_key"]): row for row in _rows(staged, PARSE_LOG.name, source.id)}
    outcomes: Counter[str] = Counter()
    verdicts: dict[str, dict[str, Any]] = {}
    for partition, record in sorted(landing.latest_good().items()):
        name, *pairs = partition.split("/")
        if name not in source.resources or record.snapshot_sha256 is None or record.file_name is None:
            continue
        resource = source.resources[name]
        values = dict(pair.split("=", 1) for pair in pairs)
        key = parse_key(resource, values, region())
        place = staged_file(staged, RECORD_ACCOUNT.name, source.id, record.snapshot_sha256, key)
        verdict = known.get((record.snapshot_sha256, key))
        if verdict is not None and (verdict["outcome"] == "refused" or place.exists()):
            outcomes["kept" if verdict["outcome"] == "staged" else "refused"] += 1
        else:
            path = landing.file(record.snapshot_sha256, record.file_name)
            snapshot = Snapshot(source.id, path, record.snapshot_sha256, values)
            error = _parse(source, resource, snapshot, StagedWriter(staged, source.id, snapshot.sha256, key), region())
            outcomes["refused" if error else "parsed"] += 1
            verdict = {"outcome": "refused" if error else "staged", "error": error}
        verdicts[partition] = {**_identity(source, partition, record, key), **verdict}
        if verdict["outcome"] == "staged":
            in_force[partition] = {**_identity(source, partition, record, key), "fetched_at": record.finished_at}
    in_force = {partition: row for partition, row in in_force.items() if partition.split("/")[0] in source.resources}
    _replace(staged, PARSE_LOG.columns, PARSE_LOG.name, source.id, verdicts)
    _replace(staged, SNAPSHOT_IN_FORCE.columns, SNAPSHOT_IN_FORCE.name, source.id, in_force)
    total = in_force_account(source.id, staged)
    return ParseSummary(
        source.id,
        parsed=outcomes["parsed"],
        kept=outcomes["kept"],
        refused=outcomes["refused"],
        read=total.read,
        staged=total.staged,
        rejected=total.rejected,
        out_of_scope=total.out_of_scope,
        errors=tuple(f"{name}: {row['error']}" for name, row in verdicts.items() if row["error"]),
    )


def in_force_account(source_id: str, staged: Path) -> Account:
    """The records of all tables over the source's snapshots in force."""
    totals: Counter[str] = Counter()
    for row in _rows(staged, SNAPSHOT_IN_FORCE.name, source_id):
        place = staged_file(staged, RECORD_ACCOUNT.name, source_id, row["snapshot_sha256"], row["parse_key"])
        for entry in pq.ParquetFile(place).read(["outcome", "records"]).to_pylist():
            totals[entry["outcome"]] += entry["records"]
    return Account(**{name: totals[name] for name in ("read", "staged", "rejected", "out_of_scope")})


def _parse(source: Source, resource: Resource, snapshot: Snapshot, writer: StagedWriter, where: Region) -> str | None:
    """Parse one snapshot; returns why it was refused, or None where it is staged."""
    options = parse_options(resource)
    try:
        with writer as out:
            with parser_faults_named(resource.connector, snapshot):
                connector(resource.connector).parse(snapshot, out, where, **options)
            _refuse_beyond_limits(source, snapshot, out)
            out.close()
    except SourceError as error:
        log.error("%s %s: refused: %s", source.id, snapshot.path.name, error)
        return str(error)
    for table, column, change in out.drifted:
        log.warning("%s %s: drift: %s column %s in %s", source.id, snapshot.path.name, change, column, table)
    return None


def _refuse_beyond_limits(source: Source, snapshot: Snapshot, out: StagedWriter) -> None:
    if source.drift == "freeze" and out.drifted:
        table, column, change = out.drifted[0]
        raise SnapshotRefused(
            f"{snapshot.path.name}: {change} column {column!r} in {table}, but {source.id}.yml says drift: freeze; "
            "look at the file, then extend the connector or set drift: report"
        )
    for table, account in out.accounts.items():
        if account.rejected_share > source.rejection_limit:
            raise SnapshotRefused(
                f"{snapshot.path.name}: {account.rejected} of {account.read - account.out_of_scope} records of {table} "
                f"rejected, at most {source.rejection_limit:.0%} allowed; first: {out.first_rejection(table)}; "
                "the former snapshot stays in force: compare the file with the connector, or raise rejection_limit"
            )


def _identity(source: Source, partition: str, record: FetchRecord, key: str) -> dict[str, Any]:
    return {
        "source_id": source.id,
        "partition": partition,
        "snapshot_sha256": record.snapshot_sha256,
        "parse_key": key,
    }


def _rows(staged: Path, table: str, source_id: str) -> list[dict[str, Any]]:
    place = staged / table / f"{source_id}.parquet"
    rows: list[dict[str, Any]] = pq.ParquetFile(place).read().to_pylist() if place.exists() else []
    return rows


def _replace(staged: Path, schema: pa.Schema, table: str, source_id: str, rows: dict[str, dict[str, Any]]) -> None:
    ordered = [row for _, row in sorted(rows.items())]
    replace_parquet(staged / table / f"{source_id}.parquet", pa.Table.from_pylist(ordered, schema=schema))
