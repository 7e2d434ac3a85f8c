"""Ladesäulenregister and MaStR export: the registers' layouts and their known faults."""

from __future__ import annotations

import csv
import re
import zipfile
from collections import Counter
from pathlib import Path
from xml.etree import ElementTree

import pytest
from shapely.geometry import Point, Polygon

from muensterland.sample import geography
from muensterland.sample.energy import BROKEN_UNIT, CHARGING, EXPORT, LINK_PAGE, MISPLACED_UNIT, UNKNOWN_TAG

Unit = dict[str, str]


@pytest.fixture(scope="module")
def devices(publishers: Path) -> list[dict[str, str]]:
    lines = (publishers / CHARGING).read_bytes().decode("utf-8-sig").split("\r\n")
    return list(csv.DictReader(lines[10:-1], delimiter=";"))


@pytest.fixture(scope="module")
def members(publishers: Path) -> dict[str, str]:
    with zipfile.ZipFile(publishers / EXPORT) as archive:
        return {name: archive.read(name).decode("utf-16") for name in archive.namelist()}


@pytest.fixture(scope="module")
def units(members: dict[str, str]) -> list[Unit]:
    """Every unit that can be read, in the order of the files."""
    records = [
        record
        for name, text in members.items()
        if name.startswith("Einheiten")
        for record in re.findall(r"<(Einheit(?:Solar|Wind|Biomasse|Wasser))>\n(.*?)</\1>", text, re.DOTALL)
    ]
    bodies = [f"<u>{body}</u>" for _, body in records if BROKEN_UNIT not in body]
    return [{child.tag: child.text or "" for child in ElementTree.fromstring(body)} for body in bodies]  # noqa: S314


def test_the_charging_register_begins_with_ten_lines_that_are_no_data(publishers: Path) -> None:
    content = (publishers / CHARGING).read_bytes()
    assert content.startswith(b"\xef\xbb\xbf")
    assert content.decode("utf-8-sig").split("\r\n")[10].startswith("Betreiber;Straße;")


def test_charging_devices_lie_in_all_municipalities_and_outside(devices: list[dict[str, str]]) -> None:
    assert 290 <= len(devices) <= 310
    assert {row["Ort"] for row in devices} >= {place.short_name for place in geography.REGION}
    assert {"Dortmund", "Hamm", "Osnabrück"} <= {row["Ort"] for row in devices}
    assert all("(synthetisch)" in row["Betreiber"] for row in devices)


def test_one_device_comes_twice_and_one_has_no_readable_place(devices: list[dict[str, str]]) -> None:
    equal = Counter(tuple(row.values()) for row in devices)
    assert [count for count in equal.values() if count > 1] == [2]
    unreadable = [row["Breitengrad"] for row in devices if not re.fullmatch(r"\d\d,\d+", row["Breitengrad"])]
    assert unreadable == ["5l,9641"]
    assert all(re.fullmatch(r"\d{1,2}\.\d{1,2}\.\d{4}", row["Inbetriebnahmedatum"]) for row in devices)


def test_the_link_page_links_the_export(publishers: Path) -> None:
    page = (publishers / LINK_PAGE).read_text(encoding="utf-8")
    assert re.findall(r'href="([^"]+)"', page) == [
        "https://download.marktstammdatenregister.de/Gesamtdatenexport_20261101_26.2.zip"
    ]


def test_the_export_is_utf_16_with_a_mark(publishers: Path) -> None:
    with zipfile.ZipFile(publishers / EXPORT) as archive:
        assert archive.namelist() == [
            *(f"EinheitenSolar_{part}.xml" for part in (1, 2, 3)),
            *("EinheitenWind.xml", "EinheitenBiomasse.xml", "EinheitenWasser.xml"),
            *("Katalogwerte.xml", "Katalogkategorien.xml"),
        ]
        assert all(archive.read(name).startswith(b"\xff\xfe<\x00") for name in archive.namelist())


def test_the_last_record_of_a_part_is_the_first_of_the_next(members: dict[str, str]) -> None:
    numbers = [re.findall(r"<EinheitMastrNummer>(\w+)", members[f"EinheitenSolar_{part}.xml"]) for part in (1, 2, 3)]
    assert numbers[0][-1] == numbers[1][0]
    assert numbers[1][-1] == numbers[2][0]
    assert [len(part) for part in numbers] == [1_800, 1_801, 1_801]


def test_units_cover_the_region_and_some_lie_outside(units: list[Unit]) -> None:
    assert len({unit["EinheitMastrNummer"] for unit in units}) == 5_999
    keys = Counter(unit["Gemeindeschluessel"] for unit in units)
    assert set(keys) == set(geography.BY_AGS)
    assert 300 < sum(keys[place.ags] for place in geography.OUTSIDE) < 700


def test_all_states_occur_with_their_dates(units: list[Unit]) -> None:
    dated = {
        "31": "GeplantesInbetriebnahmedatum",
        "35": "Inbetriebnahmedatum",
        "37": "DatumBeginnVoruebergehendeStilllegung",
        "38": "DatumEndgueltigeStilllegung",
    }
    states = Counter(unit["EinheitBetriebsstatus"] for unit in units)
    assert set(states) == set(dated)
    assert states["35"] > 5_000
    assert all(dated[unit["EinheitBetriebsstatus"]] in unit for unit in units)
    assert max(unit.get("Inbetriebnahmedatum", "") for unit in units) < "2026-11-01"
    assert all(re.fullmatch(r"\S{10}T\S{8}\.\d{7}", unit["DatumLetzteAktualisierung"]) for unit in units)


def test_small_units_have_no_coordinates(units: list[Unit]) -> None:
    small = [unit for unit in units if float(unit["Bruttoleistung"]) <= 30]
    large = [unit for unit in units if float(unit["Bruttoleistung"]) > 30]
    assert small and large
    assert not any("Laengengrad" in unit for unit in small)
    assert all("Laengengrad" in unit for unit in large)


def test_one_unit_lies_in_another_municipality_than_its_key(units: list[Unit]) -> None:
    wrong = []
    for unit in units:
        if "Laengengrad" in unit:
            place = Point(geography.to_metres(float(unit["Laengengrad"]), float(unit["Breitengrad"])))
            if not Polygon(geography.polygons()[unit["Gemeindeschluessel"]]).contains(place):
                wrong.append(unit)
    assert [(unit["EinheitMastrNummer"], unit["Gemeindeschluessel"]) for unit in wrong] == [
        (MISPLACED_UNIT, "05554004")
    ]
    where = Point(geography.to_metres(float(wrong[0]["Laengengrad"]), float(wrong[0]["Breitengrad"])))
    assert Polygon(geography.polygons()["05554020"]).contains(where)


def test_one_unit_has_a_tag_nobody_announced(units: list[Unit]) -> None:
    assert [unit["EinheitMastrNummer"] for unit in units if UNKNOWN_TAG in unit] == [MISPLACED_UNIT]


def test_one_record_is_not_well_formed(members: dict[str, str]) -> None:
    records = re.findall(r"<EinheitSolar>.*?</EinheitSolar>", members["EinheitenSolar_2.xml"], re.DOTALL)
    broken = next(record for record in records if BROKEN_UNIT in record)
    with pytest.raises(ElementTree.ParseError):
        ElementTree.fromstring(broken)  # noqa: S314


def test_the_catalogue_resolves_carriers_and_states(members: dict[str, str]) -> None:
    values = dict(re.findall(r"<Id>(\d+)</Id>\s*<Wert>([^<]+)</Wert>", members["Katalogwerte.xml"]))
    assert values["2497"] == "Wind"
    assert {"31", "35", "37", "38"} <= set(values)
