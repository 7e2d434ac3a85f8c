"""Recompute what a release says of itself: its record, its files, every mart in DuckDB and in Parquet."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Literal

import duckdb
from pydantic import BaseModel, ConfigDict

from publishing.contents import NotComparable, column_types, content_sha256
from publishing.draft import INFO, files_in
from publishing.history import Event
from publishing.manifest import SCHEMA
from publishing.record import RECORD, QualityTable, Release, ReleasedMart
from publishing.sql import literal, quoted

Place = Literal["record", "file", "duckdb", "parquet"]


class Finding(BaseModel):
    """Something in a release that is not as its record says.

    place: where it was seen. file: path below the release's folder. mart: null where it is about a whole file.
    """

    model_config = ConfigDict(frozen=True)

    version: str
    place: Place
    file: str
    mart: str | None = None
    problem: str


def verify(release: Release, history: Sequence[Event]) -> list[Finding]:
    """What is wrong with a release, empty where all is as it was promoted; nothing is raised for damaged files.

    Recomputed are the sha256 of `release.json` (against the history) and of every file, and per mart columns, rows and
    content hash, once from the DuckDB file and once from Parquet.
    """
    return [*_record(release, history), *_files(release), *_warehouse(release), *_parquet(release)]


def _record(release: Release, history: Sequence[Event]) -> Iterator[Finding]:
    found = hashlib.sha256((release.path / RECORD).read_bytes()).hexdigest()
    told = [event.record_sha256 for event in history if event.action == "promoted" and event.version == release.version]
    if told and told[0] not in (None, found):
        yield _finding(release, "record", RECORD, f"was promoted with sha256 {told[0]}, has {found}: it was changed")
    if release.version != release.path.name:
        yield _finding(release, "record", RECORD, f"tells of release {release.version} in folder {release.path.name}")


def _files(release: Release) -> Iterator[Finding]:
    found = files_in(release.path)
    for name, told in release.files.items():
        if name not in found:
            yield _finding(release, "file", name, "is missing")
        elif found[name] != told:
            yield _finding(
                release,
                "file",
                name,
                f"expected {told.bytes} bytes with sha256 {told.sha256}, found {found[name].bytes} bytes with "
                f"{found[name].sha256}",
            )
    # A release of older code lists no files.
    for name in sorted(found.keys() - release.files.keys() if release.files else ()):
        yield _finding(release, "file", name, "was not there when the release was promoted")


def _warehouse(release: Release) -> Iterator[Finding]:
    file = release.warehouse.name
    try:
        with duckdb.connect(str(release.warehouse), read_only=True) as connection:
            connection.execute("set timezone = 'UTC'")
            for name, mart in _tables(release).items():
                for problem in _mart(connection, f"{SCHEMA}.{name}", mart):
                    yield _finding(release, "duckdb", file, problem, name)
            for problem in _info(connection, release):
                yield _finding(release, "duckdb", file, problem)
    except duckdb.Error as error:
        yield _finding(release, "duckdb", file, f"cannot be read: {_first_line(error)}")


def _parquet(release: Release) -> Iterator[Finding]:
    for name, mart in _tables(release).items():
        path = release.parquet / f"{name}.parquet"
        with duckdb.connect() as connection:
            connection.execute("set timezone = 'UTC'")
            for problem in _mart_of_file(connection, path, mart):
                yield _finding(release, "parquet", f"parquet/{path.name}", problem, name)


def _tables(release: Release) -> dict[str, ReleasedMart | QualityTable]:
    """The marts, and the tables that tell of their quality."""
    return {**release.marts, **(release.quality.tables if release.quality else {})}


def _mart_of_file(connection: duckdb.DuckDBPyConnection, path: Path, mart: ReleasedMart | QualityTable) -> list[str]:
    try:
        connection.execute(
            f"create view mart as select * from read_parquet({literal(path)}, hive_partitioning = false)"
        )
    except duckdb.Error as error:
        return [f"cannot be read: {_first_line(error)}"]
    return _mart(connection, "mart", mart)


def _mart(connection: duckdb.DuckDBPyConnection, table: str, mart: ReleasedMart | QualityTable) -> list[str]:
    """What a table has otherwise than the record says: its columns, else its rows and contents."""
    told = {column.name: column.type for column in mart.columns}
    try:
        types = column_types(connection, table)
        if types != told:
            strange = sorted(name for name in {*types, *told} if types.get(name) != told.get(name))
            return [f"columns differ from the record: {', '.join(strange)}"]
        rows: int = connection.execute(f"select count(*) from {quoted(*table.split('.'))}").fetchall()[0][0]
        volatile = mart.volatile_columns if isinstance(mart, ReleasedMart) else ()
        found = content_sha256(connection, table, list(told), volatile)
    except (duckdb.Error, NotComparable) as error:
        return [f"cannot be read: {_first_line(error)}"]
    problems = [f"expected {mart.rows} rows, found {rows}"] if rows != mart.rows else []
    if found != mart.content_sha256:
        problems.append(f"contents differ: expected hash {mart.content_sha256}, found {found}")
    return problems


def _info(connection: duckdb.DuckDBPyConnection, release: Release) -> list[str]:
    told = (release.version, release.synthetic, release.code_version)
    columns = "version, synthetic, code_version"
    found = connection.execute(f"select {columns} from {quoted(SCHEMA, INFO)}").fetchall()
    return [] if found == [told] else [f"{SCHEMA}.{INFO} ({columns}): expected {told}, found {found}"]


def _first_line(error: Exception) -> str:
    return str(error).splitlines()[0]


def _finding(release: Release, place: Place, file: str, problem: str, mart: str | None = None) -> Finding:
    return Finding(version=release.path.name, place=place, file=file, mart=mart, problem=problem)
