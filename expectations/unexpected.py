"""The rows that a failed check did not expect, fetched by SQL of our own and kept as a table.

Great Expectations shows 20 rows of a column check, 200 of a query, and all keys or none of the rest.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from expectations.suite import ROWS_BY_QUERY, Check, Kind
from expectations.verdict import EXAMPLES, Result, Row

SCHEMA = "marts"
# Of each check; how many there are altogether is told beside them.
KEPT = 1000
# Long enough for any key, short enough that a hostile value does not fill the report.
LONGEST_VALUE = 200

TABLE = pa.schema(
    [
        pa.field("mart", pa.string(), nullable=False),
        pa.field("check_id", pa.string(), nullable=False),
        pa.field("row_number", pa.int64(), nullable=False),
        pa.field("unexpected_count", pa.int64()),
        pa.field("row_json", pa.string(), nullable=False),
    ]
)


def unexpected_rows(
    connection: duckdb.DuckDBPyConnection, mart: str, key: Iterable[str], check: Check
) -> tuple[Row, ...]:
    """The first KEPT unexpected rows in their order: key and values judged as text, or what the check's query says.

    Empty for a check that judges a table by one figure.
    """
    sql = unexpected_sql(mart, key, check)
    if sql is None:
        return ()
    # Cut in DuckDB: a value that is megabytes long never reaches Python.
    answer = connection.execute(
        f"select left(columns(*)::varchar, {LONGEST_VALUE + 1}) from (select * from ({sql}) order by all limit {KEPT})"
    )
    names = [name for name, *_ in answer.description]
    return tuple(dict(zip(names, map(_cut, row), strict=True)) for row in answer.fetchall())


def shown(rows: tuple[Row, ...]) -> dict[str, Any]:
    """The fields of a Result that hold `rows`."""
    return {"rows": rows, "examples": rows[:EXAMPLES]}


def _cut(value: str | None) -> str | None:
    return f"{value[:LONGEST_VALUE]}…" if value is not None and len(value) > LONGEST_VALUE else value


def unexpected_sql(mart: str, key: Iterable[str], check: Check) -> str | None:
    """The query for the rows a check does not expect; null where it judges a table by one figure."""
    table = f"{SCHEMA}.{_name(mart)}"
    if check.expect == ROWS_BY_QUERY:
        query: str = check.kwargs["unexpected_rows_query"]
        return query.replace("{batch}", table).rstrip().rstrip(";")
    if check.expect not in _CONDITIONS:
        return None
    columns = ", ".join(map(_name, dict.fromkeys((*key, *check.columns))))
    return f"select {columns} from {table} {_CONDITIONS[check.expect](check)}"


def _between(check: Check) -> str:
    limits = check.kwargs
    column = _name(limits["column"])
    outside = [
        f"{column} {sign}{'=' if limits.get(strict) else ''} {_literal(limits[limit])}"
        for limit, sign, strict in (("min_value", "<", "strict_min"), ("max_value", ">", "strict_max"))
        if limits.get(limit) is not None
    ]
    return f"where {' or '.join(outside)}"


def _pair(check: Check) -> str:
    sign = ">=" if check.kwargs.get("or_equal") else ">"
    return f"where not ({_name(check.kwargs['column_A'])} {sign} {_name(check.kwargs['column_B'])})"


def _repeated(check: Check) -> str:
    columns = [_name(column) for column in check.columns]
    somewhere = " or ".join(f"{column} is not null" for column in columns)
    return f"where {somewhere} qualify count(*) over (partition by {', '.join(columns)}) > 1"


# What Great Expectations counts as unexpected, as a condition on the mart; nulls are another check's affair.
_CONDITIONS: Mapping[Kind, Callable[[Check], str]] = {
    "expect_column_pair_values_a_to_be_greater_than_b": _pair,
    "expect_column_value_lengths_to_equal": lambda check: (
        f"where length({_name(check.kwargs['column'])}) <> {_literal(check.kwargs['value'])}"
    ),
    "expect_column_values_to_be_between": _between,
    "expect_column_values_to_be_in_set": lambda check: (
        f"where {_name(check.kwargs['column'])} not in ({', '.join(map(_literal, check.kwargs['value_set']))})"
    ),
    "expect_column_values_to_be_unique": _repeated,
    "expect_column_values_to_not_be_null": lambda check: f"where {_name(check.kwargs['column'])} is null",
    "expect_compound_columns_to_be_unique": _repeated,
}


def _name(identifier: str) -> str:
    return '"' + identifier.replace('"', '""') + '"'


def _literal(value: object) -> str:
    return str(value) if isinstance(value, int | float) else "'" + str(value).replace("'", "''") + "'"


def write_unexpected(path: Path, results: Iterable[Result]) -> None:
    """Write the unexpected rows of all failed checks as Parquet, a row each, the row itself as JSON text."""
    rows = [
        {
            "mart": result.mart,
            "check_id": result.id,
            "row_number": number,
            "unexpected_count": result.unexpected_count,
            "row_json": json.dumps(row, ensure_ascii=False),
        }
        for result in results
        for number, row in enumerate(result.rows, 1)
    ]
    pq.write_table(pa.Table.from_pylist(rows, schema=TABLE), path, compression="zstd")
