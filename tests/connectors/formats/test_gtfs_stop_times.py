"""stop_times are read in blocks: what is staged, rejected and told does not depend on where a block ends."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from random import Random
from typing import Any

import pytest

from connectors import blocks
from connectors.errors import SnapshotRefused
from connectors.formats import gtfs_stop_times
from connectors.staging import REJECTED_LIMIT, Account
from tests.connectors.formats.test_gtfs import NATIONAL, Parsed, parse

HEADER = "trip_id,arrival_time,departure_time,stop_id,stop_sequence,timepoint\n"
TRIPS = "trip_id,route_id,service_id\n" + "".join(f"T{number},R,S\n" for number in range(50))


@pytest.fixture(params=[40, 200, 2**23], ids=["a line per block", "some lines per block", "one block"])
def block_bytes(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> int:
    monkeypatch.setattr(blocks, "BLOCK_BYTES", request.param)
    # As if there were more texts and rows than are kept.
    monkeypatch.setattr(gtfs_stop_times, "TEXTS_LIMIT", 3)
    monkeypatch.setattr(gtfs_stop_times, "NOTED_AT_ONCE", 5)
    if request.param == 200:
        monkeypatch.setattr(gtfs_stop_times, "KNOWN_LIMIT", 0)
    size: int = request.param
    return size


def lines(*rows: str) -> str:
    return HEADER + "".join(f"{row}\n" for row in rows)


def rejected(parsed: Parsed) -> list[tuple[Any, ...]]:
    return sorted(row[1:] for row in parsed.rejected)


@pytest.mark.usefixtures("block_bytes")
def test_a_key_comes_once_wherever_it_is_repeated(tmp_path: Path) -> None:
    """Within a trip's run of records, after another trip, and where the first of two cannot be read."""
    parsed = parse(
        tmp_path,
        {
            "trips.txt": TRIPS,
            "stop_times.txt": lines(
                "T1,08:00:00,08:00:00,A,1,",
                "T1,08:01:00,08:01:00,B,2,",
                "T1,08:02:00,08:02:00,A,2,",
                "T2,08:00:00,08:00:00,A,7,",
                "T2,08:01:00,08:01:00,B,5,",
                "T3,late,08:00:00,A,1,",
                "T3,08:00:00,08:00:00,B,1,",
                "T1,08:03:00,08:03:00,B,3,",
                "T2,08:02:00,08:02:00,A,05,",
                "T1,08:04:00,08:04:00,A,1,",
                "T2,08:02:00,08:02:00,A,6,",
            ),
        },
    )
    assert rejected(parsed) == [
        (3, "trip_id stop_sequence", "T1 2", "repeated key"),
        (6, "arrival_time", "late", "not a time H:MM:SS"),
        (9, "trip_id stop_sequence", "T2 5", "repeated key"),
        (10, "trip_id stop_sequence", "T1 1", "repeated key"),
    ]
    assert parsed.column("gtfs_stop_times", "record_number") == [1, 2, 4, 5, 7, 8, 11]


@pytest.mark.usefixtures("block_bytes")
def test_records_in_any_order_are_those_of_plain_loops(tmp_path: Path) -> None:
    dice = Random(7)
    rows = [
        (f"T{dice.randrange(60)}", dice.choice("AAAABZ"), str(dice.randrange(12)), dice.choice(["1", "", "x"]))
        for _ in range(150)
    ]
    text = lines(*(f"{trip},8:00:00,25:00:00,{stop},{sequence},{point}" for trip, stop, sequence, point in rows))
    parsed = parse(tmp_path, {"trips.txt": TRIPS, "stop_times.txt": text})
    kept, seen, reasons, unread = [], set(), Counter[str](), 0
    for number, (trip, stop, sequence, point) in enumerate(rows, start=1):
        if int(trip[1:]) >= 50:
            reasons["unknown trip_id"] += 1
        elif stop == "Z":
            reasons["unknown stop_id"] += 1
        elif (trip, sequence) in seen:
            reasons["repeated key"] += 1
        else:
            seen.add((trip, sequence))
            kept.append((number, trip, stop, int(sequence), 1 if point == "1" else None))
            unread += point == "x"
    names = ("record_number", "trip_id", "stop_id", "stop_sequence", "timepoint")
    assert [tuple(row[name] for name in names) for row in parsed.rows("gtfs_stop_times")] == kept
    assert Counter(row[4] for row in parsed.rejected) == reasons
    (told,) = parsed.rows("unread_cell")
    assert (told["column_name"], told["reason"], told["records"], told["example"]) == (
        "timepoint",
        "not a whole number",
        unread,
        "x",
    )


@pytest.mark.usefixtures("block_bytes")
def test_a_cut_keeps_trips_whole_that_enter_the_region_in_another_block(tmp_path: Path) -> None:
    parsed = parse(tmp_path, NATIONAL, region_only=True)
    assert parsed.column("gtfs_stop_times", "record_number") == [2, 3]
    assert parsed.column("gtfs_stops", "stop_id") == ["P", "OUT", "IN", "EDGE"]
    assert parsed.accounts["gtfs_stop_times"] == Account(read=8, staged=2, rejected=3, out_of_scope=3)
    assert rejected(parsed)[-3:] == [
        (6, "trip_id", "GHOST", "unknown trip_id"),
        (7, "stop_id", "", "no stop_id"),
        (8, "", "FERN,10:00:00,10:00:00", "expected 5 fields, found 3"),
    ]


def test_more_unreadable_records_than_any_limit_refuse_the_feed(tmp_path: Path) -> None:
    rows = "".join(f"T1,x,,A,{number},\n" for number in range(REJECTED_LIMIT + 1))
    with pytest.raises(SnapshotRefused, match=f"more than {REJECTED_LIMIT} records of gtfs_stop_times cannot be read"):
        parse(tmp_path, {"trips.txt": TRIPS, "stop_times.txt": HEADER + rows})
