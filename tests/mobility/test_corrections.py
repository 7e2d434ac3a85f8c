"""A month that its publisher rewrites: asked for again, the new value counts, and both files stay in the landing."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from connectors.catalogue import Months, Source
from connectors.fetching import FetchSummary, fetch_source
from connectors.http import Client
from connectors.ingredients import snapshots_used
from connectors.landing import Landing
from publishing.compare import compare
from publishing.record import Release
from publishing.release import publish
from tests.connectors.publisher import Publisher, document, publishing
from tests.dbt_project.conftest import Built
from tests.mobility.world import CounterWorld, counters, marts_of, parsed

pytestmark = pytest.mark.long(1)

STATION, OCTOBER = "100", "2024-10"
BASE = "https://raw.githubusercontent.com/od-ms/radverkehr-zaehlstellen/main"
# November is not published yet. Of September nobody asks again for a month.
AS_OF = datetime(2024, 11, 20, 6, 0, tzinfo=UTC)
CORRECTED = "2024-10-14 08:15"


def counted(moment: datetime) -> int:
    """Invented bicycles in a quarter hour: few at night, never twice the same for long."""
    busy = 40 if 6 <= moment.hour < 22 else 5
    return busy + (moment.day * 3 + moment.hour * 7 + moment.minute // 15 * 5) % 11


def month(year: int, number: int, corrections: dict[str, str] | None = None) -> bytes:
    """A month as it was counted, but for the `corrections` by local time."""
    rows = ["Datetime,100 (Weg),101 (Weg IN),102 (Weg OUT),100-status,101-status,102-status"]
    moment = datetime(year, number, 1)  # noqa: DTZ001  the publisher writes local time without offset
    while moment.month == number:
        stamp, count = f"{moment:%Y-%m-%d %H:%M}", counted(moment)
        rows.append(f"{stamp},{(corrections or {}).get(stamp, f'{count},{count // 2},{count - count // 2},0,0,0')}")
        moment += timedelta(minutes=15)
    return ("\r\n".join(rows) + "\r\n").encode()


def sum_of(*days: int) -> int:
    """What was counted on days of October 2024, without a loop over files."""
    # The layout tells autumn's two hours as one: 96 quarters on each day.
    return sum(
        counted(datetime(2024, 10, day) + timedelta(minutes=15 * quarter))  # noqa: DTZ001
        for day in days
        for quarter in range(96)
    )


@pytest.fixture(scope="module")
def source() -> Source:
    """Münster's declaration, of one station and since July 2024."""
    declared = counters("city-counters", "05515000")
    readings = declared.resources["readings"].model_copy(
        update={"partitions": {"station": (STATION,), "month": Months(first="2024-07")}}
    )
    return declared.model_copy(update={"resources": {"readings": readings}})


class Town:
    """A publisher, and a home that takes what it says on its way to releases."""

    def __init__(self, root: Path, source: Source, publisher: Publisher) -> None:
        self.source, self.publisher = source, publisher
        self.world = CounterWorld(root)
        self.world.sources[source.id] = source
        self.landing = Landing(root / "landing", source.id)
        self.client = Client(publisher.rebase, lambda _: None, jitter=lambda: 0.5)

    def says(self, name: str, content: bytes, etag: str) -> None:
        """From now on the month is this file."""
        self.publisher.says(f"{BASE}/{STATION}/{name}.csv", document(content, etag))

    def run(self, as_of: datetime) -> tuple[FetchSummary, Built, Release]:
        """Fetch, parse, build and promote."""
        summary = fetch_source(self.source, self.landing, self.client, as_of)
        self.world.parse(self.source)
        view = self.world.view(f"view-{as_of:%j}")
        built = marts_of(view, self.world.root / f"build-{as_of:%j}")
        there = {name for (name,) in built.query("select table_name from duckdb_tables() where schema_name = 'marts'")}
        nodes = {id_: node.to_dict() for id_, node in parsed().nodes.items() if node.name in there}
        declared = self.world.root / "manifest.json"
        declared.write_text(json.dumps({"nodes": nodes}, default=str), encoding="utf-8")
        published = publish(
            candidate=built.candidate,
            manifest=declared,
            releases=self.world.root / "releases",
            as_of=as_of,
            input_key=f"{as_of}",
            inputs=snapshots_used(view, self.world.root / "landing"),
            code_version="1",
            gate={"passed": True, "counts": {}},
            synthetic=True,
        )
        return summary, built, published.release


def day(built: Built, date: str) -> tuple[object, ...]:
    (row,) = built.query(
        "select count, count_validated, completeness_share from marts.mart_traffic_day "
        f"where site_id = '{STATION}' and direction = 'both' and date = '{date}'"
    )
    return row


def october(built: Built) -> tuple[object, ...]:
    (row,) = built.query(
        "select complete_days, count_validated from marts.mart_traffic_month "
        f"where site_id = '{STATION}' and direction = 'both' and month = '2024-10-01'"
    )
    return row


def test_a_rewritten_month_replaces_the_old_one_and_both_stay(tmp_path: Path, source: Source) -> None:
    # A quarter hour was not told at first, so that its day was not complete.
    at_first, later = month(2024, 10, {CORRECTED: ",,,,,"}), month(2024, 10, {CORRECTED: "70,40,30,0,0,0"})
    known = sum_of(14) - counted(datetime.fromisoformat(CORRECTED))
    rest = sum_of(*range(1, 14), *range(15, 32))
    with publishing() as publisher:
        town = Town(tmp_path, source, publisher)
        for name, content in (("2024-07", month(2024, 7)), ("2024-08", month(2024, 8)), ("2024-09", month(2024, 9))):
            town.says(name, content, f'"{name}"')
        town.says(OCTOBER, at_first, '"first"')
        summary, built, before = town.run(AS_OF)
        assert (summary.new, summary.absent, summary.failed) == (4, 1, 0)
        assert day(built, "2024-10-14") == (known, None, 95 / 96)
        assert october(built) == (30, rest)

        publisher.forget()
        town.says(OCTOBER, later, '"later"')
        summary, built, after = town.run(AS_OF + timedelta(days=1))

    asked = {request.path[-11:-4]: request.headers.get("if-none-match") for request in publisher.asked}
    assert asked == {"2024-09": '"2024-09"', "2024-10": '"first"', "2024-11": None}
    assert (summary.new, summary.unchanged, summary.absent, summary.settled) == (1, 1, 1, 2)
    assert day(built, "2024-10-14") == (known + 70, known + 70, 1.0)
    assert day(built, "2024-10-15") == (sum_of(15), sum_of(15), 1.0)
    assert october(built) == (31, rest + known + 70)

    landed = [path.read_bytes() for path in town.landing.folder.glob(f"*/{OCTOBER}.csv")]
    assert sorted(landed) == sorted([at_first, later])
    assert [row.outcome for row in town.landing.log() if row.partition.endswith(OCTOBER)] == ["new", "new"]

    found = compare(before, after)
    assert [used.partition for used in found.inputs_added] == [f"readings/station={STATION}/month={OCTOBER}"]
    changed = {mart.mart: mart for mart in found.marts if mart.state != "equal"}
    assert {"fct_count_hour", "mart_traffic_day", "mart_traffic_month", "mart_traffic_year"} <= changed.keys()
    assert "dim_date" not in changed
    keys = changed["mart_traffic_day"].keys
    assert keys is not None
    assert (keys.added, keys.removed, keys.changed) == (0, 0, 3)
