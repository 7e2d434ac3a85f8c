"""MaStR export: the register's layout, its known faults, and the ledger that says what the parser must come to."""

from __future__ import annotations

import re
import zipfile
from collections import Counter
from pathlib import Path
from xml.etree import ElementTree

import pytest
from shapely.geometry import Point, Polygon

from muensterland.sample import geography
from muensterland.sample.mastr import (
    BROKEN_UNIT,
    DELETED_UNIT,
    EXPORT,
    INCOMPLETE_UNIT,
    KEY_DATE,
    LINK_PAGE,
    MISPLACED_UNIT,
    REPOWERED_UNIT,
    UNKNOWN_TAG,
)

Unit = dict[str, str]
POWER = r"<(Einheit(?:Solar|Wind|Biomasse|Wasser|Verbrennung|StromSpeicher|Geothermie\w+))>\n(.*?)</\1>"


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
        for record in re.findall(POWER, text, re.DOTALL)
    ]
    bodies = [f"<u>{body}</u>" for _, body in records if BROKEN_UNIT not in body and INCOMPLETE_UNIT not in body]
    return [{child.tag: child.text or "" for child in ElementTree.fromstring(body)} for body in bodies]  # noqa: S314


def test_the_link_page_links_the_export(publishers: Path) -> None:
    page = (publishers / LINK_PAGE).read_text(encoding="utf-8")
    assert re.findall(r'href="([^"]+)"', page) == [
        "https://download.marktstammdatenregister.de/Gesamtdatenexport_20261101_26.2.zip"
    ]


def test_the_export_is_utf_16_with_a_mark(publishers: Path) -> None:
    with zipfile.ZipFile(publishers / EXPORT) as archive:
        assert archive.namelist() == [
            *(f"EinheitenSolar_{part}.xml" for part in (1, 2, 3)),
            *("EinheitenWind.xml", "EinheitenBiomasse.xml", "EinheitenWasser.xml", "EinheitenVerbrennung.xml"),
            *("EinheitenStromSpeicher.xml", "EinheitenGeothermieGrubengasDruckentspannung.xml"),
            *("EinheitenGasErzeuger.xml", "EinheitenGasverbraucher.xml", "EinheitenGasSpeicher.xml"),
            *("EinheitenStromVerbraucher.xml", "AnlagenEegSolar.xml", "AnlagenEegWind.xml", "AnlagenEegBiomasse.xml"),
            *("AnlagenEegWasser.xml", "AnlagenEegSpeicher.xml", "AnlagenKwk.xml", "AnlagenStromSpeicher.xml"),
            *("EinheitenGenehmigung.xml", "Lokationen.xml", "Netzanschlusspunkte.xml", "Netze.xml"),
            *("Bilanzierungsgebiete.xml", "Marktakteure.xml", "Ertuechtigungen.xml", "Marktrollen.xml"),
            *(
                "Katalogwerte.xml",
                "Katalogkategorien.xml",
                "Einheitentypen.xml",
                "GeloeschteUndDeaktivierteEinheiten.xml",
            ),
        ]
        assert all(archive.read(name).startswith(b"\xff\xfe<\x00") for name in archive.namelist())


def test_the_last_record_of_a_part_is_the_first_of_the_next(members: dict[str, str]) -> None:
    numbers = [re.findall(r"<EinheitMastrNummer>(\w+)", members[f"EinheitenSolar_{part}.xml"]) for part in (1, 2, 3)]
    assert numbers[0][-1] == numbers[1][0]
    assert numbers[1][-1] == numbers[2][0]
    assert [len(part) for part in numbers] == [1_800, 1_801, 1_801]


def test_units_cover_the_region_and_some_lie_outside(units: list[Unit]) -> None:
    assert len({unit["EinheitMastrNummer"] for unit in units}) == 6_764
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


def test_the_key_date_copy_knows_less_and_says_otherwise(publishers: Path, units: list[Unit]) -> None:
    with zipfile.ZipFile(publishers / KEY_DATE) as archive:
        then = "".join(archive.read(name).decode("utf-16") for name in archive.namelist() if "Einheiten" in name)
    numbers = set(re.findall(r"<EinheitMastrNummer>(\w+)", then))
    today = {unit["EinheitMastrNummer"]: unit for unit in units}
    assert DELETED_UNIT in numbers
    assert DELETED_UNIT not in today
    assert numbers < {*today, DELETED_UNIT, BROKEN_UNIT, INCOMPLETE_UNIT} | {n for n in numbers if n[9:] >= "070000"}
    later = [unit for unit in today.values() if unit.get("Inbetriebnahmedatum", "") > "2026-01-01"]
    assert later
    assert not numbers & {unit["EinheitMastrNummer"] for unit in later}
    former = re.search(rf"{REPOWERED_UNIT}.*?<Bruttoleistung>([0-9.]+)", then, re.DOTALL)
    assert former
    assert float(former[1]) == 500.0 < float(today[REPOWERED_UNIT]["Bruttoleistung"])
