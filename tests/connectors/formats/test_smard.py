"""SMARD: files of the chart_data API and the download CSV in its three generations."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from connectors.errors import SnapshotRefused
from connectors.formats.smard import CHART, DOWNLOAD, INDEX, listed
from connectors.region import region
from tests.connectors.formats.parsing import Parsed, parsed

ASKED = {"series": "4068", "region": "DE", "resolution": "quarterhour"}
START = 1_616_367_600_000  # Monday, 2021-03-22 00:00 in Berlin
BERLIN = ZoneInfo("Europe/Berlin")


def chart(tmp_path: Path, entries: list[Any], **partition: str) -> Parsed:
    body = json.dumps({"meta_data": {"version": 1, "created": START}, "series": entries}).encode()
    return parsed(tmp_path, CHART, body, ASKED | partition)


def test_a_chart_is_values_of_the_series_that_was_asked_for(tmp_path: Path) -> None:
    found = chart(tmp_path, [[START, 0.0], [START + 900_000, 1074.25]])
    assert found.rows[1] | {"source_id": "", "snapshot_sha256": "", "parse_key": ""} == {
        **{"source_id": "", "snapshot_sha256": "", "parse_key": "", "record_number": 2},
        **{"series": "generation_solar", "region": "DE", "interval_minutes": 15, "value": 1074.25, "unit": "MWh"},
        **{"interval_start_at": datetime(2021, 3, 21, 23, 15, tzinfo=UTC), "resolution": "quarterhour"},
        "value_mark": None,
    }


def test_a_null_is_missing_and_the_ones_at_the_end_are_not_yet_published(tmp_path: Path) -> None:
    values = [1.0, None, 2.0, None, None]
    found = chart(tmp_path, [[START + 900_000 * number, value] for number, value in enumerate(values)])
    assert found.column("value") == [1.0, None, 2.0]
    assert found.left_out == {"not yet published": 2}


def test_a_file_of_nulls_alone_says_nothing_yet(tmp_path: Path) -> None:
    assert chart(tmp_path, [[START, None], [START + 900_000, None]]).left_out == {"not yet published": 2}


def test_negative_prices_and_other_units(tmp_path: Path) -> None:
    found = chart(tmp_path, [[START, -81.5]], series="4169", region="DE-LU", resolution="hour")
    (row,) = found.rows
    assert (row["value"], row["unit"], row["interval_minutes"]) == (-81.5, "EUR/MWh", 60)


@pytest.mark.parametrize(
    ("resolution", "day", "minutes"),
    [
        ("day", datetime(2021, 3, 28), 23 * 60),  # noqa: DTZ001 - local
        ("day", datetime(2021, 10, 31), 25 * 60),  # noqa: DTZ001
        ("week", datetime(2021, 3, 22), 7 * 24 * 60 - 60),  # noqa: DTZ001
        ("month", datetime(2021, 12, 1), 31 * 24 * 60),  # noqa: DTZ001
        ("year", datetime(2024, 1, 1), 366 * 24 * 60),  # noqa: DTZ001
    ],
)
def test_longer_intervals_follow_the_local_calendar(
    tmp_path: Path, resolution: str, day: datetime, minutes: int
) -> None:
    at = int(day.replace(tzinfo=BERLIN).timestamp()) * 1000
    (row,) = chart(tmp_path, [[at, 5]], series="188", resolution=resolution).rows
    assert (row["series"], row["interval_minutes"]) == ("capacity_solar", minutes)


@pytest.mark.parametrize(
    ("entry", "reason"),
    [
        ([START + 60_000, 1.0], "expected an instant of this market and resolution"),
        ([START + 1, 1.0], "expected an instant of this market and resolution"),
        (["1616367600000", 1.0], "expected an instant of this market and resolution"),
        ([START], "expected an instant of this market and resolution"),
        ([10**18, 1.0], "expected an instant of this market and resolution"),
        ([START, "1.0"], "expected a number"),
        ([START, True], "expected a number"),
        ([START, 10**400], "expected a number"),
        ([START - 900_000, 9.0], "interval told twice"),
    ],
)
def test_an_entry_that_means_nothing_is_rejected_alone(tmp_path: Path, entry: Any, reason: str) -> None:
    found = chart(tmp_path, [[START - 900_000, 3.0], entry])
    assert found.column("value") == [3.0]
    assert [why for *_, why in found.rejected] == [reason]


@pytest.mark.parametrize(
    ("body", "partition", "words"),
    [
        (b"[]", {}, "expected an object with a list 'series'"),
        (b'{"series": []}', {}, "1 to 10000 entries"),
        (b'{"series": [[1,2]]}', {"series": "99"}, "'99' is no filter of FILTERS"),
        (b'{"series": [[1,2]]}', {"resolution": "second"}, "resolution 'second'"),
    ],
)
def test_another_layout_is_refused(tmp_path: Path, body: bytes, partition: dict[str, str], words: str) -> None:
    with pytest.raises(SnapshotRefused, match=words):
        parsed(tmp_path, CHART, body, ASKED | partition)


def test_an_index_announces_files_and_what_is_no_instant_is_rejected(tmp_path: Path) -> None:
    found = parsed(tmp_path, INDEX, json.dumps({"timestamps": [START, START, "x", START + 7]}).encode(), ASKED)
    assert found.column("starts_at") == [datetime(2021, 3, 21, 23, tzinfo=UTC)]
    assert [reason for *_, reason in found.rejected] == [
        "announced twice",
        *["expected an instant of this market"] * 2,
    ]


def test_a_week_ends_where_the_next_begins_and_the_last_one_goes_on(tmp_path: Path) -> None:
    """The week of the clock change has an hour less; what an index says in another order or twice is one list."""
    monday = START + 7 * 86_400_000 - 3_600_000
    body = json.dumps({"timestamps": [monday, START, START, "x", START - 7 * 86_400_000]}).encode()
    path = tmp_path / "index_quarterhour.json"
    path.write_bytes(body)
    assert [(each.value, each.last_day) for each in listed(path, region(), since=date(2021, 3, 22))] == [
        (str(START), date(2021, 3, 28)),
        (str(monday), date.max),
    ]
    found = parsed(tmp_path, INDEX, body, ASKED, since=date(2021, 3, 22))
    assert found.left_out == {"before the first file that is read": 1}


# -- download --------------------------------------------------------------------------------------------------------

HEADERS = {
    "until 2021": "Datum;Uhrzeit;Biomasse[MWh];Photovoltaik[MWh]",
    "until 2024": "Datum;Anfang;Ende;Biomasse [MWh] Originalauflösungen;Photovoltaik [MWh] Originalauflösungen",
    "since 2024": "Datum von;Datum bis;Biomasse [MWh] Berechnete Auflösungen;Photovoltaik [MWh] Berechnete Auflösungen",
    "English": "Start date;Start;End;Biomass [MWh] ;Photovoltaics [MWh]",
}
LINES = {
    "until 2021": "04.11.2020;00:00;1.074;0",
    "until 2024": "04.11.2020;00:00;00:15;1.074;0",
    "since 2024": "04.11.2020 00:00;04.11.2020 00:15;1.074;0",
    "English": "04.11.2020;00:00;00:15;1.074;0",
}


def download(tmp_path: Path, *lines: str, **options: Any) -> Parsed:
    return parsed(tmp_path, DOWNLOAD, ("\ufeff" + "\r\n".join(lines) + "\r\n").encode(), **options)


@pytest.mark.parametrize("generation", HEADERS)
def test_every_generation_of_the_header_is_read(tmp_path: Path, generation: str) -> None:
    found = download(tmp_path, HEADERS[generation], LINES[generation])
    assert [(row["series"], row["value"]) for row in found.rows] == [
        ("generation_biomass", 1074.0),
        ("generation_solar", 0.0),
    ]
    assert set(found.column("interval_start_at")) == {datetime(2020, 11, 3, 23, tzinfo=UTC)}
    assert found.out.drifted == []


@pytest.mark.parametrize(
    ("raw", "value", "mark"),
    [
        ("1.074", 1074.0, None),
        ("12.345.678,5", 12_345_678.5, None),
        ("467", 467.0, None),
        ("-3,25", -3.25, None),
        ("-", None, "-"),
        ("", None, None),
    ],
)
def test_german_numbers_and_marks(tmp_path: Path, raw: str, value: float | None, mark: str | None) -> None:
    header = "Datum;Uhrzeit;Deutschland/Luxemburg [€/MWh];Netzlast [MWh]"
    found = download(tmp_path, header, f"04.11.2020;00:00;{raw};1", "04.11.2020;00:15;7;1")
    row = next(row for row in found.rows if row["series"] == "price_day_ahead")
    assert (row["value"], row["value_mark"], row["unit"]) == (value, mark, "EUR/MWh")


@pytest.mark.parametrize("raw", ["1.07", "1,074.5", "1e3", "1..074", "n/a", "٣"])
def test_a_number_of_another_spelling_rejects_its_cell_alone(tmp_path: Path, raw: str) -> None:
    found = download(tmp_path, HEADERS["until 2021"], f"04.11.2020;00:00;{raw};5")
    assert [(row["series"], row["value"]) for row in found.rows] == [("generation_solar", 5.0)]
    assert found.rejected == [(3, "generation_biomass", "expected a German number")]


def day(first: datetime, quarters: int) -> list[str]:
    """Lines of so many quarter-hours of elapsed time, by the clock on the wall."""
    moments = [first.astimezone(UTC) + timedelta(minutes=15 * number) for number in range(quarters)]
    return [f"{at.astimezone(BERLIN):%d.%m.%Y;%H:%M};{number};0" for number, at in enumerate(moments)]


@pytest.mark.parametrize(("date", "quarters"), [((2021, 3, 28), 92), ((2021, 10, 31), 100), ((2021, 6, 1), 96)])
def test_both_clock_changes_have_their_92_and_100_quarter_hours(
    tmp_path: Path, date: tuple[int, int, int], quarters: int
) -> None:
    midnight = datetime(*date, tzinfo=BERLIN)
    found = download(tmp_path, HEADERS["until 2021"], *day(midnight, quarters))
    biomass = [row for row in found.rows if row["series"] == "generation_biomass"]
    starts = [row["interval_start_at"] for row in biomass]
    assert starts == [midnight.astimezone(UTC) + timedelta(minutes=15 * number) for number in range(quarters)]
    assert [row["value"] for row in biomass] == [float(number) for number in range(quarters)]
    assert found.rejected == []


@pytest.mark.parametrize(
    ("times", "reason"),
    [
        (["28.03.2021;02:15"], "the clock skips this time"),
        (["04.11.2020;00:00", "04.11.2020;00:00"], "the clock shows this time once"),
        (["31.10.2021;02:00"] * 3, "the clock shows this time twice"),
        (["2020-11-04;00:00"], "expected D.M.Y h:m"),
        (["31.02.2020;00:00"], "expected D.M.Y h:m"),
    ],
)
def test_a_line_whose_time_cannot_be_is_rejected(tmp_path: Path, times: list[str], reason: str) -> None:
    found = download(tmp_path, HEADERS["until 2021"], *(f"{time};1;2" for time in times))
    assert [why for *_, why in found.rejected] == [reason] * 2
    assert len(found.rows) == 2 * (len(times) - 1)


def test_a_cut_file_a_short_line_and_blank_lines(tmp_path: Path) -> None:
    body = f"{HEADERS['until 2021']}\n04.11.2020;00:00;1;2\n\n04.11.2020;00:15;3\n04.11.2020;00:30;4;5"
    found = parsed(tmp_path, DOWNLOAD, body.encode())
    assert found.column("value") == [1.0, 2.0]
    assert [reason for *_, reason in found.rejected] == [
        *["expected 4 fields"] * 2,
        *["the file ends within this line"] * 2,
    ]


@pytest.mark.parametrize(
    "header", ["Tag;Uhrzeit;Biomasse[MWh]", "Datum;Uhrzeit;Bananen[MWh]", "Datum;Uhrzeit;Biomasse[MWh];Biomasse [MWh]"]
)
def test_a_header_without_date_or_series_or_with_one_twice_is_refused(tmp_path: Path, header: str) -> None:
    with pytest.raises(SnapshotRefused, match=r"compare the header with the parser's COLUMNS"):
        download(tmp_path, header, "04.11.2020;00:00;1;2")


def test_a_series_nobody_declared_is_drift(tmp_path: Path) -> None:
    found = download(tmp_path, HEADERS["until 2021"] + ";Gezeiten[MWh]", "04.11.2020;00:00;1;2;3")
    assert found.out.drifted == [("market_reading", "Gezeiten[MWh]", "new")]
    assert found.column("value") == [1.0, 2.0]
