"""Real GTFS feeds: nothing is lost, the tables hold what a plain reading of the files counts."""

from __future__ import annotations

import csv
import io
import zipfile
from collections import Counter
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from connectors.connector import Snapshot
from connectors.formats import gtfs
from connectors.region import region
from connectors.staging import Account, StagedWriter

CITY = "standin/stadtwerke_feed.zip"
BREST = "transit/gtfs-brest-with-rt/gtfs.zip"
BULLRUNNER = "transit/gtfs-validator-fixtures/bullrunner-gtfs.zip"

pytestmark = pytest.mark.real


def plain(feed: Path, name: str) -> list[dict[str, str]]:
    with zipfile.ZipFile(feed) as archive:
        return list(csv.DictReader(io.StringIO(archive.read(name).decode("utf-8-sig"), newline="")))


def parse(feed: Path, tmp_path: Path, **options: bool) -> StagedWriter:
    with StagedWriter(tmp_path, "feed", "a" * 64, "1") as out:
        gtfs.parse(Snapshot("feed", feed, "a" * 64), out, region(), **options)
        out.close()
    return out


@pytest.mark.parametrize("name", [CITY, BREST, BULLRUNNER])
def test_every_record_of_every_file_is_counted(real: Path, tmp_path: Path, name: str) -> None:
    feed = real / name
    out = parse(feed, tmp_path)
    with zipfile.ZipFile(feed) as archive:
        names = {Path(member).name for member in archive.namelist()}
    tables = {file.table.name: file.name for file in gtfs.FILES if file.name in names}
    assert {table: account.read for table, account in out.accounts.items()} == {
        table: len(plain(feed, file)) for table, file in tables.items()
    }


def test_the_city_feed_is_staged_whole(real: Path, tmp_path: Path) -> None:
    out = parse(real / CITY, tmp_path)
    assert {table: account.staged for table, account in out.accounts.items()} == {
        "gtfs_agency": 2,
        "gtfs_calendar": 39,
        "gtfs_calendar_dates": 164,
        "gtfs_feed_info": 1,
        "gtfs_routes": 65,
        "gtfs_shapes": 80_412,
        "gtfs_stop_times": 133_464,
        "gtfs_stops": 1_058,
        "gtfs_trips": 6_471,
    }
    assert out.drifted == []
    rows = plain(real / CITY, "stop_times.txt")
    staged = pq.ParquetFile(out.file_of("gtfs_stop_times")).read()
    visits = Counter(staged["stop_id"].to_pylist())
    assert visits == Counter(row["stop_id"] for row in rows)
    seconds = [
        sum(int(part) * unit for part, unit in zip(row["departure_time"].split(":"), (3600, 60, 1), strict=True))
        for row in rows
    ]
    assert staged["departure_s"].to_pylist() == seconds
    assert max(seconds) > 86_400


def test_the_city_feed_lies_in_the_region_and_a_foreign_one_does_not(real: Path, tmp_path: Path) -> None:
    assert parse(real / CITY, tmp_path / "city", region_only=True).accounts["gtfs_stop_times"].staged == 133_464
    foreign = parse(real / BREST, tmp_path / "brest", region_only=True).accounts
    assert foreign["gtfs_stop_times"] == Account(read=133_464, out_of_scope=133_464)
    assert foreign["gtfs_stops"] == Account(read=1_058, out_of_scope=1_058)
