"""The gate's answer: every check with what was seen, a scorecard, and whether the candidate may be released."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import get_args

from pydantic import BaseModel, ConfigDict, Field

from expectations.suite import Dimension, Severity
from muensterland.settings import Input

EXAMPLES = 20
Row = Mapping[str, str | None]


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Quarantine(_Frozen):
    """Why a failing check does not stop the release for now, and the last day on which that holds."""

    reason_de: str
    reason_en: str
    owner: str
    expires: date


class Result(_Frozen):
    """One check and what came of it.

    What was seen (`observed`, `unexpected_count`, `examples`) is told of failures; `unexpected_count` is null where a
    table is judged by one figure. `judged` is how many rows (or partitions) were looked through. `rows` are the
    unexpected ones, as many as are kept: they go into a table of their own, the first as `examples` into the report.
    A check that could not be evaluated
    has an `error` and counts as critical. `dimension` is null where the gate speaks of itself.
    """

    id: str
    mart: str
    expectation: str
    columns: tuple[str, ...] = ()
    owner: str
    dimension: Dimension | None = None
    severity: Severity
    success: bool
    quarantine: Quarantine | None = None
    observed: str | None = None
    unexpected_count: int | None = None
    judged: int | None = None
    examples: tuple[Row, ...] = ()
    rows: tuple[Row, ...] = Field((), exclude=True, repr=False)
    error: str | None = None
    meaning_de: str
    meaning_en: str

    @property
    def fails(self) -> bool:
        """Whether it counts as a failure: it does not hold and is not quarantined."""
        return not self.success and self.quarantine is None


class Count(_Frozen):
    """How many checks of one severity there were, how many failed, and how many failures are quarantined."""

    checks: int
    failed: int
    quarantined: int


class Score(_Frozen):
    """A mart's marks from 0 to 1 (expectations.scorecard says how); null where nothing speaks, `blank_reason` why."""

    mart: str
    fresh: float | None
    complete: float | None
    valid: float | None
    consistent: float | None
    blank_reason: str | None
    checks: int
    failed_checks: int
    quarantined_checks: int


class Verdict(_Frozen):
    """`passed` is true where no critical check failed that is not quarantined."""

    input: Input
    as_of: datetime
    passed: bool
    counts: dict[Severity, Count]
    scorecard: tuple[Score, ...]
    checks: tuple[Result, ...]

    @property
    def failures(self) -> tuple[Result, ...]:
        """The checks that failed, the gravest first."""
        order = get_args(Severity)
        return tuple(sorted((c for c in self.checks if c.fails), key=lambda c: order.index(c.severity)))

    @property
    def quarantined(self) -> tuple[Result, ...]:
        """The known failures that do not stop the release for now."""
        return tuple(check for check in self.checks if check.quarantine)


class Past(_Frozen):
    """A former judgement in short, as the page tells of it; `release` where it made one."""

    judgement: int
    as_of: datetime
    release: str | None
    passed: bool
    checks: int
    critical: int
    warning: int
    info: int
    quarantined: int


def verdict_of(results: Sequence[Result], scorecard: Sequence[Score], kind: Input, as_of: datetime) -> Verdict:
    """The verdict on `results`."""
    counts = {
        severity: Count(
            checks=sum(result.severity == severity for result in results),
            failed=sum(result.severity == severity and result.fails for result in results),
            quarantined=sum(result.severity == severity and result.quarantine is not None for result in results),
        )
        for severity in get_args(Severity)
    }
    return Verdict(
        input=kind,
        as_of=as_of,
        passed=counts["critical"].failed == 0,
        counts=counts,
        scorecard=tuple(scorecard),
        checks=tuple(results),
    )
