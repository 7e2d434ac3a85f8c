from __future__ import annotations

from datetime import date

import pytest

from connectors.address import Place, day_of, day_problems, filled, places

SERIES = "https://x.example/{site}?ids={site.flows}&from={month.first:%d/%m/%Y}&to={month.next:%d/%m/%Y}"


def test_an_address_is_filled_with_values_days_and_what_the_list_says() -> None:
    address = filled(SERIES, {"site": "100", "month": "2026-02"}, {"site.flows": "101;102"})
    assert address == "https://x.example/100?ids=101%3B102&from=01/02/2026&to=01/03/2026"


def test_what_a_list_says_cannot_leave_its_place_in_the_address() -> None:
    assert filled("https://x.example/?ids={site.flows}", {"site": "1"}, {"site.flows": "1&a=b#c/ä"}) == (
        "https://x.example/?ids=1%26a%3Db%23c%2F%C3%A4"
    )


def test_values_are_not_filled_a_second_time() -> None:
    assert filled("{a}{b}", {"a": "{b}", "b": "x"}, {}) == "{b}x"


@pytest.mark.parametrize(
    ("month", "first", "last", "following"),
    [
        ("2024-02", date(2024, 2, 1), date(2024, 2, 29), date(2024, 3, 1)),
        ("2025-02", date(2025, 2, 1), date(2025, 2, 28), date(2025, 3, 1)),
        ("2025-12", date(2025, 12, 1), date(2025, 12, 31), date(2026, 1, 1)),
        ("2026-01", date(2026, 1, 1), date(2026, 1, 31), date(2026, 2, 1)),
    ],
)
def test_days_of_a_month(month: str, first: date, last: date, following: date) -> None:
    assert [day_of(month, which) for which in ("first", "last", "next")] == [first, last, following]


def test_places_are_told_in_their_order() -> None:
    assert places(SERIES) == [
        Place("site", None, None),
        Place("site", "flows", None),
        Place("month", "first", "%d/%m/%Y"),
        Place("month", "next", "%d/%m/%Y"),
    ]


@pytest.mark.parametrize("pattern", ["{", "}", "{}", "{a-b}", "{a!r}", "{a[0]}", "{a.b.c}", "{{a}"])
def test_braces_enclose_nothing_else(pattern: str) -> None:
    with pytest.raises(ValueError, match="braces may only enclose"):
        places(f"https://x.example/{pattern}")


def test_an_address_that_fits_has_no_problems() -> None:
    assert list(day_problems(SERIES, {"month"}, {"site"})) == []
    assert list(day_problems(SERIES, {"month"}, set())) == [
        "site.flows: only days, months, years and what an earlier resource lists have fields"
    ]
