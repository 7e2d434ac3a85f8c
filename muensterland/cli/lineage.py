"""`muensterland lineage MART`: where a mart comes from, down to the snapshots."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

import typer
from rich.markup import escape
from rich.tree import Tree

from muensterland.cli.output import AsJson, counted, in_words, open_home, out, print_json, refusals
from muensterland.lineage import Lineage, Node, SnapshotOf, trace
from publishing.shelf import CURRENT, find

# Of each source; monthly files would fill the screen.
SNAPSHOTS_SHOWN = 3


def lineage(
    mart: Annotated[str, typer.Argument(help="name of a mart")],
    area: Annotated[str | None, typer.Option("--area", help="only what speaks for this area: AGS or Kreis key")] = None,
    release: Annotated[str, typer.Option("--release", help="version of a release, or `current`")] = CURRENT,
    as_json: AsJson = False,
) -> None:
    """Show the models a mart is made from and the snapshots that fed them.

    JSON: release, mart, version, area, nodes (name, kind, parents, staged, state), snapshots (source_id, partition,
    snapshot_sha256, fetched_at, url, file_name, licence, attribution, records by staged table) and silent (source_id,
    reason): sources of the mart that say nothing of the area.
    """
    with refusals():
        found = trace(find(open_home().home.releases, release), mart, area)
    if as_json:
        print_json(found)
    else:
        out().print(_tree(found))


def _tree(found: Lineage) -> Tree:
    where = f", area {found.area}" if found.area else ""
    tree = Tree(f"[bold]{found.mart}[/bold] {found.version} of release {found.release}{where}")
    nodes = {node.name: node for node in found.nodes}
    _grow(tree, nodes[found.mart], nodes, found, told=set())
    for silent in found.silent:
        tree.add(escape(f"{silent.source_id}: left out, {silent.reason}"), style="dim")
    return tree


def _grow(branch: Tree, node: Node, nodes: Mapping[str, Node], found: Lineage, told: set[str]) -> None:
    """Add what a node is made from; what stands in the tree already is only named."""
    for parent in node.parents:
        word = f"{parent} ({nodes[parent].kind})"
        if parent in told:
            branch.add(f"{word}, see above", style="dim")
            continue
        told.add(parent)
        _grow(branch.add(word), nodes[parent], nodes, found, told)
    for table in node.staged:
        if table in told:
            branch.add(f"staged {table}, see above", style="dim")
            continue
        told.add(table)
        _add_snapshots(branch.add(f"staged {table}"), table, found)
    for state in node.state:
        branch.add(f"{state} (the pipeline's own)")


def _add_snapshots(branch: Tree, table: str, found: Lineage) -> None:
    by_source: dict[str, list[SnapshotOf]] = {}
    for used in found.snapshots:
        if table in used.records:
            by_source.setdefault(used.source_id, []).append(used)
    if not by_source:
        branch.add("no snapshot" + (f" speaks for {found.area}" if found.area else ""), style="dim")
    for source_id, snapshots in by_source.items():
        records = sum(used.records[table] for used in snapshots)
        licence = snapshots[0].licence or "no licence told"
        amount = f"{counted(len(snapshots), 'snapshot')}, {counted(records, 'record')}"
        leaf = branch.add(f"[bold]{source_id}[/bold]: {amount}, {escape(licence)}")
        for used in snapshots[:SNAPSHOTS_SHOWN]:
            leaf.add(
                escape(f"{used.partition} {used.snapshot_sha256[:12]} fetched {in_words(used.fetched_at)} {used.url}")
            )
        if len(snapshots) > SNAPSHOTS_SHOWN:
            leaf.add(f"and {len(snapshots) - SNAPSHOTS_SHOWN} more (--json has all)", style="dim")
