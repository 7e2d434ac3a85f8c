"""Counters whose files tell whole days: from a file in the layout `daily_dmy` to the marts."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from connectors import tables
from connectors.connector import Snapshot
from connectors.formats import count_table
from connectors.formats.count_layout import read_options
from connectors.region import BoundingBox, Region
from connectors.staging import StagedWriter
from tests.dbt_project.conftest import Staged, at, stage_core
from tests.dbt_project.counting import Build, Warehouse, add_in_force, builder

REGION = Region(
    area_id="test",
    name_de="Test",
    name_en="Test",
    municipalities=0,
    bounding_box=BoundingBox(west=7.0, south=51.0, east=8.0, north=52.0),
    kreise=(),
    centres={},
)
# Autumn's clock change lies in it; the year is over, so the months are.
FIRST, LAST = date(2025, 9, 1), date(2025, 11, 30)
DAYS = [FIRST + timedelta(days=number) for number in range((LAST - FIRST).days + 1)]
SUNDAY, DEAD, SPIKE, BLANK = date(2025, 10, 26), date(2025, 9, 16), date(2025, 10, 8), date(2025, 11, 12)
ABSENT = (date(2025, 9, 24), date(2025, 9, 25))
LONG = tuple(date(2025, 11, 17) + timedelta(days=number) for number in range(4))
OVERLAP = date(2025, 9, 3)
DROPPED, SCALED, MENDED = date(2025, 10, 1), date(2025, 10, 2), date(2025, 10, 3)


def told(day: date) -> tuple[int | None, int | None]:
    """In and out of a day: weekends half of working days, no two weekdays the same, each week a little more."""
    if day == DEAD:
        return 0, 0
    if day == SPIKE:
        return 60_000, 61_000
    count = (500 if day.isoweekday() > 5 else 1000) + 10 * day.isoweekday() + (day - FIRST).days // 7
    return count, None if day == BLANK else count + 40


def lines() -> list[str]:
    rows = [
        f"{day:%d/%m/%Y},00:00,{into},{'' if out is None else out},{day.toordinal()}"
        for day in DAYS
        if day not in (*ABSENT, *LONG)
        for into, out in [told(day)]
    ]
    return ["Datum,,Promenade  stadteinwärts,Promenade stadtauswärts,Gartenstraße", *rows]


def parsed(folder: Path) -> list[dict[str, Any]]:
    """The readings of the file, in another order than the file's."""
    file = folder / "days.csv"
    file.write_text("\n".join([*lines(), ""]), encoding="utf-8")
    columns = [
        {"column": "Promenade stadteinwärts", "id": "200-in", "site": "200", "direction": "in"},
        {"column": "Promenade stadtauswärts", "id": "200-out", "site": "200", "direction": "out"},
        {"column": "Gartenstraße", "id": "300", "role": "sum"},
    ]
    layout = read_options({"layout": "daily_dmy", "site": {"fixed": "300"}, "channels": {"columns": columns}})
    with StagedWriter(folder, "days", "0" * 64, "p1") as out:
        count_table.parse(Snapshot("days", file, "0" * 64), out, REGION, **layout)
        out.close()
    rows = pq.ParquetFile(out.file_of("count_reading")).read().to_pylist()
    keys = ("source_id", "snapshot_sha256", "parse_key", "record_number")
    return [{name: value for name, value in row.items() if name not in keys} for row in reversed(rows)]


def hours(day: date, per_hour: int) -> list[dict[str, Any]]:
    """A whole day of a sum channel, hour by hour."""
    begins = at(f"{day - timedelta(days=1)}T22:00:00")
    return [
        {
            "site_id": "200",
            "channel_id": "200",
            "channel_label": "Promenade",
            "channel_role": "sum",
            "mode": "bicycle",
            "direction": "both",
            "interval_start_local": (begins + timedelta(hours=hour + 2)).replace(tzinfo=None),
            "interval_start_at": begins + timedelta(hours=hour),
            "interval_minutes": 60,
            "count": per_hour + hour % 3,
        }
        for hour in range(24)
    ]


def correction(day: date, action: str, expected_count: int, factor: float | None = None) -> dict[str, Any]:
    """What a source declares of a whole local day in summer time."""
    begins = at(f"{day - timedelta(days=1)}T22:00:00")
    return {
        "source_id": "days",
        "declaration": f"corrections.{day}",
        "site_id": "300",
        "channel_id": None,
        "first_at": begins,
        "until_at": begins + timedelta(days=1),
        "action": action,
        "factor": factor,
        "expected_count": expected_count,
        "reason": "road works",
        "provider": "the city",
    }


@pytest.fixture(scope="module")
def build(tmp_path_factory: pytest.TempPathFactory) -> Build:
    return builder(tmp_path_factory)


@pytest.fixture(scope="module")
def built(build: Build, tmp_path_factory: pytest.TempPathFactory) -> Warehouse:
    folder = tmp_path_factory.mktemp("days")
    staged = Staged(folder / "staged")
    stage_core(staged)
    staged.write(tables.COUNT_READING, "days", parsed(folder), snapshot="days")
    staged.write(tables.COUNT_READING, "counters", hours(OVERLAP, 90), snapshot="hours")
    staged.state(
        tables.COUNT_CORRECTION,
        [
            correction(DROPPED, "drop", DROPPED.toordinal()),
            correction(SCALED, "scale", SCALED.toordinal(), 2.0),
            correction(MENDED, "drop", 1),
        ],
    )
    add_in_force(staged, [("days", "readings", "days"), ("counters", "readings", "hours")])
    return build(staged)


def days(built: Warehouse, direction: str, columns: str) -> dict[date, tuple[Any, ...]]:
    rows = built.query(
        f"select date, {columns} from marts.mart_traffic_day where site_id = '200' and direction = '{direction}'"
    )
    return {day: tuple(values) for day, *values in rows}


def test_a_whole_day_is_the_day_of_the_file(built: Warehouse) -> None:
    expected = {day: told(day) for day in DAYS} | dict.fromkeys((*ABSENT, *LONG), (None, None))
    inward, outward = days(built, "in", "count"), days(built, "out", "count")
    del expected[OVERLAP]
    assert {day: (inward[day][0], outward[day][0]) for day in inward} == expected
    both = {day: None if into is None else into + (out or 0) for day, (into, out) in expected.items()}
    assert days(built, "both", "count") == {day: (count,) for day, count in (both | {OVERLAP: 24 * 91}).items()}


def test_a_sum_channel_and_what_is_declared_of_its_days(built: Warehouse) -> None:
    rows = built.query(
        "select date, direction, count, count_validated, value_status, status_reason from marts.mart_traffic_day "
        "where site_id = '300'"
    )
    found = {day: tuple(row) for day, *row in rows}
    assert {day: row[:2] for day, row in found.items()} == {
        day: ("both", None if day in (*ABSENT, *LONG) else day.toordinal()) for day in DAYS
    }
    number = SCALED.toordinal()
    assert found[DROPPED][2:] == (None, "unreliable", "declared_drop")
    assert found[SCALED][2:] == (2 * number, "corrected", "declared_scale")
    # The publisher reports another sum than the one the correction was written for.
    assert found[MENDED][2:] == (MENDED.toordinal(), "measured", None)


def test_what_is_no_measured_day_says_why(built: Warehouse) -> None:
    found = days(built, "both", "value_status, status_reason, count_validated, completeness_share")
    assert found[SUNDAY] == ("measured", None, 577 + 617, 1.0)
    assert found[DEAD] == ("unreliable", "dead_sensor", None, 1.0)
    assert found[SPIKE] == ("unreliable", "spike", None, 1.0)
    assert found[BLANK] == ("unreliable", "part_missing", None, 0.5)
    assert {found[day] for day in (*ABSENT, *LONG)} == {("missing", "gap", None, 0.0)}
    unsound = {DEAD, SPIKE, BLANK, *ABSENT, *LONG}
    assert {day for day, row in found.items() if row[0] != "measured"} == unsound
    findings = built.query(
        "select code, first_date, last_date, amount, source_id from marts.mart_counting_finding "
        "where site_id = '200' and direction = 'both' order by first_date"
    )
    assert findings == [
        ("two_sources", OVERLAP, OVERLAP, 2 * 1030 + 40, "days"),
        ("dead_sensor", DEAD, DEAD, 24, "days"),
        ("gap", ABSENT[0], ABSENT[-1], 48, "days"),
        ("spike", SPIKE, SPIKE, 24, "days"),
        ("part_missing", BLANK, BLANK, 24, "days"),
        ("gap", LONG[0], LONG[-1], 96, "days"),
    ]


def test_short_gaps_are_filled_from_days_of_the_same_weekday_and_season(built: Warehouse) -> None:
    found = days(built, "in", "count_imputed, hours_imputed")
    wednesdays = sorted(
        told(day)[0] or 0 for day in DAYS if day.isoweekday() == 3 and day not in {ABSENT[0], SPIKE, *LONG, OVERLAP}
    )
    middle = len(wednesdays) // 2
    assert len(wednesdays) % 2 == 1
    assert found[ABSENT[0]] == (wednesdays[middle], 24)
    assert {found[day] for day in LONG} == {(None, 0)}
    assert found[SUNDAY] == (577, 0)


def test_months_and_the_site_are_told_without_hours(built: Warehouse) -> None:
    months = built.query(
        "select month, count, complete_days from marts.mart_traffic_month "
        "where site_id = '200' and direction = 'in' order by month"
    )
    sums = {
        date(2025, month, 1): sum(
            told(day)[0] or 0 for day in DAYS if day.month == month and day not in (*ABSENT, *LONG, OVERLAP)
        )
        for month in (9, 10, 11)
    }
    # Of September two days are absent, one is dead and one is told by the other source; of November four are absent.
    assert months == [
        (date(2025, 9, 1), sums[date(2025, 9, 1)], 26),
        (date(2025, 10, 1), sums[date(2025, 10, 1)], 30),
        (date(2025, 11, 1), sums[date(2025, 11, 1)], 26),
    ]
    assert built.query(
        "select distinct cast(hour_local as date) from marts.fct_count_hour where site_id = '200' and count > 0"
    ) == [(OVERLAP,)]
    assert built.query("select interval_minutes, source_ids from marts.dim_counting_site where site_id = '200'") == [
        (60, "counters, days")
    ]
