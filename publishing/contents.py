"""The content hash of a mart: equal for equal rows on any machine, whatever their order."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Sequence

import duckdb

from publishing.sql import quoted

# One form per row cannot be promised for these: instants inside them follow the session's time zone.
NESTED = ("STRUCT", "MAP", "UNION", "VARIANT")


class NotComparable(ValueError):
    """A mart holds a column whose values have no canonical text."""


def column_types(connection: duckdb.DuckDBPyConnection, table: str) -> dict[str, str]:
    """The columns of `table` (`marts.dim_area`) in their order, with their DuckDB types."""
    return {name: kind for name, kind, *_ in connection.execute(f"describe {quoted(*table.split('.'))}").fetchall()}


def content_sha256(
    connection: duckdb.DuckDBPyConnection, table: str, columns: Sequence[str], volatile: Collection[str]
) -> str:
    """The sha256 of what `table` says in `columns`, those in `volatile` left out; independent of the rows' order.

    A row becomes a JSON list of texts (null stays null, so it differs from an empty text), a row's digest is the
    sha256 of that, the table's the sha256 over the sorted digests, led by the columns' names and types.
    Raises NotComparable for a column that is not there or of a nested type.
    """
    types = column_types(connection, table)
    kept = [name for name in columns if name not in volatile]
    for name in kept:
        kind = types.get(name, "no such column")
        if name not in types or kind.endswith("]") or kind.startswith(NESTED):
            raise NotComparable(f"{table}.{name}: expected a column of a scalar type, came {kind}; change the model")
    texts = ", ".join(_canonical_text(name, types[name]) for name in kept)
    # Sorted bucket by bucket (the digest's first byte): the same order as one sort, but on all threads.
    digest_of_rows = connection.execute(
        f"""
        select string_agg(bucket_digest, '' order by bucket)
        from (
            select left(digest, 2) as bucket, sha256(string_agg(digest, '' order by digest)) as bucket_digest
            from (select sha256(to_json([{texts}])::varchar) as digest from {quoted(*table.split("."))})
            group by bucket
        )
        """
    ).fetchall()[0][0]
    head = json.dumps([[name, types[name]] for name in kept])
    return hashlib.sha256(f"{head}\n{digest_of_rows or ''}".encode()).hexdigest()


def _canonical_text(name: str, kind: str) -> str:
    if kind == "BLOB":
        return f"hex({quoted(name)})"
    if kind == "TIMESTAMP WITH TIME ZONE":
        return f"({quoted(name)} at time zone 'UTC')::varchar"
    # DuckDB writes a double as the shortest text that reads back as the same double, a decimal with all its digits.
    return f"{quoted(name)}::varchar"
