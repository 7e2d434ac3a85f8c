"""The whole pipeline through Airflow on the publishers' real files, as `../shared/mirror.py` serves them.

Every expected figure is counted here straight from the publishers' files, with the standard library.
"""

from __future__ import annotations

import csv
import io
import itertools
import json
import os
import re
import shutil
import statistics
import subprocess
import sys
import time
import zipfile
from collections import Counter, defaultdict
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest

from connectors.catalogue import load_source
from connectors.genesis import TableQuestion, download_table
from connectors.http import Client
from connectors.inbox import REST_S, collect
from connectors.landing import Landing
from tests.privacy.attacker import attack
from tests.privacy.published import hidden_here, of_parquet, whole

REPOSITORY = Path(__file__).resolve().parents[2]
SHARED = REPOSITORY.parent / "shared"

pytestmark = [pytest.mark.real, pytest.mark.long(6)]

KREISE = {"05515": 1, "05554": 17, "05558": 11, "05566": 24, "05570": 13}
AS_OF = "2026-11-22T12:00:00+00:00"
SERVICE_DATE = date(2026, 12, 1)


@pytest.fixture(scope="module")
def mirror(real: Path) -> Iterator[str]:
    """The address of the mirror, served for the time of these tests."""
    command = [sys.executable, str(SHARED / "mirror.py"), "--port", "0", "--routes", str(real / "routes.json")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as server:
        assert server.stdout is not None
        address = re.search(r"http://\S+", server.stdout.readline())
        assert address is not None
        yield address[0].rstrip("/")
        server.terminate()


def run(home: Path, mirror: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "INPUT": "mirror", "MIRROR": mirror, "REGION_HOME": str(home), "AS_OF": AS_OF}
    command = [sys.executable, "-m", "muensterland", "run"]
    return subprocess.run(
        command, cwd=REPOSITORY, env=environment, capture_output=True, text=True, timeout=900, check=False
    )


@pytest.fixture(scope="module")
def home(mirror: str, real: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("mirror")
    # Load profiles have no address: somebody dropped them, and a run two minutes later took them.
    source = load_source(REPOSITORY / "data/sources/bdew-load-profiles.yml")
    (home / "inbox" / source.id).mkdir(parents=True)
    for name in ("h25.csv", "g25.csv"):
        shutil.copy(real / "energy/bdew-standardlastprofile" / name, home / "inbox" / source.id)
    taken = collect(source, Landing(home / "landing", source.id), home / "inbox", time.time() + REST_S)
    assert (taken.new, taken.failed) == (2, 0)
    outcome = run(home, mirror)
    assert outcome.returncode == 0, outcome.stdout + outcome.stderr
    return home


@pytest.fixture(scope="module")
def release(home: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect(str(home / "releases/current/muensterland.duckdb"), read_only=True) as connection:
        yield connection


def rows(release: duckdb.DuckDBPyConnection, sql: str, *values: Any) -> list[tuple[Any, ...]]:
    return release.execute(sql, list(values)).fetchall()


def read_csv(path: Path, encoding: str = "utf-8-sig", delimiter: str = ";") -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(path.read_text(encoding=encoding)), delimiter=delimiter))


def test_all_66_municipalities_are_there(release: duckdb.DuckDBPyConnection) -> None:
    found = rows(release, "select kreis_ags, count(*) from marts.dim_municipality group by 1")
    assert dict(found) == KREISE
    assert rows(release, "select count(*) from marts.dim_municipality where geometry_wkb is null") == [(0,)]


def test_population_is_the_zensus_figure(release: duckdb.DuckDBPyConnection, real: Path) -> None:
    archive = real / "registers/zensus2022-ffcsv/1000A-0000_1773175153999_de_flat.zip"
    with zipfile.ZipFile(archive) as opened:
        text = opened.read(opened.namelist()[0]).decode("utf-8-sig")
    expected = {
        row["1_variable_attribute_code"][:5] + row["1_variable_attribute_code"][9:]: int(row["value"])
        for row in csv.DictReader(io.StringIO(text), delimiter=";")
        if row["1_variable_code"] == "GEOGM4" and row["1_variable_attribute_code"][:5] in KREISE
    }
    found = dict(rows(release, "select ags, population from marts.mart_population where source_id = 'zensus-2022'"))
    assert len(expected) == 66
    assert found == expected


def test_schools_per_municipality_are_those_of_the_file(release: duckdb.DuckDBPyConnection, real: Path) -> None:
    lines = (real / "registers/nrw-schuldaten/schuldaten.csv").read_text(encoding="utf-8-sig").splitlines(True)[1:]
    keys = [row["Gemeindeschluessel"] for row in csv.DictReader(lines, delimiter=";")]
    expected = Counter(key for key in keys if key[:5] in KREISE)
    assert expected.total() == 542
    assert dict(rows(release, "select ags, count(*) from marts.dim_school group by 1")) == expected


SiteDay = tuple[str, str, date]


def test_an_attacker_with_the_whole_release_finds_no_count_of_few(home: Path) -> None:
    """From all tables of persons, on the territory of their day and today's, and the indicators made of them."""
    read = of_parquet(home / "releases" / "current")
    hidden, known = hidden_here(read), attack(whole(read))
    assert len(hidden & known.keys()) == 32
    assert {one for one in hidden & known.keys() if known[one].is_found} == set()


def monthly_counts(folder: Path) -> Counter[SiteDay]:
    """The station's own column, which is the sum of the others, of every monthly file of quarter hours."""
    found: Counter[SiteDay] = Counter()
    for path in sorted(folder.glob("*/*.csv")):
        site = path.parent.name
        with path.open(encoding="utf-8", newline="") as stream:
            header, *lines = csv.reader(stream)
        assert header[1].startswith(f"{site} ("), path
        for line in lines:
            if line[1]:
                found[site, "bicycle", date.fromisoformat(line[0][:10])] += int(line[1])
    return found


def hourly_counts(folder: Path) -> Counter[SiteDay]:
    """The first column of the hourly files with US dates and a footer."""
    found: Counter[SiteDay] = Counter()
    for name, site in (("neutor", "100035541"), ("wolbecker", "100020113")):
        for path in sorted(folder.glob(f"zaehlstelle_{name}_*_stundenauswertung.csv")):
            with path.open(encoding="utf-8-sig", newline="") as stream:
                for line in csv.reader(stream):
                    stamp = re.fullmatch(r"(\d+)/(\d+)/(\d{4}) \d+:00", line[0])
                    # For two days it says what was the matter.
                    if stamp and line[1].isdecimal():
                        found[site, "bicycle", date(int(stamp[3]), int(stamp[1]), int(stamp[2]))] += int(line[1])
    return found


def loop_counts(folder: Path) -> Counter[SiteDay]:
    """The cells of the day files: a cross-section is a site; what is negative is no count.

    Rows with fewer values than the day has hours do not say of which hours they are, so nobody can count them.
    """
    found: Counter[SiteDay] = Counter()
    for path in sorted(folder.glob("*_24mq.csv")):
        day = date.fromisoformat(path.name[:10].replace("_", "-"))
        hours = 23 if day in (date(2015, 3, 29), date(2016, 3, 27)) else 24
        for line in path.read_text(encoding="utf-8").splitlines()[1:]:
            name, *cells = line.removesuffix(";").split(";")
            site = re.fullmatch(r"MQ_.* \((MQ\d+)\)", name)
            if site and len(cells) == hours:
                values = [int(cell) for cell in cells if cell.isdecimal()]
                if values:
                    found[site[1], "bicycle" if "DRad" in name else "car", day] += sum(values)
    return found


def test_count_per_site_and_day_is_that_of_all_files_of_every_layout(
    release: duckdb.DuckDBPyConnection, real: Path
) -> None:
    layouts = (
        monthly_counts(real / "mobility/ms-radverkehr-zaehlstellen"),
        hourly_counts(real / "mobility/ms-fahrradzaehlung-2015-2017"),
        loop_counts(real / "mobility/ms-kfz-zaehlstellen-24mq"),
    )
    assert [len(counts) > least for counts, least in zip(layouts, (5_500, 700, 10_000), strict=True)] == [True] * 3
    found = rows(
        release,
        "select site_id, mode, date, count from marts.mart_traffic_day where direction = 'both' and count is not null",
    )
    # No two layouts tell the same day of a site.
    assert sum(map(len, layouts)) == len(set().union(*layouts))
    assert {(site, mode, day): count for site, mode, day, count in found} == {
        key: count for counts in layouts for key, count in counts.items()
    }


@pytest.mark.parametrize(
    ("site", "day", "hours", "intervals"),
    [
        ("100020113", "2024-03-31", 23, 92),
        ("100035541", "2025-03-30", 23, 92),
        # The file has 96 rows; the four of 02:xx hold both passes, so they tell of eight intervals.
        ("100020113", "2024-10-27", 25, 100),
    ],
)
def test_clock_change_days_have_their_hours(
    release: duckdb.DuckDBPyConnection, site: str, day: str, hours: int, intervals: int
) -> None:
    found = rows(
        release,
        "select count(*), count(distinct hour_at), sum(intervals_measured) from marts.fct_count_hour "
        "where site_id = ? and mode = 'bicycle' and direction = 'both' and cast(hour_local as date) = ?",
        site,
        day,
    )
    assert found == [(hours, hours, intervals)]


# Technology -> column of the download, column of LocalZero.
TECHNOLOGIES = {
    **{"solar": ("Photovoltaik", "pv"), "wind": ("Wind Onshore", "wind_on")},
    **{"biomass": ("Biomasse", "biomass"), "hydro": ("Wasserkraft", "water")},
}
MONTHS = (
    *("Januar", "Februar", "März", "April", "Mai", "Juni"),
    *("Juli", "August", "September", "Oktober", "November", "Dezember"),
)
# Public holidays of North Rhine-Westphalia in 2021.
HOLIDAYS = {
    *(date(2021, *day) for day in ((1, 1), (4, 2), (4, 5), (5, 1), (5, 13), (5, 24), (6, 3))),
    *(date(2021, *day) for day in ((10, 3), (11, 1), (12, 25), (12, 26))),
}


def national_months(real: Path, title: str) -> Counter[str]:
    """MWh of a source per local month, by the download's own dates."""
    path = real / "energy/smard-realisierte-erzeugung-2020-2021/Realisierte_Erzeugung_Strommix.csv"
    months: Counter[str] = Counter()
    for row in read_csv(path):
        months[f"{row['Datum'][6:]}-{row['Datum'][3:5]}"] += int(row[f"{title}[MWh]"].replace(".", ""))
    return months


@pytest.mark.parametrize("technology", TECHNOLOGIES)
def test_a_yield_is_the_municipalitys_part_of_the_nations(
    release: duckdb.DuckDBPyConnection, real: Path, technology: str
) -> None:
    title, column = TECHNOLOGIES[technology]
    generation = national_months(real, title)
    with (real / "energy/localzero-renewable-energy/2021.csv").open(encoding="utf-8") as stream:
        (nation,) = (float(row[column]) for row in csv.DictReader(stream) if row["ags"] == "DG000000")
    found = rows(
        release,
        "select ags, strftime(month, '%Y-%m'), gross_capacity_kw, yield_mwh_estimated, reason "
        "from marts.mart_energy_yield where technology = ? and month < date '2021-09-01'",
        technology,
    )
    assert len(found) == 66 * 10
    for ags, month, kilowatt, mwh, reason in found:
        # November of 2020 begins with the 4th, July of 2021 ends with the 10th; August has nothing.
        if month in ("2020-11", "2021-07"):
            assert (mwh, reason) == (None, "market_incomplete")
        elif month == "2021-08":
            assert (mwh, reason) == (None, "market_missing")
        else:
            assert float(mwh) == pytest.approx(float(kilowatt) / nation * generation[month], abs=0.002), (ags, month)
            assert reason is None


def test_quarter_hours_of_the_market_are_those_of_the_download(release: duckdb.DuckDBPyConnection, real: Path) -> None:
    months = national_months(real, "Erdgas")
    found = rows(
        release,
        "select strftime(start_local, '%Y-%m'), sum(value) from marts.fct_market_quarter_hour "
        "where series = 'generation_gas' group by 1",
    )
    assert {month: int(value) for month, value in found} == months
    # Four series come by the API too, which speaks first, and says the same.
    speaking = rows(release, "select distinct source_id from marts.fct_market_quarter_hour where series like '%solar'")
    assert speaking == [("smard",)]
    compared = rows(
        release, "select count(*), sum(intervals), max(largest_difference) from marts.mart_market_comparison"
    )
    assert compared == [(4 * 9, 4 * 23_900, 0)]


def test_demand_is_heads_times_the_profiles_month(release: duckdb.DuckDBPyConnection, real: Path) -> None:
    with (real / "energy/bdew-standardlastprofile/g25.csv").open(encoding="utf-8") as stream:
        months, kinds, *lines = csv.reader(stream)
    of_day = {
        (month, kind): sum(float(line[place]) for line in lines)
        for place, (month, kind) in enumerate(zip(months, kinds, strict=True))
        if month
    }
    changed = {
        (month, kind): sum(float(line[place]) for line in lines if line[0].startswith("02:"))
        for place, (month, kind) in enumerate(zip(months, kinds, strict=True))
        if month
    }
    energy: Counter[int] = Counter()
    for number in range(365):
        day = date(2021, 1, 1) + timedelta(days=number)
        late = (day.month, day.day) in ((12, 24), (12, 31))
        kind = "FT" if day in HOLIDAYS or day.weekday() == 6 else "SA" if day.weekday() == 5 or late else "WT"
        key = (MONTHS[day.month - 1], kind)
        clock = {date(2021, 3, 28): -1, date(2021, 10, 31): 1}.get(day, 0)
        energy[day.month] += of_day[key] + clock * changed[key]
    found = rows(
        release,
        "select population, extract(month from month), commerce_mwh_estimated from marts.mart_energy_balance "
        "where ags = '05515000' and month between date '2021-01-01' and date '2021-12-31'",
    )
    assert len(found) == 12
    for population, month, mwh in found:
        assert float(mwh) == pytest.approx(population * 1.660 * energy[month] / energy.total(), rel=1e-6)


def test_series_of_the_city_are_those_of_its_file(release: duckdb.DuckDBPyConnection, real: Path) -> None:
    lines = read_csv(real / "energy/ms-klimadashboard/klimadata.csv")
    keys = {tuple(line[name] for name in ("DATEINAME", "MERKMAL", "ZEIT", "WERTEEINHEIT")) for line in lines}
    found = rows(release, "select count(*), count(*) filter (where is_target) from marts.mart_municipal_energy_series")
    targets = {key for key in keys if "(Zielwert)" in key[1] or key[2] > "2026-11-22"}
    assert found == [(len(keys), len(targets))]
    assert len(keys) == len(lines) - 1


def test_devices_that_lie_elsewhere_are_a_finding(release: duckdb.DuckDBPyConnection) -> None:
    found = rows(
        release,
        "select code, subject, count from marts.mart_energy_finding "
        "where code in ('charging_elsewhere', 'charging_far')",
    )
    assert sorted(found) == [("charging_elsewhere", "05515000", 4), ("charging_far", "05515000", 1)]
    conflicts = rows(
        release,
        "select ags, location_precision, count(*), cast(round(max(stated_distance_m) / 1000) as integer) "
        "from marts.dim_charging_station where is_location_conflict group by ags, location_precision order by ags",
    )
    # Three devices at one address of Greven, one near Wesel.
    assert conflicts == [("05515000", "municipality", 1, 82), ("05566012", "point", 3, 12)]


def test_charging_points_are_those_of_the_register(release: duckdb.DuckDBPyConnection) -> None:
    found = rows(
        release,
        "select count(*), sum(charging_points), sum(cast(power_kw as decimal(18, 2))) from marts.dim_charging_station",
    )
    assert [float(value) for value in found[0]] == [166, 321, 8449.59]
    repeated = rows(release, "select count(*) from marts.dim_charging_station where is_repeated_row")
    assert repeated[0][0] > 0
    latest = rows(
        release,
        "select sum(charging_points), sum(power_kw) from marts.mart_charging "
        "where month = (select max(month) from marts.mart_charging)",
    )
    assert [float(value) for value in latest[0]] == [321, 8449.59]
    # The file is the city's excerpt: of other municipalities nothing is said, but for the points that lie there.
    assert rows(release, "select distinct value_status from marts.mart_charging where charging_points is null") == [
        ("missing",)
    ]


def test_a_sensor_that_reports_zeros_for_days_is_not_believed(release: duckdb.DuckDBPyConnection) -> None:
    found = rows(
        release,
        "select count(*), sum(count), count(count_validated), min(value_status), max(value_status) "
        "from marts.mart_traffic_day "
        "where site_id = '300037920' and direction = 'both' and date between '2025-03-13' and '2025-03-30'",
    )
    assert found == [(18, 0, 0, "unreliable", "unreliable")]


def test_every_day_that_is_not_validated_as_reported_has_a_finding_that_says_why(
    release: duckdb.DuckDBPyConnection,
) -> None:
    doubted = rows(
        release,
        "select site_id, mode, direction, date, status_reason from marts.mart_traffic_day "
        "where count is not null and count_validated is distinct from count",
    )
    findings: dict[str, list[tuple[date, date, str]]] = defaultdict(list)
    for site, first, last, code in rows(
        release, "select site_id, first_date, last_date, code from marts.mart_counting_finding"
    ):
        findings[site].append((first, last, code))
    silent = [
        (site, mode, direction, day, reason)
        for site, mode, direction, day, reason in doubted
        if not any(first <= day <= last and code == reason for first, last, code in findings[site])
    ]
    assert len(doubted) > 500
    assert silent == []


def test_imputed_hours_are_in_no_sum(release: duckdb.DuckDBPyConnection) -> None:
    (imputed,) = rows(
        release,
        "select sum(hours_imputed), count(case when count_validated is null then count_imputed end) "
        "from marts.mart_traffic_day",
    )
    assert imputed[0] > 0 and imputed[1] > 0
    for mart, period in (("month", "date_trunc('month', date)::date"), ("year", "year(date)")):
        told, others = rows(
            release,
            f"""
            with days as (
                select site_id, mode, direction, {period} as {mart}, sum(count_validated) as validated
                from marts.mart_traffic_day group by all
            )
            select
                count(sums.count_validated),
                count(case when sums.count_validated <> days.validated then 1 end)
            from marts.mart_traffic_{mart} as sums
            inner join days using (site_id, mode, direction, {mart})
            """,
        )[0]
        assert told > 0 and others == 0, mart


def test_installed_capacity_is_localzeros(release: duckdb.DuckDBPyConnection, real: Path) -> None:
    columns = {"solar": "pv", "wind": "wind_on", "biomass": "biomass", "hydro": "water"}
    reference = read_csv(real / "energy/localzero-renewable-energy/2024.csv", delimiter=",")
    expected = {
        (row["ags"], technology): float(row[column])
        for row in reference
        for technology, column in columns.items()
        if row["ags"][:5] in KREISE and not (row["ags"].endswith("000") and row["ags"] != "05515000")
    }
    found = rows(
        release,
        "select ags, technology, gross_capacity_kw from marts.mart_energy_capacity where month = '2024-12-01'",
    )
    assert len(expected) == 66 * 4
    assert {(ags, technology): float(kw) for ags, technology, kw in found} == pytest.approx(expected, abs=0.001)


def test_departures_and_visits_per_stop_are_those_of_the_feed(release: duckdb.DuckDBPyConnection, real: Path) -> None:
    departures, visits = count_service(real / "standin/stadtwerke_feed.zip", SERVICE_DATE)
    found = rows(
        release, "select stop_id, departures, visits from marts.fct_departure_day where service_date = ?", SERVICE_DATE
    )
    assert len(visits) > 500
    assert {stop: seen for stop, _, seen in found} == visits
    assert {stop: count for stop, count, _ in found if count} == departures


def test_day_types_are_those_of_the_feed_hour_by_hour(release: duckdb.DuckDBPyConnection, real: Path) -> None:
    """Departures, headways and direct trips of every day type, counted by plain loops over the feed."""
    dates = dict(rows(release, "select distinct day_type, service_date from marts.mart_transit_supply_daytype"))
    assert {"school_day", "saturday", "sunday_or_public_holiday"} <= dates.keys()
    municipality = dict(rows(release, "select stop_id, ags from marts.dim_stop where ags is not null"))
    hours: Counter[tuple[str, str, int]] = Counter()
    intervals: dict[tuple[str, str, int], list[int]] = defaultdict(list)
    rides: dict[tuple[str, str, str], list[int]] = defaultdict(list)
    for day_type, day in dates.items():
        route_of, trips = calls_of(real / "standin/stadtwerke_feed.zip", day)
        moments: dict[tuple[str, str], set[int]] = defaultdict(set)
        for trip_id, calls in trips.items():
            shortest: dict[tuple[str, str], int] = {}
            for place, call in enumerate(calls[:-1]):
                start = municipality.get(call["stop_id"])
                if start is None or call["pickup_type"] == "1":
                    continue
                left = seconds(call["departure_time"])
                hours[start, day_type, left // 3600] += 1
                moments[call["stop_id"], route_of[trip_id]].add(left)
                for later in calls[place + 1 :]:
                    end = municipality.get(later["stop_id"])
                    if end is not None and end != start and later["drop_off_type"] != "1":
                        ride = seconds(later["arrival_time"]) - left
                        shortest[start, end] = min(ride, shortest.get((start, end), ride))
            for (start, end), ride in shortest.items():
                rides[start, end, day_type].append(ride)
        for (stop_id, _), times in moments.items():
            for before, after in itertools.pairwise(sorted(times)):
                intervals[municipality[stop_id], day_type, after // 3600].append(after - before)
    found = rows(
        release, "select ags, day_type, hour, departures, median_headway_s from marts.mart_transit_supply_daytype"
    )
    assert sum(hours.values()) > 10_000
    assert {(ags, kind, hour): count for ags, kind, hour, count, _ in found} == hours
    assert {(ags, kind, hour): median for ags, kind, hour, _, median in found if median is not None} == {
        key: statistics.median(gaps) for key, gaps in intervals.items()
    }
    found = rows(
        release,
        "select from_ags, to_ags, day_type, direct_trips, fastest_s, median_s from marts.mart_transit_connection",
    )
    assert len(found) == len(rides) > 4
    assert {row[:3]: row[3:] for row in found} == {
        key: (len(times), min(times), statistics.median(times)) for key, times in rides.items()
    }


def seconds(time: str) -> int:
    """A GTFS time after noon minus 12 h."""
    hours, minutes, rest = map(int, time.split(":"))
    return hours * 3600 + minutes * 60 + rest


def calls_of(feed: Path, day: date) -> tuple[dict[str, str], dict[str, list[dict[str, str]]]]:
    """The route's name per trip, and the calls of each trip that runs on the day, in their order."""
    with zipfile.ZipFile(feed) as archive:
        routes, trips = (
            list(csv.DictReader(io.TextIOWrapper(archive.open(f"{name}.txt"), "utf-8-sig")))
            for name in ("routes", "trips")
        )
    names = {row["route_id"]: row["route_short_name"] or row["route_long_name"] or row["route_id"] for row in routes}
    calls, _ = service_calls(feed, day)
    found: dict[str, list[dict[str, str]]] = defaultdict(list)
    for call in sorted(calls, key=lambda call: int(call["stop_sequence"])):
        found[call["trip_id"]].append(call)
    return {row["trip_id"]: names[row["route_id"]] for row in trips}, found


def count_service(feed: Path, day: date) -> tuple[Counter[str], Counter[str]]:
    """Departures and visits per stop on a day, counted by the definitions of the design and nothing of the project."""
    calls, last = service_calls(feed, day)
    visits = Counter(row["stop_id"] for row in calls)
    departures = Counter(
        row["stop_id"]
        for row in calls
        if int(row["stop_sequence"]) != last[row["trip_id"]] and row["pickup_type"] != "1"
    )
    return departures, visits


def service_calls(feed: Path, day: date) -> tuple[list[dict[str, str]], dict[str, int]]:
    """The stop_times of a day, and each trip's last stop_sequence."""
    with zipfile.ZipFile(feed) as archive:
        tables = {
            name: list(csv.DictReader(io.TextIOWrapper(archive.open(f"{name}.txt"), "utf-8-sig")))
            for name in ("calendar", "calendar_dates", "trips", "stop_times")
        }
    text, weekday = f"{day:%Y%m%d}", f"{day:%A}".lower()
    services = {
        row["service_id"]
        for row in tables["calendar"]
        if row[weekday] == "1" and row["start_date"] <= text <= row["end_date"]
    }
    for row in tables["calendar_dates"]:
        if row["date"] == text:
            (services.add if row["exception_type"] == "1" else services.discard)(row["service_id"])
    trips = {row["trip_id"] for row in tables["trips"] if row["service_id"] in services}
    calls = [row for row in tables["stop_times"] if row["trip_id"] in trips]
    last: dict[str, int] = {}
    for row in calls:
        last[row["trip_id"]] = max(last.get(row["trip_id"], -1), int(row["stop_sequence"]))
    return calls, last


def test_a_second_run_downloads_and_parses_nothing(home: Path, mirror: str) -> None:
    before = (home / "releases/current").resolve()
    outcome = run(home, mirror)
    assert outcome.returncode == 0, outcome.stdout + outcome.stderr
    assert "nothing in force has changed" in outcome.stdout
    assert (home / "releases/current").resolve() == before
    for path in (home / "status").glob("*.json"):
        status = json.loads(path.read_text(encoding="utf-8"))
        assert (status["fetch"]["new"], status["fetch"]["bytes"], status["parse"]["parsed"]) == (0, 0, 0), path.name


def test_every_source_accounts_for_every_record(home: Path) -> None:
    states = [json.loads(path.read_text(encoding="utf-8"))["parse"] for path in (home / "status").glob("*.json")]
    assert len(states) >= 9
    for state in states:
        assert state["read"] == state["staged"] + state["rejected"] + state["out_of_scope"], state["source_id"]
    # Goals are dropped by municipalities: nobody did.
    assert {state["source_id"] for state in states if state["read"] == 0} == {"municipal-monitor"}


def test_no_month_of_the_counters_is_left_out(release: duckdb.DuckDBPyConnection) -> None:
    gaps = rows(
        release,
        "select site_id, date from marts.mart_traffic_day where direction = 'both' order by site_id, mode, date",
    )
    for (site, day), (next_site, next_day) in itertools.pairwise(gaps):
        if site == next_site:
            assert next_day - day <= timedelta(days=1), (site, day)


def test_a_table_too_large_to_be_answered_comes_whole_by_the_hosts_job(mirror: str, real: Path, tmp_path: Path) -> None:
    waits: list[float] = []
    client = Client(lambda url: f"{mirror}/{url.removeprefix('https://')}", waits.append)
    question = TableQuestion(
        "https://www-genesis.destatis.de/genesisWS/rest/2020",
        "12531-0043",
        form={},
        credentials=None,
        size_limit_bytes=2**24,
        time_limit_s=60,
    )
    answer = download_table(question, client, tmp_path / "table.zip", known_update=None)
    published = real / "registers/destatis-genesis-ffcsv/12531-0043_175879554_flat.zip"
    assert (answer.status, answer.etag, waits) == (200, "28.12.2022 17:16:03h", [])
    assert (tmp_path / "table.zip").read_bytes() == published.read_bytes()


STATUS_OF_MARK = {
    "-": "measured",
    ".": "missing",
    "...": "missing",
    "": "missing",
    "x": "suppressed",
    "/": "unreliable",
}
FACTORS = {"1000": (1_000, "Anzahl"), "Tsd. EUR": (1_000, "EUR"), "1000 qm": (1_000, "qm")}


def statistic_of_file(archive: Path) -> dict[tuple[str, str], list[float | None]]:
    """Per unit and status the values of the region's lines, None where there is no number, as the file has them."""
    with zipfile.ZipFile(archive) as members:
        text = members.read(members.namelist()[0]).decode("utf-8-sig")
    found: dict[tuple[str, str], list[float | None]] = defaultdict(list)
    for line in csv.DictReader(io.StringIO(text), delimiter=";"):
        areas = [line[name] for name in line if name[1:] == "_variable_attribute_code"]
        if not any(re.fullmatch(r"\d{5}|\d{8}|\d{12}", area) and area[:5] in KREISE for area in areas):
            continue
        factor, unit = FACTORS.get(line["value_unit"], (1, line["value_unit"]))
        is_uncertain = line.get("value_q") not in (None, "", "e")
        status = STATUS_OF_MARK.get(line["value"], "unreliable" if is_uncertain else "measured")
        if line["value"] == "-":
            found[unit, status].append(0.0)
        elif line["value"] in STATUS_OF_MARK:
            found[unit, status].append(None)
        else:
            found[unit, status].append(round(float(line["value"].replace(",", ".")) * factor, 6))
    return found


def test_every_table_of_the_region_is_in_the_mart_status_by_status(
    release: duckdb.DuckDBPyConnection, real: Path
) -> None:
    served = rows(release, "select table_code, source_id from marts.dim_statistic_table order by 1")
    assert len(served) == 15
    totals, protected = 0, {}
    for table, source in served:
        (archive, *_) = sorted((real / "registers").glob(f"*-ffcsv/{table}_*flat.zip"))
        told: dict[tuple[str, str], list[float | None]] = defaultdict(list)
        for unit, status, value in rows(
            release,
            "select unit, value_status, round(value, 6) from marts.mart_statistic "
            "where table_code = ? and source_id = ? and reason is distinct from 'disclosure_control'",
            table,
            source,
        ):
            told[unit, status].append(value)
        expected = statistic_of_file(archive)
        totals += sum(map(len, expected.values()))
        hidden = Counter(expected["Anzahl", "measured"]) - Counter(told["Anzahl", "measured"])
        if hidden:
            # Few persons, and what would tell them: the rest is there, value by value.
            protected[table] = (hidden.total(), sum(count for value, count in hidden.items() if 0 < (value or 0) < 5))
            told["Anzahl", "measured"].extend(hidden.elements())
        assert {key: Counter(values) for key, values in told.items() if values} == {
            key: Counter(values) for key, values in expected.items() if values
        }, table
    by_mart = rows(
        release,
        "select table_code, count(*) from marts.mart_statistic where reason = 'disclosure_control' group by all",
    )
    assert dict(by_mart) == {table: count for table, (count, _) in protected.items()}
    # Students alone are counted so small: of 32 hidden lines 4 are of one to four, counted in the file.
    assert protected == {"21311-01-01-4-B": (32, 4)}
    # Of the tables that other publishers keep, LocalZero and the city, there is no such file.
    counted = rows(
        release,
        "select source_id in (select source_id from marts.dim_statistic_table) as is_genesis, "
        "count(*), count(period_end_date) from marts.mart_statistic group by all order by 1",
    )
    assert counted == [(False, 1520, 1520), (True, totals, totals)]
