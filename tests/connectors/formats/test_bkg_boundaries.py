from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Any

import geopandas as gpd
import pyarrow.parquet as pq
import pytest
import shapely
from shapely.geometry import Polygon, box

from connectors.connector import Snapshot
from connectors.errors import PayloadRefused, SnapshotRefused
from connectors.formats.bkg_boundaries import CONNECTOR
from connectors.region import region
from connectors.staging import StagedWriter

SHA = "a" * 64
COLUMNS = ("AGS", "ARS", "GEN", "BEZ", "GF")
MUENSTER = ("05515000", "055150000000", "Münster", "Stadt", 4)
BIELEFELD = ("05711000", "057110000000", "Bielefeld", "Stadt", 4)


def layer_zip(folder: Path, features: list[tuple[Any, ...]], columns: tuple[str, ...] = COLUMNS) -> Path:
    """A zip as BKG packs it; the features lie around (400000, 5757000) in EPSG:25832, where Münster is."""
    frame = gpd.GeoDataFrame(
        [dict(zip(columns, feature[:-1], strict=True)) for feature in features],
        geometry=[feature[-1] for feature in features],
        crs="EPSG:25832",
    )
    frame.to_file(folder / "VG5000_GEM.shp", encoding="utf-8")
    path = folder / "layers.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for member in folder.glob("VG5000_GEM.*"):
            archive.write(member, f"vg5000/ebenen/{member.name}")
        archive.writestr("vg5000/ebenen/VG5000_KRS.dbf", b"another layer")
    return path


def parse(tmp_path: Path, path: Path, **options: Any) -> tuple[StagedWriter, list[dict[str, Any]]]:
    with StagedWriter(tmp_path / "staged", "bkg", SHA, "1-x") as out:
        CONNECTOR.parse(Snapshot("bkg", path, SHA), out, region(), **options)
        out.close()
    place = out.file_of("municipality_boundary")
    return out, pq.ParquetFile(place).read().to_pylist() if place.exists() else []


def rejected(out: StagedWriter) -> list[tuple[int, str, str]]:
    rows = pq.ParquetFile(out.file_of("rejected_row")).read().to_pylist()
    return [(row["record_number"], row["column_name"], row["reason"]) for row in rows]


SQUARE = box(400000, 5757000, 401000, 5758000)


def test_a_polygon_is_staged_in_degrees(tmp_path: Path) -> None:
    _, rows = parse(tmp_path, layer_zip(tmp_path, [(*MUENSTER, SQUARE)]))
    (row,) = rows
    assert (row["record_number"], row["ags"], row["ars"]) == (1, "05515000", "055150000000")
    assert (row["name"], row["designation"]) == ("Münster", "Stadt")
    west, south, east, north = shapely.from_wkb(row["geometry_wkb"]).bounds
    # UTM 32 (400000, 5757000) is 7.5415 E, 51.9547 N: 100 km west of 9 E, 5,757 km north of the equator.
    assert (round(west, 2), round(south, 2)) == (7.54, 51.95)
    assert 0.014 < east - west < 0.016 and 0.008 < north - south < 0.010


def test_other_municipalities_are_out_of_scope_unless_asked_for(tmp_path: Path) -> None:
    path = layer_zip(tmp_path, [(*BIELEFELD, SQUARE), (*MUENSTER, SQUARE)])
    out, rows = parse(tmp_path, path)
    assert [(row["record_number"], row["ags"]) for row in rows] == [(2, "05515000")]
    assert out.accounts["municipality_boundary"].out_of_scope == 1
    _, rows = parse(tmp_path, path, region_only=False)
    assert len(rows) == 2


def test_water_parts_are_out_of_scope_and_a_second_land_part_is_rejected(tmp_path: Path) -> None:
    water = (*MUENSTER[:4], 2, SQUARE)
    path = layer_zip(tmp_path, [water, (*MUENSTER, SQUARE), (*MUENSTER, SQUARE)])
    out, rows = parse(tmp_path, path)
    assert [row["record_number"] for row in rows] == [2]
    assert rejected(out) == [(3, "AGS", "AGS repeated")]
    assert out.accounts["municipality_boundary"].out_of_scope == 1


def test_unreadable_keys_and_crossing_polygons_are_rejected(tmp_path: Path) -> None:
    bow_tie = Polygon([(400000, 5757000), (401000, 5758000), (401000, 5757000), (400000, 5758000)])
    path = layer_zip(tmp_path, [("5515000", *MUENSTER[1:], SQUARE), (*MUENSTER, bow_tie)])
    out, rows = parse(tmp_path, path)
    assert rows == []
    assert rejected(out) == [(1, "AGS", "expected 8 digits"), (2, "geometry", "polygon is not valid")]


def test_a_missing_layer_is_refused_with_what_was_found(tmp_path: Path) -> None:
    path = layer_zip(tmp_path, [(*MUENSTER, SQUARE)])
    with pytest.raises(SnapshotRefused, match=r"VG250_GEM\.shp.*VG5000_GEM\.shp"):
        parse(tmp_path, path, layer="VG250_GEM")


def test_a_missing_column_is_refused_and_a_new_one_is_drift(tmp_path: Path) -> None:
    path = layer_zip(tmp_path, [("05515000", "Münster", "Stadt", SQUARE)], ("AGS", "GEN", "BEZ"))
    with pytest.raises(SnapshotRefused, match="ARS missing"):
        parse(tmp_path, path)
    (tmp_path / "new").mkdir()
    path = layer_zip(tmp_path / "new", [(*MUENSTER, "x", SQUARE)], (*COLUMNS, "NEUES"))
    out, _ = parse(tmp_path, path)
    assert out.drifted == [("municipality_boundary", "NEUES", "new")]


def test_a_layer_that_is_no_shapefile_is_never_opened(tmp_path: Path) -> None:
    path = tmp_path / "vrt.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for suffix in ("shx", "dbf", "prj"):
            archive.writestr(f"VG5000_GEM.{suffix}", b"")
        archive.writestr("VG5000_GEM.shp", b"<OGRVRTDataSource><SrcDataSource>/etc/passwd</SrcDataSource>")
    with pytest.raises(SnapshotRefused, match="expected a shapefile"):
        parse(tmp_path, path)


def test_a_file_that_is_no_zip_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "page.zip"
    path.write_text("<html>", encoding="utf-8")
    with pytest.raises(PayloadRefused):
        parse(tmp_path, path)
