from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from connectors.civil_time import CIVIL_TIME, STANDARD_TIME, hours_in_day, midnight, passes


def clock(text: str) -> datetime:
    return datetime.fromisoformat(text)


@pytest.mark.parametrize(
    ("shown", "instants"),
    [
        # Law in Germany: summer time from the last Sunday in March, 02:00, to the last in October, 03:00.
        ("2025-03-30 01:45", ["2025-03-30 00:45"]),
        ("2025-03-30 02:00", []),
        ("2025-03-30 02:45", []),
        ("2025-03-30 03:00", ["2025-03-30 01:00"]),
        ("2025-10-26 01:45", ["2025-10-25 23:45"]),
        ("2025-10-26 02:00", ["2025-10-26 00:00", "2025-10-26 01:00"]),
        ("2025-10-26 02:45", ["2025-10-26 00:45", "2025-10-26 01:45"]),
        ("2025-10-26 03:00", ["2025-10-26 02:00"]),
    ],
)
def test_the_clock_on_the_wall_shows_a_time_never_once_or_twice(shown: str, instants: list[str]) -> None:
    expected = tuple(clock(text).replace(tzinfo=UTC) for text in instants)
    assert passes(clock(shown), CIVIL_TIME) == expected


def test_standard_time_knows_no_change() -> None:
    assert passes(clock("2025-07-01 12:00"), STANDARD_TIME) == (datetime(2025, 7, 1, 11, tzinfo=UTC),)
    assert passes(clock("2025-03-30 02:30"), STANDARD_TIME) == (datetime(2025, 3, 30, 1, 30, tzinfo=UTC),)


@pytest.mark.parametrize(
    ("day", "hours"),
    [(date(2025, 3, 30), 23), (date(2025, 10, 26), 25), (date(2021, 10, 31), 25), (date(2025, 7, 1), 24)],
)
def test_a_day_has_23_24_or_25_hours(day: date, hours: int) -> None:
    assert hours_in_day(day, CIVIL_TIME) == hours
    assert hours_in_day(day, STANDARD_TIME) == 24


def test_midnight_is_an_instant_of_the_day_before_in_utc() -> None:
    assert midnight(date(2025, 7, 1), CIVIL_TIME) == datetime(2025, 6, 30, 22, tzinfo=UTC)
