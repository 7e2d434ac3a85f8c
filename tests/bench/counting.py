"""What the benchmark measures of mobility counts, each in a process of its own (see `tests.bench.tasks`)."""

from __future__ import annotations

import json
import os
import tempfile
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from connectors.catalogue import load_catalogue
from connectors.compaction import compacted, in_order_of_time
from connectors.connector import Snapshot
from connectors.region import region
from connectors.registry import connector, parse_options
from connectors.staging import StagedWriter, staged_file
from connectors.tables import COUNT_READING
from muensterland.sample import mobility
from muensterland.settings import REPOSITORY
from tests.bench import counts
from tests.bench.spent import Spent
from tests.dbt_project.conftest import Staged, stage_core

AS_OF = "2026-11-22T12:00:00+00:00"
READINGS_SOURCE = "muenster-bicycle-counters"


def count_view(view: str, sites: str, years: str) -> dict[str, Any]:
    """The staged readings of so many counters, and what of the core dbt's models of counts look up."""
    spent = Spent()
    stage_core(Staged(Path(view)))
    counts.stage(Path(view), counts.Size(int(sites), int(years)))
    return spent.so_far()


def count_correction(view: str, sites: str, years: str) -> dict[str, Any]:
    """The last month of one site comes again with other values."""
    spent = Spent()
    counts.correct(Path(view), counts.Size(int(sites), int(years)), number=7)
    return spent.so_far()


def count_marts(run: str, view: str, former: str = "") -> dict[str, Any]:
    """dbt's mobility domain, models and tests, from staged readings; `former` is the warehouse to take over from."""
    from muensterland.warehouse import FORMER, build_domain

    folder = Path(run)
    folder.mkdir()
    (folder / "staged").symlink_to(view)
    if former:
        os.link(former, folder / FORMER)
    build_domain(folder, "core", AS_OF, folder / "logs")
    spent = Spent()
    rows = build_domain(folder, "mobility", AS_OF, folder / "logs")
    figures: dict[str, Any] = dict(spent.so_far())
    nodes = json.loads((folder / "target" / "run_results.json").read_text(encoding="utf-8"))["results"]
    models = {
        node["unique_id"].split(".")[2]: node["execution_time"]
        for node in nodes
        if node["unique_id"].startswith("model.")
    }
    tests = [node["execution_time"] for node in nodes if node["unique_id"].startswith("test.")]
    with duckdb.connect(folder / "candidate.duckdb", read_only=True) as database:
        batches = database.execute(
            "select count(batch_number), count(distinct batch_number) from intermediate.int_site_batch"
        ).fetchall()[0]
    return {
        **figures,
        # Two at a time: together they are more than the seconds of the whole.
        "models_s": {name: round(took, 2) for name, took in models.items() if took >= 0.5},
        "models_total_s": sum(models.values()),
        "tests_total_s": sum(tests),
        "sites_computed": batches[0],
        "batches": batches[1],
        "rows": {name: count for name, count in rows.items() if count},
        "warehouse_mib": (folder / "candidate.duckdb").stat().st_size // 2**20,
    }


def count_compaction(folder: str, files: str) -> dict[str, Any]:
    """Many staged files of a site's month each, read as few; then the same with one month more."""
    staged = Path(folder)
    stations = 100
    snapshots = [_month(staged, number % stations, number // stations) for number in range(int(files) + 1)]
    latest = snapshots.pop(len(snapshots) // 2)
    spent = Spent()
    former = {*compacted(staged, COUNT_READING, counts.SOURCE, in_order_of_time(snapshots))}
    figures = {f"first_{name}": value for name, value in spent.so_far().items()}
    sizes = {path: path.stat().st_size for path in former}
    spent = Spent()
    after = {*compacted(staged, COUNT_READING, counts.SOURCE, in_order_of_time([*snapshots, latest]))}
    written = sum(path.stat().st_size for path in after - former)
    return {**spent.so_far(), **figures, "files": len(after), "written_share": written / sum(sizes.values())}


def count_parse(folder: str, files: str) -> dict[str, Any]:
    """The connector of the monthly CSVs, a file after the other, on one core."""
    source = load_catalogue(REPOSITORY / "data" / "sources")[READINGS_SOURCE]
    resource = source.resources["readings"]
    parse, options = connector(resource.connector).parse, parse_options(resource)
    places = month_files(Path(folder) / "csv", int(files))
    with tempfile.TemporaryDirectory(dir=folder) as staged:
        spent = Spent()
        records = 0
        for number, (place, values) in enumerate(places):
            sha256 = f"{number:064x}"
            with StagedWriter(Path(staged), source.id, sha256, "1") as out:
                parse(Snapshot(source.id, place, sha256, values), out, region(), **options)
                records += out.close()[COUNT_READING.name].staged
        return {**spent.so_far(), "bytes": sum(place.stat().st_size for place, _ in places), "readings": records}


def count_read(folder: str, files: str) -> dict[str, Any]:
    """The yardstick: DuckDB alone reads the same files on one core, a file after the other as they come."""
    places = month_files(Path(folder) / "csv", int(files))
    with duckdb.connect(config={"threads": 1}) as db:
        db.execute("set enable_progress_bar = false")
        spent = Spent()
        for place, _ in places:
            db.execute(f"create or replace temp table cells as from read_csv('{place}')")
        return {**spent.so_far(), "bytes": sum(place.stat().st_size for place, _ in places)}


def month_files(folder: Path, files: int) -> list[tuple[Path, dict[str, str]]]:
    """So many monthly files in the publisher's layout, with the values of their partitions; made once."""
    folder.mkdir(exist_ok=True)
    station = mobility.STATIONS[0]
    content = {month: mobility.month_file(station, month) for month in station.months[:12]}
    found = []
    for number in range(files):
        month = station.months[number % len(content)]
        place = folder / f"{number}.csv"
        if not place.exists():
            place.write_bytes(content[month])
        found.append((place, {"station": str(station.number), "month": f"{month:%Y-%m}"}))
    return found


def _month(staged: Path, station: int, number: int) -> dict[str, Any]:
    """Stage a month of a station; its row of what is in force."""
    month = date(2010 + number // 12, number % 12 + 1, 1)
    sha256 = f"{(station * 7919 + number * 104_729) ** 9 % 2**256:064x}"
    place = staged_file(staged, COUNT_READING.name, counts.SOURCE, sha256, counts.PARSE_KEY)
    if not place.exists():
        place.parent.mkdir(parents=True)
        start = datetime(month.year, month.month, 1, tzinfo=UTC)
        lines = 2_880
        cells = {
            "source_id": [counts.SOURCE] * lines,
            "snapshot_sha256": [sha256] * lines,
            "parse_key": [counts.PARSE_KEY] * lines,
            "record_number": range(lines),
            "site_id": [counts.site_id(station)] * lines,
            "interval_start_at": [start + timedelta(minutes=15 * line) for line in range(lines)],
            "count": [(line * 31 + station) % 97 for line in range(lines)],
        }
        schema = COUNT_READING.schema
        rows = pa.table(
            {name: pa.array(cells.get(name, [None] * lines), schema.field(name).type) for name in schema.names}
        )
        pq.write_table(rows, place, compression="zstd")
    partition = f"readings/station={station}/month={month:%Y-%m}"
    key = {"source_id": counts.SOURCE, "snapshot_sha256": sha256, "parse_key": counts.PARSE_KEY}
    return {**key, "partition": partition, "fetched_at": None}
