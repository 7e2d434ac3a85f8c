"""The summary tells what somebody should look at, a line per source."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest

from muensterland.findings import in_words

ROWS = """
    ('a', 's1', 'column_renamed', 'warning', 1, 't.Straße -> Strasse: renamed', timestamptz '2026-11-01 05:00:00+00'),
    ('a', 's1', 'record_rejected', 'warning', 1200, 't record 3, n: no number', timestamptz '2026-11-02 05:00:00+00'),
    ('a', 's2', 'record_rejected', 'warning', 34, 't record 9, n: no number', timestamptz '2026-11-01 05:00:00+00'),
    ('a', 's2', 'snapshot_refused', 'critical', 1, 'p: too few', timestamptz '2026-11-02 05:00:00+00'),
    ('a', 's2', 'column_new', 'info', 1, 't.x: nobody declared it', timestamptz '2026-11-02 05:00:00+00'),
    ('b', 'none', 'source_missing', 'critical', 1, 'never fetched', null),
    ('c', 's1', 'column_new', 'info', 1, 't.x: nobody declared it', timestamptz '2026-11-02 05:00:00+00')
"""


@pytest.fixture
def release(tmp_path: Path) -> Path:
    (tmp_path / "parquet").mkdir()
    with duckdb.connect() as database:
        database.execute("set TimeZone = 'UTC'")
        database.execute(
            f"copy (from (values {ROWS}) as v (source_id, snapshot_sha256, code, severity, count, example, "
            f"first_seen_at)) to '{tmp_path}/parquet/mart_source_finding.parquet'"
        )
    return tmp_path


def test_a_line_per_source_gravest_first_and_no_info(release: Path) -> None:
    assert in_words(release, set()) == [
        (
            "critical",
            "a: snapshot_refused (1, since 2026-11-02): p: too few; "
            "column_renamed (1, since 2026-11-01): t.Straße -> Strasse: renamed; and 1 more",
        ),
        ("critical", "b: source_missing (1): never fetched"),
    ]


def test_what_was_told_elsewhere_is_left_out(release: Path) -> None:
    told = {("a", "snapshot_refused"), ("a", "column_renamed"), ("b", "source_missing")}
    assert in_words(release, told) == [
        ("warning", "a: record_rejected (1,234, since 2026-11-01): t record 3, n: no number")
    ]


def test_a_release_without_findings_says_nothing(tmp_path: Path) -> None:
    assert in_words(tmp_path, set()) == []
