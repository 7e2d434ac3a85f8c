"""Every kind of expectation is really evaluated on DuckDB: once passing, once failing, with figures counted by hand."""

from __future__ import annotations

from typing import Any, get_args

import duckdb
import pytest
import yaml

from expectations.suite import Kind
from expectations.verdict import Verdict
from tests.expectations.conftest import judged, write_rules

TABLE = """
create schema marts;
create table marts.fct_trial as select * from (values
    (1, 'a', 10, 10, date '2025-01-01', timestamptz '2025-01-01 00:00:00Z', 'Ort 1'),
    (2, 'a', 20, 25, date '2025-01-02', timestamptz '2025-01-01 01:00:00Z', 'Ort 2'),
    (3, 'b', 30, 25, date '2025-01-03', timestamptz '2025-01-01 02:00:00Z', null),
    (4, 'b', null, 5, date '2025-01-04', timestamptz '2025-01-01 03:00:00Z', null),
    (5, 'b', 50, 50, date '2025-01-04', timestamptz '2025-01-01 03:00:00Z', 'Ort 55')
) as trial (number, letter, count, count_validated, date, hour_at, name);
"""
ROWS = "select b.number from (select * from {batch}) as b where b.count > "

# Kind, arguments that hold, arguments that do not, then: unexpected rows, what was observed, keys of the rows shown.
TRIALS: list[tuple[str, dict[str, Any], dict[str, Any], int | None, str | None, list[str]]] = [
    (
        "expect_column_max_to_be_between",
        {"column": "date", "min_value": "2025-01-04", "max_value": "2025-01-04"},
        {"column": "date", "min_value": "2025-01-05", "max_value": "2025-01-05"},
        None,
        "2025-01-04",
        [],
    ),
    (
        "expect_column_min_to_be_between",
        {"column": "count", "min_value": 10, "max_value": 10},
        {"column": "count", "min_value": 11, "max_value": 12},
        None,
        "10",
        [],
    ),
    (
        "expect_column_pair_values_a_to_be_greater_than_b",
        {"column_A": "count_validated", "column_B": "number", "or_equal": True},
        {"column_A": "count", "column_B": "count_validated", "or_equal": True},
        1,
        None,
        ["2"],
    ),
    (
        "expect_column_sum_to_be_between",
        {"column": "count", "min_value": 110, "max_value": 110},
        {"column": "count", "min_value": 111, "max_value": 200},
        None,
        "110",
        [],
    ),
    (
        "expect_column_unique_value_count_to_be_between",
        {"column": "letter", "min_value": 2, "max_value": 2},
        {"column": "letter", "min_value": 3, "max_value": 3},
        None,
        "2",
        [],
    ),
    (
        "expect_column_value_lengths_to_equal",
        {"column": "letter", "value": 1},
        {"column": "name", "value": 5},
        1,
        None,
        ["5"],
    ),
    (
        "expect_column_values_to_be_between",
        {"column": "date", "min_value": "2025-01-01", "max_value": "2025-01-04"},
        {"column": "hour_at", "min_value": "2025-01-01T01:00:00+00:00", "max_value": "2025-01-01T02:00:00+00:00"},
        3,
        None,
        ["1", "4", "5"],
    ),
    (
        "expect_column_values_to_be_in_set",
        {"column": "letter", "value_set": ["a", "b"]},
        {"column": "letter", "value_set": ["a", "c"]},
        3,
        None,
        ["3", "4", "5"],
    ),
    (
        "expect_column_values_to_be_unique",
        {"column": "count"},
        {"column": "letter"},
        5,
        None,
        ["1", "2", "3", "4", "5"],
    ),
    ("expect_column_values_to_not_be_null", {"column": "letter"}, {"column": "name"}, 2, None, ["3", "4"]),
    (
        "expect_compound_columns_to_be_unique",
        {"column_list": ["date", "count_validated"]},
        {"column_list": ["date", "hour_at"]},
        2,
        None,
        ["4", "5"],
    ),
    (
        "expect_table_columns_to_match_set",
        {"column_set": ["number", "letter"], "exact_match": False},
        {"column_set": ["number", "nowhere"], "exact_match": False},
        None,
        "['count', 'count_validated', 'date', 'hour_at', 'letter', 'name', 'number']",
        [],
    ),
    ("expect_table_row_count_to_be_between", {"min_value": 5}, {"min_value": 6}, None, "5", []),
    ("expect_table_row_count_to_equal", {"value": 5}, {"value": 66}, None, "5", []),
    (
        "unexpected_rows_expectation",
        {"unexpected_rows_query": f"{ROWS}50"},
        {"unexpected_rows_query": f"{ROWS}15"},
        3,
        "3",
        ["2", "3", "5"],
    ),
]


@pytest.fixture(scope="module")
def verdict(tmp_path_factory: pytest.TempPathFactory) -> Verdict:
    """The verdict on all trials: for each the one that holds, then the one that does not."""
    folder = tmp_path_factory.mktemp("kinds")
    with duckdb.connect(str(folder / "candidate.duckdb")) as connection:
        connection.execute("set timezone = 'UTC'")
        connection.execute(TABLE)
    checks = [
        {"expect": kind, "kwargs": kwargs, "severity": "warning", "meaning_de": "x", "meaning_en": "x"}
        for kind, good, bad, *_ in TRIALS
        for kwargs in (good, bad)
    ]
    suite = {"domain": "core", "owner": "platform", "marts": {"fct_trial": {"key": ["number"], "checks": checks}}}
    rules = write_rules(folder / "rules", yaml.safe_dump(suite))
    return judged(folder / "candidate.duckdb", folder / "report", rules=rules)


def test_every_kind_is_tried() -> None:
    assert sorted(kind for kind, *_ in TRIALS) == sorted(get_args(Kind))


@pytest.mark.parametrize("number", range(len(TRIALS)), ids=[kind for kind, *_ in TRIALS])
def test_a_kind_passes_and_fails_with_the_right_figures(verdict: Verdict, number: int) -> None:
    kind, _, _, unexpected, observed, shown = TRIALS[number]
    # The key's two checks come first.
    good, bad = verdict.checks[2 + 2 * number : 4 + 2 * number]
    assert (good.expectation, good.success, good.error) == (kind, True, None)
    assert (bad.expectation, bad.success, bad.error) == (kind, False, None)
    assert (bad.unexpected_count, bad.observed) == (unexpected, observed)
    assert [row["number"] for row in bad.rows] == shown
    # Great Expectations counts what our own SQL fetches.
    assert len(bad.rows) == (unexpected or 0)


def test_warnings_do_not_stop_the_release(verdict: Verdict) -> None:
    assert verdict.passed
    assert verdict.counts["critical"].checks == 2
    # One more: nobody has written down how many rows the trial has.
    assert (verdict.counts["warning"].checks, verdict.counts["warning"].failed) == (
        2 * len(TRIALS) + 1,
        len(TRIALS) + 1,
    )
