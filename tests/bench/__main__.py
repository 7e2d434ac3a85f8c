"""How fast is the national feed? `make bench`, or `python -m tests.bench --size small --parts staging`.

A feed is multiplied to the size of a country's, and to a half and a quarter of it. Then, alternating in one run:

- *staging*: the connector stages stop_times (cut to the region, and whole) against a bare DuckDB `COPY`;
- *pipeline*: feed -> landing -> staged -> dbt's transit marts, with the peak of its memory;
- *kit*: the connector and a count of visits per stop against gtfs_kit, on the largest feed that gtfs_kit can hold;
  both must come to the same visits;
- *counts*: mobility counts, see `tests.bench.counting`: staged readings -> dbt's marts of all counters, then with one
  site's month corrected and the former marts at hand; compaction of many files; the connector of the monthly CSVs
  against DuckDB's bare reading of them;
- *monitor*: a release of 500 indicators, 66 municipalities and 30 years, and the staging of GENESIS tables against
  DuckDB's bare reading of their flat files, see `tests.bench.monitoring`.

A line of JSON is added to the history file, a table is printed; the exit code is 1 where a target is missed. Ratios are
of seconds by the wall; where others use the machine as well, those of the cores' seconds beside them tell more.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb
import psutil
import pyarrow as pa
from rich.console import Console
from rich.table import Table

from connectors.region import region
from muensterland.sample import transit
from muensterland.sample.generate import generate
from muensterland.sample.server import serve
from muensterland.settings import REPOSITORY
from tests.bench import counts
from tests.bench.counts import LARGE
from tests.bench.measure import MIB, Measured, TaskFailed, measured, task
from tests.bench.national import NATIONAL, SMALL, Size, multiply, pack

HISTORY = REPOSITORY / "tests" / "bench" / "history.jsonl"
KIT_LOCK = REPOSITORY / "tests" / "bench" / "gtfs_kit.lock"
KIT_TASK = REPOSITORY / "tests" / "bench" / "kit_task.py"
SIZES = {"national": NATIONAL, "small": SMALL}
PARTS = ("staging", "pipeline", "kit", "counts", "monitor")
# Indicators and years of a release of the monitor, for all 66 municipalities.
MONITOR = {"national": (500, 30), "small": (20, 5)}
# A Tuesday, a Saturday and a Sunday in the sample's period.
DATES = ("20261117", "20261121", "20261122")
CORES = 2
# gtfs_kit gets no more address space than this and no more time: others use the machine too.
KIT_LIMIT_BYTES, KIT_LIMIT_S = 12 * 2**30, 1_800
# The targets of the project, and how each is compared. Growth is time per row at full size over that at a quarter;
# a tenth more is the noise of a machine that is shared.
AT_MOST = {
    "staging_whole_to_copy": 1.5,
    "staging_cut_to_copy": 1.5,
    "staging_whole_growth": 1.1,
    "staging_cut_growth": 1.1,
    "pipeline_s": 600.0,
    "pipeline_peak_mib": 4_096.0,
    "pipeline_growth": 1.1,
    # Of 10,000 site-years, 350 million readings; of fewer the seconds are told without a target.
    "counts_s": 300.0,
    "counts_peak_mib": 6_144.0,
    "counts_update_sites": 1.0,
    # Seconds, not minutes.
    "counts_update_s": 60.0,
    # Of 10,000 files.
    "compaction_written_share": 0.1,
    # 50 MB/s of a core, or twice the time of DuckDB's bare reading: whichever is nearer.
    "counts_parse_to_target": 1.0,
    # 500 indicators, 66 municipalities, 30 years: every domain built and tested.
    "monitor_s": 120.0,
    "statistics_stage_to_read": 3.0,
}
AT_LEAST = {"kit_to_ours": 5.0}


class Feeds:
    """Feeds by the part they are of the full size, made when they are first asked for."""

    def __init__(self, folder: Path, base: Path, size: Size) -> None:
        self._folder, self._base, self._size = folder, base, size

    def size(self, divisor: int) -> Size:
        """How many records a part of the feed has."""
        return self._size.part(divisor)

    def text(self, divisor: int) -> Path:
        """The stop_times.txt."""
        return self._made(divisor) / "feed" / "stop_times.txt"

    def header(self, divisor: int) -> Path:
        """A stop_times.txt without records."""
        return self._made(divisor) / "stop_times.txt"

    def packed(self, divisor: int) -> Path:
        """The feed as a publisher sends it."""
        return self._made(divisor) / "feed.zip"

    def drop(self, divisor: int) -> None:
        """Make room."""
        shutil.rmtree(self._folder / str(divisor), ignore_errors=True)

    def _made(self, divisor: int) -> Path:
        folder = self._folder / str(divisor)
        if not folder.exists():
            folder.mkdir()
            members = multiply(self._base, folder / "feed", self.size(divisor), region().bounding_box)
            header = folder / "stop_times.txt"
            with members["stop_times.txt"].open(encoding="utf-8") as text:
                header.write_text(text.readline(), encoding="utf-8")
            pack(members, folder / "feed.zip")
        return folder


@dataclass(frozen=True)
class Counters:
    """How many counters, monthly files and staged files the part `counts` has."""

    size: counts.Size
    csv_files: int
    staged_files: int


# Counters by their site-years: the targets are those of the last, which takes a quarter of an hour and is asked for.
COUNTERS = {
    100: Counters(counts.SMALL, csv_files=50, staged_files=500),
    1_000: Counters(counts.Size(sites=100, years=10), csv_files=200, staged_files=10_000),
    10_000: Counters(LARGE, csv_files=200, staged_files=10_000),
}


class Bench:
    """The measurements of one run: the best of several, by name."""

    def __init__(
        self,
        folder: Path,
        feeds: Feeds,
        counters: Counters,
        monitor: tuple[int, int],
        divisors: list[int],
        repeat: int,
        console: Console,
    ) -> None:
        self._folder, self._feeds, self._divisors, self._repeat = folder, feeds, divisors, repeat
        self._counters, self._monitor, self._console = counters, monitor, console
        self.measured: dict[str, dict[str, Any]] = {}
        self.figures: dict[str, float] = {}
        self.of_cores: dict[str, float] = {}
        self.notes: list[str] = []

    def staging(self) -> None:
        """Staging of stop_times against a bare COPY, and how both grow."""
        target = self._folder / "copy.parquet"
        # All sizes in turn, so that each meets the same moods of the machine.
        for _ in range(self._repeat):
            for divisor in self._divisors:
                text = self._feeds.text(divisor)
                self._note("copy", divisor, task("copy", text, target))
                for cut in ("whole", "cut"):
                    parts = (self._feeds.packed(divisor), text.parent, self._feeds.header(divisor), cut)
                    self._note(f"staging_{cut}", divisor, task("stage", *parts))
        target.unlink()
        full = self._divisors[-1]
        self._grown("copy")
        for cut in ("whole", "cut"):
            self._compare(f"staging_{cut}_to_copy", (f"staging_{cut}", full), ("copy", full))
            self._grown(f"staging_{cut}")

    def pipeline(self) -> None:
        """A feed's whole way to the regional marts."""
        published = self._folder / "published"
        generate(published)
        with serve(published) as address:
            for divisor in self._divisors:
                shutil.copy(self._feeds.packed(divisor), published / transit.NATIONAL_LOCAL)
                with tempfile.TemporaryDirectory(dir=self._folder) as home:
                    self._note("pipeline", divisor, task("pipeline", home, address))
        full = self.measured[self._name("pipeline", self._divisors[-1])]
        self.figures |= {"pipeline_s": full["seconds"], "pipeline_peak_mib": full["peak_mib"]}
        self._grown("pipeline")

    def kit(self) -> None:
        """Visits per stop by gtfs_kit and by the connector, on the largest feed that gtfs_kit can hold."""
        python = self._kit_python()
        theirs, ours = self._folder / "kit.csv", self._folder / "visits.parquet"
        # From the full size down, by halves.
        for divisor in (self._divisors[-1] * 2**power for power in range(8)):
            feed = self._feeds.packed(divisor)
            command = [str(python), str(KIT_TASK), str(feed), str(theirs), str(KIT_LIMIT_BYTES), *DATES]
            try:
                self._note("kit", divisor, measured(command, time_limit_s=KIT_LIMIT_S))
            except TaskFailed as error:
                self._say(f"gtfs_kit cannot hold 1/{divisor} of the feed in {KIT_LIMIT_BYTES // 2**30} GiB: {error}")
                if divisor not in self._divisors:
                    self._feeds.drop(divisor)
                continue
            for _ in range(self._repeat):
                self._note("ours", divisor, task("departures", feed, ours, *DATES))
            require_same_visits(theirs, ours)
            self._compare("kit_to_ours", ("kit", divisor), ("ours", divisor))
            return
        raise TaskFailed("gtfs_kit cannot hold even the smallest part of the feed")

    def counts(self) -> None:
        """Marts of counts from staged readings; the same after a site's month was corrected; compaction; parsing."""
        size, csvs, files = self._counters.size, self._counters.csv_files, self._counters.staged_files
        of = f"{size.site_years:,} site-years"
        view, run = self._folder / "view", self._folder / "run"
        self._keep(f"counts made {of}", task("count_view", view, str(size.sites), str(size.years)))
        self._keep(f"counts {of}", task("count_marts", run, view))
        former = (run / "candidate.duckdb").rename(self._folder / "former.duckdb")
        self._keep(f"counts corrected {of}", task("count_correction", view, str(size.sites), str(size.years)))
        self._keep(f"counts update {of}", task("count_marts", self._folder / "update", view, former))
        whole, update = self.measured[f"counts {of}"], self.measured[f"counts update {of}"]
        is_full = size.site_years >= LARGE.site_years
        self.figures |= {
            "counts_s" if is_full else "counts_part_s": whole["seconds"],
            "counts_peak_mib": max(whole["peak_mib"], update["peak_mib"]),
            "counts_update_s": update["seconds"],
            "counts_update_sites": update["sites_computed"],
            "counts_update_to_whole": update["seconds"] / whole["seconds"],
            "counts_cpu_us_per_reading": whole["cpu_s"] / size.readings * 1e6,
        }
        for folder in (view, run, self._folder / "update"):
            shutil.rmtree(folder)
        former.unlink()
        place = self._folder / "staged"
        self._keep(f"compaction {files:,} files", task("count_compaction", place, str(files)))
        share = "compaction_written_share" if files >= 10_000 else "compaction_part_written_share"
        self.figures[share] = self.measured[f"compaction {files:,} files"]["written_share"]
        shutil.rmtree(place)
        for _ in range(self._repeat):
            for name in ("count_read", "count_parse"):
                self._keep(f"{name} {csvs} files", task(name, self._folder, str(csvs)))
        parsed, read = self.measured[f"count_parse {csvs} files"], self.measured[f"count_read {csvs} files"]
        for figures, clock in ((self.figures, "seconds"), (self.of_cores, "cpu_s")):
            megabytes_per_s = parsed["bytes"] / 1e6 / parsed[clock]
            ratio = parsed[clock] / read[clock]
            figures["counts_parse_to_read"] = ratio
            figures["counts_parse_mb_per_s"] = megabytes_per_s
            figures["counts_parse_to_target"] = min(50 / megabytes_per_s, ratio / 2)

    def monitor(self) -> None:
        """A release of many indicators; GENESIS tables staged against a bare reading of their flat files."""
        indicators, years = self._monitor
        name = f"monitor {indicators} indicators {years} years"
        self._keep(name, task("monitor_release", self._folder / "monitor", str(indicators), str(years)))
        full = self._monitor == MONITOR["national"]
        self.figures["monitor_s" if full else "monitor_part_s"] = self.measured[name]["seconds"]
        shutil.rmtree(self._folder / "monitor")
        for _ in range(self._repeat):
            for what in ("statistics_read", "statistics_stage"):
                self._keep(what, task(what, self._folder))
        staged, read = self.measured["statistics_stage"], self.measured["statistics_read"]
        self.figures["statistics_stage_to_read"] = staged["seconds"] / read["seconds"]
        self.of_cores["statistics_stage_to_read"] = staged["cpu_s"] / read["cpu_s"]

    def _kit_python(self) -> Path:
        """The interpreter of a fresh environment that has gtfs_kit and what it needs, by its lock."""
        environment, uv = self._folder / "kit", str(Path(sys.executable).with_name("uv"))
        subprocess.run([uv, "venv", "--quiet", "--python", sys.executable, str(environment)], check=True)
        python = environment / "bin" / "python"
        install = [uv, "pip", "install", "--quiet", "--system-certs", "--python", str(python), "--require-hashes"]
        subprocess.run([*install, "-r", str(KIT_LOCK)], check=True)
        return python

    # -- inside -----------------------------------------------------------------------------------------------------

    def _note(self, what: str, divisor: int, result: Measured) -> None:
        """Keep the fastest of several measurements, with the highest peak of all."""
        self._keep(self._name(what, divisor), result)

    def _keep(self, name: str, result: Measured) -> None:
        former = self.measured.get(name)
        said = {key: value for key, value in result.said.items() if key != "peak_bytes"}
        peak = max(result.peak_mib, former["peak_mib"] if former else 0)
        fastest = former if former and former["seconds"] <= result.seconds else said
        self.measured[name] = {**fastest, "peak_mib": peak}
        self._console.print(f"{name:28} {result.seconds:8.1f} s {result.peak_mib:8,} MiB", highlight=False)

    def _say(self, note: str) -> None:
        self.notes.append(note)
        self._console.print(note, highlight=False)

    def _name(self, what: str, divisor: int) -> str:
        return f"{what} {self._feeds.size(divisor).stop_times:,}"

    def _compare(self, figure: str, one: tuple[str, int], other: tuple[str, int], per: float = 1.0) -> None:
        """Seconds of one measurement over those of another (name and divisor), by the wall and of the cores."""
        a, b = self.measured[self._name(*one)], self.measured[self._name(*other)]
        self.figures[figure] = a["seconds"] / b["seconds"] / per
        self.of_cores[figure] = a["cpu_s"] / b["cpu_s"] / per

    def _grown(self, what: str) -> None:
        """Seconds per row at the full size over those at the smallest part."""
        small, full = self._divisors[0], self._divisors[-1]
        rows = self._feeds.size(full).stop_times / self._feeds.size(small).stop_times
        self._compare(f"{what}_growth", (what, full), (what, small), per=rows)


def require_same_visits(theirs: Path, ours: Path) -> None:
    """Raise AssertionError where gtfs_kit counts other visits at a stop that stops.txt knows."""
    with duckdb.connect() as db:
        db.execute(f"create view ours as from '{ours}'")
        # It also counts at stops that are in stop_times.txt only; their records are rejected here.
        db.execute(
            f"""
            create view theirs as
            select date, stop_id, num_trips::bigint as visits from read_csv('{theirs}', all_varchar = true)
            where stop_id in (select stop_id from ours) and num_trips::double > 0
            """
        )
        different = db.execute(
            "select count(*) from (from ours except from theirs union all (from theirs except from ours))"
        ).fetchall()[0][0]
        total = db.execute("select count(*) from ours").fetchall()[0][0]
    assert total and not different, f"{different} of {total} visits per stop and date differ from gtfs_kit's"


def verdicts(figures: dict[str, float]) -> dict[str, dict[str, Any]]:
    """Per target that was measured its figure, its limit and whether it is met."""
    limits = {
        **{name: (value, True) for name, value in AT_MOST.items()},
        **{n: (v, False) for n, v in AT_LEAST.items()},
    }
    found = {name: limit for name, limit in limits.items() if name in figures}
    return {name: verdict_of(figures[name], limit, is_upper) for name, (limit, is_upper) in found.items()}


def verdict_of(figure: float, limit: float, is_upper: bool) -> dict[str, Any]:
    """A figure, its limit and whether it is met."""
    return {
        "figure": round(figure, 3),
        ("at_most" if is_upper else "at_least"): limit,
        "is_met": figure <= limit if is_upper else figure >= limit,
    }


def machine() -> dict[str, Any]:
    """What the figures depend on beside the code."""
    return {
        "system": platform.platform(),
        "processor": _processor(),
        "cores": os.cpu_count(),
        "cores_used": len(os.sched_getaffinity(0)),
        "memory_mib": psutil.virtual_memory().total // MIB,
        "load_before": round(os.getloadavg()[0], 2),
        "python": platform.python_version(),
        "duckdb": duckdb.__version__,
        "pyarrow": pa.__version__,
    }


def _processor() -> str:
    lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    return next((line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), "unknown")


def commit() -> str:
    """The commit that is checked out, with `+` where files have been changed since."""
    git = ["git", "-C", str(REPOSITORY)]
    head = subprocess.run([*git, "rev-parse", "HEAD"], check=True, capture_output=True, text=True).stdout.strip()
    changed = subprocess.run([*git, "status", "--porcelain"], check=True, capture_output=True, text=True).stdout
    return head + ("+" if changed.strip() else "")


@contextmanager
def workspace(given: Path | None) -> Iterator[Path]:
    """A folder for a run's files, removed in the end: the national feed takes 10 GB."""
    with tempfile.TemporaryDirectory(prefix="bench-", dir=given) as folder:
        yield Path(folder)


def main(arguments: list[str] | None = None) -> int:
    """Measure, print, remember; 1 where a target is missed."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__.split("\n")[0])
    parser.add_argument("--size", choices=SIZES, default="national")
    parser.add_argument(
        "--site-years", type=int, choices=COUNTERS, help="of mobility counts; default: 100 if small, else 1,000"
    )
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=PARTS)
    parser.add_argument(
        "--repeat", type=int, default=3, help="how often what lasts seconds is measured; the best counts"
    )
    parser.add_argument("--feed", type=Path, help="the GTFS zip to multiply; default: the sample's")
    parser.add_argument("--history", type=Path, default=HISTORY, help="the file a line is added to")
    parser.add_argument("--folder", type=Path, help="where 10 GB may lie for the time of the run")
    parser.add_argument(
        "--divisors", type=int, nargs="+", default=[4, 2, 1], help="parts of the size, the full one last"
    )
    options = parser.parse_args(arguments)
    console = Console(width=110)
    cores = os.sched_getaffinity(0)
    os.sched_setaffinity(0, sorted(cores)[:CORES])
    try:
        with workspace(options.folder) as folder:
            base = options.feed or folder / "base.zip"
            if options.feed is None:
                base.write_bytes(transit.national_feed())
            size = SIZES[options.size]
            line: dict[str, Any] = {
                "at": datetime.now(UTC).isoformat(timespec="seconds"),
                "commit": commit(),
                "machine": machine(),
                "size": {"name": options.size, **vars(size)},
                "feed": options.feed.name if options.feed else "sample",
            }
            site_years = options.site_years or (100 if options.size == "small" else 1_000)
            line["site_years"] = site_years
            feeds = Feeds(folder, base, size)
            bench = Bench(
                folder, feeds, COUNTERS[site_years], MONITOR[options.size], options.divisors, options.repeat, console
            )
            for part in options.parts:
                getattr(bench, part)()
    finally:
        os.sched_setaffinity(0, cores)
    targets = verdicts(bench.figures)
    others = {name: figure for name, figure in bench.figures.items() if name not in targets}
    line |= {"measured": bench.measured, "targets": targets, "others": others, "of_cores": bench.of_cores}
    line |= {"notes": bench.notes}
    with options.history.open("a", encoding="utf-8") as history:
        history.write(json.dumps(rounded(line)) + "\n")
    table = Table("target", "figure", "limit", "", "of cores")
    for name, verdict in targets.items():
        limit = f"<= {verdict['at_most']:g}" if "at_most" in verdict else f">= {verdict['at_least']:g}"
        of_cores = f"{bench.of_cores[name]:,.2f}" if name in bench.of_cores else ""
        table.add_row(name, f"{verdict['figure']:,.2f}", limit, "met" if verdict["is_met"] else "MISSED", of_cores)
    console.print(table)
    return 0 if all(verdict["is_met"] for verdict in targets.values()) else 1


def rounded(value: Any) -> Any:
    """The figures in a value with three places."""
    if isinstance(value, dict):
        return {key: rounded(item) for key, item in value.items()}
    return round(value, 3) if isinstance(value, float) else value


if __name__ == "__main__":
    sys.exit(main())
