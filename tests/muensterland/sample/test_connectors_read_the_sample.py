"""The project's own connectors read every file of the sample, and reject exactly what was made unreadable."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from connectors.connector import Snapshot
from connectors.formats import (
    accident_atlas,
    barrier_free_stops,
    bast,
    bkg_boundaries,
    census_grid,
    charging_register,
    eco_counter,
    eco_visio,
    genesis_ffcsv,
    gtfs,
    gtfs_realtime,
    mastr,
    municipality_directory,
    schools_nrw,
)
from connectors.region import region
from connectors.staging import Account, StagedWriter
from muensterland.sample import (
    accidents,
    barrier_free,
    energy,
    grid,
    mobility,
    realtime,
    registers,
    territory,
    transit,
)
from muensterland.sample import bast as counted
from muensterland.sample import eco_visio as visible
from muensterland.sample import mastr as mastr_register

CENSUS = ".answers/ergebnisse.zensus2022.de/api/rest/2020/1000A-0000.zip"
KREISE = ".answers/www.regionalstatistik.de/genesisws/rest/2020/12411-01-01-4.zip"
COUNTS = f"{mobility.BASE}/900000001"
SERIES = f".answers/{visible.BASE}/data/900100001"
Read = Callable[..., dict[str, Account]]


@pytest.fixture
def read(publishers: Path, tmp_path: Path) -> Read:
    def parse(parser: Callable[..., None], address: str, /, **options: Any) -> dict[str, Account]:
        place = publishers / address
        partition = {"station": place.parent.name, "month": place.stem}
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
        # three channels on 30 days of 96 and one of 92 quarter hours
        (eco_counter.parse_readings, f"{COUNTS}/2026-03.csv", {}, "count_reading", 3 * (30 * 96 + 92), 0),
        (eco_counter.parse_readings, f"{COUNTS}/2026-10.csv", {}, "count_reading", 3 * 31 * 96, 0),
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
