from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from connectors.connector import Snapshot
from connectors.errors import SnapshotRefused
from connectors.formats import eco_counter
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


class Parsed:
    """What a file became: rows by table, rejections, drift, accounts."""

    def __init__(self, out: StagedWriter) -> None:
        self._out = out
        self.accounts = out.accounts
        self.drift = out.drifted

    def rows(self, table: str) -> list[dict[str, Any]]:
        file = self._out.file_of(table)
        return pq.ParquetFile(file).read().to_pylist() if file.exists() else []

    @property
    def rejected(self) -> list[tuple[int, str, str, str]]:
        return sorted(
            (row["record_number"], row["column_name"], row["raw_text"], row["reason"])
            for row in self.rows("rejected_row")
        )


def parse_sites(tmp_path: Path, content: object) -> Parsed:
    path = tmp_path / "site_min.json"
    path.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
    with StagedWriter(tmp_path / "staged", "sites", "c" * 64, "1") as out:
        eco_counter.parse_sites(Snapshot("sites", path, "c" * 64), out, REGION)
        out.close()
    return Parsed(out)


def test_stations_and_their_channels(tmp_path: Path) -> None:
    parsed = parse_sites(
        tmp_path,
        [
            {"name": "Markt", "directory": "100", "start": 2023, "channels": [[100, "Markt"], [101, "Markt IN"]]},
            {"name": "Hafen", "directory": "200", "start": 2019, "channels": [[200, "Hafen"]]},
        ],
    )
    assert [(row["site_id"], row["site_name"], row["first_year"]) for row in parsed.rows("count_site")] == [
        ("100", "Markt", 2023),
        ("200", "Hafen", 2019),
    ]
    assert [
        (row["record_number"], row["site_id"], row["channel_id"], row["channel_label"])
        for row in parsed.rows("count_channel")
    ] == [(1, "100", "100", "Markt"), (2, "100", "101", "Markt IN"), (3, "200", "200", "Hafen")]
    assert parsed.drift == []


def test_entries_that_are_no_stations_or_channels_are_rejected(tmp_path: Path) -> None:
    parsed = parse_sites(
        tmp_path,
        [
            {"name": "Markt", "directory": "100", "channels": [[100, "Markt"], [100, "Markt"], [101], ["x", "y"]]},
            {"name": "Nochmal", "directory": "100", "start": 2023, "channels": [[300, "Nochmal"]]},
            {"name": None, "directory": "400", "start": 2023, "channels": []},
            {"name": "Pfad", "directory": "../etc", "start": 2023, "channels": []},
            {"name": "Jahr", "directory": "500", "start": "2023", "channels": [], "mood": "good"},
            {"name": "Kanal", "directory": "600", "start": 2023},
            "Markt",
        ],
    )
    assert parsed.accounts["count_site"] == Account(read=7, staged=1, rejected=6)
    assert parsed.accounts["count_channel"] == Account(read=5, staged=1, rejected=4)
    assert [(number, column, reason) for number, column, _, reason in parsed.rejected] == [
        (2, "channels", "repeated channel"),
        (2, "directory", "repeated station"),
        (3, "channels", "not a pair of channel id and label"),
        (3, "name", "not a text"),
        (4, "channels", "not a pair of channel id and label"),
        (4, "directory", "not a station id"),
        (5, "channels", "its station was rejected"),
        (5, "start", "not a year"),
        (6, "channels", "not a list"),
        (7, "", "not a JSON object"),
    ]
    assert parsed.drift == [
        ("count_site", "channels", "missing"),
        ("count_site", "mood", "new"),
        ("count_site", "start", "missing"),
    ]


@pytest.mark.parametrize("content", ["", "<html>", '{"name": "Markt"}', "[" * 100_000, "[" + "9" * 5_000 + "]"])
def test_what_is_no_list_of_stations_is_refused(tmp_path: Path, content: str) -> None:
    with pytest.raises(SnapshotRefused, match=r"sites: site_min\.json: expected"):
        parse_sites(tmp_path, content)
