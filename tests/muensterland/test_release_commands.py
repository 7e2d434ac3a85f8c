"""`muensterland releases …` as its users meet it: words, exit codes, JSON."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from rich.console import Console
from typer.testing import CliRunner

from muensterland.cli import app
from muensterland.cli.output import table
from publishing.release import Published
from tests.publishing.conftest import manifest, promote, releases

__all__ = ["manifest", "promote", "releases"]

V = [f"2025.03.31.{number}" for number in range(9)]


@pytest.fixture(autouse=True)
def _home(promote: Callable[..., Published], releases: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A home of INPUT=live with three releases, whose pairs hold 1, 2 and 3."""
    monkeypatch.setenv("INPUT", "live")
    monkeypatch.setenv("REGION_HOME", str(releases.parent))
    for value in (1, 2, 3):
        promote(value, recipe_key=f"made-of-{value}")


def run(*words: str) -> Result:
    return CliRunner().invoke(app, ["releases", *words])


def answer(*words: str, code: int = 0) -> Any:
    done = run(*words, "--json")
    assert done.exit_code == code, done.output
    return json.loads(done.stdout)


def test_a_difference_is_told_in_words_and_by_the_exit_code() -> None:
    done = run("diff")
    assert done.exit_code == 1
    for words in (f"{V[2]} -> {V[3]}: they differ", "fct_pair", "changed rows by column: left_value 3, right_value 3"):
        assert words in done.stdout
    assert "~ area_id=05515: left_value 2 -> 3, right_value 2 -> 3" in done.stdout
    found = answer("diff", V[1], code=1)
    assert (found["before"], found["after"], found["equal"]) == (V[1], V[3], False)
    pair = next(mart for mart in found["marts"] if mart["mart"] == "fct_pair")
    assert (pair["keys"]["added"], pair["keys"]["removed"], pair["keys"]["changed"]) == (0, 0, 3)
    assert pair["key_figures"][0] == {
        "column": "left_value",
        "changed": True,
        "before": {"sum": 3, "min": 1, "max": 1, "null_share": 0.0},
        "after": {"sum": 9, "min": 3, "max": 3, "null_share": 0.0},
    }
    assert answer("diff", V[2], V[2])["equal"] is True
    for current in (V[3], "current"):
        assert (answer("diff", current, code=1)["before"], answer("diff", current, code=1)["after"]) == (V[2], V[3])


def test_there_is_nothing_before_the_first() -> None:
    run("rollback", V[1])
    done = run("diff")
    assert (done.exit_code, f"no release before {V[1]} is kept" in done.stderr) == (2, True)


def test_rolling_back_says_what_is_held_back() -> None:
    done = run("rollback", "--reason", "wrong")
    assert done.exit_code == 0
    assert f"release {V[2]} is current, {V[3]} was" in done.stdout
    assert f"`releases allow`: {V[3]}" in done.stdout
    listed = run("list").stdout
    assert "rolled back, held back" in listed
    assert "wrong" in run("history").stdout
    assert run("allow", V[2]).exit_code == 2
    assert run("allow", V[3]).exit_code == 0
    assert [row["held_back"] for row in answer("list")] == [False, False, False]


@pytest.mark.parametrize("words", [("verify", "--all"), ("verify",), ("show",), ("diff",), ("rebuild",)])
def test_where_nothing_was_promoted_it_is_said_what_to_do(
    words: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REGION_HOME", str(tmp_path / "nothing"))
    done = run(*words)
    assert (done.exit_code, done.stdout) == (2, "")
    assert "no release was promoted here yet; run the pipeline" in done.stderr


def test_ids_are_whole_also_in_a_narrow_pipe(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "40")
    listed = CliRunner().invoke(app, ["sources", "list"]).stdout
    assert "destatis-municipality-directory" in listed
    (row,) = [line for line in listed.splitlines() if "muenster-bicycle-counters" in line]
    assert "count_table, eco_counter_sites" in row


def test_in_a_narrow_terminal_cells_are_folded_and_ids_stay_whole() -> None:
    told = io.StringIO()
    console = Console(file=told, width=40)
    console.print(table("", ["", "version", "remarks"], [["*", "2026.11.25.12", "Nutzungsbedingungen" * 4]]))
    assert "2026.11.25.12" in told.getvalue()
    assert "…" not in told.getvalue()


def test_a_source_that_is_misspelt_or_another_inputs_is_told_apart() -> None:
    done = CliRunner().invoke(app, ["sources", "fetch", "nrw-school"])
    assert (done.exit_code, "nrw-school: no such source; did you mean nrw-schools?" in done.stderr) == (2, True)
    done = CliRunner().invoke(
        app, ["sources", "fetch", "gtfs-de-local"], env={"INPUT": "mirror", "REGION_HOME": "/nowhere"}
    )
    assert (done.exit_code, "gtfs-de-local: not offered by INPUT=mirror, only by" in done.stderr) == (2, True)


def test_removing_says_that_it_removed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REGION_HOME", str(tmp_path / "nothing"))
    said = CliRunner().invoke(app, ["landing", "prune", "--yes"]).stdout
    assert "Removed: 0 snapshots" in said
    assert "Would remove: 0 snapshots" in CliRunner().invoke(app, ["landing", "prune"]).stdout


def test_pruning_says_what_it_would_remove_and_removes_it(releases: Path) -> None:
    assert answer("prune", "--keep", "2", "--dry-run") == {"dry_run": True, "removed": [V[1]], "kept": V[2:4]}
    assert (releases / V[1]).exists()
    assert answer("prune", "--keep", "2") == {"dry_run": False, "removed": [V[1]], "kept": V[2:4]}
    assert not (releases / V[1]).exists()
    assert run("prune", "--keep", "1").exit_code == 2


def test_a_damaged_release_is_told_on_stderr_and_its_mart_in_the_table(releases: Path) -> None:
    assert "3 releases with 6 marts: as promoted" in run("verify", "--all").stdout
    (releases / V[2] / "parquet" / "dim_area.parquet").write_bytes(b"PAR1")
    done = run("verify", "--all")
    assert done.exit_code == 1
    assert "dim_area" in done.stdout
    assert f"findings in {V[2]}" in done.stderr
    assert run("verify", V[3]).exit_code == 0


def test_a_release_without_its_recipe_cannot_be_rebuilt() -> None:
    done = run("rebuild")
    assert (done.exit_code, "recipe.json: expected what the release was made of" in done.stderr) == (2, True)


def test_show_is_readable() -> None:
    shown = run("show", V[1]).stdout
    for words in ("Münsterland: regional marts", V[1], "abc123", "fct_pair", "area_id", "green"):
        assert words in shown
