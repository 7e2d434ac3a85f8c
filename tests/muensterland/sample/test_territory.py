"""Boundaries and Gemeindeverzeichnis: 66 municipalities that do not overlap, in the publishers' layouts."""

from __future__ import annotations

import itertools
import zipfile
from datetime import datetime
from pathlib import Path

import geopandas
import openpyxl
import pytest
from shapely.geometry import Point, Polygon

from muensterland.sample import geography, shapefile
from muensterland.sample.territory import BOUNDARIES, REGISTER


@pytest.fixture(scope="module")
def shapes(publishers: Path, tmp_path_factory: pytest.TempPathFactory) -> geopandas.GeoDataFrame:
    folder = tmp_path_factory.mktemp("vg5000")
    zipfile.ZipFile(publishers / BOUNDARIES).extractall(folder)
    return geopandas.read_file(next(folder.rglob("VG5000_GEM.shp"))).set_index("AGS")


@pytest.fixture(scope="module")
def rows(publishers: Path) -> list[tuple[object, ...]]:
    sheet = openpyxl.load_workbook(publishers / REGISTER)["Onlineprodukt_Gemeinden30062026"]
    return list(sheet.iter_rows(values_only=True))


def test_the_region_has_its_municipalities() -> None:
    per_kreis = dict.fromkeys(("05515", "05554", "05558", "05566", "05570"), 0)
    for place in geography.REGION:
        per_kreis[place.kreis] += 1
    assert per_kreis == {"05515": 1, "05554": 17, "05558": 11, "05566": 24, "05570": 13}


def test_the_regional_key_is_built_from_the_municipality_key() -> None:
    assert geography.BY_AGS["05558044"].ars == "055580044044"
    assert geography.BY_AGS["05515000"].ars == "055150000000"


def test_the_shapefile_is_read_as_bkg_writes_it(shapes: geopandas.GeoDataFrame) -> None:
    assert shapes.crs.to_epsg() == 25832
    assert len(shapes) == 69
    assert list(shapes.columns[:6]) == ["OBJID", "BEGINN", "ADE", "GF", "BSG", "ARS"]
    assert shapes.loc["05566024", "GEN"] == "Horstmar"
    assert (shapes["GF"] == 9).all()


def test_every_polygon_holds_its_centre_and_no_two_overlap(shapes: geopandas.GeoDataFrame) -> None:
    assert shapes.geometry.is_valid.all()
    for ags, shape in shapes.geometry.items():
        assert shape.contains(Point(geography.BY_AGS[ags].centre))
    assert max(a.intersection(b).area for a, b in itertools.combinations(shapes.geometry, 2)) == 0


def test_the_region_has_no_holes(shapes: geopandas.GeoDataFrame) -> None:
    inside = shapes.loc[[place.ags for place in geography.REGION]].geometry
    union = inside.union_all()
    assert isinstance(union, Polygon)
    assert sum(Polygon(ring).area for ring in union.interiors) == 0


def test_the_dbase_date_is_not_today(publishers: Path) -> None:
    with zipfile.ZipFile(publishers / BOUNDARIES) as archive:
        name = next(name for name in archive.namelist() if name.endswith("VG5000_GEM.dbf"))
        assert name.count("/") == 2
        assert archive.read(name)[1:4] == bytes((126, 1, 15))


def test_too_long_an_attribute_is_refused() -> None:
    with pytest.raises(ValueError, match="AGS: b'123456789' is longer than 8 bytes"):
        shapefile.attributes([shapefile.Field("AGS", "C", 8)], [{"AGS": "123456789"}])


def test_the_register_nests_record_types(rows: list[tuple[object, ...]]) -> None:
    kinds = [row[0] for row in rows if isinstance(row[0], str) and len(row[0]) == 2]
    assert kinds[:5] == ["10", "40", "50", "60", "10"]
    assert {kind: kinds.count(kind) for kind in set(kinds)} == {"10": 2, "20": 2, "40": 8, "50": 69, "60": 69}
    assert rows[2][0] == "Satz-art"
    assert str(rows[-1][0]).startswith("3) ")


def test_a_register_row_has_split_keys_and_decimal_commas(rows: list[tuple[object, ...]]) -> None:
    ahaus = next(row for row in rows if row[0] == "60" and row[7] == "Ahaus, Stadt")
    assert ahaus[1:7] == ("63", "05", "5", "54", "0004", "004")
    assert ahaus[13:16] == ("48683", "7,005", "52,0761")
    total, male, female = ahaus[9:12]
    assert isinstance(total, int) and isinstance(male, int) and isinstance(female, int)
    assert total == male + female


def test_the_register_and_the_boundaries_agree_on_the_area(
    rows: list[tuple[object, ...]], shapes: geopandas.GeoDataFrame
) -> None:
    for row in rows:
        if row[0] == "60":
            area = shapes.loc[f"{row[2]}{row[3]}{row[4]}{row[6]}"].geometry.area / 1e6
            assert row[8] == pytest.approx(area, abs=0.006)


def test_the_workbook_tells_no_clock(publishers: Path) -> None:
    properties = openpyxl.load_workbook(publishers / REGISTER).properties
    assert properties.created == properties.modified == datetime.fromisoformat("2026-11-01T05:00:00")
