"""Read one part of a MaStR export, in a process of its own where the export is large.

What is kept goes to an Arrow file; what the parser of the whole must know comes back as figures.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from connectors.archive import open_zip
from connectors.errors import SnapshotRefused
from connectors.formats.mastr_columns import Rejected, typed
from connectors.formats.mastr_records import Cut, Everything, InRegion, Referring, Wish, number_in, tags_of
from connectors.mastr_fields import FAMILIES, GRID_OPERATORS, ORGANISATION, PERSON, schema
from connectors.region import Region

BATCH_RECORDS = 2_000
BATCH_BYTES = 8 * 2**20
TAG_LIMIT = 2_000
# More of a part than this cannot be read: whoever parses the whole refuses it anyway.
REJECTED_LIMIT = 100_000


@dataclass(frozen=True)
class Part:
    """What to read: a member of the export, unpacked of that size in bytes, the place of its family in FAMILIES, which
    records, and where to write.

    numbers: a file with the numbers, one a line, that records of a family without municipality key must refer to.
    """

    path: Path
    size: int
    unpacked_limit_bytes: int
    where: str
    member: str
    family: int
    region: Region | None
    numbers: Path | None
    target: Path


@dataclass
class Figures:
    """What became of a part's records. seen: in how many records kept each tag is filled.

    first, last: the part's first and last record, their numbers of the part being 1 and `read`. people: numbers of the
    actors that are natural persons; they go no further than to the parser of the whole.
    """

    read: int = 0
    out_of_scope: Counter[str] = field(default_factory=Counter)
    rejected: list[Rejected] = field(default_factory=list)
    seen: Counter[str] = field(default_factory=Counter)
    people: list[str] = field(default_factory=list)
    first: bytes = b""
    last: bytes = b""


def read_part(part: Part) -> Figures:
    """Read a part; raises SnapshotRefused for what is wrong with the file as a whole, PayloadRefused with the zip."""
    family = FAMILIES[part.family]
    figures = Figures()
    with (
        open_zip(part.path, part.unpacked_limit_bytes) as archive,
        archive.open(part.member) as stream,
        pa.OSFile(str(part.target), "wb") as sink,
        pa.ipc.new_file(sink, schema(family.fields, record_number=pa.int64())) as writer,
    ):
        cut = Cut(part.where, stream, family, _wish(part))
        numbers: list[int] = []
        records: list[dict[str, str]] = []
        size = 0
        for record in cut:
            try:
                if record.is_damaged:
                    raise ValueError("not well-formed XML: not closed, or not opened")
                tags = tags_of(record.data, cut.encoding, cut.record)
            except ValueError as error:
                told = number_in(record.data, cut.encoding)
                figures.rejected.append(Rejected(record.number, "record", told, str(error)))
                if len(figures.rejected) > REJECTED_LIMIT:
                    raise SnapshotRefused(
                        f"{part.where}: more than {REJECTED_LIMIT} records cannot be read; first: record "
                        f"{figures.rejected[0].number}: {figures.rejected[0].reason}; ask the publisher again"
                    ) from error
                continue
            numbers.append(record.number)
            records.append(tags)
            size += len(record.data)
            if len(records) >= BATCH_RECORDS or size >= BATCH_BYTES:
                _write(part, figures, writer, numbers, records)
                numbers, records, size = [], [], 0
        _write(part, figures, writer, numbers, records)
    figures.read = cut.read
    figures.out_of_scope.update(cut.passed_over)
    figures.first, figures.last = cut.first, cut.last
    return figures


def _wish(part: Part) -> Wish:
    family = FAMILIES[part.family]
    if part.region is None or family.scope == "all":
        return Everything()
    if family.scope == "key":
        return InRegion(part.region.kreis_keys)
    tag, _ = family.scope
    numbers = part.numbers.read_bytes().split() if part.numbers is not None else []
    return Referring(tag, frozenset(numbers))


def _write(
    part: Part,
    figures: Figures,
    writer: pa.ipc.RecordBatchWriter,
    numbers: list[int],
    records: list[dict[str, str]],
) -> None:
    family = FAMILIES[part.family]
    if not records:
        return
    for tag in {tag for tag in set().union(*records) if "MaStR" in tag}:
        plain = tag.replace("MaStR", "Mastr")
        for record in records:
            if tag in record:
                record.setdefault(plain, record.pop(tag))
    given = Counter(chain.from_iterable(records))
    batch, rejected = typed(family, numbers, records, given)
    figures.rejected += rejected
    _see(part, figures, batch, given)
    if part.region is not None and family.scope == "key":
        # The bytes said so; this is what the letters say.
        kreis = pc.utf8_slice_codeunits(batch["ags"], 0, 5)
        batch = _without(batch, figures, pc.is_in(kreis, pa.array(part.region.kreis_keys)), "outside the region")
    if family.table == "energy_market_actor":
        is_organisation = pc.fill_null(pc.equal(batch["person_type_id"], ORGANISATION), False)
        figures.people += batch.filter(pc.equal(batch["person_type_id"], PERSON))["actor_id"].to_pylist()
        batch = _without(batch, figures, is_organisation, "not known to be an organisation")
        # The name of a firm may be a person's; that of a grid operator is not.
        is_grid = pc.is_in(batch["market_function_id"], pa.array(GRID_OPERATORS, pa.int32()))
        names = pc.if_else(is_grid, batch["name"], pa.scalar(None, pa.string()))
        batch = batch.set_column(batch.schema.get_field_index("name"), "name", names)
    writer.write_batch(batch)


def _without(batch: pa.RecordBatch, figures: Figures, stays: pa.Array, reason: str) -> pa.RecordBatch:
    kept = batch.filter(stays)
    if kept.num_rows < batch.num_rows:
        figures.out_of_scope[reason] += batch.num_rows - kept.num_rows
    return kept


def _see(part: Part, figures: Figures, batch: pa.RecordBatch, given: Counter[str]) -> None:
    """Count in how many records each tag is filled; of tags that are not staged, in how many it stands."""
    seen = given.copy()
    for declared in FAMILIES[part.family].fields:
        if declared.tag in seen and not declared.misspelt:
            seen[declared.tag] = min(seen[declared.tag], batch.num_rows - batch[declared.column].null_count)
    figures.seen.update(seen)
    if len(figures.seen) > TAG_LIMIT:
        raise SnapshotRefused(
            f"{part.where}: more than {TAG_LIMIT} different tags, the export has about 300; ask the publisher again"
        )
