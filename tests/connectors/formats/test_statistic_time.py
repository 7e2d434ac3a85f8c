"""Every way the statistical offices write a period, with the days it spans."""

from __future__ import annotations

from datetime import date

import pytest

from connectors.formats.statistic_time import span_of


@pytest.mark.parametrize(
    ("time", "first", "last"),
    [
        ("2023", "2023-01-01", "2023-12-31"),
        ("2024-12-31", "2024-12-31", "2024-12-31"),
        ("2024-02", "2024-02-01", "2024-02-29"),
        # A winter semester, a quarter, a school year, one that begins within a month, weeks and days.
        ("2023-10P6M", "2023-10-01", "2024-03-31"),
        ("2024-01P3M", "2024-01-01", "2024-03-31"),
        ("2023-08P1Y", "2023-08-01", "2024-07-31"),
        ("2023-01-15P1M", "2023-01-15", "2023-02-14"),
        ("2024-01-01P2W", "2024-01-01", "2024-01-14"),
        ("2024-02-28P2D", "2024-02-28", "2024-02-29"),
        ("31.12.2024", "2024-12-31", "2024-12-31"),
        ("WS 2023/24", "2023-10-01", "2024-03-31"),
        ("SS 2024", "2024-04-01", "2024-09-30"),
        ("2023/24", "2023-08-01", "2024-07-31"),
        (" 2023 ", "2023-01-01", "2023-12-31"),
    ],
)
def test_a_period_spans_its_days(time: str, first: str, last: str) -> None:
    assert span_of(time) == (date.fromisoformat(first), date.fromisoformat(last))


@pytest.mark.parametrize(
    "time",
    [
        *("", "gestern", "202", "20233", "2023-13", "2023-02-30", "32.01.2024", "2023-10P", "2023-10P0M"),
        *("2023-10P6X", "0001", "9999", "2199-12P99Y", "2023-10P99999Y", "2023-10-31P6M6", "WS 23/24"),
    ],
)
def test_anything_else_is_no_period(time: str) -> None:
    assert span_of(time) is None


@pytest.mark.parametrize(
    ("codes", "first", "last"),
    [
        ("MONAT=MONAT02", "2024-02-01", "2024-02-29"),
        ("GES=GESM;QUARTG=QUART4", "2024-10-01", "2024-12-31"),
        ("HALBJ=HALBJ2;NAT=", "2024-07-01", "2024-12-31"),
        # A total, and what is no part of a year.
        ("MONAT=", "2024-01-01", "2024-12-31"),
        ("MONAT=MONAT13", "2024-01-01", "2024-12-31"),
        ("QUARTG=QUART0", "2024-01-01", "2024-12-31"),
        ("XMONAT=MONAT02", "2024-01-01", "2024-12-31"),
    ],
)
def test_a_month_or_quarter_that_stands_apart_narrows_its_year(codes: str, first: str, last: str) -> None:
    assert span_of("2024", codes) == (date.fromisoformat(first), date.fromisoformat(last))
    # What is no year is not narrowed.
    assert span_of("2024-05", codes) == (date(2024, 5, 1), date(2024, 5, 31))
