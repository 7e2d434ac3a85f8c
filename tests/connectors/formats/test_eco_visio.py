"""Eco-Visio's public pages, small and by hand after the answers that programs have kept or read."""

from __future__ import annotations

import itertools
import json
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from connectors.connector import Listed, Snapshot
from connectors.errors import SnapshotRefused
from connectors.formats import eco_visio
from connectors.region import region
from connectors.staging import Account, StagedWriter

SHA = "b" * 64
Entry = list[Any]


class Parsed:
    def __init__(self, out: StagedWriter) -> None:
        self._out = out
        self.accounts = out.accounts
        self.drift = out.drifted

    def rows(self, table: str) -> list[dict[str, Any]]:
        place = self._out.file_of(table)
        return pq.ParquetFile(place).read().to_pylist() if place.exists() else []

    @property
    def rejected(self) -> list[tuple[int, str, str]]:
        return [(row["record_number"], row["column_name"], row["reason"]) for row in self.rows("rejected_row")]

    @property
    def out_of_scope(self) -> set[tuple[str, str, int]]:
        rows = self.rows("record_account")
        return {(row["table_name"], row["reason"], row["records"]) for row in rows if row["outcome"] == "out_of_scope"}


def write(tmp_path: Path, content: Any) -> Path:
    path = tmp_path / "answer.json"
    path.write_bytes(content if isinstance(content, bytes) else json.dumps(content).encode())
    return path


def sites(tmp_path: Path, content: Any, **options: Any) -> Parsed:
    snapshot = Snapshot("eco", write(tmp_path, content), SHA)
    with StagedWriter(tmp_path / "staged", "eco", SHA, "1") as out:
        eco_visio.parse_sites(snapshot, out, region(), **options)
        out.close()
    return Parsed(out)


def readings(tmp_path: Path, content: Any, month: str | None = None, **options: Any) -> Parsed:
    partition = {"site": "100135012"} | ({} if month is None else {"month": month})
    snapshot = Snapshot("eco", write(tmp_path, content), SHA, partition)
    with StagedWriter(tmp_path / "staged", "eco", SHA, "1") as out:
        eco_visio.parse_readings(snapshot, out, region(), **options)
        out.close()
    return Parsed(out)


def local(*parts: int) -> datetime:
    """A time on the clock, without a zone."""
    return datetime(*parts)  # type: ignore[arg-type]  # noqa: DTZ001


def day(stamp: str, counts: Sequence[Any]) -> list[Entry]:
    return [[stamp, count] for count in counts]


# An entry has the keys of the publisher's answer of 2022.
NEUTOR = {
    "id_pdc_img": 0,
    "idPdc": 100135012,
    "lat": 51.9664,
    "lon": 7.6154,
    "nom": "Neutor",
    "photo": [],
    "pratique": [{"pratique": 2, "id": 101135012}, {"pratique": 1, "id": 353200001}, {"pratique": 2, "id": 102135012}],
    "mainPratique": 2,
    "debut": "01/03/2020",
    "debutPeriode": "01/01/2022",
    "current_year_default": 1,
    "nomOrganisme": "Bike Count Display Interactive Map",
    "pays": "de",
    "today": "26/05/2022",
    "total": 5181,
    "lastDay": 218,
    "moyD": 36,
}
ALTA = {**NEUTOR, "idPdc": 100021443, "lat": 69.96787, "lon": 23.36929, "nom": "Alta_2 (NO)"}


# -- the list --------------------------------------------------------------------------------------------------------


def test_counters_of_the_region_are_staged_with_their_flows(tmp_path: Path) -> None:
    parsed = sites(tmp_path, [ALTA, NEUTOR])
    (site,) = parsed.rows("count_site")
    told = ("record_number", "site_id", "site_name", "first_year", "longitude", "latitude", "mode")
    assert tuple(site[name] for name in told) == (2, "100135012", "Neutor", 2020, 7.6154, 51.9664, "bicycle")
    channels = [(row["record_number"], row["channel_id"], row["channel_label"]) for row in parsed.rows("count_channel")]
    assert channels == [(4, "101135012", "bicycle"), (5, "353200001", "pedestrian"), (6, "102135012", "bicycle")]
    assert parsed.out_of_scope == {("count_site", "outside the region", 1), ("count_channel", "outside the region", 3)}
    assert parsed.drift == []


def test_a_city_of_its_own_may_be_taken_whole(tmp_path: Path) -> None:
    assert sites(tmp_path, [ALTA, NEUTOR], region_only=False).accounts["count_site"] == Account(2, 2, 0, 0)


@pytest.mark.parametrize("place", [{"lat": 0, "lon": 0}, {"lat": None, "lon": None}])
def test_a_counter_without_a_place_is_in_no_region(tmp_path: Path, place: dict[str, Any]) -> None:
    assert ("count_site", "no place told", 1) in sites(tmp_path, [{**NEUTOR, **place}]).out_of_scope


def test_degrees_may_come_as_text(tmp_path: Path) -> None:
    (site,) = sites(tmp_path, [{**NEUTOR, "lat": "51.9664", "lon": "7.6154"}]).rows("count_site")
    assert (site["longitude"], site["latitude"]) == (7.6154, 51.9664)


@pytest.mark.parametrize(
    ("changed", "key", "reason"),
    [
        ({"idPdc": "x"}, "idPdc", "not a counter's id"),
        ({"idPdc": True}, "idPdc", "not a counter's id"),
        ({"nom": 7}, "nom", "not a text"),
        ({"nom": "MÃ¼nster"}, "nom", "broken encoding"),
        ({"pratique": "2"}, "pratique", "not a list"),
        ({"mainPratique": "2"}, "mainPratique", "not a whole number"),
        ({"debut": "2020-03-01"}, "debut", "expected a date DD/MM/YYYY"),
        ({"lat": 251.9}, "lat", "not degrees"),
        ({"lon": "7,6"}, "lon", "not degrees"),
    ],
)
def test_an_entry_that_cannot_be_read_is_rejected_with_its_flows(
    tmp_path: Path, changed: dict[str, Any], key: str, reason: str
) -> None:
    parsed = sites(tmp_path, [NEUTOR, {**NEUTOR, "idPdc": 1, **changed}])
    assert (2, key, reason) in parsed.rejected
    assert parsed.accounts["count_site"] == Account(2, 1, 1, 0)
    channels = parsed.accounts["count_channel"]
    assert channels.read == channels.staged + channels.rejected


def test_a_counter_told_twice_is_one(tmp_path: Path) -> None:
    assert (2, "idPdc", "repeated counter") in sites(tmp_path, [NEUTOR, NEUTOR]).rejected


def test_new_and_missing_keys_are_drift(tmp_path: Path) -> None:
    entry = {key: value for key, value in NEUTOR.items() if key != "debut"}
    parsed = sites(tmp_path, [{**entry, "quality": 1}])
    assert parsed.drift == [("count_site", "debut", "missing"), ("count_site", "quality", "new")]
    assert parsed.rows("count_site")[0]["first_year"] is None


@pytest.mark.parametrize("content", [{"error": "no such organisation"}, b"[", b'"x"'])
def test_what_is_no_list_is_refused(tmp_path: Path, content: Any) -> None:
    with pytest.raises(SnapshotRefused, match="ask the publisher again"):
        sites(tmp_path, content)


def test_readings_are_asked_for_by_counter_with_its_flows_of_one_practice(tmp_path: Path) -> None:
    walkers = {**NEUTOR, "idPdc": 2, "pratique": [{"pratique": 1, "id": 5}]}
    path = write(tmp_path, [ALTA, NEUTOR, walkers, "?"])
    assert list(eco_visio.listed(path, region())) == [Listed("100135012", {"flows": "101135012;102135012"})]
    assert list(eco_visio.listed(path, region(), practice=1)) == [
        Listed("100135012", {"flows": "353200001"}),
        Listed("2", {"flows": "5"}),
    ]


# -- the series ------------------------------------------------------------------------------------------------------


def test_hours_are_the_places_of_a_days_entries(tmp_path: Path) -> None:
    parsed = readings(tmp_path, [*day("11/03/2025", range(24)), *day("11/04/2025", map(str, range(24)))], "2025-11")
    rows = parsed.rows("count_reading")
    assert parsed.accounts["count_reading"] == Account(48, 48, 0, 0)
    assert [row["count"] for row in rows] == [*range(24), *range(24)]
    assert rows[0]["interval_start_local"] == local(2025, 11, 3)
    assert rows[0]["interval_start_at"] == datetime(2025, 11, 2, 23, tzinfo=UTC)
    assert rows[47]["interval_start_local"] == local(2025, 11, 4, 23)
    told = ("site_id", "channel_id", "channel_role", "mode", "direction", "interval_minutes", "clock_change")
    assert [rows[0][name] for name in told] == ["100135012", "100135012", "sum", "bicycle", "both", 60, None]


def test_null_is_missing_and_not_zero(tmp_path: Path) -> None:
    rows = readings(tmp_path, day("11/03/2025", [None, "0", 0, *range(21)])).rows("count_reading")
    assert [row["count"] for row in rows[:3]] == [None, 0, 0]


def test_spring_2025_has_23_entries(tmp_path: Path) -> None:
    """30 March: after 01:00 comes 03:00."""
    rows = readings(tmp_path, [*day("03/30/2025", range(23)), *day("03/31/2025", range(24))]).rows("count_reading")
    of_day = rows[:23]
    assert [row["interval_start_local"].hour for row in of_day] == [0, 1, *range(3, 24)]
    assert [row["count"] for row in of_day] == [*range(23)]
    steps = {later["interval_start_at"] - row["interval_start_at"] for row, later in itertools.pairwise(rows)}
    assert steps == {timedelta(hours=1)}


def test_spring_2025_with_24_entries_has_an_empty_one(tmp_path: Path) -> None:
    counts = [5, 6, 0, *range(3, 24)]
    parsed = readings(tmp_path, [*day("03/30/2025", counts), *day("03/31/2025", range(24))])
    rows = parsed.rows("count_reading")[:23]
    assert [(row["interval_start_local"].hour, row["count"]) for row in rows[:3]] == [(0, 5), (1, 6), (3, 3)]
    assert parsed.out_of_scope == {("count_reading", "hour that spring leaves out", 1)}


def test_a_count_in_the_hour_that_spring_leaves_out_is_not_lost_in_silence(tmp_path: Path) -> None:
    parsed = readings(tmp_path, [*day("03/30/2025", [1] * 24), *day("03/31/2025", range(24))])
    assert parsed.rejected == [(3, "date", "local time does not exist in Europe/Berlin")]


def test_autumn_2025_with_24_entries_holds_both_passes_in_one(tmp_path: Path) -> None:
    """26 October: 02:00 is passed twice, at 00:00 and at 01:00 UTC."""
    rows = readings(tmp_path, [*day("10/26/2025", range(24)), *day("10/27/2025", range(24))]).rows("count_reading")
    assert [row["clock_change"] for row in rows[:24]] == [None, None, "merged", *[None] * 21]
    assert rows[2]["interval_start_at"] == datetime(2025, 10, 26, 0, tzinfo=UTC)
    assert rows[3]["interval_start_at"] == datetime(2025, 10, 26, 2, tzinfo=UTC)
    assert sum(row["count"] for row in rows[:24]) == sum(range(24))


def test_autumn_2021_as_the_last_day_of_its_month_is_over(tmp_path: Path) -> None:
    rows = readings(tmp_path, day("10/31/2021", range(24)), "2021-10").rows("count_reading")
    assert [row["clock_change"] for row in rows[:3]] == [None, None, "merged"]
    assert rows[23]["interval_start_local"] == local(2021, 10, 31, 23)


def test_autumn_2025_with_25_entries_has_each_pass(tmp_path: Path) -> None:
    rows = readings(tmp_path, [*day("10/26/2025", range(25)), *day("10/27/2025", range(24))]).rows("count_reading")
    assert [row["interval_start_local"].hour for row in rows[:5]] == [0, 1, 2, 2, 3]
    assert [row["clock_change"] for row in rows[:25]] == [None] * 25
    assert len({row["interval_start_at"] for row in rows}) == 49


def test_the_last_day_may_still_run(tmp_path: Path) -> None:
    rows = readings(tmp_path, [*day("11/03/2025", range(24)), *day("11/04/2025", [7, 8])]).rows("count_reading")
    assert [(row["interval_start_local"].hour, row["count"]) for row in rows[24:]] == [(0, 7), (1, 8)]


@pytest.mark.parametrize("entries", [22, 25])
def test_a_day_of_another_number_of_entries_has_no_hours(tmp_path: Path, entries: int) -> None:
    parsed = readings(tmp_path, [*day("11/03/2025", range(entries)), *day("11/04/2025", range(24))])
    assert parsed.accounts["count_reading"] == Account(entries + 24, 24, entries, 0)
    assert parsed.rejected[0][2] == f"{entries} entries of a day, expected 24: the hour of none is known"


def test_quarter_hours_are_declared(tmp_path: Path) -> None:
    rows = readings(tmp_path, day("10/26/2025", range(96)), interval_minutes=15).rows("count_reading")
    assert [row["clock_change"] for row in rows[7:13]] == [None, *["merged"] * 4, None]
    assert rows[95]["interval_start_local"] == local(2025, 10, 26, 23, 45)


def test_dates_are_month_first_unless_declared(tmp_path: Path) -> None:
    (first, *_) = readings(tmp_path, day("11/03/2025", range(24))).rows("count_reading")
    (other, *_) = readings(tmp_path, day("11/03/2025", range(24)), day_first=True).rows("count_reading")
    assert (first["interval_start_local"].date(), other["interval_start_local"].date()) == (
        date(2025, 11, 3),
        date(2025, 3, 11),
    )


def test_days_of_another_month_are_told_apart(tmp_path: Path) -> None:
    """Should `fin` be included, the first day of the next month comes too; any other one is an error."""
    content = [
        *day("10/31/2025", range(24)),
        *day("11/30/2025", range(24)),
        *day("12/01/2025", range(24)),
        *day("12/02/2025", range(24)),
    ]
    parsed = readings(tmp_path, content, "2025-11")
    assert parsed.accounts["count_reading"] == Account(96, 24, 48, 24)
    assert parsed.out_of_scope == {("count_reading", "day after the month", 24)}
    assert {reason for _, _, reason in parsed.rejected} == {"no day of the month asked for"}


def test_days_out_of_order_are_refused(tmp_path: Path) -> None:
    with pytest.raises(SnapshotRefused, match="not in the order of time"):
        readings(tmp_path, [*day("11/04/2025", range(24)), *day("11/03/2025", range(24))])


@pytest.mark.parametrize(
    "entry", [["13/30/2025", 1], ["11/03/25", 1], ["11/03/2025"], ["11/03/2025", 1, 2], {"date": 1}, None, [1, 2]]
)
def test_what_is_no_pair_of_date_and_count_is_rejected(tmp_path: Path, entry: Any) -> None:
    parsed = readings(tmp_path, [*day("11/03/2025", range(24)), entry])
    assert parsed.rejected == [(25, "date", "not a pair of a date and a count")]


@pytest.mark.parametrize("count", [-1, "1.5", 1.5, True, "x", [1], "9" * 10])
def test_what_is_no_count_is_rejected(tmp_path: Path, count: Any) -> None:
    parsed = readings(tmp_path, day("11/03/2025", [*range(23), count]))
    assert parsed.rejected == [(24, "count", "not a count")]


def test_an_empty_answer_is_a_month_without_values(tmp_path: Path) -> None:
    assert readings(tmp_path, [], "2025-11").accounts["count_reading"] == Account(0, 0, 0, 0)
