"""The city's registers of the sample come through catalogue, feature service and files as sources declare them."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from connectors.catalogue import load_source
from connectors.fetching import fetch_source
from connectors.http import Client
from connectors.landing import Landing
from connectors.parsing import parse_source
from muensterland.sample import municipal
from muensterland.settings import REPOSITORY

AS_OF = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
DISTRICTS = len(municipal.PARTS) + len(municipal.SUMS)


@pytest.mark.parametrize(
    ("name", "staged", "rejected", "out_of_scope"),
    [
        # The date of each list; what lies off Africa, and what stands there twice.
        ("recycling-containers", 60 + 12 + 8, 0, 3),
        ("playgrounds-and-sports", 180 + 60 - 1, 2, 0),
        ("day-care", municipal.CENTRES, 0, 0),
        ("city-districts", DISTRICTS * (4 * 5 + 3 * 11), 0, 0),
        ("citizens-office", 3 * 96, 0, 0),
        ("household-survey", len(municipal.PARTS) * 46, 0, 0),
    ],
)
def test_the_sample_is_read(
    base: str, tmp_path: Path, name: str, staged: int, rejected: int, out_of_scope: int
) -> None:
    source = load_source(REPOSITORY / "data/sources" / f"muenster-{name}.yml")
    landing = Landing(tmp_path / "landing", source.id)
    client = Client(lambda url: f"{base}/{url.removeprefix('https://')}")
    fetched = fetch_source(source, landing, client, AS_OF)
    parsed = parse_source(source, landing, tmp_path / "staged")
    assert (fetched.errors, parsed.errors) == ((), ())
    assert (parsed.staged, parsed.rejected, parsed.out_of_scope) == (staged, rejected, out_of_scope)
    assert fetch_source(source, landing, client, AS_OF).new == 0


def test_what_is_wrong_in_the_sample_is_found(base: str, tmp_path: Path) -> None:
    source = load_source(REPOSITORY / "data/sources/muenster-playgrounds-and-sports.yml")
    landing = Landing(tmp_path / "landing", source.id)
    fetch_source(source, landing, Client(lambda url: f"{base}/{url.removeprefix('https://')}"), AS_OF)
    parse_source(source, landing, tmp_path / "staged")
    rows = [row for place in (tmp_path / "staged").glob("table_finding/**/*.parquet") for row in _rows(place)]
    assert {(row["code"], row["records"]) for row in rows} == {
        ("control_character", 1),
        ("duplicate_key", 1),
        ("outside_coverage", 1),
    }


def _rows(place: Path) -> list[dict[str, object]]:
    return pq.ParquetFile(place).read().to_pylist()  # type: ignore[no-any-return]
