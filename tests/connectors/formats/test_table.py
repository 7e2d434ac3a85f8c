"""Declared tables: every kind of file comes to the same rows, and what is suspicious is found, not swallowed."""

from __future__ import annotations

import csv
import io
import json
import zipfile
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import openpyxl
import pyarrow.parquet as pq
import pyproj
import pytest

from connectors.catalogue import CatalogueError
from connectors.connector import Snapshot
from connectors.errors import SnapshotRefused
from connectors.formats.table import CONNECTOR
from connectors.region import region
from connectors.registry import connector
from connectors.staging import Account, StagedWriter

# Two places in Münster: longitude, latitude.
MARKET, LAKE = (7.6283, 51.9628), (7.6045, 51.9512)
PLAYGROUNDS = [["Nr", "Name", "m2", "Lon", "Lat"], ["1", "Markt", "300", *MARKET], ["2", "See", "1250,5", *LAKE]]
COLUMNS = {
    "facility_id": "Nr",
    "kind": {"fixed": "playground"},
    "name": "Name",
    "ags": {"fixed": "05515000"},
    "capacity": "m2",
    "capacity_unit": {"fixed": "m2"},
}
DECLARED: dict[str, Any] = {
    "into": "facility",
    "decimal": ",",
    "columns": COLUMNS,
    "place": {"x": "Lon", "y": "Lat"},
    "covers": ["05515000"],
}


@dataclass(frozen=True)
class Parsed:
    """What became of a file."""

    out: StagedWriter

    def rows(self, table: str) -> list[dict[str, Any]]:
        place = self.out.file_of(table)
        return pq.ParquetFile(place).read().to_pylist() if place.exists() else []

    @property
    def account(self) -> Account:
        (account,) = self.out.accounts.values()
        return account

    @property
    def findings(self) -> set[tuple[str, str, int]]:
        return {(row["code"], row["field"], row["records"]) for row in self.rows("table_finding")}

    @property
    def rejected(self) -> list[tuple[int, str, str]]:
        return [(row["record_number"], row["column_name"], row["reason"]) for row in self.rows("rejected_row")]


def parse(folder: Path, content: bytes, declared: dict[str, Any], name: str = "list.csv", **partition: str) -> Parsed:
    path = folder / name
    path.write_bytes(content)
    assert CONNECTOR.options is not None
    options = CONNECTOR.options(declared)
    with StagedWriter(folder / "staged", "town", "a" * 64, "1") as out:
        CONNECTOR.parse(Snapshot("town", path, "a" * 64, partition), out, region(), **options)
        out.close()
    return Parsed(out)


def as_csv(rows: list[list[Any]], delimiter: str = ",", encoding: str = "utf-8") -> bytes:
    text = io.StringIO()
    csv.writer(text, delimiter=delimiter, lineterminator="\n").writerows(rows)
    return text.getvalue().encode(encoding)


def german(rows: list[list[Any]]) -> list[list[Any]]:
    """Numbers as a German office writes them."""
    return [[str(cell).replace(".", ",") if isinstance(cell, float) else cell for cell in row] for row in rows]


def as_xlsx(rows: list[list[Any]], sheet: str = "Liste") -> bytes:
    workbook = openpyxl.Workbook()
    workbook.active.title = "Deckblatt"  # type: ignore[union-attr]
    page = workbook.create_sheet(sheet)
    for row in rows:
        page.append(row)
    out = io.BytesIO()
    workbook.save(out)
    return out.getvalue()


OFFICE, TABLE, TEXT = (f"urn:oasis:names:tc:opendocument:xmlns:{name}:1.0" for name in ("office", "table", "text"))


def as_ods(rows: str, sheet: str = "Liste") -> bytes:
    content = (
        f'<office:document-content xmlns:office="{OFFICE}" xmlns:table="{TABLE}" xmlns:text="{TEXT}"><office:body>'
        f'<office:spreadsheet><table:table table:name="Deckblatt"><table:table-row/></table:table>'
        f'<table:table table:name="{sheet}">{rows}</table:table></office:spreadsheet></office:body>'
        "</office:document-content>"
    )
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet")
        archive.writestr("content.xml", content)
    return out.getvalue()


def ods_row(*cells: Any, repeated: int = 1) -> str:
    def cell(value: Any) -> str:
        if isinstance(value, float | int):
            told = f'office:value-type="float" office:value="{value}"'
            return f"<table:table-cell {told}><text:p>x</text:p></table:table-cell>"
        return f"<table:table-cell><text:p>{value}</text:p></table:table-cell>" if value else "<table:table-cell/>"

    inner = "".join(cell(value) for value in cells) + '<table:table-cell table:number-columns-repeated="16000"/>'
    return f'<table:table-row table:number-rows-repeated="{repeated}">{inner}</table:table-row>'


def geojson(points: list[tuple[float, float]], names: list[str] | None = None, **more: Any) -> bytes:
    features = [
        {
            "type": "Feature",
            "properties": {"Nr": number, "Name": (names or ["Markt", "See"])[number - 1], "m2": 300 * number},
            "geometry": {"type": "Point", "coordinates": list(point)},
        }
        for number, point in enumerate(points, start=1)
    ]
    return json.dumps({"type": "FeatureCollection", "features": features, **more}).encode()


def of_geojson(**place: Any) -> dict[str, Any]:
    return DECLARED | {"file": "geojson", "place": {"geometry": True, **place}}


def told(parsed: Parsed) -> list[tuple[Any, ...]]:
    return [
        (row["facility_id"], row["name"], row["capacity"], row["longitude"], row["latitude"])
        for row in parsed.rows("facility")
    ]


EXPECTED = [("1", "Markt", 300.0, *MARKET), ("2", "See", 1250.5, *LAKE)]


def test_every_kind_of_file_comes_to_the_same_rows(tmp_path: Path) -> None:
    rows = german(PLAYGROUNDS)
    numbers = [PLAYGROUNDS[0], [1, "Markt", 300, *MARKET], [2, "See", 1250.5, *LAKE]]
    objects = [dict(zip(PLAYGROUNDS[0], row, strict=True)) for row in numbers[1:]]
    ods = ods_row("Spielplätze") + "".join(ods_row(*row) for row in numbers) + ods_row(repeated=1_048_000)
    files = {
        "csv": (as_csv(rows, ";"), {"delimiter": ";"}),
        "utf16.csv": (as_csv(rows, "\t", "utf-16"), {"delimiter": "\t", "encoding": "utf-16"}),
        "xlsx": (as_xlsx([["Spielplätze"], *numbers]), {"file": "xlsx", "sheet": "Liste", "header_row": 2}),
        "ods": (as_ods(ods), {"file": "ods", "sheet": "Liste", "header_marks": ["Nr", "Name"]}),
        "json": (json.dumps({"data": {"list": objects}}).encode(), {"file": "json", "records": "data.list"}),
    }
    for kind, (content, how) in files.items():
        folder = tmp_path / kind
        folder.mkdir()
        parsed = parse(folder, content, DECLARED | how, f"list.{kind}")
        assert told(parsed) == EXPECTED, kind
        assert parsed.account.staged == 2, kind
        assert parsed.findings == set(), kind


def test_a_geojson_and_its_pages_are_the_same(tmp_path: Path) -> None:
    whole = parse(tmp_path, geojson([MARKET, LAKE]), of_geojson(), "list.geojson")
    assert [row[:2] for row in told(whole)] == [("1", "Markt"), ("2", "See")]
    first, second = json.loads(geojson([MARKET, LAKE]))["features"]
    pages = io.BytesIO()
    with zipfile.ZipFile(pages, "w") as archive:
        for number, feature in enumerate((first, second), start=1):
            archive.writestr(f"page-{number}.json", json.dumps({"type": "FeatureCollection", "features": [feature]}))
    (tmp_path / "pages").mkdir()
    paged = parse(tmp_path / "pages", pages.getvalue(), of_geojson(), "list.zip")
    assert told(paged) == told(whole)


# Independent of the reader: the coordinates as PROJ gives them, in the order in which each system writes them.
def gml(srs: str, first: float, second: float, name: str = "Markt", more: str = "") -> bytes:
    return f"""<?xml version="1.0" encoding="UTF-8"?>
<wfs:FeatureCollection xmlns:wfs="http://www.opengis.net/wfs/2.0" xmlns:gml="http://www.opengis.net/gml/3.2"
    xmlns:ms="http://town.example/ms" numberMatched="1" numberReturned="1">
  <wfs:member><ms:playground gml:id="playground.1">
    <gml:boundedBy><gml:Envelope srsName="{srs}"><gml:lowerCorner>0 0</gml:lowerCorner></gml:Envelope></gml:boundedBy>
    <ms:geometry><gml:Point srsName="{srs}"><gml:pos>{first!r} {second!r}</gml:pos></gml:Point></ms:geometry>
    <ms:Nr>1</ms:Nr><ms:Name>{name}</ms:Name><ms:m2>300</ms:m2>{more}
  </ms:playground></wfs:member>
</wfs:FeatureCollection>""".encode()


@pytest.mark.parametrize(
    ("srs", "crs", "north_first"),
    [
        ("urn:ogc:def:crs:EPSG::4326", "EPSG:4326", True),
        ("http://www.opengis.net/def/crs/EPSG/0/4326", "EPSG:4326", True),
        ("EPSG:4326", "EPSG:4326", False),
        ("http://www.opengis.net/gml/srs/epsg.xml#4326", "EPSG:4326", False),
        ("urn:ogc:def:crs:OGC:1.3:CRS84", "EPSG:4326", False),
        ("urn:ogc:def:crs:EPSG::25832", "EPSG:25832", False),
        # Gauss-Krüger writes the northing first.
        ("urn:ogc:def:crs:EPSG::31467", "EPSG:31467", True),
        ("EPSG:31467", "EPSG:31467", False),
    ],
)
def test_gml_has_its_axes_in_the_order_of_its_name(tmp_path: Path, srs: str, crs: str, north_first: bool) -> None:
    x, y = pyproj.Transformer.from_crs("EPSG:4326", crs, always_xy=True).transform(*MARKET)
    content = gml(srs, y, x) if north_first else gml(srs, x, y)
    declared = DECLARED | {"file": "gml", "place": {"geometry": True, "crs": crs}}
    ((identifier, name, capacity, longitude, latitude),) = told(parse(tmp_path, content, declared, "list.gml"))
    assert (identifier, name, capacity) == ("1", "Markt", 300.0)
    assert (longitude, latitude) == (pytest.approx(MARKET[0], abs=1e-6), pytest.approx(MARKET[1], abs=1e-6))


def test_gml_in_another_system_than_declared_is_refused(tmp_path: Path) -> None:
    declared = DECLARED | {"file": "gml", "place": {"geometry": True, "crs": "EPSG:4326"}}
    with pytest.raises(SnapshotRefused, match="expected coordinates in EPSG:4326, the file says EPSG:25832") as refusal:
        parse(tmp_path, gml("EPSG:25832", 405_000.0, 5_757_000.0), declared, "list.gml")
    assert refusal.value.reason == ("wrong_crs", "place")


def test_an_error_report_and_entities_of_a_service_are_refused(tmp_path: Path) -> None:
    declared = DECLARED | {"file": "gml", "place": {"geometry": True}}
    report = (
        b'<ows:ExceptionReport xmlns:ows="http://www.opengis.net/ows/1.1"><ows:Exception>no such type</ows:Exception>'
        b"</ows:ExceptionReport>"
    )
    with pytest.raises(SnapshotRefused, match="the service reports an error: no such type"):
        parse(tmp_path, report, declared, "list.gml")
    bomb = b'<!DOCTYPE a [<!ENTITY b "bbbb">]>' + gml("EPSG:4326", *MARKET)
    with pytest.raises(SnapshotRefused, match="declares a DOCTYPE"):
        parse(tmp_path, bomb, declared, "list.gml")


# -- what is suspicious ---------------------------------------------------------------------------------------------


def test_swapped_axes_refuse_the_file_and_are_named(tmp_path: Path) -> None:
    swapped = [["Nr", "Name", "m2", "Lat", "Lon"], *PLAYGROUNDS[1:]]
    with pytest.raises(SnapshotRefused, match=r"2 of 2 places are .* inside with axes swapped; mend place") as refusal:
        parse(tmp_path, as_csv(german(swapped), ";"), DECLARED | {"delimiter": ";"})
    assert refusal.value.reason == ("axes_swapped", "place")
    # The remedy that the message names.
    mended = DECLARED | {"delimiter": ";", "place": {"x": "Lat", "y": "Lon"}}
    assert told(parse(tmp_path, as_csv(german(swapped), ";"), mended)) == EXPECTED


@pytest.mark.parametrize("crs", ["EPSG:25832", "EPSG:31467", "EPSG:31466", "EPSG:3857"])
def test_a_wrong_coordinate_system_refuses_the_file_and_the_right_one_is_named(tmp_path: Path, crs: str) -> None:
    to = pyproj.Transformer.from_crs("EPSG:4326", crs, always_xy=True)
    points = [to.transform(*MARKET), to.transform(*LAKE)]
    with pytest.raises(SnapshotRefused, match=f"as EPSG:4326, inside as {crs}") as refusal:
        parse(tmp_path, geojson(points), of_geojson(), "list.geojson")
    assert refusal.value.reason == ("wrong_crs", "place")
    mended = told(parse(tmp_path, geojson(points), of_geojson(crs=crs), "list.geojson"))
    assert [row[3:] for row in mended] == [pytest.approx(MARKET, abs=1e-5), pytest.approx(LAKE, abs=1e-5)]


def test_one_wrong_place_is_rejected_and_found(tmp_path: Path) -> None:
    elsewhere = [MARKET, LAKE, (7.62, 51.95), (-24.8, 26.3)]
    parsed = parse(tmp_path, geojson(elsewhere, ["a", "b", "c", "d"]), of_geojson(), "list.geojson")
    assert parsed.account == Account(read=4, staged=3, rejected=1)
    assert parsed.rejected == [(4, "place", "outside what the source covers")]
    assert parsed.findings == {("outside_coverage", "place", 1)}


def test_a_place_of_another_municipality_is_outside(tmp_path: Path) -> None:
    borken = DECLARED | {"covers": ["05554008"], "delimiter": ";"}
    with pytest.raises(SnapshotRefused, match="2 of 2 places are outside what the source covers;"):
        parse(tmp_path, as_csv(german(PLAYGROUNDS), ";"), borken)


def test_broken_umlauts_refuse_the_file(tmp_path: Path) -> None:
    broken = geojson([MARKET, LAKE], ["MÃ¼nsterplatz", "See"])
    with pytest.raises(SnapshotRefused, match=r"row 1, Name: 'MÃ¼nsterplatz' has a broken encoding") as refusal:
        parse(tmp_path, broken, of_geojson(), "list.geojson")
    assert refusal.value.reason == ("mojibake", "Name")


def test_control_characters_neither_break_a_line_nor_stay(tmp_path: Path) -> None:
    rows = german([PLAYGROUNDS[0], ["1", "Markt\x85Nord", "300", *MARKET], ["2", "See\u2028", "5", *LAKE]])
    parsed = parse(tmp_path, as_csv(rows, ";"), DECLARED | {"delimiter": ";"})
    assert [row[1] for row in told(parsed)] == ["Markt Nord", "See"]
    assert parsed.findings == {("control_character", "Name", 2)}
    assert parsed.account == Account(read=2, staged=2)


def test_a_repeated_key_is_found_whether_or_not_its_values_differ(tmp_path: Path) -> None:
    rows = german([*PLAYGROUNDS, PLAYGROUNDS[1], ["2", "Teich", "5", *LAKE]])
    parsed = parse(tmp_path, as_csv(rows, ";"), DECLARED | {"delimiter": ";"})
    assert told(parsed) == EXPECTED
    assert parsed.rejected == [
        (4, "facility_id", "record repeated"),
        (5, "facility_id", "key repeated with other values"),
    ]
    assert parsed.findings == {("duplicate_key", "facility_id", 2)}


def test_a_column_name_that_stands_there_twice_is_not_guessed(tmp_path: Path) -> None:
    twice = german([["Nr", "Name", "Name", "Lon", "Lat"], ["1", "Markt", "300", *MARKET]])
    with pytest.raises(
        SnapshotRefused, match="2 columns are called 'Name'; declare the column by its place"
    ) as refusal:
        parse(tmp_path, as_csv(twice, ";"), DECLARED | {"delimiter": ";"})
    assert refusal.value.reason == ("duplicate_column", "Name")
    by_place = DECLARED | {"delimiter": ";", "columns": {**COLUMNS, "name": 2, "capacity": 3}}
    parsed = parse(tmp_path, as_csv(twice, ";"), by_place)
    assert told(parsed) == [("1", "Markt", 300.0, *MARKET)]
    assert parsed.findings == set()


def test_a_file_that_ends_within_a_line_gives_no_cut_value(tmp_path: Path) -> None:
    cut = as_csv(german(PLAYGROUNDS), ";")[:-3]
    parsed = parse(tmp_path, cut, DECLARED | {"delimiter": ";"})
    assert [row[0] for row in told(parsed)] == ["1"]
    assert parsed.rejected == [(3, "row", "the file ends within this line")]
    whole = parse(tmp_path, as_csv(german(PLAYGROUNDS), ";")[:-1], DECLARED | {"delimiter": ";", "ends_open": True})
    assert told(whole) == EXPECTED


# -- values across, marks, dates ------------------------------------------------------------------------------------

DISTRICTS: dict[str, Any] = {
    "into": "district_value",
    "marks": {".": "suppressed"},
    "cells": {"pattern": r"(?P<from>\d+) - (?P<to>\d+)|(?P<lowest>\d+) u\. mehr|Gesamt"},
    "columns": {
        "subject": {"fixed": "population"},
        "ags": {"fixed": "05515000"},
        "district_key": {"column": 1, "pattern": r"(\d{2}) .+", "optional": True},
        "district_name": {"column": 1, "pattern": r"(?:\d{2} )?(.+)"},
        "sex": {"fixed": "total"},
        "age_from": {"cell": ["from", "lowest"]},
        "age_to": {"cell": "to"},
        "period": {"fixed": "2014"},
        "value": {"cell": "value"},
    },
    "out_of_scope": [{"column": 2, "pattern": "Anzahl", "reason": "units"}],
}


def test_every_cell_is_a_record_with_what_its_column_says(tmp_path: Path) -> None:
    rows = [["Teil", "Gesamt", "0 - 9", "90 u. mehr"], ["", "Anzahl", "", ""]]
    rows += [["11 Aegidii", "1450", "83", "."], ["Altstadt", "8819", "x", ""]]
    parsed = parse(tmp_path, as_csv(rows), DISTRICTS)
    columns = ("district_key", "district_name", "age_from", "age_to", "value", "value_mark", "mark_status")
    assert [tuple(row[column] for column in columns) for row in parsed.rows("district_value")] == [
        ("11", "Aegidii", None, None, 1450.0, None, None),
        ("11", "Aegidii", 0, 9, 83.0, None, None),
        ("11", "Aegidii", 90, None, None, ".", "suppressed"),
        (None, "Altstadt", None, None, 8819.0, None, None),
        (None, "Altstadt", 90, None, None, None, None),
    ]
    assert parsed.account == Account(read=9, staged=5, rejected=1, out_of_scope=3)
    assert parsed.rejected == [(4, "value", "expected a number with decimal sign '.'")]


def test_dates_and_clocks_are_as_declared_or_as_a_workbook_has_them(tmp_path: Path) -> None:
    declared = {
        "into": "waiting_time_reading",
        "columns": {
            "office_id": {"partition": "office"},
            "ags": {"fixed": "05515000"},
            "read_local": {"column": "Zeit", "format": "DD.MM.YYYY HH:mm"},
            "waiting_persons": "Personen",
        },
    }
    rows = [["Zeit", "Personen"], ["06.01.2021 08:05", "3"], ["2021-01-06 08:10", "4"], ["31.02.2021 08:10", "4"]]
    parsed = parse(tmp_path, as_csv([*rows, ["07.01.2021 08:05", "2,5"]]), declared, office="mitte")
    (row,) = parsed.rows("waiting_time_reading")
    assert (row["office_id"], row["read_local"], row["waiting_persons"]) == ("mitte", datetime(2021, 1, 6, 8, 5), 3)  # noqa: DTZ001
    assert [(number, column) for number, column, _ in parsed.rejected] == [
        (3, "read_local"),
        (4, "read_local"),
        (5, "waiting_persons"),
    ]
    book = as_xlsx([["Zeit", "Personen"], [datetime(2021, 1, 6, 8, 5), 3]])  # noqa: DTZ001
    (tmp_path / "book").mkdir()
    typed = parse(tmp_path / "book", book, declared | {"file": "xlsx", "sheet": "Liste"}, "list.xlsx", office="mitte")
    assert [each["read_local"] for each in typed.rows("waiting_time_reading")] == [row["read_local"]]


def test_an_id_is_made_where_the_publisher_has_none_and_stays(tmp_path: Path) -> None:
    columns = {**COLUMNS, "facility_id": {"digest": ["Name", "Nr"]}}
    ids = []
    for rows in (PLAYGROUNDS, [PLAYGROUNDS[0], PLAYGROUNDS[2], PLAYGROUNDS[1]]):
        content = as_csv(german(rows), ";")
        ids.append(
            {
                row[1]: row[0]
                for row in told(parse(tmp_path, content, DECLARED | {"delimiter": ";", "columns": columns}))
            }
        )
    assert ids[0] == ids[1]
    assert len(set(ids[0].values())) == 2


def test_new_and_missing_columns_are_drift(tmp_path: Path) -> None:
    rows = german([["Nr", "Name", "Fläche", "Lon", "Lat"], *PLAYGROUNDS[1:]])
    parsed = parse(tmp_path, as_csv(rows, ";"), DECLARED | {"delimiter": ";"})
    assert parsed.out.drifted == [("facility", "Fläche", "new"), ("facility", "m2", "missing")]
    known = parse(tmp_path, as_csv(rows, ";"), DECLARED | {"delimiter": ";", "not_staged": ["Fl.*"]})
    assert known.out.drifted == [("facility", "m2", "missing")]
    with pytest.raises(SnapshotRefused, match="expected a column 'Nr', found 'Nummer'"):
        parse(tmp_path, as_csv([["Nummer", *rows[0][1:]], *rows[1:]], ";"), DECLARED | {"delimiter": ";"})


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"into": "facilities"}, "options: into: 'facilities' is unknown; did you mean facility"),
        ({"columns": {"facility_id": "Nr"}}, "columns.kind: is missing; facility needs it"),
        ({"columns": {**COLUMNS, "colour": "x"}}, "columns.colour: facility has none"),
        ({"columns": {**COLUMNS, "name": {"cell": "value"}}}, "columns.name.cell: expected cells"),
        ({"columns": {**COLUMNS, "name": {"column": "a", "fixed": "b"}}}, "expected exactly one of column"),
        ({"covers": []}, "covers: say which municipalities"),
        ({"place": {"x": "Lon"}}, "expected both x and y"),
        ({"place": {"x": "Lon", "y": "Lat", "crs": "EPSG:99999"}}, "which nobody knows"),
        ({"file": "geojson"}, "geometry is what geojson and gml have"),
        ({"encoding": "utf-9"}, "expected an encoding"),
        ({"thousands": ","}, "is the decimal sign as well"),
        ({"delimeter": ";"}, "unknown key; did you mean delimiter"),
    ],
)
def test_a_declaration_that_does_not_fit_is_told_with_its_key(change: dict[str, Any], said: str) -> None:
    assert CONNECTOR.options is not None
    with pytest.raises(CatalogueError, match="options") as refusal:
        CONNECTOR.options(DECLARED | change)
    assert said in str(refusal.value)


def test_the_registry_knows_it() -> None:
    assert connector("table") is CONNECTOR
