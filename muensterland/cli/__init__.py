"""The command line: `muensterland run`, `releases`, `sources`, `landing`, `lineage`."""

from __future__ import annotations

import typer
from pydantic import ValidationError
from rich.console import Console

from connectors.catalogue import CatalogueError
from muensterland import gate_command, living_commands
from muensterland.cli import landing, lineage, releases, sources
from muensterland.lock import AnotherRunIsActive
from muensterland.run import MirrorMissing
from muensterland.settings import HomeBelongsToAnotherInput

app = typer.Typer(help="Münsterland regional data pipeline.", no_args_is_help=True, pretty_exceptions_enable=False)
app.add_typer(gate_command.app, name="gate")
app.add_typer(releases.app, name="releases")
app.add_typer(sources.app, name="sources")
app.add_typer(landing.app, name="landing")
app.command()(lineage.lineage)
app.command()(sources.check)
living_commands.register(app)


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
