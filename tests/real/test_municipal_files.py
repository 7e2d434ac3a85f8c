"""The registers of the city of Münster as published, read as the catalogue declares them: nothing lost, known sums."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import openpyxl
import pyarrow.parquet as pq
import pytest

from connectors.catalogue import load_source
from connectors.connector import Snapshot
from connectors.errors import SnapshotRefused
from connectors.formats.table import CONNECTOR
from connectors.region import region
from connectors.staging import Account, StagedWriter
from muensterland.settings import REPOSITORY

pytestmark = pytest.mark.real


def declared(source_id: str, resource: str) -> dict[str, Any]:
    source = load_source(REPOSITORY / "data/sources" / f"muenster-{source_id}.yml")
    return dict(source.resources[resource].options)


def read(folder: Path, path: Path, options: dict[str, Any]) -> tuple[Account, list[dict[str, Any]], StagedWriter]:
    assert CONNECTOR.options is not None
    with StagedWriter(folder / "staged", "source", "a" * 64, "1") as out:
        CONNECTOR.parse(Snapshot("source", path, "a" * 64), out, region(), **CONNECTOR.options(options))
        out.close()
    (account,) = out.accounts.values()
    return account, pq.ParquetFile(out.file_of(options["into"])).read().to_pylist(), out


def csv_of(path: Path, delimiter: str = ",") -> list[list[str]]:
    return list(csv.reader(path.read_text(encoding="utf-8").splitlines(), delimiter=delimiter))


@pytest.mark.parametrize(
    ("name", "resource"),
    [
        ("awm-glascontainer-combined", "glass"),
        ("awm-altkleider", "clothes"),
        ("awm-elektrokleingeraete", "small-appliances"),
    ],
)
def test_containers(tmp_path: Path, real: Path, name: str, resource: str) -> None:
    path = real / "registers/ms-awm-container" / f"{name}.csv"
    account, rows, out = read(tmp_path, path, declared("recycling-containers", resource))
    places = [line for line in csv_of(path)[1:] if line[0] not in ("Datum", "Erstellungsdatum:")]
    assert account == Account(read=len(csv_of(path)) - 1, staged=len(places), out_of_scope=1)
    assert sorted((row["latitude"], row["longitude"]) for row in rows) == sorted(
        (float(line[-2]), float(line[-1])) for line in places
    )
    assert out.drifted == []


def test_three_formats_of_one_list_are_the_same_places(tmp_path: Path, real: Path) -> None:
    folder = real / "registers/ms-awm-container"
    common = {"into": "facility", "covers": ["05515000"]}
    columns = {"kind": {"fixed": "container"}, "ags": {"fixed": "05515000"}}
    layouts: dict[str, dict[str, Any]] = {
        "csv": {
            "columns": {**columns, "facility_id": "Standort2"},
            "place": {"x": "Longitude", "y": "Latitude"},
            "out_of_scope": [{"column": 1, "pattern": "Erstellungsdatum:", "reason": "date"}],
        },
        "json": {
            "file": "json",
            "columns": {**columns, "facility_id": "inf.1"},
            "place": {"x": "lng", "y": "lat"},
            "out_of_scope": [{"column": "art_txt", "pattern": ".+", "reason": "title"}],
        },
        "geojson": {
            "file": "geojson",
            "columns": {**columns, "facility_id": "Standort"},
            "place": {"geometry": True},
        },
    }
    found = []
    for kind, layout in layouts.items():
        _, rows, _ = read(tmp_path / kind, folder / f"awm-altkleider.{kind}", common | layout)
        found.append({(row["facility_id"], round(row["longitude"], 6), round(row["latitude"], 6)) for row in rows})
    assert found[0] == found[1] == found[2]
    assert len(found[0]) == 23


def test_playgrounds_and_sports_grounds(tmp_path: Path, real: Path) -> None:
    folder = real / "registers/ms-spielplaetze-sport-geojson"
    account, rows, _ = read(
        tmp_path / "p", folder / "spielplaetze.geojson", declared("playgrounds-and-sports", "playgrounds")
    )
    features = json.loads((folder / "spielplaetze.geojson").read_text(encoding="utf-8"))["features"]
    assert account == Account(read=332, staged=332)
    assert sum(row["capacity"] or 0 for row in rows) == sum(each["properties"]["Groesse"] or 0 for each in features)
    account, rows, out = read(
        tmp_path / "s", folder / "sportstaetten.geojson", declared("playgrounds-and-sports", "sports-grounds")
    )
    features = json.loads((folder / "sportstaetten.geojson").read_text(encoding="utf-8"))["features"]
    off_africa = sum(each["geometry"]["coordinates"][0] < 0 for each in features)
    assert account == Account(read=209, staged=209 - off_africa, rejected=off_africa)
    (finding,) = pq.ParquetFile(out.file_of("table_finding")).read().to_pylist()
    assert (finding["code"], finding["records"]) == ("outside_coverage", off_africa)


def test_schools_are_in_a_coordinate_system_that_they_do_not_name(tmp_path: Path, real: Path) -> None:
    path = real / "registers/ms-tischtennis-schulen/Schulen.csv"
    options: dict[str, Any] = {
        "into": "facility",
        "delimiter": ";",
        "columns": {"facility_id": "LFDNR", "kind": {"fixed": "school"}, "name": "NAME", "category": "SchoolType"},
        "place": {"x": "X", "y": "Y", "crs": "EPSG:25832"},
        "covers": ["05515000"],
        "not_staged": ["URL"],
    }
    with pytest.raises(SnapshotRefused, match=r"100 of 100 places are outside .* inside as EPSG:31467") as refusal:
        read(tmp_path / "wrong", path, options)
    assert refusal.value.reason == ("wrong_crs", "place")
    options["place"] = {"x": "X", "y": "Y", "crs": "EPSG:31467"}
    account, _, _ = read(tmp_path / "right", path, options)
    assert account == Account(read=100, staged=100)


@pytest.mark.parametrize(
    ("name", "resource"),
    [
        ("ms_wohnberechtigte", "population"),
        ("ms_wohnberechtigte_nach_alter", "population-by-age"),
        ("ms_wohnberechtigte_nach_alter_maennlich", "men-by-age"),
        ("ms_wohnberechtigte_nach_alter_weiblich", "women-by-age"),
        ("ms_haushalte", "households"),
        ("ms_arbeitslose", "unemployed"),
        ("ms_sozialversicherungspflichtige", "employees"),
    ],
)
def test_figures_of_districts_add_up_to_the_file(tmp_path: Path, real: Path, name: str, resource: str) -> None:
    path = real / "registers/ms-statistik-stadtteile" / f"{name}.csv"
    account, rows, out = read(tmp_path, path, declared("city-districts", resource))
    header, *lines = csv_of(path)
    cells = [cell for line in lines for cell in line[2:]]
    assert account == Account(read=len(cells), staged=len(cells))
    assert len(cells) == len(lines) * (len(header) - 2)
    assert sum(row["value"] or 0 for row in rows) == sum(float(cell) for cell in cells if cell != ".")
    assert sum(row["mark_status"] == "suppressed" for row in rows) == cells.count(".")
    # 45 districts; the parts of the city and the whole of it have no number.
    districts = {row["district_name"] for row in rows if row["district_key"] is not None}
    assert len(districts) == 45
    whole = [row["value"] for row in rows if row["district_name"] == "Stadt Münster" and row["age_from"] is None]
    assert out.drifted == []
    assert len(whole) >= 1


def test_the_workbook_tells_what_the_csv_does(tmp_path: Path, real: Path) -> None:
    folder = real / "registers/ms-statistik-stadtteile"
    (path,) = folder.glob("*.xlsx")
    options = declared("city-districts", "population") | {
        "file": "xlsx",
        "sheet": "Bevölkerung",
        "header_row": 2,
        "out_of_scope": [
            {"column": 2, "pattern": "Anzahl|", "reason": "units and notes"},
        ],
    }
    options["columns"] = {
        **options["columns"],
        "district_key": {"column": 1, "pattern": r"(\d{2}) .+", "optional": True},
        "district_name": {"column": 1, "pattern": r"(?:\d{2} )?(.+)"},
    }
    _, of_workbook, _ = read(tmp_path / "xlsx", path, options)
    _, of_csv, _ = read(tmp_path / "csv", folder / "ms_wohnberechtigte.csv", declared("city-districts", "population"))
    sheet = openpyxl.load_workbook(path, data_only=True)["Bevölkerung"]
    assert sheet["B4"].value == next(row["value"] for row in of_workbook if row["district_key"] == "11")

    def keyed(rows: list[dict[str, Any]]) -> dict[tuple[str, str], float]:
        return {(row["district_key"], row["period"]): row["value"] for row in rows if row["district_key"]}

    assert keyed(of_workbook) == keyed(of_csv)


def test_the_survey_and_the_queue(tmp_path: Path, real: Path) -> None:
    path = real / "mobility/ms-haushaltsbefragung-2022/mobilitaetsdaten.csv"
    account, rows, out = read(tmp_path / "survey", path, declared("household-survey", "answers"))
    lines = csv_of(path, ";")[1:]
    assert account == Account(read=46 * len(lines), staged=46 * len(lines))
    told = sum(float(cell.replace(",", ".")) for line in lines for cell in line[2:])
    assert sum(row["value"] for row in rows) == pytest.approx(told, rel=1e-12)
    split = [row["value"] for row in rows if row["question"] == "modal_split" and row["district_name"] == "Aegidii"]
    assert sum(split) == pytest.approx(1)
    assert not out.file_of("table_finding").exists()
    for day in sorted((real / "registers/ms-buergeramt-wartezeit").glob("*.csv")):
        account, rows, _ = read(tmp_path / day.stem, day, declared("citizens-office", "readings"))
        lines = csv_of(day)[1:]
        assert account == Account(read=len(lines), staged=len(lines))
        assert sum(row["waiting_time_min"] for row in rows) == sum(float(line[2]) for line in lines)
