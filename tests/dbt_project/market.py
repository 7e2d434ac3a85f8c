"""The market of the hand-made region: months and days of odd length, two publishers, profiles, a series."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any

from connectors import tables
from connectors.tables import Table

Write = Callable[[Table, str, Sequence[Mapping[str, Any]]], None]
# Source -> priority: of several that tell of an interval the lowest number speaks.
SOURCES = {"market": 10, "market_b": 40, "profiles": 20, "city_series": 50, "charging_b": 60}
# March 2026 in Berlin.
MARCH = datetime(2026, 2, 28, 23, tzinfo=UTC), datetime(2026, 3, 31, 22, tzinfo=UTC)
# 25 October 2026 in Berlin.
LONG_DAY = datetime(2026, 10, 24, 22, tzinfo=UTC), datetime(2026, 10, 25, 23, tzinfo=UTC)
NEVER_MEASURED = datetime(2026, 3, 10, 10, tzinfo=UTC)


def stage_market(write: Write) -> None:
    """Solar by quarter-hours, load by hours and a second publisher; profiles of one interval a day; three series."""
    solar = [reading("generation_solar", at, 100.0) for at in moments(*MARCH, 15) if at != NEVER_MEASURED]
    long_day = [reading("generation_solar", at, 7.0) for at in moments(*LONG_DAY, 15)]
    load = [reading("load", at, 50_000.0, 60) for at in moments(*LONG_DAY, 60)]
    year = {"interval_minutes": 525_600, "unit": "MW", "resolution": "year"}
    capacity = reading("capacity_solar", datetime(2025, 12, 31, 23, tzinfo=UTC), 10_000.0) | year
    write(tables.MARKET_READING, "market", [*solar, *long_day, *load, capacity])
    # In MW on average, a tenth more.
    other = [reading("generation_solar", at, 30.8, unit="MW") for at in moments(*LONG_DAY, 15)]
    write(tables.MARKET_READING, "market_b", other)
    profile = {
        "interval_start_minute": 0,
        "interval_minutes": 1440,
        "value": 2.0,
        "unit": "kWh",
        "day_type": "every_day",
    }
    write(tables.LOAD_PROFILE_VALUE, "profiles", [{**profile, "profile": name} for name in ("g25", "h25")])
    write(
        tables.MUNICIPAL_SERIES_VALUE,
        "city_series",
        [
            series("CO2", "2024", date(2024, 1, 1), 1139.5),
            series("CO2", "2030", date(2030, 1, 1), 130.5),
            series("CO2", "2024", date(2024, 1, 1), 1140.0),
        ],
    )


def reading(series_name: str, at: datetime, value: float, minutes: int = 15, unit: str = "MWh") -> dict[str, Any]:
    return {
        **{"series": series_name, "region": "DE", "interval_start_at": at, "interval_minutes": minutes},
        **{"value": value, "unit": unit, "resolution": "quarterhour" if minutes == 15 else "hour"},
    }


def series(name: str, period: str, start: date, value: float) -> dict[str, Any]:
    return {
        **{"ags": "05515000", "dataset": "co2", "series": name, "period": period},
        **{"period_start_date": start, "value": value, "unit": "t"},
    }


def moments(start: datetime, end: datetime, minutes: int) -> Iterator[datetime]:
    while start < end:
        yield start
        start += timedelta(minutes=minutes)
