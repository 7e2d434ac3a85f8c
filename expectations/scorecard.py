"""The scorecard: four marks per mart, each from 0 to 1.

- **complete, valid, consistent**: the weighted mean of the marks of the mart's checks of that dimension. A check that
  holds is marked 1. One that does not is marked ``1 - unexpected / judged`` where it judges rows (never below 0), so a
  few wrong rows among many cost little; and 0 where it judges the table by one figure or could not be evaluated.
  Weights: critical 3, warning 2, info 1, so that what would stop a release counts most.
- **fresh**: the share of the sources that feed the mart which are fresh at ``as_of`` by `mart_coverage`. A source that
  should feed it and has nothing in force is not fresh.

A quarantined failure lowers the mark like any other: the quarantine lets the release go, it does not mend the data.
Null, with the reason, where no check or no source speaks.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from fractions import Fraction

from expectations.suite import Severity
from expectations.verdict import Result, Score

WEIGHTS: dict[Severity, int] = {"critical": 3, "warning": 2, "info": 1}


def scorecard(
    results: Iterable[Result], feeds: Mapping[str, Collection[str]], fresh: Mapping[str, bool]
) -> tuple[Score, ...]:
    """The marks of every mart that `results` speak of, in alphabetical order.

    `feeds` names the sources of each mart, `fresh` says of every source that covers the region whether it is fresh.
    """
    by_mart: dict[str, list[Result]] = defaultdict(list)
    for result in results:
        by_mart[result.mart].append(result)
    return tuple(_score(mart, by_mart[mart], feeds.get(mart, ()), fresh) for mart in sorted(by_mart))


def mark(result: Result) -> Fraction:
    """The mark of one check, from 0 to 1."""
    if result.success:
        return Fraction(1)
    if result.error or not result.judged or result.unexpected_count is None:
        return Fraction(0)
    return max(Fraction(0), 1 - Fraction(result.unexpected_count, result.judged))


def _score(mart: str, results: list[Result], sources: Collection[str], fresh: Mapping[str, bool]) -> Score:
    marks = {
        "fresh": float(Fraction(sum(fresh.get(source, False) for source in sources), len(sources)))
        if sources
        else None,
        "complete": _mean([result for result in results if result.dimension == "complete"]),
        "valid": _mean([result for result in results if result.dimension == "valid"]),
        "consistent": _mean([result for result in results if result.dimension == "consistent"]),
    }
    reasons = [
        f"{name}: {'no source feeds the mart' if name == 'fresh' else 'no check speaks of it'}"
        for name, value in marks.items()
        if value is None
    ]
    return Score(
        mart=mart,
        **marks,
        blank_reason="; ".join(reasons) or None,
        checks=len(results),
        failed_checks=sum(result.fails for result in results),
        quarantined_checks=sum(result.quarantine is not None for result in results),
    )


def _mean(results: list[Result]) -> float | None:
    if not results:
        return None
    # In fractions: the same marks on any machine, whatever the order of the checks.
    weighted = sum((WEIGHTS[result.severity] * mark(result) for result in results), Fraction(0))
    return float(weighted / sum(WEIGHTS[result.severity] for result in results))
