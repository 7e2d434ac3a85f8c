"""The population grid of the census, small and by hand after the publisher's file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from connectors.connector import Snapshot
from connectors.errors import SnapshotRefused
from connectors.formats.census_grid import CONNECTOR
from connectors.region import BoundingBox, region
from connectors.staging import StagedWriter
from tests.connectors.conftest import zipped

SHA = "a" * 64
HEADER = "GITTER_ID_100m;x_mp_100m;y_mp_100m;Einwohner"
NAME = "Zensus2022_Bevoelkerungszahl_100m-Gitter.csv"
# The line the publisher's file begins with lies in the Alps; the others in Münster.
ALPS = "CRS3035RES100mN2689100E4337000;4337050;2689150;4"
MUENSTER = "CRS3035RES100mN3211000E4157000;4157050;3211050;29"
COLUMNS = ("record_number", "cell_id", "easting_m", "northing_m", "population", "population_mark")


def cell(people: str, east: int = 4_157_000, north: int = 3_211_000) -> str:
    return f"CRS3035RES100mN{north}E{east};{east + 50};{north + 50};{people}"


def parse(
    tmp_path: Path, *lines: str, header: str = HEADER, members: dict[str, bytes] | None = None, **options: Any
) -> tuple[StagedWriter, list[dict[str, Any]]]:
    text = "\n".join([header, *lines]) + "\n"
    tmp_path.mkdir(exist_ok=True)
    path = tmp_path / "grid.zip"
    path.write_bytes(zipped({NAME: text.encode()} if members is None else members))
    with StagedWriter(tmp_path / "staged", "grid", SHA, "1-x") as out:
        CONNECTOR.parse(Snapshot("grid", path, SHA), out, region(), **options)
        out.close()
    place = out.file_of("population_cell")
    return out, pq.ParquetFile(place).read().to_pylist() if place.exists() else []


def rejected(out: StagedWriter) -> list[tuple[int, str, str]]:
    rows = pq.ParquetFile(out.file_of("rejected_row")).read().to_pylist()
    return [(row["record_number"], row["column_name"], row["reason"]) for row in rows]


def account(out: StagedWriter) -> tuple[int, int, int, int]:
    found = out.accounts["population_cell"]
    return found.read, found.staged, found.rejected, found.out_of_scope


def test_a_cell_is_staged_with_its_midpoint_in_degrees(tmp_path: Path) -> None:
    out, (row,) = parse(tmp_path, ALPS, MUENSTER)
    assert tuple(row[name] for name in COLUMNS) == (
        *(2, "CRS3035RES100mN3211000E4157000", 4_157_050, 3_211_050),
        *(29, None),
    )
    assert region().bounding_box.holds(row["longitude"], row["latitude"])
    assert account(out) == (2, 1, 0, 1)
    assert out.drifted == []


def test_degrees_are_those_of_the_registry(tmp_path: Path) -> None:
    """EPSG Guidance Note 7-2, Lambert azimuthal equal area: 5° E 50° N is 3,962,799.45 m east, 2,999,718.85 m north."""
    wide = region().model_copy(update={"bounding_box": BoundingBox(west=4, south=49, east=6, north=51)})
    path = tmp_path / "grid.zip"
    path.write_bytes(zipped({NAME: f"{HEADER}\n{cell('1', 3_962_700, 2_999_700)}\n".encode()}))
    with StagedWriter(tmp_path / "staged", "grid", SHA, "1-x") as out:
        CONNECTOR.parse(Snapshot("grid", path, SHA), out, wide)
        out.close()
    (row,) = pq.ParquetFile(out.file_of("population_cell")).read().to_pylist()
    # The midpoint lies 49 m west and 31 m north of it, turned by 4°; a degree is 71.7 km and 111.2 km there.
    assert row["longitude"] == pytest.approx(5 - 49.45 / 71_700, abs=1e-4)
    assert row["latitude"] == pytest.approx(50 + 31.15 / 111_200, abs=1e-4)


def test_a_number_that_is_withheld_is_no_zero(tmp_path: Path) -> None:
    lines = [cell(people, 4_157_000 + 100 * number) for number, people in enumerate(("–", "-", "", "0", "12"))]
    out, rows = parse(tmp_path, *lines)
    assert [(row["population"], row["population_mark"]) for row in rows] == [
        (None, "–"),
        (None, "-"),
        (None, None),
        (0, None),
        (12, None),
    ]
    assert account(out) == (5, 5, 0, 0)


@pytest.mark.parametrize(
    ("line", "column", "reason"),
    [
        (cell("12.5"), "Einwohner", "expected a whole number of people"),
        (cell("-1"), "Einwohner", "expected a whole number of people"),
        (cell("x"), "Einwohner", "expected a whole number of people"),
        ("100mN32110E41570;4157050;3211050;1", "GITTER_ID_100m", "expected an id like CRS3035RES100mN2689100E4337000"),
        # East and north have changed places.
        ("CRS3035RES100mN3211000E4157000;3211050;4157050;1", "GITTER_ID_100m", "midpoint is not that of the cell"),
        ("CRS3035RES100mN3211000E4157000;4157000;3211000;1", "GITTER_ID_100m", "midpoint is not that of the cell"),
        ("CRS3035RES100mN3211000E4157000;4157050,0;3211050;1", "x_mp_100m", "expected whole metres"),
        ("CRS3035RES100mN3211000E4157000;4157050;;1", "y_mp_100m", "expected whole metres"),
        ("CRS3035RES100mN3211000E4157000;4157050;3211050", "row", "expected 4 fields"),
    ],
)
def test_what_cannot_be_read_is_rejected_with_its_reason(tmp_path: Path, line: str, column: str, reason: str) -> None:
    out, rows = parse(tmp_path, line, MUENSTER)
    assert [row["record_number"] for row in rows] == [2]
    assert rejected(out) == [(1, column, reason)]


def test_a_cell_that_comes_twice_counts_once(tmp_path: Path) -> None:
    out, rows = parse(tmp_path, cell("1"), cell("2"))
    assert [row["population"] for row in rows] == [1]
    assert rejected(out) == [(2, "GITTER_ID_100m", "cell repeated")]


def test_a_number_the_file_ends_within_is_not_taken(tmp_path: Path) -> None:
    out, rows = parse(tmp_path, members={NAME: f"{HEADER}\n{cell('12', 4_157_100)}\n{MUENSTER}".encode()})
    assert [row["population"] for row in rows] == [12]
    assert rejected(out) == [(2, "row", "the file ends within this line")]


def test_columns_come_in_any_order_with_byte_order_mark_and_crlf(tmp_path: Path) -> None:
    text = "Einwohner;y_mp_100m;x_mp_100m;werterlaeuternde_Zeichen;GITTER_ID_100m\r\n"
    text += "29;3211050;4157050;;CRS3035RES100mN3211000E4157000\r\n\r\n"
    out, (row,) = parse(tmp_path, members={NAME: text.encode("utf-8-sig")})
    assert (row["easting_m"], row["northing_m"], row["population"]) == (4_157_050, 3_211_050, 29)
    assert account(out) == (2, 1, 0, 1)
    assert out.drifted == []


def test_a_column_nobody_declared_is_told_and_one_that_is_missing_refuses(tmp_path: Path) -> None:
    out, _ = parse(tmp_path, MUENSTER + ";7", header=f"{HEADER};Haushalte")
    assert [tuple(drift) for drift in out.drifted] == [("population_cell", "Haushalte", "new")]
    with pytest.raises(SnapshotRefused, match="missing: Einwohner"):
        parse(tmp_path / "again", MUENSTER, header="GITTER_ID_100m;x_mp_100m;y_mp_100m;EW")


def test_the_finest_width_is_read_and_nothing_else(tmp_path: Path) -> None:
    coarse = b"GITTER_ID_1km;x_mp_1km;y_mp_1km;Einwohner\nCRS3035RES1000mN3211000E4157000;4157500;3211500;9\n"
    members = {"grid/Zensus2022_Bevoelkerungszahl_1km-Gitter.csv": coarse, "Beschreibung.xlsx": b"description"}
    _, rows = parse(tmp_path, members={**members, f"grid/{NAME}": f"{HEADER}\n{MUENSTER}\n".encode()})
    assert [row["population"] for row in rows] == [29]
    with pytest.raises(SnapshotRefused, match=r"expected one member …_100m-Gitter\.csv, found Beschreibung\.xlsx"):
        parse(tmp_path / "again", members=members)


def test_a_dash_in_another_encoding_is_read_where_the_source_says_so(tmp_path: Path) -> None:
    members = {NAME: f"{HEADER}\n{cell('–')}\n".encode("cp1252")}
    with pytest.raises(SnapshotRefused, match="expected utf-8"):
        parse(tmp_path, members=members)
    _, (row,) = parse(tmp_path / "again", members=members, encoding="cp1252")
    assert (row["population"], row["population_mark"]) == (None, "–")


def test_the_box_is_cut_by_degrees(tmp_path: Path) -> None:
    """In metres the box is no rectangle: what lies in its corners there may lie outside."""
    box = region().bounding_box
    lines = [
        cell("1", east, north)
        for east in range(4_071_000, 4_207_000, 4_000)
        for north in range(3_173_000, 3_270_000, 3_000)
    ]
    out, rows = parse(tmp_path, *lines)
    assert all(box.holds(row["longitude"], row["latitude"]) for row in rows)
    assert 0 < out.accounts["population_cell"].out_of_scope < len(rows)
    assert len(rows) + out.accounts["population_cell"].out_of_scope == len(lines)
