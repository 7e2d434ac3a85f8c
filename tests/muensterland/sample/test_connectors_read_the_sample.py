"""The project's own connectors read every file of the sample, and reject exactly what was made unreadable."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from connectors.catalogue import load_source
from connectors.connector import Snapshot
from connectors.formats import (
    accident_atlas,
    barrier_free_stops,
    bast,
    bkg_boundaries,
    census_grid,
    charging_register,
    count_site_table,
    count_table,
    eco_counter,
    eco_visio,
    energy_charts,
    genesis_ffcsv,
    gtfs,
    gtfs_realtime,
    load_profile,
    mastr,
    municipal_series,
    municipality_directory,
    parking_table,
    schools_nrw,
    smard,
)
from connectors.region import region
from connectors.registry import parse_options
from connectors.staging import Account, StagedWriter
from muensterland.sample import (
    accidents,
    barrier_free,
    counter_hours,
    demand,
    energy,
    grid,
    market,
    mobility,
    motor_traffic,
    parking,
    realtime,
    registers,
    territory,
    transit,
)
from muensterland.sample import bast as counted
from muensterland.sample import eco_visio as visible
from muensterland.sample import mastr as mastr_register
from muensterland.settings import REPOSITORY

CENSUS = ".answers/ergebnisse.zensus2022.de/api/rest/2020/1000A-0000.zip"
KREISE = ".answers/www.regionalstatistik.de/genesisws/rest/2020/12411-01-01-4.zip"
COUNTS = f"{mobility.BASE}/900000001"
SERIES = f".answers/{visible.BASE}/data/900100001"
PARKING = {"time_column": parking.TIME, "capacity_label": parking.CAPACITIES, "marks": ("ges", "bes", "kei")}
LOOPS = motor_traffic.BASE
Read = Callable[..., dict[str, Account]]


def declared(source_id: str, resource: str) -> dict[str, Any]:
    return parse_options(load_source(REPOSITORY / "data/sources" / f"{source_id}.yml").resources[resource])


def hours(resource: str) -> dict[str, Any]:
    return declared("muenster-bicycle-hours", resource)


MONTHLY = declared("muenster-bicycle-counters", "readings")
ACROSS = declared("muenster-motor-traffic", "readings")
JUNCTIONS = declared("muenster-motor-traffic", "junctions")


@pytest.fixture
def read(publishers: Path, tmp_path: Path) -> Read:
    def parse(parser: Callable[..., None], address: str, /, **options: Any) -> dict[str, Account]:
        place = publishers / address
        partition = {"station": place.parent.name, "month": place.stem, "profile": "g25"}
        if parser is bast.parse_hours:
            partition = {"station": place.stem.removeprefix("zst"), "year": place.parent.name}
        elif parser is eco_visio.parse_readings:
            partition = {"site": place.parent.name, "month": place.stem}
        with StagedWriter(tmp_path, "sample", "0" * 64, "test") as out:
            parser(Snapshot("sample", place, "0" * 64, partition), out, region(), **options)
            return out.close()

    return parse


@pytest.mark.parametrize(
    ("parser", "address", "options", "table", "staged", "rejected"),
    [
        (bkg_boundaries.parse, territory.BOUNDARIES, {}, "municipality_boundary", 66, 0),
        (genesis_ffcsv.parse, CENSUS, {"table_code": "1000A-0000"}, "statistic_value", 66, 0),
        (genesis_ffcsv.parse, KREISE, {"table_code": "12411-01-01-4"}, "statistic_value", 15, 0),
        (gtfs_realtime.parse, realtime.VEHICLES, {}, "gtfs_rt_vehicle_position", 6, 0),
        (gtfs_realtime.parse, realtime.ALERTS, {}, "gtfs_rt_alert", 2, 0),
        # 51 stops of the city's lines, every fourth of them left out, and the station; two more that are none of them.
        (barrier_free_stops.parse, barrier_free.BARRIER_FREE, {}, "barrier_free_stop", 40, 0),
        (eco_counter.parse_sites, f"{mobility.BASE}/site_min.json", {}, "count_site", 3, 0),
        # Years before 2019 have no accident of the state; in the others every one of the region is read.
        (accident_atlas.parse, f"{accidents.FOLDER}/Unfallorte2018_EPSG25832_CSV.zip", {}, "accident", 0, 0),
        (accident_atlas.parse, f"{accidents.FOLDER}/Unfallorte2025_EPSG25832_CSV.zip", {}, "accident", 201, 0),
        (eco_visio.parse_sites, visible.LIST, {}, "count_site", 2, 0),
        # 30 days of 24 hours and one of 23; autumn's day has 24 entries.
        (eco_visio.parse_readings, f"{SERIES}/2026-03.json", {}, "count_reading", 30 * 24 + 23, 0),
        (eco_visio.parse_readings, f"{SERIES}/2026-10.json", {}, "count_reading", 31 * 24, 0),
        (bast.parse_stations, counted.LIST, {}, "count_site", 2, 0),
        # Three classes in two directions in all hours but the one that spring leaves out.
        (bast.parse_hours, f"{counted.HOURS}/2025/zst95001.zip", {}, "count_reading", 6 * (365 * 24 - 1), 0),
        # 244 rows of six car parks in autumn, and a row of capacities; 236 of five in spring.
        (parking_table.parse, f"{parking.BASE}/2026-10-25.csv", PARKING, "parking_reading", 244 * 6, 0),
        (parking_table.parse, f"{parking.BASE}/2023-03-26.csv", PARKING, "parking_reading", 236 * 5, 0),
        # three channels on 30 days of 96 and one of 92 quarter hours
        (count_table.parse, f"{COUNTS}/2026-03.csv", MONTHLY, "count_reading", 3 * (30 * 96 + 92), 0),
        (count_table.parse, f"{COUNTS}/2026-10.csv", MONTHLY, "count_reading", 3 * 31 * 96, 0),
        # four days of 24 rows; spring's hour, as a row of its own, and the total are left out
        (count_table.parse, counter_hours.NEUTOR, hours("neutor"), "count_reading", 3 * (4 * 24 - 1), 0),
        (count_table.parse, counter_hours.WOLBECKER, hours("wolbecker"), "count_reading", 3 * (3 * 24 - 1), 0),
        # five cross-sections; those of all loops and of a test are left out
        (count_table.parse, f"{LOOPS}/2015_03_28_24mq.csv", ACROSS, "count_reading", 5 * 24, 0),
        (count_table.parse, f"{LOOPS}/2015_03_29_24mq.csv", ACROSS, "count_reading", 5 * 23, 0),
        # a correction below zero
        (count_table.parse, f"{LOOPS}/2015_10_25_24mq.csv", ACROSS, "count_reading", 5 * 24 - 1, 1),
        (count_site_table.parse, motor_traffic.JUNCTIONS, JUNCTIONS, "count_location", 2, 0),
        # March: 30 days of 96 quarter-hours and one of 92, four series
        (smard.parse_download, market.DOWNLOAD, {}, "market_reading", 4 * (30 * 96 + 92), 0),
        # October: a day of 100, five production types; the share of renewables is none of ours
        (
            energy_charts.parse,
            f".answers/{market.POWER}.json",
            {"answer": "power"},
            "market_reading",
            5 * (30 * 96 + 100),
            0,
        ),
        # 12 months of three day types
        (load_profile.parse_bdew, f"{demand.HOST}/g25.csv", {}, "load_profile_value", 36 * 96, 0),
        # 35 years, a target, 5 winters, 12 months, 2 savings, a plant, one year again; `im Jahr 2024` is no period
        (municipal_series.parse, demand.SERIES, {"areas": {}}, "municipal_series_value", 57, 1),
    ],
)
def test_a_file_is_staged_whole(
    read: Read,
    parser: Callable[..., None],
    address: str,
    options: dict[str, Any],
    table: str,
    staged: int,
    rejected: int,
) -> None:
    account = read(parser, address, **options)[table]
    assert (account.staged, account.rejected) == (staged, rejected)


@pytest.mark.parametrize(
    ("parser", "address", "table", "rejected"),
    [
        (municipality_directory.parse, territory.REGISTER, "municipality_register", 0),
        (charging_register.parse, energy.CHARGING, "charging_station", 1),
        (accident_atlas.parse, f"{accidents.FOLDER}/Unfallorte2021_EPSG25832_CSV.zip", "accident", 1),
        (mastr.parse, mastr_register.EXPORT, "energy_unit", 2),
        (schools_nrw.parse, registers.SCHOOLS, "school", 0),
        (census_grid.parse, grid.GRID, "population_cell", 0),
        (gtfs.parse, transit.OPERATOR, "gtfs_stop_times", 0),
        (gtfs.parse, transit.NATIONAL_LOCAL, "gtfs_stop_times", 1),
        (gtfs.parse, transit.NATIONAL_RAIL, "gtfs_stop_times", 0),
        (gtfs_realtime.parse, realtime.TRIP_UPDATES, "gtfs_rt_stop_time_update", 0),
    ],
)
def test_only_what_was_made_unreadable_is_rejected(
    read: Read, parser: Callable[..., None], address: str, table: str, rejected: int
) -> None:
    accounts = read(parser, address)
    assert sum(account.rejected for account in accounts.values()) == accounts[table].rejected == rejected
    assert accounts[table].staged > 60


def test_the_far_line_is_cut_and_the_near_one_kept_whole(read: Read) -> None:
    whole = read(gtfs.parse, transit.NATIONAL_LOCAL)["gtfs_trips"]
    cut = read(gtfs.parse, transit.NATIONAL_LOCAL, region_only=True)["gtfs_trips"]
    assert whole.out_of_scope == 0
    assert 0 < cut.out_of_scope < whole.staged
