"""When a clock on the wall shows a time: what the clock changes do to local times without offset."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Annotated
from zoneinfo import ZoneInfo

from pydantic import AfterValidator

WHOLE_DAY_MINUTES = 1440

# Central European Time without summer time (the name counts westwards).
STANDARD_TIME = ZoneInfo("Etc/GMT-1")
CIVIL_TIME = ZoneInfo("Europe/Berlin")


def _interval(minutes: int) -> int:
    if minutes != WHOLE_DAY_MINUTES and (minutes < 1 or 60 % minutes):
        raise ValueError(
            f"is {minutes}, expected a part of an hour (5, 15, 60, …), or {WHOLE_DAY_MINUTES} for whole days"
        )
    return minutes


# Length of an interval of counts: hours are made of whole intervals, and days of whole hours or of one interval.
IntervalMinutes = Annotated[int, AfterValidator(_interval)]


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


class RowClock:
    """The instants of a file's local times, which come in the order of the file: it tells the two passes apart.

    Where autumn repeats an hour, the second pass begins with the time that lies less than `step` after the one before
    it: `step` is zero where a time may be told twice, the interval where each is told once.
    """

    def __init__(self, zone: ZoneInfo, step: timedelta = timedelta(0)) -> None:
        self._zone, self._step = zone, step
        self._former: datetime | None = None
        self._is_second = False

    def instant(self, local: datetime) -> datetime | None:
        """The instant (UTC) of the next local time; None where the clocks of that night leave it out."""
        found = passes(local, self._zone)
        if len(found) < 2:
            self._former, self._is_second = None, False
            return found[0] if found else None
        if self._former is not None and local - self._former < self._step:
            self._is_second = True
        self._former = local
        return found[self._is_second]
