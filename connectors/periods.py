"""Days, months and years as their ISO text: `2025-03-30`, `2025-03`, `2025`; how long the text is says which one."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date, timedelta

# Each text sorts as its time does. Years of four digits that begin otherwise are slips, not data.
YEAR = r"(19|20)\d{2}"
MONTH = rf"{YEAR}-(0[1-9]|1[0-2])"
DAY = rf"{MONTH}-(0[1-9]|[12]\d|3[01])"
# From its first day on, so many days lie at most in a period of a text so long: they lead into the next one.
_LONGEST = {4: 366, 7: 31, 10: 1}
# What an address may say of a period: `{month}`, or its first or last day in any order of %Y, %m and %d.
_FIELD = re.compile(r"{(\w+)(?:\.(first|last):((?:[^%{}\s]|%[Ymd])+))?}")


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


def fields(pattern: str) -> dict[str, bool]:
    """The fields of an address pattern, and whether it asks for a day of them; ValueError on other braces."""
    if re.search(r"[{}]", _FIELD.sub("", pattern)):
        raise ValueError(
            "url: braces may only enclose the name of a partition, as {month}, or its first or last day, "
            "as {month.first:%Y-%m-%d}"
        )
    found = [(match[1], match[2] is not None) for match in _FIELD.finditer(pattern)]
    return {name: any(is_day for other, is_day in found if other == name) for name, _ in found}


def filled(pattern: str, values: dict[str, str]) -> str:
    """An address pattern with the values of its fields."""

    def field(match: re.Match[str]) -> str:
        name, edge, form = match.groups()
        if edge is None:
            return values[name]
        day = first_day(values[name]) if edge == "first" else day_after(values[name]) - timedelta(days=1)
        return f"{day:{form}}"

    return _FIELD.sub(field, pattern)
