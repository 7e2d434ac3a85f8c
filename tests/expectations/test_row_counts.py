"""Rows per partition: exact where a partition is over, bounded where the clock still fills it, changed by hand only."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import duckdb
import pytest
import yaml

from expectations.clock import local_day
from expectations.row_counts import (
    Deviation,
    MartCounts,
    RowCounts,
    as_yaml,
    count_rows,
    counted_by,
    deviations,
    judge_row_counts,
    load_row_counts,
    recount,
)
from expectations.rules import RULES, load_rules, row_counts_file
from expectations.strict import SuiteRefused, read
from expectations.suite import Check, MartSuite

DAY = date(2026, 11, 22)
KREISE = {"05515": 1, "05554": 17, "05558": 11, "05566": 24, "05570": 13}
MONTHS: dict[str, Any] = {
    "by": {"month": "hour_local"},
    "later": {"min": 672, "max": 745},
    "rows": {"2026-08": 744, "2026-09": 720},
}


def mart(**said: Any) -> MartCounts:
    return MartCounts.model_validate(said)


def counts(marts: dict[str, Any], inside: str = "warning") -> RowCounts:
    return RowCounts.model_validate(
        {"input": "sample", "tolerance_share": 0.1, "inside_tolerance": inside, "marts": marts}
    )


def off(written: MartCounts, found: dict[str, int], day: date = DAY) -> list[tuple[str, str, int, str]]:
    return [(one.partition, one.expected, one.found, one.kind) for one in deviations(written, 0.1, found, day)]


def test_a_partition_is_off_by_a_little_by_too_few_or_by_too_many() -> None:
    written = mart(by={"kreis": "ags"}, rows={"05515": 100, "05554": 100, "05558": 100, "05566": 100})
    assert off(written, {"05515": 100, "05554": 90, "05558": 111, "05999": 3}) == [
        ("05554", "100", 90, "slight"),
        ("05558", "100", 111, "more"),
        ("05566", "100", 0, "fewer"),
        ("05999", "0", 3, "more"),
    ]


@pytest.mark.parametrize(
    ("day", "found", "expected"),
    [
        # October is over: not listed, so within the bounds of later months. November runs: no more than a whole one.
        (DAY, {"2026-08": 744, "2026-09": 720, "2026-10": 745, "2026-11": 504}, []),
        (DAY, {"2026-08": 744, "2026-09": 720, "2026-10": 600}, [("2026-10", "672 to 745", 600, "fewer")]),
        (DAY, {"2026-08": 744, "2026-09": 720}, [("2026-10", "672 to 745", 0, "fewer")]),
        (
            DAY,
            {"2026-08": 744, "2026-09": 720, "2026-10": 744, "2026-11": 746},
            [("2026-11", "0 to 745", 746, "slight")],
        ),
        (DAY, {"2026-08": 740, "2026-09": 720, "2026-10": 744}, [("2026-08", "744", 740, "slight")]),
        # A run as of an earlier day: September is not over then.
        (date(2026, 9, 30), {"2026-08": 744, "2026-09": 690}, []),
        (date(2026, 10, 1), {"2026-08": 744, "2026-09": 690}, [("2026-09", "720", 690, "slight")]),
        # Years later every month since must be there.
        (date(2026, 12, 1), {"2026-08": 744, "2026-09": 720, "2026-10": 745}, [("2026-11", "672 to 745", 0, "fewer")]),
    ],
)
def test_a_mart_that_grows_with_the_clock_is_right_on_any_day(
    day: date, found: dict[str, int], expected: list[tuple[str, str, int, str]]
) -> None:
    assert off(mart(**MONTHS), found, day) == expected


def test_rows_that_find_their_place_stop_nothing() -> None:
    written = mart(by={"kreis": "ags"}, rows={"05515": 162, "none": 1})
    assert off(written, {"05515": 163}) == [("05515", "162", 163, "slight"), ("none", "1", 0, "slight")]


def test_years_close_at_their_end() -> None:
    written = mart(by={"year": "month"}, later={"min": 12, "max": 12}, rows={"2025": 10})
    assert off(written, {"2025": 10, "2026": 11}, date(2026, 12, 31)) == []
    assert off(written, {"2025": 10, "2026": 11}, date(2027, 1, 1)) == [("2026", "12", 11, "slight")]


def test_the_day_is_the_local_one() -> None:
    # 23:30 UTC on New Year's Eve is the new year in Münster.
    assert local_day(datetime(2026, 12, 31, 23, 30, tzinfo=UTC)) == date(2027, 1, 1)
    assert local_day(datetime(2026, 12, 31, 22, 30, tzinfo=UTC)) == date(2026, 12, 31)


@pytest.fixture
def connection() -> duckdb.DuckDBPyConnection:
    connection = duckdb.connect()
    connection.execute("""
        create schema marts;
        create table marts.dim_school as
            select * from (values ('05515000', date '2026-01-31', 'a'), ('05515000', date '2026-02-01', 'b'),
                ('05554001', date '2025-12-31', null)) as v (ags, date, source_id);
    """)
    return connection


@pytest.mark.parametrize(
    ("by", "rows"),
    [
        ({}, {"all": 3}),
        ({"value": "source_id"}, {"a": 1, "b": 1, "none": 1}),
        ({"kreis": "ags"}, {"05515": 2, "05554": 1}),
        ({"year": "date"}, {"2025": 1, "2026": 2}),
        ({"month": "date"}, {"2025-12": 1, "2026-01": 1, "2026-02": 1}),
    ],
)
def test_rows_are_counted_by_value_kreis_year_or_month(
    connection: duckdb.DuckDBPyConnection, by: dict[str, str], rows: dict[str, int]
) -> None:
    assert count_rows(connection, "dim_school", mart(by=by, rows={}).by) == rows


def suites(*marts: str) -> dict[str, MartSuite]:
    check = Check(
        expect="expect_table_row_count_to_equal", kwargs={"value": 1}, severity="info", meaning_de="x", meaning_en="x"
    )
    return {name: MartSuite(key=("ags",), owner="registers", checks=(check,)) for name in marts}


@pytest.mark.parametrize(
    ("rows", "inside", "said"),
    [
        ({"a": 1, "b": 1, "none": 1}, "warning", (True, "critical", None, 3)),
        ({"a": 20, "b": 1, "none": 1}, "warning", (False, "critical", 1, 3)),
        ({"a": 1, "none": 1}, "accepted", (False, "warning", 1, 3)),
    ],
)
def test_the_gate_says_which_partitions_are_off(
    connection: duckdb.DuckDBPyConnection, rows: dict[str, int], inside: str, said: tuple[Any, ...]
) -> None:
    written = counts({"dim_school": {"by": {"value": "source_id"}, "rows": rows}}, inside)
    (result,) = judge_row_counts(connection, written, suites("dim_school"), DAY)
    assert (result.success, result.severity, result.unexpected_count, result.judged) == said
    assert result.owner == "registers"


def test_a_slight_difference_is_told_where_the_input_never_changes(connection: duckdb.DuckDBPyConnection) -> None:
    connection.execute("insert into marts.dim_school select '05566001', date '2026-01-01', 'c' from range(95)")
    by_source = {"by": {"value": "source_id"}, "rows": {"a": 1, "b": 1, "c": 100, "none": 1}}
    for inside, success in (("warning", False), ("accepted", True)):
        (result,) = judge_row_counts(connection, counts({"dim_school": by_source}, inside), suites("dim_school"), DAY)
        assert (result.success, result.rows) == (
            success,
            () if success else ({"partition": "c", "expected": "100", "found": "95"},),
        )


def test_a_mart_that_tells_of_the_run_is_not_counted(connection: duckdb.DuckDBPyConnection) -> None:
    told = {mart: suite.model_copy(update={"counted": False}) for mart, suite in suites("dim_school").items()}
    assert list(judge_row_counts(connection, None, told, DAY)) == []


def test_an_uncounted_mart_is_a_warning_and_an_uncountable_one_critical(connection: duckdb.DuckDBPyConnection) -> None:
    written = counts({"dim_school": {"by": {"value": "nowhere"}, "rows": {"x": 1}}})
    broken, missing = judge_row_counts(connection, written, suites("dim_school", "dim_stop"), DAY)
    assert (broken.severity, broken.success) == ("critical", False)
    assert "nowhere" in (broken.error or "")
    assert (missing.severity, missing.expectation) == ("warning", "row_count_written_down")
    assert [one.severity for one in judge_row_counts(connection, None, suites("dim_school"), DAY)] == ["warning"]


def test_counting_anew_keeps_what_is_not_over_and_adds_what_is() -> None:
    written = counts({"fct_count_hour": {**MONTHS, "rows": {"2026-09": 720, "2026-12": 744}}})
    found = {"fct_count_hour": {"2026-09": 718, "2026-10": 745, "2026-11": 504}}
    assert recount(written, found, DAY).marts["fct_count_hour"].rows == {
        "2026-09": 718,
        "2026-10": 745,
        "2026-12": 744,
    }
    fixed = counts({"dim_school": {"by": {"kreis": "ags"}, "rows": {"05515": 1, "05554": 2}}, "dim_stop": {"rows": {}}})
    again = recount(fixed, {"dim_school": {"05515": 3}}, DAY)
    assert {name: one.rows for name, one in again.marts.items()} == {"dim_school": {"05515": 3}}


def test_what_is_written_reads_back_the_same(tmp_path: Path) -> None:
    written = counts({"fct_count_hour": MONTHS, "dim_school": {"by": {"kreis": "ags"}, "rows": {"05558": 57}}})
    (tmp_path / "sample.yml").write_text(as_yaml(written), encoding="utf-8")
    assert load_row_counts(tmp_path / "sample.yml", {"fct_count_hour", "dim_school"}) == written
    # Kreis keys stay texts for any reader of YAML.
    assert yaml.safe_load(as_yaml(written))["marts"]["dim_school"]["rows"] == {"05558": 57}


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"inptu": "sample"}, "inptu: Extra inputs"),
        ({"input": "mirror"}, "input: expected sample as the file is named, came mirror"),
        ({"tolerance_share": 1.5}, "tolerance_share"),
        ({"inside_tolerance": "ignored"}, "inside_tolerance"),
        ({"marts": {"dim_schol": {"rows": {"all": 1}}}}, "marts.dim_schol: no suite names this mart"),
        ({"marts": {"dim_school": {"row": {"all": 1}}}}, "marts.dim_school.row: Extra inputs"),
        ({"marts": {"dim_school": {"by": {"kries": "ags"}, "rows": {}}}}, "marts.dim_school.by.kries: Extra inputs"),
        (
            {"marts": {"dim_school": {"by": {"kreis": "ags", "year": "date"}, "rows": {}}}},
            "expected one of value, kreis",
        ),
        ({"marts": {"dim_school": {"by": {"year": "date"}, "rows": {"2026-01": 1}}}}, "rows.2026-01: expected a year"),
        (
            {"marts": {"dim_school": {"by": {"kreis": "ags"}, "later": {"min": 1, "max": 2}, "rows": {"a": 1}}}},
            "later:",
        ),
        ({"marts": {"dim_school": {"rows": {"all": -1}}}}, "marts.dim_school.rows.all"),
    ],
)
def test_a_slip_names_file_and_key(tmp_path: Path, change: dict[str, Any], said: str) -> None:
    text = yaml.safe_dump(
        {"input": "sample", "tolerance_share": 0.1, "inside_tolerance": "warning", "marts": {}, **change}
    )
    (tmp_path / "sample.yml").write_text(text, encoding="utf-8")
    with pytest.raises(SuiteRefused, match=rf"sample\.yml.*(?s:.*){said}"):
        load_row_counts(tmp_path / "sample.yml", {"dim_school"})


@pytest.mark.parametrize("kind", ["sample", "mirror", "live"])
def test_the_counts_in_git_are_those_of_the_region(kind: Any) -> None:
    rules = load_rules(RULES, kind)
    assert rules.row_counts is not None
    marts = rules.row_counts.marts
    assert marts["dim_municipality"].rows == KREISE
    # The sample has five municipalities more that were.
    municipalities = 71 if kind == "sample" else 66
    assert marts["dim_area"].rows == {"district": 45, "kreis": 5, "municipality": municipalities, "region": 1}
    assert sum(marts["dim_date"].rows.values()) == (date(2036, 1, 1) - date(1990, 1, 1)).days
    if kind != "live":
        # Nobody has run the live sources yet; the others are counted whole.
        assert marts.keys() == {mart for mart, suite in rules.suites.items() if suite.counted}


@pytest.mark.parametrize("kind", ["sample", "mirror", "live"])
def test_the_files_in_git_are_as_the_command_writes_them(kind: Any) -> None:
    path = row_counts_file(RULES, kind)
    assert path.read_text(encoding="utf-8") == as_yaml(read(path, RowCounts))


def test_a_new_mart_is_counted_by_kreis_else_by_source_else_whole() -> None:
    assert counted_by(["ags", "source_id"]).model_dump(exclude_unset=True) == {"kreis": "ags"}
    assert counted_by(["source_id"]).model_dump(exclude_unset=True) == {"value": "source_id"}
    assert counted_by(["month"]).model_dump(exclude_unset=True) == {}


def test_deviations_are_values() -> None:
    assert deviations(mart(rows={"all": 1}), 0, {"all": 2}, DAY) == (Deviation("all", "1", 2, "more"),)
