"""Two releases compared, against differences made by hand."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import pytest

from publishing.compare import EXAMPLES, MartDiff, ReleaseDiff, compare
from publishing.release import Published
from tests.publishing.conftest import model, write_manifest

Promote = Callable[..., Published]

COLUMNS = {"site_id": "Site.", "day": "Day.", "count": "Count.", "share": "Share.", "note": "Note.", "read_at": "Read."}
FORMER = """
    ('a', date '2025-01-01', 10, 0.5, null, timestamptz '2025-01-02 00:00:00+00'),
    ('a', date '2025-01-02', 20, 0.25, 'x', timestamptz '2025-01-02 00:00:00+00'),
    ('b', date '2025-01-01', 30, null, 'x', timestamptz '2025-01-02 00:00:00+00')
"""
LATER = """
    ('a', date '2025-01-01', 10, 0.5, null, timestamptz '2025-02-02 00:00:00+00'),
    ('a', date '2025-01-02', 25, 0.25, null, timestamptz '2025-02-02 00:00:00+00'),
    ('c', date '2025-01-01', 40, null, 'y', timestamptz '2025-02-02 00:00:00+00')
"""
NAMES = ", ".join(f'"{name}"' for name in COLUMNS)


def day(**meta: Any) -> dict[str, Any]:
    return model("fct_day", COLUMNS, **{"primary_key": ["site_id", "day"], "volatile_columns": ["read_at"], **meta})


@pytest.fixture
def release(promote: Promote, tmp_path: Path) -> Callable[..., Any]:
    """A release whose fct_day holds the rows, after `change` was executed on the candidate."""

    def _release(rows: str, declared: dict[str, Any] | None = None, change: str = "", **more: Any) -> Any:
        candidate = tmp_path / "day.duckdb"
        candidate.unlink(missing_ok=True)
        with duckdb.connect(str(candidate)) as connection:
            connection.execute(
                f"create schema marts; create table marts.fct_day as select * from (values {rows}) as v ({NAMES})"
            )
            connection.execute(change or "select 1")
        manifest = write_manifest(tmp_path / "day.json", declared or day())
        return promote(1, candidate=candidate, manifest=manifest, **more).release

    return _release


def only_mart(found: ReleaseDiff) -> MartDiff:
    (mart,) = found.marts
    return mart


def test_a_release_equals_itself(release: Callable[..., Any]) -> None:
    made = release(FORMER)
    found = compare(made, made)
    assert found.equal
    assert (only_mart(found).state, only_mart(found).keys, only_mart(found).key_figures) == ("equal", None, ())


def test_rows_are_told_by_key_and_volatile_columns_do_not_count(release: Callable[..., Any]) -> None:
    mart = only_mart(compare(release(FORMER), release(LATER)))
    assert (mart.state, mart.rows_before, mart.rows_after) == ("changed", 3, 3)
    assert mart.keys is not None
    assert (mart.keys.added, mart.keys.removed, mart.keys.changed) == (1, 1, 1)
    assert mart.keys.changed_by_column == {"count": 1, "note": 1}
    assert mart.keys.added_examples == ({"site_id": "c", "day": "2025-01-01"},)
    assert mart.keys.removed_examples == ({"site_id": "b", "day": "2025-01-01"},)
    (changed,) = mart.keys.changed_examples
    assert changed.key == {"site_id": "a", "day": "2025-01-02"}
    assert (changed.before, changed.after) == ({"count": "20", "note": "x"}, {"count": "25", "note": None})


def test_key_figures_are_those_of_the_numbers(release: Callable[..., Any]) -> None:
    mart = only_mart(compare(release(FORMER), release(LATER)))
    assert [(figure.column, figure.changed) for figure in mart.key_figures] == [("count", True), ("share", False)]
    count, share = mart.key_figures
    assert count.before is not None
    assert count.after is not None
    assert (count.before.sum, count.before.min, count.before.max, count.before.null_share) == (60, 10, 30, 0)
    assert (count.after.sum, count.after.min, count.after.max) == (75, 10, 40)
    assert share.after is not None
    assert share.after.sum == pytest.approx(0.75)
    assert share.after.null_share == pytest.approx(1 / 3)


def test_declared_key_figures_stand_for_the_numbers(release: Callable[..., Any]) -> None:
    declared = day(key_figures=["day"])
    mart = only_mart(compare(release(FORMER, declared), release(LATER, declared)))
    (figure,) = mart.key_figures
    assert figure.before is not None
    assert (figure.column, figure.before.sum, figure.before.min, figure.before.max) == (
        "day",
        None,
        "2025-01-01",
        "2025-01-02",
    )


def test_columns_and_types_and_versions_are_told(release: Callable[..., Any]) -> None:
    former = release(FORMER)
    columns = {name: text for name, text in COLUMNS.items() if name != "note"} | {"source_id": "Source."}
    declared = model("fct_day", columns, primary_key=["site_id", "day"], volatile_columns=["read_at"], version="2.0.0")
    change = """
        alter table marts.fct_day drop column note;
        alter table marts.fct_day add column source_id varchar default 'town';
        alter table marts.fct_day alter column count type bigint;
    """
    mart = only_mart(compare(former, release(FORMER, declared, change)))
    assert (mart.version_before, mart.version_after) == ("1.0.0", "2.0.0")
    assert (mart.columns.added, mart.columns.removed) == (("source_id",), ("note",))
    assert [(one.name, one.before, one.after) for one in mart.columns.retyped] == [("count", "INTEGER", "BIGINT")]
    # Only what both have is compared: 10 is 10, whatever its type.
    assert mart.keys is not None
    assert (mart.keys.added, mart.keys.removed, mart.keys.changed) == (0, 0, 0)


def test_rows_of_another_key_are_not_compared(release: Callable[..., Any]) -> None:
    former = release(FORMER)
    mart = only_mart(compare(former, release(FORMER, day(primary_key=["count"], version="2.0.0"), "", synthetic=True)))
    assert mart.primary_key_after == ("count",)
    assert mart.keys is None


def test_a_new_and_a_gone_mart(release: Callable[..., Any], promote: Promote) -> None:
    former = release(FORMER)
    # Another kind of bytes: contracts are not compared.
    later = promote(5, synthetic=True).release
    states = {mart.mart: mart.state for mart in compare(former, later).marts}
    assert states == {"dim_area": "added", "fct_day": "removed", "fct_pair": "added"}


def test_examples_are_few_and_counts_are_whole(release: Callable[..., Any]) -> None:
    many = ", ".join(
        f"('s{number:03}', date '2025-01-01', {number}, 0.25, 'n', timestamptz '2025-01-02 00:00:00+00')"
        for number in range(200)
    )
    mart = only_mart(compare(release(FORMER), release(many)))
    assert mart.keys is not None
    assert (mart.keys.added, mart.keys.removed) == (200, 3)
    assert [key["site_id"] for key in mart.keys.added_examples] == [f"s{number:03}" for number in range(EXAMPLES)]


def test_the_snapshots_that_differ_are_named(promote: Promote) -> None:
    used = {"source_id": "a", "partition": "p", "snapshot_sha256": "11", "parse_key": "1-x"}
    former = promote(1, inputs=[used, {**used, "source_id": "b"}]).release
    later = promote(
        2, inputs=[{**used, "parse_key": "2-x"}, {**used, "source_id": "b", "snapshot_sha256": "22"}]
    ).release
    found = compare(former, later)
    assert [(one.source_id, one.snapshot_sha256) for one in found.inputs_added] == [("b", "22")]
    assert [(one.source_id, one.snapshot_sha256) for one in found.inputs_removed] == [("b", "11")]
