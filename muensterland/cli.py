"""The command line: `python -m muensterland run`."""

from __future__ import annotations

import typer
from pydantic import ValidationError
from rich.console import Console

from connectors.catalogue import CatalogueError, load_catalogue
from connectors.registry import check_source
from muensterland import gate_command
from muensterland.run import AnotherRunIsActive, MirrorMissing
from muensterland.settings import HomeBelongsToAnotherInput, Settings

app = typer.Typer(help="Münsterland regional data pipeline.", no_args_is_help=True, pretty_exceptions_enable=False)
app.add_typer(gate_command.app, name="gate")


@app.command()
def run() -> None:
    """Run the whole pipeline through Airflow, ending with a release (settings: INPUT, MIRROR, REGION_HOME, AS_OF)."""
    from muensterland.run import run as run_pipeline

    try:
        code = run_pipeline()
    except (AnotherRunIsActive, CatalogueError, HomeBelongsToAnotherInput, MirrorMissing, ValidationError) as error:
        Console(stderr=True).print(f"[red]{error}[/red]")
        raise typer.Exit(2) from error
    raise typer.Exit(code)


@app.command()
def check() -> None:
    """Check the source catalogue: every file against its model, every option against its connector."""
    try:
        sources = load_catalogue(Settings().sources_dir)
        for source in sources.values():
            check_source(source)
    except CatalogueError as error:
        Console(stderr=True).print(f"[red]{error}[/red]")
        raise typer.Exit(2) from error
    Console().print(f"{len(sources)} sources are in order")
