"""GENESIS tables and the school list: formats of the real answers, sums that fit the sample's municipalities."""

from __future__ import annotations

import csv
import io
import zipfile
from collections import Counter
from pathlib import Path

import pytest
from shapely.geometry import Point, Polygon

from muensterland.sample import geography
from muensterland.sample.registers import SCHOOLS

Rows = list[dict[str, str]]


def flat(publishers: Path, place: str) -> Rows:
    with zipfile.ZipFile(publishers / ".answers" / place) as archive:
        content = archive.read(archive.namelist()[0])
    assert content.startswith(b"\xef\xbb\xbf")
    assert b"\r" not in content
    return list(csv.DictReader(io.StringIO(content.decode("utf-8-sig")), delimiter=";"))


@pytest.fixture(scope="module")
def census(publishers: Path) -> Rows:
    return flat(publishers, "ergebnisse.zensus2022.de/api/rest/2020/1000A-0000.zip")


@pytest.fixture(scope="module")
def kreise(publishers: Path) -> Rows:
    return flat(publishers, "www.regionalstatistik.de/genesisws/rest/2020/12411-01-01-4.zip")


def test_the_census_knows_germany_and_every_municipality_by_its_regional_key(census: Rows) -> None:
    assert (census[0]["1_variable_code"], census[0]["1_variable_attribute_code"]) == ("GEODL1", "DG")
    keys = [row["1_variable_attribute_code"] for row in census[1:]]
    assert set(keys) == {place.ars for place in geography.BY_AGS.values()}
    assert keys != sorted(keys)
    assert all(row["value"].isdecimal() and row["time"] == "2022-05-15" for row in census)


def test_the_kreise_have_men_women_and_a_total_with_an_empty_code(kreise: Rows) -> None:
    borken = {
        row["2_variable_attribute_code"]: int(row["value"])
        for row in kreise
        if row["1_variable_attribute_code"] == "05554"
    }
    assert borken[""] == borken["GESM"] + borken["GESW"]
    members = [place for place in geography.REGION if place.kreis == "05554"]
    assert borken[""] == sum(sum(geography.population(place.ags)) for place in members)


def test_marks_stand_where_outside_kreise_have_no_value(kreise: Rows) -> None:
    marks = Counter(row["value"] for row in kreise if not row["value"].isdecimal())
    assert marks == {"-": 3, ".": 3}
    assert {len(row["1_variable_attribute_code"]) for row in kreise} == {5, 8}


def test_the_school_list_has_its_layout(publishers: Path) -> None:
    lines = (publishers / SCHOOLS).read_text(encoding="utf-8").split("\n")
    assert lines[0] == "sep=;"
    assert lines[1].endswith(";UTMHochwert;")
    assert lines[2].startswith('"990000";"02";') and lines[2].endswith('"')
    assert lines[-1] == ""
    assert {line.count('";"') for line in lines[2:-1]} == {22}


def test_every_municipality_has_a_school_within_it(publishers: Path) -> None:
    lines = (publishers / SCHOOLS).read_text(encoding="utf-8").split("\n")
    rows = list(csv.reader(lines[2:-1], delimiter=";"))
    assert 350 < len(rows) < 450
    assert {row[17] for row in rows} >= {place.ags for place in geography.REGION}
    assert [row[20:] for row in rows if "null" in row][1] == ["null", "null", "null"]
    assert Counter(row[20] for row in rows)["null"] == 2
    for row in rows:
        if row[21] != "null":
            assert Polygon(geography.polygons()[row[17]]).contains(Point(float(row[21]), float(row[22])))
