"""The real lists of barrier-free stops, both layouts, and how many of their entries are stops of the real network."""

from __future__ import annotations

import csv
import json
import math
import re
from collections import defaultdict
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from connectors import tables
from connectors.connector import Snapshot
from connectors.formats import barrier_free_stops
from connectors.locate import points_of
from connectors.nearby import nearby
from connectors.region import region
from connectors.staging import StagedWriter
from tests.dbt_project.conftest import MUENSTER, Staged, build

pytestmark = pytest.mark.real

NEW = "transit/swms-haltestellen-services/haltestellen_barrierefrei.csv"
OLD = "transit/swms-haltestellen-barrierefrei-alt/haltestellen_barrierefrei.csv"
STOPS = "transit/swms-haltestellen-services/haltestellen.geojson"


def parsed(file: Path, folder: Path) -> list[dict[str, Any]]:
    with StagedWriter(folder, "list", "s1", "p1") as out:
        barrier_free_stops.parse(Snapshot("list", file, "s1"), out, region())
        out.close()
    rows: list[dict[str, Any]] = pq.ParquetFile(out.file_of("barrier_free_stop")).read().to_pylist()
    return rows


@pytest.mark.parametrize(
    ("name", "delimiter", "columns", "entries"),
    [
        (NEW, ";", ("ID", "Title", "Latitude", "Longitude", "Info"), 344),
        (OLD, ",", ("Haltestellen-Id", "Name der barrierefreien Haltestelle", "Latitude", "Longitude", ""), 337),
    ],
)
def test_every_entry_is_staged_as_it_stands(
    real: Path, tmp_path: Path, name: str, delimiter: str, columns: tuple[str, ...], entries: int
) -> None:
    with (real / name).open(encoding="utf-8", newline="") as stream:
        plain = list(csv.DictReader(stream, delimiter=delimiter))
    entry_id, title, latitude, longitude, info = columns
    assert len(plain) == entries
    assert [
        (row["entry_id"], row["name"], row["latitude"], row["longitude"], row["info"] or "")
        for row in parsed(real / name, tmp_path)
    ] == [
        (row[entry_id], row[title].strip(), float(row[latitude]), float(row[longitude]), row.get(info, ""))
        for row in plain
    ]


def test_no_id_of_the_older_list_is_one_of_the_newer(real: Path, tmp_path: Path) -> None:
    new, old = ({row["entry_id"]: row["name"] for row in parsed(real / name, tmp_path)} for name in (NEW, OLD))
    assert not [entry for entry in new.keys() & old.keys() if new[entry] == old[entry]]
    assert len(set(new.values()) & set(old.values())) > 300


def metres(a: tuple[float, float], b: tuple[float, float]) -> float:
    """Great-circle distance of two places given as longitude and latitude."""
    (x, y), (u, v) = a, b
    half = math.sin(math.radians(v - y) / 2) ** 2 + math.cos(math.radians(y)) * math.cos(math.radians(v)) * (
        math.sin(math.radians(u - x) / 2) ** 2
    )
    return 2 * 6_371_008.8 * math.asin(math.sqrt(half))


def plain_key(name: str) -> str:
    name = re.sub(r"^münster[ ,/-]+(?=.)", "", name.strip().lower())
    for long, short in (("hauptbahnhof", "hbf"), ("bahnhof", "bf"), ("straße", "str"), ("platz", "pl")):
        name = name.replace(long, short)
    return "".join(mark for mark in name if mark.isalnum())


@pytest.mark.parametrize(("name", "matched"), [(NEW, 336), (OLD, 322)])
def test_entries_are_matched_with_the_stops_of_the_real_network(
    real: Path, tmp_path: Path, name: str, matched: int
) -> None:
    features = json.loads((real / STOPS).read_text(encoding="utf-8"))["features"]
    stops = [
        {
            "stop_id": feature["properties"]["stop_id"],
            "stop_name": feature["properties"]["stop_name"],
            "stop_lon": feature["geometry"]["coordinates"][0],
            "stop_lat": feature["geometry"]["coordinates"][1],
            "location_type": int(feature["properties"].get("location_type") or 0),
        }
        for feature in features
    ]
    entries = parsed(real / name, tmp_path / "parsed")
    folder = Staged(tmp_path / "staged")
    folder.write(tables.GTFS_STOPS, "feed", stops)
    folder.write(
        tables.BARRIER_FREE_STOP,
        "list",
        [{key: row[key] for key in tables.BARRIER_FREE_STOP.columns.names} for row in entries],
    )
    folder.write(
        tables.MUNICIPALITY_REGISTER, "register", [{"ags": MUENSTER, "ars": "055150000000", "name": "Münster, Stadt"}]
    )
    in_force = [
        {"source_id": source, "partition": "", "snapshot_sha256": "s1", "parse_key": "p1"}
        for source in ("feed", "list", "register")
    ]
    folder.state(tables.SNAPSHOT_IN_FORCE, in_force)
    folder.state(tables.SOURCE_RESOURCE, [{"source_id": "feed", "resource": "", "connector": "gtfs"}])
    folder.state(tables.SOURCE_COVERAGE, [{"source_id": "list", "ags": MUENSTER}])
    points = points_of(folder.root)
    located = points.append_column("ags", pa.array([MUENSTER] * points.num_rows))
    folder.state(tables.LOCATED_POINT, located.to_pylist())
    folder.state(tables.STOP_NEARBY, nearby(points).to_pylist())
    built = build(
        folder.root, tmp_path / "build", "--select", "+mart_stop_accessibility", "--exclude-resource-type", "test"
    )
    assert built.result.success, built.result.exception

    rules = dict(
        built.query("select entry_id, min(match_rule) from intermediate.int_barrier_free_match group by entry_id")
    )
    assert rules.keys() == {row["entry_id"] for row in entries}
    # The first rule, counted by a plain loop: the same name within 1,000 m, but for entries another one outdoes.
    places: dict[str, list[tuple[float, float]]] = defaultdict(list)
    for stop in stops:
        places[plain_key(stop["stop_name"])].append((stop["stop_lon"], stop["stop_lat"]))
    expected = {
        row["entry_id"]
        for row in entries
        if any(metres((row["longitude"], row["latitude"]), place) <= 1_000 for place in places[plain_key(row["name"])])
    }
    assert {entry for entry, rule in rules.items() if rule == "same_name"} == expected
    # Of 344 and 337.
    assert sum(rule in ("same_name", "name_within", "nearest") for rule in rules.values()) == matched
    shown = built.query("select count(distinct list_entry_id) from marts.mart_stop_accessibility")
    assert shown == [(len(entries),)]
