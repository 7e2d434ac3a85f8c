"""What the benchmark measures, each in a process of its own: `python -m tests.bench.tasks NAME ARGUMENTS`.

The last line on stdout is a JSON object: `seconds`, `peak_bytes` (of this process, by the kernel) and the figures.
"""

from __future__ import annotations

import logging
import os
import resource
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any
from unittest.mock import patch
from zipfile import ZipFile, ZipInfo

import duckdb
import pyarrow as pa

from connectors.connector import Snapshot
from connectors.formats import gtfs, mastr
from connectors.formats.mastr_records import BLOCK_BYTES
from connectors.region import region
from connectors.staging import StagedWriter, staged_file
from tests.bench import counting, monitoring
from tests.bench.spent import Spent

SNAPSHOT = "0" * 64
# As if published on this day of the sample's period.
AS_OF = "2026-11-22T06:00:00+00:00"
# What the marts of a region need beside the feed.
CORE_SOURCES = ("bkg-boundaries", "destatis-municipality-directory")
FEED_SOURCE = "gtfs-de-local"
# Columns of calendar.txt, Monday first.
WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


def inflate(export: str) -> dict[str, Any]:
    """The yardstick of the MaStR: Python's `zipfile` alone inflates an export, in blocks as the connector's."""
    spent = Spent()
    with ZipFile(export) as archive:
        for member in archive.infolist():
            with archive.open(member) as stream:
                while stream.read(BLOCK_BYTES):
                    pass
    return spent.so_far()


def extract(export: str, cut: str) -> dict[str, Any]:
    """From the zip to staged Parquet, the region's records or all of them; how many units of each technology.

    process_peak_mib: of whichever process had the most, this one or one of those that read parts.
    """
    with tempfile.TemporaryDirectory(dir=Path(export).parent) as folder:
        spent = Spent()
        with StagedWriter(Path(folder), "mastr", SNAPSHOT, "1") as out:
            mastr.parse(Snapshot("mastr", Path(export), SNAPSHOT), out, region(), region_only=cut == "region")
            out.close()
        took = spent.so_far()
        units = staged_file(Path(folder), "energy_unit", "mastr", SNAPSHOT, "1")
        with duckdb.connect() as db:
            counts = db.execute(f"select technology, count(*) from '{units}' group by technology").fetchall()
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    peak = max(peak_bytes() // 2**20, children.ru_maxrss // 2**10)
    took["cpu_s"] += children.ru_utime + children.ru_stime
    return {**took, "process_peak_mib": peak, "units": dict(sorted(counts))}


def copy(text: str, target: str) -> dict[str, Any]:
    """The yardstick: DuckDB alone, as it comes, from CSV to Parquet."""
    with duckdb.connect() as db:
        db.execute("set enable_progress_bar = false")
        spent = Spent()
        db.execute(f"copy (select * from read_csv('{text}')) to '{target}' (format parquet)")
        return spent.so_far()


def stage(feed: str, texts: str, header: str, cut: str) -> dict[str, Any]:
    """Staging of stop_times alone: of a feed whole, less that of the same feed whose stop_times.txt is but a header.

    The texts lie unpacked, as for the yardstick, in the folder `texts`; `header` is the other stop_times.txt. Without
    the checks of what the feed says, which read what was staged.
    """
    without: dict[str, Path] = {"stop_times.txt": Path(header)}

    def unpacked(_: ZipFile, member: ZipInfo, __: Path) -> Path:
        return Path(texts) / member.filename

    def unpacked_without(_: ZipFile, member: ZipInfo, __: Path) -> Path:
        return without.get(member.filename, Path(texts) / member.filename)

    with patch.multiple(gtfs, check=lambda _: [], measure=lambda *_: pa.table({})):
        with patch.object(gtfs, "extract", unpacked):
            whole, accounts = _staged(feed, cut == "cut")
        with patch.object(gtfs, "extract", unpacked_without):
            rest, _ = _staged(feed, cut == "cut")
    return {
        **{name: whole[name] - rest[name] for name in whole},
        "whole_feed_s": whole["seconds"],
        "stop_times": accounts["gtfs_stop_times"],
    }


def departures(feed: str, target: str, *dates: str) -> dict[str, Any]:
    """Read a whole feed through the connector and count the visits per stop on some dates into a Parquet file."""
    with tempfile.TemporaryDirectory(dir=Path(target).parent) as folder:
        spent = Spent()
        _parsed(feed, Path(folder), region_only=False)
        with duckdb.connect() as db:
            db.execute("set enable_progress_bar = false")
            names = ("stop_times", "trips", "calendar", "calendar_dates")
            for name in names:
                place = staged_file(Path(folder), f"gtfs_{name}", "feed", SNAPSHOT, "1")
                db.execute(f"create view {name} as from read_parquet('{place}', hive_partitioning = false)")
            runs = " ".join(f"when {number} then {day}" for number, day in enumerate(WEEKDAYS, start=1))
            db.execute(
                f"""
                copy (
                    with day as (select strptime(unnest(?), '%Y%m%d')::date as date),
                    running as (
                        select date, service_id from calendar inner join day on date between start_date and end_date
                        where case isodow(date) {runs} end
                        union
                        select date, service_id from calendar_dates inner join day using (date) where exception_type = 1
                        except
                        select date, service_id from calendar_dates where exception_type = 2
                    ),
                    called as (select service_id, stop_id, count(*) as calls
                        from stop_times inner join trips using (trip_id) group by service_id, stop_id)
                    select strftime(date, '%Y%m%d') as date, stop_id, sum(calls)::bigint as visits
                    from called inner join running using (service_id) group by date, stop_id
                ) to '{target}' (format parquet)
                """,
                [list(dates)],
            )
            return spent.so_far()


def pipeline(home: str, address: str) -> dict[str, Any]:
    """The way of a national feed: fetched, landed, staged, cut, and dbt's core and transit marts of the region."""
    os.environ.update(REGION_HOME=home, MIRROR=address, INPUT="sample", AS_OF=AS_OF)
    from muensterland import steps

    logging.getLogger("muensterland.progress").setLevel(logging.WARNING)
    parts: dict[str, float] = {}
    spent = Spent()

    def timed(name: str, step: Callable[..., Any], *arguments: Any) -> Any:
        started = time.perf_counter()
        result = step(*arguments)
        parts[name] = parts.get(name, 0.0) + time.perf_counter() - started
        return result

    for source in (*CORE_SOURCES, FEED_SOURCE):
        timed("fetch", steps.fetch, source, AS_OF)
        timed("parse", steps.parse, source)
    run = timed("freeze", steps.begin_release, AS_OF)
    marts = {}
    for domain in ("core", "transit"):
        marts |= timed(f"dbt {domain}", steps.build, run["run"], run["as_of"], domain)
    rows = {name: marts[name] for name in ("dim_stop", "fct_departure_day", "mart_transit_supply")}
    return {**spent.so_far(), **{f"{name}_s": value for name, value in parts.items()}, "rows": rows}


def _staged(feed: str, cut: bool) -> tuple[dict[str, float], dict[str, Any]]:
    """What the connector spends on a feed, and its accounts."""
    with tempfile.TemporaryDirectory(dir=Path(feed).parent) as folder:
        spent = Spent()
        accounts = _parsed(feed, Path(folder), region_only=cut)
        return spent.so_far(), accounts


def _parsed(feed: str, folder: Path, region_only: bool) -> dict[str, Any]:
    with StagedWriter(folder, "feed", SNAPSHOT, "1") as out:
        gtfs.parse(Snapshot("feed", Path(feed), SNAPSHOT), out, region(), region_only=region_only)
        return {name: vars(account) for name, account in out.close().items()}


def peak_bytes() -> int:
    """The most resident memory this process ever had; `ru_maxrss` would tell of the one it was started by."""
    status = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text(encoding="utf-8").splitlines())
    return int(status["VmHWM"].split()[0]) * 1024


OF_TRANSIT = (copy, stage, departures, pipeline)
OF_REGISTER = (inflate, extract)
OF_COUNTS = (
    counting.count_view,
    counting.count_correction,
    counting.count_marts,
    counting.count_compaction,
    counting.count_parse,
    counting.count_read,
)
OF_MONITOR = (monitoring.monitor_release, monitoring.statistics_stage, monitoring.statistics_read)
TASKS: dict[str, Callable[..., dict[str, Any]]] = {
    task.__name__: task for task in (*OF_TRANSIT, *OF_COUNTS, *OF_REGISTER, *OF_MONITOR)
}
