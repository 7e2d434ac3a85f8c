"""Lists of counting sites and of places: coordinates as declared, what cannot be one is rejected."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from connectors.connector import Snapshot
from connectors.errors import SnapshotRefused
from connectors.formats import count_site_table
from connectors.region import BoundingBox, Region
from connectors.staging import Account, StagedWriter

REGION = Region(
    area_id="test",
    name_de="Test",
    name_en="Test",
    municipalities=0,
    bounding_box=BoundingBox(west=7.0, south=51.0, east=8.0, north=52.0),
    kreise=(),
    centres={},
)
COLUMNS: dict[str, str | list[str]] = {
    "site_id": "ID",
    "site_name": ["StrA", "StrB"],
    "longitude": "Long",
    "latitude": "Lat",
}
LINES = ["ID,StrA,StrB,Lat,Long", "01010,Markt,-,51.98,7.58", "01020,Ring,Tor,-,-", "01030,Ring,Au,51.9,acht"]


def parse(tmp_path: Path, lines: list[str], table: str, **options: Any) -> tuple[list[dict[str, Any]], StagedWriter]:
    path = tmp_path / "list.csv"
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    with StagedWriter(tmp_path / "staged", "places", "a" * 64, "1") as out:
        snapshot = Snapshot("places", path, "a" * 64)
        count_site_table.parse(snapshot, out, REGION, columns=COLUMNS, missing=["-"], **options)
        out.close()
    return pq.ParquetFile(out.file_of(table)).read().to_pylist(), out


def test_a_list_of_sites_has_names_of_several_columns_and_coordinates(tmp_path: Path) -> None:
    rows, out = parse(tmp_path, LINES, "count_site", mode="car")
    told = [(row["site_id"], row["site_name"], row["longitude"], row["latitude"], row["mode"]) for row in rows]
    assert told == [("01010", "Markt", 7.58, 51.98, "car"), ("01020", "Ring / Tor", None, None, "car")]
    assert out.accounts["count_site"] == Account(read=3, staged=2, rejected=1)
    assert out.first_rejection("count_site") == "record 3, longitude: not degrees ('acht')"


def test_a_list_of_places_counts_nothing_itself(tmp_path: Path) -> None:
    rows, out = parse(tmp_path, LINES, "count_location", lists="places")
    assert [(row["location_id"], row["name"], row["longitude"]) for row in rows] == [
        ("01010", "Markt", 7.58),
        ("01020", "Ring / Tor", None),
    ]
    assert list(out.accounts) == ["count_location"]


def test_a_list_without_a_declared_column_is_refused_with_what_it_has(tmp_path: Path) -> None:
    with pytest.raises(SnapshotRefused, match=r"expected one column 'Lat' for latitude, found 'ID', 'StrA', 'StrB'"):
        parse(tmp_path, ["ID,StrA,StrB,Breite,Long", "1,a,b,51,7"], "count_site")
