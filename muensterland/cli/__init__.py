"""The command line: `muensterland run`, `releases`, `sources`, `landing`, `monitor`, `lineage`."""

from __future__ import annotations

import typer
from pydantic import ValidationError

from connectors.catalogue import CatalogueError
from muensterland import gate_command, living_commands
from muensterland.cli import landing, lineage, monitor, releases, sources
from muensterland.cli.output import WRONG_USE, complain
from muensterland.lock import AnotherRunIsActive
from muensterland.run import ClockGoesBack, MirrorMissing
from muensterland.settings import HomeBelongsToAnotherInput, wrong_settings

app = typer.Typer(help="Münsterland regional data pipeline.", no_args_is_help=True, pretty_exceptions_enable=False)
app.add_typer(gate_command.app, name="gate")
app.add_typer(releases.app, name="releases")
app.add_typer(sources.app, name="sources")
app.add_typer(landing.app, name="landing")
app.add_typer(monitor.app, name="monitor")
app.command()(lineage.lineage)
app.command()(sources.check)
living_commands.register(app)


@app.command()
def run() -> None:
    """Run the whole pipeline through Airflow, ending with a release (settings: INPUT, MIRROR, REGION_HOME, AS_OF)."""
    from muensterland.run import run as run_pipeline

    try:
        code = run_pipeline()
    except ValidationError as error:
        raise _wrong_use(wrong_settings(error)) from error
    except (AnotherRunIsActive, CatalogueError, ClockGoesBack, HomeBelongsToAnotherInput, MirrorMissing) as error:
        raise _wrong_use(str(error)) from error
    raise typer.Exit(code)


def _wrong_use(words: str) -> typer.Exit:
    complain(words)
    return typer.Exit(WRONG_USE)
