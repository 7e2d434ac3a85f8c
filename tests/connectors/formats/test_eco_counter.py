from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from connectors.connector import Snapshot
from connectors.errors import SnapshotRefused
from connectors.formats import eco_counter
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
    def rejected(self) -> list[tuple[int, str, str, str]]:
        return sorted(
            (row["record_number"], row["column_name"], row["raw_text"], row["reason"])
            for row in self.rows("rejected_row")
        )


def parse(tmp_path: Path, lines: list[str] | bytes, **options: Any) -> Parsed:
    path = tmp_path / "2024-10.csv"
    path.write_bytes(lines if isinstance(lines, bytes) else "".join(f"{line}\r\n" for line in lines).encode())
    snapshot = Snapshot("counters", path, "b" * 64, {"station": "100", "month": "2024-10"})
    with StagedWriter(tmp_path / "staged", "counters", "b" * 64, "1") as out:
        eco_counter.parse_readings(snapshot, out, REGION, **options)
        out.close()
    return Parsed(out)


def parse_sites(tmp_path: Path, content: object) -> Parsed:
    path = tmp_path / "site_min.json"
    path.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
    with StagedWriter(tmp_path / "staged", "sites", "c" * 64, "1") as out:
        eco_counter.parse_sites(Snapshot("sites", path, "c" * 64), out, REGION)
        out.close()
    return Parsed(out)


# -- readings --------------------------------------------------------------------------------------------------------


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
        (b"", "expected 'Datetime' as first column"),
        (b"Date,100 (Markt)\n2024-10-01,1\n", "expected 'Datetime' as first column"),
        (b"<html>404</html>", "expected 'Datetime' as first column"),
        (b"Datetime,Wetter\n2024-10-01 00:00,1\n", "one column `<id> \\(<label>\\)` per channel"),
        (b"Datetime,100 (A),100 (A)\n2024-10-01 00:00,1,1\n", "stands there twice"),
        (b"Datetime,100 (A),100 (B)\n2024-10-01 00:00,1,1\n", "one column"),
        ("Datetime,100 (Straße)\n".encode("latin-1"), "expected utf-8"),
        ("Datetime,100 (StraÃŸe)\n".encode(), "broken encoding"),
        (b'Datetime,100 (A)\n2024-10-01 00:00,"1\n2024-10-01 00:15,1\n', "expected CSV"),
    ],
)
def test_a_file_of_another_layout_is_refused(tmp_path: Path, content: bytes, said: str) -> None:
    with pytest.raises(SnapshotRefused, match=said):
        parse(tmp_path, content)


# -- sites -----------------------------------------------------------------------------------------------------------


def test_stations_and_their_channels(tmp_path: Path) -> None:
    parsed = parse_sites(
        tmp_path,
        [
            {"name": "Markt", "directory": "100", "start": 2023, "channels": [[100, "Markt"], [101, "Markt IN"]]},
            {"name": "Hafen", "directory": "200", "start": 2019, "channels": [[200, "Hafen"]]},
        ],
    )
    assert [(row["site_id"], row["site_name"], row["first_year"]) for row in parsed.rows("count_site")] == [
        ("100", "Markt", 2023),
        ("200", "Hafen", 2019),
    ]
    assert [
        (row["record_number"], row["site_id"], row["channel_id"], row["channel_label"])
        for row in parsed.rows("count_channel")
    ] == [(1, "100", "100", "Markt"), (2, "100", "101", "Markt IN"), (3, "200", "200", "Hafen")]
    assert parsed.drift == []


def test_entries_that_are_no_stations_or_channels_are_rejected(tmp_path: Path) -> None:
    parsed = parse_sites(
        tmp_path,
        [
            {"name": "Markt", "directory": "100", "channels": [[100, "Markt"], [100, "Markt"], [101], ["x", "y"]]},
            {"name": "Nochmal", "directory": "100", "start": 2023, "channels": [[300, "Nochmal"]]},
            {"name": None, "directory": "400", "start": 2023, "channels": []},
            {"name": "Pfad", "directory": "../etc", "start": 2023, "channels": []},
            {"name": "Jahr", "directory": "500", "start": "2023", "channels": [], "mood": "good"},
            {"name": "Kanal", "directory": "600", "start": 2023},
            "Markt",
        ],
    )
    assert parsed.accounts["count_site"] == Account(read=7, staged=1, rejected=6)
    assert parsed.accounts["count_channel"] == Account(read=5, staged=1, rejected=4)
    assert [(number, column, reason) for number, column, _, reason in parsed.rejected] == [
        (2, "channels", "repeated channel"),
        (2, "directory", "repeated station"),
        (3, "channels", "not a pair of channel id and label"),
        (3, "name", "not a text"),
        (4, "channels", "not a pair of channel id and label"),
        (4, "directory", "not a station id"),
        (5, "channels", "its station was rejected"),
        (5, "start", "not a year"),
        (6, "channels", "not a list"),
        (7, "", "not a JSON object"),
    ]
    assert parsed.drift == [
        ("count_site", "channels", "missing"),
        ("count_site", "mood", "new"),
        ("count_site", "start", "missing"),
    ]


@pytest.mark.parametrize("content", ["", "<html>", '{"name": "Markt"}', "[" * 100_000, "[" + "9" * 5_000 + "]"])
def test_what_is_no_list_of_stations_is_refused(tmp_path: Path, content: str) -> None:
    with pytest.raises(SnapshotRefused, match=r"sites: site_min\.json: expected"):
        parse_sites(tmp_path, content)
