"""The gate: green on a right candidate, red with the rows named on a wrong one, never silent about itself."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from typing import Any

import duckdb
import pytest

from expectations.gate import CandidateUnreadable
from expectations.strict import SuiteRefused
from expectations.verdict import Verdict
from tests.expectations.conftest import change, judged, write_rules

TINY = """
domain: core
owner: platform
marts:
  dim_area:
    key: [area_id]
    checks:
      - expect: expect_column_values_to_be_in_set
        kwargs: {column: level, value_set: [region, kreis, municipality]}
        severity: SEVERITY
        meaning_de: Die Ebene ist bekannt.
        meaning_en: The level is <known>.
"""


def tiny(folder: Path, rows: str = "('05515', 'kreis')", text: str = TINY.replace("SEVERITY", "critical")) -> Verdict:
    """The verdict on a candidate with one mart of these rows under a suite of one check."""
    rules = write_rules(folder / "rules", text)
    candidate = folder / "tiny.duckdb"
    candidate.unlink(missing_ok=True)
    change(
        candidate, "create schema marts", f"create table marts.dim_area as from (values {rows}) as v (area_id, level)"
    )
    return judged(candidate, folder / "report", rules=rules)


def found(verdict: Verdict) -> set[tuple[str, str, str, int | None]]:
    """What failed, row counts that nobody has written down yet left out."""
    return {
        (result.mart, result.severity, ", ".join(result.columns) or result.meaning_en, result.unexpected_count)
        for result in verdict.failures
        if result.expectation != "row_count_written_down"
    }


def test_a_right_candidate_passes_every_check(good: Path, uncounted: Path, tmp_path: Path) -> None:
    verdict = judged(good, tmp_path / "report", rules=uncounted)
    assert found(verdict) == set()
    assert verdict.passed
    assert {result.mart for result in verdict.checks} >= {"dim_municipality", "fct_count_hour", "mart_statistic"}
    # The file is let go of: it can be written to again.
    change(good, "create table marts.extra as select 1")


def test_a_wrong_candidate_fails_where_it_is_wrong(good: Path, uncounted: Path, tmp_path: Path) -> None:
    change(
        good,
        "delete from marts.mart_population where ags = '05570013'",
        "delete from marts.mart_coverage where ags = '05515001' and domain = 'energy'",
        "delete from marts.mart_transit_supply where ags like '05566%'",
        "update marts.fct_count_hour set count = -1 where site_id = 's05515001' and hour(hour_local) < 3",
        "insert into marts.mart_counting_finding select * replace ('x' as finding_id, 'correction_outdated' as code) "
        "from marts.mart_counting_finding",
        "insert into marts.dim_school select * from marts.dim_school limit 1",
        "update marts.mart_traffic_day set date = date '2025-01-03' where site_id = 's05515001'",
        "insert into marts.mart_traffic_day select * replace (date '2025-01-01' as date, 1.5 as completeness_share) "
        "from marts.mart_traffic_day where site_id = 's05515001'",
        "update marts.dim_energy_unit set is_location_conflict = true "
        "where ags = (select min(ags) from marts.dim_municipality)",
        "update marts.dim_charging_station set ags = null, is_location_conflict = true where record_number <= 2",
        "update marts.mart_goal_progress set told_times = 2",
        "update marts.mart_project_status set told_times = 2",
        "drop table marts.mart_charging",
        "create table marts.mart_surprise as select 1 as x",
    )
    verdict = judged(good, tmp_path / "report", rules=uncounted)
    assert not verdict.passed
    assert found(verdict) == {
        ("mart_population", "critical", "The population is known for all 66 municipalities.", 1),
        ("mart_population", "warning", "Every source tells of all 66 municipalities at every date.", 1),
        (
            "mart_coverage",
            "critical",
            "There is at least one row for each of the 66 municipalities and every domain.",
            1,
        ),
        ("mart_transit_supply", "warning", "Every municipality has a transit supply.", 24),
        ("fct_count_hour", "critical", "count", 3),
        (
            "fct_count_hour",
            "critical",
            "What is validated is what was reported, where no factor is declared.",
            3,
        ),
        (
            "mart_counting_finding",
            "critical",
            "No declared correction is outdated; else the publisher has mended it, and the entry has to go.",
            1,
        ),
        ("dim_school", "critical", "school_id", 2),
        ("mart_traffic_day", "critical", "completeness_share", 1),
        (
            "mart_traffic_day",
            "critical",
            "No day is left out: a day without a measurement is a row without a value.",
            1,
        ),
        # The day that is told twice.
        ("mart_traffic_month", "critical", "The days add up to the sum.", 1),
        ("mart_traffic_year", "critical", "The days add up to the sum.", 1),
        ("dim_energy_unit", "warning", "The point of a unit lies in the municipality of its key.", 1),
        ("dim_charging_station", "warning", "The point of a charging station lies in the city it names.", 2),
        (
            "dim_charging_station",
            "warning",
            "Every charging station has a place and a date and enters the monthly figures.",
            2,
        ),
        ("mart_goal_progress", "warning", "No goal shares its id with another entry.", 1),
        ("mart_project_status", "warning", "No project shares its id with another entry.", 1),
        ("mart_charging", "critical", "Every expected mart is there.", None),
        ("mart_surprise", "critical", "Every mart has expectations.", None),
    }
    missing = next(result for result in verdict.failures if result.mart == "mart_coverage")
    assert missing.examples == ({"ags": "05515001", "domain": "energy"},)


def test_a_check_that_cannot_be_evaluated_is_critical_however_light(tmp_path: Path) -> None:
    text = TINY.replace("column: level", "column: nowhere").replace("SEVERITY", "info")
    verdict = tiny(tmp_path, text=text)
    assert not verdict.passed
    failure = verdict.failures[0]
    assert failure.severity == "critical"
    assert "nowhere" in (failure.error or "")


def test_a_query_duckdb_refuses_is_critical(tmp_path: Path) -> None:
    text = TINY.replace("expect_column_values_to_be_in_set", "unexpected_rows_expectation").replace("SEVERITY", "info")
    old = "{column: level, value_set: [region, kreis, municipality]}"
    verdict = tiny(tmp_path, text=text.replace(old, "{unexpected_rows_query: 'select x.y from {batch}'}"))
    assert (verdict.failures[0].severity, bool(verdict.failures[0].error)) == ("critical", True)


@pytest.mark.parametrize(
    "wrong", ["{colunm: level, value_set: [a]}", "{column: level, value_set: [a], severity: info}"]
)
def test_a_misspelt_argument_is_refused(tmp_path: Path, wrong: str) -> None:
    text = TINY.replace("{column: level, value_set: [region, kreis, municipality]}", wrong)
    with pytest.raises(SuiteRefused, match="dim_area: expect_column_values_to_be_in_set: kwargs"):
        tiny(tmp_path, text=text.replace("SEVERITY", "critical"))
    assert not (tmp_path / "report").exists()


def test_the_report_is_the_same_twice_and_harmless(tmp_path: Path) -> None:
    rows = ", ".join(f"('{number}', '<script src=//x.example>{'x' * 500}{number}')" for number in range(30))
    verdict = tiny(tmp_path, rows)
    report = tmp_path / "report"
    first = {name: (report / name).read_bytes() for name in ("gate.json", "gate.html", "gate_unexpected.parquet")}
    tiny(tmp_path, rows)
    assert {name: (report / name).read_bytes() for name in first} == first
    failure = verdict.failures[0]
    assert failure.unexpected_count == 30
    assert len(failure.examples) == 20
    assert all(len(str(row["level"])) < 250 for row in failure.examples)
    html = first["gate.html"].decode()
    assert "<script" not in html
    assert "&lt;script src=//x.example&gt;" in html
    assert "The level is &lt;known&gt;." in html
    assert "Die Ebene ist bekannt." in html
    assert not [word for word in ("http://", "https://", 'src="', "@import", "url(") if word in html]
    said = json.loads(first["gate.json"])
    assert said["passed"] is False
    assert said["counts"]["critical"] == {"checks": 3, "failed": 1, "quarantined": 0}


def test_nothing_to_judge_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(CandidateUnreadable, match="run dbt first"):
        judged(tmp_path / "none.duckdb", tmp_path / "report")
    (tmp_path / "text.duckdb").write_text("no database", encoding="utf-8")
    with pytest.raises(CandidateUnreadable, match=r"text\.duckdb"):
        judged(tmp_path / "text.duckdb", tmp_path / "report")
    with duckdb.connect(str(tmp_path / "empty.duckdb")):
        pass
    assert not judged(tmp_path / "empty.duckdb", tmp_path / "report").passed


def test_unexpected_rows_are_kept_as_a_table_up_to_a_bound(tmp_path: Path) -> None:
    rows = ", ".join(f"('{number:05}', 'level {number}')" for number in range(1200))
    failure = tiny(tmp_path, rows).failures[0]
    assert failure.unexpected_count == 1200
    kept = duckdb.sql(
        f"select check_id, row_number, unexpected_count, row_json from '{tmp_path}/report/gate_unexpected.parquet'"
    ).fetchall()
    assert len(kept) == 1000
    assert kept[0][:3] == (failure.id, 1, 1200)
    assert json.loads(kept[0][3]) == {"area_id": "00000", "level": "level 0"}
    assert json.loads(kept[-1][3]) == {"area_id": "00999", "level": "level 999"}


def test_a_green_candidate_keeps_an_empty_table(tmp_path: Path) -> None:
    assert tiny(tmp_path).passed
    kept = duckdb.sql(f"select count(*) from '{tmp_path}/report/gate_unexpected.parquet'").fetchall()
    assert kept == [(0,)]


WRONG = "('05515', 'city'), ('05554', 'kreis')"
COUNTS = """
input: sample
tolerance_share: 0
inside_tolerance: warning
marts:
  dim_area: {by: {value: level}, rows: {kreis: 3}}
"""


def known(check: str, expires: str = "2026-11-22") -> str:
    return (
        f"quarantined:\n  - {{check: {check}, inputs: [sample], reason_de: bekannt, reason_en: known, "
        f"owner: mobility, expires: {expires}}}\n"
    )


def test_a_candidate_passes_with_what_is_quarantined_until_the_day_after(tmp_path: Path) -> None:
    wrong = tiny(tmp_path, WRONG)
    rules = write_rules(
        tmp_path / "rules", TINY.replace("SEVERITY", "critical"), quarantine=known(wrong.failures[0].id)
    )

    def passes(as_of: str) -> bool:
        # 23:30 UTC is the next day in Münster.
        instant = datetime.fromisoformat(f"2026-11-22T{as_of}+00:00")
        return judged(tmp_path / "tiny.duckdb", tmp_path / "report", rules=rules, kind="sample", as_of=instant).passed

    assert not wrong.passed
    assert [passes("22:30:00"), passes("23:30:00")] == [True, False]


def test_row_counts_are_judged_quarantined_and_scored_like_any_check(tmp_path: Path) -> None:
    tiny(tmp_path, "('05515', 'kreis'), ('05554', 'kreis')")
    suite = TINY.replace("SEVERITY", "critical")
    arguments: dict[str, Any] = {"kind": "sample", "feeds": {"dim_area": ("a",)}}

    def verdict(quarantine: str) -> Verdict:
        rules = write_rules(tmp_path / "rules", suite, row_counts=COUNTS, quarantine=quarantine)
        return judged(tmp_path / "tiny.duckdb", tmp_path / "report", rules=rules, **arguments)

    red = verdict("quarantined: []")
    assert [(one.id, one.unexpected_count) for one in red.failures] == [("dim_area.row_count_per_partition", 1)]
    assert red.failures[0].examples == ({"partition": "kreis", "expected": "3", "found": "2"},)
    green = verdict(known("dim_area.row_count_per_partition"))
    assert green.passed
    # The key's not-null check holds (3), the one partition counted does not (3): half.
    assert [score.complete for score in green.scorecard] == [0.5]
    # The candidate says nothing of any source, so none is known to be fresh.
    assert green.scorecard[0].fresh == 0


def test_freshness_is_that_of_the_sources_that_feed_a_mart(good: Path, uncounted: Path, tmp_path: Path) -> None:
    change(
        good,
        "insert into marts.mart_coverage "
        "select ags, 'energy', 'late', null, 'stale', 'why' from marts.dim_municipality",
    )
    feeds = {"dim_school": ("city",), "dim_energy_unit": ("city", "late"), "mart_charging": ("late", "never came")}
    verdict = judged(good, tmp_path / "report", rules=uncounted, feeds=feeds)
    fresh = {score.mart: score.fresh for score in verdict.scorecard}
    assert [fresh[mart] for mart in ("dim_school", "dim_energy_unit", "mart_charging", "dim_date")] == [1, 0.5, 0, None]


def test_rules_that_do_not_fit_stop_before_anything_is_judged(tmp_path: Path) -> None:
    rules = write_rules(
        tmp_path / "rules", TINY.replace("SEVERITY", "critical"), quarantine=known("dim_area.no_such_check")
    )
    with pytest.raises(SuiteRefused, match=r"quarantine\.yml: quarantined\.0\.check: there is no check"):
        judged(tmp_path / "none.duckdb", tmp_path / "report", rules=rules, kind="sample")
