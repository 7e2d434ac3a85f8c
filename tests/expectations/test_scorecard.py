"""The scorecard against marks worked out by hand."""

from __future__ import annotations

import pytest

from expectations.scorecard import mark, scorecard
from tests.expectations.conftest import result

HOLDS = result()
# 5 of 200 rows: 0.975. 3 unexpected rows where one was looked through: never below 0.
FEW = result(severity="warning", success=False, unexpected_count=5, judged=200)
MANY = result(severity="info", success=False, unexpected_count=3, judged=1)
FIGURE = result(success=False, observed="7")


def test_a_check_is_marked_by_its_share_of_unexpected_rows() -> None:
    assert [float(mark(one)) for one in (HOLDS, FEW, MANY, FIGURE)] == [1, 0.975, 0, 0]
    assert mark(result(success=False, error="no such column", unexpected_count=1, judged=10)) == 0


def test_marks_are_weighted_by_severity() -> None:
    (score,) = scorecard([HOLDS, FEW, MANY, FIGURE], {}, {})
    # (3 * 1 + 2 * 0.975 + 1 * 0 + 3 * 0) / (3 + 2 + 1 + 3)
    assert score.complete == pytest.approx(4.95 / 9, abs=1e-12)
    assert (score.checks, score.failed_checks) == (4, 3)


def test_dimensions_and_marts_are_told_apart() -> None:
    valid = result(dimension="valid", success=False, unexpected_count=1, judged=4)
    of_the_gate = result(dimension=None, success=False)
    other = result(mart="dim_stop", dimension="consistent")
    area, stop = scorecard([HOLDS, valid, of_the_gate, other], {}, {})
    assert (area.mart, area.complete, area.valid, area.consistent, area.checks) == ("dim_area", 1, 0.75, None, 3)
    assert area.blank_reason == "fresh: no source feeds the mart; consistent: no check speaks of it"
    assert (stop.mart, stop.complete, stop.consistent) == ("dim_stop", None, 1)


def test_fresh_is_the_share_of_feeding_sources_that_are_fresh() -> None:
    (score,) = scorecard([HOLDS], {"dim_area": ("a", "b", "c", "never came")}, {"a": True, "b": True, "c": False})
    assert score.fresh == 0.5
    assert scorecard([HOLDS], {"dim_area": ("a",)}, {"a": True})[0].fresh == 1


def test_the_order_of_the_checks_does_not_matter() -> None:
    checks = [result(success=False, unexpected_count=number, judged=7) for number in range(1, 7)]
    assert scorecard(checks, {}, {}) == scorecard(reversed(checks), {}, {})
