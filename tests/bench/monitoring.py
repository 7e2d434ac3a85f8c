"""What the benchmark measures of the monitor, each in a process of its own (see `tests.bench.tasks`).

A release of so many indicators of every municipality and year, from staged statistics to tested marts; and the staging
of GENESIS tables against DuckDB's bare reading of their flat files: of those at hand beside the repository, else of the
sample's.
"""

from __future__ import annotations

import csv
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from unittest.mock import patch

import duckdb

from connectors.archive import extract, files, open_zip
from connectors.connector import Snapshot
from connectors.formats import genesis_ffcsv
from connectors.region import region
from connectors.staging import StagedWriter
from connectors.tables import STATISTIC_VALUE
from muensterland.sample import registers
from muensterland.settings import REPOSITORY
from tests.bench.spent import Spent
from tests.conftest import SHARED
from tests.dbt_project.conftest import Staged, keys, stage_core

AS_OF = "2026-11-22T12:00:00+00:00"
DOMAINS = ("core", "transit", "mobility", "energy", "registers", "indicators")
# The first year; of each there is a value on its last day.
FIRST_YEAR = 1995
SOURCE = "regional"
# As long as dbt needs models of every domain: their first run builds what the marts of indicators read.
TABLE = "BENCH"


def monitor_release(folder: str, indicators: str, years: str) -> dict[str, Any]:
    """All domains of a release whose statistics tell so many indicators of 66 municipalities and so many years."""
    run = Path(folder)
    run.mkdir()
    staged = Staged(run / "staged")
    stage_core(staged)
    _stage_statistics(run / "staged", int(indicators), int(years))
    project = _project(run, int(indicators))
    from muensterland import warehouse

    took: dict[str, float] = {}
    rows: dict[str, int] = {}
    with patch.object(warehouse, "PROJECT", project):
        spent = Spent()
        for domain in DOMAINS:
            begun = spent.so_far()["seconds"]
            rows |= warehouse.build_domain(run, domain, AS_OF, run / "logs")
            took[domain] = spent.so_far()["seconds"] - begun
        figures: dict[str, Any] = dict(spent.so_far())
    with duckdb.connect(run / "candidate.duckdb", read_only=True) as candidate:
        ((measured,),) = candidate.execute(
            "select count(*) from marts.mart_indicator where indicator_id like 'bench%' and value is not null"
        ).fetchall()
    # Municipalities, Kreise and the region; Münster is a municipality and a Kreis.
    expected = int(indicators) * int(years) * (66 + 5 + 1)
    assert measured == expected, f"{measured} values of {expected}"
    return {**figures, "domains_s": took, "rows": {name: count for name, count in rows.items() if count}}


def statistics_stage(folder: str) -> dict[str, Any]:
    """The connector stages every GENESIS table, whole, from its zip."""
    tables = list(_tables(Path(folder)))
    with tempfile.TemporaryDirectory(dir=folder) as staged:
        spent, records = Spent(), 0
        for number, (table_code, archive, _) in enumerate(tables):
            sha256 = f"{number:064x}"
            with StagedWriter(Path(staged), SOURCE, sha256, "1") as out:
                snapshot = Snapshot(SOURCE, archive, sha256)
                genesis_ffcsv.parse(snapshot, out, region(), table_code=table_code, region_only=False)
                records += out.close()[STATISTIC_VALUE.name].read
        return {**spent.so_far(), "tables": len(tables), "records": records, "of": _whose()}


def statistics_read(folder: str) -> dict[str, Any]:
    """The yardstick: DuckDB alone reads the same flat files, unpacked, into tables in memory."""
    tables = list(_tables(Path(folder)))
    with duckdb.connect() as db:
        db.execute("set enable_progress_bar = false")
        spent = Spent()
        for number, (_, _, text) in enumerate(tables):
            db.execute(f"create table t{number} as from read_csv('{text}', delim = ';', header = true)")
        return {**spent.so_far(), "bytes": sum(text.stat().st_size for _, _, text in tables)}


# -- what is measured ------------------------------------------------------------------------------------------------


def _stage_statistics(staged: Path, indicators: int, years: int) -> None:
    """A value for each indicator, municipality and year, in one staged file."""
    columns = ", ".join(
        _COLUMNS.get(name, f"cast(null as {_type(name)})") + f" as {name}" for name in STATISTIC_VALUE.columns.names
    )
    areas = ", ".join(f"('{ags}')" for ags in keys())
    with duckdb.connect() as db:
        db.execute(
            f"""
            copy (
                select '{SOURCE}' as source_id, 's1' as snapshot_sha256, 'p1' as parse_key,
                    row_number() over () as record_number, {columns}
                from range({indicators}) as indicators (number)
                cross join (values {areas}) as areas (ags)
                cross join range({FIRST_YEAR}, {FIRST_YEAR + years}) as years (year)
            ) to '{staged / STATISTIC_VALUE.name / "bench.parquet"}' (format parquet)
            """
        )


_COLUMNS = {
    "table_code": f"'{TABLE}'",
    "statistic_code": f"'{TABLE}'",
    "time_code": "'STAG'",
    "period": "printf('%d-12-31', year)",
    "period_start_date": "make_date(year, 12, 31)",
    "period_end_date": "make_date(year, 12, 31)",
    "area_variable_code": "'GEMEIN'",
    "area_code": "ags",
    "attribute_codes": "''",
    # Counts of persons, none so small that it were hidden.
    "value": "cast(10 + hash(number, ags, year) % 1000 as double)",
    "value_unit": "'Anzahl'",
    "value_variable_code": "printf('V%04d', number)",
}


def _type(column: str) -> str:
    kinds = {"string": "varchar", "double": "double", "date32[day]": "date", "bool": "boolean"}
    return kinds.get(str(STATISTIC_VALUE.columns.field(column).type), "bigint")


def _project(run: Path, indicators: int) -> Path:
    """The dbt project with so many more indicators in its catalogue: per 1,000 of the next one, as ratios are.

    All areas are as they always were: of the sample's invented changes none holds.
    """
    project = run / "dbt_project"
    shutil.copytree(REPOSITORY / "dbt_project", project, ignore=shutil.ignore_patterns("target", "logs"))
    changes = project / "seeds" / "core" / "area_change.csv"
    changes.write_text(changes.read_text(encoding="utf-8").replace(",true,", ",false,"), encoding="utf-8")
    seeds = project / "seeds" / "indicators"
    _append(
        seeds / "statistic_measure.csv",
        (
            {
                **{"measure_id": f"bench_{number}", "table_code": TABLE, "value_variable_code": f"V{number:04}"},
                **{"attribute_codes": "", "unit": "Anzahl", "is_additive": "true", "is_zero_plausible": "true"},
            }
            for number in range(indicators)
        ),
    )
    _append(
        project / "seeds" / "registers" / "statistic_variable.csv",
        (
            {
                **{"value_variable_code": f"V{number:04}", "counts": "persons", "carried_by": "persons"},
                **{"part_of": "", "title_en": "x"},
            }
            for number in range(indicators)
        ),
    )
    _append(
        seeds / "indicator.csv",
        (
            {
                **{"indicator_id": f"bench_{number}", "field_of_action": "housing", "scale": "1000", "unit": "1"},
                **{"numerator_measure": f"bench_{number}", "denominator_measure": f"bench_{(number + 1) % indicators}"},
                **dict.fromkeys(("title_de", "title_en", "description_de", "description_en", "formula"), "x"),
                **{"direction": "more", "sdg": "11", "level": "municipality", "data_source": "x", "method_note": ""},
            }
            for number in range(indicators)
        ),
    )
    return project


def _append(seed: Path, rows: Iterator[dict[str, str]]) -> None:
    with seed.open(encoding="utf-8", newline="") as stream:
        header = next(csv.reader(stream))
    with seed.open("a", encoding="utf-8", newline="") as stream:
        csv.DictWriter(stream, header, lineterminator="\n").writerows(rows)


def _whose() -> str:
    return "files at hand" if SHARED.exists() else "sample"


def _tables(folder: Path) -> Iterator[tuple[str, Path, Path]]:
    """Code, zip and unpacked flat file of every GENESIS table; errors in JSON and answers without lines left out."""
    for archive in _archives(folder):
        with open_zip(archive, genesis_ffcsv.UNPACKED_LIMIT_BYTES) as opened:
            (name,) = files(opened)
            place = folder / "flat" / archive.stem
            place.mkdir(parents=True, exist_ok=True)
            text = extract(opened, files(opened)[name], place)
        yield name.split("_")[0], archive, text


def _archives(folder: Path) -> list[Path]:
    if SHARED.exists():
        return sorted((SHARED / "real" / "registers").glob("*-ffcsv/*_flat.zip"))
    made = folder / "archives"
    made.mkdir(exist_ok=True)
    for answer in registers.answers():
        if answer.place.endswith(".zip"):
            (made / Path(answer.place).name).write_bytes(answer.body)
    return sorted(made.glob("*.zip"))
