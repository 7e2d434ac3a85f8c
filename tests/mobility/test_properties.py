"""Whatever small counters hold, the marts say what plain loops count, in whatever order their files came."""

from __future__ import annotations

import random
import statistics
from collections import Counter as Tally
from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import date, timedelta
from typing import Any

import pytest

from connectors.catalogue import Source
from tests.dbt_project.conftest import Built
from tests.mobility.random_counters import AUTUMN, SPRING, Counter, days_of, random_counter, told_again
from tests.mobility.world import CounterWorld, counters

SEEDS = range(6)
# AS_OF of the build is in November 2026.
RUNNING_MONTH, RUNNING_YEAR = date(2026, 11, 1), 2026
pytestmark = pytest.mark.long(1)

Key = tuple[str, str, str]
Sources = tuple[Source, Source, Source]
Files = list[tuple[Source, str, str, bytes]]


@pytest.fixture(scope="module")
def sources() -> tuple[Source, Source, Source]:
    """Two publishers, of Münster and of Bocholt, with the counters of even and odd seeds; and an archive."""
    archive = counters("archive", "05515000").model_copy(update={"priority": 60})
    return counters("city-counters", "05515000"), counters("town-counters", "05554008"), archive


@pytest.fixture(scope="module")
def found() -> tuple[Counter, ...]:
    return tuple(random_counter(seed) for seed in SEEDS)


@pytest.fixture(scope="module")
def archived(found: tuple[Counter, ...]) -> Counter:
    """What the archive tells of the first counter: a month before it, one beside it, one of its outage."""
    return told_again(found[0], ("2024-12", "2025-06", "2025-07"), seed=100)


@pytest.fixture(scope="module")
def files(sources: Sources, found: tuple[Counter, ...], archived: Counter) -> Files:
    """Source, station, month and content of every file, station by station and month by month."""
    told = [(sources[seed % 2], counter) for seed, counter in zip(SEEDS, found, strict=True)]
    return [
        (source, counter.station, month, content)
        for source, counter in [*told, (sources[2], archived)]
        for month, content in counter.months.items()
    ]


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory, sources: Sources, files: Files) -> Built:
    """Each file once, one after the other."""
    world = CounterWorld(tmp_path_factory.mktemp("once"))
    for source, station, month, content in files:
        world.land_month(source, station, month, content)
    for source in sources:
        world.parse(source)
    return world.built()


@pytest.fixture(scope="module")
def shuffled(tmp_path_factory: pytest.TempPathFactory, sources: Sources, files: Files) -> Built:
    """The same files in any sequence, some first as their month had just begun, all imported twice."""
    roll = random.Random(4711)
    world = CounterWorld(tmp_path_factory.mktemp("shuffled"))
    files = list(files)
    roll.shuffle(files)
    for source, station, month, content in files[::4]:
        begun = b"".join(content.splitlines(keepends=True)[:200])
        world.land_month(source, station, month, begun)
    for _ in range(2):
        for source, station, month, content in files:
            world.land_month(source, station, month, content)
        for source in reversed(sources):
            world.parse(source)
        roll.shuffle(files)
    return world.built()


def groups(built: Built, columns: str, mart: str = "mart_traffic_day") -> dict[Key, list[tuple[Any, ...]]]:
    """The mart's rows per site, mode and direction."""
    rows: dict[Key, list[tuple[Any, ...]]] = defaultdict(list)
    for site, mode, direction, *rest in built.query(
        f"select site_id, mode, direction, {columns} from marts.{mart} order by all"
    ):
        rows[site, mode, direction].append(tuple(rest))
    return rows


# -- the calendar, without the project's ---------------------------------------------------------------------------


def easter(year: int) -> date:
    """Easter Sunday (Gregorian; the anonymous algorithm of 1876)."""
    a, (b, c) = year % 19, divmod(year, 100)
    (d, e), g = divmod(b, 4), (b - (b + 8) // 25 + 1) // 3
    h = (19 * a + b - d - g + 15) % 30
    i, k = divmod(c, 4)
    left = (32 + 2 * e + 2 * i - h - k) % 7
    m = (a + 11 * h + 22 * left) // 451
    month, day = divmod(h + left - 7 * m + 114, 31)
    return date(year, month, day + 1)


def holidays(year: int) -> set[date]:
    """Public holidays of North Rhine-Westphalia: Feiertagsgesetz NW, section 2."""
    moving = {easter(year) + timedelta(days=n) for n in (-2, 1, 39, 50, 60)}
    return moving | {date(year, *day) for day in ((1, 1), (5, 1), (10, 3), (11, 1), (12, 25), (12, 26))}


HOLIDAYS = holidays(2024) | holidays(2025) | holidays(2026)


def group_of(day: date) -> str:
    if day in HOLIDAYS or day.isoweekday() == 7:
        return "sunday"
    return "saturday" if day.isoweekday() == 6 else "working"


def days_in(first: date, last: date) -> list[date]:
    return [first + timedelta(days=n) for n in range((last - first).days + 1)]


def in_month(month: date) -> int:
    return ((month + timedelta(days=31)).replace(day=1) - month).days


def hours_in(day: date) -> int:
    return 23 if day in SPRING else 25 if day in AUTUMN else 24


# -- the loops -------------------------------------------------------------------------------------------------------


def test_the_worlds_hold_what_makes_counters_hard(found: tuple[Counter, ...], built: Built) -> None:
    assert {len(counter.channels) for counter in found} >= {1, 2, 3}
    assert any(counter.channels[0][0] == counter.station for counter in found)
    assert any(counter.channels[0][0] != counter.station for counter in found)
    assert any("Fahrräder" in label for counter in found for _, label in counter.channels)
    changes = [day for counter in found for _, direction, day in days_of(counter) if direction == "both"]
    assert {*SPRING, *AUTUMN} <= set(changes)
    status = Tally(row[0] for row in built.query("select value_status from marts.mart_traffic_day"))
    assert min(status[word] for word in ("measured", "corrected", "unreliable", "missing")) > 2
    places = built.query("select distinct ags from marts.dim_counting_site order by 1")
    assert places == [("05515000",), ("05554008",)]


def test_count_per_site_direction_and_day_is_that_of_the_files(
    found: tuple[Counter, ...], archived: Counter, built: Built
) -> None:
    expected = {key: count for counter in found for key, count in days_of(counter).items()}
    # Of a day that the counter's own publisher tells, the archive says nothing.
    told = {day for station, _, day in expected if station == archived.station}
    kept = {key: count for key, count in days_of(archived).items() if key[2] not in told}
    assert {day.replace(day=1) for _, _, day in kept} == {date(2024, 12, 1), date(2025, 7, 1)}
    rows = built.query("select site_id, direction, date, count from marts.mart_traffic_day where count is not null")
    assert len(rows) > 1_000
    assert {(site, direction, day): count for site, direction, day, count in rows} == expected | kept


def test_a_day_is_the_sum_of_its_hours(built: Built) -> None:
    hours: dict[tuple[Key, date], list[tuple[Any, ...]]] = defaultdict(list)
    columns = "hour_local, count, count_validated, count_imputed, intervals_measured, intervals_expected"
    for key, rows in groups(built, columns, "fct_count_hour").items():
        for hour_local, *rest in rows:
            hours[key, hour_local.date()].append(tuple(rest))
    expected = {}
    for (key, day), of_day in hours.items():
        counts = [count for count, *_ in of_day if count is not None]
        validated = [value for _, value, *_ in of_day]
        filled = [imputed if value is None else value for _, value, imputed, *_ in of_day]
        whole = len(of_day) == hours_in(day)
        measured, intervals = (sum(row[place] for row in of_day) for place in (3, 4))
        expected[key, day] = (
            sum(counts) if counts else None,
            sum(validated) if whole and None not in validated else None,
            sum(filled) if whole and None not in filled else None,
            sum(value is None and fill is not None for value, fill in zip(validated, filled, strict=True)),
            measured / (intervals * hours_in(day) / len(of_day)),
        )
    columns = "date, count, count_validated, count_imputed, hours_imputed, completeness_share"
    told = {(key, day): tuple(rest) for key, rows in groups(built, columns).items() for day, *rest in rows}
    assert told == expected


def test_a_month_is_that_of_a_plain_loop(built: Built) -> None:
    expected = {}
    for key, rows in groups(built, "date, count, count_validated").items():
        for month in {day.replace(day=1) for day, *_ in rows}:
            of_month = [row for row in rows if row[0].replace(day=1) == month]
            complete = [value for _, _, value in of_month if value is not None]
            counts = [count for _, count, _ in of_month if count is not None]
            enough = 10 * len(complete) >= 7 * in_month(month)
            expected[key, month] = (
                sum(counts) if counts else None,
                sum(complete) if enough else None,
                statistics.fmean(complete) if enough else None,
                len(complete),
                in_month(month),
                month == RUNNING_MONTH,
                None if enough else "too_few_complete_days" if complete else "no_complete_day",
            )
    columns = "month, count, count_validated, mean_per_complete_day, complete_days, days_in_month, is_running, reason"
    told = {
        (key, month): tuple(rest)
        for key, rows in groups(built, columns, "mart_traffic_month").items()
        for month, *rest in rows
    }
    assert told == expected
    assert len({row[-1] for row in told.values()}) == 3


def mean(values: Iterable[int]) -> float | None:
    found = list(values)
    return statistics.fmean(found) if found else None


def test_a_year_is_that_of_a_plain_loop(built: Built) -> None:
    expected = {}
    for key, rows in groups(built, "date, count_validated").items():
        for year in {day.year for day, _ in rows}:
            calendar = Tally(map(group_of, days_in(date(year, 1, 1), date(year, 12, 31))))
            complete = {day: count for day, count in rows if day.year == year and count is not None}
            grouped = {
                name: [count for day, count in complete.items() if group_of(day) == name]
                for name in ("working", "saturday", "sunday")
            }
            cells: dict[tuple[int, int], list[int]] = defaultdict(list)
            for day, count in complete.items():
                cells[day.month, day.isoweekday()].append(count)
            enough = 10 * len(complete) >= 7 * calendar.total()
            told = {name: 10 * len(counts) >= 7 * calendar[name] for name, counts in grouped.items()}
            expected[key, year] = (
                mean(complete.values()) if enough else None,
                mean(map(statistics.fmean, cells.values())) if enough and len(cells) == 84 else None,
                *(mean(counts) if enough and told[name] else None for name, counts in grouped.items()),
                len(complete),
                calendar.total(),
                len(grouped["working"]),
                calendar["working"],
                year == RUNNING_YEAR,
            )
    columns = (
        "year, dtv, dtv_balanced, dtv_working_days, dtv_saturdays, dtv_sundays_and_holidays, complete_days, "
        "days_in_year, complete_working_days, working_days_in_year, is_running"
    )
    told_rows = {
        (key, year): tuple(rest)
        for key, rows in groups(built, columns, "mart_traffic_year").items()
        for year, *rest in rows
    }
    assert told_rows.keys() == expected.keys()
    for place, row in told_rows.items():
        # The mean of means is made of decimals of six digits.
        assert row == pytest.approx(expected[place], abs=1e-5), place
    assert sum(row[0] is not None for row in told_rows.values()) > 2
    assert sum(row[0] is None for row in told_rows.values()) > 2


def test_a_profile_is_that_of_a_plain_loop(built: Built) -> None:
    schools = dict(built.query("select date, is_school_holiday from marts.dim_date where year >= 2024"))
    expected = {}
    for key, rows in groups(built, "hour_local, count_validated", "fct_count_hour").items():
        cells: dict[tuple[int, int, int], list[tuple[date, int]]] = defaultdict(list)
        for hour_local, count in rows:
            day = hour_local.date()
            if count is not None and day not in HOLIDAYS and hours_in(day) == 24:
                cells[day.year, day.isoweekday(), hour_local.hour].append((day, count))
        means = {cell: statistics.fmean(count for _, count in found) for cell, found in cells.items()}
        weeks = Tally(year for year, _, _ in cells)
        for (year, weekday, hour), found in cells.items():
            week = sum(value for cell, value in means.items() if cell[0] == year)
            at_school = [count for day, count in found if weekday < 6 and not schools[day]]
            expected[key, year, weekday, hour] = (
                24 * (weekday - 1) + hour + 1,
                statistics.median(count for _, count in found),
                means[year, weekday, hour],
                means[year, weekday, hour] / week if weeks[year] == 168 else None,
                len(found),
                mean(at_school),
                len(at_school),
            )
    columns = (
        "year, weekday, hour, hour_of_week, median_count, mean_count, share_of_week, days, mean_count_school_days, "
        "school_days"
    )
    told = {
        (key, year, weekday, hour): tuple(rest)
        for key, rows in groups(built, columns, "mart_traffic_profile").items()
        for year, weekday, hour, *rest in rows
    }
    assert told.keys() == expected.keys()
    assert all(row == pytest.approx(expected[place], abs=1e-7) for place, row in told.items())
    assert len(told) > 1_000


def test_a_trend_is_that_of_a_plain_loop(found: tuple[Counter, ...], built: Built) -> None:
    municipality = {
        counter.station: ("05515000", "05554008")[seed % 2] for seed, counter in zip(SEEDS, found, strict=True)
    }
    sites: dict[tuple[str, int], tuple[int, int, int]] = {}
    for (site, _, direction), rows in groups(built, "date, count_validated").items():
        if direction != "both":
            continue
        days: Mapping[date, int | None] = dict(rows)
        iso = {day.isocalendar()[:3]: day for day in days}
        years = {year for year, _, _ in iso}
        for year in {year for year in years if year - 1 in years}:
            pairs = []
            for (of_year, week, weekday), day in iso.items():
                former = iso.get((year - 1, week, weekday))
                if of_year == year and former is not None and group_of(day) == group_of(former):
                    now, before = days[day], days[former]
                    if now is not None and before is not None:
                        pairs.append((now, before))
            sites[site, year] = (len(pairs), sum(now for now, _ in pairs), sum(before for _, before in pairs))
    expected: dict[tuple[str, str, int], tuple[Any, ...]] = {}
    areas: dict[tuple[str, str, int], list[tuple[int, int, int]]] = defaultdict(list)
    for (site, year), (compared, now, before) in sites.items():
        enough = compared >= 91
        expected["site", site, year] = (
            int(enough), compared, now if compared else None, before if compared else None,
            now / before - 1 if enough else None,
        )  # fmt: skip
        for area in (
            ("municipality", municipality[site]),
            ("kreis", municipality[site][:5]),
            ("region", "muensterland"),
        ):
            areas[(*area, year)] += [(compared, now, before)] if enough else []
    for area_key, members in areas.items():
        totals = [sum(part) for part in zip(*members, strict=True)] or [0, None, None]
        change = totals[1] / totals[2] - 1 if members else None
        expected[area_key] = (len(members), *totals, change)
    told = {
        (level, place, year): tuple(rest)
        for level, place, year, *rest in built.query(
            "select level, place_id, year, sites, compared_days, count, former_count, change_share "
            "from marts.mart_traffic_trend"
        )
    }
    assert told == expected
    of_sites = [change for (level, _, _), (*_, change) in told.items() if level == "site"]
    assert min(sum(change is None for change in of_sites), sum(change is not None for change in of_sites)) > 1


def test_marts_do_not_depend_on_how_files_came(built: Built, shuffled: Built) -> None:
    names = [
        name
        for (name,) in built.query(
            "select table_name from information_schema.tables where table_schema = 'marts' and ("
            "table_name like 'mart_traffic%' or table_name like '%count%') order by 1"
        )
    ]
    assert {"fct_count_hour", "dim_counting_site", "mart_traffic_day", "mart_traffic_trend"} <= set(names)
    for name in names:
        rows = f"select * from marts.{name} order by all"
        assert shuffled.query(rows) == built.query(rows), name
