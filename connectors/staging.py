"""Write one snapshot's rows to typed Parquet and keep the account of its records.

Every record a parser reads must end as staged, rejected or out of scope; `StagedWriter.close` refuses anything else.
Files appear under their final name only when all of them are complete.
"""

from __future__ import annotations

import shutil
import tempfile
import uuid
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from connectors.drift import Change, Columns, Drift, Seen, declared_drift
from connectors.errors import AccountingError, SnapshotRefused
from connectors.tables import (
    COLUMN_DRIFT,
    COLUMN_SEEN,
    RECORD_ACCOUNT,
    REJECTED_ROW,
    SNAPSHOT_MEASURE,
    UNREAD_CELL,
    Table,
)

# A raw value is kept as evidence, not as data: enough to recognise it, too little to fill a disk.
RAW_TEXT_LIMIT = 500
# Rejected rows wait in memory in batches. The region's part of the largest register has 150,000 records, of which a
# source may allow a share to be rejected; a file that has 100,000 of them unreadable is another file.
REJECTED_BATCH, REJECTED_LIMIT = 20_000, 100_000
# No publisher has as many columns in a table; of a header that does, the first ones are told.
COLUMNS_LIMIT = 1_000
# Text goes to Parquet as distinct texts and their places: that is how it lies there, and parsers may deliver it so.
DISTINCT_TEXT = pa.dictionary(pa.int32(), pa.string())
# Agencies times Kreise times measures of the largest national feed are some thousands.
MEASURES_LIMIT = 20_000


@dataclass(frozen=True)
class Account:
    """What became of the records of one table of one snapshot."""

    read: int = 0
    staged: int = 0
    rejected: int = 0
    out_of_scope: int = 0

    @property
    def rejected_share(self) -> float:
        """rejected / (read - out of scope), 0 where nothing was in scope (design, section 3)."""
        in_scope = self.read - self.out_of_scope
        return self.rejected / in_scope if in_scope else 0.0


@dataclass
class _Ledger:
    read: int = 0
    staged: int = 0
    rejected: Counter[str] = field(default_factory=Counter)
    out_of_scope: Counter[str] = field(default_factory=Counter)

    def account(self) -> Account:
        return Account(self.read, self.staged, self.rejected.total(), self.out_of_scope.total())


class StagedWriter:
    """Takes the rows of one snapshot; a context manager that leaves no half-written file behind.

    `file_of(table_name)` names the Parquet file of a table below `staged/`.
    """

    def __init__(self, staged: Path, source_id: str, snapshot_sha256: str, parse_key: str) -> None:
        self._staged = staged
        self._key = {"source_id": source_id, "snapshot_sha256": snapshot_sha256, "parse_key": parse_key}
        self._ledgers: dict[str, _Ledger] = {}
        self._writers: dict[str, pq.ParquetWriter] = {}
        self._rejected: list[dict[str, Any]] = []
        self._rejected_count = 0
        self._first_rejected: dict[str, dict[str, Any]] = {}
        self._drift: set[tuple[str, str, Change]] = set()
        self._seen: dict[tuple[str, str], Seen] = {}
        self._unread: list[dict[str, Any]] = []
        self._measures: dict[tuple[str, str], int] = {}
        staged.mkdir(parents=True, exist_ok=True)
        self._scratch = Path(tempfile.mkdtemp(prefix=f".writing.{source_id}.", dir=staged))

    # -- what parsers call ------------------------------------------------------------------------------------------

    @property
    def scratch(self) -> Path:
        """A folder for a parser's temporary files; gone when the writer closes."""
        folder = self._scratch / "scratch"
        folder.mkdir(exist_ok=True)
        return folder

    def database(self) -> duckdb.DuckDBPyConnection:
        """An in-memory DuckDB for bulk work on untrusted files: bounded memory, spills to `scratch`, UTC."""
        database = duckdb.connect(
            config={
                # A process shall need at most 4 GB, with what it holds beside the database.
                "memory_limit": "3GB",
                "temp_directory": str(self.scratch / "spill"),
                "autoinstall_known_extensions": "false",
                "autoload_known_extensions": "false",
                "preserve_insertion_order": "true",
            }
        )
        database.execute("load icu")
        database.execute("set TimeZone = 'UTC'")
        return database

    def read(self, table: Table, records: int) -> None:
        """Say how many records of `table`'s grain the snapshot holds, counted apart from what is written."""
        self._ledger(table.name).read += records

    def write(self, table: Table, rows: pa.Table | pa.RecordBatchReader | Sequence[Mapping[str, Any]]) -> None:
        """Stage rows: `record_number` and exactly the columns of `table`, in any order; text as such or DISTINCT_TEXT.

        Raises pyarrow.ArrowInvalid or KeyError where columns or types do not fit the schema.
        """
        expected = pa.schema([pa.field("record_number", pa.int64()), *table.columns])
        if isinstance(rows, pa.Table):
            batches: Iterable[pa.Table] = (rows,)
        elif isinstance(rows, pa.RecordBatchReader):
            batches = (pa.Table.from_batches([batch]) for batch in rows)
        else:
            batches = (pa.Table.from_pylist([dict(row) for row in rows], schema=expected),)
        for batch in batches:
            self._append(table, batch.select(expected.names))
            self._ledger(table.name).staged += batch.num_rows

    def withdraw(self, table: Table) -> None:
        """Take back all rows of `table` that were written so far."""
        if table.name in self._writers:
            self._writers.pop(table.name).close()
            self._ledger(table.name).staged = 0

    def show(self, table: Table, database: duckdb.DuckDBPyConnection) -> None:
        """Make all that was written of `table` a view of that name in a database; no more of it can be written then."""
        if table.name not in self._writers:
            self._append(table, pa.schema([pa.field("record_number", pa.int64()), *table.columns]).empty_table())
        self._writers[table.name].close()
        place = self._scratch / f"{table.name}.parquet"
        database.execute(f"create view {table.name} as from read_parquet('{place}', hive_partitioning = false)")

    def reject(self, table: Table, record_number: int, column: str, raw: str | None, reason: str) -> None:
        """Reject one record and keep the raw text that could not be read.

        Raises SnapshotRefused beyond REJECTED_LIMIT records: such a file is not the one its source declares.
        """
        self._ledger(table.name).rejected[reason] += 1
        row = {
            "record_number": record_number,
            "table_name": table.name,
            "column_name": _storable(column[:RAW_TEXT_LIMIT]),
            "raw_text": None if raw is None else _storable(raw[:RAW_TEXT_LIMIT]),
            "reason": reason,
        }
        self._first_rejected.setdefault(table.name, row)
        self._rejected.append(row)
        if len(self._rejected) == REJECTED_BATCH:
            self._flush_rejected()
        self._rejected_count += 1
        if self._rejected_count > REJECTED_LIMIT:
            raise SnapshotRefused(
                f"{self._key['source_id']}: more than {REJECTED_LIMIT} records of {table.name} cannot be read; "
                f"first: {self.first_rejection(table.name)}; compare the file with the connector"
            )

    def unread(self, table: Table, column: str, reason: str, records: int, example: str) -> None:
        """Say in how many records a cell of a column that only informs could not be read, and staged as null."""
        self._unread.append(
            {
                "record_number": 0,
                "table_name": table.name,
                "column_name": column,
                "reason": reason,
                "records": records,
                "example": _storable(example[:RAW_TEXT_LIMIT]),
            }
        )

    def note(self, table: Table, rows: Iterable[Mapping[str, Any]]) -> None:
        """Stage what a parser has to say about the snapshot as a whole, in the columns of `table`: no records of it."""
        self._append_rows(table, [{"record_number": 0} | {name: _short(row[name]) for name in row} for row in rows])

    def measure(self, measure: str, subject: str, amount: int) -> None:
        """Say how much of something the snapshot holds, for the guard measure_ratio."""
        if len(self._measures) < MEASURES_LIMIT:
            self._measures[measure, _storable(subject[:RAW_TEXT_LIMIT])] = amount

    def out_of_scope(self, table: Table, reason: str, records: int = 1) -> None:
        """Leave records out for a reason (preamble, footer, outside the region)."""
        if records:
            self._ledger(table.name).out_of_scope[reason] += records

    def drift(self, table: Table, column: str, change: Change) -> None:
        """Report a column nobody declared (`new`) or a declared one that is not there (`missing`)."""
        if len(self._drift) < COLUMNS_LIMIT:
            self._drift.add((table.name, _storable(column[:RAW_TEXT_LIMIT]), change))

    def saw_header(self, table: Table, columns: Sequence[str]) -> None:
        """Say which columns the snapshot's header names, in its order, staged or not."""
        for position, column in enumerate(columns[:COLUMNS_LIMIT], start=1):
            self._seen.setdefault((table.name, _storable(column[:RAW_TEXT_LIMIT])), Seen(position=position))

    def saw_fields(self, table: Table, records: Mapping[str, int]) -> None:
        """Say which fields records carry where no header names them, and how many records do."""
        for column, count in sorted(records.items())[:COLUMNS_LIMIT]:
            key = (table.name, _storable(column[:RAW_TEXT_LIMIT]))
            self._seen[key] = Seen(records=count + (self._seen.get(key, Seen()).records or 0))

    # -- what the parse step calls ----------------------------------------------------------------------------------

    @property
    def accounts(self) -> dict[str, Account]:
        """The account per table name."""
        return {name: ledger.account() for name, ledger in sorted(self._ledgers.items())}

    @property
    def drifts(self) -> list[Drift]:
        """Every drift seen, sorted; a missing column that stands there under a new name is `renamed`."""
        return declared_drift(self._drift)

    @property
    def drifted(self) -> list[tuple[str, str, str]]:
        """(table, column, change) of every drift seen, sorted; a renamed column is `old -> new`."""
        return [(drift.table, drift.subject, drift.change) for drift in self.drifts]

    @property
    def measures(self) -> Mapping[tuple[str, str], int]:
        """The amounts told, by measure and subject."""
        return self._measures

    @property
    def columns(self) -> Columns:
        """The columns seen, by table and name."""
        return self._seen

    def first_rejection(self, table: str) -> str:
        """The first rejected record of a table in words, for a message."""
        row = self._first_rejected[table]
        return f"record {row['record_number']}, {row['column_name']}: {row['reason']} ({row['raw_text']!r})"

    def close(self) -> dict[str, Account]:
        """Check the account, put all files in place and return the account per table.

        Raises AccountingError where records are lost or doubled; nothing is staged then.
        """
        for name, account in self.accounts.items():
            if account.read != account.staged + account.rejected + account.out_of_scope:
                raise AccountingError(
                    f"{self._key['source_id']} {self._key['snapshot_sha256'][:12]}: {name}: "
                    f"read {account.read} records, but staged {account.staged} + rejected {account.rejected} "
                    f"+ out of scope {account.out_of_scope}; mend the parser"
                )
        self._flush_rejected()
        self._append_rows(RECORD_ACCOUNT, self._account_rows())
        self._append_rows(UNREAD_CELL, self._unread)
        self._append_figures()
        self._place_files(self._writers)
        return self.accounts

    def close_refused(self) -> None:
        """Stage nothing of the snapshot, but put in place its columns and measures: evidence of why it was refused."""
        self._append_figures()
        evidence = (COLUMN_DRIFT.name, COLUMN_SEEN.name, SNAPSHOT_MEASURE.name)
        self._place_files(name for name in self._writers if name in evidence)

    def file_of(self, table: str) -> Path:
        """`<table>/source_id=…/snapshot_sha256=…/<parse_key>.parquet` below `staged/`."""
        return staged_file(self._staged, table, **self._key)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for writer in self._writers.values():
            writer.close()
        shutil.rmtree(self._scratch, ignore_errors=True)

    # -- inside -----------------------------------------------------------------------------------------------------

    def _ledger(self, table: str) -> _Ledger:
        return self._ledgers.setdefault(table, _Ledger())

    def _flush_rejected(self) -> None:
        self._append_rows(REJECTED_ROW, self._rejected)
        self._rejected = []

    def _append_rows(self, table: Table, rows: list[dict[str, Any]]) -> None:
        if rows:
            expected = pa.schema([pa.field("record_number", pa.int64()), *table.columns])
            self._append(table, pa.Table.from_pylist(rows, schema=expected))

    def _append(self, table: Table, rows: pa.Table) -> None:
        if table.name not in self._writers:
            self._writers[table.name] = self._begin(table, rows)
        writer = self._writers[table.name]
        places = pa.array(np.zeros(rows.num_rows, np.int32))
        key = [pa.DictionaryArray.from_arrays(places, [value]) for value in self._key.values()]
        expected = pa.schema([writer.schema.field(name) for name in rows.column_names])
        writer.write_table(
            pa.Table.from_arrays([*key, *rows.cast(expected).columns], schema=writer.schema), row_group_size=122_880
        )

    def _begin(self, table: Table, rows: pa.Table) -> pq.ParquetWriter:
        """A file for a table, whose texts come as in these first rows; readers see text in either case."""
        distinct = {*self._key, *(field.name for field in rows.schema if field.type == DISTINCT_TEXT)}
        text = [field.name for field in table.schema if field.type == pa.string()]
        types = [DISTINCT_TEXT if field.name in distinct else field.type for field in table.schema]
        return pq.ParquetWriter(
            self._scratch / f"{table.name}.parquet",
            pa.schema(list(zip(table.schema.names, types, strict=True))),
            compression="zstd",
            use_dictionary=[name for name in table.schema.names if name != "record_number"],
            column_encoding={"record_number": "DELTA_BINARY_PACKED"},
            write_statistics=[name for name in table.schema.names if name not in text],
            store_schema=False,
        )

    def _append_figures(self) -> None:
        self._append_rows(
            SNAPSHOT_MEASURE,
            [
                {"record_number": 0, "measure": measure, "subject": subject, "amount": amount}
                for (measure, subject), amount in sorted(self._measures.items())
            ],
        )
        self._append_rows(
            COLUMN_DRIFT,
            [
                {
                    "record_number": 0,
                    "table_name": drift.table,
                    "column_name": drift.column,
                    "change": drift.change,
                    "former_name": drift.former_name,
                }
                for drift in self.drifts
            ],
        )
        self._append_rows(
            COLUMN_SEEN,
            [
                {"record_number": 0, "table_name": table, "column_name": column, **seen._asdict()}
                for (table, column), seen in sorted(self._seen.items())
            ],
        )

    def _account_rows(self) -> list[dict[str, Any]]:
        rows: list[dict[str, Any]] = []
        for name, ledger in sorted(self._ledgers.items()):
            entries: list[tuple[str, str | None, int]] = [("read", None, ledger.read), ("staged", None, ledger.staged)]
            entries += [("rejected", reason, count) for reason, count in sorted(ledger.rejected.items())]
            entries += [("out_of_scope", reason, count) for reason, count in sorted(ledger.out_of_scope.items())]
            rows += [
                {"record_number": 0, "table_name": name, "outcome": outcome, "reason": reason, "records": count}
                for outcome, reason, count in entries
            ]
        return rows

    def _place_files(self, names: Iterable[str]) -> None:
        """Rename files into place, the account last: where it lies, the snapshot is completely staged."""
        for writer in self._writers.values():
            writer.close()
        for name in sorted(names, key=lambda name: (name == RECORD_ACCOUNT.name, name)):
            place = self.file_of(name)
            place.parent.mkdir(parents=True, exist_ok=True)
            (self._scratch / f"{name}.parquet").replace(place)


def _short(value: Any) -> Any:
    return _storable(value[:RAW_TEXT_LIMIT]) if isinstance(value, str) else value


def _storable(text: str) -> str:
    """The text with halves of surrogate pairs, which no UTF-8 can hold, spelt as `\\ud800`."""
    return text.encode("utf-8", "backslashreplace").decode()


def staged_file(staged: Path, table: str, source_id: str, snapshot_sha256: str, parse_key: str) -> Path:
    """Where a table of a snapshot lies: the folder names are Hive partitions."""
    return staged / table / f"source_id={source_id}" / f"snapshot_sha256={snapshot_sha256}" / f"{parse_key}.parquet"


def remove_leftovers(staged: Path, source_id: str) -> None:
    """Remove what a killed parse of the source left behind; one source is parsed by one process at a time."""
    for folder in staged.glob(f".writing.{source_id}.*"):
        shutil.rmtree(folder)


def replace_parquet(place: Path, rows: pa.Table) -> None:
    """Write a Parquet file whole: readers see the former file or the new one, never a part."""
    place.parent.mkdir(parents=True, exist_ok=True)
    draft = place.with_name(f".{place.name}.{uuid.uuid4().hex}")
    try:
        pq.write_table(rows, draft, compression="zstd")
        draft.replace(place)
    finally:
        draft.unlink(missing_ok=True)
