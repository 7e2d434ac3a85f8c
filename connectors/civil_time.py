"""When a clock on the wall shows a time: what the clock changes do to local times without offset."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

# Central European Time without summer time (the name counts westwards).
STANDARD_TIME = ZoneInfo("Etc/GMT-1")
CIVIL_TIME = ZoneInfo("Europe/Berlin")


def passes(local: datetime, zone: ZoneInfo) -> tuple[datetime, ...]:
    """The instants (UTC) at which a clock in `zone` shows `local`, a time without zone, in their order.

    One as a rule; none in the hour that spring leaves out, two in the one that autumn repeats (PEP 495).
    """
    first = local.replace(tzinfo=zone).astimezone(UTC)
    second = local.replace(tzinfo=zone, fold=1).astimezone(UTC)
    if first == second:
        return (first,)
    return (first, second) if first < second else ()


def hours_in_day(day: date, zone: ZoneInfo) -> int:
    """23, 24 or 25."""
    return int((midnight(day + timedelta(days=1), zone) - midnight(day, zone)) / timedelta(hours=1))


def midnight(day: date, zone: ZoneInfo) -> datetime:
    """The instant (UTC) at which a local day begins."""
    return datetime(day.year, day.month, day.day, tzinfo=zone).astimezone(UTC)
