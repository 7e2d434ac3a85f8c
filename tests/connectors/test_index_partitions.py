"""Partitions that an index lists: per series, the last files always asked again, the others rarely (SMARD)."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pyarrow.parquet as pq
import pytest

from connectors.catalogue import CatalogueError, Source, load_source
from connectors.fetching import fetch_source
from connectors.http import Client
from connectors.landing import Landing
from connectors.parsing import parse_source
from tests.connectors.conftest import AS_OF, source_fields, source_of
from tests.connectors.publisher import Publisher, Reply, document

BASE = "https://market.example"
ASKED = {"series": ["4068", "410"], "region": ["DE"], "resolution": ["quarterhour"]}
INDEX = {
    "connector": "smard_index",
    "url": f"{BASE}/{{series}}/{{region}}/index_{{resolution}}.json",
    "partitions": ASKED,
    "absent_is_fine": True,
}
FIRST = int(datetime(2024, 2, 18, 23, tzinfo=UTC).timestamp()) * 1000
WEEK = 7 * 86_400_000
WEEKS = [FIRST + WEEK * number for number in range(4)]


def market(**options: Any) -> Source:
    week = {"from_resource": "index", "settled_after_days": 6}
    weeks = {
        "connector": "smard_chart",
        "url": f"{BASE}/{{series}}/{{region}}/{{resolution}}_{{week}}.json",
        "partitions": {**ASKED, "week": week},
        "guards": {"size_ratio": "off", "record_ratio": {"min": 0.7}},
    }
    return source_of({"index": {**INDEX, "options": options}, "weeks": weeks})


def chart(week: int, *values: float | None) -> bytes:
    series = [[week + 900_000 * number, value] for number, value in enumerate(values)]
    return json.dumps({"meta_data": {"version": 1}, "series": series}).encode()


def publish(publisher: Publisher, series: str, weeks: list[int]) -> None:
    publisher.says(f"{BASE}/{series}/DE/index_quarterhour.json", Reply(body=json.dumps({"timestamps": weeks}).encode()))
    for week in weeks:
        publisher.says(f"{BASE}/{series}/DE/quarterhour_{week}.json", document(chart(week, 1.0, 2.0)))


def weeks_asked(publisher: Publisher, series: str) -> list[int]:
    found = [path.rsplit("_", 1)[1].removesuffix(".json") for path in publisher.paths() if f"/{series}/" in path]
    return sorted(int(number) for number in found if number.isdecimal())


def test_every_series_has_the_weeks_of_its_own_index(publisher: Publisher, client: Client, landing: Landing) -> None:
    publish(publisher, "4068", WEEKS)
    publish(publisher, "410", WEEKS[2:])
    summary = fetch_source(market(), landing, client, AS_OF)
    assert (summary.new, summary.failed) == (2 + 4 + 2, 0)
    assert weeks_asked(publisher, "4068") == WEEKS
    assert weeks_asked(publisher, "410") == WEEKS[2:]


def test_only_the_last_two_weeks_are_asked_again_until_a_month_has_passed(
    publisher: Publisher, client: Client, landing: Landing
) -> None:
    """The files begin on Mondays, 19 February to 11 March 2024; what a week is past two Sundays is settled."""
    publish(publisher, "4068", WEEKS)
    publish(publisher, "410", WEEKS[:3])
    monday = datetime(2024, 3, 11, 12, tzinfo=UTC)
    fetch_source(market(), landing, client, monday)
    # The log says when an attempt ended by the clock of the machine, years after these weeks.
    publisher.forget()
    summary = fetch_source(market(), landing, client, monday)
    assert weeks_asked(publisher, "4068") == WEEKS[2:]
    # A series without the running week: its last file may grow whenever it was.
    assert weeks_asked(publisher, "410") == WEEKS[2:3]
    assert summary.settled == 2 + 2
    publisher.forget()
    fetch_source(market(), landing, client, datetime(2024, 3, 17, 22, tzinfo=UTC))
    assert weeks_asked(publisher, "4068") == WEEKS[2:]
    # A new week makes the one before the former last rest.
    publish(publisher, "4068", [*WEEKS, WEEKS[3] + WEEK])
    publisher.forget()
    fetch_source(market(), landing, client, monday + timedelta(days=7))
    assert weeks_asked(publisher, "4068") == [WEEKS[3], WEEKS[3] + WEEK]
    publisher.forget()
    fetch_source(market(), landing, client, datetime.now(UTC) + timedelta(days=31))
    assert weeks_asked(publisher, "4068") == [*WEEKS, WEEKS[3] + WEEK]


def test_a_week_that_failed_is_asked_again_wherever_it_stands(
    publisher: Publisher, client: Client, landing: Landing
) -> None:
    publish(publisher, "4068", WEEKS)
    publisher.says(f"{BASE}/4068/DE/quarterhour_{WEEKS[0]}.json", Reply(403))
    now = datetime.now(UTC)
    assert fetch_source(market(), landing, client, now).failed == 1
    publisher.forget()
    fetch_source(market(), landing, client, now + timedelta(days=1))
    assert weeks_asked(publisher, "4068") == [WEEKS[0], WEEKS[3]]


def test_a_series_the_host_does_not_have_is_no_failure(publisher: Publisher, client: Client, landing: Landing) -> None:
    publish(publisher, "4068", WEEKS)
    summary = fetch_source(market(), landing, client, AS_OF)
    assert (summary.new, summary.absent, summary.failed) == (1 + 4, 1, 0)


def test_weeks_before_the_first_wanted_are_left_out_however_many_digits_they_have(
    publisher: Publisher, client: Client, landing: Landing
) -> None:
    early = 999_999_900_000
    publish(publisher, "4068", [early, *WEEKS])
    fetch_source(market(since="2024-02-26"), landing, client, AS_OF)
    assert weeks_asked(publisher, "4068") == WEEKS[1:]


@pytest.mark.parametrize("body", [b'{"timestamps": 5}', b'{"weeks": []}', b"[]"])
def test_an_index_of_another_kind_is_named(publisher: Publisher, client: Client, landing: Landing, body: bytes) -> None:
    publish(publisher, "4068", WEEKS)
    publisher.says(f"{BASE}/4068/DE/index_quarterhour.json", Reply(body=body))
    summary = fetch_source(market(), landing, client, AS_OF)
    assert any("index_quarterhour.json" in error for error in summary.errors)
    assert weeks_asked(publisher, "4068") == []


def test_a_rewritten_week_replaces_the_former_and_other_weeks_stay(
    publisher: Publisher, client: Client, landing: Landing, tmp_path: Any
) -> None:
    source, staged = market(), tmp_path / "staged"
    publish(publisher, "4068", WEEKS[:2])
    publisher.says(f"{BASE}/4068/DE/quarterhour_{WEEKS[1]}.json", document(chart(WEEKS[1], 5.0, None)))
    fetch_source(source, landing, client, AS_OF)
    parse_source(source, landing, staged)
    revised = document(chart(WEEKS[1], 6.0, 7.0), '"2"')
    publisher.says(f"{BASE}/4068/DE/quarterhour_{WEEKS[1]}.json", revised)
    fetch_source(source, landing, client, AS_OF)
    parse_source(source, landing, staged)

    in_force = pq.ParquetFile(staged / "snapshot_in_force/town.parquet").read().to_pylist()
    values = [
        row["value"]
        for entry in in_force
        for path in staged.glob(f"market_reading/*/snapshot_sha256={entry['snapshot_sha256']}/*.parquet")
        for row in pq.ParquetFile(path).read().to_pylist()
    ]
    assert sorted(values) == [1.0, 2.0, 6.0, 7.0]


def test_partitions_of_the_index_must_stand_in_front(tmp_path: Any) -> None:
    week = {"from_resource": "index"}
    weeks = {
        "connector": "smard_chart",
        "url": f"{BASE}/{{series}}/{{region}}/{{resolution}}_{{week}}.json",
        "partitions": {"week": week, **ASKED},
    }
    path = tmp_path / "town.yml"
    path.write_text(json.dumps(source_fields({"index": INDEX, "weeks": weeks})), encoding="utf-8")
    with pytest.raises(CatalogueError, match=r"partitions\.week: index has the partitions .*name them before"):
        load_source(path)


def test_the_last_day_of_a_month_goes_into_an_address(publisher: Publisher, client: Client, landing: Landing) -> None:
    power = {
        "connector": "energy_charts",
        "url": f"{BASE}/power?start={{month.first:%Y-%m-%d}}&end={{month.last:%Y-%m-%d}}",
        "options": {"answer": "power"},
        "partitions": {"month": {"first": "2024-01", "last": "2024-04"}},
        "absent_is_fine": True,
    }
    fetch_source(source_of({"power": power}), landing, client, AS_OF)
    assert sorted(publisher.paths()) == [
        "/market.example/power?start=2024-01-01&end=2024-01-31",
        "/market.example/power?start=2024-02-01&end=2024-02-29",
        "/market.example/power?start=2024-03-01&end=2024-03-31",
        "/market.example/power?start=2024-04-01&end=2024-04-30",
    ]
