"""The sample's accidents through connector, location and models to the marts, against a count of the bare files."""

from __future__ import annotations

import csv
import io
import shutil
import zipfile
from collections import Counter
from collections.abc import Mapping
from typing import Any

import pytest

from connectors import tables
from connectors.connector import Connector, Snapshot
from connectors.formats import accident_atlas, bkg_boundaries, municipality_directory
from connectors.locate import boundaries_of, locate, points_of
from connectors.region import region
from connectors.staging import StagedWriter
from muensterland.sample import accidents, territory
from tests.dbt_project.conftest import Built, Staged, build, stage_core

YEARS = (2018, 2019, 2024)
REGION = ("05515", "05554", "05558", "05566", "05570")
SEVERITIES = {"1": "killed", "2": "seriously_injured", "3": "slightly_injured"}


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Built:
    folder = tmp_path_factory.mktemp("accidents")
    view = Staged(folder / "view")
    stage_core(view)
    shutil.rmtree(view.root / tables.MUNICIPALITY_REGISTER.name)
    shutil.rmtree(view.root / tables.MUNICIPALITY_BOUNDARY.name)
    files = territory.files()
    in_force: list[dict[str, Any]] = []

    def stage(source_id: str, found: Connector, name: str, content: bytes, partition: Mapping[str, str]) -> None:
        path = folder / name
        path.write_bytes(content)
        with StagedWriter(folder / "staged", source_id, name, "p") as out:
            found.parse(Snapshot(source_id, path, name, partition), out, region())
            out.close()
        for table in tables.PARSED_TABLES:
            if out.file_of(table.name).exists():
                place = view.root / table.name / f"{source_id}-{name}.parquet"
                place.parent.mkdir(exist_ok=True)
                shutil.copy(out.file_of(table.name), place)
        values = "/".join(f"{key}={value}" for key, value in partition.items())
        key = {"source_id": source_id, "snapshot_sha256": name, "parse_key": "p"}
        in_force.append({**key, "partition": f"file/{values}".rstrip("/")})

    stage("register", municipality_directory.CONNECTOR, "gv.xlsx", files[territory.REGISTER], {})
    stage("boundaries", bkg_boundaries.CONNECTOR, "vg.zip", files[territory.BOUNDARIES], {})
    for year in YEARS:
        content = accidents.year_file(year)
        stage("atlas", accident_atlas.CONNECTOR, f"{year}.zip", content, {"year": str(year)})
    view.state(tables.SNAPSHOT_IN_FORCE, in_force)
    view.state(tables.LOCATED_POINT, locate(points_of(view.root), boundaries_of(view.root)).to_pylist())
    chosen = ("+mart_accident", "+mart_accident_year")
    found = build(view.root, folder / "build", "--select", *chosen, "--exclude-resource-type", "unit_test")
    assert found.result.success, found.result.exception
    return found


def told(year: int) -> list[dict[str, str]]:
    """The lines of the region, read by nothing but the standard library."""
    with zipfile.ZipFile(io.BytesIO(accidents.year_file(year))) as archive:
        (name,) = archive.namelist()
        text = archive.read(name).decode("utf-8-sig")
    rows = csv.DictReader(io.StringIO(text, newline=""), delimiter=";")
    return [row for row in rows if ags_of(row)[:5] in REGION]


def ags_of(row: dict[str, str]) -> str:
    parts = (row["ULAND"].zfill(2), row["UREGBEZ"], row["UKREIS"].zfill(2), row["UGEMEINDE"].zfill(3))
    return "".join(parts)


def test_every_municipality_has_its_accidents_of_every_year(built: Built) -> None:
    expected = {
        (ags, year, severity): 0
        for ags in region().centres
        for year in (2019, 2024)
        for severity in SEVERITIES.values()
    }
    counts = Counter((ags_of(row), year, SEVERITIES[row["UKATEGORIE"]]) for year in (2019, 2024) for row in told(year))
    rows = built.query(
        "select ags, year, severity, accidents from marts.mart_accident_year where value_status = 'measured'"
    )
    assert {(ags, year, severity): accidents for ags, year, severity, accidents in rows} == expected | counts
    assert sum(counts.values()) == 401


def test_bicycles_are_counted_apart(built: Built) -> None:
    expected = Counter(year for year in (2019, 2024) for row in told(year) if row["IstRad"] == "1")
    rows = built.query(
        "select year, cast(sum(accidents_with_bicycle) as integer) from marts.mart_accident_year "
        "where value_status = 'measured' group by year"
    )
    assert dict(rows) == dict(expected)


def test_years_without_the_state_or_without_a_file_are_missing_and_no_zeros(built: Built) -> None:
    rows = built.query(
        "select year, status_reason, count(*), count(accidents), count(accidents_per_1000_inhabitants) "
        "from marts.mart_accident_year where value_status = 'missing' group by all order by year"
    )
    # as_of is 2026-11-22: 2025 is the last year that is over. 66 municipalities, three severities.
    files = [(2018, "state_not_in_file")]
    none = [(year, "no_file") for year in (2016, 2017, 2020, 2021, 2022, 2023, 2025)]
    assert rows == [(year, reason, 198, 0, 0) for year, reason in sorted(files + none)]


def test_rates_are_per_1000_of_the_register(built: Built) -> None:
    rows = built.query(
        "select y.accidents_per_1000_inhabitants, y.accidents, m.population from marts.mart_accident_year as y "
        "inner join marts.dim_municipality as m on y.ags = m.ags where y.year = 2024 and y.accidents > 0"
    )
    assert len(rows) > 50
    assert all(rate == pytest.approx(1000 * number / people) for rate, number, people in rows)


def test_who_took_part_adds_up_and_the_key_beats_the_place(built: Built) -> None:
    combinations = Counter(
        (ags_of(row), SEVERITIES[row["UKATEGORIE"]], row["IstRad"], row["IstPKW"], row["IstFuss"], row["IstGkfz"])
        for row in told(2024)
    )
    rows = built.query(
        "select ags, severity, with_bicycle::int::text, with_car::int::text, with_pedestrian::int::text, "
        "with_goods_vehicle::int::text, cast(sum(accidents) as integer) from marts.mart_accident where year = 2024 "
        "group by all"
    )
    assert {tuple(row[:6]): row[6] for row in rows} == dict(combinations)
    # The first accident of a year has the key of Bocholt and lies in Münster.
    elsewhere = built.query("select ags, year, accidents_located_elsewhere from marts.mart_accident order by 3 desc, 2")
    assert elsewhere[:3] == [("05554008", 2019, 1), ("05554008", 2024, 1), elsewhere[2]]
    assert elsewhere[2][2] == 0
