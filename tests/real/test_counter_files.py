"""The real Münster counter files: sums equal a plain reading, clock changes are right, nothing is lost."""

from __future__ import annotations

import csv
import itertools
import re
from collections import Counter
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from connectors.catalogue import load_source
from connectors.connector import Snapshot
from connectors.formats import count_site_table, count_table, eco_counter
from connectors.formats.count_layout import read_options
from connectors.region import region
from connectors.registry import parse_options
from connectors.staging import Account, StagedWriter
from muensterland.settings import REPOSITORY

pytestmark = pytest.mark.real


@pytest.fixture(scope="module")
def counters(real: Path) -> Path:
    return real / "mobility" / "ms-radverkehr-zaehlstellen"


def declared(source_id: str, resource: str) -> dict[str, Any]:
    return parse_options(load_source(REPOSITORY / "data/sources" / f"{source_id}.yml").resources[resource])


MONTHLY = declared("muenster-bicycle-counters", "readings")
ACROSS = declared("muenster-motor-traffic", "readings")
SITES = {"neutor": "100035541", "wolbecker": "100020113"}
HOURS = {name: declared("muenster-bicycle-hours", name) for name in SITES}


def parse(file: Path, staged: Path, options: dict[str, Any] = MONTHLY) -> StagedWriter:
    partition = {"station": file.parent.name, "month": file.stem}
    with StagedWriter(staged, "counters", f"{file.parent.name}-{file.stem}", "1") as out:
        count_table.parse(Snapshot("counters", file, "d" * 64, partition), out, region(), **options)
        out.close()
    return out


def daily(out: StagedWriter) -> Counter[tuple[str, str, str]]:
    """Vehicles per site, channel and local day, as staged."""
    sums: Counter[tuple[str, str, str]] = Counter()
    for row in pq.ParquetFile(out.file_of("count_reading")).read().to_pylist():
        day = f"{row['interval_start_local']:%Y-%m-%d}"
        sums[row["site_id"], row["channel_id"], day] += row["count"] or 0
    return sums


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


def test_every_channel_of_every_monthly_file_adds_up_to_a_plain_reading(counters: Path, tmp_path: Path) -> None:
    for file in sorted(counters.glob("*/*.csv")):
        plain: Counter[tuple[str, str, str]] = Counter()
        with file.open(encoding="utf-8", newline="") as stream:
            for row in csv.DictReader(stream):
                for name, cell in row.items():
                    if " (" in name:
                        plain[file.parent.name, name.split(" (")[0], row["Datetime"][:10]] += int(cell or 0)
        assert daily(parse(file, tmp_path)) == plain, file


@pytest.fixture(scope="module")
def sheets(real: Path) -> Path:
    return real / "mobility" / "ms-fahrradzaehlung-2015-2017"


def hours_of(file: Path) -> str:
    return next(name for name in SITES if name in file.name)


def test_every_sheet_of_hours_adds_up_to_a_plain_reading_and_to_its_own_footer(sheets: Path, tmp_path: Path) -> None:
    files = sorted(sheets.glob("zaehlstelle_*_stundenauswertung.csv"))
    assert len(files) >= 2
    for file in files:
        site = SITES[hours_of(file)]
        plain: Counter[tuple[str, str, str]] = Counter()
        total = records = 0
        with file.open(encoding="utf-8", newline="") as stream:
            _, *rows = csv.reader(stream)
        for stamp, *cells in rows:
            records += 3
            if stamp in ("Insgesamt", "Jahressumme"):
                total = int(cells[0])
            elif stamp:
                month, day, year = stamp.split(" ")[0].split("/")
                for channel, cell in zip((site, f"101{site[3:]}", f"102{site[3:]}"), cells[:3], strict=True):
                    plain[site, channel, f"{year}-{int(month):02}-{int(day):02}"] += int(cell) if cell.isdigit() else 0
        out = parse(file, tmp_path, HOURS[hours_of(file)])
        account = out.accounts["count_reading"]
        assert daily(out) == plain
        assert sum(count for (_, channel, _), count in plain.items() if channel == site) == total > 3_000_000
        assert (account.read, account.rejected) == (records, 0)
        assert account.staged + account.out_of_scope == records


def test_a_sheet_of_hours_and_the_workbook_it_was_exported_from_are_staged_alike(sheets: Path, tmp_path: Path) -> None:
    for file in sorted(sheets.glob("zaehlstelle_*_stundenauswertung.csv")):
        source = load_source(REPOSITORY / "data/sources/muenster-bicycle-hours.yml")
        options = {**source.resources[hours_of(file)].options, "layout": "hourly_workbook"}
        twin = parse(file.with_suffix(".xlsx"), tmp_path / "xlsx", read_options(options))
        out = parse(file, tmp_path / "csv", HOURS[hours_of(file)])
        read = [pq.ParquetFile(each.file_of("count_reading")).read() for each in (out, twin)]
        assert read[0].equals(read[1])


@pytest.mark.parametrize(("year", "hours"), [("2015", {29: 23}), ("2016", {27: 23})])
def test_the_hours_of_a_spring_day_of_the_sheets(
    sheets: Path, tmp_path: Path, year: str, hours: dict[int, int]
) -> None:
    for file in sheets.glob(f"zaehlstelle_*_{year}_stundenauswertung.csv"):
        rows = pq.ParquetFile(parse(file, tmp_path, HOURS[hours_of(file)]).file_of("count_reading")).read().to_pylist()
        march = Counter(
            row["interval_start_local"].day
            for row in rows
            if row["interval_start_local"].month == 3 and row["channel_role"] == "sum"
        )
        assert march == dict.fromkeys(range(1, 32), 24) | hours


@pytest.fixture(scope="module")
def loops(real: Path) -> Path:
    return real / "mobility" / "ms-kfz-zaehlstellen-24mq"


def test_every_day_of_loop_counts_adds_up_to_a_plain_reading(loops: Path, tmp_path: Path) -> None:
    files = sorted(loops.glob("*_24mq.csv"))
    assert len(files) >= 25
    for file in files:
        day = file.name[:10].replace("_", "-")
        # Spring has a value less in every row; whatever has another number of values is rejected.
        values = 23 if day in ("2015-03-29", "2016-03-27") else 24
        plain: Counter[tuple[str, str, str]] = Counter()
        rejected = left_out = records = 0
        with file.open(encoding="ascii", newline="") as stream:
            _, *rows = csv.reader(stream, delimiter=";")
        for name, *cells in rows:
            records += values
            section = re.fullmatch(r"MQ_.* \((MQ\d+)\)", name)
            if section is None:
                left_out += values
            elif len(cells) != values + 1 or cells[-1]:
                rejected += values
            else:
                rejected += sum(cell.startswith("-") for cell in cells)
                counts = [int(cell) for cell in cells if cell.isdigit()]
                plain[section[1], section[1], day] += sum(counts)
        out = parse(file, tmp_path, ACROSS)
        account = out.accounts["count_reading"]
        assert (account.read, account.rejected, account.out_of_scope) == (records, rejected, left_out), file
        assert account.staged == records - rejected - left_out
        assert account.rejected_share < 0.05
        assert daily(out) == plain, file


def test_every_cross_section_stands_at_a_listed_junction(loops: Path, real: Path, tmp_path: Path) -> None:
    junctions = real / "mobility" / "ms-lsa-standorte" / "LSA.csv"
    with StagedWriter(tmp_path, "junctions", "e" * 64, "1") as out:
        options = declared("muenster-motor-traffic", "junctions")
        count_site_table.parse(Snapshot("junctions", junctions, "e" * 64), out, region(), **options)
        assert out.close()["count_location"] == Account(read=308, staged=308)
    nodes = set(pq.ParquetFile(out.file_of("count_location")).read()["location_id"].to_pylist())
    read = parse(loops / "2015_10_24_24mq.csv", tmp_path, ACROSS)
    labels = set(pq.ParquetFile(read.file_of("count_reading")).read()["channel_label"].to_pylist())
    assert len(labels) > 600
    assert {label.split("_")[1] for label in labels} <= nodes
