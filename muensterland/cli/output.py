"""How commands answer: tables or JSON on standard output, messages on standard error, exit codes.

0: fine. 1: something was found (releases differ, a check fails, a source failed). 2: wrong use, or nothing to work on.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Annotated, Any, Literal

import typer
from pydantic import TypeAdapter, ValidationError
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from connectors.catalogue import CatalogueError
from connectors.errors import SourceError
from muensterland.lineage import LineageUnknown
from muensterland.lock import AnotherRunIsActive
from muensterland.monitoring import MonitorMissing
from muensterland.recipe import RecipeMissing
from muensterland.settings import HomeBelongsToAnotherInput, Settings
from muensterland.warehouse import BuildFailed
from publishing.history import HistoryBroken
from publishing.rollback import NothingToDo
from publishing.shelf import NoSuchRelease, ReleaseBroken

FOUND, WRONG_USE = 1, 2
# What is piped is searched line by line: no row is folded.
_NO_LIMIT = 10_000
AsJson = Annotated[bool, typer.Option("--json", help="print JSON instead of tables")]

_WRONG_USE = (
    AnotherRunIsActive,
    CatalogueError,
    HistoryBroken,
    HomeBelongsToAnotherInput,
    LineageUnknown,
    MonitorMissing,
    NoSuchRelease,
    NothingToDo,
    RecipeMissing,
    ReleaseBroken,
    ValidationError,
)


@contextlib.contextmanager
def refusals() -> Iterator[None]:
    """Say in one message what was wrong and leave with 2, or with 1 where data and not the user are to blame."""
    try:
        yield
    except _WRONG_USE as error:
        complain(str(error))
        raise typer.Exit(WRONG_USE) from error
    except (BuildFailed, SourceError) as error:
        complain(str(error))
        raise typer.Exit(FOUND) from error


def complain(message: str) -> None:
    """Print a message to standard error."""
    Console(stderr=True, soft_wrap=True, highlight=False).print(f"[red]{escape(message)}[/red]")


def remark(message: str) -> None:
    """Print a line that is no part of the answer to standard error."""
    Console(stderr=True, soft_wrap=True, highlight=False).print(escape(message))


def open_home() -> Settings:
    """The settings, where their home is not another INPUT's; a home that is not there yet is left so."""
    settings = Settings()
    if settings.home.root.exists():
        settings.home.claim(settings.input)
    return settings


def print_json(answer: Any) -> None:
    """Print models, dataclasses or lists of them as JSON; instants are ISO in UTC."""
    typer.echo(TypeAdapter(Any).dump_json(answer, indent=2).decode())


def out() -> Console:
    """The console for people: as wide as its tables where the output is no terminal."""
    console = Console(highlight=False, soft_wrap=True)
    return console if console.is_terminal else Console(highlight=False, soft_wrap=True, width=_NO_LIMIT)


def table(title: str, columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> Table:
    """A table of any values; numbers to the right, with thousands separated, nulls empty."""
    made = Table(title=title, title_justify="left")
    numbers = {place for place, _ in enumerate(columns) if any(isinstance(row[place], int | float) for row in rows)} - {
        place for place, _ in enumerate(columns) if any(isinstance(row[place], bool) for row in rows)
    }
    naming = next(place for place, column in enumerate(columns) if column)
    for place, column in enumerate(columns):
        # What names the row is copied into the next command, so it stays in one piece; nothing is cut.
        justify: Literal["right", "left"] = "right" if place in numbers else "left"
        made.add_column(column, justify=justify, no_wrap=place == naming, overflow="fold")
    for row in rows:
        made.add_row(*(escape(in_words(value)) for value in row))
    return made


def in_words(value: Any) -> str:
    """A value as people read it."""
    match value:
        case None:
            return ""
        case bool():
            return "yes" if value else ""
        case int():
            return f"{value:,}"
        case float():
            return f"{value:,.6g}"
        case datetime():
            return f"{value.astimezone(UTC):%Y-%m-%d %H:%M:%S}Z"
        case _:
            return str(value)


def counted(count: int, noun: str) -> str:
    """`1 release`, `2 releases`."""
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"


def megabytes(count: int) -> str:
    """Bytes as MB, one decimal."""
    return f"{count / 1e6:,.1f} MB"
