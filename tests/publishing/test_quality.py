"""What the gate found is kept: every judgement in the journal, and three tables in each release."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from publishing import quality
from publishing.quality import JournalBroken, Judged
from publishing.release import Published, current
from tests.publishing.conftest import AS_OF

Promote = Callable[..., Published]

HOLDS: dict[str, Any] = {
    "id": "dim_area.holds",
    "mart": "dim_area",
    "expectation": "expect_column_values_to_not_be_null",
    "columns": ["area_id"],
    "owner": "platform",
    "dimension": "complete",
    "severity": "critical",
    "success": True,
    "quarantine": None,
    "observed": None,
    "unexpected_count": None,
    "judged": None,
    "examples": [],
    "error": None,
    "meaning_de": "da",
    "meaning_en": "there",
}
FAILS = {**HOLDS, "id": "fct_pair.fails", "mart": "fct_pair", "success": False, "unexpected_count": 2}
WARNS = {**FAILS, "id": "fct_pair.warns", "severity": "warning"}
KNOWN = {**FAILS, "id": "fct_pair.known", "quarantine": {"reason_en": "known", "expires": "2026-01-01"}}
SCORE = {
    "mart": "dim_area",
    "fresh": 0.5,
    "complete": 1.0,
    "valid": None,
    "consistent": 0.25,
    "blank_reason": "valid: no check speaks of it",
    "checks": 3,
    "failed_checks": 1,
    "quarantined_checks": 0,
}
UNEXPECTED = pa.schema(
    [
        ("mart", pa.string()),
        ("check_id", pa.string()),
        ("row_number", pa.int64()),
        ("unexpected_count", pa.int64()),
        ("row_json", pa.string()),
    ]
)


@pytest.fixture
def judge(tmp_path: Path, releases: Path) -> Callable[..., Judged]:
    """Keep a judgement of these checks; green where none of them is critical and fails."""

    def _judge(*checks: dict[str, Any], as_of: datetime = AS_OF, passed: bool = True) -> Judged:
        report, page, unexpected = (tmp_path / name for name in ("gate.json", "gate.html", "unexpected.parquet"))
        verdict = {"passed": passed, "checks": list(checks), "scorecard": [SCORE]}
        report.write_text(json.dumps(verdict), encoding="utf-8")
        page.write_text(f"<p>{len(checks)} checks", encoding="utf-8")
        rows = [
            {"mart": "fct_pair", "check_id": "fct_pair.warns", "row_number": number, "unexpected_count": 2,
             "row_json": json.dumps({"area_id": f"0551{number}"})}
            for number in (2, 1)
        ]  # fmt: skip
        pq.write_table(pa.Table.from_pylist(rows, schema=UNEXPECTED), unexpected)
        return Judged(quality.record(releases, report, page, as_of), report, unexpected)

    return _judge


def in_release(releases: Path, sql: str) -> list[tuple[Any, ...]]:
    release = current(releases)
    assert release is not None
    with duckdb.connect(str(release.warehouse), read_only=True) as connection:
        return connection.execute(sql).fetchall()


HISTORY = "select judgement, release, gate_passed, check_id, success, is_quarantined from marts.mart_quality_history"


def test_a_release_tells_how_it_was_judged(promote: Promote, judge: Callable[..., Judged], releases: Path) -> None:
    promote(7, judged=judge(HOLDS, WARNS))
    assert in_release(releases, "select * from marts.mart_quality_scorecard") == [
        ("dim_area", 0.5, 1.0, None, 0.25, "valid: no check speaks of it", 3, 1, 0)
    ]
    assert in_release(releases, "select * from marts.mart_quality_unexpected") == [
        ("fct_pair", "fct_pair.warns", 1, 2, '{"area_id": "05511"}'),
        ("fct_pair", "fct_pair.warns", 2, 2, '{"area_id": "05512"}'),
    ]
    assert in_release(releases, HISTORY) == [
        (1, "2025.03.31.1", True, "dim_area.holds", True, False),
        (1, "2025.03.31.1", True, "fct_pair.warns", False, False),
    ]
    assert in_release(releases, "select distinct epoch(as_of), owner, meaning_de from marts.mart_quality_history") == [
        (AS_OF.timestamp(), "platform", "da")
    ]


def test_tables_are_described_recorded_and_lie_as_parquet(
    promote: Promote, judge: Callable[..., Judged], releases: Path
) -> None:
    release = promote(7, synthetic=True, judged=judge(HOLDS)).release
    said = json.loads((release.path / "release.json").read_text(encoding="utf-8"))
    names = ["mart_quality_history", "mart_quality_scorecard", "mart_quality_unexpected"]
    assert sorted(said["quality"]["tables"]) == names
    assert said["quality"]["judgement"] == 1
    assert said["marts"].keys() == {"dim_area", "fct_pair"}
    assert release.quality is not None
    for name in names:
        told = release.quality.tables[name]
        parquet = pq.read_table(release.parquet / f"{name}.parquet")
        assert (parquet.num_rows, parquet.column_names) == (told.rows, [column.name for column in told.columns])
        assert parquet.schema.metadata[b"synthetic"] == b"true"
        assert told.title_de.startswith("SYNTHETIC / SYNTHETISCH – ")
        assert all(column.description for column in told.columns)
        assert set(told.primary_key) <= {column.name for column in told.columns}
    assert in_release(
        releases,
        "select count(*) from duckdb_columns() where table_name like 'mart_quality%' and coalesce(comment, '') = ''",
    ) == [(0,)]
    (comment,) = in_release(releases, "select comment from duckdb_tables() where table_name = 'mart_quality_scorecard'")
    assert "1 - unexpected / judged rows" in comment[0]


def test_every_judgement_is_kept_red_ones_and_those_that_made_no_release(
    promote: Promote, judge: Callable[..., Judged], releases: Path
) -> None:
    def released(value: int, judged: Judged) -> bool:
        published = promote(value, judged=judged)
        if published.promoted:
            quality.mark(releases, judged.number, published.release.version)
        return published.promoted

    assert released(1, judge(HOLDS))
    judge(FAILS, passed=False)
    assert not released(1, judge(HOLDS, KNOWN))
    assert released(2, judge(HOLDS))
    assert in_release(releases, f"{HISTORY} order by judgement, check_id") == [
        (1, "2025.03.31.1", True, "dim_area.holds", True, False),
        (2, None, False, "fct_pair.fails", False, False),
        (3, None, True, "dim_area.holds", True, False),
        (3, None, True, "fct_pair.known", False, True),
        (4, "2025.03.31.2", True, "dim_area.holds", True, False),
    ]


def test_quality_alone_makes_no_release_and_changes_no_content(
    promote: Promote, judge: Callable[..., Judged], releases: Path
) -> None:
    first = promote(1, judged=judge(HOLDS)).release
    again = promote(1, judged=judge(HOLDS, WARNS))
    assert not again.promoted
    without = promote(1, synthetic=True).release
    assert without.quality is None
    assert {name: mart.content_sha256 for name, mart in without.marts.items()} == {
        name: mart.content_sha256 for name, mart in first.marts.items()
    }


def test_the_past_is_told_in_short_oldest_first(judge: Callable[..., Judged], releases: Path) -> None:
    assert quality.past(releases) == []
    judge(HOLDS, WARNS, KNOWN)
    judge(FAILS, passed=False, as_of=AS_OF + timedelta(days=1))
    quality.mark(releases, 1, "2025.03.31.1")
    counts = ("checks", "critical", "warning", "info", "quarantined")
    first, second = quality.past(releases)
    assert [first[name] for name in counts] == [3, 0, 1, 0, 1]
    assert [second[name] for name in counts] == [1, 1, 0, 0, 0]
    assert (first["passed"], first["release"], first["as_of"]) == (True, "2025.03.31.1", AS_OF)
    assert (second["passed"], second["release"]) == (False, None)
    for day in range(25):
        judge(HOLDS, as_of=datetime(2025, 4, 1 + day, tzinfo=UTC))
    assert [row["judgement"] for row in quality.past(releases)] == list(range(8, 28))


def test_the_page_of_the_last_judgement_lies_there(judge: Callable[..., Judged], releases: Path) -> None:
    judge(HOLDS)
    judge(HOLDS, FAILS, passed=False)
    assert (releases / "quality" / "latest.html").read_text(encoding="utf-8") == "<p>2 checks"


def test_a_run_killed_while_writing_leaves_the_journal_whole(
    judge: Callable[..., Judged], releases: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    judge(HOLDS)

    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(Path, "hardlink_to", killed)
        with pytest.raises(KeyboardInterrupt):
            judge(WARNS)
    assert [row["judgement"] for row in quality.past(releases)] == [1]
    assert judge(WARNS).number == 2
    assert sorted(path.name for path in (releases / "quality").iterdir()) == [
        "000001.parquet",
        "000002.parquet",
        "latest.html",
    ]


def test_a_release_that_nobody_could_mark_is_marked_by_the_next(
    promote: Promote, judge: Callable[..., Judged], releases: Path
) -> None:
    # Killed right after promoting: `mark` was not called.
    promote(1, judged=judge(HOLDS))
    promote(2, judged=judge(HOLDS))
    assert in_release(releases, "select judgement, release from marts.mart_quality_history order by 1") == [
        (1, "2025.03.31.1"),
        (2, "2025.03.31.2"),
    ]


def test_a_broken_file_of_the_journal_is_named_and_promotes_nothing(
    promote: Promote, judge: Callable[..., Judged], releases: Path
) -> None:
    promote(1, judged=judge(HOLDS))
    (releases / "quality" / "000001.parquet").write_bytes(b"no parquet")
    with pytest.raises(JournalBroken, match=r"000001\.parquet.*expected a judgement; move the file aside"):
        quality.past(releases)
    with pytest.raises(JournalBroken, match=r"000001\.parquet"):
        promote(2, judged=judge(HOLDS))
    release = current(releases)
    assert release is not None
    assert release.version == "2025.03.31.1"


def test_a_former_journal_without_a_column_is_read(judge: Callable[..., Judged], releases: Path) -> None:
    judge(WARNS)
    path = releases / "quality" / "000001.parquet"
    pq.write_table(pq.read_table(path).drop_columns(["owner"]), path)
    assert [row["warning"] for row in quality.past(releases)] == [1]
