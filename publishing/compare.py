"""What changed between two releases: contracts, rows, keys, key figures. DuckDB compares, not Python."""

from __future__ import annotations

import math
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from decimal import Decimal
from typing import Any, Literal

import duckdb
from pydantic import BaseModel, ConfigDict

from publishing.manifest import SCHEMA
from publishing.record import Release, ReleasedMart, SnapshotUsed
from publishing.sql import literal, quoted

EXAMPLES = 5
# A value in an example is to be recognised, not to fill the screen.
TEXT_LIMIT = 80
NUMBERS = ("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT", "UTINYINT", "USMALLINT", "UINTEGER", "UBIGINT")
REALS = ("FLOAT", "DOUBLE", "DECIMAL")
INSTANTS = ("DATE", "TIMESTAMP")
# Sums of doubles differ in their last digits with the order of their rows.
SUM_TOLERANCE = 1e-9

Number = int | float | str | None
State = Literal["added", "removed", "changed", "equal"]


class _Shape(BaseModel):
    model_config = ConfigDict(frozen=True)


class Retyped(_Shape):
    """A column whose type changed."""

    name: str
    before: str
    after: str


class Columns(_Shape):
    """What changed in a mart's columns."""

    added: tuple[str, ...]
    removed: tuple[str, ...]
    retyped: tuple[Retyped, ...]


class ChangedRow(_Shape):
    """A row with the same key in both releases: the values that changed, before and after, as text."""

    key: dict[str, str | None]
    before: dict[str, str | None]
    after: dict[str, str | None]


class Keys(_Shape):
    """Rows compared by primary key, volatile columns apart: counts, and some examples in the key's order.

    changed_by_column: in how many rows a column changed.
    """

    added: int
    removed: int
    changed: int
    changed_by_column: dict[str, int]
    added_examples: tuple[dict[str, str | None], ...]
    removed_examples: tuple[dict[str, str | None], ...]
    changed_examples: tuple[ChangedRow, ...]


class Figure(_Shape):
    """A column in figures: its sum (numbers only), extremes, and the share of nulls from 0 to 1."""

    sum: Number
    min: Number
    max: Number
    null_share: float | None


class KeyFigure(_Shape):
    """A column's figures in both releases; null where the release has no such column."""

    column: str
    changed: bool
    before: Figure | None
    after: Figure | None


class MartDiff(_Shape):
    """A mart in both releases. keys is null where a key cannot be compared: mart or key are in one release only."""

    mart: str
    state: State
    version_before: str | None
    version_after: str | None
    rows_before: int | None
    rows_after: int | None
    primary_key_before: tuple[str, ...] | None
    primary_key_after: tuple[str, ...] | None
    columns: Columns
    keys: Keys | None
    key_figures: tuple[KeyFigure, ...]


class ReleaseDiff(_Shape):
    """Two releases compared; `inputs_*` are the snapshots that only one of them was made of."""

    before: str
    after: str
    equal: bool
    code_version_before: str
    code_version_after: str
    inputs_added: tuple[SnapshotUsed, ...]
    inputs_removed: tuple[SnapshotUsed, ...]
    marts: tuple[MartDiff, ...]


def compare(before: Release, after: Release) -> ReleaseDiff:
    """Every mart of either release; the files of both are only read. Marts of equal contents are not looked into."""
    names = sorted({*before.marts, *after.marts})
    with _attached(before, after) as connection:
        marts = tuple(_mart(connection, name, before.marts.get(name), after.marts.get(name)) for name in names)
    return ReleaseDiff(
        before=before.version,
        after=after.version,
        equal=all(mart.state == "equal" for mart in marts),
        code_version_before=before.code_version,
        code_version_after=after.code_version,
        inputs_added=_without(after.inputs, before.inputs),
        inputs_removed=_without(before.inputs, after.inputs),
        marts=marts,
    )


def _without(inputs: Sequence[SnapshotUsed], others: Sequence[SnapshotUsed]) -> tuple[SnapshotUsed, ...]:
    # The same bytes are the same input, also where another version of their parser read them.
    known = {(used.source_id, used.partition, used.snapshot_sha256) for used in others}
    return tuple(used for used in inputs if (used.source_id, used.partition, used.snapshot_sha256) not in known)


@contextmanager
def _attached(before: Release, after: Release) -> Iterator[duckdb.DuckDBPyConnection]:
    """A database in memory with both releases attached for reading, as catalogs `before` and `after`."""
    with tempfile.TemporaryDirectory(prefix="muensterland-diff-") as spill, duckdb.connect() as connection:
        connection.execute("set timezone = 'UTC'")
        connection.execute(f"set temp_directory = {literal(spill)}")
        # No result here has an order that an `order by` does not give it.
        connection.execute("set preserve_insertion_order = false")
        for side, release in (("before", before), ("after", after)):
            connection.execute(f"attach {literal(release.warehouse)} as {quoted(side)} (read_only)")
        yield connection


def _mart(
    connection: duckdb.DuckDBPyConnection, name: str, before: ReleasedMart | None, after: ReleasedMart | None
) -> MartDiff:
    old, new = _types(before), _types(after)
    state: State = "changed"
    if before is None or after is None:
        state = "added" if before is None else "removed"
    elif (before.version, before.content_sha256) == (after.version, after.content_sha256):
        state = "equal"
    keys: Keys | None = None
    figures: tuple[KeyFigure, ...] = ()
    if before is not None and after is not None and before.content_sha256 != after.content_sha256:
        keys = _keys(connection, name, before, after)
        figures = _key_figures(connection, name, before, after)
    return MartDiff(
        mart=name,
        state=state,
        version_before=before.version if before else None,
        version_after=after.version if after else None,
        rows_before=before.rows if before else None,
        rows_after=after.rows if after else None,
        primary_key_before=before.primary_key if before else None,
        primary_key_after=after.primary_key if after else None,
        columns=Columns(
            added=tuple(sorted(new.keys() - old.keys())) if before else (),
            removed=tuple(sorted(old.keys() - new.keys())) if after else (),
            retyped=tuple(
                Retyped(name=column, before=old[column], after=new[column])
                for column in sorted(old.keys() & new.keys())
                if old[column] != new[column]
            ),
        ),
        keys=keys,
        key_figures=figures,
    )


def _types(mart: ReleasedMart | None) -> dict[str, str]:
    return {column.name: column.type for column in mart.columns} if mart else {}


def _keys(connection: duckdb.DuckDBPyConnection, name: str, before: ReleasedMart, after: ReleasedMart) -> Keys | None:
    """The rows by key, null where the key itself changed; the comparison stays in the table `differing`."""
    old, new = _types(before), _types(after)
    key = after.primary_key
    if before.primary_key != key or any(old[column] != new[column] for column in key):
        return None
    unstable = {*key, *before.volatile_columns, *after.volatile_columns}
    compared = [column for column in new if column in old and column not in unstable]
    _join(connection, name, key, compared)
    counts = ", ".join(f"count(*) filter (where is_changed_{n})" for n, _ in enumerate(compared))
    added, removed, changed, *by_column = connection.execute(
        "select count(*) filter (where kind = 'added'), count(*) filter (where kind = 'removed'), "
        f"count(*) filter (where kind = 'changed'){', ' if counts else ''}{counts} from differing"
    ).fetchall()[0]
    return Keys(
        added=added,
        removed=removed,
        changed=changed,
        changed_by_column={column: count for column, count in zip(compared, by_column, strict=True) if count},
        added_examples=_examples(connection, key, "added"),
        removed_examples=_examples(connection, key, "removed"),
        changed_examples=_changed_examples(connection, name, key, compared),
    )


def _join(connection: duckdb.DuckDBPyConnection, name: str, key: Sequence[str], compared: Sequence[str]) -> None:
    """Make the temporary table `differing`: a row per key that is in one release only, or whose values changed."""

    def side(catalog: str) -> str:
        columns = ", ".join(quoted(column) for column in (*key, *compared))
        return f"(select true as is_there, {columns} from {quoted(catalog, SCHEMA, name)})"

    keys = ", ".join(f"coalesce(a.{quoted(column)}, b.{quoted(column)}) as {quoted(column)}" for column in key)
    flags = [
        f"(a.is_there and b.is_there and a.{quoted(column)} is distinct from b.{quoted(column)})" for column in compared
    ]
    changes = "".join(f", coalesce({flag}, false) as is_changed_{number}" for number, flag in enumerate(flags))
    connection.execute(f"""
        create or replace temp table differing as
        select {keys},
            case when a.is_there is null then 'added' when b.is_there is null then 'removed' else 'changed' end as kind
            {changes}
        from {side("before")} as a
        full join {side("after")} as b on {_same("a", "b", key)}
        where a.is_there is null or b.is_there is null or {" or ".join(flags) or "false"}
    """)


def _same(left: str, right: str, key: Sequence[str]) -> str:
    return " and ".join(f"{left}.{quoted(column)} is not distinct from {right}.{quoted(column)}" for column in key)


def _text(place: str, column: str) -> str:
    return f"left({place}.{quoted(column)}::varchar, {TEXT_LIMIT})"


def _first(key: Sequence[str], kind: str) -> str:
    order = ", ".join(quoted(column) for column in key)
    return f"(from differing where kind = '{kind}' order by {order} limit {EXAMPLES}) as d"


def _examples(
    connection: duckdb.DuckDBPyConnection, key: Sequence[str], kind: str
) -> tuple[dict[str, str | None], ...]:
    texts = ", ".join(_text("d", column) for column in key)
    order = ", ".join(f"d.{quoted(column)}" for column in key)
    rows = connection.execute(f"select {texts} from {_first(key, kind)} order by {order}").fetchall()
    return tuple(dict(zip(key, row, strict=True)) for row in rows)


def _changed_examples(
    connection: duckdb.DuckDBPyConnection, name: str, key: Sequence[str], compared: Sequence[str]
) -> tuple[ChangedRow, ...]:
    columns = [_text("d", column) for column in key]
    for number, column in enumerate(compared):
        columns += [f"d.is_changed_{number}", _text("a", column), _text("b", column)]
    order = ", ".join(f"d.{quoted(column)}" for column in key)
    rows = connection.execute(f"""
        select {", ".join(columns)} from {_first(key, "changed")}
        inner join {quoted("before", SCHEMA, name)} as a on {_same("d", "a", key)}
        inner join {quoted("after", SCHEMA, name)} as b on {_same("d", "b", key)}
        order by {order}
    """).fetchall()
    examples = []
    for row in rows:
        values = row[len(key) :]
        changes = [(column, *values[3 * n + 1 : 3 * n + 3]) for n, column in enumerate(compared) if values[3 * n]]
        examples.append(
            ChangedRow(
                key=dict(zip(key, row[: len(key)], strict=True)),
                before={column: old for column, old, _ in changes},
                after={column: new for column, _, new in changes},
            )
        )
    return tuple(examples)


def _key_figures(
    connection: duckdb.DuckDBPyConnection, name: str, before: ReleasedMart, after: ReleasedMart
) -> tuple[KeyFigure, ...]:
    old = _figures(connection, "before", name, before)
    new = _figures(connection, "after", name, after)
    return tuple(
        KeyFigure(
            column=column,
            changed=_differ(old.get(column), new.get(column)),
            before=old.get(column),
            after=new.get(column),
        )
        for column in dict.fromkeys([*old, *new])
    )


def _figures(connection: duckdb.DuckDBPyConnection, catalog: str, name: str, mart: ReleasedMart) -> dict[str, Figure]:
    """The figures of a mart's declared key figures, else of its numbers and dates outside key and volatile columns."""
    types = _types(mart)
    left_out = {*mart.primary_key, *mart.volatile_columns}
    columns = mart.key_figures or [
        column
        for column, kind in types.items()
        if column not in left_out and kind.startswith((*NUMBERS, *REALS, *INSTANTS))
    ]
    if not columns:
        return {}
    parts = ["count(*)"]
    for column in columns:
        value = quoted(column)
        is_number = types[column].startswith((*NUMBERS, *REALS))
        parts += [
            f"count({value})",
            f"sum({value})" if is_number else "null",
            *(f"{end}({value})" if is_number else f"{end}({value})::varchar" for end in ("min", "max")),
        ]
    rows, *values = connection.execute(f"select {', '.join(parts)} from {quoted(catalog, SCHEMA, name)}").fetchall()[0]
    found = {}
    for number, column in enumerate(columns):
        filled, total, least, most = values[4 * number : 4 * number + 4]
        found[column] = Figure(
            sum=_plain(total),
            min=_plain(least),
            max=_plain(most),
            null_share=1 - filled / rows if rows else None,
        )
    return found


def _plain(value: Any) -> Number:
    """A number as JSON has it: a decimal becomes a float, what is no number stays text."""
    return float(value) if isinstance(value, Decimal) else value


def _differ(before: Figure | None, after: Figure | None) -> bool:
    if before is None or after is None:
        return before is not after
    same_sum = before.sum == after.sum or (
        isinstance(before.sum, int | float)
        and isinstance(after.sum, int | float)
        and math.isclose(before.sum, after.sum, rel_tol=SUM_TOLERANCE)
    )
    exact = {"min", "max", "null_share"}
    return not same_sum or before.model_dump(include=exact) != after.model_dump(include=exact)
