"""The real parking and air quality files: nothing is lost, and the marts say what a plain reading of the files says."""

from __future__ import annotations

from collections import Counter
from datetime import date
from pathlib import Path

import pytest

from connectors.catalogue import load_source
from connectors.connector import Snapshot
from connectors.region import region
from connectors.registry import connector, parse_options
from connectors.staging import Account, StagedWriter
from muensterland.settings import REPOSITORY
from tests.dbt_project.conftest import Built
from tests.dbt_project.places import File, build_places
from tests.dbt_project.plain_places import air_days, parking_days

pytestmark = pytest.mark.real

PARKING, ARCHIVE = "muenster-parking", "muenster-air-quality"
STATIONS = {"DENW095": "station1140", "DENW260": "station1303"}


@pytest.fixture(scope="module")
def parking(real: Path) -> list[Path]:
    return sorted((real / "mobility" / "ms-parkleitsystem-historie").glob("*.csv"))


@pytest.fixture(scope="module")
def air(real: Path) -> list[Path]:
    return sorted((real / "mobility" / "ms-luftqualitaet-uba").glob("*.csv"))


@pytest.fixture(scope="module")
def built(parking: list[Path], air: list[Path], tmp_path_factory: pytest.TempPathFactory) -> Built:
    files = [File(PARKING, path.name, path.read_bytes()) for path in parking]
    files += [File(ARCHIVE, path.name, path.read_bytes()) for path in air]
    return build_places(tmp_path_factory.mktemp("places"), files)


def account_of(source_id: str, path: Path, staged: Path) -> Account:
    resource = load_source(REPOSITORY / "data/sources" / f"{source_id}.yml").resources["readings"]
    found = connector(resource.connector)
    with StagedWriter(staged, source_id, path.stem, "1") as out:
        found.parse(Snapshot(source_id, path, path.stem, {}), out, region(), **parse_options(resource))
        return out.close()[found.tables[0].name]


def test_every_cell_of_every_file_is_accounted_for(parking: list[Path], air: list[Path], tmp_path: Path) -> None:
    assert len(parking) >= 12
    for path in parking:
        header, *lines = path.read_bytes().decode().splitlines()
        width = header.count(",")
        capacities = width if any("Anzahl Parkplätze" in line for line in lines) else 0
        account = account_of(PARKING, path, tmp_path)
        cells = width * len(lines)
        assert account == Account(read=cells, staged=cells - capacities, out_of_scope=capacities), path.name
    assert len(air) >= 2
    for path in air:
        hours = path.read_bytes().count(b"\"'")
        assert account_of(ARCHIVE, path, tmp_path) == Account(read=4 * hours + 1, staged=4 * hours, out_of_scope=1)


def test_every_day_of_every_car_park_is_what_its_files_say(built: Built, parking: list[Path]) -> None:
    rows = built.query(
        "select car_park, cast(hour_local as date)::text, sum(readings)::int, round(sum(free * readings_counted))::int "
        "from marts.mart_parking_hour group by all"
    )
    told = parking_days(path.read_bytes() for path in parking)
    assert {(park, day): (moments, free or 0) for park, day, moments, free in rows} == {
        key: (day.moments, day.free_sum) for key, day in told.items()
    }
    assert len(rows) >= 6 * 16 + 4 * 17 + 20 - 16


@pytest.mark.parametrize(
    ("day", "hours", "repeated"),
    [
        ("2019-10-27", 25, 2),
        ("2021-10-31", 25, 2),
        ("2022-03-27", 23, 0),
        ("2023-03-26", 23, 0),
        ("2023-10-29", 25, 2),
        ("2024-03-31", 23, 0),
    ],
)
def test_the_days_on_which_clocks_change(built: Built, day: str, hours: int, repeated: int) -> None:
    rows = built.query(
        "select hour(hour_local)::int, readings from marts.mart_parking_hour "
        f"where car_park = 'PH Theater' and hour_local::date = '{day}' order by hour_at"
    )
    counts = Counter(hour for hour, _ in rows)
    assert (len(rows), counts[2]) == (hours, repeated)
    # Every 15 minutes by night, in both passes of the repeated hour.
    assert [readings for hour, readings in rows if hour == 2] == [4] * repeated


def test_marks_of_2026_are_no_numbers(built: Built) -> None:
    rows = built.query(
        "select car_park, status_reason, count(*)::int from marts.mart_parking_hour "
        "where hour_local::date = '2026-08-05' and value_status = 'missing' group by all order by all"
    )
    assert ("PH Coesfelder Kreuz", "closed", 24) in rows
    assert ("Busparkplatz", "no_signal", 24) in rows
    # Before there were marks, nobody can tell a closed car park from a full one.
    assert built.query(
        "select distinct status_reason from marts.mart_parking_hour "
        "where car_park = 'PH Coesfelder Kreuz' and hour_local < '2024-11-04' "
    ) == [("zero_closed_or_full",)]


def test_a_day_on_which_every_display_stood_still_is_unreliable(built: Built) -> None:
    rows = built.query(
        "select value_status, status_reason, count(distinct car_park)::int from marts.mart_parking_hour "
        "where hour_local::date = '2021-10-31' group by all order by all"
    )
    assert rows == [("unreliable", "frozen_value", 13), ("unreliable", "zero_closed_or_full", 3)]


def test_the_day_cut_in_the_morning_is_a_finding_of_every_car_park(built: Built) -> None:
    rows = built.query(
        "select count(*)::int, min(amount), max(amount) from intermediate.int_parking_finding "
        "where code = 'day_cut' and first_date = '2024-11-04'"
    )
    assert rows == [(17, 15, 15)]


@pytest.mark.parametrize("station", STATIONS)
def test_every_day_of_every_component_is_what_the_file_says(built: Built, air: list[Path], station: str) -> None:
    (path,) = [path for path in air if STATIONS[station] in path.name and "_2022-01-01_" in path.name]
    told = air_days(path.read_bytes(), date(2022, 1, 1))
    rows = built.query(
        "select component, date, hours_measured, mean_ug_m3, max_hour_ug_m3, max_8_hour_mean_ug_m3 "
        f"from marts.mart_air_quality_day where station_id = '{station}'"
    )
    assert len(rows) == len(told) == 4 * 731
    for component, day, hours, *figures in rows:
        expected = told[component, day]
        assert hours == expected.hours
        wanted = (expected.mean, expected.max_hour, expected.max_8_hour_mean)
        for figure, value in zip(figures, wanted, strict=True):
            assert figure == (None if value is None else pytest.approx(value)), (component, day)


def test_the_days_on_which_clocks_change_have_24_hours_of_cet(built: Built) -> None:
    rows = built.query(
        "select date::text, hours_measured from marts.mart_air_quality_day where station_id = 'DENW095' "
        "and component = 'pm10' and date in ('2022-03-27', '2022-10-30', '2023-03-26', '2023-10-29') order by 1"
    )
    assert rows == [("2022-03-27", 24), ("2022-10-30", 24), ("2023-03-26", 24), ("2023-10-29", 24)]
