"""Parse a full export of the Marktstammdatenregister (MaStR), streamed from the zip, its parts in parallel.

Units say by their municipality key where they stand. What has no key is kept where it refers to something kept: EEG,
CHP and storage plants and permits to units, grid connections to their locations, grids to their connections, actors to
the units that they operate. So the export is read in stages, each by the numbers that the former ones kept.

Natural persons never leave the parser: a unit only tells that one operates it (operator_person_type_id). See
`connectors.mastr_fields` for what is staged, `mastr_records` for how records are found, `mastr_columns` for types.
"""

from __future__ import annotations

import multiprocessing
import re
import zipfile
from collections import Counter, defaultdict, deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Literal, get_args

import pyarrow as pa
import pyarrow.compute as pc

from connectors import tables
from connectors.archive import files, open_zip
from connectors.connector import Connector, Snapshot
from connectors.errors import SnapshotRefused
from connectors.formats.mastr_part import Figures, Part, read_part
from connectors.mastr_fields import (
    FAMILIES,
    KNOWN_TAGS,
    NOT_STAGED_FILES,
    ORGANISATION,
    PERSON,
    STAGES,
    Family,
)
from connectors.region import Region
from connectors.staging import StagedWriter
from connectors.tables import ENERGY_EXPORT, ENERGY_UNIT, Table

Technology = Literal[
    "solar",
    "wind",
    "biomass",
    "hydro",
    "combustion",
    "storage",
    "geothermal_and_other",
    "nuclear",
    "gas_producer",
    "gas_consumer",
    "gas_storage",
    "electricity_consumer",
]
TABLES: dict[str, Table] = {
    table.name: table for table in tables.PARSED_TABLES if table.name in {family.table for family in FAMILIES}
}

# The export of 2025 unpacks to about 50 GB of UTF-16; it is streamed and never lies on the disk unpacked.
UNPACKED_LIMIT_BYTES = 80 * 2**30
# Smaller exports are read before another process has begun.
PARALLEL_FROM_BYTES = 64 * 2**20
# Beside the one that parses.
OTHER_PROCESSES = 1
ROWS = 50_000
SEAM = "repeated at the seam of two parts"
EXPORT_NAME = re.compile(r"Gesamtdatenexport_(\d{4})(\d{2})(\d{2})_(\d{2}\.\d)")


@dataclass(frozen=True)
class _Read:
    """A part that was read."""

    part: Part
    family: Family
    figures: Figures


def parse(
    snapshot: Snapshot,
    out: StagedWriter,
    region: Region,
    /,
    *,
    region_only: bool = True,
    technologies: tuple[Technology, ...] = get_args(Technology),
) -> None:
    """Stage units (capacities in kW), the plants, places, grids and organisations they refer to, and the catalogue.

    A record is one element below a file's root; the last one of a part that is repeated as the first of the next is
    staged once. `region_only` leaves out of scope what is of other municipalities, and what says of no place.
    Raises SnapshotRefused where a family without which nothing can be said is missing, or a file is not UTF-16 XML
    with its root or carries a DOCTYPE.
    """
    with open_zip(snapshot.path, UNPACKED_LIMIT_BYTES) as archive:
        members = files(archive)
    size = sum(member.file_size for member in members.values())
    stages = [
        [family for family in stage if family.constants.get("technology") in (None, *technologies)]
        if stage is STAGES[0]
        else stage
        for stage in STAGES
    ]
    _check_files(snapshot, out, list(members), [family for stage in stages for family in stage], technologies)
    numbers: dict[str, set[str]] = defaultdict(set)
    read: list[_Read] = []
    with _readers(size >= PARALLEL_FROM_BYTES) as read_all:
        for place, stage in enumerate(stages):
            parts = list(_parts(snapshot, out.scratch, members, stage, region if region_only else None, numbers, place))
            for part, figures in zip(parts, read_all(parts), strict=True):
                read.append(_Read(part, FAMILIES[part.family], figures))
                if region_only:
                    _remember(read[-1], numbers)
    _stage_all(out, read)
    _report_columns(out, read)
    _note_export(snapshot, out, read, is_whole=not region_only)


# -- what to read ----------------------------------------------------------------------------------------------------


def reads(name: str, *, region_only: bool = True, technologies: tuple[Technology, ...] = get_args(Technology)) -> bool:
    """Whether a file of the export is read: not what is only of persons, nor units of other technologies."""
    others = {family.root for family in STAGES[0] if family.constants.get("technology") not in (None, *technologies)}
    return _root_of(name) not in NOT_STAGED_FILES | others


def _check_files(
    snapshot: Snapshot,
    out: StagedWriter,
    names: list[str],
    asked: Sequence[Family],
    technologies: tuple[Technology, ...],
) -> None:
    """Report files nobody declared; a missing one that is required, or a part that is missing, is refused."""
    found = {_root_of(name) for name in names if reads(name, technologies=technologies)}
    out.saw_header(ENERGY_UNIT, [f"file:{name}" for name in sorted(found)])
    for family in asked:
        if family.is_required and family.root not in found:
            raise SnapshotRefused(
                f"{snapshot.source_id}: {snapshot.path.name}: expected {family.root}.xml or {family.root}_1.xml, "
                f"found {', '.join(sorted(names)[:20]) or 'nothing'}; check the option `technologies` or ask again"
            )
        parts = [int(part[1]) for name in names if (part := re.fullmatch(rf"{family.root}_([0-9]+)\.xml", name))]
        if sorted(parts) != list(range(1, len(parts) + 1)):
            raise SnapshotRefused(
                f"{snapshot.source_id}: {snapshot.path.name}: {family.root} has the parts "
                f"{', '.join(map(str, sorted(parts)[:20]))}, expected 1 to {len(parts)}: one did not come; ask again"
            )
    for name in sorted(found - {family.root for family in FAMILIES}):
        out.drift(ENERGY_UNIT, f"file:{name}", "new")


def _root_of(name: str) -> str:
    """A family's numbered parts are one table: their number grows with the register."""
    return re.sub(r"(_[0-9]+)?\.xml$", "", name)


def _parts(
    snapshot: Snapshot,
    scratch: Path,
    members: dict[str, zipfile.ZipInfo],
    stage: Iterable[Family],
    region: Region | None,
    numbers: dict[str, set[str]],
    place: int,
) -> Iterator[Part]:
    """The parts of a stage's files, families and numbers in order; what records must refer to is laid beside them."""
    for family in stage:
        listed: Path | None = None
        if region is not None and isinstance(family.scope, tuple):
            listed = scratch / f"{place}-{family.scope[1]}.numbers"
            if not listed.exists():
                listed.write_text("\n".join(sorted(numbers[family.scope[1]])), encoding="ascii")
        for name in family.members(list(members)):
            yield Part(
                snapshot.path,
                members[name].file_size,
                UNPACKED_LIMIT_BYTES,
                f"{snapshot.source_id}: {snapshot.path.name}: {name}",
                members[name].filename,
                FAMILIES.index(family),
                region,
                listed,
                scratch / f"{name}.arrow",
            )


@contextmanager
def _readers(is_large: bool) -> Iterator[Callable[[list[Part]], list[Figures]]]:
    """Something that reads parts and gives their figures in the same order; of a large export in two processes."""
    if not is_large:
        yield lambda parts: [read_part(part) for part in parts]
        return
    # Spawned, not forked: whoever parses may have threads.
    with ProcessPoolExecutor(OTHER_PROCESSES, multiprocessing.get_context("spawn")) as pool:
        yield lambda parts: _read_together(pool, parts)


def _read_together(pool: ProcessPoolExecutor, parts: list[Part]) -> list[Figures]:
    """Read the largest parts first, here and there; the other process has one in its hand and one to go on with."""
    figures: dict[int, Figures] = {}
    waiting = deque(sorted(range(len(parts)), key=lambda place: -parts[place].size))
    there: deque[tuple[int, Future[Figures]]] = deque()
    while waiting or there:
        while waiting and len(there) < 2 * OTHER_PROCESSES:
            place = waiting.popleft()
            there.append((place, pool.submit(read_part, parts[place])))
        if waiting:
            place = waiting.popleft()
            figures[place] = read_part(parts[place])
        while there and (there[0][1].done() or not waiting):
            place, future = there.popleft()
            figures[place] = future.result()
    return [figures[place] for place in range(len(parts))]


def _remember(read: _Read, numbers: dict[str, set[str]]) -> None:
    """Add what the part's records are called by, for the stages that follow."""
    for name, column in read.family.gives:
        for batch in _batches(read.part.target):
            # Numbers go to a file of lines; one that is no plain word refers to nothing.
            values = pc.unique(batch[column].drop_null()).to_pylist()
            numbers[name].update(value for value in map(str, values) if re.fullmatch(r"[A-Za-z0-9_-]+", value, re.A))


def _batches(place: Path) -> Iterator[pa.RecordBatch]:
    with pa.memory_map(str(place)) as source, pa.ipc.open_file(source) as reader:
        for number in range(reader.num_record_batches):
            yield reader.get_batch(number)


# -- what becomes of it ------------------------------------------------------------------------------------------------


def _stage_all(out: StagedWriter, parts: Sequence[_Read]) -> None:
    """Hand rows, rejections and figures to the writer; records of a table are numbered through all its files."""
    people = pa.array(sorted({number for read in parts for number in read.figures.people}), pa.string())
    organisations = _organisations(parts)
    offsets: Counter[str] = Counter()
    former: _Read | None = None
    for read in parts:
        table, figures = TABLES[read.family.table], read.figures
        is_repeated = bool(
            former and former.family is read.family and figures.first and figures.first == former.figures.last
        )
        offset = offsets[table.name]
        out.read(table, figures.read)
        offsets[table.name] += figures.read
        for reason, records in sorted(figures.out_of_scope.items()):
            out.out_of_scope(table, reason, records)
        for rejected in figures.rejected:
            if is_repeated and rejected.number == 1:
                out.out_of_scope(table, SEAM)
            else:
                out.reject(table, offset + rejected.number, rejected.tag, rejected.raw, rejected.reason)
        for rows in _rows(read, table, offset):
            kept = rows.filter(pc.not_equal(rows["record_number"], offset + 1)) if is_repeated else rows
            out.out_of_scope(table, SEAM, rows.num_rows - kept.num_rows)
            out.write(table, _with_operators(kept, people, organisations) if table is ENERGY_UNIT else kept)
        former = read


def _organisations(parts: Sequence[_Read]) -> pa.Array:
    actors = [
        batch["actor_id"]
        for read in parts
        if read.family.table == "energy_market_actor"
        for batch in _batches(read.part.target)
    ]
    return pa.concat_arrays(actors) if actors else pa.array([], pa.string())


def _rows(read: _Read, table: Table, offset: int) -> Iterator[pa.Table]:
    """The part's rows in all columns of the table, enough of them at once for a good row group."""
    waiting: list[pa.RecordBatch] = []
    rows = 0
    for batch in _batches(read.part.target):
        waiting.append(batch)
        rows += batch.num_rows
        if rows >= ROWS:
            yield _completed(pa.Table.from_batches(waiting), read, table, offset)
            waiting, rows = [], 0
    if rows:
        yield _completed(pa.Table.from_batches(waiting), read, table, offset)


def _completed(rows: pa.Table, read: _Read, table: Table, offset: int) -> pa.Table:
    constants = read.family.constants | {"export_member": Path(read.part.member).name}
    arrays = [pc.add(rows["record_number"], offset)]
    for field in table.columns:
        if field.name in rows.column_names:
            arrays.append(rows[field.name])
        elif field.name in constants:
            places = pa.repeat(pa.scalar(0, pa.int32()), rows.num_rows)
            arrays.append(pa.DictionaryArray.from_arrays(places, [constants[field.name]]))
        else:
            arrays.append(pa.nulls(rows.num_rows, field.type))
    return pa.Table.from_arrays(arrays, ["record_number", *table.columns.names])


def _with_operators(rows: pa.Table, people: pa.Array, organisations: pa.Array) -> pa.Table:
    """The units with the kind of their operators; the number stays only of those known to be organisations."""
    operators = rows["operator_id"]
    is_organisation, is_person = pc.is_in(operators, organisations), pc.is_in(operators, people)
    kind = pc.if_else(
        is_organisation,
        pa.scalar(ORGANISATION, pa.int32()),
        pc.if_else(is_person, pa.scalar(PERSON, pa.int32()), pa.scalar(None, pa.int32())),
    )
    known = pc.if_else(is_organisation, operators, pa.scalar(None, pa.string()))
    rows = rows.set_column(rows.column_names.index("operator_id"), "operator_id", known)
    return rows.set_column(rows.column_names.index("operator_person_type_id"), "operator_person_type_id", kind)


def _report_columns(out: StagedWriter, parts: Sequence[_Read]) -> None:
    """Tell which tags were seen, those nobody declared, and declared ones that are blank throughout a family."""
    by_family: dict[str, Counter[str]] = {}
    for read in parts:
        by_family.setdefault(read.family.root, Counter()).update(read.figures.seen)
    for family in FAMILIES:
        seen = by_family.get(family.root, Counter())
        table = TABLES[family.table]
        out.saw_fields(table, {tag: records for tag, records in seen.items() if records})
        for tag in sorted(seen.keys() - KNOWN_TAGS):
            out.drift(table, tag, "new")
        for field in family.fields if seen else ():
            if field.need != "may" and not any(seen[tag] for tag in field.tags):
                out.drift(table, field.tag, "missing")


def _note_export(snapshot: Snapshot, out: StagedWriter, parts: Sequence[_Read], *, is_whole: bool) -> None:
    named = EXPORT_NAME.search(snapshot.path.name)
    if named:
        day, release = _day(named), named[4]
    else:
        updates = [
            pc.max(batch["updated_at"])
            for read in parts
            if read.family.table == ENERGY_UNIT.name
            for batch in _batches(read.part.target)
        ]
        day, release = None, None
        for latest in updates:
            if latest.is_valid:
                day = max(filter(None, (day, latest.as_py().date())))
    out.note(ENERGY_EXPORT, [{"export_date": day, "release": release, "is_whole": is_whole}])


def _day(named: re.Match[str]) -> date | None:
    try:
        return date(int(named[1]), int(named[2]), int(named[3]))
    except ValueError:
        return None


CONNECTOR = Connector(
    name="mastr_export",
    version=5,
    payload="zip",
    tables=(*TABLES.values(), ENERGY_EXPORT),
    parse=parse,
    unpacked_limit_bytes=UNPACKED_LIMIT_BYTES,
    reads=reads,
)
