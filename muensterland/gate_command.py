"""`python -m muensterland gate …`: what a data engineer needs to keep the gate's rules."""

from __future__ import annotations

import json
from datetime import date, datetime
from pathlib import Path
from typing import Annotated, get_args

import duckdb
import typer
from rich.console import Console
from rich.markup import escape

from expectations.asking import expectations_of
from expectations.clock import local_day
from expectations.gate import REPORT
from expectations.row_counts import MartCounts, RowCounts, as_yaml, count_rows, counted_by, recount
from expectations.rules import RULES, load_rules, row_counts_file
from expectations.strict import SuiteRefused
from expectations.unexpected import SCHEMA
from muensterland.settings import Input, Settings
from muensterland.steps import candidate_of
from publishing.release import current

app = typer.Typer(help="Keep the rules of the gate.", no_args_is_help=True)


@app.callback()
def gate() -> None:
    """Keep the rules of the gate."""


@app.command()
def counts(
    write: Annotated[
        bool, typer.Option("--write", help="write the file in expectations/row_counts instead of printing it")
    ] = False,
    run: Annotated[
        Path | None, typer.Option(help="count the candidate in this run's folder (work/…) whose gate was red")
    ] = None,
) -> None:
    """Count the rows of the current release per mart and partition, in the form the gate compares with."""
    settings = Settings()
    try:
        folder, database = (run, candidate_of(str(run))) if run else _current(settings.home.releases)
        as_of = datetime.fromisoformat(json.loads((folder / REPORT).read_text(encoding="utf-8"))["as_of"])
        text = as_yaml(counted(database, settings.input, local_day(as_of)))
    except (SuiteRefused, NothingToCount, OSError, duckdb.Error) as error:
        Console(stderr=True, soft_wrap=True).print(f"[red]{escape(str(error))}[/red]", highlight=False)
        raise typer.Exit(2) from error
    if write:
        path = row_counts_file(RULES, settings.input)
        path.write_text(text, encoding="utf-8")
        Console(soft_wrap=True).print(f"{path}: written from {database}; look at the difference and commit it")
    else:
        typer.echo(text, nl=False)


@app.command()
def check() -> None:
    """Check the rules: suites, owners, known failures and row counts against each other, every check's arguments."""
    try:
        for kind in get_args(Input):
            rules = load_rules(RULES, kind)
        checks = {mart: suite.all_checks for mart, suite in rules.suites.items()}
        for mart, asked in checks.items():
            expectations_of(mart, asked)
    except SuiteRefused as error:
        Console(stderr=True, soft_wrap=True).print(f"[red]{escape(str(error))}[/red]", highlight=False)
        raise typer.Exit(2) from error
    Console(soft_wrap=True).print(f"{sum(map(len, checks.values()))} checks on {len(checks)} marts are in order")


class NothingToCount(RuntimeError):
    """There is no release yet whose rows could be counted."""


def _current(releases: Path) -> tuple[Path, Path]:
    release = current(releases)
    if release is None:
        raise NothingToCount(f"{releases}: no release is current; run the pipeline first or name a red run with --run")
    return release.path, release.warehouse


def counted(database: Path, kind: Input, day: date) -> RowCounts:
    """The row counts of a candidate or release in the form that is committed: as they are written, counted anew.

    `day` is the local day of its `as_of`. Marts that nobody has counted yet are added, tables without a suite left out.
    Raises SuiteRefused where the rules are misspelt, duckdb.Error where a mart lacks the column it is counted by.
    """
    rules = load_rules(RULES, kind)
    written = rules.row_counts
    if written is None:
        path = row_counts_file(RULES, kind)
        raise SuiteRefused(f"{path}: expected a file with input, tolerance_share, inside_tolerance, marts: {{}}")
    with duckdb.connect(str(database), read_only=True) as connection:
        columns = dict(
            connection.execute(
                "select table_name, list(column_name) from information_schema.columns "
                "where table_schema = ? group by table_name",
                [SCHEMA],
            ).fetchall()
        )
        marts = {
            name: written.marts.get(name) or MartCounts(by=counted_by(names), rows={})
            for name, names in columns.items()
            if name in rules.suites and rules.suites[name].counted
        }
        found = {name: count_rows(connection, name, mart.by) for name, mart in marts.items()}
    return recount(written.model_copy(update={"marts": marts}), found, day)
