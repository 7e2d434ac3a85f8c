"""`python -m muensterland gate …`: what a data engineer needs to keep the gate's rules."""

from __future__ import annotations

from typing import Annotated

import duckdb
import typer
from rich.console import Console

from expectations.clock import local_day
from expectations.row_counts import MartCounts, RowCounts, as_yaml, count_rows, counted_by, recount
from expectations.rules import RULES, load_rules, row_counts_file
from expectations.strict import SuiteRefused
from muensterland.settings import Input, Settings
from publishing.record import Release
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
) -> None:
    """Count the rows of the current release per mart and partition, in the form the gate compares with."""
    settings = Settings()
    release = current(settings.home.releases)
    if release is None:
        Console(stderr=True).print(f"{settings.home.releases}: no release is current; run the pipeline first")
        raise typer.Exit(2)
    try:
        text = as_yaml(counted(release, settings.input))
    except (SuiteRefused, duckdb.Error) as error:
        Console(stderr=True).print(f"[red]{error}[/red]", highlight=False)
        raise typer.Exit(2) from error
    if write:
        path = row_counts_file(RULES, settings.input)
        path.write_text(text, encoding="utf-8")
        Console().print(f"{path}: written from release {release.version}; look at the difference and commit it")
    else:
        typer.echo(text, nl=False)


def counted(release: Release, kind: Input) -> RowCounts:
    """The row counts of a release in the form that is committed: as they are written, counted anew.

    Marts that nobody has counted yet are added, those without a suite left out. Raises SuiteRefused where the rules are
    misspelt, duckdb.Error where a mart lacks the column it is counted by.
    """
    rules = load_rules(RULES, kind)
    written = rules.row_counts
    if written is None:
        raise SuiteRefused(
            f"{row_counts_file(RULES, kind)}: expected input, tolerance_share, inside_tolerance, marts: {{}}"
        )
    marts = {
        name: written.marts.get(name) or MartCounts(by=counted_by([column.name for column in mart.columns]), rows={})
        for name, mart in release.marts.items()
        if name in rules.suites
    }
    with duckdb.connect(str(release.warehouse), read_only=True) as connection:
        found = {name: count_rows(connection, name, mart.by) for name, mart in marts.items()}
    return recount(written.model_copy(update={"marts": marts}), found, local_day(release.as_of))
