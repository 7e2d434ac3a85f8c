"""A municipality that was never heard of keeps a spreadsheet: a YAML file alone brings it into the register marts."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import duckdb
import openpyxl
import pytest
import yaml

from connectors import view
from connectors.region import region
from connectors.registry import check_catalogue
from muensterland import steps
from tests.connectors.conftest import source_fields
from tests.dbt_project.conftest import dbt

AS_OF = "2026-11-22T12:00:00+00:00"
HALF_AN_HOUR = 1_800
# What the office of Ahaus (05554004) might write: a title, German numbers as text, Gauss-Krüger coordinates, a note.
ROWS: list[list[Any]] = [
    ["Spielplätze der Stadt", None, None, None, None, None],
    ["Lfd. Nr.", "Name des Platzes", "Größe in m²", "frei zugänglich", "Rechtswert", "Hochwert"],
    [1, "Schlosswiese", "1.250,5", "ja", 2_568_944, 5_771_849],
    [2, "Am Bahnhof", "300", "nein", 2_568_253, 5_772_285],
    [3, "Grünzug Süd", None, "ja", 2_569_434, 5_771_177],
    ["Stand: 1. Oktober 2026", None, None, None, None, None],
]
DECLARATION = """
    connector: table
    inbox: 'Spielplätze.*\\.xlsx'
    options:
      into: facility
      file: xlsx
      header_marks: ["Lfd. Nr."]
      decimal: ","
      thousands: "."
      columns:
        facility_id: Lfd. Nr.
        kind: {fixed: playground}
        name: Name des Platzes
        ags: {fixed: "05554004"}
        capacity: Größe in m²
        capacity_unit: {fixed: m2}
        is_public: {column: frei zugänglich, words: {ja: "true", nein: "false"}}
      place: {x: Rechtswert, y: Hochwert, crs: "EPSG:31466"}
      covers: ["05554004"]
      out_of_scope: [{column: Lfd. Nr., pattern: 'Stand: .*', reason: footer}]
"""


def workbook() -> bytes:
    book = openpyxl.Workbook()
    for row in ROWS:
        book.active.append(row)  # type: ignore[union-attr]
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home whose clock is half an hour ahead of the file system's: whatever was dropped rests."""
    now = tmp_path.stat().st_ctime + HALF_AN_HOUR
    monkeypatch.setattr(steps.time, "time", lambda: now)
    monkeypatch.setenv("REGION_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("SOURCES_DIR", str(tmp_path / "sources"))
    (tmp_path / "sources").mkdir()
    return tmp_path / "home"


def test_a_spreadsheet_becomes_facilities_by_yaml_alone(home: Path, tmp_path: Path) -> None:
    fields = source_fields({"playgrounds": yaml.safe_load(DECLARATION)}, domain="registers", covers=["05554004"])
    (tmp_path / "sources" / "town.yml").write_text(yaml.safe_dump(fields, allow_unicode=True), encoding="utf-8")
    catalogue = check_catalogue(tmp_path / "sources")
    inbox = home / "inbox" / "town"
    inbox.mkdir(parents=True)
    (inbox / "Spielplätze 2026.xlsx").write_bytes(workbook())

    assert (steps.fetch("town", AS_OF)["new"], steps.parse("town")["staged"]) == (1, 3)
    view.freeze(tmp_path / "view", catalogue, region(), home / "landing", home / "staged", "sample")
    (tmp_path / "dbt").mkdir()
    result = dbt("run", tmp_path / "view", tmp_path / "dbt", "--select", "+dim_facility")
    assert result.success, result.exception

    with duckdb.connect(str(tmp_path / "dbt" / "candidate.duckdb"), read_only=True) as candidate:
        rows = candidate.execute(
            "select facility_id, kind, name, ags, capacity, capacity_unit, is_public, location_precision, "
            "round(longitude, 4), round(latitude, 4) from marts.dim_facility order by facility_id"
        ).fetchall()
    # The degrees that the metres were made of, around the town's centre.
    assert rows == [
        ("1", "playground", "Schlosswiese", "05554004", 1250.5, "m2", True, "point", 7.005, 52.0761),
        ("2", "playground", "Am Bahnhof", "05554004", 300.0, "m2", False, "point", 6.995, 52.0801),
        ("3", "playground", "Grünzug Süd", "05554004", None, "m2", True, "point", 7.012, 52.07),
    ]
