"""Parse bytes with a connector and look at what came of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from connectors.connector import Connector, Snapshot
from connectors.region import region
from connectors.staging import StagedWriter

SHA = "a" * 64


class Parsed:
    """The rows of the connector's first table, what was rejected and what was out of scope."""

    def __init__(self, out: StagedWriter, connector: Connector) -> None:
        self.out = out
        self.rows = _rows(out.file_of(connector.tables[0].name))
        self.rejected = [
            (row["record_number"], row["column_name"], row["reason"]) for row in _rows(out.file_of("rejected_row"))
        ]
        accounts = _rows(out.file_of("record_account"))
        self.left_out = {row["reason"]: row["records"] for row in accounts if row["outcome"] == "out_of_scope"}

    def column(self, name: str) -> list[Any]:
        """A column of the rows, in their order."""
        return [row[name] for row in self.rows]


def parsed(
    folder: Path, connector: Connector, body: bytes, partition: dict[str, str] | None = None, **options: Any
) -> Parsed:
    """What the connector makes of `body`."""
    place = folder / f"file.{connector.payload}"
    place.write_bytes(body)
    with StagedWriter(folder / "staged", "town", SHA, "1-x") as out:
        connector.parse(Snapshot("town", place, SHA, partition or {}), out, region(), **options)
        out.close()
    return Parsed(out, connector)


def _rows(place: Path) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = pq.ParquetFile(place).read().to_pylist() if place.exists() else []
    return rows
