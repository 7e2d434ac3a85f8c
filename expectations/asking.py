"""Ask Great Expectations: all work pushed down into DuckDB, answers as values."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from expectations.strict import SuiteRefused
from expectations.suite import Check, MartSuite
from expectations.unexpected import SCHEMA


@dataclass(frozen=True)
class Answer:
    """What came of a check: whether it holds, what was seen where it does not, and why it could not be evaluated."""

    success: bool
    observed: Any
    unexpected_count: int | None
    error: str | None


def ask(candidate: Path, suites: Mapping[str, MartSuite]) -> dict[str, list[Answer]]:
    """What Great Expectations answers to every check, by mart, in the order of its checks.

    Raises SuiteRefused where it does not know an argument.
    """
    expectations = {mart: expectations_of(mart, suite.all_checks) for mart, suite in suites.items()}
    with _source(candidate) as source:
        return {mart: _ask_of(source, mart, expectations[mart]) for mart in suites}


def expectations_of(mart: str, checks: Sequence[Check]) -> list[Any]:
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


def _ask_of(source: Any, mart: str, expectations: Sequence[Any]) -> list[Answer]:
    """The answers to a mart's checks: all are asked for yes or no, then the failed ones for what was seen."""
    asset = source.add_table_asset(name=mart, table_name=mart, schema_name=SCHEMA)
    batch = asset.add_batch_definition_whole_table(name=mart).get_batch()
    answers = _answers(batch, expectations, "BOOLEAN_ONLY")
    if answers.keys() != set(range(len(expectations))):
        raise RuntimeError(f"{mart}: {len(expectations)} checks asked, Great Expectations answered {sorted(answers)}")
    failed = [expectations[number] for number, answer in answers.items() if not answer["success"]]
    answers |= _answers(batch, failed, "BASIC")
    return [_answer(answers[number]) for number in range(len(expectations))]


def _answers(batch: Any, expectations: Sequence[Any], result_format: str) -> dict[int, dict[str, Any]]:
    import great_expectations as gx

    if not expectations:
        return {}
    # The rows are not asked for: there may be millions, and we fetch them ourselves.
    asked = {"result_format": result_format, "partial_unexpected_count": 0}
    judged = batch.validate(gx.ExpectationSuite(name="asked", expectations=list(expectations)), result_format=asked)
    return {answer["expectation_config"]["meta"]["number"]: answer for answer in judged.to_json_dict()["results"]}


def _answer(raw: Mapping[str, Any]) -> Answer:
    error = _error(raw["exception_info"])
    if raw["success"] and error is None:
        return Answer(True, None, None, None)
    seen = raw["result"]
    if not (error or seen):
        error = "Great Expectations saw nothing"
    return Answer(False, seen.get("observed_value"), seen.get("unexpected_count"), error)


def _error(exceptions: Mapping[str, Any]) -> str | None:
    """The first message of what a check raised; GX gives one flat record or one per metric."""
    records = [exceptions] if "raised_exception" in exceptions else list(exceptions.values())
    messages = sorted(str(record["exception_message"]) for record in records if record["raised_exception"])
    return messages[0] if messages else None
