"""The quirks of the real counters (PROVENANCE, "Quirks: bike counters") by name, in the marts of all files here.

What is expected is counted from the bare files with the csv module.
"""

from __future__ import annotations

import csv
from collections import defaultdict
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pytest

from connectors.catalogue import load_catalogue
from muensterland.settings import REPOSITORY
from tests.dbt_project.conftest import Built
from tests.mobility.world import COUNTERS, CounterWorld

pytestmark = [pytest.mark.real, pytest.mark.long(1)]

BOHLWEG, BISMARCKALLEE, HAFENSTRASSE = "300037926", "300038855", "100031300"
LUETKENBECKER, NEUTOR, WOLBECKER, PROMENADE = "300037920", "100035541", "100020113", "300037405"


@pytest.fixture(scope="module")
def counters(real: Path) -> Path:
    return real / "mobility" / "ms-radverkehr-zaehlstellen"


@pytest.fixture(scope="module")
def built(counters: Path, tmp_path_factory: pytest.TempPathFactory) -> Built:
    """Every file here, by the catalogue's own declaration of what is real."""
    declared = load_catalogue(REPOSITORY / "data/sources")[COUNTERS]
    # A world of tests is frozen as the sample is.
    topology = tuple(
        entry.model_copy(update={"inputs": ("sample",)}) for entry in declared.topology if "mirror" in entry.inputs
    )
    corrections = tuple(entry for entry in declared.corrections if "mirror" in entry.inputs)
    source = declared.model_copy(update={"topology": topology, "corrections": corrections})
    world = CounterWorld(tmp_path_factory.mktemp("quirks"))
    for file in sorted(counters.glob("*/*.csv")):
        world.land_month(source, file.parent.name, file.stem, file.read_bytes())
    world.parse(source)
    return world.built()


def findings(built: Built, site: str, code: str, columns: str) -> list[tuple[Any, ...]]:
    return built.query(
        f"select {columns} from marts.mart_counting_finding where site_id = '{site}' and code = '{code}' order by all"
    )


def hours(built: Built, site: str, direction: str, where: str) -> list[tuple[Any, ...]]:
    return built.query(
        "select hour_local, count, count_validated, value_status, status_reason from marts.fct_count_hour "
        f"where site_id = '{site}' and direction = '{direction}' and {where} order by hour_at"
    )


def hourly(file: Path, channel: str) -> dict[datetime, int]:
    """What a channel's column holds per local hour; hours of which no cell is filled are not in it."""
    found: dict[datetime, int] = defaultdict(int)
    with file.open(encoding="utf-8", newline="") as stream:
        for row in csv.DictReader(stream):
            (cell,) = (value for name, value in row.items() if name.startswith(f"{channel} ("))
            if cell:
                found[datetime.fromisoformat(row["Datetime"]).replace(minute=0)] += int(cell)
    return dict(found)


def test_bismarckallee_swapped_its_labels(built: Built, counters: Path) -> None:
    found = findings(built, BISMARCKALLEE, "direction_swapped", "channel_id, direction, first_date")
    # The files of October and November 2024 are not here.
    assert found == [("353420516", "out", date(2024, 12, 1)), ("353420517", "in", date(2024, 12, 1))]
    inwards = hours(built, BISMARCKALLEE, "in", "hour_local between '2024-12-02' and '2024-12-20'")
    told = hourly(counters / BISMARCKALLEE / "2024-12.csv", "353420517")
    assert {row[0]: row[2] for row in inwards} == {row[0]: told[row[0]] for row in inwards}
    declared = built.query(
        "select channel_id, direction, declared_by from marts.dim_counting_channel "
        f"where site_id = '{BISMARCKALLEE}' and valid_from = '2024-12-01' order by channel_id"
    )
    assert declared == [("353420516", "out", "declaration"), ("353420517", "in", "declaration")]


def test_bohlweg_has_ghosts_from_2025_08_and_a_doubted_september(built: Built) -> None:
    ghosts = built.query(
        f"select channel_id from marts.dim_counting_channel where site_id = '{BOHLWEG}' and channel_role = 'ghost' "
        "order by channel_id"
    )
    assert [channel for (channel,) in ghosts] == [f"3534849{number}" for number in ("23", "25", "27", "28", "29", "30")]
    changed = findings(built, BOHLWEG, "channels_changed", "first_date, amount, reference_amount")
    assert changed == [(date(2025, 8, 1), 9.0, 3.0)]
    assert findings(built, BOHLWEG, "sensor_status", "first_date, last_date, amount") == [
        (date(2024, 9, 1), date(2024, 9, 30), 720.0)
    ]
    inwards = hours(built, BOHLWEG, "in", "hour_local between '2025-08-04' and '2025-08-20'")
    assert {row[3] for row in inwards} == {"measured"}


def test_hafenstrasse_changes_its_words_and_not_its_directions(built: Built) -> None:
    changed = findings(built, HAFENSTRASSE, "label_changed", "channel_id, direction, first_date")
    days = (date(2020, 6, 1), date(2020, 9, 1), date(2023, 10, 1))
    assert changed == [("101031300", "in", day) for day in days] + [("102031300", "out", day) for day in days]
    assert findings(built, HAFENSTRASSE, "direction_swapped", "1") == []
    assert built.query(
        f"select distinct direction from marts.fct_count_hour where site_id = '{HAFENSTRASSE}' order by 1"
    ) == [("both",), ("in",), ("out",)]


def test_luetkenbecker_strasse_is_dead_from_13_to_30_march_2025(built: Built, counters: Path) -> None:
    told = hourly(counters / LUETKENBECKER / "2025-03.csv", LUETKENBECKER)
    assert {told[hour] for hour in told if date(2025, 3, 13) <= hour.date() <= date(2025, 3, 30)} == {0}
    ((direction, first, last),) = findings(built, LUETKENBECKER, "dead_sensor", "direction, first_date, last_date")
    # It died on the afternoon before.
    assert (direction, first, last) == ("both", date(2025, 3, 12), date(2025, 3, 30))
    dead = hours(built, LUETKENBECKER, "both", "cast(hour_local as date) between '2025-03-13' and '2025-03-30'")
    assert len(dead) == 18 * 24 - 1  # summer time begins on the 30th
    assert {row[1:] for row in dead} == {(0, None, "unreliable", "dead_sensor")}


def test_wolbecker_strasse_counts_one_direction_for_months(built: Built, counters: Path) -> None:
    for month in ("2025-09", "2025-10", "2025-11"):
        assert sum(hourly(counters / WOLBECKER / f"{month}.csv", "102020113").values()) == 0
        assert sum(hourly(counters / WOLBECKER / f"{month}.csv", "101020113").values()) > 30_000
    ((first, last),) = findings(built, WOLBECKER, "dead_sensor", "first_date, last_date")
    assert (first, last) == (date(2025, 8, 6), date(2025, 12, 31))
    october = hours(built, WOLBECKER, "both", "cast(hour_local as date) = '2025-10-14'")
    assert {row[3:] for row in october} == {("unreliable", "dead_sensor")}
    assert {row[3] for row in hours(built, WOLBECKER, "in", "cast(hour_local as date) = '2025-10-14'")} == {"measured"}


def test_neutor_has_only_a_part_of_december_2021(built: Built, counters: Path) -> None:
    told = hourly(counters / NEUTOR / "2021-12.csv", NEUTOR)
    days = {hour.date() for hour in told}
    assert len(days) == 1
    counted = built.query(
        f"select distinct cast(hour_local as date) from marts.fct_count_hour where site_id = '{NEUTOR}' "
        "and direction = 'both' and count is not null and hour_local >= '2021-12-01' and hour_local < '2022-01-01'"
    )
    assert {day for (day,) in counted} == days
    imputed = built.query(
        f"select count(count_imputed) from marts.fct_count_hour where site_id = '{NEUTOR}' "
        "and hour_local >= '2021-12-01' and hour_local < '2022-01-01'"
    )
    assert imputed == [(0,)]  # the gaps are longer than three days


def test_last_days_are_cut_for_two_years(built: Built, counters: Path) -> None:
    assert max(hourly(counters / WOLBECKER / "2024-10.csv", WOLBECKER)) == datetime.fromisoformat("2024-10-30 23:00")
    cut = hours(built, WOLBECKER, "both", "cast(hour_local as date) = '2024-10-31'")
    assert {row[1:] for row in cut} == {(None, None, "missing", "last_day_cut")}
    june = hourly(counters / WOLBECKER / "2025-06.csv", WOLBECKER)
    left = [hour for hour in june if hour.date() == date(2025, 6, 30)]
    found = hours(built, WOLBECKER, "both", "cast(hour_local as date) = '2025-06-30'")
    assert len([row for row in found if row[1] is not None]) == len(left) < 24
    assert {row[4] for row in found if row[1] is None} == {"last_day_cut"}


def test_the_hour_of_2024_10_27_is_split(built: Built, counters: Path) -> None:
    told = hourly(counters / WOLBECKER / "2024-10.csv", WOLBECKER)[datetime.fromisoformat("2024-10-27 02:00")]
    assert told == 67 + 67 + 48 + 44
    passes = hours(built, WOLBECKER, "both", "hour_local = '2024-10-27 02:00'")
    assert [row[1:] for row in passes] == [(113, 113, "corrected", "clock_change")] * 2


def test_channels_that_others_replace_make_no_hour_incomplete(built: Built) -> None:
    # From 2024-10-08 on two channels of the Promenade count what six did.
    retired = findings(built, PROMENADE, "vanished_channel", "channel_id, first_date")
    assert retired == [(f"3534267{number}", date(2024, 10, 8)) for number in ("10", "12", "13", "15")]
    after = hours(built, PROMENADE, "in", "cast(hour_local as date) between '2024-10-09' and '2024-10-26'")
    assert {row[3] for row in after} == {"measured"}


def test_no_real_hour_is_taken_for_a_spike_or_a_stuck_sensor(built: Built) -> None:
    # New Year's nights, marathons and a Sunday in March are real, all 360,000 hours of these files.
    assert built.query(
        "select count(*) from marts.fct_count_hour where status_reason in ('spike', 'stuck_sensor')"
    ) == [(0,)]
    assert built.query("select count(count) > 300000 from marts.fct_count_hour") == [(True,)]


def test_there_are_findings_in_tens_per_site_and_not_in_thousands(built: Built) -> None:
    most = built.query(
        "select max(n) from (select count(*) as n from marts.mart_counting_finding "
        "where code <> 'month_missing' group by site_id)"
    )
    assert most[0][0] <= 40
