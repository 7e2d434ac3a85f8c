"""Files that want to do harm, over every connector: refused with advice, in bounded memory, disk and time."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from connectors.formats import CONNECTORS
from tests.conftest import REPOSITORY
from tests.connectors.fuzzing import originals
from tests.connectors.hostile import write

# Above what the undamaged file takes. Measured: 103 MB for JSON, which is read whole (its limit of 32 MB would take
# some 900 MB), at most 57 MB for the others; the largest hostile file has 200 MB.
MEMORY_MB = dict.fromkeys(("eco_counter_sites", "eco_visio_sites", "eco_visio", "genesis_metadata", "oparl"), 250)
MEMORY_OTHERWISE_MB = 150
SECONDS = 40
# GDAL goes by the shapes, whatever the table of attributes says of its own length; one unit that does not parse is one
# rejected record.
HARMLESS = ("endless table", "a record nested without end in EinheitenSolar_1.xml")


def take(folder: Path) -> dict[str, Any]:
    command = [sys.executable, "-m", "tests.connectors.hostile", str(folder)]
    done = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr[-2_000:]
    report: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return report


@pytest.mark.parametrize("name", sorted(CONNECTORS))
def test_hostile_files_are_refused_within_bounds_and_kept_as_evidence(name: str, tmp_path: Path) -> None:
    write(next(original for original in originals() if original.connector == name), tmp_path)
    written = {path.name: path.stat().st_size for path in tmp_path.glob("[0-9]*")}
    report = take(tmp_path)

    assert len(report["costs"]) == len(written) >= 8
    for cost in report["costs"]:
        what = f"{name}: {cost['name']}: {cost['message']}"
        if cost["name"].endswith(HARMLESS):
            continue
        assert cost["former_in_force"], what
        assert cost["staged_files"] == 0, what
        assert cost["evidence"], what
        assert cost["seconds"] < SECONDS, what
        assert cost["message"].startswith("file"), what
        assert any(
            word in cost["message"]
            for word in ("ask ", "check ", "compare ", "see ", "raise ", "mend the o", "look at ")
        ), what
        assert "failed on this file with" not in cost["message"], what
    above = report["memory_mb"] - report["baseline_mb"]
    assert above < MEMORY_MB.get(name, MEMORY_OTHERWISE_MB), f"{name}: {above:.0f} MB above {report['baseline_mb']:.0f}"
    # The answer, and what is unpacked of it; `take` lets go of large evidence before the next file comes.
    assert report["home_mb"] < 2.5 * max(written.values()) / 2**20 + 50, report["home_mb"]
