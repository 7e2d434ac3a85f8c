"""Many small staged files of a source read as few: groups of them in one file each, that stay as they are.

Files stand in the order of the time they tell of, and a file ends a group by its own hash. So a new month changes the
group it falls into and no other, wherever it falls, and the group's neighbours know nothing of it.
"""

from __future__ import annotations

import hashlib
import re
import tempfile
import uuid
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import duckdb

from connectors.staging import staged_file
from connectors.tables import Table

# More files than this of one source in one table are read as few.
COMPACT_FROM = 8
# A group has so many files on average; more where there are so many of them that groups would exceed GROUPS.
FILES_PER_GROUP, GROUPS = 64, 256
# A file this large needs no company.
LARGE_BYTES = 32 * 2**20
# What is sorted is found by the statistics of its row groups, which are a few months of a quarter-hourly counter.
ROW_GROUP_ROWS = 30_720
_TIME = re.compile(r"(?<==)\d{4}(?:-\d{2}){0,2}(?=/|$)")


def in_order_of_time(snapshots: Iterable[Mapping[str, Any]]) -> list[tuple[str, str, str]]:
    """The snapshots (source, sha256, parse key), each once, in the order of the month, day or year that their partition
    names, then of the partition, then of their fetch."""
    placed: dict[tuple[str, str, str], tuple[list[str], str, str]] = {}
    for row in snapshots:
        key = (row["source_id"], row["snapshot_sha256"], row["parse_key"])
        place = (sorted(_TIME.findall(row["partition"])), row["partition"], str(row["fetched_at"]))
        placed[key] = min(place, placed.get(key, place))
    return sorted(placed, key=lambda key: (key[0], placed[key], key))


def compacted(staged: Path, table: Table, source_id: str, snapshots: Sequence[tuple[str, str, str]]) -> list[Path]:
    """The files to read of a source in a table: those that were staged, or where they are many those made of them.

    A group's file is made once, in the table's order; files of groups that are no more are removed.
    """
    if not (staged / table.name / f"source_id={source_id}").is_dir():
        return []
    places = [place for key in snapshots if (place := staged_file(staged, table.name, *key)).exists()]
    if len(places) <= COMPACT_FROM:
        return places
    folder = staged / ".compacted" / table.name / source_id
    large = {place for place in places if place.stat().st_size >= LARGE_BYTES}
    files = [_one(group, folder, table, staged) for group in groups([place for place in places if place not in large])]
    for former in {*folder.glob("*.parquet")} - {*files}:
        former.unlink()
    return [*files, *sorted(large)]


def groups(places: Sequence[Path]) -> list[list[Path]]:
    """Files cut into groups after each whose hash says so; the last group may go on with what comes next."""
    files_per_group = FILES_PER_GROUP
    while len(places) > GROUPS * files_per_group:
        files_per_group *= 2
    found: list[list[Path]] = [[]]
    for place in places:
        found[-1].append(place)
        # The folder is named after the snapshot, so it is another one for other bytes.
        if int.from_bytes(hashlib.sha256(place.parent.name.encode()).digest()[:8]) % files_per_group == 0:
            found.append([])
    return [group for group in found if group]


def _one(places: Sequence[Path], folder: Path, table: Table, staged: Path) -> Path:
    """The file with the rows of a group: its only file, or one named after all of them."""
    if len(places) == 1:
        return places[0]
    states = "\n".join([*table.order, *(_state_of(place, staged) for place in places)])
    target = folder / f"{hashlib.sha256(states.encode()).hexdigest()}.parquet"
    if target.exists():
        return target
    folder.mkdir(parents=True, exist_ok=True)
    draft = folder / f".{target.stem}.{uuid.uuid4().hex}"
    columns = ", ".join(f'"{name}"' for name in table.schema.names)
    order = f"order by {', '.join(table.order)}" if table.order else ""
    prefix = f".writing.{folder.name}."
    with (
        tempfile.TemporaryDirectory(prefix=prefix, dir=staged) as spill,
        duckdb.connect(config={"memory_limit": "2GB", "temp_directory": spill}) as database,
    ):
        database.execute("set enable_progress_bar = false")
        # An older parser's file may lack a column.
        database.register("none", table.schema.empty_table())
        database.execute(
            f"""
            copy (
                select {columns} from (
                    from none
                    union all by name
                    from read_parquet($files, hive_partitioning = false, union_by_name = true)
                ) {order}
            ) to '{_quoted(draft)}' (format parquet, compression zstd, row_group_size {ROW_GROUP_ROWS})
            """,
            {"files": [str(place) for place in places]},
        )
    draft.replace(target)
    return target


def _state_of(place: Path, staged: Path) -> str:
    """A staged file's name and when it was written: one that was parsed again has the same name."""
    state = place.stat()
    return f"{place.relative_to(staged)} {state.st_size} {state.st_mtime_ns}"


def _quoted(path: Path) -> str:
    return str(path).replace("'", "''")
