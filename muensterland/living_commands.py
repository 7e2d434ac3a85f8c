"""The commands around a living Airflow: up, down, status, and what an Airflow of one's own needs."""

from __future__ import annotations

import os

import typer
from pydantic import ValidationError
from rich.console import Console
from rich.markup import escape

from connectors.catalogue import CatalogueError
from muensterland.settings import HomeBelongsToAnotherInput, Settings


def up() -> None:
    """Start Airflow with the DAGs on their schedules (settings: AIRFLOW_PORT, METADATA_DATABASE and those of `run`)."""
    from muensterland import airflow_home, living
    from muensterland.lock import AnotherRunIsActive

    try:
        address = living.up()
    except (
        AnotherRunIsActive, living.CannotStart, CatalogueError, HomeBelongsToAnotherInput, ValidationError,
    ) as error:  # fmt: skip
        Console(stderr=True, soft_wrap=True, highlight=False).print(f"[red]{escape(str(error))}[/red]")
        raise typer.Exit(2) from error
    home = Settings().home
    console = Console(soft_wrap=True, highlight=False)
    console.print(f"[bold green]Airflow is up[/bold green]: {address}")
    console.print(f"user {airflow_home.USER}, password in {airflow_home.password_file(home)}")
    console.print(f"logs in {home.logs / 'up'}; `make down` stops it")


def down() -> None:
    """Stop the Airflow that `up` started in this home, running tasks included."""
    from muensterland import living

    stopped = living.down()
    Console(soft_wrap=True).print(f"stopped: {', '.join(stopped)}" if stopped else "nothing was running")


def status() -> None:
    """Say how the Airflow of this home is, and which troubles stand and since when.

    Exit code 0 where everything runs and is healthy and no trouble is to be acted upon (drift and the like are told,
    and stand until somebody declares them), else 1.
    """
    from muensterland import alerts, living

    settings = Settings()
    console = Console(soft_wrap=True, highlight=False)
    states = living.status()
    address = f"http://{living.HOST}:{settings.airflow_port}"
    health = living.health(address) if states else {}
    parts = living.parts(states, health)
    for name, words in parts.items():
        is_well = {*words} <= {"runs", "healthy"}
        hint = "" if is_well or name not in states else f"; see {settings.home.logs / 'up' / name}.log"
        console.print(f"{name:18} {', '.join(words)}{hint}", style=None if is_well else "red")
    if states and not health:
        console.print(f"Airflow does not answer at {address}", style="red")
    standing = alerts.troubles(settings.home.status / "alerts")
    for trouble in standing:
        since = f"since {trouble.since:%Y-%m-%d %H:%M} UTC"
        console.print(escape(f"{trouble.subject}: {trouble.state} {since}: {trouble.detail}"), style="yellow")
    if not states:
        console.print("Airflow is not up here; `make up` starts it")
    is_healthy = bool(health) and {word for words in parts.values() for word in words} <= {"runs", "healthy"}
    if not is_healthy or any(trouble.state not in alerts.TOLD_ONCE for trouble in standing):
        raise typer.Exit(1)


def airflow_init() -> None:
    """Make or upgrade what the DAGs need in Airflow's metadata: its tables and the pools.

    With AIRFLOW_HOME set it is the Airflow installation of that home, and only its pools are made.
    """
    from muensterland import airflow_home

    if os.environ.get("AIRFLOW_HOME") not in (None, str(Settings().home.airflow)):
        airflow_home.make_pools()
    else:
        airflow_home.configure(Settings().home)
        airflow_home.prepare_database(Settings().home)
    Console(soft_wrap=True).print(f"pools are in place: {', '.join(airflow_home.pools())}")


def register(app: typer.Typer) -> None:
    """Add the commands to the command line."""
    app.command()(up)
    app.command()(down)
    app.command()(status)
    app.command("airflow-init")(airflow_init)
