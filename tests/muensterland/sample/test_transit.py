"""The three GTFS feeds: one timetable, three publishers' habits."""

from __future__ import annotations

import zipfile
from collections import Counter, defaultdict
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path

import pytest
from shapely.geometry import Point, Polygon

from muensterland.sample import geography
from muensterland.sample.transit import NATIONAL_LOCAL, NATIONAL_RAIL, OPERATOR

Tables = dict[str, list[dict[str, str]]]
Feed = Callable[[str], Tables]
PERIOD = [date(2026, 10, 1) + timedelta(days=number) for number in range(92)]


def service_days(tables: Tables) -> dict[str, set[date]]:
    """The days each service runs, after the GTFS reference: the calendar's weekdays, then its exceptions."""
    days: dict[str, set[date]] = defaultdict(set)
    weekdays = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]
    for row in tables.get("calendar.txt", []):
        days[row["service_id"]] |= {
            day
            for day in PERIOD
            if row["start_date"] <= f"{day:%Y%m%d}" <= row["end_date"] and row[weekdays[day.weekday()]] == "1"
        }
    for row in tables["calendar_dates.txt"]:
        day = {date.fromisoformat(row["date"])}
        days[row["service_id"]] = (
            days[row["service_id"]] | day if row["exception_type"] == "1" else days[row["service_id"]] - day
        )
    return dict(days)


def runs_per_day(tables: Tables, line: str) -> Counter[tuple[date, tuple[tuple[str, str], ...]]]:
    """How often a line makes the same journey (stop names and times) on a day."""
    names = {row["stop_id"]: row["stop_name"] for row in tables["stops.txt"]}
    routes = {row["route_id"] for row in tables["routes.txt"] if row["route_short_name"] == line}
    calls: dict[str, list[tuple[str, str]]] = defaultdict(list)
    for row in tables["stop_times.txt"]:
        calls[row["trip_id"]].append((names.get(row["stop_id"], ""), row["departure_time"]))
    days = service_days(tables)
    return Counter(
        (day, tuple(calls[row["trip_id"]]))
        for row in tables["trips.txt"]
        if row["route_id"] in routes
        for day in days[row["service_id"]]
    )


def test_the_operator_writes_bom_and_crlf_and_no_calendar(publishers: Path) -> None:
    with zipfile.ZipFile(publishers / OPERATOR) as archive:
        assert "calendar.txt" not in archive.namelist()
        for name in archive.namelist():
            content = archive.read(name)
            assert content.startswith(b"\xef\xbb\xbf")
            assert content.count(b"\r\n") == content.count(b"\n") > 1


def test_services_follow_north_rhine_westphalia(feed: Feed) -> None:
    """Counted by hand: 66 weekdays without Christmas Day, less 16 of school holidays; 13 Saturdays, two of them
    public holidays; 13 Sundays and three public holidays on other days."""
    operator = service_days(feed(OPERATOR))
    assert {service: len(days) for service, days in operator.items()} == {
        "MoFr": 65,
        "MoFr-Schule": 49,
        "Sa": 11,
        "So": 16,
    }
    assert date(2026, 10, 16) in operator["MoFr-Schule"]
    assert date(2026, 10, 19) not in operator["MoFr-Schule"]
    assert date(2026, 12, 23) not in operator["MoFr-Schule"]
    assert {date(2026, 10, 3), date(2026, 11, 1), date(2026, 12, 25), date(2026, 12, 26)} <= operator["So"]


def test_the_aggregator_says_the_same_with_calendar_and_exceptions(feed: Feed) -> None:
    days = service_days(feed(NATIONAL_LOCAL))
    operator = service_days(feed(OPERATOR))
    assert [days[f"nv{number}"] for number in range(1, 5)] == [
        operator[service] for service in ("MoFr", "MoFr-Schule", "Sa", "So")
    ]


@pytest.mark.parametrize("line", ["1", "2"])
def test_two_city_lines_come_twice_under_other_ids(feed: Feed, line: str) -> None:
    operator, national = feed(OPERATOR), feed(NATIONAL_LOCAL)
    assert runs_per_day(operator, line) == runs_per_day(national, line)
    assert not {row["trip_id"] for row in operator["trips.txt"]} & {row["trip_id"] for row in national["trips.txt"]}
    assert not {row["stop_id"] for row in operator["stops.txt"]} & {row["stop_id"] for row in national["stops.txt"]}


def test_other_city_lines_come_once(feed: Feed) -> None:
    assert not runs_per_day(feed(NATIONAL_LOCAL), "3")
    assert runs_per_day(feed(OPERATOR), "3")


def test_every_municipality_has_a_stop_that_is_served(feed: Feed) -> None:
    tables = feed(NATIONAL_LOCAL)
    served = {row["stop_id"] for row in tables["stop_times.txt"]}
    places = [
        Point(geography.to_metres(float(row["stop_lon"]), float(row["stop_lat"])))
        for row in tables["stops.txt"]
        if row["stop_id"] in served
    ]
    for place in geography.REGION:
        polygon = Polygon(geography.polygons()[place.ags])
        assert any(polygon.contains(stop) for stop in places), place.name


def test_the_national_feed_has_its_quirks(publishers: Path, feed: Feed) -> None:
    with zipfile.ZipFile(publishers / NATIONAL_LOCAL) as archive:
        names = archive.namelist()
        assert b'"Ahaus, Rathaus"' in archive.read("nv_free/stops.txt")
    assert "__MACOSX/nv_free/._stops.txt" in names
    tables = feed(NATIONAL_LOCAL)
    stops = {row["stop_id"]: row for row in tables["stops.txt"]}
    assert {stop["stop_name"] for stop in stops.values() if "\b" in stop["stop_name"]} == {"Münster\b, Feldweg"}
    unknown = [row for row in tables["stop_times.txt"] if row["stop_id"] not in stops]
    assert [row["stop_id"] for row in unknown] == ["de:05566:99999:1:A"]
    assert {row["route_type"] for row in tables["routes.txt"]} == {"700", "702"}
    assert [(row["headway_secs"], row["exact_times"]) for row in tables["frequencies.txt"]] == [("1800", "0")]
    assert {row["location_type"] for row in stops.values()} == {"0", "1", "2"}
    assert any(row["pickup_type"] == "1" for row in tables["stop_times.txt"])


def test_a_loop_visits_a_stop_twice(feed: Feed) -> None:
    tables = feed(NATIONAL_LOCAL)
    template = tables["frequencies.txt"][0]["trip_id"]
    calls = [row["stop_id"] for row in tables["stop_times.txt"] if row["trip_id"] == template]
    assert len(calls) == 5
    assert calls[0] == calls[-1]


def test_a_line_comes_from_abroad_and_two_never_enter(feed: Feed) -> None:
    tables = feed(NATIONAL_LOCAL)
    abroad = {row["stop_id"] for row in tables["stops.txt"] if row["stop_id"].startswith("NL:")}
    trips = {row["trip_id"] for row in tables["stop_times.txt"] if row["stop_id"] in abroad}
    entered = {row["stop_id"] for row in tables["stop_times.txt"] if row["trip_id"] in trips} - abroad
    assert abroad and entered
    outside = {row["route_id"] for row in tables["routes.txt"] if row["agency_id"] == "sn-3"}
    trips = {row["trip_id"] for row in tables["trips.txt"] if row["route_id"] in outside}
    calls = {row["stop_id"].split(":")[1] for row in tables["stop_times.txt"] if row["trip_id"] in trips}
    assert calls == {"03404", "05913"}


def test_times_pass_midnight(feed: Feed) -> None:
    assert max(row["arrival_time"] for row in feed(OPERATOR)["stop_times.txt"]) > "26:00:00"
    assert max(row["arrival_time"] for row in feed(NATIONAL_LOCAL)["stop_times.txt"]) > "24:00:00"


def test_rail_has_another_column_order_and_a_column_nobody_declared(publishers: Path, feed: Feed) -> None:
    with zipfile.ZipFile(publishers / NATIONAL_RAIL) as archive:
        header = archive.read("stops.txt").decode().split("\n")[0]
        assert header == "stop_lon,stop_lat,stop_name,stop_id,parent_station,location_type,synthetic_quality"
    tables = feed(NATIONAL_RAIL)
    assert {row["route_type"] for row in tables["routes.txt"]} == {"106"}
    assert {row["departure_time"] for row in tables["stop_times.txt"]} >= {"5:08:00"}
    towns = {row["stop_name"].removesuffix(" Bahnhof") for row in tables["stops.txt"]}
    assert towns >= {"Münster", "Rheine", "Coesfeld", "Warendorf", "Ahlen", "Hamm"}


def test_the_feeds_have_about_thirty_thousand_calls_and_say_they_are_synthetic(feed: Feed) -> None:
    feeds = [feed(address) for address in (OPERATOR, NATIONAL_LOCAL, NATIONAL_RAIL)]
    assert 25_000 < sum(len(tables["stop_times.txt"]) for tables in feeds) < 35_000
    for tables in feeds:
        assert all("(synthetisch)" in row["agency_name"] for row in tables["agency.txt"])
        assert "(synthetisch)" in tables["feed_info.txt"][0]["feed_publisher_name"]


@pytest.mark.parametrize("address", [OPERATOR, NATIONAL_LOCAL, NATIONAL_RAIL])
def test_ids_are_unique_and_calls_run_forward(feed: Feed, address: str) -> None:
    tables = feed(address)
    for name, key in (("stops.txt", "stop_id"), ("trips.txt", "trip_id"), ("routes.txt", "route_id")):
        keys = [row[key] for row in tables[name]]
        assert len(keys) == len(set(keys))
    last: dict[str, tuple[int, str]] = {}
    for row in tables["stop_times.txt"]:
        now = (int(row["stop_sequence"]), row["arrival_time"].zfill(8))
        before = last.get(row["trip_id"])
        assert before is None or (before[0] < now[0] and before[1] <= now[1])
        last[row["trip_id"]] = (now[0], row["departure_time"].zfill(8))
