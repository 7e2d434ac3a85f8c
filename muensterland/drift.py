"""What the newest snapshots of a source that are in force say of its columns, and of their size."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from connectors.catalogue import Periods, Source
from connectors.staging import staged_file
from connectors.tables import COLUMN_DRIFT, SNAPSHOT_FINDING, SNAPSHOT_IN_FORCE

# How the codes of SNAPSHOT_FINDING end that a guard gives; the others tell of columns and files.
_GUARD = "_guard"


def newest_drift(source: Source, staged: Path) -> list[str]:
    """`table: change column`, sorted: other columns than declared, and other ones than the former snapshot had.

    Of a source by days, months or years only the newest one counts: an old one whose columns differed will differ for
    ever, and nobody can do anything about it.
    """
    found = set()
    for partition, sha256, key in _newest(source, staged):
        for row in _rows(staged_file(staged, COLUMN_DRIFT.name, source.id, sha256, key)):
            former = f"{row['former_name']} -> " if row.get("former_name") else ""
            found.add(f"{row['table_name']}: {row['change']} column {former}{row['column_name']}")
        for row in _compared(source, staged, partition, sha256):
            if not row["code"].endswith(_GUARD):
                found.add(f"{row['table_name']}: {row['code']} {row['subject']} ({row['example']})")
    return sorted(found)


def newest_breaches(source: Source, staged: Path) -> list[str]:
    """What the guards that only report say of the newest snapshots against their former ones, sorted."""
    return sorted(
        {
            f"{partition}: {row['code']}: {row['example']}"
            for partition, sha256, _ in _newest(source, staged)
            for row in _compared(source, staged, partition, sha256)
            if row["code"].endswith(_GUARD)
        }
    )


def _newest(source: Source, staged: Path) -> list[tuple[str, str, str]]:
    """Partition, content and parse key of the snapshots in force; of partitions by time only the newest one's."""
    newest: dict[tuple[str, ...], tuple[list[str], datetime, str, str, str]] = {}
    for row in _rows(staged / SNAPSHOT_IN_FORCE.name / f"{source.id}.parquet"):
        name, *pairs = row["partition"].split("/")
        values = dict(pair.split("=", 1) for pair in pairs)
        axes = source.resources[name].partitions if name in source.resources else {}
        periods = [value for key, value in values.items() if isinstance(axes.get(key), Periods)]
        group = (name, *(value for key, value in values.items() if not isinstance(axes.get(key), Periods)))
        found = (periods, row["fetched_at"], row["partition"], row["snapshot_sha256"], row["parse_key"])
        newest[group] = max(newest.get(group, found), found)
    return [(partition, sha256, key) for _, _, partition, sha256, key in newest.values()]


def _compared(source: Source, staged: Path, partition: str, sha256: str) -> Iterator[dict[str, Any]]:
    """What comparing a snapshot with the former one found."""
    for row in _rows(staged / SNAPSHOT_FINDING.name / f"{source.id}.parquet"):
        if (row["partition"], row["snapshot_sha256"]) == (partition, sha256):
            yield row


def _rows(place: Path) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = pq.ParquetFile(place).read().to_pylist() if place.exists() else []
    return rows
