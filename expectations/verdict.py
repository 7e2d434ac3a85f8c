"""The gate's answer: every check with what was seen, and whether the candidate may be released."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, get_args

from pydantic import BaseModel, ConfigDict

from expectations.suite import Severity

EXAMPLES = 20


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Result(_Frozen):
    """One check and what came of it.

    What was seen (`observed`, `unexpected_count`, `examples`) is told of failures; `unexpected_count` is null where a
    table is judged by one figure. A check that could not be evaluated has an `error` and counts as critical.
    """

    mart: str
    expectation: str
    columns: tuple[str, ...]
    severity: Severity
    success: bool
    observed: str | None
    unexpected_count: int | None
    examples: tuple[dict[str, Any], ...]
    error: str | None
    meaning_de: str
    meaning_en: str


class Count(_Frozen):
    """How many checks of one severity there were and how many failed."""

    checks: int
    failed: int


class Verdict(_Frozen):
    """`passed` is true where no critical check failed."""

    passed: bool
    counts: dict[Severity, Count]
    checks: tuple[Result, ...]

    @property
    def failures(self) -> tuple[Result, ...]:
        """The checks that failed, the gravest first."""
        order = get_args(Severity)
        return tuple(sorted((c for c in self.checks if not c.success), key=lambda c: order.index(c.severity)))


def verdict_of(results: Sequence[Result]) -> Verdict:
    """The verdict on `results`."""
    counts = {
        severity: Count(
            checks=sum(result.severity == severity for result in results),
            failed=sum(result.severity == severity and not result.success for result in results),
        )
        for severity in get_args(Severity)
    }
    return Verdict(passed=counts["critical"].failed == 0, counts=counts, checks=tuple(results))
