"""Asking for more than what is due: certain months again, or everything afresh."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from connectors.fetching import fetch_source
from connectors.http import Client
from connectors.landing import Landing
from connectors.parsing import parse_source
from connectors.selection import Selection, has_periods
from tests.connectors.conftest import Land, Letters, source_of
from tests.connectors.publisher import Publisher, document

BASE = "https://town.example"
LATER = datetime(2026, 1, 15, 12, tzinfo=UTC)
SITES = {"connector": "eco_counter_sites", "url": f"{BASE}/sites.json"}
READINGS = {
    "connector": "eco_counter_csv",
    "url": f"{BASE}/{{station}}/{{month}}.csv",
    "partitions": {"station": ["a"], "month": {"first": "2019-01", "last": "2019-04"}},
}
COUNTERS = source_of({"sites": SITES, "readings": READINGS})
MONTH = b"Zeit;a\n01.01.2019 00:00;1\n"


@pytest.fixture
def asked(publisher: Publisher, client: Client, landing: Landing) -> Publisher:
    """A publisher that has been asked for everything; all months have settled since."""
    publisher.says(f"{BASE}/sites.json", document(b"[]"))
    for month in range(1, 5):
        publisher.says(f"{BASE}/a/2019-0{month}.csv", document(MONTH))
    fetch_source(COUNTERS, landing, client, LATER)
    publisher.forget()
    return publisher


def test_settled_months_are_left_alone_unless_asked_for(asked: Publisher, client: Client, landing: Landing) -> None:
    summary = fetch_source(COUNTERS, landing, client, LATER)
    assert asked.paths() == ["/town.example/sites.json"]
    assert summary.settled == 4


def test_months_are_asked_for_again_and_nothing_else(asked: Publisher, client: Client, landing: Landing) -> None:
    summary = fetch_source(COUNTERS, landing, client, LATER, Selection("2019-02", "2019-03"))
    assert sorted(asked.paths()) == ["/town.example/a/2019-02.csv", "/town.example/a/2019-03.csv"]
    # Asked whether they have changed, not for all their bytes.
    assert {question.headers.get("if-none-match") for question in asked.asked} == {'"1"'}
    assert (summary.unchanged, summary.settled) == (2, 0)


def test_afresh_asks_for_everything_without_conditions_and_still_sees_equal_bytes(
    asked: Publisher, client: Client, landing: Landing
) -> None:
    summary = fetch_source(COUNTERS, landing, client, LATER, Selection(afresh=True))
    assert len(asked.paths()) == 5
    assert not [question for question in asked.asked if "if-none-match" in question.headers]
    assert (summary.new, summary.unchanged, summary.settled) == (0, 5, 0)


@pytest.mark.parametrize(
    ("first", "asked_for"),
    [
        ("2024-02-27", ["2024-02-27", "2024-02-28", "2024-02-29"]),
        ("2024-01", ["2024-02"]),
        # February lies in the year's file.
        ("2023", ["2024"]),
    ],
)
def test_a_backfill_by_months_asks_for_the_days_in_them_and_the_years_around_them(
    publisher: Publisher, client: Client, landing: Landing, first: str, asked_for: list[str]
) -> None:
    readings = {
        "connector": "eco_counter_csv",
        "url": f"{BASE}/{{time}}.csv",
        "partitions": {"time": {"first": first, "last": {4: "2025", 7: "2024-03", 10: "2024-03-02"}[len(first)]}},
        "absent_is_fine": True,
    }
    source = source_of({"readings": readings})
    fetch_source(source, landing, client, LATER, Selection("2024-02", "2024-02"))
    assert sorted(publisher.paths()) == [f"/town.example/{time}.csv" for time in asked_for]
    assert has_periods(source)


@pytest.mark.parametrize(("first", "last"), [("2020-01", None), (None, "2020-01"), ("2020-02", "2020-01")])
def test_half_a_range_and_one_backwards_are_refused(first: str | None, last: str | None) -> None:
    with pytest.raises(ValueError, match="month"):
        Selection(first, last)


def test_only_some_sources_are_by_time() -> None:
    assert has_periods(COUNTERS)
    assert not has_periods(source_of({"sites": SITES}))


def test_afresh_everything_is_parsed_again(landing: Landing, land: Land, letters: Letters) -> None:
    source = source_of({"file": {"connector": "letters", "url": f"{BASE}/file.csv"}})
    staged = landing.folder.parent.parent / "staged"
    land("file", b"a\nb\n")
    land("file", b"a\nb\nc\n", LATER)
    parse_source(source, landing, staged)
    assert parse_source(source, landing, staged).kept == 1
    letters.parsed.clear()
    again = parse_source(source, landing, staged, Selection(afresh=True))
    # Each snapshot once, although the second one is compared with the first.
    assert len(letters.parsed) == 2
    assert (again.parsed, again.kept, again.staged) == (2, 0, 3)
    assert parse_source(source, landing, staged).kept == 1
