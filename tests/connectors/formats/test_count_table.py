"""Tables of counts in declared layouts: the smallest twin of every real file's quirks, by layout."""

from __future__ import annotations

import csv
import io
import zipfile
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import openpyxl
import pyarrow.parquet as pq
import pytest

from connectors.catalogue import CatalogueError
from connectors.connector import Snapshot
from connectors.errors import SnapshotRefused
from connectors.formats import count_layout, count_table
from connectors.region import BoundingBox, Region
from connectors.staging import Account, StagedWriter

REGION = Region(
    area_id="test",
    name_de="Test",
    name_en="Test",
    municipalities=0,
    bounding_box=BoundingBox(west=7.0, south=51.0, east=8.0, north=52.0),
    kreise=(),
    centres={},
)
HEADER = "Datetime,100 (Markt),101 (FR stdteinwärts),102 (FR stadtauswärts),100-status,101-status,102-status"
NEUTOR = {
    "layout": "hourly_us_dates",
    "site": {"fixed": "100"},
    "channels": {
        "columns": [
            {"column": ["Zählung Neutor", "Neutor (gesamt)"], "id": "100", "role": "sum"},
            {"column": "FR stadteinwärts", "id": "101", "direction": "in"},
            {"column": "FR stadtauswärts", "id": "102", "direction": "out"},
        ]
    },
}
SHEET = "Stunden,Zählung Neutor,FR stadteinwärts,FR stadtauswärts,Temperatur (°C),Windstärke (km/h)"
LOOPS = {"layout": "day_hours_across"}
HOURS = [f"{hour}:00" for hour in range(24)]


class Parsed:
    """What a file became: rows by table, rejections, drift, accounts."""

    def __init__(self, out: StagedWriter) -> None:
        self._out = out
        self.accounts = out.accounts
        self.drift = out.drifted

    def rows(self, table: str) -> list[dict[str, Any]]:
        file = self._out.file_of(table)
        return pq.ParquetFile(file).read().to_pylist() if file.exists() else []

    def channel(self, channel_id: str) -> list[dict[str, Any]]:
        return [row for row in self.rows("count_reading") if row["channel_id"] == channel_id]

    @property
    def left_out(self) -> dict[str, int]:
        return {
            row["reason"]: row["records"] for row in self.rows("record_account") if row["outcome"] == "out_of_scope"
        }

    @property
    def rejected(self) -> list[tuple[int, str, str, str]]:
        return sorted(
            (row["record_number"], row["column_name"], row["raw_text"], row["reason"])
            for row in self.rows("rejected_row")
        )


def read(path: Path, tmp_path: Path, **options: Any) -> Parsed:
    snapshot = Snapshot("counters", path, "b" * 64, {"station": "100", "month": "2024-10"})
    with StagedWriter(tmp_path / "staged", "counters", "b" * 64, "1") as out:
        count_table.parse(snapshot, out, REGION, **count_layout.read_options(options))
        out.close()
    return Parsed(out)


def parse(tmp_path: Path, lines: list[str] | bytes, **options: Any) -> Parsed:
    path = tmp_path / "2024-10.csv"
    path.write_bytes(lines if isinstance(lines, bytes) else "".join(f"{line}\r\n" for line in lines).encode())
    return read(path, tmp_path, **({"layout": "eco_counter_monthly"} | options))


def across(tmp_path: Path, day: str, *rows: str) -> Parsed:
    lines = [f"Name  /  Date: {day};{';'.join(HOURS)}", *rows]
    return parse(tmp_path, "".join(f"{line}\n" for line in lines).encode(), **LOOPS)


def moments(rows: list[dict[str, Any]]) -> list[tuple[str, str, int | None, str | None]]:
    """Local time, instant, count and clock change."""
    return [
        (
            f"{row['interval_start_local']:%H:%M}",
            f"{row['interval_start_at']:%d %H:%M}",
            row["count"],
            row["clock_change"],
        )
        for row in rows
    ]


# -- the monthly CSV of quarter hours --------------------------------------------------------------------------------


def test_a_record_is_a_value_cell_with_the_status_of_its_channel(tmp_path: Path) -> None:
    parsed = parse(tmp_path, [HEADER, "2024-10-01 00:00,27,11,16,0,,4", "2024-10-01 00:15,,0,,,modified,"])
    assert parsed.accounts["count_reading"] == Account(read=6, staged=6)
    cells = {row["record_number"]: row for row in parsed.rows("count_reading")}
    assert [cells[number]["count"] for number in range(1, 7)] == [27, 11, 16, None, 0, None]
    assert [cells[number]["channel_id"] for number in range(1, 7)] == ["100", "101", "102", "100", "101", "102"]
    assert [cells[number]["raw_status"] for number in range(1, 7)] == ["0", None, "4", None, "modified", None]
    first = cells[1]
    assert (first["site_id"], first["channel_label"], first["interval_minutes"]) == ("100", "Markt", 15)
    assert first["interval_start_local"].isoformat() == "2024-10-01T00:00:00"
    assert first["interval_start_at"] == datetime(2024, 9, 30, 22, 0, tzinfo=UTC)
    assert first["clock_change"] is None
    assert parsed.drift == []


@pytest.mark.parametrize(
    ("column", "role", "direction", "mode"),
    [
        ("100 (Neutor IN)", "sum", "both", "bicycle"),
        ("101 (FR stdteinwärts)", "part", "in", "bicycle"),
        ("101 (Gartenstraße einwärts)", "part", "in", "bicycle"),
        ("101 (Gartenstraße auswärts)", "part", "out", "bicycle"),
        ("101 (Goldstraße [Bike Stadteinwärts])", "part", "in", "bicycle"),
        ("101 (Channel 2 OUT)", "part", "out", "bicycle"),
        ("101 (Bohlweg [Car IN])", "part", "in", "car"),
        ("101 (Ring PKW stadtauswärts)", "part", "out", "car"),
        ("101 (Hals (west) Fußgänger OUT)", "part", "out", "pedestrian"),
        ("101 (Carl-Straße in Münster)", "part", "unknown", "bicycle"),
        ('"101 (Kanal, Abschnitt 6 Richtung Münster)"', "part", "unknown", "bicycle"),
    ],
)
def test_role_direction_and_mode_of_a_channel(
    tmp_path: Path, column: str, role: str, direction: str, mode: str
) -> None:
    parsed = parse(tmp_path, [f"Datetime,{column},{column[:6].strip(chr(34))[:3]}-status", "2024-10-01 00:00,1,0"])
    (row,) = parsed.rows("count_reading")
    assert (row["channel_role"], row["direction"], row["mode"]) == (role, direction, mode)
    assert parsed.drift == []


def test_spring_has_no_two_o_clock(tmp_path: Path) -> None:
    parsed = parse(
        tmp_path,
        [
            "Datetime,100 (Markt),100-status",
            "2024-03-31 01:45,1,0",
            "2024-03-31 02:00,2,0",
            "2024-03-31 02:45,3,0",
            "2024-03-31 03:00,4,0",
        ],
    )
    assert [row["interval_start_at"].hour for row in parsed.rows("count_reading")] == [0, 1]
    assert [row["clock_change"] for row in parsed.rows("count_reading")] == [None, None]
    reason = "local time does not exist in Europe/Berlin"
    assert parsed.rejected == [
        (2, "100 (Markt)", "2024-03-31 02:00,2", reason),
        (3, "100 (Markt)", "2024-03-31 02:45,3", reason),
    ]


def test_autumn_readings_of_an_hour_that_is_not_repeated_hold_both_passes(tmp_path: Path) -> None:
    times = ["01:45", "02:00", "02:15", "02:30", "02:45", "03:00"]
    parsed = parse(tmp_path, [HEADER, *(f"2024-10-27 {time},9,4,5,0,0,0" for time in times)])
    for channel in ("100", "101", "102"):
        rows = parsed.channel(channel)
        assert [row["clock_change"] for row in rows] == [None, "merged", "merged", "merged", "merged", None]
        assert [f"{row['interval_start_at']:%H:%M}" for row in rows] == [
            "23:45",
            "00:00",
            "00:15",
            "00:30",
            "00:45",
            "02:00",
        ]


def test_autumn_hour_spelt_twice_has_two_passes_and_no_third(tmp_path: Path) -> None:
    times = ["02:00", "02:15", "02:30", "02:00", "02:15", "02:00", "03:00"]
    rows = [f"2024-10-27 {time},{number},0" for number, time in enumerate(times, start=1)]
    parsed = parse(tmp_path, ["Datetime,100 (Markt),100-status", *rows])
    staged = [(row["count"], f"{row['interval_start_at']:%H:%M}", row["clock_change"]) for row in parsed.channel("100")]
    assert staged == [
        (1, "00:00", None),
        (2, "00:15", None),
        (3, "00:30", None),  # its second pass is absent, but this file merges nothing
        (4, "01:00", None),
        (5, "01:15", None),
        (7, "02:00", None),
    ]
    assert parsed.rejected == [(6, "100 (Markt)", "2024-10-27 02:00,6", "repeated interval")]


def test_clock_changes_follow_the_time_zone(tmp_path: Path) -> None:
    lines = ["Datetime,100 (Markt)", "2024-10-27 01:30,1", "2024-10-27 02:30,2", "2024-11-03 01:30,3"]
    london = parse(tmp_path, lines, time_zone="Europe/London", interval_minutes=60)
    assert [row["clock_change"] for row in london.rows("count_reading")] == ["merged", None, None]
    assert [row["interval_minutes"] for row in london.rows("count_reading")] == [60, 60, 60]
    new_york = parse(tmp_path, lines, time_zone="America/New_York")
    assert [row["clock_change"] for row in new_york.rows("count_reading")] == [None, None, "merged"]


def test_unreadable_cells_are_rejected_one_by_one_and_rows_without_time_whole(tmp_path: Path) -> None:
    parsed = parse(
        tmp_path,
        [
            HEADER,
            "2024-10-01 00:00,-1,1.5,n/a,0,0,0",
            "01.10.2024 00:15,1,2,3,0,0,0",
            "2024-10-01 00:30,1,2,3,0,0",
            "2024-10-32 00:45,1,,3,0,0,0",
            "",
            "2024-10-01 00:45,5,2,3,0,0,0",
            "2024-10-01 00:45,7,3,4,0,0,0",
        ],
    )
    assert parsed.accounts["count_reading"] == Account(read=18, staged=3, rejected=15)
    assert {row["record_number"]: row["count"] for row in parsed.rows("count_reading")} == {13: 5, 14: 2, 15: 3}
    width = "expected 7 fields, found 6"
    assert parsed.rejected == [
        (1, "100 (Markt)", "-1", "negative count"),
        (2, "101 (FR stdteinwärts)", "1.5", "not a whole number"),
        (3, "102 (FR stadtauswärts)", "n/a", "not a whole number"),
        (4, "100 (Markt)", "01.10.2024 00:15,1", "unreadable timestamp"),
        (5, "101 (FR stdteinwärts)", "01.10.2024 00:15,2", "unreadable timestamp"),
        (6, "102 (FR stadtauswärts)", "01.10.2024 00:15,3", "unreadable timestamp"),
        (7, "100 (Markt)", "2024-10-01 00:30,1,2,3,0,0", width),
        (8, "101 (FR stdteinwärts)", "2024-10-01 00:30,1,2,3,0,0", width),
        (9, "102 (FR stadtauswärts)", "2024-10-01 00:30,1,2,3,0,0", width),
        (10, "100 (Markt)", "2024-10-32 00:45,1", "unreadable timestamp"),
        (11, "101 (FR stdteinwärts)", "2024-10-32 00:45,", "unreadable timestamp"),
        (12, "102 (FR stadtauswärts)", "2024-10-32 00:45,3", "unreadable timestamp"),
        (16, "100 (Markt)", "2024-10-01 00:45,7", "repeated interval"),
        (17, "101 (FR stdteinwärts)", "2024-10-01 00:45,3", "repeated interval"),
        (18, "102 (FR stadtauswärts)", "2024-10-01 00:45,4", "repeated interval"),
    ]


@pytest.mark.parametrize(
    "stamp", ["0001-01-01 00:00", "9999-12-31 23:45", "2024-10-01", "2024-10-01 00:00:00+02:00", ""]
)
def test_a_time_out_of_this_world_is_rejected(tmp_path: Path, stamp: str) -> None:
    parsed = parse(tmp_path, ["Datetime,100 (Markt)", f"{stamp},1"])
    assert [reason for *_, reason in parsed.rejected] == ["unreadable timestamp"]


def test_rows_of_another_month_are_staged(tmp_path: Path) -> None:
    parsed = parse(tmp_path, ["Datetime,100 (Markt),100-status", "2024-11-01 00:00,1,0"])
    assert [row["count"] for row in parsed.rows("count_reading")] == [1]


def test_columns_may_drift(tmp_path: Path) -> None:
    parsed = parse(
        tmp_path, ["Datetime,100 (Markt),Wetter,101 (IN),100-status,999-status", "2024-10-01 00:00,3,Regen,2,0,0"]
    )
    assert parsed.accounts["count_reading"] == Account(read=2, staged=2)
    assert parsed.drift == [
        ("count_reading", "101-status", "missing"),
        ("count_reading", "999-status", "new"),
        ("count_reading", "Wetter", "new"),
    ]
    assert [(row["count"], row["raw_status"]) for row in parsed.rows("count_reading")] == [(3, "0"), (2, None)]


def test_a_file_without_the_stations_own_channel_is_drift(tmp_path: Path) -> None:
    parsed = parse(tmp_path, ["Datetime,7 (Markt),8 (IN),7-status,8-status", "2024-10-01 00:00,3,2,0,0"])
    assert parsed.drift == [("count_reading", "100", "missing")]
    # A single channel is its own sum.
    assert parse(tmp_path, ["Datetime,8 (IN),8-status", "2024-10-01 00:00,2,0"]).drift == []


@pytest.mark.parametrize("end", [b"", b"\r\n"])
def test_a_header_alone_is_no_records(tmp_path: Path, end: bytes) -> None:
    assert parse(tmp_path, HEADER.encode() + end).accounts["count_reading"] == Account()


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "expected the column of time 'Datetime'"),
        (b"Date,100 (Markt)\n2024-10-01,1\n", "expected the column of time 'Datetime'"),
        (b"<html>404</html>", "expected the column of time 'Datetime'"),
        (b"Datetime,Wetter\n2024-10-01 00:00,1\n", "expected one column like"),
        (b"Datetime,100 (A),100 (A)\n2024-10-01 00:00,1,1\n", "stands there twice"),
        (b"Datetime,100 (A),100 (B)\n2024-10-01 00:00,1,1\n", "expected one column like"),
        ("Datetime,100 (Straße)\n".encode("latin-1"), "expected utf-8"),
        ("Datetime,100 (StraÃŸe)\n".encode(), "broken encoding"),
        (b'Datetime,100 (A)\n2024-10-01 00:00,"1\n2024-10-01 00:15,1\n', "expected CSV"),
    ],
)
def test_a_file_of_another_layout_is_refused(tmp_path: Path, content: bytes, said: str) -> None:
    with pytest.raises(SnapshotRefused, match=said):
        parse(tmp_path, content)


def test_labels_drift_and_ids_are_stable(tmp_path: Path) -> None:
    before = parse(tmp_path, ["Datetime,100 (Markt),101 (FR stdteinwärts)", "2025-07-01 00:00,9,4"])
    after = parse(tmp_path, ["Datetime,100 (Markt),101 (FR stadteinwärts)", "2025-08-01 00:00,9,4"])
    told = [
        [(row["channel_id"], row["direction"], row["count"]) for row in parsed.rows("count_reading")]
        for parsed in (before, after)
    ]
    assert told[0] == told[1] == [("100", "both", 9), ("101", "in", 4)]


def test_a_swapped_direction_is_staged_as_the_file_labels_it(tmp_path: Path) -> None:
    before = parse(tmp_path, ["Datetime,100 (Allee),101 (Allee Fahrräder IN)", "2024-09-01 00:00,9,4"])
    assert [row["direction"] for row in before.channel("101")] == ["in"]
    after = parse(tmp_path, ["Datetime,100 (Allee),101 (Allee Fahrräder OUT)", "2024-10-01 00:00,9,4"])
    assert [row["direction"] for row in after.channel("101")] == ["out"]


def test_the_number_of_columns_drifts_from_month_to_month(tmp_path: Path) -> None:
    ids = [100, *range(201, 218)]
    names = [f"{number} (Bohlweg [{'Car' if number > 209 else 'Bike'} IN])" for number in ids]
    header = ",".join(["Datetime", *names, *(f"{number}-status" for number in ids)])
    assert header.count(",") == 36
    parsed = parse(tmp_path, [header, ",".join(["2024-10-01 00:00", *map(str, ids), *["0"] * len(ids)])])
    assert parsed.accounts["count_reading"] == Account(read=18, staged=18)
    assert [row["count"] for row in parsed.rows("count_reading")] == ids
    assert Counter(row["mode"] for row in parsed.rows("count_reading")) == {"bicycle": 10, "car": 8}
    assert parsed.drift == []


def test_the_first_channel_is_the_sum_of_the_others_and_has_a_role_of_its_own(tmp_path: Path) -> None:
    parsed = parse(tmp_path, [HEADER, "2024-10-01 00:00,27,11,16,0,0,0"])
    roles = {row["channel_id"]: (row["channel_role"], row["count"]) for row in parsed.rows("count_reading")}
    assert roles == {"100": ("sum", 27), "101": ("part", 11), "102": ("part", 16)}


def test_a_ghost_channel_is_staged_as_missing_not_as_zero(tmp_path: Path) -> None:
    parsed = parse(
        tmp_path, ["Datetime,100 (Markt),103 (Markt [Car IN])", "2024-10-01 00:00,27,", "2024-10-01 00:15,0,"]
    )
    assert [(row["channel_id"], row["count"]) for row in parsed.rows("count_reading")] == [
        *(("100", 27), ("100", 0)),
        *(("103", None), ("103", None)),
    ]


def test_a_last_day_that_is_cut_and_an_outage_are_absent_rows(tmp_path: Path) -> None:
    times = ["2025-06-29 23:45", "2025-06-30 00:00", "2025-06-30 00:15", "2025-06-30 00:30", "2025-06-30 00:45"]
    parsed = parse(tmp_path, ["Datetime,100 (Markt)", *(f"{time},1" for time in times)])
    assert [f"{row['interval_start_local']:%Y-%m-%d %H:%M}" for row in parsed.rows("count_reading")] == times


def test_a_line_that_the_file_ends_within_is_rejected(tmp_path: Path) -> None:
    parsed = parse(tmp_path, b"Datetime,100 (Markt)\n2024-10-01 00:00,12\n2024-10-01 00:15,1")
    assert [row["count"] for row in parsed.rows("count_reading")] == [12]
    assert [reason for *_, reason in parsed.rejected] == ["the file ends within this line"]


def test_values_that_a_sensor_doubts_keep_its_status(tmp_path: Path) -> None:
    parsed = parse(tmp_path, ["Datetime,100 (Markt),100-status", "2024-09-01 00:00,7,4", "2024-09-01 00:15,0,modified"])
    assert [(row["count"], row["raw_status"]) for row in parsed.rows("count_reading")] == [(7, "4"), (0, "modified")]


def test_quoted_cells_and_line_ends_of_any_kind_are_read_alike(tmp_path: Path) -> None:
    plain = ["Datetime,100 (Markt)", "2024-10-01 00:00,1", "2024-10-01 00:15,2"]
    expected = parse(tmp_path, plain).rows("count_reading")
    quoted = [plain[0], *('"{}","{}"'.format(*line.split(",")) for line in plain[1:])]
    for content in ("\n".join(plain), "\r".join(plain), "\r\n".join(quoted), "\n\n".join(plain)):
        parsed = parse(tmp_path, f"{content}\n".encode())
        assert parsed.rows("count_reading") == expected
        assert parsed.accounts["count_reading"] == Account(read=2, staged=2)


@pytest.mark.parametrize("cell", ["0x10", "+5", "1e3", "12345678901234567890", "1.000", "٣"])
def test_what_only_looks_like_a_count_is_rejected_as_it_stands(tmp_path: Path, cell: str) -> None:
    parsed = parse(tmp_path, ["Datetime,100 (Markt)", f"2024-10-01 00:00,{cell}", "2024-10-01 00:15,007"])
    assert parsed.rejected == [(1, "100 (Markt)", cell, "not a whole number")]
    assert [row["count"] for row in parsed.rows("count_reading")] == [7]


# -- hours with US dates and a footer --------------------------------------------------------------------------------


@pytest.mark.parametrize("double", ["3/29/2015 3:00,,,,,", "3/29/2015 3:00,0,0,0,,"])
@pytest.mark.parametrize("comes_first", [True, False])
def test_spring_2015_and_2016_a_blank_or_zero_second_row_of_three_stands_for_two(
    tmp_path: Path, double: str, comes_first: bool
) -> None:
    pair = [double, "3/29/2015 3:00,96,23,73,11,28"]
    rows = ["3/29/2015 1:00,154,68,86,12,26", *(pair if comes_first else pair[::-1]), "3/29/2015 4:00,83,20,63,11,30"]
    parsed = parse(tmp_path, [SHEET, *rows], **NEUTOR)
    assert parsed.accounts["count_reading"] == Account(read=12, staged=9, out_of_scope=3)
    assert moments(parsed.channel("100")) == [
        ("01:00", "29 00:00", 154, None),
        ("03:00", "29 01:00", 96, None),
        ("04:00", "29 02:00", 83, None),
    ]
    assert parsed.left_out == {"hour that spring leaves out": 3}
    assert parsed.drift == []


def test_two_rows_of_three_in_spring_that_both_count_are_not_guessed_over(tmp_path: Path) -> None:
    parsed = parse(tmp_path, [SHEET, "3/29/2015 3:00,5,2,3,11,28", "3/29/2015 3:00,96,23,73,11,28"], **NEUTOR)
    assert parsed.rows("count_reading") == []
    assert {reason for *_, reason in parsed.rejected} == {
        "the hour that spring leaves out is there twice, both times with counts"
    }


def test_a_lone_blank_row_of_three_in_spring_is_not_guessed_over(tmp_path: Path) -> None:
    parsed = parse(tmp_path, [SHEET, "3/27/2016 3:00,0,0,0,,"], **NEUTOR)
    assert len(parsed.rejected) == 3
    lone = parse(tmp_path, [SHEET, "3/27/2016 3:00,73,34,39,9,9"], **NEUTOR)
    assert [row["count"] for row in lone.channel("100")] == [73]


def test_autumn_2015_and_2016_the_row_of_two_holds_both_passes(tmp_path: Path) -> None:
    rows = ["10/25/2015 1:00,232,88,144,9,6", "10/25/2015 2:00,338,95,243,10,6", "10/25/2015 3:00,89,13,76,10,6"]
    parsed = parse(tmp_path, [SHEET, *rows], **NEUTOR)
    assert moments(parsed.channel("100")) == [
        ("01:00", "24 23:00", 232, None),
        ("02:00", "25 00:00", 338, "merged"),
        ("03:00", "25 02:00", 89, None),
    ]


def test_the_footer_blank_rows_and_a_missing_direction(tmp_path: Path) -> None:
    rows = ["7/24/2015 0:00,179,,179,12,2", ",,,,,", "Insgesamt,4041517,,,,"]
    parsed = parse(tmp_path, [SHEET, *rows], **NEUTOR)
    assert [row["count"] for row in parsed.rows("count_reading")] == [179, None, 179]
    assert parsed.left_out == {"blank row": 3, "total of the file": 3}
    assert parsed.accounts["count_reading"] == Account(read=9, staged=3, out_of_scope=6)


def test_an_outage_told_in_words_is_a_mark_and_any_other_word_is_rejected(tmp_path: Path) -> None:
    header = "Stunden,Neutor (gesamt),FR stadteinwärts,FR stadtauswärts,Temperatur (°C),Windstärke (km/h),Wetter"
    rows = ["12/31/2016 22:00,technische Störung,,,,,", "12/31/2016 23:00,defekt,,,,,"]
    parsed = parse(tmp_path, [header, *rows], **NEUTOR)
    assert [(row["count"], row["value_mark"]) for row in parsed.channel("100")] == [(None, "technische Störung")]
    assert parsed.rejected == [(4, "Neutor (gesamt)", "defekt", "not a whole number")]
    assert parsed.drift == []


def test_the_workbook_and_its_csv_twin_say_the_same(tmp_path: Path) -> None:
    lines = [
        SHEET,
        "3/29/2015 1:00,154,68,86,12,26",
        "3/29/2015 3:00,,,,,",
        "3/29/2015 3:00,96,23,73,11,28",
        "10/25/2015 2:00,338,95,243,10,6",
        "12/31/2015 22:00,technische Störung,,,,",
        "Insgesamt,4041517,,,,",
    ]
    twin = parse(tmp_path, lines, **NEUTOR)
    for preamble in (0, 3):
        book = tmp_path / "hours.xlsx"
        book.write_bytes(workbook(lines, preamble))
        parsed = read(book, tmp_path, **{**NEUTOR, "layout": "hourly_workbook"})
        assert parsed.rows("count_reading") == twin.rows("count_reading")
        assert parsed.accounts == twin.accounts


def test_a_workbook_inside_a_zip(tmp_path: Path) -> None:
    lines = [SHEET, "10/25/2015 2:00,338,95,243,10,6"]
    place = tmp_path / "hours.zip"
    with zipfile.ZipFile(place, "w") as archive:
        archive.writestr("Zählungen/neutor.xlsx", workbook(lines, 2))
        archive.writestr("Zählungen/readme.txt", b"?")
    options = {**NEUTOR, "layout": "hourly_workbook", "zip_member": r".*\.xlsx"}
    assert count_layout.payload(options) == "zip"
    assert [row["count"] for row in read(place, tmp_path, **options).rows("count_reading")] == [338, 95, 243]
    with pytest.raises(
        SnapshotRefused, match=r"expected one member that fits zip_member .* found 'neutor\.xlsx', 'readme\.txt'"
    ):
        read(place, tmp_path, **{**options, "zip_member": r".*\.ods"})


def workbook(lines: list[str], preamble: int) -> bytes:
    book = openpyxl.Workbook()
    for number in range(preamble):
        book.active.append([f"Auswertung {number}", None])
    for row in csv.reader(lines):
        book.active.append([_typed(cell) for cell in row])
    packed = io.BytesIO()
    book.save(packed)
    return packed.getvalue()


def _typed(cell: str) -> Any:
    if "/" in cell and ":" in cell:
        return datetime.strptime(cell, "%m/%d/%Y %H:%M")  # noqa: DTZ007  local time without offset
    return int(cell) if cell.isdigit() else cell or None


# -- days with a date and a time column ------------------------------------------------------------------------------


def test_daily_rows_with_a_time_column_that_has_no_name(tmp_path: Path) -> None:
    columns = [
        {"column": "Gartenstraße stadteinwärts", "id": "201", "direction": "in"},
        {"column": "Promenade", "id": "202", "role": "sum"},
    ]
    options = {"layout": "daily_dmy", "site": {"fixed": "200"}, "channels": {"columns": columns}}
    lines = ["Datum,,Gartenstraße  stadteinwärts,Promenade", "13/07/2016,00:00,,2687", "30/10/2016,00:00,7,7500"]
    parsed = parse(tmp_path, lines, **options)
    assert [(row["channel_id"], row["count"], row["interval_minutes"]) for row in parsed.rows("count_reading")] == [
        *(("201", None, 1440), ("201", 7, 1440)),
        *(("202", 2687, 1440), ("202", 7500, 1440)),
    ]
    assert [f"{row['interval_start_at']:%d %H:%M}" for row in parsed.channel("202")] == ["12 22:00", "29 22:00"]
    assert parsed.drift == []


def test_columns_whose_names_stand_there_twice_are_declared_by_their_places(tmp_path: Path) -> None:
    channels = {"mode": "bicycle", "columns": [{"column": 3, "id": "1"}, {"column": 4, "id": "2"}]}
    options = {
        "layout": None,
        "delimiter": "\t",
        "time": {"date": {"column": 1, "format": "DD/MM/YYYY"}, "clock": {"column": 2, "format": "HH:mm"}},
        "interval_minutes": 60,
        "site": {"fixed": "9"},
        "channels": channels,
    }
    parsed = parse(tmp_path, ["Datum\t\tHammer Straße\tHammer Straße", "01/06/2013\t05:00\t3\t4"], **options)
    assert [(row["channel_id"], row["count"]) for row in parsed.rows("count_reading")] == [("1", 3), ("2", 4)]


# -- days of loop counts, hours as columns ---------------------------------------------------------------------------


def test_a_day_of_cross_sections(tmp_path: Path) -> None:
    counts = ";".join(str(hour) for hour in range(24))
    parsed = across(
        tmp_path,
        "2015_10_24",
        f"MQ_03290_FV12_GR (MQ0);{counts};",
        f"MQ_01090_15_DRad1 (MQ368);{counts};",
        f"LSA 3290 Schleifen (MQ1012);{counts};",
        f"Alle Motion Det Weselerstr. (MQ1011);{counts};",
        f"---Test (MQ1032);{counts};",
    )
    assert parsed.accounts["count_reading"] == Account(read=120, staged=48, out_of_scope=72)
    assert parsed.left_out == {
        "all loops of a junction together": 24,
        "all detectors of a road together": 24,
        "test row": 24,
    }
    rows = parsed.channel("MQ0")
    assert [(row["count"], row["interval_start_local"].hour) for row in rows] == [(hour, hour) for hour in range(24)]
    assert {
        (row["site_id"], row["channel_label"], row["channel_role"], row["mode"], row["direction"]) for row in rows
    } == {("MQ0", "MQ_03290_FV12_GR", "sum", "car", "both")}
    assert {row["mode"] for row in parsed.channel("MQ368")} == {"bicycle"}
    assert [row["record_number"] for row in rows] == list(range(1, 25))
    assert parsed.drift == []


def test_spring_2015_has_23_values_under_24_hours_which_move_up(tmp_path: Path) -> None:
    counts = ";".join(str(number) for number in range(23))
    parsed = across(tmp_path, "2015_03_29", f"MQ_03290_FV1_G (MQ1);{counts};", f"MQ_03290_FV1_R (MQ2);{counts};99;")
    told = moments(parsed.channel("MQ1"))
    assert told[:4] == [
        ("00:00", "28 23:00", 0, None),
        ("01:00", "29 00:00", 1, None),
        ("03:00", "29 01:00", 2, None),
        ("04:00", "29 02:00", 3, None),
    ]
    assert told[-1] == ("23:00", "29 21:00", 22, None)
    # 24 values on a day of 23 hours: no rule says which of them is one too many.
    assert {reason for *_, reason in parsed.rejected} == {"expected 25 fields, found 26"}
    assert parsed.accounts["count_reading"] == Account(read=46, staged=23, rejected=23)


def test_autumn_2015_and_2016_have_24_values_and_the_third_holds_both_passes(tmp_path: Path) -> None:
    counts = ["107", "240", "-32", "3", *["12"] * 20]
    blank = ["172", "160", "", "101", *["7"] * 20]
    parsed = across(
        tmp_path,
        "2015_10_25",
        f"MQ_03290_FV1_G (MQ1);{';'.join(counts)};",
        f"MQ_03290_FV1_R (MQ2);{';'.join(blank)};",
    )
    assert parsed.rejected == [(3, "2:00", "-32", "negative count")]
    told = moments(parsed.channel("MQ2"))
    assert told[1:4] == [
        ("01:00", "24 23:00", 160, None),
        ("02:00", "25 00:00", None, "merged"),
        ("03:00", "25 02:00", 101, None),
    ]
    assert len(told) == 24
    assert [row["count"] for row in parsed.channel("MQ1")][:3] == [107, 240, 3]


def test_autumn_with_25_values_where_a_layout_repeats_the_hour(tmp_path: Path) -> None:
    content = f"Name  /  Date: 2015_10_25;{';'.join(HOURS)}\nA (MQ1);{';'.join(map(str, range(25)))};\n".encode()
    rules = {"spring": "shifted", "autumn": "repeated"}
    told = moments(parse(tmp_path, content, **LOOPS, clock_change=rules).channel("MQ1"))
    assert told[2:5] == [("02:00", "25 00:00", 2, None), ("02:00", "25 01:00", 3, None), ("03:00", "25 02:00", 4, None)]
    assert len(told) == 25


def test_spring_with_24_values_where_a_layout_leaves_the_hour_blank(tmp_path: Path) -> None:
    rules = {"spring": "absent", "autumn": "merged"}
    cells = [*"01", "", *map(str, range(3, 24))]
    rows = [f"A (MQ1);{';'.join(cells)};", f"B (MQ2);{';'.join(['0', '1', '2', *cells[3:]])};"]
    content = "\n".join([f"Name  /  Date: 2015_03_29;{';'.join(HOURS)}", *rows, ""]).encode()
    parsed = parse(tmp_path, content, **LOOPS, clock_change=rules)
    assert moments(parsed.channel("MQ1"))[1:3] == [("01:00", "29 00:00", 1, None), ("03:00", "29 01:00", 3, None)]
    assert parsed.left_out == {"hour that spring leaves out": 1}
    assert [(column, reason) for _, column, _, reason in parsed.rejected] == [
        ("2:00", "local time does not exist in Europe/Berlin")
    ]


def test_rows_cut_short_rows_twice_and_rows_of_another_kind_are_rejected(tmp_path: Path) -> None:
    counts = ";".join(["1"] * 24)
    parsed = across(
        tmp_path,
        "2016_03_01",
        f"MQ_1_G (MQ1);{counts};",
        "MQ_2_G (MQ2);32;15;10;11;10;",
        "LSA 3290 Schleifen (MQ1012);533;293;",
        f"MQ_1_G (MQ1);{counts};",
        f"Zählstelle 7;{counts};",
        f"MQ_3_G (MQ3);{counts};5",
    )
    assert {row["channel_id"] for row in parsed.rows("count_reading")} == {"MQ1"}
    assert parsed.accounts["count_reading"] == Account(read=144, staged=24, rejected=96, out_of_scope=24)
    assert Counter(reason for *_, reason in parsed.rejected) == {
        "expected 26 fields, found 7": 24,
        "repeated interval": 24,
        "no channel": 24,
        "expected a row that ends with ';', found '5' there": 24,
    }


def test_rows_of_days_with_hours_as_columns(tmp_path: Path) -> None:
    options = {
        "layout": None,
        "delimiter": ";",
        "time": {
            "date": {"column": "Tag", "format": "DD.MM.YYYY"},
            "clock": {"column_names": True, "format": "HH:mm"},
        },
        "clock_change": {"spring": "shifted", "autumn": "merged"},
        "interval_minutes": 60,
        "site": {"channel": True},
        "channels": {"mode": "car", "rows": {"column": "Stelle", "sum": "every"}},
    }
    header = f"Stelle;Tag;{';'.join(f'{hour:02}:00' for hour in range(24))}"
    rows = [
        f"7;28.03.2015;{';'.join(['1'] * 24)}",
        f"7;29.03.2015;{';'.join(map(str, range(23)))};",
        f"8;29.03.2015;{';'.join(['1'] * 24)}",
    ]
    parsed = parse(tmp_path, [header, *rows], **options)
    spring = [row for row in parsed.channel("7") if row["interval_start_local"].day == 29]
    assert moments(spring)[1:3] == [("01:00", "29 00:00", 1, None), ("03:00", "29 01:00", 2, None)]
    assert [row["count"] for row in spring] == list(range(23))
    assert {reason for *_, reason in parsed.rejected} == {"expected 23 values on this day"}
    assert parsed.accounts["count_reading"] == Account(read=72, staged=47, rejected=24, out_of_scope=1)


# -- long tables -----------------------------------------------------------------------------------------------------

LONG: dict[str, Any] = {
    "layout": None,
    "time": {"moment": {"column": "Ende", "format": "DD.MM.YYYY HH:mm"}, "says": "end"},
    "clock_change": {"spring": "absent", "autumn": "repeated"},
    "interval_minutes": 60,
    "thousands": ".",
    "site": {"column": "Ort", "prefix": "bo-"},
    "channels": {
        "mode": "car",
        "directions": {"in": "^ein$", "out": "^aus$"},
        "rows": {"column": "Richtung", "value": "Anzahl", "status": "Güte"},
    },
}


def test_a_row_per_channel_and_hour_with_times_that_end_the_interval(tmp_path: Path) -> None:
    lines = [
        "Ort,Richtung,Ende,Anzahl,Güte",
        "3,ein,26.10.2024 24:00,1.234,ok",
        "3,aus,27.10.2024 00:00,5,ok",
        "3,ein,27.10.2024 03:00,7,ok",
        "3,ein,27.10.2024 03:00,8,geschätzt",
        "3,aus,27.10.2024 03:00,9,ok",
        "3,ein,27.10.2024 04:00,10,ok",
        "3,ein,27.10.2024 04:00,10,ok",
        ",ein,27.10.2024 05:00,10,ok",
    ]
    parsed = parse(tmp_path, lines, **LONG)
    staged = [
        (row["site_id"], row["direction"], row["count"], row["raw_status"]) for row in parsed.rows("count_reading")
    ]
    assert staged == [
        ("bo-3", "in", 1234, "ok"),
        ("bo-3", "out", 5, "ok"),
        ("bo-3", "in", 7, "ok"),
        ("bo-3", "in", 8, "geschätzt"),
        ("bo-3", "in", 10, "ok"),
    ]
    assert moments(parsed.channel("ein")) == [
        ("23:00", "26 21:00", 1234, None),
        ("02:00", "27 00:00", 7, None),
        ("02:00", "27 01:00", 8, None),
        ("03:00", "27 02:00", 10, None),
    ]
    assert [(number, reason) for number, _, _, reason in parsed.rejected] == [
        (5, "only one pass of the repeated hour is there, and which one is not told"),
        (7, "repeated interval"),
        (8, "no site"),
    ]


# -- declarations ----------------------------------------------------------------------------------------------------


def test_a_never_seen_layout_is_refused_with_what_was_found_and_what_to_declare(tmp_path: Path) -> None:
    with pytest.raises(SnapshotRefused) as refusal:
        parse(tmp_path, ["Zeitpunkt;Zähler A;Zähler B", "01.10.2024 00:00;1;2"])
    message = str(refusal.value)
    assert message.startswith("counters: 2024-10.csv: expected the column of time 'Datetime'")
    assert "found the columns 'Zeitpunkt;Zähler A;Zähler B' in row 1" in message
    assert "declare delimiter: ';' (',' now), header_row, time and channels" in message


def test_a_close_layout_is_a_few_keys_put_over_a_known_one(tmp_path: Path) -> None:
    close = {
        "delimiter": ";",
        "header_row": 3,
        "time": {"moment": {"column": "Zeit", "format": "DD.MM.YYYY HH:mm"}},
        "channels": {"header": {"status": None}},
    }
    lines = ["Export", "", "Zeit;100 (Wall);101 (Wall IN)", "27.10.2024 02:00;9;4"]
    parsed = parse(tmp_path, lines, **close)
    assert [(row["channel_id"], row["channel_role"], row["count"]) for row in parsed.rows("count_reading")] == [
        ("100", "sum", 9),
        ("101", "part", 4),
    ]
    assert moments(parsed.channel("100")) == [("02:00", "27 00:00", 9, "merged")]
    assert parsed.drift == []


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"layout": "eco_counter"}, "options.layout: 'eco_counter' is unknown; did you mean eco_counter_monthly?"),
        ({"delimeter": ";"}, "options.delimeter: unknown key; did you mean delimiter?"),
        ({"time": {"moment": {"format": "%Y-%m-%d"}}}, "options.time.moment.format: is '%Y-%m-%d', expected a format"),
        ({"time": {"moment": {"partition": "month", "column": "x"}}}, "options.time.moment: expected exactly one of"),
        (
            {"time": {"clock": {"column": "Zeit", "format": "H:mm"}}},
            "options.time: expected exactly one of moment, date",
        ),
        ({"interval_minutes": 0}, "options.interval_minutes: is 0, expected"),
        ({"interval_minutes": None}, "options.interval_minutes: is missing"),
        ({"time_zone": "Europe/Münster"}, "options.time_zone: is 'Europe/Münster', expected a time zone"),
        ({"clock_change": {"spring": "guessed"}}, "options.clock_change.spring: is 'guessed', expected"),
        ({"clock_change": {"spring": "shifted"}}, "options: clock_change.spring: shifted is for hours as columns"),
        ({"channels": {"header": {"pattern": "("}}}, "options.channels.header.pattern: is no regular expression"),
        ({"channels": {"header": {"pattern": "x"}}}, "options.channels.header: pattern: expected a group (?P<id>"),
        ({"channels": {"columns": []}}, "options.channels: columns: expected one entry per channel"),
        ({"site": {"fixed": 7}}, "options.site.fixed: is 7, expected text; put it into quotes"),
        ({"site": {"channel": True}}, "options: site.channel: expected channels.rows"),
        ({"trailing_delimiter": True, "file": "xlsx"}, "options: trailing_delimiter: only a csv has delimiters"),
    ],
)
def test_a_declaration_that_does_not_fit_is_told_with_its_key(change: dict[str, Any], message: str) -> None:
    with pytest.raises(CatalogueError) as problem:
        count_layout.read_options({"layout": "eco_counter_monthly", **change})
    assert message in str(problem.value)


def test_a_named_layout_that_does_not_fit_is_told_with_file_and_key(tmp_path: Path) -> None:
    (tmp_path / "bad.yml").write_text("interval_minutes: 15\ntime: {moment: {column: Zeit}}\n", encoding="utf-8")
    (tmp_path / "worse.yml").write_text("time: [", encoding="utf-8")
    with pytest.raises(CatalogueError) as problem:
        count_layout.layouts(tmp_path)
    assert "layouts/bad.yml: time.moment.format: is missing" in str(problem.value)
    assert "layouts/worse.yml: not readable as YAML" in str(problem.value)


def test_every_named_layout_fits() -> None:
    assert set(count_layout.layouts()) == {
        *("daily_dmy", "day_hours_across", "eco_counter_monthly", "hourly_us_dates", "hourly_workbook"),
    }
