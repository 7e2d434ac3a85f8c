"""Where the newest snapshots of a source have other columns than it declares."""

from __future__ import annotations

from pathlib import Path

import pyarrow.parquet as pq

from connectors.catalogue import Months, Source
from connectors.staging import staged_file
from connectors.tables import COLUMN_DRIFT, SNAPSHOT_IN_FORCE


def newest_drift(source: Source, staged: Path) -> list[str]:
    """`table: change column`, sorted, of the snapshots in force; of a source by months only of the newest month.

    An old month whose columns differed will differ for ever, and nobody can do anything about it.
    """
    place = staged / SNAPSHOT_IN_FORCE.name / f"{source.id}.parquet"
    if not place.exists():
        return []
    newest: dict[tuple[str, ...], tuple[list[str], str, str]] = {}
    for row in pq.ParquetFile(place).read(["partition", "snapshot_sha256", "parse_key"]).to_pylist():
        name, *pairs = row["partition"].split("/")
        values = dict(pair.split("=", 1) for pair in pairs)
        axes = source.resources[name].partitions if name in source.resources else {}
        months = [value for key, value in values.items() if isinstance(axes.get(key), Months)]
        group = (name, *(value for key, value in values.items() if not isinstance(axes.get(key), Months)))
        found = (months, row["snapshot_sha256"], row["parse_key"])
        newest[group] = max(newest.get(group, found), found)
    changes: set[str] = set()
    for _, sha256, key in newest.values():
        file = staged_file(staged, COLUMN_DRIFT.name, source.id, sha256, key)
        if file.exists():
            for row in pq.ParquetFile(file).read(["table_name", "column_name", "change"]).to_pylist():
                changes.add(f"{row['table_name']}: {row['change']} column {row['column_name']}")
    return sorted(changes)
