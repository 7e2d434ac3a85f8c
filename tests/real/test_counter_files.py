"""The real Münster counter files: sums equal a plain reading, clock changes are right, nothing is lost."""

from __future__ import annotations

import csv
import itertools
from collections import Counter
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from connectors.connector import Snapshot
from connectors.formats import eco_counter
from connectors.region import region
from connectors.staging import Account, StagedWriter

pytestmark = pytest.mark.real


@pytest.fixture(scope="module")
def counters(real: Path) -> Path:
    return real / "mobility" / "ms-radverkehr-zaehlstellen"


def parse(file: Path, staged: Path) -> StagedWriter:
    partition = {"station": file.parent.name, "month": file.stem}
    with StagedWriter(staged, "counters", f"{file.parent.name}-{file.stem}", "1") as out:
        eco_counter.parse_readings(Snapshot("counters", file, "d" * 64, partition), out, region())
        out.close()
    return out


def sum_channel(file: Path, staged: Path) -> list[dict[str, Any]]:
    rows = pq.ParquetFile(parse(file, staged).file_of("count_reading")).read().to_pylist()
    return [row for row in rows if row["channel_role"] == "sum"]


def plain_sums(file: Path) -> Counter[str]:
    """Vehicles per day in the station's own column, by the csv module alone."""
    sums: Counter[str] = Counter()
    with file.open(encoding="utf-8", newline="") as stream:
        for row in csv.DictReader(stream):
            (cell,) = (value for name, value in row.items() if name.startswith(f"{file.parent.name} ("))
            sums[row["Datetime"][:10]] += int(cell or 0)
    return sums


@pytest.mark.parametrize("name", ["100020113/2024-03.csv", "100035541/2025-03.csv", "100020113/2024-10.csv"])
def test_daily_sums_of_the_sum_channel_equal_a_plain_reading(counters: Path, tmp_path: Path, name: str) -> None:
    sums: Counter[str] = Counter()
    for row in sum_channel(counters / name, tmp_path):
        sums[f"{row['interval_start_local']:%Y-%m-%d}"] += row["count"] or 0
    assert sums == plain_sums(counters / name)
    assert len(sums) >= 30
    assert sums.total() > 10_000


@pytest.mark.parametrize(
    ("name", "day"), [("100020113/2024-03.csv", "2024-03-31"), ("100035541/2025-03.csv", "2025-03-30")]
)
def test_a_spring_day_has_23_hours(counters: Path, tmp_path: Path, name: str, day: str) -> None:
    rows = [row for row in sum_channel(counters / name, tmp_path) if f"{row['interval_start_local']:%Y-%m-%d}" == day]
    assert len(rows) == 92
    assert {row["interval_start_local"].hour for row in rows} == set(range(24)) - {2}
    # From 01:45 to 03:00 only a quarter of an hour goes by.
    instants = [row["interval_start_at"] for row in rows]
    assert {(after - before).total_seconds() for before, after in itertools.pairwise(instants)} == {900}


def test_the_autumn_hour_is_flagged_as_merged(counters: Path, tmp_path: Path) -> None:
    rows = sum_channel(counters / "100020113/2024-10.csv", tmp_path)
    merged = [row for row in rows if row["clock_change"] == "merged"]
    assert [f"{row['interval_start_local']:%Y-%m-%d %H:%M}" for row in merged] == [
        f"2024-10-27 02:{minute}" for minute in ("00", "15", "30", "45")
    ]
    assert [row["count"] for row in merged] == [67, 67, 48, 44]
    assert [f"{row['interval_start_at']:%H:%M}" for row in merged] == ["00:00", "00:15", "00:30", "00:45"]


def test_all_files_are_accounted_for(counters: Path, tmp_path: Path) -> None:
    files = sorted(counters.glob("*/*.csv"))
    assert len(files) >= 187
    for file in files:
        with file.open(encoding="utf-8", newline="") as stream:
            header, *rows = csv.reader(stream)
        values = sum("(" in name for name in header)
        account = parse(file, tmp_path).accounts["count_reading"]
        assert account == Account(read=values * len(rows), staged=values * len(rows)), file


def test_the_station_list(counters: Path, tmp_path: Path) -> None:
    with StagedWriter(tmp_path, "sites", "e" * 64, "1") as out:
        eco_counter.parse_sites(Snapshot("sites", counters / "site_min.json", "e" * 64), out, region())
        accounts = out.close()
    assert accounts["count_site"] == Account(read=23, staged=23)
    assert accounts["count_channel"] == Account(read=93, staged=93)
