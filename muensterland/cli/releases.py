"""`muensterland releases …`: look at releases, compare, check and rebuild them, say which is current."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape

from muensterland.cli.output import (
    FOUND,
    AsJson,
    complain,
    counted,
    in_words,
    megabytes,
    open_home,
    out,
    print_json,
    refusals,
    remark,
    table,
)
from publishing.compare import ChangedRow, MartDiff, ReleaseDiff, compare
from publishing.history import read_history
from publishing.overview import list_releases
from publishing.record import Release
from publishing.rollback import allow, roll_back
from publishing.shelf import CURRENT, KEEP, NoSuchRelease, find, kept, only_publisher, prune, surplus
from publishing.verify import verify

app = typer.Typer(help="Releases: list, show, diff, verify, rebuild, roll back, prune.", no_args_is_help=True)

Version = Annotated[str, typer.Argument(help="version of a release, or `current`")]
Reason = Annotated[str | None, typer.Option("--reason", help="why, for the history")]


@app.command("list")
def list_(as_json: AsJson = False) -> None:
    """List the releases that are kept, newest first.

    JSON: a list of version, current, as_of, promoted_at, marts, rows, bytes, gate_passed, synthetic, rolled_back,
    held_back, broken.
    """
    with refusals():
        rows = list_releases(open_home().home.releases)
    if as_json:
        print_json(rows)
        return
    columns = ["", "version", "as of", "promoted", "marts", "rows", "size", "gate", "synthetic", "remarks"]
    out().print(
        table(
            "Releases",
            columns,
            [
                [
                    "*" if row.current else "",
                    row.version,
                    row.as_of,
                    row.promoted_at,
                    row.marts,
                    row.rows,
                    megabytes(row.bytes),
                    {True: "green", False: "RED", None: ""}[row.gate_passed],
                    row.synthetic,
                    row.broken
                    or ", ".join(
                        word
                        for word, holds in {"rolled back": row.rolled_back, "held back": row.held_back}.items()
                        if holds
                    ),
                ]
                for row in rows
            ],
        )
    )


@app.command()
def show(version: Version = CURRENT, as_json: AsJson = False) -> None:
    """Show everything a release says of itself.

    JSON: its release.json as it is.
    """
    with refusals():
        release = find(open_home().home.releases, version)
    if as_json:
        print_json(release)
        return
    _show(out(), release)


def _show(console: Console, release: Release) -> None:
    console.print(f"[bold]{escape(release.title_en)}[/bold], release {release.version}")
    for name, value in {
        "as of": release.as_of,
        "synthetic": "yes" if release.synthetic else "no",
        "code": release.code_version,
        "input key": release.input_key,
        "gate": "green" if release.gate.passed else "RED",
        "folder": release.path,
        "files": f"{len(release.files)}, {megabytes(sum(file.bytes for file in release.files.values()))}",
    }.items():
        console.print(f"  {name:10} {escape(in_words(value))}")
    console.print(
        table(
            "Marts",
            ["mart", "version", "rows", "columns", "primary key", "volatile", "content sha256", "title"],
            [
                [
                    name,
                    mart.version,
                    mart.rows,
                    len(mart.columns),
                    ", ".join(mart.primary_key),
                    ", ".join(mart.volatile_columns),
                    mart.content_sha256[:12],
                    mart.title_en,
                ]
                for name, mart in release.marts.items()
            ],
        )
    )
    console.print(
        table(
            "Snapshots",
            ["source", "partition", "sha256", "fetched", "url"],
            [
                [used.source_id, used.partition, used.snapshot_sha256[:12], used.fetched_at, used.url]
                for used in release.inputs
            ],
        )
    )
    console.print(
        table(
            "Licences",
            ["source", "licence", "attribution"],
            [[one.get("id"), one.get("licence"), one.get("attribution")] for one in release.attributions],
        )
    )


@app.command()
def diff(
    before: Annotated[str | None, typer.Argument(help="release to start from; default: the one before")] = None,
    after: Annotated[str | None, typer.Argument(help="release to compare with; default: the current one")] = None,
    as_json: AsJson = False,
) -> None:
    """Compare two releases: contracts, rows, keys and key figures, volatile columns apart. Exit code 1: they differ.

    The current one named alone is compared with the one before it.

    JSON: before, after, equal, code_version_before, code_version_after, inputs_added, inputs_removed and marts, each
    with mart, state (added, removed, changed, equal), version_*, rows_*, primary_key_*, columns (added, removed,
    retyped), keys (added, removed, changed, changed_by_column, *_examples) and key_figures, each with column, changed,
    before and after (sum, min, max, null_share).
    """
    with refusals():
        releases = open_home().home.releases
        later = find(releases, after or CURRENT)
        if before is None or (after is None and find(releases, before).version == later.version):
            before = _before(kept(releases), later.version)
        found = compare(find(releases, before), later)
    if as_json:
        print_json(found)
    else:
        _show_diff(out(), found)
    if not found.equal:
        raise typer.Exit(FOUND)


def _before(there: list[str], version: str) -> str:
    earlier = there[: there.index(version)]
    if not earlier:
        raise NoSuchRelease(f"no release before {version} is kept; name the two to compare")
    return earlier[-1]


def _show_diff(console: Console, found: ReleaseDiff) -> None:
    console.print(f"[bold]{found.before} -> {found.after}[/bold]: {'equal' if found.equal else 'they differ'}")
    if found.code_version_before != found.code_version_after:
        console.print(f"  code {found.code_version_before} -> {found.code_version_after}")
    console.print(f"  snapshots: {len(found.inputs_added)} added, {len(found.inputs_removed)} removed")
    console.print(
        table(
            "Marts",
            ["mart", "state", "version", "rows before", "rows after", "keys added", "removed", "changed", "columns"],
            [_diff_row(mart) for mart in found.marts],
        )
    )
    for mart in found.marts:
        if mart.state == "changed":
            _show_mart(console, mart)


def _diff_row(mart: MartDiff) -> list[object]:
    versions = [version for version in (mart.version_before, mart.version_after) if version]
    keys = mart.keys
    columns = [f"+{name}" for name in mart.columns.added] + [f"-{name}" for name in mart.columns.removed]
    columns += [f"{one.name}: {one.before} -> {one.after}" for one in mart.columns.retyped]
    return [
        mart.mart,
        mart.state,
        " -> ".join(dict.fromkeys(versions)),
        mart.rows_before,
        mart.rows_after,
        *((keys.added, keys.removed, keys.changed) if keys else (None, None, None)),
        ", ".join(columns),
    ]


def _show_mart(console: Console, mart: MartDiff) -> None:
    figures = [figure for figure in mart.key_figures if figure.changed]
    if figures:
        rows = []
        for figure in figures:
            for name in ("sum", "min", "max", "null_share"):
                before, after = (getattr(side, name, None) for side in (figure.before, figure.after))
                if before != after:
                    rows.append([figure.column, name, in_words(before), in_words(after)])
        console.print(table(f"{mart.mart}: key figures", ["column", "figure", "before", "after"], rows))
    if mart.keys is None:
        return
    if mart.keys.changed_by_column:
        counts = ", ".join(f"{column} {count:,}" for column, count in mart.keys.changed_by_column.items())
        console.print(f"{mart.mart}: changed rows by column: {escape(counts)}")
    for sign, keys in (("+", mart.keys.added_examples), ("-", mart.keys.removed_examples)):
        for key in keys:
            console.print(escape(f"  {sign} {_pairs(key)}"))
    for changed in mart.keys.changed_examples:
        console.print(escape(f"  ~ {_pairs(changed.key)}: {_change(changed)}"))


def _pairs(key: dict[str, str | None]) -> str:
    return ", ".join(f"{name}={value}" for name, value in key.items())


def _change(changed: ChangedRow) -> str:
    return ", ".join(f"{name} {before} -> {changed.after[name]}" for name, before in changed.before.items())


@app.command("verify")
def verify_(
    version: Version = CURRENT,
    all_: Annotated[bool, typer.Option("--all", help="every release that is kept")] = False,
    as_json: AsJson = False,
) -> None:
    """Recompute what a release says of itself: files, rows and contents of every mart. Exit code 1: something differs.

    JSON: a list of version, place (record, file, duckdb, parquet), file, mart, problem; empty where all is well.
    """
    with refusals():
        releases = open_home().home.releases
        history = read_history(releases)
        chosen = [find(releases, one) for one in (all_ and kept(releases)) or [version]]
        findings = [finding for release in chosen for finding in verify(release, history)]
    if as_json:
        print_json(findings)
    elif findings:
        rows = [[one.version, one.mart, one.file, one.problem] for one in findings]
        out().print(table("Not as promoted", ["release", "mart", "file", "problem"], rows))
    else:
        marts = sum(len(release.marts) for release in chosen)
        out().print(f"{counted(len(chosen), 'release')} with {counted(marts, 'mart')}: as promoted")
    if findings:
        complain(f"{counted(len(findings), 'finding')} in {', '.join(dict.fromkeys(one.version for one in findings))}")
        raise typer.Exit(FOUND)


@app.command()
def rollback(
    version: Annotated[str | None, typer.Argument(help="release to make current; default: the one before")] = None,
    reason: Reason = None,
    as_json: AsJson = False,
) -> None:
    """Make another kept release current, atomically, and write it down.

    What was rolled back is not promoted again until its snapshots, the catalogue or the code change, or `allow`.

    JSON: at, action (rolled_back, restored), version, by, former, reason, record_sha256, held_back.
    """
    with refusals():
        done = roll_back(open_home().home.releases, version, reason)
    if as_json:
        print_json(done.event)
        return
    out().print(f"release {done.release.version} is current, {done.event.former} was")
    if done.event.held_back:
        held = ", ".join(done.event.held_back)
        out().print(
            f"held back until what set them apart, the catalogue or the code changes, or `releases allow`: {held}"
        )


@app.command("allow")
def allow_(version: Version, reason: Reason = None, as_json: AsJson = False) -> None:
    """Let the next run promote again what a rollback holds back, and write it down.

    JSON: at, action (allowed), version, by, former, reason, record_sha256, held_back.
    """
    with refusals():
        event = allow(open_home().home.releases, version, reason)
    if as_json:
        print_json(event)
    else:
        out().print(f"the next run may promote again what {version} was made of")


@app.command()
def history(as_json: AsJson = False) -> None:
    """Show what was done to releases, by whom and why, oldest first.

    JSON: a list of at, action (promoted, rolled_back, restored, allowed, pruned), version, by, former, reason,
    record_sha256, held_back.
    """
    with refusals():
        events = read_history(open_home().home.releases)
    if as_json:
        print_json(events)
        return
    rows = [[event.at, event.action, event.version, event.former, event.by, event.reason] for event in events]
    out().print(table("History", ["at", "action", "version", "former", "by", "reason"], rows))


@app.command("prune")
def prune_(
    keep: Annotated[int, typer.Option("--keep", min=2, help="how many stay, the current one among them")] = KEEP,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="only say what would go")] = False,
    as_json: AsJson = False,
) -> None:
    """Remove the oldest releases; never the current one, nor the one that was current before it.

    JSON: dry_run, removed (versions), kept (versions, oldest first).
    """
    with refusals():
        releases = open_home().home.releases
        if dry_run or not releases.is_dir():
            gone = surplus(releases, keep)
        else:
            with only_publisher(releases):
                gone = prune(releases, keep)
        left = [version for version in kept(releases) if version not in gone]
    if as_json:
        print_json({"dry_run": dry_run, "removed": gone, "kept": left})
        return
    word = "would remove" if dry_run else "removed"
    out().print(f"{word} {', '.join(gone) or 'nothing'}; kept: {', '.join(left) or 'nothing'}")


@app.command("rebuild")
def rebuild_(version: Version = CURRENT, as_json: AsJson = False) -> None:
    """Make a release again from the landing alone and compare every mart. Exit code 1: one differs.

    JSON: version, equal, code_version_released, code_version_now, snapshots and marts, each with mart, state (equal,
    differs, missing, new), rows_released, rows_rebuilt, content_sha256_released, content_sha256_rebuilt.
    """
    from muensterland.rebuild import rebuild
    from muensterland.run import progress_to, quiet

    with refusals():
        settings = open_home()
        release = find(settings.home.releases, version)
        with (
            quiet(settings.home, "rebuild.log", terminal=2) as terminal,
            progress_to(Console(file=terminal, soft_wrap=True, highlight=False)),
        ):
            rebuilt = rebuild(settings.home, release)
    if as_json:
        print_json(rebuilt)
    else:
        rows = [[mart.mart, mart.state, mart.rows_released, mart.rows_rebuilt] for mart in rebuilt.marts]
        out().print(
            table(f"Release {rebuilt.version} rebuilt", ["mart", "state", "rows released", "rows rebuilt"], rows)
        )
    if rebuilt.code_version_released != rebuilt.code_version_now:
        remark(f"made by code {rebuilt.code_version_released}, rebuilt by {rebuilt.code_version_now}")
    if not rebuilt.equal:
        differing = ", ".join(mart.mart for mart in rebuilt.marts if mart.state != "equal")
        complain(f"release {rebuilt.version}: not equal: {differing}")
        raise typer.Exit(FOUND)
