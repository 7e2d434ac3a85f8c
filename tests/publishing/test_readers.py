"""Eight reader processes while releases are promoted and rolled back: no error, each sees one whole release."""

from __future__ import annotations

import logging
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import duckdb

from publishing.history import read_history
from publishing.release import Published
from publishing.rollback import roll_back
from tests.conftest import REPOSITORY

Promote = Callable[..., Published]

log = logging.getLogger(__name__)
READERS, PROMOTIONS, ROLLBACKS = 8, 20, 5

# Every reader is a process of its own, forked before anything of DuckDB is opened: eight starts would cost too much.
# Each mart's value is the number in `code_version`, so a mix of two releases cannot go unseen.
READER = """
import os, sys, time
from pathlib import Path
import duckdb
from publishing.release import current

releases, notes, readers = Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3])

ONE = {"threads": 1}

def values(connection):
    said = connection.execute("select version, code_version from marts.release_info").fetchall()
    assert len(said) == 1, said
    pairs = connection.execute("select distinct left_value, right_value from marts.fct_pair").fetchall()
    (rows,) = connection.execute("select count(*) from marts.fct_pair").fetchone()
    areas = connection.execute("select count(*) from marts.dim_area").fetchone()[0]
    value = int(said[0][1])
    assert (pairs, rows, areas) == ([(value, value)], 3, 2), (said, pairs, rows, areas)
    return said[0][0], value

def read(number):
    reads, last = 0, None
    with (notes / f"seen-{number}").open("w", buffering=1) as seen:
        while not (notes / "stop").exists():
            release = current(releases)
            with duckdb.connect(str(release.warehouse), read_only=True, config=ONE) as connection:
                version, value = values(connection)
            assert version == release.version == release.path.name, (version, release.path)
            assert str(value) == release.code_version, (value, release.code_version)
            parquet = str(release.parquet / "fct_pair.parquet")
            with duckdb.connect(config=ONE) as connection:
                found = connection.execute(f"select distinct left_value from read_parquet('{parquet}')").fetchall()
            assert found == [(value,)], (found, value)
            # A reader who knows nothing of us follows the link himself.
            linked = str(releases / "current" / "muensterland.duckdb")
            with duckdb.connect(linked, read_only=True, config=ONE) as connection:
                values(connection)
            reads += 2
            if version != last:
                seen.write(version + "\\n")
                last = version
            # The publisher has the same two cores.
            time.sleep(0.1)
    (notes / f"reads-{number}").write_text(str(reads))

children = []
for number in range(readers):
    child = os.fork()
    if child == 0:
        read(number)
        os._exit(0)
    children.append(child)
sys.exit(max(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children))
"""


def wait_until(holds: Callable[[], bool], readers: subprocess.Popen[str]) -> None:
    deadline = time.monotonic() + 60
    while not holds():
        assert readers.poll() is None, readers.communicate()[1]
        assert time.monotonic() < deadline, "no reader came to see it"
        time.sleep(0.01)


def test_eight_readers_during_twenty_promotions_and_five_rollbacks(
    promote: Promote, releases: Path, tmp_path: Path
) -> None:
    def say(value: int) -> str:
        return promote(value, code_version=str(value)).release.version

    def seen(number: int) -> list[str]:
        place = tmp_path / f"seen-{number}"
        return place.read_text().split() if place.exists() else []

    first = say(0)
    readers = subprocess.Popen(
        [sys.executable, "-c", READER, str(releases), str(tmp_path), str(READERS)],
        cwd=REPOSITORY,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        wait_until(lambda: all(seen(number) == [first] for number in range(READERS)), readers)
        made = [first]
        for value in range(1, PROMOTIONS + 1):
            made.append(say(value))
            if value % (PROMOTIONS // ROLLBACKS) == 0:
                made.append(roll_back(releases).release.version)
            # Not faster than somebody reads: what nobody had a chance to see proves nothing.
            wait_until(lambda: any(seen(number)[-1] == made[-1] for number in range(READERS)), readers)
        wait_until(lambda: all(seen(number)[-1] == made[-1] for number in range(READERS)), readers)
    finally:
        (tmp_path / "stop").touch()
        _, errors = readers.communicate(timeout=60)
    assert readers.returncode == 0, errors
    assert [one.action for one in read_history(releases)].count("promoted") == PROMOTIONS + 1
    assert [one.action for one in read_history(releases)].count("rolled_back") == ROLLBACKS
    everything_seen = {version for number in range(READERS) for version in seen(number)}
    assert everything_seen <= set(made)
    assert {made[0], made[-1]} <= everything_seen
    reads = [int((tmp_path / f"reads-{number}").read_text()) for number in range(READERS)]
    assert min(reads) >= 2
    log.info("%d reads by %d readers, %d releases seen", sum(reads), READERS, len(everything_seen))


def test_a_reader_that_holds_a_release_open_keeps_it_through_pruning(promote: Promote, releases: Path) -> None:
    held = promote(0, keep=2).release
    with duckdb.connect(str(held.warehouse), read_only=True) as connection:
        for value in range(1, 4):
            promote(value, keep=2)
        assert not held.path.exists()
        assert connection.execute("select distinct left_value from marts.fct_pair").fetchall() == [(0,)]
