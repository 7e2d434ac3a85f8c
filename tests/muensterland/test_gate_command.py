"""`gate counts`: what a release holds in the form the gate compares with; the gate itself never writes it."""

from __future__ import annotations

import json
from pathlib import Path

import duckdb
import pytest
from typer.testing import CliRunner, Result

from expectations.row_counts import load_row_counts
from muensterland import gate_command
from tests.expectations.conftest import write_rules

SUITE = """
domain: core
owner: platform
marts:
  dim_area: &any
    key: [area_id]
    checks: [{expect: expect_table_row_count_to_be_between, kwargs: {min_value: 1}, severity: info, meaning_de: x, meaning_en: x}]
  dim_school: *any
"""  # noqa: E501  one line of YAML
COUNTS = """\
input: sample
tolerance_share: 0.1
inside_tolerance: warning
marts:
  dim_area: {by: {value: level}, rows: {kreis: 9}}
"""


@pytest.fixture
def rules(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = write_rules(tmp_path / "rules", SUITE, row_counts=COUNTS)
    monkeypatch.setattr(gate_command, "RULES", folder)
    monkeypatch.setenv("REGION_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("INPUT", "sample")
    return folder


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """A run's folder as a red gate leaves it."""
    folder = tmp_path / "run"
    folder.mkdir()
    (folder / "gate.json").write_text(json.dumps({"as_of": "2026-11-22T12:00:00Z"}), encoding="utf-8")
    with duckdb.connect(str(folder / "candidate.duckdb")) as connection:
        connection.execute("""
            create schema marts;
            create table marts.dim_area as
                select * from (values ('1', 'kreis'), ('2', 'kreis'), ('3', 'region')) as v (area_id, level);
            create table marts.dim_school as select '05515000' as ags, 'x' as area_id;
            create table marts.release_info as select 1 as version;
        """)
    return folder


def counts(*arguments: str) -> Result:
    return CliRunner().invoke(gate_command.app, ["counts", *arguments])


def test_counts_are_printed_and_nothing_is_written(rules: Path, run: Path) -> None:
    outcome = counts("--run", str(run))
    assert outcome.exit_code == 0
    assert "      kreis: 2\n      region: 1\n" in outcome.stdout
    # Nobody has counted the schools yet; what has no suite is no mart.
    assert '      "05515": 1\n' in outcome.stdout
    assert "release_info" not in outcome.stdout
    assert (rules / "row_counts" / "sample.yml").read_text(encoding="utf-8") == COUNTS


def test_counts_are_written_when_asked_and_settings_stay(rules: Path, run: Path) -> None:
    assert counts("--run", str(run), "--write").exit_code == 0
    written = load_row_counts(rules / "row_counts" / "sample.yml", {"dim_area", "dim_school"})
    assert (written.tolerance_share, written.inside_tolerance) == (0.1, "warning")
    assert {name: mart.rows for name, mart in written.marts.items()} == {
        "dim_area": {"kreis": 2, "region": 1},
        "dim_school": {"05515": 1},
    }
    assert counts("--run", str(run)).stdout == (rules / "row_counts" / "sample.yml").read_text(encoding="utf-8")


@pytest.mark.usefixtures("rules")
def test_without_a_release_it_says_what_to_do() -> None:
    outcome = counts()
    assert outcome.exit_code == 2
    assert "no release is current; run the pipeline first or name a red run with --run" in " ".join(
        outcome.stderr.split()
    )


@pytest.mark.usefixtures("rules")
def test_a_folder_that_is_no_run_is_named(tmp_path: Path) -> None:
    outcome = counts("--run", str(tmp_path / "nowhere"))
    assert outcome.exit_code == 2
    assert "nowhere/gate.json" in "".join(outcome.stderr.split())


def checked() -> Result:
    return CliRunner().invoke(gate_command.app, ["check"])


@pytest.mark.usefixtures("rules")
def test_rules_in_order_are_said_to_be() -> None:
    outcome = checked()
    assert (outcome.exit_code, outcome.stdout.strip()) == (0, "6 checks on 2 marts are in order")


@pytest.mark.parametrize(
    ("file", "old", "new", "said"),
    [
        (
            "suites/core.yml",
            "{min_value: 1}",
            "{min_valeu: 1}",
            "dim_area: expect_table_row_count_to_be_between: kwargs",
        ),
        ("quarantine.yml", "[]", "[{check: dim_area.x}]", "quarantine.yml: quarantined.0.inputs: Field required"),
        ("row_counts/sample.yml", "kreis: 9", "kreis: nine", "sample.yml: marts.dim_area.rows.kreis"),
    ],
)
def test_rules_out_of_order_are_named(rules: Path, file: str, old: str, new: str, said: str) -> None:
    path = rules / file
    path.write_text(path.read_text(encoding="utf-8").replace(old, new), encoding="utf-8")
    outcome = checked()
    assert outcome.exit_code == 2
    assert said.replace(" ", "") in "".join(outcome.stderr.split())
