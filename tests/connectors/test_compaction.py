"""Compaction: many small staged files read as few, and a new one changes the group it falls into and no other."""

from __future__ import annotations

import hashlib
import random
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pyarrow.parquet as pq
import pytest

from connectors.compaction import FILES_PER_GROUP, GROUPS, compacted, groups, in_order_of_time
from connectors.staging import StagedWriter, replace_parquet, staged_file
from connectors.tables import COUNT_READING, COUNT_SITE

Key = tuple[str, str, str]
FETCHED_AT = datetime(2026, 11, 22, tzinfo=UTC)


def snapshot(partition: str, content: str = "", fetched_at: datetime = FETCHED_AT) -> dict[str, Any]:
    sha256 = hashlib.sha256(f"{partition} {content}".encode()).hexdigest()
    key = {"source_id": "town", "snapshot_sha256": sha256, "parse_key": "1"}
    return {**key, "partition": partition, "fetched_at": fetched_at}


def month_files(stations: Sequence[int], months: int) -> list[dict[str, Any]]:
    return [
        snapshot(f"readings/month={2015 + n // 12}-{n % 12 + 1:02d}/station={station}")
        for n in range(months)
        for station in stations
    ]


def stage(staged: Path, row: dict[str, Any], count: int = 1) -> None:
    """A file of two readings, the later one first."""
    _, month, station = row["partition"].split("/")
    start = datetime.fromisoformat(month.removeprefix("month=") + "-01T00:00:00+00:00")
    readings = [
        {
            "record_number": number,
            "site_id": station.removeprefix("station="),
            "channel_id": "c",
            "interval_start_at": start + timedelta(minutes=15 * (2 - number)),
            "interval_minutes": 15,
            "count": count,
        }
        for number in (1, 2)
    ]
    key = (row["source_id"], row["snapshot_sha256"], row["parse_key"])
    with StagedWriter(staged, *key) as out:
        out.read(COUNT_READING, 2)
        columns = ["record_number", *COUNT_READING.columns.names]
        out.write(COUNT_READING, [{name: reading.get(name) for name in columns} for reading in readings])
        out.close()


def test_files_stand_in_the_order_of_the_time_they_tell_of_whatever_their_partitions_are_called() -> None:
    later, earlier = snapshot("a/month=2020-02/station=1"), snapshot("a/month=2020-01/station=2")
    rows = [later, snapshot("a/day=2020-01-15"), earlier, snapshot("z")]
    keys = in_order_of_time(rows)
    assert [key[1] for key in keys] == [row["snapshot_sha256"] for row in (rows[3], earlier, rows[1], later)]
    # Two partitions with the same bytes are one file; of the same partition the former fetch comes first.
    twice = [snapshot("a", "1", FETCHED_AT + timedelta(days=1)), snapshot("a", "2"), snapshot("a", "2")]
    assert [key[1] for key in in_order_of_time(twice)] == [twice[1]["snapshot_sha256"], twice[0]["snapshot_sha256"]]


@pytest.mark.parametrize("seed", range(5))
def test_a_new_month_changes_one_group_of_thousands_of_files(seed: int) -> None:
    rows = month_files(range(1, 101), 100)
    chosen = random.Random(seed).choice(rows)

    def grouped(snapshots: list[dict[str, Any]]) -> set[tuple[str, ...]]:
        places = [staged_file(Path("staged"), "t", *key) for key in in_order_of_time(snapshots)]
        return {tuple(map(str, group)) for group in groups(places)}

    before, after = grouped([row for row in rows if row is not chosen]), grouped(rows)
    # The new file joins a group; should it end one, it cuts it in two.
    assert len(before - after) == 1
    assert len(after - before) <= 2
    # A month that comes again with other bytes: both the group it left and the one it joins are the same place.
    corrected = [row if row is not chosen else snapshot(row["partition"], "again") for row in rows]
    assert len(grouped(corrected) - after) <= 2
    assert 10_000 / FILES_PER_GROUP / 2 < len(after) < 10_000 / FILES_PER_GROUP * 2


def test_there_are_never_very_many_groups() -> None:
    places = [
        staged_file(Path("staged"), "t", "town", hashlib.sha256(str(number).encode()).hexdigest(), "1")
        for number in range(GROUPS * FILES_PER_GROUP * 4)
    ]
    assert len(groups(places)) < 1.5 * GROUPS


def test_adding_a_month_rewrites_its_group_alone_and_every_group_is_sorted(tmp_path: Path) -> None:
    rows = month_files(range(1, 31), 10)
    for row in rows:
        stage(tmp_path, row)
    *former, latest = in_order_of_time(rows)
    before = {path: path.stat().st_ino for path in compacted(tmp_path, COUNT_READING, "town", former)}
    after = {path: path.stat().st_ino for path in compacted(tmp_path, COUNT_READING, "town", [*former, latest])}
    assert 2 < len(after) < 30
    assert len(before.items() - after.items()) <= 1
    # What is no longer read is gone.
    assert {*(tmp_path / ".compacted" / "count_reading" / "town").iterdir()} <= {*after}
    for path in after:
        table = pq.ParquetFile(path).read()
        placed = list(zip(table["site_id"].to_pylist(), table["interval_start_at"].to_pylist(), strict=True))
        assert placed == sorted(placed)
        assert pq.ParquetFile(path).schema_arrow.names == COUNT_READING.schema.names
    with duckdb.connect() as database:
        query = "select count(*), count(distinct (site_id, interval_start_at)) from read_parquet($files)"
        assert database.execute(query, {"files": [str(path) for path in after]}).fetchall() == [(600, 600)]


def test_row_groups_of_a_compacted_file_know_their_sites(tmp_path: Path) -> None:
    rows = month_files(range(10, 40), 1)
    for row in rows:
        stage(tmp_path, row)
    for path in compacted(tmp_path, COUNT_READING, "town", in_order_of_time(rows)):
        metadata = pq.ParquetFile(path).metadata
        place = metadata.schema.names.index("site_id")
        statistics = metadata.row_group(0).column(place).statistics
        assert statistics is not None
        assert statistics.min <= statistics.max


def test_a_file_of_an_older_parser_may_lack_a_column(tmp_path: Path) -> None:
    rows = month_files(range(1, 11), 1)
    for row in rows:
        stage(tmp_path, row)
    first = staged_file(tmp_path, "count_reading", "town", rows[0]["snapshot_sha256"], "1")
    replace_parquet(first, pq.ParquetFile(first).read().drop_columns(["value_mark"]))
    (path,) = compacted(tmp_path, COUNT_READING, "town", in_order_of_time(rows))
    table = pq.ParquetFile(path).read()
    assert table.num_rows == 20
    assert table.schema.equals(COUNT_READING.schema)


def test_large_files_stay_as_they_are(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = month_files(range(1, 11), 1)
    for row in rows:
        stage(tmp_path, row)
    staged = {staged_file(tmp_path, "count_reading", "town", row["snapshot_sha256"], "1") for row in rows}
    monkeypatch.setattr("connectors.compaction.LARGE_BYTES", min(path.stat().st_size for path in staged))
    assert set(compacted(tmp_path, COUNT_READING, "town", in_order_of_time(rows))) == staged


def test_a_source_without_files_of_a_table_has_none(tmp_path: Path) -> None:
    rows = month_files(range(1, 11), 1)
    stage(tmp_path, rows[0])
    assert compacted(tmp_path, COUNT_SITE, "town", in_order_of_time(rows)) == []
