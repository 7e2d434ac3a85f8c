"""No record is lost: what every connector says it read is what simple means count in the same bytes."""

from __future__ import annotations

import csv
import io
import json
import re
import struct
import zipfile
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from google.transit import gtfs_realtime_pb2

from connectors.catalogue import load_source
from connectors.connector import Snapshot
from connectors.formats import CONNECTORS
from connectors.mastr_fields import FAMILIES
from connectors.region import region
from connectors.registry import connector, parse_options
from connectors.staging import StagedWriter
from muensterland.sample import (
    accidents,
    air_quality,
    barrier_free,
    bast,
    council,
    demand,
    eco_visio,
    energy,
    grid,
    itnrw,
    market,
    mobility,
    monitor,
    motor_traffic,
    municipal,
    parking,
    realtime,
    registers,
    territory,
    transit,
)
from muensterland.sample import mastr as mastr_register
from muensterland.settings import REPOSITORY

PARTITION = {
    **{"station": "900000001", "month": "2026-03", "profile": "h25"},
    **{"series": "4067", "region": "DE", "resolution": "quarterhour"},
}
# Of the connectors whose file names what it is of.
PARTITIONS = {
    "accident_atlas": {"year": "2021"},
    "bast_hours": {"station": "95001", "year": "2025"},
    "localzero_renewable_energy": {"year": "2024"},
    "eco_visio": {"site": "900100001", "month": "2026-03"},
    "statistic_table": {"year": "2021"},
}
GTFS_FILES = (
    "agency",
    "calendar",
    "calendar_dates",
    "feed_info",
    "frequencies",
    "routes",
    "stop_times",
    "stops",
    "trips",
)


def members(path: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def lines(data: bytes, delimiter: str) -> list[list[str]]:
    return [row for row in csv.reader(io.StringIO(data.decode("utf-8-sig"), newline=""), delimiter=delimiter) if row]


def boundaries(path: Path) -> dict[str, int]:
    # dBASE: the number of records stands in bytes 4 to 7.
    table = next(data for name, data in members(path).items() if name.endswith(".dbf"))
    return {"municipality_boundary": struct.unpack("<I", table[4:8])[0]}


def directory(path: Path) -> dict[str, int]:
    sheets = openpyxl.load_workbook(path, read_only=True, data_only=True)
    sheet = next(sheet for sheet in sheets.worksheets if sheet.title.startswith("Onlineprodukt"))
    rows = sheet.iter_rows(values_only=True)
    # The row that names the columns is no record; what stands above and below it is (preamble, footer).
    return {"municipality_register": sum(any(cell is not None for cell in row) for row in rows) - 1}


def table(path: Path) -> dict[str, int]:
    (data,) = members(path).values()
    return {"statistic_value": len(lines(data, ";")) - 1}


def sites(path: Path) -> dict[str, int]:
    entries = json.loads(path.read_bytes())
    return {"count_site": len(entries), "count_channel": sum(len(entry["channels"]) for entry in entries)}


def readings(path: Path) -> dict[str, int]:
    header, *rows = lines(path.read_bytes(), ",")
    channels = [name for name in header if re.fullmatch(r"\d+ \(.*\)", name)]
    return {"count_reading": len(rows) * len(channels)}


def charging(path: Path) -> dict[str, int]:
    # Blank lines are told of as well, so that a record's number is its line.
    text = io.StringIO(path.read_bytes().decode("utf-8-sig"), newline="")
    return {"charging_station": sum(1 for _ in csv.reader(text, delimiter=";")) - 1}


def export(path: Path) -> dict[str, int]:
    counts: Counter[str] = Counter()
    for name, data in members(path).items():
        if name == "Marktrollen.xml":
            continue  # of persons, and left alone
        (family,) = (family for family in FAMILIES if family.root == re.sub(r"(_\d+)?\.xml", "", name))
        text = data.decode("utf-16")
        # A record's own tag, or the root's again, of which one is the root.
        records = text.count(f"<{family.record}>") or text.count(f"<{family.root}>") - 1
        counts[family.table] += records
    return dict(counts)


def sums(path: Path) -> dict[str, int]:
    return {"energy_reference_capacity": 4 * (len(path.read_bytes().decode().splitlines()) - 1)}


def schools(path: Path) -> dict[str, int]:
    return {"school": len(path.read_bytes().decode().splitlines()) - 1}


def land(path: Path) -> dict[str, int]:
    # Six of the columns are asked for.
    return {"statistic_value": 6 * (len(path.read_bytes().splitlines()) - 1)}


def goals(path: Path) -> dict[str, int]:
    text = path.read_text(encoding="utf-8")
    counts = {"goal": text.count("- goal_id:"), "project": text.count("- project_id:")}
    return counts | {"project_area": 1, "project_indicator": 1}


def sheets_of_goals(path: Path) -> dict[str, int]:
    book = openpyxl.load_workbook(path)
    counts = {"goal": book["Ziele"].max_row - 1, "project": book["Projekte"].max_row - 1}
    # Areas and indicators as they stand in the two rows: Borken and Bocholt, one Kreis; one indicator, two.
    return counts | {"project_area": 3, "project_indicator": 3}


def cells(path: Path) -> dict[str, int]:
    (data,) = (data for name, data in members(path).items() if "_100m-" in name)
    return {"population_cell": len(lines(data, ";")) - 1}


def listed(path: Path) -> dict[str, int]:
    return {"barrier_free_stop": len(lines(path.read_bytes(), ";")) - 1}


def feed(path: Path) -> dict[str, int]:
    files = {Path(name).name: data for name, data in members(path).items() if "__MACOSX" not in name}
    return {f"gtfs_{name}": len(lines(files[f"{name}.txt"], ",")) - 1 for name in GTFS_FILES}


def told(path: Path) -> dict[str, int]:
    message = gtfs_realtime_pb2.FeedMessage.FromString(path.read_bytes())
    return {
        "gtfs_rt_trip_update": len(message.entity),
        "gtfs_rt_stop_time_update": sum(len(entity.trip_update.stop_time_update) for entity in message.entity),
        **dict.fromkeys(("gtfs_rt_vehicle_position", "gtfs_rt_alert", "gtfs_rt_informed_entity"), 0),
    }


def week(path: Path) -> dict[str, int]:
    return {"market_reading": path.read_bytes().count(b"[1")}


def index(path: Path) -> dict[str, int]:
    return {"market_file": len(re.findall(rb"\d{13}", path.read_bytes()))}


def download(path: Path) -> dict[str, int]:
    header, *rows = lines(path.read_bytes(), ";")
    return {"market_reading": len(rows) * sum("[MWh]" in name for name in header)}


def power(path: Path) -> dict[str, int]:
    content = json.loads(path.read_bytes())
    return {"market_reading": len(content["unix_seconds"]) * len(content["production_types"])}


def profile(path: Path) -> dict[str, int]:
    _, days, *rows = lines(path.read_bytes(), ",")
    return {"load_profile_value": len(rows) * (len(days) - 1)}


def own_profiles(path: Path) -> dict[str, int]:
    # A note above the header is told of as well.
    return {"load_profile_value": 2 * (len(lines(path.read_bytes(), ";")) - 2) + 1}


def own_workbook(path: Path) -> dict[str, int]:
    (sheet,) = openpyxl.load_workbook(path, read_only=True).worksheets
    return {"load_profile_value": 2 * (sum(1 for _ in sheet.iter_rows()) - 1)}


def series_of_a_town(path: Path) -> dict[str, int]:
    return {"municipal_series_value": path.read_bytes().count(b"\r\n") - 1}


OWN = {
    **{"time": "Zeit", "season": "Jahreszeit", "day_type": "Tag", "unit": "W", "normalised_to_kwh": 1000.0},
    "profiles": {"haushalt": "Haushalt", "gewerbe": "Gewerbe"},
}
WEEK = f"{market.CHARTS}/4067/DE/4067_DE_quarterhour_1790546400000.json"


def year_of_accidents(path: Path) -> dict[str, int]:
    (data,) = members(path).values()
    return {"accident": len(lines(data, ";")) - 1}


def year_of_hours(path: Path) -> dict[str, int]:
    (data,) = members(path).values()
    header, *rows = lines(data, ";")
    counts = [name for name in header if re.fullmatch(r"[A-Za-z]+_R[12]", name)]
    return {"count_reading": len(rows) * len(counts)}


def stations(path: Path) -> dict[str, int]:
    return {"count_site": len(path.read_bytes().splitlines()) - 1}


def junctions(path: Path) -> dict[str, int]:
    return {"count_location": len(path.read_bytes().splitlines()) - 1}


def counters(path: Path) -> dict[str, int]:
    entries = json.loads(path.read_bytes())
    return {"count_site": len(entries), "count_channel": sum(len(entry["pratique"]) for entry in entries)}


def series(path: Path) -> dict[str, int]:
    return {"count_reading": len(json.loads(path.read_bytes()))}


def free_places(path: Path) -> dict[str, int]:
    # The row of capacities is read as well, and left out.
    header, *rows = lines(path.read_bytes(), ",")
    return {"parking_reading": len(rows) * (len(header) - 1)}


def concentrations(path: Path) -> dict[str, int]:
    _, *rows, _ = lines(path.read_bytes(), ";")
    return {"air_quality_reading": 4 * len(rows) + 1}


def answer(path: Path) -> dict[str, int]:
    hours = json.loads(path.read_bytes())["data"]["1140"].values()
    return {"air_quality_reading": sum(len(hour) - 3 for hour in hours)}


def values_across(path: Path) -> dict[str, int]:
    # Four lines of preamble, three of names, four of notes; two values in each of the others.
    return {"statistic_value": 11 + 2 * (len(path.read_bytes().splitlines()) - 11)}


def papers(path: Path) -> dict[str, int]:
    return {"council_paper": sum(body.count(b'"type": ') for body in members(path).values())}


def containers(path: Path) -> dict[str, int]:
    # The date of the list, its last line, is read as well, and left out.
    return {"facility": len(lines(path.read_bytes(), ",")) - 1}


def declared(source_id: str, resource: str = "readings") -> dict[str, Any]:
    return parse_options(load_source(REPOSITORY / "data/sources" / f"{source_id}.yml").resources[resource])


AIR = f"{air_quality.ARCHIVE}/luftqualitaet_muenster_2022-01-01_2024-01-01_station1140.csv"
CENSUS = ".answers/ergebnisse.zensus2022.de/api/rest/2020/1000A-0000.zip"
GLASS = f"{municipal.AWM}/awm-glascontainer-combined.csv"
COUNTS: dict[str, tuple[str, dict[str, Any], Callable[[Path], dict[str, int]]]] = {
    "accident_atlas": (f"{accidents.FOLDER}/Unfallorte2021_EPSG25832_CSV.zip", {}, year_of_accidents),
    "barrier_free_stops": (barrier_free.BARRIER_FREE, {}, listed),
    "bast_hours": (f"{bast.HOURS}/2025/zst95001.zip", {}, year_of_hours),
    "bast_stations": (bast.LIST, {}, stations),
    "bkg_boundaries": (territory.BOUNDARIES, {}, boundaries),
    "census_grid": (grid.GRID, {}, cells),
    "charging_register": (energy.CHARGING, {}, charging),
    "count_site_table": (motor_traffic.JUNCTIONS, declared("muenster-motor-traffic", "junctions"), junctions),
    "count_table": (f"{mobility.BASE}/900000001/2026-03.csv", declared("muenster-bicycle-counters"), readings),
    "eco_counter_sites": (f"{mobility.BASE}/site_min.json", {}, sites),
    "eco_visio": (f".answers/{eco_visio.BASE}/data/900100001/2026-03.json", {}, series),
    "eco_visio_sites": (eco_visio.LIST, {}, counters),
    "energy_charts": (
        f".answers/{market.POWER}.json",
        {"answer": "power"},
        power,
    ),
    "genesis_ffcsv": (CENSUS, {"table_code": "1000A-0000"}, table),
    "genesis_metadata": (CENSUS.replace(".zip", ".json"), {}, lambda path: {"statistic_table": 1}),
    "itnrw_table": (itnrw.INCOME, declared("it-nrw", "disposable-income"), values_across),
    "oparl": (f".answers/{council.BODY}/papers", declared("muenster-council", "papers"), papers),
    "gtfs": (transit.NATIONAL_LOCAL, {"region_only": True}, feed),
    "gtfs_realtime": (realtime.TRIP_UPDATES, {}, told),
    "load_profile_bdew": (f"{demand.HOST}/h25.csv", {}, profile),
    "load_profile_csv": (demand.OPERATOR_CSV, OWN, own_profiles),
    "load_profile_xlsx": (demand.OPERATOR_XLSX, OWN, own_workbook),
    "localzero_renewable_energy": (mastr_register.REFERENCE, {}, sums),
    "mastr_export": (mastr_register.EXPORT, {}, export),
    "monitor_workbook": (f"{monitor.OWN}/borken.xlsx", {}, sheets_of_goals),
    "monitor_yaml": (f"{monitor.OWN}/muenster.yml", {}, goals),
    "municipal_series": (demand.SERIES, {"areas": {"Münster, Gesamtstadt": "05515000"}}, series_of_a_town),
    "municipality_directory": (territory.REGISTER, {}, directory),
    "parking_table": (f"{parking.BASE}/2026-10-24.csv", declared("muenster-parking"), free_places),
    "schools_nrw": (registers.SCHOOLS, {}, schools),
    "statistic_table": (f"{monitor.LOCALZERO}/area/2021.csv", declared("localzero-statistics", "area"), land),
    "table": (GLASS, declared("muenster-recycling-containers", "glass"), containers),
    "uba_air_quality_csv": (AIR, declared("muenster-air-quality"), concentrations),
    "uba_air_quality_json": (f".answers/{air_quality.API}/1140/2026-09.json", declared("uba-air-quality"), answer),
    "smard_chart": (WEEK, {}, week),
    "smard_download": (market.DOWNLOAD, {}, download),
    "smard_index": (f"{market.CHARTS}/4067/DE/index_quarterhour.json", {}, index),
}


@pytest.mark.parametrize("name", sorted(CONNECTORS))
def test_read_is_what_the_file_holds_and_all_of_it_is_accounted_for(
    name: str, publishers: Path, tmp_path: Path
) -> None:
    address, options, count = COUNTS[name]
    place = publishers / address
    if place.is_dir():
        # A list lands as an archive of its pages.
        place = tmp_path / "pages.zip"
        with zipfile.ZipFile(place, "w") as archive:
            for page in sorted((publishers / address).glob("[0-9].json")):
                archive.writestr(f"00000-0000{page.stem}.json", page.read_bytes())
    with StagedWriter(tmp_path, "sample", "0" * 64, "test") as out:
        partition = PARTITIONS.get(name, PARTITION)
        connector(name).parse(Snapshot("sample", place, "0" * 64, partition), out, region(), **options)
        accounts = out.close()
    assert {table_name: account.read for table_name, account in accounts.items()} == count(place)
    for account in accounts.values():
        assert account.read == account.staged + account.rejected + account.out_of_scope
