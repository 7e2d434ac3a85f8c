"""What a user meets who gets a setting wrong: an exit code and one message that says what to do."""

from __future__ import annotations

import os
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

from publishing.record import GateSummary, Release

REPOSITORY = Path(__file__).resolve().parents[2]


def muensterland(home: Path, *command: str, **settings: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "REGION_HOME": str(home), "COLUMNS": "200", **settings}
    return subprocess.run(
        [sys.executable, "-m", "muensterland", *(command or ("run",))],
        cwd=REPOSITORY,
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_a_mirror_that_does_not_answer_is_said_at_once(tmp_path: Path) -> None:
    # Port 9 (discard) is answered by nobody here.
    outcome = muensterland(tmp_path, INPUT="mirror", MIRROR="http://127.0.0.1:9")
    assert outcome.returncode == 2
    assert "MIRROR=http://127.0.0.1:9 does not answer" in outcome.stderr


def test_a_mirror_must_be_named(tmp_path: Path) -> None:
    outcome = muensterland(tmp_path, INPUT="mirror", MIRROR="")
    assert outcome.returncode == 2
    assert "needs MIRROR=" in outcome.stderr


def test_a_home_of_another_input_is_refused(tmp_path: Path) -> None:
    (tmp_path / "INPUT").write_text("live\n")
    outcome = muensterland(tmp_path, INPUT="sample")
    assert outcome.returncode == 2
    assert "holds data of INPUT=live" in outcome.stderr


def test_a_setting_that_does_not_fit_is_named(tmp_path: Path) -> None:
    outcome = muensterland(tmp_path, INPUT="sampel")
    assert outcome.returncode == 2
    assert "INPUT=sampel: " in outcome.stderr
    assert "'sample', 'mirror' or 'live'" in outcome.stderr
    assert "pydantic" not in outcome.stderr


def test_a_clock_without_offset_is_refused_with_an_example(tmp_path: Path) -> None:
    outcome = muensterland(tmp_path, AS_OF="2026-11-25T08:00:00")
    assert outcome.returncode == 2
    assert "AS_OF=2026-11-25T08:00:00: " in outcome.stderr
    assert "2026-11-25T08:00:00+01:00" in outcome.stderr


def test_a_clock_before_that_of_the_current_release_is_refused(tmp_path: Path) -> None:
    folder = tmp_path / "releases" / "2026.11.25.1"
    folder.mkdir(parents=True)
    release = Release(
        path=folder,
        version=folder.name,
        title_de="",
        title_en="",
        synthetic=True,
        as_of=datetime(2026, 11, 25, 8, tzinfo=UTC),
        input_key="",
        code_version="",
        inputs=(),
        gate=GateSummary(passed=True, counts={}),
        attributions=(),
        marts={},
    )
    (folder / "release.json").write_text(release.model_dump_json(), encoding="utf-8")
    (tmp_path / "releases" / "current").symlink_to(folder.name)
    outcome = muensterland(tmp_path, AS_OF="2020-11-25T08:00:00Z")
    assert outcome.returncode == 2
    assert "AS_OF=2020-11-25T08:00:00+00:00 lies before 2026-11-25T08:00:00+00:00" in outcome.stderr


def test_check_names_file_and_key_of_what_does_not_fit(tmp_path: Path) -> None:
    (tmp_path / "broken.yml").write_text("id: broken\ntitel: Zähler\n", encoding="utf-8")
    outcome = muensterland(tmp_path, "check", SOURCES_DIR=str(tmp_path))
    assert outcome.returncode == 2
    assert "broken.yml: " in outcome.stderr
    assert "titel: " in outcome.stderr


def test_check_passes_the_catalogue_as_it_is(tmp_path: Path) -> None:
    outcome = muensterland(tmp_path, "check")
    assert outcome.returncode == 0, outcome.stderr
    assert "47 sources: in order" in outcome.stdout


def test_releases_of_another_input_are_not_shown(tmp_path: Path) -> None:
    (tmp_path / "INPUT").write_text("live\n")
    outcome = muensterland(tmp_path, "releases", "list", "--json", INPUT="sample")
    assert (outcome.returncode, outcome.stdout) == (2, "")
    assert "holds data of INPUT=live" in outcome.stderr


def test_a_home_that_is_not_there_has_no_releases_and_stays_so(tmp_path: Path) -> None:
    home = tmp_path / "home"
    outcome = muensterland(home, "releases", "list", "--json")
    assert (outcome.returncode, outcome.stdout) == (0, "[]\n")
    refused = muensterland(home, "releases", "rollback")
    assert (refused.returncode, "no release was ever promoted here" in refused.stderr) == (2, True)
    assert not home.exists()


def test_a_fetch_without_its_mirror_is_refused_at_once(tmp_path: Path) -> None:
    outcome = muensterland(tmp_path, "sources", "fetch", "nrw-schools", INPUT="mirror", MIRROR="http://127.0.0.1:9")
    assert outcome.returncode == 2
    assert "does not answer" in outcome.stderr


def test_the_command_finds_its_checkout_through_links(tmp_path: Path) -> None:
    checkout = tmp_path / "check out"
    (checkout / ".venv" / "bin").mkdir(parents=True)
    command = checkout / ".venv" / "bin" / "muensterland"
    command.write_bytes((REPOSITORY / "muensterland" / "command.sh").read_bytes())
    command.chmod(0o755)
    python = checkout / ".venv" / "bin" / "python"
    python.write_text('#!/bin/sh\necho "$PYTHONPATH $*"\n')
    python.chmod(0o755)
    (tmp_path / "link").symlink_to(command)
    said = subprocess.run([tmp_path / "link", "lineage", "a b"], env={}, capture_output=True, text=True, check=True)
    assert said.stdout == f"{checkout} -m muensterland lineage a b\n"
