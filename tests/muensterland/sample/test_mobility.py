"""Bicycle counters: every trap of the real files lies in one of the invented ones."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest

from muensterland.sample.mobility import BASE, MONTHS, STATIONS

Rows = list[dict[str, str]]


def month(publishers: Path, station: int, number: int) -> Rows:
    text = (publishers / BASE / str(station) / f"2026-{number:02d}.csv").read_text(encoding="utf-8")
    return list(csv.DictReader(text.splitlines()))


def of_day(rows: Rows, day: str) -> Rows:
    return [row for row in rows if row["Datetime"].startswith(day)]


def test_the_site_list_names_three_stations_without_ghosts(publishers: Path) -> None:
    sites = json.loads((publishers / BASE / "site_min.json").read_bytes())
    assert [(site["directory"], site["start"], len(site["channels"])) for site in sites] == [
        ("900000001", 2026, 3),
        ("900000002", 2026, 3),
        ("900000003", 2026, 3),
    ]
    assert all("(synthetisch)" in site["name"] for site in sites)


def test_one_month_is_not_published(publishers: Path) -> None:
    published = {f"{place.parent.name}/{place.stem}" for place in (publishers / BASE).rglob("*.csv")}
    months = {f"{station.number}/{month:%Y-%m}" for station in STATIONS for month in MONTHS if month >= station.opened}
    assert months - published == {"900000002/2026-07"}
    assert published < months


def test_of_three_stations_one_counted_all_of_the_former_year_and_one_half_of_it(publishers: Path) -> None:
    former = [place.parent.name for place in (publishers / BASE).rglob("2025-*.csv")]
    assert {station: former.count(station) for station in former} == {"900000001": 12, "900000003": 6}


def test_files_have_crlf_and_no_bom(publishers: Path) -> None:
    content = (publishers / BASE / "900000001/2026-01.csv").read_bytes()
    assert content.startswith(b"Datetime,900000001 (Beispielweg),")
    assert content.count(b"\r\n") == content.count(b"\n") == 31 * 96 + 1


def test_spring_lacks_an_hour_and_autumn_holds_two_in_one(publishers: Path) -> None:
    spring = of_day(month(publishers, 900000001, 3), "2026-03-29")
    assert len(spring) == 92
    assert not of_day(spring, "2026-03-29 02")
    october = month(publishers, 900000001, 10)
    assert len(of_day(october, "2026-10-25")) == 96

    def night(day: str) -> int:
        return sum(int(row["900000001 (Beispielweg)"]) for row in of_day(october, f"{day} 02"))

    assert night("2026-10-25") > 1.5 * night("2026-10-18")


@pytest.mark.parametrize("station", [900000001, 900000002, 900000003])
def test_the_first_channel_is_the_sum_of_the_others(publishers: Path, station: int) -> None:
    rows = month(publishers, station, 9)
    channels = [name for name in rows[0] if "(" in name]
    assert channels[0].startswith(f"{station} (")
    for row in rows:
        assert int(row[channels[0]]) == sum(int(row[channel] or 0) for channel in channels[1:])


def test_a_label_changes_and_its_id_stays(publishers: Path) -> None:
    assert "901000001 (FR stdteinwärts)" in month(publishers, 900000001, 5)[0]
    assert "901000001 (FR stadteinwärts)" in month(publishers, 900000001, 6)[0]


def test_a_ghost_channel_is_always_blank(publishers: Path) -> None:
    ghosts = {row["903000002 (Musterallee Fahrräder IN)"] for row in month(publishers, 900000002, 5)}
    assert ghosts == {""}


def test_an_outage_leaves_no_rows_and_a_month_is_cut(publishers: Path) -> None:
    february = month(publishers, 900000001, 2)
    rows = [len(of_day(february, f"2026-02-{day:02d}")) for day in (9, 10, 11, 12, 13)]
    assert rows == [96, 24, 0, 24, 96]
    assert month(publishers, 900000001, 4)[-1]["Datetime"] == "2026-04-30 02:15"


def test_blank_values_have_no_status(publishers: Path) -> None:
    rows = [row for row in month(publishers, 900000002, 5) if row["900000002 (Musterallee)"] == ""]
    assert [rows[0]["Datetime"], rows[-1]["Datetime"], len(rows)] == ["2026-05-04 09:00", "2026-05-04 11:45", 12]
    assert {row["900000002-status"] for row in rows} == {""}


def test_a_dead_sensor_reports_zero_for_days(publishers: Path) -> None:
    august = month(publishers, 900000003, 8)
    daily = [
        sum(int(row["900000003 (Probepromenade)"]) for row in of_day(august, f"2026-08-{day:02d}"))
        for day in range(9, 15)
    ]
    assert daily[1:5] == [0, 0, 0, 0]
    assert daily[0] > 0 and daily[5] > 0


def test_status_says_zero_four_and_modified(publishers: Path) -> None:
    assert {row["900000002-status"] for row in of_day(month(publishers, 900000002, 3), "2026-03-17")} == {"4"}
    found = [row["Datetime"] for row in month(publishers, 900000003, 9) if row["900000003-status"] == "modified"]
    assert found == ["2026-09-04 12:00", "2026-09-04 12:15", "2026-09-04 12:30", "2026-09-04 12:45"]


def test_a_workday_has_its_peaks_and_a_plausible_sum(publishers: Path) -> None:
    rows = of_day(month(publishers, 900000001, 6), "2026-06-16")
    hourly = [
        sum(int(row["900000001 (Beispielweg)"]) for row in of_day(rows, f"2026-06-16 {hour:02d}")) for hour in range(24)
    ]
    assert hourly.index(max(hourly)) in (7, 17)
    assert 6_000 < sum(hourly) < 9_500
