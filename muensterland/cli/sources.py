"""`muensterland sources …`: what the catalogue offers, how its sources are doing, fetch some of them now."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.console import Console

from connectors.catalogue import Source, load_catalogue, nearest
from connectors.errors import SourceError
from connectors.registry import check_catalogue
from muensterland import steps
from muensterland.cli.output import (
    FOUND,
    WRONG_USE,
    AsJson,
    complain,
    counted,
    open_home,
    out,
    print_json,
    refusals,
    table,
)
from muensterland.lock import locked
from muensterland.settings import Settings
from muensterland.source_status import status_of

app = typer.Typer(help="Sources: list, check, fetch, status.", no_args_is_help=True)


@app.command("list")
def list_(as_json: AsJson = False) -> None:
    """List the sources of the catalogue.

    JSON: a list of the catalogue's entries as in data/sources, with defaults filled in.
    """
    with refusals():
        sources = list(load_catalogue(Settings().sources_dir).values())
    if as_json:
        print_json(sources)
        return
    rows = [
        [
            *(source.id, source.domain, ", ".join(sorted({part.connector for part in source.resources.values()}))),
            *(source.schedule, source.fresh_for_days, source.licence, ", ".join(source.inputs)),
        ]
        for source in sources
    ]
    columns = ["source", "domain", "connectors", "schedule", "fresh for days", "licence", "inputs"]
    out().print(table("Sources", columns, rows))


@app.command()
def check() -> None:
    """Check the catalogue: every file against its model, every option against its connector."""
    with refusals():
        sources = check_catalogue(Settings().sources_dir)
    out().print(f"{counted(len(sources), 'source')}: in order")


@app.command()
def status(as_json: AsJson = False) -> None:
    """Show how each source of this INPUT is doing. Exit code 1: one is stale, failed or missing.

    JSON: a list of source_id, domain, state (new, unchanged, stale, failed, never), freshness (fresh, stale, missing),
    last_success_at, fresh_for_days, snapshots_in_force, staged, rejected, out_of_scope, errors.
    """
    with refusals():
        settings = open_home()
        found = [status_of(settings.home, source, settings.clock()) for source in _offered(settings).values()]
    if as_json:
        print_json(found)
    else:
        columns = ["source", "domain", "state", "freshness", "last success", "in force", "staged", "rejected"]
        rows = [
            [
                *(one.source_id, one.domain, one.state, one.freshness, one.last_success_at),
                *(one.snapshots_in_force, one.staged, one.rejected, one.out_of_scope),
            ]
            for one in found
        ]
        out().print(table(f"Sources of INPUT={settings.input}", [*columns, "out of scope"], rows))
        for one in found:
            for error in one.errors:
                complain(f"{one.source_id}: {error}")
    if any(one.freshness != "fresh" or one.state in ("stale", "failed") for one in found):
        raise typer.Exit(FOUND)


@app.command()
def fetch(
    ids: Annotated[list[str], typer.Argument(help="ids of sources, see `sources list`")], as_json: AsJson = False
) -> None:
    """Fetch and parse sources now, without Airflow. Exit code 1: one of them failed.

    What came is in force for the next release; a release is not made.

    JSON: what `sources status` says of each, in the order given; progress goes to standard error.
    """
    from muensterland.run import MirrorMissing, progress_to, require_mirror, sample_publisher

    with refusals():
        settings = Settings()
        offered = _offered(settings)
        if reasons := _not_offered(ids, offered, settings):
            complain("; ".join(reasons))
            raise typer.Exit(WRONG_USE)
        settings.home.claim(settings.input)
        try:
            require_mirror(settings)
        except MirrorMissing as error:
            complain(str(error))
            raise typer.Exit(WRONG_USE) from error
        with (
            locked(settings.home),
            sample_publisher(settings),
            progress_to(Console(stderr=as_json, soft_wrap=True, highlight=False)),
        ):
            states = [_fetch(source_id, settings) for source_id in ids]
        found = [status_of(settings.home, offered[source_id], settings.clock()) for source_id in ids]
    if as_json:
        print_json(found)
    if {"stale", "failed"} & set(states):
        raise typer.Exit(FOUND)


def _fetch(source_id: str, settings: Settings) -> str:
    """Fetch and parse one source; its state. What failed is told by the step itself."""
    try:
        steps.fetch(source_id, settings.clock().isoformat())
        steps.parse(source_id)
    except SourceError:
        steps.log.debug("%s failed", source_id, exc_info=True)
    return steps.source_state(settings.home, source_id)


def _not_offered(ids: list[str], offered: dict[str, Source], settings: Settings) -> list[str]:
    """Why ids cannot be fetched: no such source, or another INPUT's."""
    known = load_catalogue(settings.sources_dir)
    reasons = []
    for source_id in ids:
        if source_id in offered:
            continue
        if source_id in known:
            inputs = ", ".join(known[source_id].inputs)
            reasons.append(f"{source_id}: not offered by INPUT={settings.input}, only by {inputs}")
        else:
            reasons.append(f"{source_id}: no such source; {nearest(source_id, offered)}")
    return reasons


def _offered(settings: Settings) -> dict[str, Source]:
    sources = load_catalogue(settings.sources_dir)
    return {source_id: source for source_id, source in sources.items() if settings.input in source.inputs}
