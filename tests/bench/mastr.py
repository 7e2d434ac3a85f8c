"""How fast is the Marktstammdatenregister? Part of `make bench`, or `python -m tests.bench.mastr --gigabytes 20`.

The sample's export is multiplied to so many GB of XML, one copy in 46 lying in the region (one record in fifty). Then,
in turn within one run: Python's `zipfile` inflates it; the connector extracts the region, of a second export with few
changes too, and all of Germany; open-mastr parses it into its database, in one process and an environment of its own,
its download left out. What the region comes to must be the ledger's, and open-mastr must have the same units.

A line of JSON is added to the history file, a table is printed; the exit code is 1 where a target is missed.
"""

from __future__ import annotations

import argparse
import json
import os
import sqlite3
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from muensterland.sample import mastr
from muensterland.settings import REPOSITORY
from tests.bench.__main__ import CORES, HISTORY, commit, machine, rounded, verdict_of, workspace
from tests.bench.measure import Measured, measured, task

LOCK = REPOSITORY / "tests" / "bench" / "open_mastr.lock"
KIT_TASK = REPOSITORY / "tests" / "bench" / "open_mastr_task.py"
ONE_IN_REGION = 46
RECORDS_PER_PART = 50_000
# The targets of the project, and how each is compared.
AT_MOST = {"region_to_inflate": 2.5, "second_to_inflate": 2.5, "region_process_peak_mib": 400.0}
AT_LEAST = {"open_mastr_to_region": 15.0, "open_mastr_to_whole": 4.0}
# What has no unit's number in it is the same in every copy: once is enough.
ONCE = ("Katalogwerte", "Katalogkategorien", "Einheitentypen", "Bilanzierungsgebiete", "Ertuechtigungen")


def multiply(target: Path, bytes_wanted: int, changed: bool = False) -> int:
    """Write an export of at least so many bytes of XML; returns how many copies of the sample's it is made of.

    changed: some units of the first copy have another capacity.
    """
    families: dict[str, list[str]] = {}
    for root, records in mastr.texts().values():
        # The last record of a part is the first of the next: parts are cut anew here.
        former = families.setdefault(root, [])
        former += records[1:] if former and former[-1] == records[0] else records
    # A record that is not well-formed costs open-mastr the whole part: here all are.
    families = {root: [record.replace(" & ", " &amp; ") for record in records] for root, records in families.items()}
    size = sum(2 * len(record) for records in families.values() for record in records)
    copies = -(-bytes_wanted // size)
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for root, records in families.items():
            per_part = max(1, RECORDS_PER_PART // len(records))
            numbers = range(1 if root in ONCE else copies)
            parts = [numbers[first : first + per_part] for first in range(0, len(numbers), per_part)]
            for place, part in enumerate(parts, start=1):
                name = f"{root}.xml" if len(parts) == 1 else f"{root}_{place}.xml"
                with archive.open(name, "w", force_zip64=True) as stream:
                    head = f'\ufeff<?xml version="1.0" encoding="utf-16"?>\n<{root}>\n'
                    stream.write(head.encode("utf-16-le"))
                    for copy in part:
                        for text in _copied(records, copy, changed):
                            stream.write(text.encode("utf-16-le"))
                    stream.write(f"</{root}>\n".encode("utf-16-le"))
    return copies


def _copied(records: list[str], copy: int, changed: bool) -> Iterator[str]:
    text = "".join(records).replace(mastr.PREFIX, f"9{copy:05d}")
    if copy % ONE_IN_REGION:
        text = text.replace("<Gemeindeschluessel>05", "<Gemeindeschluessel>09")
    elif changed:
        text = text.replace("<Bruttoleistung>7.", "<Bruttoleistung>8.", 20)
    yield text


def expected(copies: int) -> dict[str, int]:
    """Units of the region per technology: the sample's but the one without a status, in every copy that lies there."""
    in_region = len(range(0, copies, ONE_IN_REGION))
    found: dict[str, int] = {}
    power = [technology.family for technology in (mastr.SOLAR, *mastr.OTHERS)]
    for family in (*power, *(entry[1] for entry in mastr.BESIDE_POWER)):
        for unit in mastr.units(family):
            if unit.place in mastr.REGION and unit.unit_id != mastr.INCOMPLETE_UNIT:
                found[unit.technology] = found.get(unit.technology, 0) + in_region
    return found


class Register:
    """The measurements of one run: the fastest of several, by name."""

    def __init__(self, folder: Path, gigabytes: float, repeat: int, console: Console) -> None:
        self._folder, self._repeat, self._console = folder, repeat, console
        self._export, self._second = folder / mastr.EXPORT_NAME, folder / "second.zip"
        self.copies = multiply(self._export, int(gigabytes * 10**9))
        multiply(self._second, int(gigabytes * 10**9), changed=True)
        with zipfile.ZipFile(self._export) as archive:
            self.xml_bytes = sum(member.file_size for member in archive.infolist())
        self.measured: dict[str, dict[str, Any]] = {}
        self.figures: dict[str, float] = {}

    def run(self, with_open_mastr: bool) -> None:
        """All of it, each task in turn so that each meets the same moods of the machine."""
        for _ in range(self._repeat):
            self._note("inflate", task("inflate", self._export))
            region = self._note("region", task("extract", self._export, "region"))
            self._note("second", task("extract", self._second, "region"))
        self._note("whole", task("extract", self._export, "whole"))
        units = {name: records for name, records in region.items() if name in expected(1)}
        assert units == expected(self.copies), f"the ledger has {expected(self.copies)}, the connector {units}"
        inflate = self.measured["inflate"]["seconds"]
        self.figures["region_to_inflate"] = self.measured["region"]["seconds"] / inflate
        self.figures["second_to_inflate"] = self.measured["second"]["seconds"] / inflate
        self.figures["whole_to_inflate"] = self.measured["whole"]["seconds"] / inflate
        self.figures["region_process_peak_mib"] = self.measured["region"]["process_peak_mib"]
        self.figures["whole_process_peak_mib"] = self.measured["whole"]["process_peak_mib"]
        if with_open_mastr:
            self._open_mastr()

    def _open_mastr(self) -> None:
        database = self._folder / "open-mastr.db"
        environment, uv = self._folder / "open-mastr", str(Path(sys.executable).with_name("uv"))
        subprocess.run([uv, "venv", "--quiet", "--python", sys.executable, str(environment)], check=True)
        python = environment / "bin" / "python"
        install = [uv, "pip", "install", "--quiet", "--system-certs", "--python", str(python), "--require-hashes"]
        subprocess.run([*install, "-r", str(LOCK)], check=True)
        # It keeps its settings and logs in the home of whoever runs it.
        home = {"HOME": str(self._folder), "OUTPUT_PATH": str(self._folder)}
        command = [str(python), str(KIT_TASK), str(self._export), str(database)]
        self._note("open-mastr", measured(command, home, time_limit_s=4 * 3_600))
        with sqlite3.connect(database) as db:
            query = "select count(*) from solar_extended where substr(Gemeindeschluessel, 1, 5) in (?, ?, ?, ?, ?)"
            ((theirs,),) = db.execute(query, ("05515", "05554", "05558", "05566", "05570")).fetchall()
        ours = expected(self.copies)["solar"]
        assert theirs == ours, f"open-mastr has {theirs} solar units in the region, we have {ours}"
        seconds = self.measured["open-mastr"]["seconds"]
        for name in ("region", "whole"):
            self.figures[f"open_mastr_to_{name}"] = seconds / self.measured[name]["seconds"]

    def _note(self, name: str, result: Measured) -> dict[str, Any]:
        said = {key: value for key, value in result.said.items() if key != "peak_bytes"}
        former = self.measured.get(name)
        if former is None or said["seconds"] < former["seconds"]:
            self.measured[name] = said
        if former and "process_peak_mib" in said:
            peak = max(former["process_peak_mib"], said["process_peak_mib"])
            self.measured[name] = {**self.measured[name], "process_peak_mib": peak}
        self._console.print(f"{name:28} {result.seconds:8.1f} s {result.peak_mib:8,} MiB", highlight=False)
        units: dict[str, Any] = said.get("units", {})
        return units


def main(arguments: list[str] | None = None) -> int:
    """Measure, print, remember; 1 where a target is missed."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.mastr", description=__doc__.split("\n")[0])
    # 46 copies of the sample's, of which one lies in the region; with 2 GB it would be two of 63.
    parser.add_argument("--gigabytes", type=float, default=1.45, help="of XML; the real export has about 50")
    parser.add_argument("--repeat", type=int, default=3, help="how often what lasts seconds is measured")
    parser.add_argument("--without-open-mastr", action="store_true", help="it takes a minute per GB")
    parser.add_argument("--history", type=Path, default=HISTORY, help="the file a line is added to")
    parser.add_argument("--folder", type=Path, help="where zips and databases may lie for the time of the run")
    options = parser.parse_args(arguments)
    console = Console(width=110)
    cores = os.sched_getaffinity(0)
    os.sched_setaffinity(0, sorted(cores)[:CORES])
    try:
        with workspace(options.folder) as folder:
            line: dict[str, Any] = {
                "at": datetime.now(UTC).isoformat(timespec="seconds"),
                "commit": commit(),
                "machine": machine(),
            }
            register = Register(folder, options.gigabytes, options.repeat, console)
            register.run(with_open_mastr=not options.without_open_mastr)
    finally:
        os.sched_setaffinity(0, cores)
    targets = {
        **{name: verdict_of(register.figures[name], limit, is_upper=True) for name, limit in AT_MOST.items()},
        **{
            name: verdict_of(register.figures[name], limit, is_upper=False)
            for name, limit in AT_LEAST.items()
            if name in register.figures
        },
    }
    others = {name: figure for name, figure in register.figures.items() if name not in targets}
    line |= {"size": {"name": "mastr", "xml_bytes": register.xml_bytes, "copies": register.copies}}
    line |= {"measured": register.measured, "targets": targets, "others": others}
    with options.history.open("a", encoding="utf-8") as history:
        history.write(json.dumps(rounded(line)) + "\n")
    table = Table("target", "figure", "limit", "")
    for name, verdict in targets.items():
        limit = f"<= {verdict['at_most']:g}" if "at_most" in verdict else f">= {verdict['at_least']:g}"
        table.add_row(name, f"{verdict['figure']:,.2f}", limit, "met" if verdict["is_met"] else "MISSED")
    console.print(table)
    return 0 if all(verdict["is_met"] for verdict in targets.values()) else 1


if __name__ == "__main__":
    sys.exit(main())
