"""Parking tables: three generations by one declaration, car parks by name, both passes of autumn, nothing lost."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from connectors.catalogue import load_source
from connectors.connector import Snapshot
from connectors.errors import SnapshotRefused
from connectors.formats import parking_table
from connectors.region import region
from connectors.registry import parse_options
from connectors.staging import Account, StagedWriter
from muensterland.settings import REPOSITORY

OPTIONS = parse_options(load_source(REPOSITORY / "data/sources/muenster-parking.yml").resources["readings"])
# As the publisher wrote them, a few columns of each.
FIRST = "Datum und Uhrzeit,PH Theater,PP Hörsterplatz"
SECOND = "Datum und Uhrzeit,PH Coesfelder Kreuz,PH Theater,PP Hörsterplatz"
THIRD = (
    '"Datum und Uhrzeit","PH Coesfelder Kreuz","PH Theater","PP Hörsterplatz","Busparkplatz","PP Hafenmarkt"\r\n'
    '"Anzahl Parkplätze gesamt","(1000)","(743)","(202)","(63)","(103)"'
)
Parse = Callable[..., "Parsed"]


class Parsed:
    """What became of a file."""

    def __init__(self, out: StagedWriter, rows: list[dict[str, Any]], rejected: list[dict[str, Any]]) -> None:
        self.account = out.accounts["parking_reading"]
        self.rows, self.rejected = rows, rejected

    def told(self, car_park: str) -> list[tuple[str, int | None, str | None]]:
        return [
            (f"{row['observed_local']:%H:%M}", row["free"], row["value_mark"])
            for row in self.rows
            if row["car_park"] == car_park
        ]


@pytest.fixture
def parse(tmp_path: Path) -> Parse:
    def parsed(*lines: str, end: str = "\r\n", **options: Any) -> Parsed:
        path = tmp_path / "2024-10-27.csv"
        path.write_bytes(("\r\n".join(lines) + end).encode())
        with StagedWriter(tmp_path / "staged", "town", "0" * 64, "1") as out:
            snapshot = Snapshot("town", path, "0" * 64, {"day": "2024-10-27"})
            parking_table.parse(snapshot, out, region(), **{**OPTIONS, **options})
            out.close()
        place = out.file_of("parking_reading")
        rejected = out.file_of("rejected_row")
        return Parsed(out, *(pq.ParquetFile(p).read().to_pylist() if p.exists() else [] for p in (place, rejected)))

    return parsed


def test_a_car_park_is_known_by_its_name_in_all_generations(parse: Parse) -> None:
    first = parse(FIRST, "2019-10-27 09:00,649,0")
    second = parse(SECOND, "2023-10-29 09:00,0,671,12")
    third = parse(THIRD, '"2026-08-05 09:00","ges",645,"bes","kei",98')
    for parsed, free in ((first, 649), (second, 671), (third, 645)):
        assert parsed.told("PH Theater") == [("09:00", free, None)]
    assert first.told("PP Hörsterplatz") == [("09:00", 0, None)]
    assert second.told("PH Coesfelder Kreuz") == [("09:00", 0, None)]
    # Closed, full and no signal are kept as they are told, without a number.
    assert third.told("PH Coesfelder Kreuz") == [("09:00", None, "ges")]
    assert third.told("PP Hörsterplatz") == [("09:00", None, "bes")]
    assert third.told("Busparkplatz") == [("09:00", None, "kei")]


def test_the_row_of_capacities_is_no_reading_and_stands_beside_every_one(parse: Parse) -> None:
    parsed = parse(THIRD, '"2026-08-05 09:00","ges",645,"ges","kei",98', '"2026-08-05 09:05",3,645,"ges","kei",97')
    assert parsed.account == Account(read=15, staged=10, rejected=0, out_of_scope=5)
    capacities = {row["car_park"]: row["capacity"] for row in parsed.rows}
    assert capacities == {
        "PH Coesfelder Kreuz": 1000,
        "PH Theater": 743,
        "PP Hörsterplatz": 202,
        "Busparkplatz": 63,
        "PP Hafenmarkt": 103,
    }
    assert {row["capacity"] for row in parse(FIRST, "2019-10-27 09:00,649,0").rows} == {None}


def test_a_capacity_that_cannot_be_read_costs_no_reading(parse: Parse) -> None:
    parsed = parse(FIRST, "Anzahl Parkplätze gesamt,(viele),(202)", "2026-01-01 09:00,1,2")
    assert [(row["free"], row["capacity"]) for row in parsed.rows] == [(1, None), (2, 202)]


def test_rows_of_another_day_than_the_name_says_are_of_their_own_day(parse: Parse) -> None:
    # 2019-08-19.csv holds rows of the 20th.
    parsed = parse(FIRST, "2019-08-20 15:11,397,82", "2019-08-20 15:12,400,84")
    assert [f"{row['observed_at']:%Y-%m-%d %H:%M}" for row in parsed.rows[:2]] == [
        "2019-08-20 13:11",
        "2019-08-20 13:12",
    ]


NIGHT = [f"2024-10-27 {time}" for time in ("01:45", "02:00", "02:15", "02:30", "02:45")]


def test_both_passes_of_2024_10_27_are_told_apart_by_their_order(parse: Parse) -> None:
    # 02:00 stands in lines 10 and 14 of the publisher's file.
    times = [*NIGHT, *NIGHT[1:], "2024-10-27 03:00", "2024-10-27 03:15"]
    parsed = parse(FIRST, *(f"{time},{number},0" for number, time in enumerate(times)))
    theatre = [row for row in parsed.rows if row["car_park"] == "PH Theater"]
    instants = [row["observed_at"] for row in theatre]
    assert instants[0] == datetime(2024, 10, 26, 23, 45, tzinfo=UTC)
    assert {after - before for before, after in itertools.pairwise(instants)} == {timedelta(minutes=15)}
    assert [row["free"] for row in theatre] == list(range(11))


def test_a_second_pass_that_lacks_its_first_row_is_still_the_second(parse: Parse) -> None:
    times = ["2024-10-27 02:00", "2024-10-27 02:45", "2024-10-27 02:30", "2024-10-27 02:50", "2024-10-27 03:00"]
    parsed = parse(FIRST, *(f"{time},1,0" for time in times))
    assert [f"{row['observed_at']:%H:%M}" for row in parsed.rows[:5]] == ["00:00", "00:45", "01:30", "01:50", "02:00"]


def test_spring_leaves_an_hour_out_and_a_row_in_it_is_rejected(parse: Parse) -> None:
    parsed = parse(FIRST, "2024-03-31 01:45,1,0", "2024-03-31 02:00,2,0", "2024-03-31 03:00,3,0")
    assert [f"{row['observed_at']:%H:%M}" for row in parsed.rows[:2]] == ["00:45", "01:00"]
    assert {row["reason"] for row in parsed.rejected} == {"local time does not exist"}
    assert parsed.account == Account(read=6, staged=4, rejected=2)


def test_a_minute_told_twice_is_staged_twice_at_one_moment(parse: Parse) -> None:
    # As in 2019-08-19.csv, also by night: an equal time is no second pass.
    parsed = parse(FIRST, *["2019-08-20 17:14,499,101"] * 2, *["2024-10-27 02:30,5,5"] * 2, "2024-10-27 02:35,5,5")
    assert [f"{row['observed_at']:%H:%M}" for row in parsed.rows[:5]] == ["15:14", "15:14", "00:30", "00:30", "00:35"]


@pytest.mark.parametrize(
    ("cell", "reason"),
    [
        ("-3", "negative number of free places"),
        ("12.5", "neither a whole number nor a mark that the source declares"),
        ("frei", "neither a whole number nor a mark that the source declares"),
        ("1234567", "neither a whole number nor a mark that the source declares"),
    ],
)
def test_a_cell_that_is_neither_number_nor_mark_is_rejected_alone(parse: Parse, cell: str, reason: str) -> None:
    parsed = parse(FIRST, f"2022-07-01 09:00,{cell},17")
    assert parsed.account == Account(read=2, staged=1, rejected=1)
    (row,) = parsed.rejected
    assert (row["column_name"], row["raw_text"], row["reason"]) == ("PH Theater", cell, reason)


def test_a_blank_cell_is_staged_as_missing(parse: Parse) -> None:
    assert parse(FIRST, "2022-07-01 09:00,,17").told("PH Theater") == [("09:00", None, None)]


@pytest.mark.parametrize(
    ("line", "staged", "reason"),
    [
        ("2024-11-04 08:10,350,15", 3, "the file ends within this line"),
        ("2024-11-04 08:10,3", 2, "the file ends within this line"),
        ("2024-1", 2, "the file ends within this line"),
    ],
)
def test_a_file_that_ends_within_a_line_loses_only_what_may_be_cut(
    parse: Parse, line: str, staged: int, reason: str
) -> None:
    parsed = parse(FIRST, "2024-11-04 08:05,351,158", line, end="")
    assert parsed.account == Account(read=4, staged=staged, rejected=4 - staged)
    assert {row["reason"] for row in parsed.rejected} == {reason}


def test_a_row_of_another_width_is_rejected_cell_by_cell(parse: Parse) -> None:
    parsed = parse(FIRST, "2022-07-01 09:00,1,2,3", "2022-07-01 09:05,1,2", "2022-07-01,1,2")
    assert parsed.account == Account(read=6, staged=2, rejected=4)
    assert {row["reason"] for row in parsed.rejected} == {"expected 3 fields, found 4", "unreadable time"}


@pytest.mark.parametrize(
    ("header", "words"),
    [
        ("Parkhaus,Frei,Gesamt", "expected the header 'Datum und Uhrzeit' and a column per car park, found 'Parkhaus'"),
        ("2019-08-20 15:11,397,82", "found '2019-08-20 15:11', '397', '82'"),
        ("Datum und Uhrzeit", "expected the header 'Datum und Uhrzeit' and a column per car park"),
        ("Datum und Uhrzeit;PH Theater", "found 'Datum und Uhrzeit;PH Theater'"),
        ("Datum und Uhrzeit,PH Theater,", "column 3 is called ''"),
        ("Datum und Uhrzeit,PH Theater,PH Theater", "column 'PH Theater' stands there twice"),
    ],
)
def test_a_layout_never_seen_is_refused_and_says_what_to_declare(parse: Parse, header: str, words: str) -> None:
    with pytest.raises(SnapshotRefused) as refusal:
        parse(header, "2022-07-01 09:00,1,2")
    assert words in str(refusal.value)
    assert "town: 2024-10-27.csv" in str(refusal.value)
    assert "twice" in words or "declare its time_column, delimiter and marks" in str(refusal.value)


def test_another_citys_table_is_a_few_lines_of_yaml(parse: Parse) -> None:
    parsed = parse(
        "Zeit;Tiefgarage Markt", "05.08.2026 09:30;zu", "05.08.2026 09:35;14",
        time_column="Zeit", time_format="%d.%m.%Y %H:%M", delimiter=";", marks=("zu",),
    )  # fmt: skip
    assert parsed.told("Tiefgarage Markt") == [("09:30", None, "zu"), ("09:35", 14, None)]
