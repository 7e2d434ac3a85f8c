"""The content hash: blind to order and volatile columns, sharp for everything else."""

from __future__ import annotations

import hashlib

import duckdb
import pytest

from publishing.contents import NotComparable, content_sha256

COLUMNS = ["site_id", "count", "hour_at"]


def of_rows(rows: str, volatile: tuple[str, ...] = (), setting: str = "set timezone = 'UTC'") -> str:
    with duckdb.connect() as connection:
        connection.execute(setting)
        connection.execute("create table t (site_id varchar, count bigint, hour_at timestamptz)")
        connection.execute(f"insert into t values {rows}")
        return content_sha256(connection, "t", COLUMNS, volatile)


FIRST = "('a', 1, '2024-03-31 00:00:00+00'), ('b', 2, '2024-03-31 01:00:00+00')"


def test_is_the_sha256_of_the_sorted_row_digests_after_the_columns() -> None:
    with duckdb.connect() as connection:
        connection.execute("create table t as select * from (values ('x', null), ('', 2)) as v (name, count)")
        found = content_sha256(connection, "t", ["name", "count"], ())
    rows = [hashlib.sha256(row).hexdigest() for row in (b'["x",null]', b'["","2"]')]
    # One bucket per first byte; the two digests lie in different ones.
    buckets = "".join(hashlib.sha256(row.encode()).hexdigest() for row in sorted(rows))
    head = '[["name", "VARCHAR"], ["count", "INTEGER"]]'
    assert rows[0][:2] != rows[1][:2]
    assert found == hashlib.sha256(f"{head}\n{buckets}".encode()).hexdigest()


def test_order_of_rows_does_not_count() -> None:
    assert of_rows(FIRST) == of_rows("('b', 2, '2024-03-31 01:00:00+00'), ('a', 1, '2024-03-31 00:00:00+00')")


def test_threads_and_row_groups_do_not_count() -> None:
    def hashed(threads: int, order: str) -> str:
        with duckdb.connect() as connection:
            connection.execute(f"set threads = {threads}")
            connection.execute(f"create table t as select i, i / 7 as share from range(300000) r(i) order by i {order}")
            return content_sha256(connection, "t", ["i", "share"], ())

    assert hashed(1, "asc") == hashed(2, "desc")


@pytest.mark.parametrize(
    "other",
    [
        "('a', 1, '2024-03-31 00:00:00+00'), ('b', 3, '2024-03-31 01:00:00+00')",
        "('a', 1, '2024-03-31 00:00:00+00'), ('b', 2, '2024-03-31 01:00:00.000001+00')",
        "('a', 1, '2024-03-31 00:00:00+00')",
        FIRST + ", ('b', 2, '2024-03-31 01:00:00+00')",
        "('b', 1, '2024-03-31 00:00:00+00'), ('a', 2, '2024-03-31 01:00:00+00')",
    ],
)
def test_a_changed_missing_or_doubled_row_counts(other: str) -> None:
    assert of_rows(FIRST) != of_rows(other)


def test_null_differs_from_empty_text_and_from_the_word() -> None:
    hashes = {of_rows(f"({name}, 1, null)") for name in ("null", "''", "'null'", "'NULL'")}
    assert len(hashes) == 4


def test_values_do_not_run_into_each_other() -> None:
    with duckdb.connect() as connection:
        connection.execute("create table one as select 'a\",\"b' as x, 'c' as y")
        connection.execute("create table two as select 'a' as x, 'b\",\"c' as y")
        assert content_sha256(connection, "one", ["x", "y"], ()) != content_sha256(connection, "two", ["x", "y"], ())


def test_volatile_columns_do_not_count() -> None:
    later = FIRST.replace("2024-03-31", "2025-01-01")
    assert of_rows(FIRST, ("hour_at",)) == of_rows(later, ("hour_at",))
    assert of_rows(FIRST) != of_rows(later)


def test_the_session_time_zone_does_not_count() -> None:
    assert of_rows(FIRST) == of_rows(FIRST, setting="set timezone = 'Europe/Berlin'")


def test_doubles_and_blobs_count_to_the_last_bit() -> None:
    with duckdb.connect() as connection:
        values = ["0.3::double", "(0.1::double + 0.2::double)", "'\\xAB'::blob", "'\\xAC'::blob", "0.3::decimal(4, 2)"]
        for number, value in enumerate(values):
            connection.execute(f"create table t{number} as select {value} as v")
        assert len({content_sha256(connection, f"t{number}", ["v"], ()) for number in range(5)}) == 5


@pytest.mark.parametrize("column", ["nowhere", "listed"])
def test_what_cannot_be_compared_is_refused_by_name(column: str) -> None:
    with duckdb.connect() as connection:
        connection.execute("create table t as select [1] as listed")
        with pytest.raises(NotComparable, match=column):
            content_sha256(connection, "t", [column], ())
