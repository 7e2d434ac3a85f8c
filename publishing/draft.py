"""Build the files of a release in a folder: one DuckDB file, Parquet per mart, `release.json`."""

from __future__ import annotations

import hashlib
from pathlib import Path

import duckdb

from publishing.contents import column_types, content_sha256
from publishing.manifest import SCHEMA, Declaration
from publishing.record import RECORD, Release, ReleasedColumn, ReleasedFile, ReleasedMart
from publishing.sql import literal, quoted

TITLE_DE = "Münsterland: regionale Marts"
TITLE_EN = "Münsterland: regional marts"
SYNTHETIC_MARK = "SYNTHETIC / SYNTHETISCH – "
INFO = "release_info"


class CandidateDiffers(ValueError):
    """The candidate file does not hold what dbt's manifest declares."""


class SmallCountShown(ValueError):
    """A mart would tell a count of so few persons that somebody could be known by it."""


def title(text: str, synthetic: bool) -> str:
    """The title as people read it; what is made from invented bytes says so in both languages."""
    return SYNTHETIC_MARK + text if synthetic else text


def survey(candidate: Path, declared: dict[str, Declaration], synthetic: bool) -> dict[str, ReleasedMart]:
    """What the candidate's marts hold, by name: columns, rows, content hash.

    Raises CandidateDiffers where its schema `marts` has other tables or columns than declared, SmallCountShown where a
    column of the role `count_persons` holds a count that is too small: all files of a release are made of these marts.
    """
    with duckdb.connect(str(candidate), read_only=True) as connection:
        found = {
            name
            for (name,) in connection.execute(
                "select table_name from information_schema.tables where table_schema = ?", [SCHEMA]
            ).fetchall()
        }
        if found != declared.keys() or not found:
            raise CandidateDiffers(
                f"{candidate}: expected the marts of the manifest; missing {sorted(declared.keys() - found)}, "
                f"undeclared {sorted(found - declared.keys())}: build candidate and manifest in one dbt run"
            )
        return {name: _survey_mart(connection, mart, synthetic) for name, mart in declared.items()}


def _survey_mart(connection: duckdb.DuckDBPyConnection, mart: Declaration, synthetic: bool) -> ReleasedMart:
    table = f"{SCHEMA}.{mart.name}"
    types = column_types(connection, table)
    if types.keys() != mart.columns.keys():
        raise CandidateDiffers(
            f"{table}: expected the columns of the manifest; missing {sorted(mart.columns.keys() - types.keys())}, "
            f"undeclared {sorted(types.keys() - mart.columns.keys())}: declare every column in the model's YAML"
        )
    for column in mart.person_counts:
        _refuse_small_counts(connection, mart, column)
    return ReleasedMart(
        title_de=title(mart.title_de, synthetic),
        title_en=title(mart.title_en, synthetic),
        description=mart.description,
        version=mart.version,
        primary_key=mart.primary_key,
        volatile_columns=mart.volatile_columns,
        key_figures=mart.key_figures,
        rows=_count(connection, table),
        content_sha256=content_sha256(connection, table, list(types), mart.volatile_columns),
        columns=tuple(
            ReleasedColumn(name=name, type=kind, description=mart.columns[name]) for name, kind in types.items()
        ),
    )


def _refuse_small_counts(connection: duckdb.DuckDBPyConnection, mart: Declaration, column: str) -> None:
    """Raise SmallCountShown where a column shows a count above 0 and below its `min_persons`."""
    count = mart.person_counts[column]
    if count.protection == "cell_key":
        return
    condition = f"{quoted(column)} > 0 and {quoted(column)} < ?"
    if count.where is not None:
        condition += f" and {quoted(count.where)}"
    shown: int = connection.execute(
        f"select count(*) from {quoted(SCHEMA, mart.name)} where {condition}",
        [count.min_persons],
    ).fetchall()[0][0]
    if shown:
        raise SmallCountShown(
            f"{SCHEMA}.{mart.name}.{column}: expected no count of fewer than {count.min_persons} persons, found "
            f"{shown}; suppress them with what would tell them (macro suppressed_cells); nothing is promoted"
        )


def build(candidate: Path, release: Release) -> None:
    """Write the marts into the release's folder, which must be there and empty.

    The DuckDB file holds the schema `marts` alone, rows in the order of their key, comments on tables and columns,
    and one row in `marts.release_info`. Raises CandidateDiffers where rows went missing on the way.
    """
    release.parquet.mkdir()
    with duckdb.connect(str(release.warehouse)) as connection:
        connection.execute("set timezone = 'UTC'")
        connection.execute(f"attach {literal(candidate)} as candidate (read_only)")
        connection.execute(f"create schema {SCHEMA}")
        for name, mart in release.marts.items():
            _copy_mart(connection, name, mart, release)
        _write_info(connection, release)
        connection.execute("detach candidate")


def seal(release: Release) -> Release:
    """Write `release.json` last, with the sha256 of every other file in the release's folder; the release so sealed."""
    sealed = release.model_copy(update={"files": files_in(release.path)})
    (release.path / RECORD).write_text(sealed.model_dump_json(indent=2) + "\n", encoding="utf-8")
    return sealed


def files_in(folder: Path) -> dict[str, ReleasedFile]:
    """Every file below a release's folder but its record, by path."""
    paths = sorted(path for path in folder.rglob("*") if path.is_file() and path != folder / RECORD)
    found = {}
    for path in paths:
        with path.open("rb") as stream:
            sha256 = hashlib.file_digest(stream, "sha256").hexdigest()
        found[path.relative_to(folder).as_posix()] = ReleasedFile(sha256=sha256, bytes=path.stat().st_size)
    return found


def _copy_mart(connection: duckdb.DuckDBPyConnection, name: str, mart: ReleasedMart, release: Release) -> None:
    table = quoted(SCHEMA, name)
    columns = ", ".join(quoted(column.name) for column in mart.columns)
    key = ", ".join(quoted(column) for column in mart.primary_key)
    connection.execute(
        f"create table {table} as select {columns} from {quoted('candidate', SCHEMA, name)} order by {key}"
    )
    rows = _count(connection, f"{SCHEMA}.{name}")
    if rows != mart.rows:
        raise CandidateDiffers(
            f"{SCHEMA}.{name}: expected {mart.rows} rows, copied {rows}: the candidate was written to meanwhile"
        )
    comment = f"{mart.title_de} | {mart.title_en}\n{mart.description}"
    connection.execute(f"comment on table {table} is {literal(comment)}")
    for column in mart.columns:
        connection.execute(f"comment on column {table}.{quoted(column.name)} is {literal(column.description)}")
    labels = ", ".join(
        f"{label}: {literal(value)}"
        for label, value in {
            "title_de": mart.title_de,
            "title_en": mart.title_en,
            "mart_version": mart.version,
            "release": release.version,
            "synthetic": str(release.synthetic).lower(),
        }.items()
    )
    target = literal(release.parquet / f"{name}.parquet")
    connection.execute(f"copy {table} to {target} (format parquet, compression zstd, kv_metadata {{{labels}}})")


def _write_info(connection: duckdb.DuckDBPyConnection, release: Release) -> None:
    table = quoted(SCHEMA, INFO)
    connection.execute(
        f"create table {table} (version varchar, as_of timestamptz, synthetic boolean, "
        "title_de varchar, title_en varchar, code_version varchar)"
    )
    connection.execute(
        f"insert into {table} values (?, ?, ?, ?, ?, ?)",
        [
            release.version,
            release.as_of,
            release.synthetic,
            release.title_de,
            release.title_en,
            release.code_version,
        ],
    )
    connection.execute(f"comment on table {table} is {literal(f'{release.title_de} | {release.title_en}')}")


def _count(connection: duckdb.DuckDBPyConnection, table: str) -> int:
    rows: int = connection.execute(f"select count(*) from {quoted(*table.split('.'))}").fetchall()[0][0]
    return rows
