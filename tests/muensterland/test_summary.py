"""The end of a run: what the gate found is said with its owner, and what is quarantined with its reason."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from muensterland import summary
from muensterland.settings import Settings

COUNT = {"checks": 10, "failed": 0, "quarantined": 0}
CHECK: dict[str, Any] = {
    "mart": "dim_stop",
    "owner": "transit",
    "severity": "warning",
    "success": False,
    "quarantine": None,
    "unexpected_count": 1234,
    "meaning_en": "Every stop has a place.",
}
KNOWN = {"expires": "2026-12-31", "reason_en": "the publisher knows"}


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("REGION_HOME", str(tmp_path))
    monkeypatch.setenv("INPUT", "sample")
    (tmp_path / "releases" / "current").mkdir(parents=True)
    return tmp_path


def said(home: Path, checks: list[dict[str, Any]], counts: dict[str, Any]) -> list[str]:
    release = {"version": "2026.11.22.1", "synthetic": True, "marts": {}, "gate": {"passed": True, "counts": counts}}
    current = home / "releases" / "current"
    (current / "release.json").write_text(json.dumps(release), encoding="utf-8")
    (current / "gate.json").write_text(json.dumps({"checks": checks}), encoding="utf-8")
    text = io.StringIO()
    console = Console(file=text, width=240, soft_wrap=True)
    assert summary.show(console, Settings(), succeeded=True, seconds=1) == 0
    return text.getvalue().splitlines()


def test_failed_and_quarantined_checks_are_told_apart(home: Path) -> None:
    checks = [CHECK, {**CHECK, "severity": "critical", "quarantine": KNOWN}, {**CHECK, "success": True}]
    counts = {"critical": {**COUNT, "quarantined": 1}, "warning": {**COUNT, "failed": 1}}
    lines = said(home, checks, counts)
    assert "warning dim_stop (transit): does not hold for 1,234 rows: Every stop has a place." in lines
    assert (
        "critical dim_stop (transit): does not hold for 1,234 rows "
        "(quarantined until 2026-12-31: the publisher knows): Every stop has a place."
    ) in lines
    assert sum("dim_stop" in line for line in lines) == 2
    assert any("green: failed 0 of 10 critical, 1 of 10 warning; 1 quarantined" in line for line in lines)


def test_a_release_of_former_code_is_still_told(home: Path) -> None:
    former = {name: value for name, value in CHECK.items() if name not in ("owner", "quarantine")}
    lines = said(home, [former], {"critical": {"checks": 3, "failed": 0}})
    assert "warning dim_stop: does not hold for 1,234 rows: Every stop has a place." in lines
