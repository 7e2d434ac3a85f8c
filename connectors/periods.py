"""Days, months and years as their ISO text: `2025-03-30`, `2025-03`, `2025`; how long the text is says which one."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta

# Each text sorts as its time does. Years of four digits that begin otherwise are slips, not data.
YEAR = r"(19|20)\d{2}"
MONTH = rf"{YEAR}-(0[1-9]|1[0-2])"
DAY = rf"{MONTH}-(0[1-9]|[12]\d|3[01])"
# From its first day on, so many days lie at most in a period of a text so long: they lead into the next one.
_LONGEST = {4: 366, 7: 31, 10: 1}


def first_day(period: str) -> date:
    """The first day of a period; ValueError where the calendar has none, such as 2025-02-30."""
    return date.fromisoformat(period + "-01-01"[len(period) - 4 :])


def day_after(period: str) -> date:
    """The first day that no longer lies in a period."""
    length = len(period)
    return first_day((first_day(period) + timedelta(days=_LONGEST[length])).isoformat()[:length])


def from_to(first: str, last: str | date) -> Iterator[str]:
    """The periods from `first` to `last`, or to the one that holds the day `last`, all as long as `first`."""
    period, length = first, len(first)
    while period <= str(last)[:length]:
        yield period
        period = day_after(period).isoformat()[:length]


def overlap(one: str, first: str, last: str) -> bool:
    """Whether a period has a day in the time from the beginning of `first` to the end of `last`."""
    return first_day(one) < day_after(last) and first_day(first) < day_after(one)
