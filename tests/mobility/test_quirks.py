"""The quirks of the real counters, as small twins on their whole way: what is counted, believed, filled and found."""

from __future__ import annotations

import statistics
from collections import defaultdict
from datetime import date, datetime, timedelta
from typing import Any

import pytest

from connectors.catalogue import ChannelMeaning, CountCorrection
from tests.dbt_project.conftest import Built
from tests.mobility.quirky_counters import (
    BISMARCKALLEE,
    BOHLWEG,
    DECLARED,
    GARTENSTRASSE,
    HAFENSTRASSE,
    LUETKENBECKER,
    NEUTOR,
    NEUTOR_TOLD_AGAIN,
    STATIONS,
    WOLBECKER,
    Station,
)
from tests.mobility.world import CounterWorld, counters

pytestmark = pytest.mark.long(1)

GARTEN_DROP = ("2024-08-05 10:00", "2024-08-05 12:00")
GARTEN_SCALE = ("2024-08-06 00:00", "2024-08-07 00:00")
GARTEN_FLAG = ("2024-08-08 00:00", "2024-08-09 00:00")
GARTEN_MENDED = ("2024-08-12 00:00", "2024-08-13 00:00")


def correction(station: Station, times: tuple[str, str], action: str, **more: Any) -> CountCorrection:
    fields = {
        "site": station.number,
        "from": times[0],
        "to": times[1],
        "action": action,
        "reason": "Baustelle",
        "provider": "Stadt",
        "expect": station.total(*times, channel=more.get("channel")),
        **more,
    }
    return CountCorrection.model_validate(fields)


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Built:
    """One city with the quirky stations, one with declarations, and a survey that tells a week of Neutor better."""
    world = CounterWorld(tmp_path_factory.mktemp("quirks"))
    city, town, survey = (counters(name) for name in ("city", "town", "survey"))
    town = town.model_copy(
        update={
            "topology": tuple(
                ChannelMeaning.model_validate(
                    {
                        "site": DECLARED.number,
                        "channel": channel,
                        "from": "2024-10-01",
                        "direction": direction,
                        "reason": "Von Hand nachgezählt",
                    }
                )
                # The devices stayed where they were: the new labels are wrong.
                for channel, direction in (("353420518", "in"), ("353420519", "out"), ("353429999", "out"))
            ),
            "corrections": (
                correction(GARTENSTRASSE, GARTEN_DROP, "drop"),
                correction(GARTENSTRASSE, GARTEN_SCALE, "scale", factor=2, channel="101034978"),
                correction(GARTENSTRASSE, GARTEN_FLAG, "flag"),
                correction(GARTENSTRASSE, GARTEN_MENDED, "drop", expect=7),
                correction(GARTENSTRASSE, GARTEN_MENDED, "drop", site="100099999", expect=7),
            ),
        }
    )
    survey = survey.model_copy(update={"priority": 10})
    plan = [(city, station) for station in STATIONS]
    plan += [(town, DECLARED), (town, GARTENSTRASSE), (survey, NEUTOR_TOLD_AGAIN)]
    for source, station in plan:
        for month in station.months:
            world.land_month(source, station.number, month, station.file(month))
    for source in (city, town, survey):
        world.parse(source)
    return world.built()


def findings(built: Built, station: Station, code: str) -> list[tuple[Any, ...]]:
    return built.query(
        "select channel_id, direction, first_date, last_date, amount, reference_amount "
        f"from marts.mart_counting_finding where site_id = '{station.number}' and code = '{code}' order by all"
    )


def hours(built: Built, station: Station, direction: str, where: str = "true") -> list[tuple[Any, ...]]:
    """(local hour, count, validated, imputed, status, reason) of a site and direction."""
    return built.query(
        "select hour_local, count, count_validated, count_imputed, value_status, status_reason "
        f"from marts.fct_count_hour where site_id = '{station.number}' and direction = '{direction}' and {where} "
        "order by hour_at"
    )


def hourly(station: Station, *channels: str) -> dict[datetime, int]:
    """What the channels report per local hour, by a loop over the file's rows."""
    found: dict[datetime, int] = defaultdict(int)
    for month in station.months:
        for moment, cells in station.rows(month):
            found[moment.replace(minute=0)] += sum(cells.get(channel) or 0 for channel in channels)
    return dict(found)


def test_bohlweg_ghosts_are_found_and_no_hour_waits_for_them(built: Built) -> None:
    channels = built.query(
        f"select channel_id, channel_role, mode from marts.dim_counting_channel where site_id = '{BOHLWEG.number}'"
    )
    assert {(row[0], row[2]) for row in channels if row[1] == "ghost"} == {
        ("353485115", "car"),
        ("353484923", "bicycle"),
    }
    october = "cast(hour_local as date) between '2024-10-01' and '2024-10-26'"
    inwards = hours(built, BOHLWEG, "in", october)
    own = hourly(BOHLWEG, "353413831")
    assert {row[4] for row in inwards} == {"measured"}
    assert {row[0]: row[1] for row in inwards} == {row[0]: own[row[0]] for row in inwards}
    total = hourly(BOHLWEG, BOHLWEG.number)
    both = hours(built, BOHLWEG, "both", october)
    assert {row[0]: row[2] for row in both} == {row[0]: total[row[0]] for row in both}
    assert built.query(f"select distinct mode from marts.fct_count_hour where site_id = '{BOHLWEG.number}'") == [
        ("bicycle",)
    ]


def test_bohlweg_cars_inside_the_bicycle_total_are_told(built: Built) -> None:
    day = date(2024, 10, 5)
    sum_of_day = BOHLWEG.total("2024-10-05 00:00", "2024-10-06 00:00")
    assert findings(built, BOHLWEG, "other_mode_in_sum") == [(None, "both", day, day, 4.0, float(sum_of_day))]
    first, last = date(2024, 10, 1), date(2024, 10, 31)
    assert findings(built, BOHLWEG, "ghost_channel") == [
        ("353484923", "in", first, last, 20.0, float(sum_of_day)),
        ("353485115", "in", first, last, 4.0, float(sum_of_day)),
    ]
    assert findings(built, BOHLWEG, "channels_changed") == [(None, None, first, first, 5.0, 3.0)]
    assert findings(built, BOHLWEG, "sum_disagrees") == []


def test_bismarckallee_swap_is_reported_and_not_believed(built: Built) -> None:
    first, last = date(2024, 10, 1), date(2024, 10, 31)
    assert findings(built, BISMARCKALLEE, "direction_swapped") == [
        ("353420516", "out", first, last, None, None),
        ("353420517", "in", first, last, None, None),
    ]
    # The hours follow the label of their month, both stay what they are.
    before = hours(built, BISMARCKALLEE, "in", "hour_local < '2024-10-01'")
    assert {row[0]: row[2] for row in before} == {
        hour: count for hour, count in hourly(BISMARCKALLEE, "353420516").items() if f"{hour:%Y-%m}" < "2024-10"
    }
    after = hours(built, BISMARCKALLEE, "in", "hour_local >= '2024-10-01' and hour_local < '2024-10-27'")
    other = hourly(BISMARCKALLEE, "353420517")
    assert {row[0]: row[1] for row in after} == {row[0]: other[row[0]] for row in after}
    assert {row[2:] for row in after} == {(None, None, "unreliable", "direction_swapped")}
    both = hours(built, BISMARCKALLEE, "both", "hour_local < '2024-10-27'")
    assert {row[4] for row in both} == {"measured"}


def test_a_declared_direction_settles_a_swap(built: Built) -> None:
    found = hours(built, DECLARED, "in", "hour_local < '2024-10-27'")
    own = hourly(DECLARED, "353420518")
    assert {row[0]: row[2] for row in found} == {row[0]: own[row[0]] for row in found}
    channels = built.query(
        "select valid_from, valid_to, direction, declared_by, declaration from marts.dim_counting_channel "
        f"where site_id = '{DECLARED.number}' and channel_id = '353420518' order by valid_from"
    )
    assert channels == [
        (date(2024, 7, 1), date(2024, 9, 30), "in", "file", None),
        (date(2024, 10, 1), None, "in", "declaration", "topology.0"),
    ]
    # It is told all the same: the labels did change.
    assert len(findings(built, DECLARED, "direction_swapped")) == 2


def test_a_declaration_that_meets_nothing_is_told(built: Built) -> None:
    rows = built.query(
        "select site_id, channel_id, detail from marts.mart_counting_finding where code = 'declaration_unmatched' "
        "order by site_id"
    )
    assert [row[:2] for row in rows] == [("100099999", None), (DECLARED.number, "353429999")]
    assert rows[0][2].startswith("corrections.4 of town: no file has site 100099999 then")
    assert rows[1][2].startswith("topology.2 of town: no file has site 300038856, channel 353429999 then")


def test_hafenstrasse_has_other_words_for_the_same_directions(built: Built) -> None:
    found = findings(built, HAFENSTRASSE, "label_changed")
    assert [row[:3] for row in found] == [
        ("101031300", "in", date(2024, 8, 1)),
        ("101031300", "in", date(2024, 9, 1)),
        ("102031300", "out", date(2024, 8, 1)),
        ("102031300", "out", date(2024, 9, 1)),
    ]
    assert findings(built, HAFENSTRASSE, "direction_swapped") == []
    assert findings(built, HAFENSTRASSE, "meaning_changed") == []
    assert {row[4] for row in hours(built, HAFENSTRASSE, "out", "hour_local < '2024-10-27'")} == {"measured"}


def test_a_spike_and_a_stuck_sensor_are_found_by_the_sites_own_history(built: Built) -> None:
    doubted = [row for row in hours(built, HAFENSTRASSE, "in") if row[4] == "unreliable"]
    spikes = [(row[0], row[1]) for row in doubted if row[5] == "spike"]
    assert spikes == [(datetime.fromisoformat("2024-09-18 03:00"), 5_000)]
    stuck = [row[0] for row in doubted if row[5] == "stuck_sensor"]
    assert stuck == [datetime.fromisoformat("2024-09-20 08:00") + timedelta(hours=hour) for hour in range(8)]
    assert len(doubted) == 9
    assert findings(built, HAFENSTRASSE, "spike") == [(None, "both", date(2024, 9, 18), date(2024, 9, 18), 1.0, None)]


def test_dead_zeros_are_not_believed_and_nights_are(built: Built) -> None:
    dead = hours(built, LUETKENBECKER, "both", "cast(hour_local as date) between '2024-09-13' and '2024-09-30'")
    assert len(dead) == 18 * 24
    assert {row[1:] for row in dead} == {(0, None, None, "unreliable", "dead_sensor")}
    # The zeros of the night before belong to the same run.
    ((channel, direction, first, last, amount, _),) = findings(built, LUETKENBECKER, "dead_sensor")
    assert (channel, direction, first, last) == (None, "both", date(2024, 9, 12), date(2024, 10, 1))
    assert amount == 18 * 24 + 1 + 5  # 23:00 before, 00:00 to 04:00 after
    nights = hours(built, LUETKENBECKER, "both", "hour_local < '2024-09-12' and hour(hour_local) < 4")
    assert {row[1:5] for row in nights} == {(0, 0, None, "measured")}


def test_a_dead_direction_takes_the_total_with_it(built: Built) -> None:
    times = "hour_local >= '2024-08-14 06:00' and hour_local < '2024-08-14 16:00'"
    assert {row[4:] for row in hours(built, WOLBECKER, "out", times)} == {("unreliable", "dead_sensor")}
    assert {row[4:] for row in hours(built, WOLBECKER, "both", times)} == {("unreliable", "dead_sensor")}
    assert {row[4] for row in hours(built, WOLBECKER, "in", times)} == {"measured"}


def test_last_days_that_are_cut_are_one_finding(built: Built) -> None:
    assert findings(built, WOLBECKER, "last_day_cut") == [
        (None, "both", date(2024, 8, 31), date(2024, 9, 30), 24.0 + 19.0, None)
    ]
    assert findings(built, WOLBECKER, "gap") == []
    cut = hours(built, WOLBECKER, "both", "cast(hour_local as date) = '2024-09-30'")
    assert [row[4] for row in cut] == ["measured"] * 5 + ["missing"] * 19


def test_the_merged_hour_of_2024_10_27_is_split_evenly(built: Built) -> None:
    passes = {
        direction: [row[1:3] + row[4:] for row in hours(built, WOLBECKER, direction, "hour_local = '2024-10-27 02:00'")]
        for direction in ("both", "in", "out")
    }
    told = ("corrected", "clock_change")
    assert passes["both"] == [(113, 113, *told), (113, 113, *told)]  # 67 + 67 + 48 + 44 = 226
    assert passes["in"] == [(57, 57, *told), (56, 56, *told)]  # 113
    assert passes["out"] == [(57, 57, *told), (56, 56, *told)]
    assert len(hours(built, WOLBECKER, "both", "cast(hour_local as date) = '2024-10-27'")) == 25


def test_three_days_are_filled_beside_the_count_and_four_are_not(built: Built) -> None:
    autumn = [row for row in hours(built, NEUTOR, "both", "hour_local >= '2024-09-01'") if row[2] is not None]
    cells: dict[tuple[int, int], list[int]] = defaultdict(list)
    for local, _, validated, *_ in autumn:
        cells[local.weekday(), local.hour].append(validated)
    filled = hours(built, NEUTOR, "both", "cast(hour_local as date) between '2024-09-10' and '2024-09-12'")
    assert len(filled) == 72
    for local, count, validated, imputed, status, reason in filled:
        median = statistics.median(cells[local.weekday(), local.hour])
        assert (count, validated, status, reason) == (None, None, "missing", "gap")
        assert abs(imputed - median) <= 0.5
    left = hours(built, NEUTOR, "both", "cast(hour_local as date) between '2024-10-07' and '2024-10-10'")
    assert len(left) == 96
    assert {row[1:4] for row in left} == {(None, None, None)}
    assert [row[2:5] for row in findings(built, NEUTOR, "gap")] == [
        (date(2024, 9, 10), date(2024, 9, 12), 72.0),
        (date(2024, 10, 7), date(2024, 10, 10), 96.0),
    ]


def test_of_two_sources_the_one_of_the_lower_number_speaks(built: Built) -> None:
    july = "hour_local >= '2024-07-01' and hour_local < '2024-08-01'"
    told_again, own = hourly(NEUTOR_TOLD_AGAIN, NEUTOR.number), hourly(NEUTOR, NEUTOR.number)
    for local, count, *_ in hours(built, NEUTOR, "both", july):
        assert count == (told_again if local.date() < date(2024, 7, 8) else own)[local]
    week = ("2024-07-01 00:00", "2024-07-08 00:00")
    assert findings(built, NEUTOR, "two_sources") == [
        (
            None,
            "both",
            date(2024, 7, 1),
            date(2024, 7, 7),
            float(NEUTOR.total(*week)),
            float(NEUTOR_TOLD_AGAIN.total(*week)),
        )
    ]
    sites = built.query(f"select source_id, source_ids from marts.dim_counting_site where site_id = '{NEUTOR.number}'")
    assert sites == [("survey", "survey, city")]


def test_declared_corrections_are_applied_while_their_sum_holds(built: Built) -> None:
    def day(direction: str, times: tuple[str, str]) -> list[tuple[Any, ...]]:
        return hours(built, GARTENSTRASSE, direction, f"hour_local >= '{times[0]}' and hour_local < '{times[1]}'")

    total, inwards = hourly(GARTENSTRASSE, GARTENSTRASSE.number), hourly(GARTENSTRASSE, "101034978")
    dropped = day("both", GARTEN_DROP)
    assert [row[1:3] + row[4:] for row in dropped] == [
        (total[row[0]], None, "unreliable", "declared_drop") for row in dropped
    ]
    assert len(dropped) == 2
    assert all(row[3] is not None for row in dropped)  # two hours are a short gap
    assert built.query(
        "select distinct intervals_measured from marts.fct_count_hour "
        f"where site_id = '{GARTENSTRASSE.number}' and status_reason = 'declared_drop'"
    ) == [(0,)]
    scaled = day("in", GARTEN_SCALE)
    assert [row[1:3] for row in scaled] == [(inwards[row[0]], 2 * inwards[row[0]]) for row in scaled]
    assert {row[4:] for row in scaled} == {("corrected", "declared_scale")}
    assert {row[4] for row in day("both", GARTEN_SCALE)} == {"measured"}  # only one channel was named
    flagged = day("both", GARTEN_FLAG)
    assert {(row[2], *row[4:]) for row in flagged} == {(None, "unreliable", "declared_flag")}


def test_a_correction_that_the_publisher_has_mended_is_not_applied_and_has_to_go(built: Built) -> None:
    mended = hours(built, GARTENSTRASSE, "both", "cast(hour_local as date) = '2024-08-12'")
    assert {row[4] for row in mended} == {"measured"}
    found = built.query(
        "select site_id, first_date, last_date, amount, reference_amount, detail from marts.mart_counting_finding "
        "where code = 'correction_outdated'"
    )
    total = GARTENSTRASSE.total(*GARTEN_MENDED)
    day = date(2024, 8, 12)
    assert [row[:5] for row in found] == [(GARTENSTRASSE.number, day, day, float(total), 7.0)]
    assert found[0][5].startswith(f"corrections.3 of town (drop): the files say {total}, it was written for 7; ")


def test_every_day_that_is_not_believed_has_a_finding(built: Built) -> None:
    uncovered = built.query(
        """
        select distinct hours.site_id, hours.hour_local::date
        from marts.fct_count_hour as hours
        where hours.count is distinct from hours.count_validated and not exists (
            select 1 from marts.mart_counting_finding as findings
            where findings.site_id = hours.site_id
                and hours.hour_local::date between findings.first_date and findings.last_date
                and findings.code = hours.status_reason
        )
        """
    )
    assert uncovered == []
