"""Kill whole runs at random moments, or take their disk away: `python -m tests.chaos kill --count 100`.

A home with a first release is the beginning. Then the publishers' files change and a run is disturbed: its process
group gets SIGKILL, or the file system it writes to is full. All the while a reader opens `releases/current`. The next,
undisturbed run must end well and say, mart by mart, just what an undisturbed run says of the same bytes.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import zipfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from connectors.catalogue import load_source
from connectors.identity import snapshot_sha256
from muensterland.sample.generate import generate
from muensterland.sample.server import serve
from muensterland.settings import REPOSITORY, Settings

FIRST, SECOND = "2026-11-22T06:00:00+00:00", "2026-11-23T06:00:00+00:00"
RUN_LIMIT_S = 600
SHORT_TABLE_LINES = 100
READER = """
import pathlib, sys, time
import duckdb
releases, stop, versions = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2]), set()
reads = 0
while not stop.exists():
    with duckdb.connect(str(releases / "current" / "muensterland.duckdb"), read_only=True) as connection:
        (municipalities,) = connection.execute("select count(*) from marts.dim_municipality").fetchone()
        (version,) = connection.execute("select version from marts.release_info").fetchone()
    assert municipalities == 66, municipalities
    versions.add(version)
    reads += 1
    time.sleep(0.05)
print(reads, *sorted(versions))
"""


@dataclass(frozen=True)
class Scene:
    """What every disturbed run begins with, and what it must come to."""

    beginning: Path
    publishers: str
    expected: dict[str, str]
    seconds: float


def main() -> None:
    """Read the options, prepare the scene, disturb, report; exits with 1 where anything was not as it must be."""
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__)
    parser.add_argument("disturbance", choices=["kill", "full"])
    parser.add_argument("--count", type=int, default=3, help="how many runs to disturb")
    parser.add_argument("--seed", type=int, default=1, help="of the moments, or of the sizes left on disk")
    parser.add_argument("--jobs", type=int, default=1, help="how many at once")
    options = parser.parse_args()
    disturb = {"kill": killed, "full": filled}[options.disturbance]
    with tempfile.TemporaryDirectory(prefix="chaos-") as place, scene(Path(place)) as prepared:
        say(f"an undisturbed run takes {prepared.seconds:.0f} s and makes {len(prepared.expected)} marts")
        dice = random.Random(options.seed)
        shares = [dice.random() for _ in range(options.count)]
        with ThreadPoolExecutor(options.jobs) as pool:
            faults = [
                fault
                for fault in pool.map(lambda n: disturb(prepared, Path(place), n, shares[n]), range(options.count))
                if fault
            ]
    for fault in faults:
        say(fault)
    say(f"{options.count - len(faults)} passed, {len(faults)} failed")
    sys.exit(bool(faults))


@contextlib.contextmanager
def scene(place: Path) -> Iterator[Scene]:
    """A home with a first release, publishers whose files have changed since, and what an undisturbed run says then."""
    before, after = place / "before", place / "after"
    generate(before)
    shutil.copytree(before, after)
    change(after)
    with serve(before) as publishers:
        finished(place / "beginning", publishers, FIRST)
    with serve(after) as publishers:
        shutil.copytree(place / "beginning", place / "undisturbed", symlinks=True)
        started = time.monotonic()
        finished(place / "undisturbed", publishers, SECOND)
        seconds = time.monotonic() - started
        assert said(place / "undisturbed") != said(place / "beginning"), "the changed files changed no mart"
        yield Scene(place / "beginning", publishers, said(place / "undisturbed"), seconds)


def change(publishers: Path) -> None:
    """Give every zip a member more and every table a line less, so that each source is fetched and parsed again.

    A short table gets a blank line instead: one of its lines holds so much of a mart that the gate would refuse it.
    """
    for path in sorted(publishers.rglob("*")):
        if path.suffix == ".zip":
            with zipfile.ZipFile(path, "a") as archive:
                archive.writestr(zipfile.ZipInfo("note.txt"), "changed\n")
        elif path.suffix == ".csv":
            lines = path.read_bytes().splitlines(keepends=True)
            path.write_bytes(b"".join(lines[:-1] if len(lines) > SHORT_TABLE_LINES else [*lines, b"\n"]))


def killed(prepared: Scene, place: Path, number: int, share: float) -> str | None:
    """Kill a run after `share` of an undisturbed one's time; what is wrong then, None where nothing is."""
    home, after_s = place / f"killed-{number}", share * prepared.seconds
    shutil.copytree(prepared.beginning, home, symlinks=True)
    with reading(home) as told:
        process = start(home, prepared.publishers, SECOND)
        time.sleep(after_s)
        ended = process.poll() is not None
        if not ended:
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
        fault = _next_run(home, prepared)
    return _verdict(home, f"run {number} killed after {after_s:.1f} s{' (it had ended)' if ended else ''}", fault, told)


def filled(prepared: Scene, place: Path, number: int, share: float) -> str | None:
    """Leave a run less disk than it needs (tmpfs, needs root); what is wrong then, None where nothing is."""
    home = place / f"filled-{number}"
    size = sum(path.lstat().st_size for path in prepared.beginning.rglob("*"))
    # An undisturbed run writes about as much again as lies there.
    left = int(share * size)
    home.mkdir()
    _mount(home, "size=4g")
    try:
        shutil.copytree(prepared.beginning, home, symlinks=True, dirs_exist_ok=True)
        used = shutil.disk_usage(home).used
        with reading(home) as told:
            _mount(home, f"remount,size={used + left}")
            disturbed = start(home, prepared.publishers, SECOND)
            disturbed.communicate(timeout=RUN_LIMIT_S)
            _mount(home, "remount,size=4g")
            fault = _next_run(home, prepared)
        word = f"run {number} with {left / 1e6:.1f} MB left ended with {disturbed.returncode}"
        return _verdict(home, word, fault, told)
    finally:
        subprocess.run(["umount", str(home)], check=True)


def _mount(home: Path, options: str) -> None:
    subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(home)], check=True)


def _next_run(home: Path, prepared: Scene) -> str | None:
    process = start(home, prepared.publishers, SECOND)
    output, _ = process.communicate(timeout=RUN_LIMIT_S)
    if process.returncode:
        return f"the next run ended with {process.returncode}:\n{output[-2000:]}"
    if said(home) != prepared.expected:
        return "the next run's marts differ from the undisturbed run's"
    wrong = [str(path) for path in landed(home) if path.parent.name not in names(path)]
    return f"landed under another content's name: {wrong[:3]}" if wrong else None


def _verdict(home: Path, word: str, fault: str | None, told: list[str]) -> str | None:
    reads = told[0]
    if fault is None and not reads.startswith("read "):
        fault = f"the reader failed: {reads}"
    say(f"{word}: {fault or 'the next run completed it'}; {reads}")
    shutil.rmtree(home, ignore_errors=True)
    return f"{word}: {fault}" if fault else None


@contextlib.contextmanager
def reading(home: Path) -> Iterator[list[str]]:
    """A process that opens the current release again and again; the list holds what it told, once the block ends."""
    told: list[str] = []
    stop = home.with_name(f"{home.name}.stop")
    reader = subprocess.Popen(
        [sys.executable, "-c", READER, str(home / "releases"), str(stop)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        yield told
    finally:
        stop.touch()
        output, errors = reader.communicate(timeout=60)
        count, *versions = output.split() or ["0"]
        told.append(errors[-500:] if reader.returncode else f"read {count} times, releases {' '.join(versions)}")


def start(home: Path, publishers: str, as_of: str) -> subprocess.Popen[str]:
    """A run of its own process group."""
    environment = {**os.environ, "INPUT": "sample", "MIRROR": publishers, "REGION_HOME": str(home), "AS_OF": as_of}
    return subprocess.Popen(
        [sys.executable, "-m", "muensterland", "run"],
        cwd=REPOSITORY,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )


def finished(home: Path, publishers: str, as_of: str) -> None:
    """Run to the end; raises RuntimeError with the run's last words where it fails."""
    process = start(home, publishers, as_of)
    output, _ = process.communicate(timeout=RUN_LIMIT_S)
    if process.returncode:
        raise RuntimeError(output[-3000:])


def said(home: Path) -> dict[str, str]:
    """The content hash per mart of the current release."""
    record = json.loads((home / "releases/current/release.json").read_text(encoding="utf-8"))
    return {name: mart["content_sha256"] for name, mart in record["marts"].items()}


def landed(home: Path) -> list[Path]:
    """Every file of every snapshot."""
    return sorted(path for path in (home / "landing").glob("*/*/*") if path.is_file())


def names(path: Path) -> set[str]:
    """What a landed file may be called by its content, as its source's resources name theirs."""
    source = load_source(Settings().sources_dir / f"{path.parts[-3]}.yml")
    return {snapshot_sha256(resource, path) for resource in source.resources.values()}


def say(words: str) -> None:
    """A line at once, so that a long series can be watched."""
    sys.stdout.write(words + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
