"""The gate: judge a candidate's marts by the suites, all work pushed down into DuckDB."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import duckdb

from expectations.asking import Answer, ask
from expectations.clock import local_day
from expectations.page import page
from expectations.quarantine import quarantine
from expectations.row_counts import judge_row_counts
from expectations.rules import RULES, load_rules
from expectations.scorecard import scorecard
from expectations.suite import ROWS_BY_QUERY, Check, Dimension, MartSuite
from expectations.unexpected import LONGEST_VALUE, SCHEMA, shown, unexpected_rows, write_unexpected
from expectations.verdict import Past, Result, Row, Verdict, verdict_of
from muensterland.settings import Input

REPORT, PAGE, UNEXPECTED = "gate.json", "gate.html", "gate_unexpected.parquet"


class CandidateUnreadable(ValueError):
    """The candidate is not there or is no DuckDB file."""


def judge(
    candidate: Path,
    report: Path,
    *,
    kind: Input,
    as_of: datetime,
    feeds: Mapping[str, Collection[str]],
    past: Sequence[Past] = (),
    rules: Path = RULES,
) -> Verdict:
    """The verdict on the marts of `candidate`, made of the bytes of `kind` at `as_of`.

    `feeds` names the sources of each mart (for its freshness), `past` the former judgements (for the page), oldest
    first. Written into the folder `report`: `gate.json`, `gate.html` and `gate_unexpected.parquet`.

    A mart without a suite, a suite without its mart, a check that could not be evaluated and a quarantine that does
    not hold are critical failures of their own. Raises SuiteRefused where a rule is misspelt, CandidateUnreadable where
    there is nothing to judge.
    """
    known = load_rules(rules, kind)
    day = local_day(as_of)
    present = _marts(candidate)
    suites = {mart: suite for mart, suite in known.suites.items() if mart in present}
    answers = ask(candidate, suites)
    with _opened(candidate) as connection:
        found = [
            *(_no_suite(mart, known.owners.gate) for mart in sorted(present - known.suites.keys())),
            *(_no_mart(mart, known.owners.gate) for mart in sorted(known.suites.keys() - present)),
            *(result for mart, suite in suites.items() for result in _results(connection, mart, suite, answers[mart])),
            *judge_row_counts(connection, known.row_counts, suites, day),
        ]
        fresh = _freshness(connection)
    results = quarantine(sorted(found, key=lambda result: result.mart), known.quarantined, day)
    verdict = verdict_of(results, scorecard(results, feeds, fresh), kind, as_of)
    report.mkdir(parents=True, exist_ok=True)
    write_unexpected(report / UNEXPECTED, verdict.checks)
    answer = json.dumps(verdict.model_dump(mode="json"), ensure_ascii=False, indent=2)
    (report / REPORT).write_text(answer + "\n", encoding="utf-8")
    (report / PAGE).write_text(page(verdict, past, known.owners), encoding="utf-8")
    return verdict


@contextmanager
def _opened(candidate: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """The candidate, read-only, its clock in UTC; raises CandidateUnreadable where it is no DuckDB file."""
    if not candidate.is_file():
        raise CandidateUnreadable(f"{candidate}: expected the DuckDB file that dbt built, there is none: run dbt first")
    try:
        connection = duckdb.connect(str(candidate), read_only=True)
    except duckdb.IOException as error:
        raise CandidateUnreadable(f"{candidate}: expected a DuckDB file that nobody writes to: {error}") from error
    with connection:
        connection.execute("set timezone = 'UTC'")
        yield connection


def _marts(candidate: Path) -> set[str]:
    with _opened(candidate) as connection:
        found = connection.execute(
            "select table_name from information_schema.tables where table_schema = ?", [SCHEMA]
        ).fetchall()
    return {name for (name,) in found}


def _freshness(connection: duckdb.DuckDBPyConnection) -> dict[str, bool]:
    """Whether each source that covers the region is fresh; empty where the coverage is not there to say so."""
    columns = connection.execute(
        "select column_name from information_schema.columns where table_schema = ? and table_name = 'mart_coverage'",
        [SCHEMA],
    ).fetchall()
    if not {("source_id",), ("freshness_status",)} <= set(columns):
        return {}
    return dict(
        connection.execute(
            f"select source_id, bool_and(freshness_status = 'fresh') from {SCHEMA}.mart_coverage "
            "where source_id <> 'none' group by source_id"
        ).fetchall()
    )


def _no_suite(mart: str, owner: str) -> Result:
    return _not_evaluated(
        mart,
        "suite_for_every_mart",
        owner,
        None,
        "no suite names this mart: add it to expectations/suites/<domain>.yml",
        "Zu jedem Mart gibt es Erwartungen.",
        "Every mart has expectations.",
    )


def _no_mart(mart: str, owner: str) -> Result:
    return _not_evaluated(
        mart,
        "mart_for_every_suite",
        owner,
        "complete",
        f"the candidate has no table {SCHEMA}.{mart}: build it or take its suite away",
        "Jeder erwartete Mart ist vorhanden.",
        "Every expected mart is there.",
    )


def _not_evaluated(
    mart: str, expectation: str, owner: str, dimension: Dimension | None, error: str, meaning_de: str, meaning_en: str
) -> Result:
    return Result(
        id=f"{mart}.{expectation}",
        mart=mart,
        expectation=expectation,
        owner=owner,
        dimension=dimension,
        severity="critical",
        success=False,
        error=error,
        meaning_de=meaning_de,
        meaning_en=meaning_en,
    )


def _results(
    connection: duckdb.DuckDBPyConnection, mart: str, suite: MartSuite, answers: Sequence[Answer]
) -> list[Result]:
    return [
        _result(connection, mart, suite.key, check, answer)
        for check, answer in zip(suite.all_checks, answers, strict=True)
    ]


def _result(
    connection: duckdb.DuckDBPyConnection, mart: str, key: Sequence[str], check: Check, answer: Answer
) -> Result:
    error = answer.error
    unexpected_count = answer.observed if check.expect == ROWS_BY_QUERY else answer.unexpected_count
    rows: tuple[Row, ...] = ()
    judged = None
    if error is None and unexpected_count is not None:
        try:
            rows = unexpected_rows(connection, mart, key, check)
            judged = _row_count(connection, check.of or mart)
        except duckdb.Error as trouble:
            error = f"its unexpected rows cannot be fetched: {trouble}"
    return Result(
        id=check.id_on(mart),
        mart=mart,
        expectation=check.expect,
        columns=check.columns,
        owner=check.owner,
        dimension=check.speaks_of,
        # What could not be evaluated stops the release, however light the check.
        severity=check.severity if error is None else "critical",
        success=answer.success,
        observed=None if answer.observed is None else _short(answer.observed),
        unexpected_count=unexpected_count,
        judged=judged,
        error=error,
        meaning_de=check.meaning_de,
        meaning_en=check.meaning_en,
        **shown(rows),
    )


def _row_count(connection: duckdb.DuckDBPyConnection, mart: str) -> int:
    rows: int = connection.execute(f'select count(*) from {SCHEMA}."{mart}"').fetchall()[0][0]
    return rows


def _short(value: Any) -> str:
    text = str(value)
    return text if len(text) <= LONGEST_VALUE else f"{text[:LONGEST_VALUE]}… ({len(text)} characters)"
