"""The gate: judge a candidate's marts by the suites, all work pushed down into DuckDB."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import duckdb

from expectations.page import page
from expectations.suite import SUITES, Check, MartSuite, SuiteRefused, load_suites
from expectations.verdict import EXAMPLES, Result, Verdict, verdict_of

SCHEMA = "marts"
ROWS_BY_QUERY = "unexpected_rows_expectation"
# Long enough for any key, short enough that a hostile value does not fill the report.
LONGEST_VALUE = 200


class CandidateUnreadable(ValueError):
    """The candidate is not there or is no DuckDB file."""


def judge(candidate: Path, report: Path, suites: Path = SUITES) -> Verdict:
    """The verdict on the marts of `candidate`; `gate.json` and `gate.html` are written into the folder `report`.

    A mart without a suite, a suite without its mart and a check that could not be evaluated are critical failures of
    their own. Raises SuiteRefused where a suite is misspelt, CandidateUnreadable where there is nothing to judge.
    """
    expected = load_suites(suites)
    present = _marts(candidate)
    results = [
        *(_no_suite(mart) for mart in sorted(present - expected.keys())),
        *(_no_mart(mart) for mart in sorted(expected.keys() - present)),
        *_evaluate(candidate, {mart: suite for mart, suite in expected.items() if mart in present}),
    ]
    verdict = verdict_of(sorted(results, key=lambda result: result.mart))
    report.mkdir(parents=True, exist_ok=True)
    answer = json.dumps(verdict.model_dump(mode="json"), ensure_ascii=False, indent=2)
    (report / "gate.json").write_text(answer + "\n", encoding="utf-8")
    (report / "gate.html").write_text(page(verdict), encoding="utf-8")
    return verdict


def _marts(candidate: Path) -> set[str]:
    if not candidate.is_file():
        raise CandidateUnreadable(f"{candidate}: expected the DuckDB file that dbt built, there is none: run dbt first")
    try:
        with duckdb.connect(str(candidate), read_only=True) as connection:
            found = connection.execute(
                "select table_name from information_schema.tables where table_schema = ?", [SCHEMA]
            ).fetchall()
    except duckdb.IOException as error:
        raise CandidateUnreadable(f"{candidate}: expected a DuckDB file that nobody writes to: {error}") from error
    return {name for (name,) in found}


def _no_suite(mart: str) -> Result:
    return _not_evaluated(
        mart,
        "suite_for_every_mart",
        "no suite names this mart: add it to expectations/suites/<domain>.yml",
        "Zu jedem Mart gibt es Erwartungen.",
        "Every mart has expectations.",
    )


def _no_mart(mart: str) -> Result:
    return _not_evaluated(
        mart,
        "mart_for_every_suite",
        f"the candidate has no table {SCHEMA}.{mart}: build it or take its suite away",
        "Jeder erwartete Mart ist vorhanden.",
        "Every expected mart is there.",
    )


def _not_evaluated(mart: str, expectation: str, error: str, meaning_de: str, meaning_en: str) -> Result:
    return Result(
        mart=mart,
        expectation=expectation,
        columns=(),
        severity="critical",
        success=False,
        observed=None,
        unexpected_count=None,
        examples=(),
        error=error,
        meaning_de=meaning_de,
        meaning_en=meaning_en,
    )


def _evaluate(candidate: Path, suites: Mapping[str, MartSuite]) -> list[Result]:
    expectations = {mart: _expectations(mart, suite.all_checks) for mart, suite in suites.items()}
    with _source(candidate) as source:
        return [
            result
            for mart, suite in suites.items()
            for result in _evaluate_mart(source, mart, suite, expectations[mart])
        ]


def _expectations(mart: str, checks: Sequence[Check]) -> list[Any]:
    """The checks as Great Expectations knows them; raises SuiteRefused where it does not know an argument."""
    import great_expectations.expectations as gxe

    built = []
    for number, check in enumerate(checks):
        kind = getattr(gxe, "".join(word.capitalize() for word in check.expect.split("_")))
        try:
            built.append(kind(**check.kwargs, severity=check.severity, meta={"number": number}))
        except (TypeError, ValueError) as error:
            raise SuiteRefused(f"{mart}: {check.expect}: kwargs {sorted(check.kwargs)}: {error}") from error
    return built


@contextmanager
def _source(candidate: Path) -> Iterator[Any]:
    """The candidate as a data source of Great Expectations, opened read-only and let go of at the end."""
    # Before the import: public bodies do not send usage statistics (design, section 7).
    os.environ["GX_ANALYTICS_ENABLED"] = "false"
    import great_expectations as gx
    from great_expectations.data_context.types.base import ProgressBarsConfig

    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = ProgressBarsConfig(globally=False)
    sources: Any = context.data_sources
    source = sources.add_sql(
        name="candidate",
        connection_string=f"duckdb:///{candidate.resolve()}",
        # Without the last two, GX's rollbacks between metrics lose results ("list index out of range").
        kwargs={
            "connect_args": {"read_only": True, "config": {"timezone": "UTC"}},
            "isolation_level": "AUTOCOMMIT",
            "skip_autocommit_rollback": True,
        },
    )
    try:
        yield source
    finally:
        # Two engines, each with a connection: one for the questions, one for looking at the tables.
        source.get_execution_engine().close()
        source.get_engine().dispose()


def _evaluate_mart(source: Any, mart: str, suite: MartSuite, expectations: Sequence[Any]) -> list[Result]:
    """The results of a mart's checks: all are asked for yes or no, then the failed ones for what was seen."""
    asset = source.add_table_asset(name=mart, table_name=mart, schema_name=SCHEMA)
    batch = asset.add_batch_definition_whole_table(name=mart).get_batch()
    checks = suite.all_checks
    answers = _answers(batch, expectations, {"result_format": "BOOLEAN_ONLY"})
    if answers.keys() != set(range(len(checks))):
        raise RuntimeError(f"{mart}: {len(checks)} checks asked, Great Expectations answered {sorted(answers)}")
    failed = [number for number, answer in answers.items() if not answer["success"]]
    by_query = [expectations[number] for number in failed if checks[number].expect == ROWS_BY_QUERY]
    others = [expectations[number] for number in failed if checks[number].expect != ROWS_BY_QUERY]
    shown = {
        "result_format": "SUMMARY",
        "partial_unexpected_count": EXAMPLES,
        "unexpected_index_column_names": list(suite.key),
    }
    # Of a query GX shows rows (200 at most) under COMPLETE only; elsewhere COMPLETE would fetch every unexpected key.
    answers |= _answers(batch, others, shown) | _answers(batch, by_query, {"result_format": "COMPLETE"})
    return [_result(mart, checks[number], answers[number]) for number in range(len(checks))]


def _answers(batch: Any, expectations: Sequence[Any], result_format: Mapping[str, Any]) -> dict[int, dict[str, Any]]:
    import great_expectations as gx

    if not expectations:
        return {}
    judged = batch.validate(
        gx.ExpectationSuite(name="asked", expectations=list(expectations)), result_format=dict(result_format)
    )
    return {answer["expectation_config"]["meta"]["number"]: answer for answer in judged.to_json_dict()["results"]}


def _result(mart: str, check: Check, answer: Mapping[str, Any]) -> Result:
    error = _error(answer["exception_info"])
    success = bool(answer["success"]) and error is None
    seen = {} if success else answer["result"]
    if not (success or error or seen):
        error = "Great Expectations saw nothing"
    observed = seen.get("observed_value")
    return Result(
        mart=mart,
        expectation=check.expect,
        columns=_columns(check),
        # What could not be evaluated stops the release, however light the check.
        severity=check.severity if error is None else "critical",
        success=success,
        observed=None if observed is None else _short(observed),
        unexpected_count=observed if check.expect == ROWS_BY_QUERY else seen.get("unexpected_count"),
        examples=_examples(check, seen),
        error=error,
        meaning_de=check.meaning_de,
        meaning_en=check.meaning_en,
    )


def _error(exceptions: Mapping[str, Any]) -> str | None:
    """The first message of what a check raised; GX gives one flat record or one per metric."""
    records = [exceptions] if "raised_exception" in exceptions else list(exceptions.values())
    messages = sorted(str(record["exception_message"]) for record in records if record["raised_exception"])
    return messages[0] if messages else None


def _columns(check: Check) -> tuple[str, ...]:
    named = check.kwargs
    single = (named[key] for key in ("column", "column_A", "column_B") if key in named)
    return (*single, *named.get("column_list", ()), *named.get("column_set", ()))


def _examples(check: Check, seen: Mapping[str, Any]) -> tuple[dict[str, str | None], ...]:
    """Up to EXAMPLES unexpected rows: their key and the values judged."""
    rows = (
        seen.get("details", {}).get("unexpected_rows")
        or seen.get("partial_unexpected_index_list")
        or seen.get("partial_unexpected_list")
        or ()
    )
    columns = _columns(check)
    named = (row if isinstance(row, Mapping) else dict(zip(columns, [row], strict=False)) for row in rows)
    short = ({str(name): None if value is None else _short(value) for name, value in row.items()} for row in named)
    return tuple(sorted(short, key=lambda row: json.dumps(row, sort_keys=True)))[:EXAMPLES]


def _short(value: Any) -> str:
    text = str(value)
    return text if len(text) <= LONGEST_VALUE else f"{text[:LONGEST_VALUE]}… ({len(text)} characters)"
