"""Files that want to do harm, over every connector: refused with advice, in bounded memory, disk and time."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from connectors.registry import CONNECTORS
from tests.conftest import REPOSITORY

# Measured: 45 MB above the undamaged file at most but for JSON, which is read whole (13 MB of it take 330 MB) and for
# workbooks (260 MB for four million marks). The largest hostile file has 200 MB.
MEMORY_MB = {"eco_counter_sites": 600, "municipality_directory": 800}
MEMORY_OTHERWISE_MB = 250
SECONDS = 40
# GDAL goes by the shapes, whatever the table of attributes says of its own length.
HARMLESS = {"018 endless table"}


def run(verb: str, name: str, folder: Path) -> str:
    command = [sys.executable, "-m", "tests.connectors.hostile", verb, name, str(folder)]
    done = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr[-2_000:]
    return done.stdout


@pytest.mark.parametrize("name", sorted(CONNECTORS))
def test_hostile_files_are_refused_within_bounds_and_kept_as_evidence(name: str, tmp_path: Path) -> None:
    run("write", name, tmp_path)
    written = {path.name: path.stat().st_size for path in tmp_path.glob("[0-9]*")}
    report = json.loads(run("take", name, tmp_path).splitlines()[-1])

    assert len(report["costs"]) == len(written) >= 8
    for cost in report["costs"]:
        what = f"{name}: {cost['name']}: {cost['message']}"
        if cost["name"] in HARMLESS:
            continue
        assert cost["former_in_force"], what
        assert cost["staged_files"] == 0, what
        assert cost["evidence"], what
        assert cost["seconds"] < SECONDS, what
        assert cost["message"].startswith("file"), what
        assert any(
            word in cost["message"] for word in ("ask ", "check ", "compare ", "see ", "raise ", "mend the o")
        ), what
        assert "failed on this file with" not in cost["message"], what
    above = report["memory_mb"] - report["baseline_mb"]
    assert above < MEMORY_MB.get(name, MEMORY_OTHERWISE_MB), f"{name}: {above:.0f} MB above {report['baseline_mb']:.0f}"
    # The answer, and what is unpacked of it; `take` lets go of large evidence before the next file comes.
    assert report["home_mb"] < 2.5 * max(written.values()) / 2**20 + 50, report["home_mb"]
