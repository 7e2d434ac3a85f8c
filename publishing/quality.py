"""What the gate found, kept: a journal of every judgement, and three tables in each release that tell of it.

The journal (`releases/quality/<number>.parquet`, one file per judgement, green or red) is append-only: a judgement of a
candidate that was not released, or that says just what the current release says, is kept as well. A file is written
under another name and linked into place whole, so a killed process leaves the journal as it was.

The tables lie in schema `marts` beside `release_info` and as Parquet. They tell of the process, not of the region: they
stand outside the content hashes that decide whether a release says something new.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from publishing.contents import column_types, content_sha256
from publishing.draft import title
from publishing.manifest import SCHEMA
from publishing.record import RECORD, QualityRecord, QualityTable, Release, ReleasedColumn
from publishing.sql import literal, quoted

JOURNAL = "quality"
# Which release a judgement made, told beside it once the release is promoted.
MADE = ".release"
DRAFT = ".draft-"
LATEST = "latest.html"

HISTORY_FIELDS = pa.schema(
    [
        ("judgement", pa.int64()),
        ("as_of", pa.timestamp("us", tz="UTC")),
        ("gate_passed", pa.bool_()),
        ("mart", pa.string()),
        ("check_id", pa.string()),
        ("expectation", pa.string()),
        ("dimension", pa.string()),
        ("owner", pa.string()),
        ("severity", pa.string()),
        ("success", pa.bool_()),
        ("is_quarantined", pa.bool_()),
        ("unexpected_count", pa.int64()),
        ("observed", pa.string()),
        ("error", pa.string()),
        ("meaning_de", pa.string()),
        ("meaning_en", pa.string()),
    ]
)


@dataclass(frozen=True)
class Told:
    """A table of quality in the release: its titles, its key, and what its columns hold, in their order."""

    title_de: str
    title_en: str
    description: str
    key: tuple[str, ...]
    columns: Mapping[str, str]


TABLES = {
    "mart_quality_scorecard": Told(
        title_de="Qualität je Mart",
        title_en="Quality per mart",
        description="Four marks per mart, 0 to 1, as the gate judged this release. complete, valid, consistent: "
        "weighted mean of the checks of that dimension (critical 3, warning 2, info 1); a check that holds is marked "
        "1, one that does not 1 - unexpected / judged rows (at least 0), or 0 where it judges the table by one figure.",
        key=("mart",),
        columns={
            "mart": "Mart the marks are given for.",
            "fresh": "Share of the sources feeding the mart that were fresh at as_of (mart_coverage). Unit: 1 (share).",
            "complete": "Mark for values and records that should be there. Unit: 1 (share).",
            "valid": "Mark for values that are what their column allows. Unit: 1 (share).",
            "consistent": "Mark for keys, sums and rows that agree with each other. Unit: 1 (share).",
            "blank_reason": "Why a mark is null; null where all are given.",
            "checks": "Checks asked of the mart. Unit: checks.",
            "failed_checks": "Checks that failed, quarantined ones left out. Unit: checks.",
            "quarantined_checks": "Known failures in quarantine. Unit: checks.",
        },
    ),
    "mart_quality_unexpected": Told(
        title_de="Unerwartete Zeilen",
        title_en="Unexpected rows",
        description="The rows that failed checks did not expect, up to 1,000 of each check, one row each.",
        key=("check_id", "row_number"),
        columns={
            "mart": "Mart the check judges.",
            "check_id": "The check, as in mart_quality_history.",
            "row_number": "Number of the row within its check, in the order of the mart's key. Unit: 1 (ordinal).",
            "unexpected_count": "All unexpected rows of the check, also those not kept. Unit: rows.",
            "row_json": "The row as a JSON object of texts: its key and the values judged, cut after 200 characters.",
        },
    ),
    "mart_quality_history": Told(
        title_de="Verlauf der Prüfungen",
        title_en="History of the checks",
        description="Every check of every judgement in this home up to this release, those of red gates too.",
        key=("judgement", "check_id"),
        columns={
            "judgement": "Number of the judgement, counting up. Unit: 1 (ordinal).",
            "release": "Release the judgement made; null where it made none (gate red, or no mart changed).",
            "as_of": "Clock of the run that was judged (UTC).",
            "gate_passed": "Whether the candidate as a whole passed.",
            "mart": "Mart the check judges.",
            "check_id": "Mart, kind, columns and a hash of the arguments; another id where the arguments change.",
            "expectation": "Kind of the check.",
            "dimension": "complete, valid or consistent; null where the gate speaks of itself.",
            "owner": "Who looks after the check (expectations/owners.yml).",
            "severity": "critical, warning or info.",
            "success": "Whether the check held.",
            "is_quarantined": "Whether it is a known failure that does not stop the release for now.",
            "unexpected_count": "Unexpected rows; null where it held or a figure is judged. Unit: rows.",
            "observed": "Figure observed, where one is judged and did not fit.",
            "error": "Why the check could not be evaluated; null where it could.",
            "meaning_de": "What the check says, in German.",
            "meaning_en": "What the check says, in English.",
        },
    ),
}


class JournalBroken(RuntimeError):
    """A file of the journal is not what it should be."""


@dataclass(frozen=True)
class Judged:
    """A judgement to lay into a release: its number in the journal, `gate.json` and the unexpected rows."""

    number: int
    report: Path
    unexpected: Path


def record(releases: Path, report: Path, page: Path, as_of: datetime) -> int:
    """Add the verdict in `report` (`gate.json`) to the journal; its number, counting up from 1.

    The judgement's `page` replaces the former one as `latest.html`: one that makes no release can be looked at, too.
    """
    journal = releases / JOURNAL
    journal.mkdir(parents=True, exist_ok=True)
    for leftover in journal.glob(f"{DRAFT}*"):
        leftover.unlink()
    verdict = json.loads(report.read_text(encoding="utf-8"))
    number = max(_numbers(journal), default=0) + 1
    rows = [_history_row(check, number, as_of, verdict["passed"]) for check in verdict["checks"]]
    draft = journal / f"{DRAFT}{number:06}.parquet"
    pq.write_table(pa.Table.from_pylist(rows, schema=HISTORY_FIELDS), draft, compression="zstd")
    _put(draft, _file(journal, number))
    latest = journal / f"{DRAFT}{LATEST}"
    shutil.copyfile(page, latest)
    latest.replace(journal / LATEST)
    return number


def past(releases: Path, last: int = 20) -> list[dict[str, Any]]:
    """The last judgements in short, oldest first: how many checks there were and failed by severity, and the release.

    Raises JournalBroken naming the file that cannot be read.
    """
    journal = releases / JOURNAL
    made = _made(journal)
    with duckdb.connect() as connection:
        answer = _read(
            connection,
            [_file(journal, number) for number in sorted(_numbers(journal))[-last:]],
            """
            select
                judgement,
                epoch_us(any_value(as_of)) as as_of,
                any_value(gate_passed) as passed,
                count(*) as checks,
                count(*) filter (where fails and severity = 'critical') as critical,
                count(*) filter (where fails and severity = 'warning') as warning,
                count(*) filter (where fails and severity = 'info') as info,
                count(*) filter (where is_quarantined) as quarantined
            from (select *, not success and not is_quarantined as fails from journal)
            group by judgement
            order by judgement
            """,
        )
    return [
        {**row, "as_of": datetime.fromtimestamp(row["as_of"] / 1e6, UTC), "release": made.get(row["judgement"])}
        for row in answer
    ]


def mark(releases: Path, number: int, version: str) -> None:
    """Write down that the judgement made this release; said once, it stays."""
    journal = releases / JOURNAL
    draft = journal / f"{DRAFT}{number:06}{MADE}"
    draft.write_text(version + "\n", encoding="utf-8")
    draft.replace(_file(journal, number).with_suffix(MADE))


def write(draft: Release, former: Release | None, judged: Judged) -> Release:
    """Add the tables of quality to the release in the folder of `draft`; the release with its record of them.

    `former` is the release current until now: a run killed right after promoting it may not have marked it. Raises
    JournalBroken naming the file that cannot be read.
    """
    releases = draft.path.parent
    if former is not None and former.quality is not None:
        mark(releases, former.quality.judgement, former.version)
    with duckdb.connect(str(draft.warehouse)) as connection:
        connection.execute("set timezone = 'UTC'")
        _create_scorecard(connection, judged.report)
        _create_unexpected(connection, judged.unexpected)
        _create_history(connection, releases / JOURNAL, judged.number, draft.version)
        tables = {name: _finish(connection, name, told, draft) for name, told in TABLES.items()}
    told_of = draft.model_copy(update={"quality": QualityRecord(judgement=judged.number, tables=tables)})
    (draft.path / RECORD).write_text(told_of.model_dump_json(indent=2) + "\n", encoding="utf-8")
    return told_of


def _history_row(check: Mapping[str, Any], number: int, as_of: datetime, passed: bool) -> dict[str, Any]:
    told = {
        "judgement": number,
        "as_of": as_of,
        "gate_passed": passed,
        "check_id": check["id"],
        "is_quarantined": check["quarantine"] is not None,
    }
    return {name: told[name] if name in told else check[name] for name in HISTORY_FIELDS.names}


def _numbers(journal: Path) -> set[int]:
    return {int(path.stem) for path in journal.glob("[0-9]*.parquet")}


def _file(journal: Path, number: int) -> Path:
    return journal / f"{number:06}.parquet"


def _made(journal: Path) -> dict[int, str]:
    return {int(path.stem): path.read_text(encoding="utf-8").strip() for path in journal.glob(f"[0-9]*{MADE}")}


def _put(draft: Path, final: Path) -> None:
    """Bring a file under its name, whole and on the disk; raises FileExistsError where there is one already."""
    with draft.open("rb") as stream:
        os.fsync(stream.fileno())
    final.hardlink_to(draft)
    draft.unlink()


def _read(connection: duckdb.DuckDBPyConnection, files: Iterable[Path], sql: str) -> list[dict[str, Any]]:
    """The rows of a query on the view `journal` over these files."""
    _view(connection, files)
    answer = connection.execute(sql)
    names = [name for name, *_ in answer.description]
    return [dict(zip(names, row, strict=True)) for row in answer.fetchall()]


def _view(connection: duckdb.DuckDBPyConnection, files: Iterable[Path]) -> None:
    """The journal's files as a temporary table `journal`; columns a former version did not write are null."""
    connection.register("journal_fields", HISTORY_FIELDS.empty_table())
    connection.execute("create temp table journal as select * from journal_fields")
    connection.unregister("journal_fields")
    names = [literal(path) for path in files]
    if not names:
        return
    try:
        connection.execute(
            f"insert into journal by name select * from read_parquet([{', '.join(names)}], union_by_name = true)"
        )
    except duckdb.Error as error:
        words = str(error).splitlines()[0]
        raise JournalBroken(f"journal of the gate: {words}: expected a judgement; move the file aside") from error


def _create_scorecard(connection: duckdb.DuckDBPyConnection, report: Path) -> None:
    scores = json.loads(report.read_text(encoding="utf-8"))["scorecard"]
    names = list(TABLES["mart_quality_scorecard"].columns)
    text, count, share = pa.string(), pa.int64(), pa.float64()
    kinds = {"mart": text, "blank_reason": text, **{name: count for name in names if name.endswith("checks")}}
    rows = pa.Table.from_pylist(scores, schema=pa.schema([(name, kinds.get(name, share)) for name in names]))
    connection.register("scores", rows)
    connection.execute(f"create table {SCHEMA}.mart_quality_scorecard as select * from scores order by mart")
    connection.unregister("scores")


def _create_unexpected(connection: duckdb.DuckDBPyConnection, unexpected: Path) -> None:
    columns = ", ".join(TABLES["mart_quality_unexpected"].columns)
    connection.execute(
        f"create table {SCHEMA}.mart_quality_unexpected as select {columns} "
        f"from read_parquet({literal(unexpected)}) order by check_id, row_number"
    )


def _create_history(connection: duckdb.DuckDBPyConnection, journal: Path, number: int, version: str) -> None:
    made = {**_made(journal), number: version}
    _view(connection, [_file(journal, one) for one in sorted(_numbers(journal)) if one <= number])
    pairs = pa.table({"judgement": pa.array(made, pa.int64()), "release": pa.array(made.values(), pa.string())})
    connection.register("made", pairs)
    columns = ", ".join(
        "made.release" if name == "release" else f"journal.{name}" for name in TABLES["mart_quality_history"].columns
    )
    connection.execute(
        f"create table {SCHEMA}.mart_quality_history as select {columns} "
        "from journal left join made on journal.judgement = made.judgement "
        "order by journal.judgement, journal.check_id"
    )
    connection.unregister("made")
    connection.execute("drop table journal")


def _finish(connection: duckdb.DuckDBPyConnection, name: str, told: Told, draft: Release) -> QualityTable:
    """Comments and Parquet of a table that was just created; what `release.json` says of it."""
    table = quoted(SCHEMA, name)
    title_de, title_en = title(told.title_de, draft.synthetic), title(told.title_en, draft.synthetic)
    comment = f"{title_de} | {title_en}\n{told.description}"
    connection.execute(f"comment on table {table} is {literal(comment)}")
    for column, text in told.columns.items():
        connection.execute(f"comment on column {table}.{quoted(column)} is {literal(text)}")
    target = literal(draft.parquet / f"{name}.parquet")
    labels = {
        "title_de": title_de,
        "title_en": title_en,
        "release": draft.version,
        "synthetic": str(draft.synthetic).lower(),
    }
    metadata = ", ".join(f"{label}: {literal(value)}" for label, value in labels.items())
    connection.execute(f"copy {table} to {target} (format parquet, compression zstd, kv_metadata {{{metadata}}})")
    types = column_types(connection, f"{SCHEMA}.{name}")
    rows: int = connection.execute(f"select count(*) from {table}").fetchall()[0][0]
    return QualityTable(
        title_de=title_de,
        title_en=title_en,
        description=told.description,
        primary_key=told.key,
        rows=rows,
        content_sha256=content_sha256(connection, f"{SCHEMA}.{name}", list(types), ()),
        columns=tuple(
            ReleasedColumn(name=column, type=kind, description=told.columns[column]) for column, kind in types.items()
        ),
    )
