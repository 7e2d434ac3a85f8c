"""`muensterland landing …`: what the bytes of the publishers take, and removing what nobody needs any more."""

from __future__ import annotations

from typing import Annotated

import typer

from muensterland.cli.output import AsJson, counted, megabytes, open_home, out, print_json, refusals, remark, table
from muensterland.housekeeping import plan, prune, usage
from muensterland.lock import locked

app = typer.Typer(help="The landing: sizes, and pruning.", no_args_is_help=True)

KEEP_DAYS = 90
KeepDays = Annotated[
    int, typer.Option("--keep-days", min=0, help="what the fetch log mentioned within so many days stays")
]


@app.command()
def du(keep_days: KeepDays = KEEP_DAYS, as_json: AsJson = False) -> None:
    """Show what each source takes in the landing, and why it stays.

    JSON: a list of source_id, attempts, snapshots, bytes, in_force, released, recent, compared, prunable,
    prunable_bytes.
    """
    with refusals():
        settings = open_home()
        rows = usage(settings.home, settings.clock(), keep_days)
    if as_json:
        print_json(rows)
        return
    columns = ["source", "attempts", "snapshots", "size", "in force", "released", "recent", "compared"]
    out().print(
        table(
            "Landing",
            [*columns, "prunable", "prunable size"],
            [
                [
                    *(row.source_id, row.attempts, row.snapshots, megabytes(row.bytes)),
                    *(
                        row.in_force,
                        row.released,
                        row.recent,
                        row.compared,
                        row.prunable,
                        megabytes(row.prunable_bytes),
                    ),
                ]
                for row in rows
            ],
        )
    )
    total, prunable = sum(row.bytes for row in rows), sum(row.prunable_bytes for row in rows)
    out().print(f"{megabytes(total)}, of which {megabytes(prunable)} could go")


@app.command("prune")
def prune_(
    keep_days: KeepDays = KEEP_DAYS,
    yes: Annotated[bool, typer.Option("--yes", help="remove, instead of only saying what would go")] = False,
    as_json: AsJson = False,
) -> None:
    """Remove bytes that are neither in force, nor named by a kept release, nor young; the fetch log stays whole.

    Without --yes nothing is removed. What was is written down in landing/pruned.jsonl.

    JSON: dry_run, snapshots (source_id, snapshot_sha256, bytes, last_mentioned_at, why), landing_bytes, staged_files,
    staged_bytes.
    """
    with refusals():
        settings = open_home()
        home, now = settings.home, settings.clock()
        if yes and home.root.exists():
            with locked(home):
                done = prune(home, now, keep_days)
        else:
            done = plan(home, now, keep_days)
    if as_json:
        print_json(done)
        return
    rows = [
        [one.source_id, one.snapshot_sha256[:12], megabytes(one.bytes), one.last_mentioned_at] for one in done.snapshots
    ]
    word = "Removed" if yes else "Would remove"
    out().print(table(f"{word} from the landing", ["source", "sha256", "size", "last mentioned"], rows))
    out().print(
        f"{word}: {counted(len(rows), 'snapshot')}, {megabytes(done.landing_bytes)}; "
        f"{counted(done.staged_files, 'staged file')}, {megabytes(done.staged_bytes)}"
    )
    if done.dry_run and (rows or done.staged_files):
        remark("nothing was removed; --yes does it")
