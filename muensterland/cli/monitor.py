"""`muensterland monitor …`: what the Smart Region monitor of a release reaches, and how its goals stand."""

from __future__ import annotations

from typing import Annotated

import typer

from muensterland.cli.output import AsJson, counted, open_home, out, print_json, refusals, table
from muensterland.monitoring import coverage, goals, markdown
from publishing.shelf import CURRENT, find

app = typer.Typer(help="The monitor: coverage of the 14 fields of action, and goals.", no_args_is_help=True)

Version = Annotated[str, typer.Option("--release", help="version of a release, or `current`")]


@app.command("coverage")
def coverage_(
    release: Version = CURRENT,
    as_json: AsJson = False,
    as_markdown: Annotated[bool, typer.Option("--markdown", help="print Markdown instead of a table")] = False,
) -> None:
    """Show every indicator of the 14 fields of action with the areas that have a number, or why they have none.

    JSON: a list of field_of_action, field_title_de, field_title_en, indicator_id, title_de, title_en, unit, level,
    municipalities, municipalities_in_all, kreise, kreise_in_all, latest_period, periods, source_ids, reason.
    """
    with refusals():
        rows = coverage(find(open_home().home.releases, release).warehouse)
    if as_json:
        print_json(rows)
    elif as_markdown:
        typer.echo(markdown(rows), nl=False)
    else:
        columns = ["indicator", "field of action", "told for", "municipalities", "Kreise", "latest", "sources, or why"]
        shown = [
            [
                *(row.indicator_id, row.field_title_en, row.level, f"{row.municipalities}/{row.municipalities_in_all}"),
                *(f"{row.kreise}/{row.kreise_in_all}", row.latest_period, row.source_ids or row.reason),
            ]
            for row in rows
        ]
        out().print(table("Indicators", columns, shown))
        measured = sum(1 for row in rows if row.latest_period is not None)
        fields = {row.field_of_action for row in rows}
        blank = fields - {row.field_of_action for row in rows if row.latest_period is not None}
        out().print(
            f"{measured} of {counted(len(rows), 'indicator')} measured, in {len(fields) - len(blank)} of "
            f"{counted(len(fields), 'field')} of action"
        )


@app.command("goals")
def goals_(release: Version = CURRENT, as_json: AsJson = False) -> None:
    """Show how far each goal has come.

    JSON: a list of goal_id, area_id, indicator_id, target_value, target_date, latest_value, latest_period,
    share_of_way, status, reason.
    """
    with refusals():
        rows = goals(find(open_home().home.releases, release).warehouse)
    if as_json:
        print_json(rows)
        return
    columns = ["goal", "area", "indicator", "target", "by", "latest", "period", "share of the way", "status", "reason"]
    shown = [
        [
            *(row.goal_id, row.area_id, row.indicator_id, row.target_value, row.target_date, row.latest_value),
            *(row.latest_period, row.share_of_way, row.status, row.reason),
        ]
        for row in rows
    ]
    out().print(table("Goals", columns, shown) if rows else "no goals")
