"""Names and texts as they are written into DuckDB's SQL."""

from __future__ import annotations

from pathlib import Path


def quoted(*parts: str) -> str:
    """The SQL identifier of a column or, of several parts (catalog, schema, table), of a table."""
    return ".".join('"' + part.replace('"', '""') + '"' for part in parts)


def literal(text: str | Path) -> str:
    """The SQL literal of `text`, for statements that take no parameters (ATTACH, COMMENT, COPY)."""
    return "'" + str(text).replace("'", "''") + "'"
