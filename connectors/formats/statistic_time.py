"""What days a period of official statistics spans, from the text of its `time` column.

GENESIS writes years (`2023`), days (`2024-12-31`), months (`2024-03`) and what begins in a month and lasts so long, as
ISO 8601 durations do (`2023-10P6M` is a winter semester, `2023-08P1Y` a school year, `2024-01P3M` a quarter). Months,
quarters and half-years of a year may also stand apart, as a classifying variable (`MONAT=MONAT03`, `QUARTG=QUART1`,
`HALBJ=HALBJ2`, `SEMEST=…` never). IT.NRW's own tables write `31.12.2024`, `WS 2023/24`, `SS 2024` and `2023/24`.
"""

from __future__ import annotations

import re
from calendar import monthrange
from collections.abc import Callable
from datetime import date, timedelta

Span = tuple[date, date]

# Official statistics of the region begin in the 19th century; what lies outside is a slip.
_FIRST_YEAR, _LAST_YEAR = 1800, 2199
_LONGEST = {"Y": 100, "M": 1_200, "W": 5_300, "D": 37_000}
_MONTHS_OF = {"M": 1, "Y": 12}
_PART = re.compile(r"(?:^|;)(MONAT|QUARTG|QUART|HALBJ)\w*=(?:MONAT|QUART|HALBJ)0?(\d{1,2})(?:;|$)")
_PART_MONTHS = {"MONAT": 1, "QUARTG": 3, "QUART": 3, "HALBJ": 6}


def span_of(time: str, attribute_codes: str = "") -> Span | None:
    """First and last day of a period, None where the text is none that the statistical offices write.

    `attribute_codes` are the line's other classifying attributes, `VARIABLE=CODE` joined by semicolons: a month,
    quarter or half-year among them narrows a year.
    """
    for pattern, read in _SHAPES:
        match = re.fullmatch(pattern, time.strip())
        if match is not None:
            try:
                span = read(*match.groups())
            except (ValueError, OverflowError):
                return None
            known = span[0].year >= _FIRST_YEAR and span[1].year <= _LAST_YEAR
            return _narrowed(span, attribute_codes) if known else None
    return None


def _narrowed(span: Span, attribute_codes: str) -> Span:
    """A part of a calendar year where an attribute names one; other spans as they are."""
    first, last = span
    part = _PART.search(attribute_codes)
    if part is None or (first.month, first.day, last.month, last.day) != (1, 1, 12, 31) or first.year != last.year:
        return span
    months, number = _PART_MONTHS[part[1]], int(part[2])
    if not 1 <= number <= 12 // months:
        return span
    return _months(first.year, (number - 1) * months + 1, months)


def _months(year: int, month: int, count: int) -> Span:
    """So many whole months from one on."""
    end = year * 12 + month - 1 + count - 1
    last_year, last_month = divmod(end, 12)
    return date(year, month, 1), date(last_year, last_month + 1, monthrange(last_year, last_month + 1)[1])


def _year(year: str) -> Span:
    return _months(int(year), 1, 12)


def _day(year: str, month: str, day: str) -> Span:
    at = date(int(year), int(month), int(day))
    return at, at


def _german_day(day: str, month: str, year: str) -> Span:
    return _day(year, month, day)


def _lasting(year: str, month: str, day: str | None, count: str, unit: str) -> Span:
    number = int(count)
    if not 1 <= number <= _LONGEST[unit]:
        raise ValueError(f"a period of {count}{unit}")
    first = date(int(year), int(month), int(day or 1))
    if unit in _MONTHS_OF:
        following = _months(first.year, first.month, number * _MONTHS_OF[unit])[1] + timedelta(days=first.day)
        return first, following - timedelta(days=1)
    return first, first + timedelta(days=number * (7 if unit == "W" else 1) - 1)


def _winter(year: str) -> Span:
    """A winter semester in North Rhine-Westphalia: October to March."""
    return _months(int(year), 10, 6)


def _summer(year: str) -> Span:
    return _months(int(year), 4, 6)


def _school_year(year: str) -> Span:
    return _months(int(year), 8, 12)


_SHAPES: tuple[tuple[str, Callable[..., Span]], ...] = (
    (r"(\d{4})", _year),
    (r"(\d{4})-(\d\d)-(\d\d)", _day),
    (r"(\d{4})-(\d\d)", lambda year, month: _months(int(year), int(month), 1)),
    (r"(\d{4})-(\d\d)(?:-(\d\d))?P(\d{1,5})([YMWD])", _lasting),
    (r"(\d\d)\.(\d\d)\.(\d{4})", _german_day),
    (r"WS (\d{4})/(?:\d\d){1,2}", _winter),
    (r"SS (\d{4})", _summer),
    (r"(\d{4})/(?:\d\d){1,2}", _school_year),
)
