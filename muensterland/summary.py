"""The table at the end of a run: sources, records, marts, gate, release."""

from __future__ import annotations

import json
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from muensterland import findings
from muensterland.orchestration import sources_by_domain
from muensterland.settings import Input, Settings
from muensterland.steps import gate_headline, read_status, source_errors, source_state

_TITLES: dict[Input, str] = {
    "sample": "Münsterland pipeline, SYNTHETIC sample region / SYNTHETISCHE Beispielregion",
    "mirror": "Münsterland pipeline, real files of a mirror / echte Dateien eines Spiegels",
    "live": "Münsterland pipeline, live",
}
# Of each source; a wholly broken one would fill the screen.
ERRORS_SHOWN = 3
_CODES_OF_ERRORS = ("fetch_failed", "payload_refused", "snapshot_refused")
_SEVERITIES = {"critical": "red", "warning": "yellow"}
_STYLES = {"new": "green", "unchanged": "", "stale": "yellow", "failed": "red"}


def title(kind: Input) -> str:
    """What a run on this INPUT is called, German and English where it matters."""
    return _TITLES[kind]


def show(console: Console, settings: Settings, *, succeeded: bool, seconds: float) -> int:
    """Print the summary; returns the exit code: 0 where the release run succeeded and a release is current."""
    console.print(_sources(settings))
    release = _release(settings)
    if release is not None:
        console.print(_marts(release))
    for domain_sources in sources_by_domain().values():
        for source in domain_sources:
            errors = source_errors(settings.home, source.id)
            for error in errors[:ERRORS_SHOWN]:
                console.print(f"[red]{escape(source.id)}[/red]: {escape(error)}")
            if len(errors) > ERRORS_SHOWN:
                more = len(errors) - ERRORS_SHOWN
                console.print(f"[red]{escape(source.id)}[/red]: and {more} more, see {settings.home.status}")
    if release is None or not succeeded:
        console.print(
            f"[red bold]No release was promoted[/red bold] ({seconds:.0f} s). "
            f"{'The former release stays current. ' if release else ''}See {settings.home.logs / 'run.log'}"
        )
        return 1
    for severity, line in findings.in_words(settings.home.releases / "current", _told(settings)):
        console.print(f"[{_SEVERITIES[severity]}]{severity}[/] {escape(line)}")
    gate = release["gate"]
    for warning in _failed_checks(settings):
        console.print(f"[yellow]{escape(warning)}[/yellow]")
    console.print(
        f"[bold]Gate[/bold]: {gate_headline(gate)}, see {settings.home.releases / 'current' / 'gate.html'}\n"
        f"[bold green]Release {release['version']}[/bold green]"
        f"{' (SYNTHETIC / SYNTHETISCH)' if release['synthetic'] else ''}: "
        f"{settings.home.releases / 'current' / 'muensterland.duckdb'}  ({seconds:.0f} s)"
    )
    return 0


def _told(settings: Settings) -> set[tuple[str, str]]:
    """The findings that the errors of this run tell already."""
    broken = [
        source.id
        for sources in sources_by_domain().values()
        for source in sources
        if source_errors(settings.home, source.id)
    ]
    return {(source_id, code) for source_id in broken for code in _CODES_OF_ERRORS}


def _failed_checks(settings: Settings) -> list[str]:
    """What the gate of the current release found, a line each: severity, mart, owner, rows, quarantine, meaning."""
    path = settings.home.releases / "current" / "gate.json"
    checks = json.loads(path.read_text(encoding="utf-8"))["checks"] if path.exists() else []
    return [_in_words(check) for check in checks if not check["success"]]


def _in_words(check: dict[str, Any]) -> str:
    count = check["unexpected_count"]
    rows = "" if count is None else f" for {count:,} rows"
    # A release made by former code may still be current, and that knew neither owner nor quarantine.
    owner = f" ({check['owner']})" if "owner" in check else ""
    known = check.get("quarantine")
    quarantine = f" (quarantined until {known['expires']}: {known['reason_en']})" if known else ""
    return f"{check['severity']} {check['mart']}{owner}: does not hold{rows}{quarantine}: {check['meaning_en']}"


def _release(settings: Settings) -> dict[str, Any] | None:
    path = settings.home.releases / "current" / "release.json"
    release: dict[str, Any] | None = json.loads(path.read_text(encoding="utf-8")) if path.exists() else None
    return release


def _sources(settings: Settings) -> Table:
    table = Table(title="Sources", title_justify="left")
    for name in ("source", "domain", "state"):
        table.add_column(name)
    for name in ("staged", "rejected", "out of scope"):
        table.add_column(name, justify="right")
    for domain, sources in sources_by_domain().items():
        for source in sources:
            state = source_state(settings.home, source.id)
            parsed = read_status(settings.home, source.id).get("parse", {})
            counts = (f"{parsed.get(name, 0):,}" for name in ("staged", "rejected", "out_of_scope"))
            style = _STYLES[state]
            table.add_row(source.id, domain, f"[{style}]{state}[/{style}]" if style else state, *counts)
    return table


def _marts(release: dict[str, Any]) -> Table:
    table = Table(title=f"Marts of release {release['version']}", title_justify="left")
    table.add_column("mart")
    table.add_column("version")
    table.add_column("rows", justify="right")
    for name, mart in sorted(release["marts"].items()):
        table.add_row(name, mart["version"], f"{mart['rows']:,}")
    return table
