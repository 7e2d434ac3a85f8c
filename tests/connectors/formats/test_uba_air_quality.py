"""UBA air quality: which hour a line names, also where the clocks change; CSV and API agree; nothing is lost."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from connectors.catalogue import load_source
from connectors.connector import Snapshot
from connectors.errors import SnapshotRefused
from connectors.formats import uba_air_quality
from connectors.region import region
from connectors.registry import parse_options
from connectors.staging import Account, StagedWriter
from muensterland.settings import REPOSITORY

SOURCES = REPOSITORY / "data/sources"
CSV_OPTIONS = parse_options(load_source(SOURCES / "muenster-air-quality.yml").resources["readings"])
JSON_OPTIONS = parse_options(load_source(SOURCES / "uba-air-quality.yml").resources["readings"])
HEADER = (
    '"Station code";Date;"Particulate matter (PM₁₀) Daily average (hourly floating) in µg/m³";'
    '"Ozone (O₃) One hour average in µg/m³";"Nitrogen dioxide (NO₂) One hour average in µg/m³";'
    '"Particulate matter (PM₂,₅) Daily average (hourly floating) in µg/m³";"Air quality index"'
)
NOTE = '"Source: German Environment Agency. All times are given in the time valid then (CET or CEST)."'
Rows = list[dict[str, Any]]


class Parsed:
    """What became of a file."""

    def __init__(self, account: Account, rows: Rows, rejected: Rows) -> None:
        self.account, self.rows, self.rejected = account, rows, rejected

    def hours(self, component: str = "no2") -> list[tuple[datetime, float | None]]:
        return [(row["interval_start_at"], row["value_ug_m3"]) for row in self.rows if row["component"] == component]


@pytest.fixture
def run(tmp_path: Path) -> Callable[..., Parsed]:
    def parsed(parser: Callable[..., None], content: bytes, name: str, options: dict[str, Any]) -> Parsed:
        path = tmp_path / name
        path.write_bytes(content)
        with StagedWriter(tmp_path / "staged", "town", "0" * 64, "1") as out:
            parser(Snapshot("town", path, "0" * 64, {"station": "1140"}), out, region(), **options)
            accounts = out.close()
        places = (out.file_of("air_quality_reading"), out.file_of("rejected_row"))
        tables = (pq.ParquetFile(place).read().to_pylist() if place.exists() else [] for place in places)
        return Parsed(accounts.get("air_quality_reading", Account()), *tables)

    return parsed


@pytest.fixture
def csv(run: Callable[..., Parsed]) -> Callable[..., Parsed]:
    def parsed(*lines: str, header: str = HEADER, end: str = "\n") -> Parsed:
        content = ("\ufeff" + "\n".join([header, *lines]) + end).encode()
        return run(uba_air_quality.parse_csv, content, "station1140.csv", CSV_OPTIONS)

    return parsed


@pytest.fixture
def api(run: Callable[..., Parsed]) -> Callable[..., Parsed]:
    def parsed(hours: Any, station: str = "1140") -> Parsed:
        answer = {"request": {"station": station}, "data": {station: hours}}
        return run(uba_air_quality.parse_json, json.dumps(answer).encode(), "json", JSON_OPTIONS)

    return parsed


def line(time: str, no2: object = 8, station: str = "DENW095") -> str:
    return f'{station};"\'{time}\'";13;46;{no2};-;"very good"'


def test_a_line_names_the_end_of_its_hour(csv: Callable[..., Parsed]) -> None:
    parsed = csv(line("2022-01-01 01:00", 7), line("2022-01-01 24:00", 9), "", NOTE)
    # 01:00 is midnight to one; 24:00 is the day's last hour, not the next day's first.
    assert parsed.hours() == [
        (datetime(2021, 12, 31, 23, tzinfo=UTC), 7),
        (datetime(2022, 1, 1, 22, tzinfo=UTC), 9),
    ]
    assert [f"{row['interval_start_local']:%Y-%m-%d %H:%M}" for row in parsed.rows if row["component"] == "no2"] == [
        "2022-01-01 00:00",
        "2022-01-01 23:00",
    ]
    assert parsed.account == Account(read=9, staged=8, rejected=0, out_of_scope=1)


def test_components_come_with_their_averaging_and_a_dash_is_no_value(csv: Callable[..., Parsed]) -> None:
    rows = csv(line("2022-01-01 01:00", "0.7")).rows
    assert [(row["component"], row["averaging"], row["value_ug_m3"], row["value_mark"]) for row in rows] == [
        ("pm10", "day_floating", 13, None),
        ("o3", "hour", 46, None),
        ("no2", "hour", 0.7, None),
        ("pm2_5", "day_floating", None, "-"),
    ]
    assert {(row["station_id"], row["station_name"]) for row in rows} == {("DENW095", "Geist")}


def test_spring_2021_03_28_jumps_from_02_00_to_04_00_without_losing_an_hour(csv: Callable[..., Parsed]) -> None:
    parsed = csv(*(line(f"2021-03-28 {hour:02}:00", hour) for hour in (1, 2, 4, 5)))
    # 00:00 to 05:00 of the clock are four hours, one after the other.
    begin = datetime(2021, 3, 27, 23, tzinfo=UTC)
    assert [at for at, _ in parsed.hours()] == [begin + timedelta(hours=hours) for hours in range(4)]
    assert parsed.account.rejected == 0


def test_the_hour_that_spring_leaves_out_ends_at_no_03_00(csv: Callable[..., Parsed]) -> None:
    parsed = csv(line("2021-03-28 03:00"))
    assert parsed.account == Account(read=4, staged=0, rejected=4)
    assert {row["reason"] for row in parsed.rejected} == {"local time does not exist"}


def test_autumn_2021_10_31_has_03_00_twice_for_both_passes(csv: Callable[..., Parsed]) -> None:
    hours = (1, 2, 3, 3, 4)
    parsed = csv(*(line(f"2021-10-31 {hour:02}:00", number) for number, hour in enumerate(hours)))
    begin = datetime(2021, 10, 30, 22, tzinfo=UTC)
    assert parsed.hours() == [(begin + timedelta(hours=number), number) for number in range(5)]


def test_lines_of_the_whole_file_stand_where_the_publishers_do(csv: Callable[..., Parsed]) -> None:
    # 2020-01-01 to 2022-01-01 is one hour after the other: 03:00 of 2021-10-31 stands in lines 16,059 and 16,060, and
    # the note in 17,548 (PROVENANCE), if and only if lines name hours as read here.
    first = datetime(2019, 12, 31, 23, tzinfo=UTC)
    (at, _), (again, _) = csv(line("2021-10-31 03:00"), line("2021-10-31 03:00")).hours()
    assert [2 + (moment - first) // timedelta(hours=1) for moment in (at, again)] == [16_059, 16_060]
    ((last, _),) = csv(line("2022-01-01 01:00")).hours()
    # The last line of data, a blank one, the note.
    assert 2 + (last - first) // timedelta(hours=1) + 2 == 17_548


def test_a_line_without_any_value_has_a_field_too_many(csv: Callable[..., Parsed]) -> None:
    parsed = csv("DENW095;\"'2022-05-24 13:00'\";-;-;-;-;;")
    assert parsed.account == Account(read=4, staged=4)
    assert {row["value_mark"] for row in parsed.rows} == {"-"}


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        (line("2022-01-01 00:00"), "not an hour from 01:00 to 24:00"),
        (line("2022-01-01 25:00"), "not an hour from 01:00 to 24:00"),
        (line("2022-02-30 01:00"), "not an hour from 01:00 to 24:00"),
        (line("2022-01-01 01:30"), "not an hour from 01:00 to 24:00"),
        (line("2022-01-01 01:00", station="DENW999"), "station that the source does not declare"),
        ("DENW095;\"'2022-01-01 01:00'\";13", "expected 7 fields, found 3"),
        ("DENW095;\"'2022-01-01 01:00'\";1;2;3;4;good;more", "expected 7 fields, found 8"),
        ("a stray note", "expected 7 fields, found 1"),
    ],
)
def test_a_row_that_is_no_hour_is_rejected_cell_by_cell(csv: Callable[..., Parsed], row: str, reason: str) -> None:
    parsed = csv(row, line("2022-01-01 02:00"))
    assert parsed.account == Account(read=8, staged=4, rejected=4)
    assert {row["reason"] for row in parsed.rejected} == {reason}


@pytest.mark.parametrize(("cell", "reason"), [("-1", "negative concentration"), ("8,5", "not a number")])
def test_a_cell_that_is_no_value_is_rejected_alone(csv: Callable[..., Parsed], cell: str, reason: str) -> None:
    parsed = csv(line("2022-01-01 01:00", cell))
    assert parsed.account == Account(read=4, staged=3, rejected=1)
    assert [(row["raw_text"], row["reason"]) for row in parsed.rejected] == [(cell, reason)]


def test_a_file_cut_within_its_last_value_loses_that_value_alone(csv: Callable[..., Parsed]) -> None:
    header = HEADER.rsplit(";", 1)[0]
    parsed = csv("DENW095;\"'2022-01-01 01:00'\";13;46;8;1", header=header, end="")
    assert parsed.account == Account(read=4, staged=3, rejected=1)
    assert [row["reason"] for row in parsed.rejected] == ["the file ends within this line"]


def test_a_layout_never_seen_is_refused_and_says_what_to_declare(csv: Callable[..., Parsed]) -> None:
    with pytest.raises(SnapshotRefused) as refusal:
        csv("DENW095;01.01.2022;13", header="Stationscode;Datum;Feinstaub (PM₁₀)")
    assert "town: station1140.csv: expected a column 'Station code', found 'Stationscode'" in str(refusal.value)
    assert "declare its columns in the source's YAML" in str(refusal.value)


# -- JSON ------------------------------------------------------------------------------------------------------------


def test_the_api_tells_hours_by_their_beginning_in_cet_all_year(api: Callable[..., Parsed]) -> None:
    # In the shape of an answer quoted in roe-dl/weewx-DWD#41.
    parsed = api(
        {
            "2026-07-06 12:00:00": ["2026-07-06 13:00:00", 1, 1, [3, 5, 0, "0.083"], [5, 28, 1, "1.368"]],
            "2026-07-06 11:00:00": ["2026-07-06 12:00:00", 1, 1, [1, 4, 0, "0.1"], [9, None, 0, "0.1"]],
        }
    )
    assert [
        (row["component"], row["averaging"], row["interval_start_at"], row["interval_start_local"], row["value_ug_m3"])
        for row in parsed.rows
    ] == [
        ("o3", "hour", datetime(2026, 7, 6, 11, tzinfo=UTC), datetime(2026, 7, 6, 13), 5),  # noqa: DTZ001
        ("no2", "hour", datetime(2026, 7, 6, 11, tzinfo=UTC), datetime(2026, 7, 6, 13), 28),  # noqa: DTZ001
        ("pm10", "day_floating", datetime(2026, 7, 6, 10, tzinfo=UTC), datetime(2026, 7, 6, 12), 4),  # noqa: DTZ001
        ("pm2_5", "day_floating", datetime(2026, 7, 6, 10, tzinfo=UTC), datetime(2026, 7, 6, 12), None),  # noqa: DTZ001
    ]
    assert parsed.account == Account(read=4, staged=4)


@pytest.mark.parametrize("day", ["2026-03-29", "2026-10-25"])
def test_the_api_and_the_csv_name_the_same_hours_where_clocks_change(
    csv: Callable[..., Parsed], api: Callable[..., Parsed], day: str
) -> None:
    ends = (1, 2, 4, 5) if day.endswith("29") else (1, 2, 3, 3, 4, 5)
    # In CET both days are like any other; summer time begins an hour ahead of it.
    first = datetime.fromisoformat(f"{day}T00:00") - timedelta(hours=0 if day.endswith("29") else 1)
    hours = {}
    for number in range(len(ends)):
        begin = first + timedelta(hours=number)
        hours[f"{begin}"] = [f"{begin + timedelta(hours=1)}", 0, 1, [5, number, 0, "0"]]
    told = csv(*(line(f"{day} {hour:02}:00", number) for number, hour in enumerate(ends)))
    assert api(hours).hours() == told.hours()


def test_the_end_of_a_day_may_be_24_00(api: Callable[..., Parsed]) -> None:
    parsed = api({"2026-01-01 23:00:00": ["2026-01-01 24:00:00", 0, 1, [5, 8, 0, "0"]]})
    assert parsed.hours() == [(datetime(2026, 1, 1, 22, tzinfo=UTC), 8)]


@pytest.mark.parametrize("hours", [[], {}])
def test_a_month_without_hours_is_an_empty_one(api: Callable[..., Parsed], hours: Any) -> None:
    assert api(hours).account.read == 0


HOUR = "2026-01-01 10:00:00"
END = "2026-01-01 11:00:00"


@pytest.mark.parametrize(
    ("key", "entry", "account", "reason"),
    [
        (HOUR, [END, 0, 1, [2, 0.2, 0, "0"], [5, 8, 0, "0"]], Account(2, 1, 0, 1), None),
        (HOUR, [END, 0, 1, [5, -2, 0, "0"]], Account(1, 0, 1, 0), "negative concentration"),
        (HOUR, [END, 0, 1, [5, True, 0, "0"]], Account(1, 0, 1, 0), "not a number"),
        (HOUR, [END, 0, 1, [5]], Account(1, 0, 1, 0), "not a list of component, value, index and share"),
        (HOUR, [HOUR, 0, 1, [5, 8, 0, "0"]], Account(1, 0, 1, 0), "not an hour from its beginning to its end"),
        ("2026-01-01", [END, 0, 1, [5, 8, 0, "0"]], Account(1, 0, 1, 0), "not an hour from its beginning to its end"),
        (HOUR, "soon", Account(1, 0, 1, 0), "not a list of end, index, incomplete and components"),
        (HOUR, [END, 0, 1, 7], Account(1, 0, 1, 0), "not a list of end, index, incomplete and components"),
    ],
)
def test_an_entry_that_is_no_value_is_told_of(
    api: Callable[..., Parsed], key: str, entry: Any, account: Account, reason: str | None
) -> None:
    parsed = api({key: entry})
    assert parsed.account == account
    assert [row["reason"] for row in parsed.rejected] == ([reason] if reason else [])


def test_a_station_nobody_declared_is_rejected(api: Callable[..., Parsed]) -> None:
    parsed = api({HOUR: [END, 0, 1, [5, 8, 0, "0"]]}, station="7")
    assert [row["reason"] for row in parsed.rejected] == ["station that the source does not declare"]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b'{"status": 404, "detail": "not found"}', "expected an object with `data` by station"),
        (b'{"data": {"1140": 3}}', "station '1140': expected an object, found 3"),
        (b'{"data": {"1140": {}, "1140": {}}}', "a key stands twice in one object"),
        (b'{"data": ', "expected JSON"),
        (b'["\\ud800"]', r'found \["\\ud800"\]'),
    ],
)
def test_an_answer_of_another_shape_is_refused(run: Callable[..., Parsed], content: bytes, words: str) -> None:
    with pytest.raises(SnapshotRefused, match=words) as refusal:
        run(uba_air_quality.parse_json, content, "json", JSON_OPTIONS)
    assert "town: json" in str(refusal.value)
