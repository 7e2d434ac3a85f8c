"""The benchmark at a tiny size: the feed has just the records asked for, and a run leaves a line in the history."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import duckdb
import pytest

from connectors.region import region
from muensterland.sample import transit
from tests.bench import __main__ as bench
from tests.bench.national import SMALL, Size, multiply


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("base") / "feed.zip"
    path.write_bytes(transit.national_feed())
    return path


@pytest.fixture(scope="module")
def feed(base: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    return multiply(base, tmp_path_factory.mktemp("small") / "feed", SMALL, region().bounding_box)


@pytest.fixture
def db(feed: dict[str, Path]) -> duckdb.DuckDBPyConnection:
    database = duckdb.connect()
    for name, place in feed.items():
        database.execute(
            f"create view {name.removesuffix('.txt')} as from read_csv('{place}', all_varchar = true, header = true)"
        )
    return database


def value(db: duckdb.DuckDBPyConnection, query: str) -> object:
    ((found,),) = db.execute(query).fetchall()
    return found


def test_a_multiplied_feed_has_just_the_records_asked_for(db: duckdb.DuckDBPyConnection) -> None:
    assert value(db, "select count(*) from stop_times") == 80_000
    assert value(db, "select count(distinct trip_id) from trips") == value(db, "select count(*) from trips") == 4_000
    assert value(db, "select count(distinct stop_id) from stops") == value(db, "select count(*) from stops") == 3_300
    # 80,000 / 4,000 in every trip.
    calls = "select trip_id, count(*) as calls, count(distinct stop_sequence) as keys from stop_times group by trip_id"
    assert db.execute(f"select distinct calls, keys from ({calls})").fetchall() == [(20, 20)]


def test_the_records_of_a_multiplied_feed_refer_to_each_other(db: duckdb.DuckDBPyConnection) -> None:
    references = {
        "stop_times.trip_id": "trips.trip_id",
        "trips.route_id": "routes.route_id",
        "trips.service_id": "calendar.service_id",
        "calendar_dates.service_id": "calendar.service_id",
        "routes.agency_id": "agency.agency_id",
        "frequencies.trip_id": "trips.trip_id",
        "stops.parent_station": "stops.stop_id",
    }
    for source, target in references.items():
        (table, column), (known, key) = source.split("."), target.split(".")
        unknown = f"select count(*) from {table} where {column} not in (select {key} from {known})"
        assert value(db, unknown) == 0, source
    # The sample's feed names one stop that it does not have, and so do its copies.
    unknown = (
        "select distinct split_part(stop_id, '~', 1) from stop_times where stop_id not in (select stop_id from stops)"
    )
    assert value(db, unknown) == transit.UNKNOWN_STOP_ID


def test_a_multiplied_feed_keeps_time_and_place(db: duckdb.DuckDBPyConnection) -> None:
    """Times never fall in a trip, neighbours in it are neighbours on the map, and one area lies in the region."""
    db.execute(
        """
        create table ride as
        select trip_id, arrival_time, lag(departure_time) over trip as left_at,
            stop_lat::double as lat, lag(stop_lat::double) over trip as former_lat, stop_times.stop_id
        from stop_times left join stops using (stop_id)
        window trip as (partition by trip_id order by stop_sequence::integer)
        """
    )
    assert value(db, "select count(*) from ride where arrival_time < left_at") == 0
    assert value(db, "select max(abs(lat - former_lat)) < 0.4 from ride") is True
    box = region().bounding_box
    inside = (
        f"stop_lat::double between {box.south} and {box.north} and stop_lon::double between {box.west} and {box.east}"
    )
    # 3,300 stops are four areas of 703 and a rest of 488; every fiftieth area, so the first, is in the region.
    areas = db.execute(f"select distinct split_part(stop_id, '~', 2) from stops where {inside}").fetchall()
    assert areas == [("0",)]


def test_the_same_feed_is_multiplied_to_the_same_bytes(base: Path, feed: dict[str, Path], tmp_path: Path) -> None:
    again = multiply(base, tmp_path / "feed", SMALL, region().bounding_box)
    assert [_sha256(place) for place in again.values()] == [_sha256(place) for place in feed.values()]


def test_fewer_stops_than_the_feed_has_are_refused(base: Path, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="cannot be made of a feed with 703 stops"):
        multiply(base, tmp_path / "feed", Size(stop_times=1_000, trips=100, stops=702), region().bounding_box)


def test_a_run_measures_and_adds_a_line_to_the_history(tmp_path: Path) -> None:
    history = tmp_path / "history.jsonl"
    history.write_text('{"at": "before"}\n', encoding="utf-8")
    options = ["--size", "small", "--parts", "staging", "--repeat", "1", "--divisors", "2", "1"]
    code = bench.main([*options, "--history", str(history), "--folder", str(tmp_path)])
    former, added = [json.loads(line) for line in history.read_text(encoding="utf-8").splitlines()]
    assert former == {"at": "before"}
    assert added["size"] == {"name": "small", "stop_times": 80_000, "trips": 4_000, "stops": 3_300}
    assert len(added["commit"].removesuffix("+")) == 40
    assert added["machine"]["cores_used"] <= 2
    assert {*added["measured"]} == {
        f"{name} {rows}" for name in ("copy", "staging_whole", "staging_cut") for rows in ("40,000", "80,000")
    }
    whole = added["measured"]["staging_whole 80,000"]
    assert whole["stop_times"]["read"] == 80_000
    assert 0 < whole["seconds"] < whole["whole_feed_s"]
    assert whole["peak_mib"] > 50
    assert {*added["targets"]} == {
        f"staging_{cut}_{figure}" for cut in ("whole", "cut") for figure in ("to_copy", "growth")
    }
    assert added["others"].keys() == {"copy_growth"}
    assert added["of_cores"].keys() == added["targets"].keys() | {"copy_growth"}
    assert code == (0 if all(target["is_met"] for target in added["targets"].values()) else 1)
    assert [path.name for path in tmp_path.iterdir()] == ["history.jsonl"]


def test_targets_are_met_or_missed_by_their_figure() -> None:
    verdicts = bench.verdicts({"pipeline_s": 600.0, "pipeline_growth": 1.11, "kit_to_ours": 4.99})
    assert {name: verdict["is_met"] for name, verdict in verdicts.items()} == {
        "pipeline_s": True,
        "pipeline_growth": False,
        "kit_to_ours": False,
    }
    assert verdicts["kit_to_ours"] == {"figure": 4.99, "at_least": 5.0, "is_met": False}


def test_other_visits_than_those_of_gtfs_kit_stop_the_bench(tmp_path: Path) -> None:
    ours, theirs = tmp_path / "ours.parquet", tmp_path / "theirs.csv"
    rows = "(values ('20261117', 'A', 3), ('20261117', 'B', 1)) as visit(date, stop_id, visits)"
    duckdb.execute(f"copy (select date, stop_id, visits::bigint as visits from {rows}) to '{ours}' (format parquet)")
    same = "date,stop_id,num_trips\n20261117,A,3.0\n20261117,B,1.0\n20261121,B,0\n20261117,unknown,5\n"
    theirs.write_text(same, encoding="utf-8")
    bench.require_same_visits(theirs, ours)
    theirs.write_text(same.replace("B,1.0", "B,2.0"), encoding="utf-8")
    with pytest.raises(AssertionError, match="2 of 2 visits"):
        bench.require_same_visits(theirs, ours)


def _sha256(place: Path) -> str:
    return hashlib.sha256(place.read_bytes()).hexdigest()
