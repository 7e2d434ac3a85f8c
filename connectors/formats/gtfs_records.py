"""The records of one file of a GTFS feed, on their way from CSV to a DuckDB table to Parquet."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pyarrow as pa

from connectors.blocks import Malformed, Parsed, cut_into_blocks
from connectors.connector import Snapshot
from connectors.errors import Reason, SnapshotRefused
from connectors.formats.gtfs_reference import INFORMING_FILES, READ, UNREADABLE, Column, File
from connectors.staging import REJECTED_LIMIT, StagedWriter


class Records:
    """The records of one file of a feed, on their way from CSV to a DuckDB table to Parquet."""

    def __init__(self, snapshot: Snapshot, file: File, path: Path, out: StagedWriter) -> None:
        self.file = file
        self.out = out
        self._where = f"{snapshot.source_id}: {snapshot.path.name}: {file.name}"
        self.csv = cut_into_blocks(path, self._where)
        self._header = self.csv.header
        self.lacks: str | None = None
        self._check_header()
        out.read(file.table, self.csv.records)

    @property
    def places(self) -> dict[str, int]:
        """The columns to be staged that the file has, with their places in its header."""
        return {column.source: self._header.index(column.source) for column in self.file.columns if self.has(column)}

    def has(self, column: Column) -> bool:
        """Whether the file has the column."""
        return column.source in self._header

    def _check_header(self) -> None:
        self.out.saw_header(self.file.table, self._header)
        staged = {column.source for column in self.file.columns}
        for name in set(self._header) - staged:
            self.out.drift(self.file.table, name, "new")
        for column in self.file.columns:
            if column.need in ("cell", "column") and column.source not in self._header:
                self.out.drift(self.file.table, column.source, "missing")
                if self.file.name in INFORMING_FILES:
                    self.lacks = column.source
                    continue
                raise SnapshotRefused(
                    f"{self._where} has no column {column.source}, which GTFS requires; "
                    f"found {', '.join(self._header)[:300] or 'nothing'}; ask the publisher again",
                    Reason("missing_required_column", f"{self.file.table.name.removeprefix('gtfs_')}.{column.source}"),
                )
            if self._header.count(column.source) > 1:
                raise SnapshotRefused(f"{self._where} has column {column.source} twice; ask the publisher which holds")

    def leave_out(self) -> None:
        """Count every record as out of scope: the file lacks a column without which it says nothing."""
        self.out.out_of_scope(self.file.table, f"no column {self.lacks}", self.csv.records)

    def sound(self, parsed: Parsed) -> pa.RecordBatch:
        """The records of a block that fit the header; the others are rejected."""
        for record in parsed.malformed:
            self.reject(record)
        return parsed.batch

    def reject(self, record: Malformed) -> None:
        """Reject a record that does not fit the header."""
        self.out.reject(self.file.table, record.record_number, "", record.text, record.reason)

    def load(self, db: duckdb.DuckDBPyConnection) -> None:
        """Make the file's typed table, the records that cannot be read marked."""
        raw = {c.source: f"raw_{c.source}" if c.source in self._header else "''" for c in self.file.columns}
        typed = {c: READ[c.kind].format(raw=raw[c.source]) for c in self.file.columns}
        problems = [
            (f"trim({raw[c.source]}) = ''", c, f"no {c.source}") for c in self.file.columns if c.need == "cell"
        ] + [
            (f"trim({raw[c.source]}) <> '' and {c.staged} is null", c, UNREADABLE[c.kind])
            for c in self.file.columns
            if c.kind in UNREADABLE and c.need != "informs"
        ]
        unread = [
            (f"trim({raw[c.source]}) <> '' and {c.staged} is null", c)
            for c in self.file.columns
            if c.kind in UNREADABLE and c.need == "informs" and c.source in self._header
        ]
        rows = f"""
            select record_number, {", ".join(column.staged for column in typed)},
                {_choose([(when, f"'{column.source}'") for when, column, _ in problems])} as problem_column,
                {_choose([(when, raw[column.source]) for when, column, _ in problems])} as problem_text,
                {_choose([(when, f"'{reason}'") for when, _, reason in problems])} as problem_reason,
                {_choose([(when, f"'{column.source}'") for when, column in unread])} as unread_column,
                {_choose([(when, raw[column.source]) for when, column in unread])} as unread_text
            from (
                select *, {", ".join(f"{sql} as {column.staged}" for column, sql in typed.items())}
                from records
            ) as read
        """
        columns = {f"raw_{source}": place for source, place in self.places.items()}
        nothing = {"record_number": pa.array([], pa.int64()), **{name: pa.array([], pa.string()) for name in columns}}
        db.register("records", pa.table(nothing))
        db.execute(f"create table {self.file.table.name} as {rows}")
        for parsed in self.csv.parse(columns, REJECTED_LIMIT):
            db.register("records", pa.Table.from_batches([self.sound(parsed)]))
            db.execute(f"insert into {self.file.table.name} {rows}")
        db.unregister("records")

    def settle(self, db: duckdb.DuckDBPyConnection) -> None:
        """Reject what cannot be read, refers to nothing or repeats a key; stage the rest in the file's order."""
        table = self.file.table.name
        self._reject(
            db,
            f"""
            select record_number, problem_column, problem_text, problem_reason from {table}
            where problem_reason is not null
            """,
        )
        same_key = " and ".join(f"{table}.{name} is not distinct from first.{name}" for name in self.file.key) or "true"
        keys = "".join(f"{name}, " for name in self.file.key)
        self._reject(
            db,
            f"""
            with first as (
                select {keys} min(record_number) as first_number from {table}
                group by {keys or "()"} having count(*) > 1
            )
            select {table}.record_number, '{" ".join(self.file.key)}',
                concat_ws(' ', {", ".join(f"{table}.{name}" for name in self.file.key) or "null"}), 'repeated key'
            from {table} inner join first on {same_key}
            where {table}.record_number > first.first_number
            """,
        )
        self._tell_unread(db)
        staged = ", ".join(self.file.table.columns.names)
        self.out.write(
            self.file.table,
            db.sql(f"select record_number, {staged} from {table} order by record_number").to_arrow_reader(),
        )

    def _tell_unread(self, db: duckdb.DuckDBPyConnection) -> None:
        kinds = {column.source: column.kind for column in self.file.columns}
        found = db.execute(
            f"""
            select unread_column, count(*), arg_min(unread_text, record_number) from {self.file.table.name}
            where unread_column is not null group by unread_column order by unread_column
            """
        )
        for column, records, example in found.fetchall():
            self.out.unread(self.file.table, column, UNREADABLE[kinds[column]], records, example)

    def _reject(self, db: duckdb.DuckDBPyConnection, offenders: str) -> None:
        table = self.file.table
        db.execute(
            f"create or replace temp table offender(record_number, column_name, raw_text, reason) as {offenders}"
        )
        for number, column, raw, reason in db.execute("select * from offender order by record_number").fetchall():
            self.out.reject(table, number, column, raw, reason)
        db.execute(f"delete from {table.name} where record_number in (select record_number from offender)")


def _choose(cases: list[tuple[str, str]]) -> str:
    return (
        f"case {' '.join(f'when {when} then {then}' for when, then in cases)} end" if cases else "cast(null as varchar)"
    )
