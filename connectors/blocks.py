"""Cut a large CSV into blocks of whole records, so that it is read in parallel, in its order and in bounded memory.

Every record has a number (from 1, header and blank lines apart) that depends neither on blocks nor on threads: how
many records each block holds is counted when the file is cut, apart from the reader that parses the blocks later.

In most blocks a record is a line. Where that can be seen from the bytes alone, lines are counted; where it cannot (a
quote within a quoted field, a line break in one, a blank line), the block is counted by Python's csv module. A file
that cannot be cut at line ends, or that holds what `connectors.text` refuses, is read from its beginning by the csv
module, which names what is wrong with it.
"""

from __future__ import annotations

import io
import itertools
import os
from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.csv as arrow_csv

from connectors.errors import SnapshotRefused
from connectors.text import (
    FIELD_LIMIT,
    RECORD_LIMIT_CHARACTERS,
    CsvRecords,
    is_mojibake,
    mostly_without_mojibake,
    text_lines,
)

# About as many records of a stop_times.txt as a row group of Parquet should have.
BLOCK_BYTES = 8 * 2**20
# Blocks that are parsed at once; as many more wait for whoever reads them.
THREADS = min(4, os.cpu_count() or 1)
# A line longer than RECORD_LIMIT_CHARACTERS covers one of these windows whole.
_WINDOW_BYTES = RECORD_LIMIT_CHARACTERS // 2
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_COMMA, _QUOTE, _LINE_FEED, _RETURN = b',"\n\r'


class Block(NamedTuple):
    """Whole records of a file: where their bytes lie, the number of the first one and how many they are."""

    number: int
    offset: int
    length: int
    first_record: int
    records: int


class Malformed(NamedTuple):
    """A record with more or fewer fields than the header."""

    record_number: int
    text: str
    reason: str


class Parsed(NamedTuple):
    """A block's records: `record_number` and the columns asked for, and those that do not fit the header."""

    block: Block
    batch: pa.RecordBatch
    malformed: list[Malformed]


@dataclass(frozen=True)
class BlockedCsv:
    """A CSV in UTF-8 that has been looked through once.

    where: what messages begin with. header: the first record, blanks around its names removed.
    """

    path: Path
    where: str
    header: tuple[str, ...]
    blocks: tuple[Block, ...]

    @property
    def records(self) -> int:
        """How many records follow the header."""
        return sum(block.records for block in self.blocks)

    def parse(
        self,
        columns: Mapping[str, int],
        malformed_limit: int,
        blocks: Sequence[Block] | None = None,
        text: pa.DataType | None = None,
    ) -> Iterator[Parsed]:
        """The blocks in order (all, or those given), with the columns named, by their position in the header, as text.

        text: the type of a column, default string; a dictionary has each distinct text of a block once.
        Raises SnapshotRefused where a block is no CSV or has more than `malformed_limit` malformed records.
        """
        schema = pa.schema([("record_number", pa.int64()), *((name, text or pa.string()) for name in columns)])
        waiting: deque[Future[Parsed]] = deque()
        with ThreadPoolExecutor(THREADS) as pool:
            for block in self.blocks if blocks is None else blocks:
                waiting.append(pool.submit(self._parse, block, columns, schema, malformed_limit))
                if len(waiting) > 2 * THREADS:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()

    def _parse(self, block: Block, columns: Mapping[str, int], schema: pa.Schema, malformed_limit: int) -> Parsed:
        malformed: list[Malformed] = []
        too_wide: list[int] = []

        def put_aside(row: arrow_csv.InvalidRow) -> str:
            if row.actual_columns > FIELD_LIMIT:
                too_wide.append(row.number)
            if len(malformed) > malformed_limit or too_wide:
                return "error"
            reason = f"expected {row.expected_columns} fields, found {row.actual_columns}"
            malformed.append(Malformed(block.first_record - 1 + row.number, row.text, reason))
            return "skip"

        # Columns go by position: a name may stand twice among those nobody asks for.
        places = {name: f"column_{place}" for name, place in columns.items()}
        try:
            table = arrow_csv.read_csv(
                pa.BufferReader(self._mapped(block)),
                arrow_csv.ReadOptions(
                    use_threads=False,  # rows are numbered only then
                    block_size=block.length + 1,
                    column_names=[f"column_{place}" for place in range(len(self.header))],
                ),
                arrow_csv.ParseOptions(newlines_in_values=True, invalid_row_handler=put_aside),
                arrow_csv.ConvertOptions(
                    column_types={places[name]: schema.field(name).type for name in columns},
                    include_columns=list(places.values()),
                    strings_can_be_null=False,
                    check_utf8=False,  # done when the file was cut
                ),
            )
        except pa.ArrowInvalid as error:
            if too_wide:
                _cut_at_records(self.path, self.where)  # refuses it and names the line
            raise self._no_csv(error) from error
        numbers = np.arange(block.first_record, block.first_record + table.num_rows + len(malformed))
        if malformed:
            numbers = np.setdiff1d(numbers, [record.record_number for record in malformed])
        cells = [column.combine_chunks() for column in table.columns]
        arrays = [cell.chunk(0) if isinstance(cell, pa.ChunkedArray) else cell for cell in cells]
        batch = pa.RecordBatch.from_arrays([pa.array(numbers, pa.int64()), *arrays], schema=schema)
        return Parsed(block, batch, malformed)

    def _mapped(self, block: Block) -> pa.Buffer:
        """The block's bytes, not copied: nobody else writes to a file that is being parsed."""
        with pa.memory_map(str(self.path)) as source:
            source.seek(block.offset)
            return source.read_buffer(block.length)

    def _no_csv(self, error: Exception) -> SnapshotRefused:
        return SnapshotRefused(f"{self.where}: expected CSV in UTF-8, {error}; ask the publisher again")


def cut_into_blocks(path: Path, where: str) -> BlockedCsv:
    """Look through a CSV with commas and double quotes, in UTF-8 with or without byte order mark.

    Raises SnapshotRefused (its message begins with `where`) for all that `text_lines`, `mostly_without_mojibake` and
    `CsvRecords` refuse.
    """
    return _cut_at_lines(path, where) or _cut_at_records(path, where)


# -- by bytes --------------------------------------------------------------------------------------------------------


def _cut_at_lines(path: Path, where: str) -> BlockedCsv | None:
    """The file cut at line ends; None where one of them may lie within a record or something may be wrong."""
    with path.open("rb") as stream:
        begin = stream.read(RECORD_LIMIT_CHARACTERS)
        header_end = begin.find(b"\n") + 1
        mark = len(_BYTE_ORDER_MARK) if begin.startswith(_BYTE_ORDER_MARK) else 0
        if not header_end or _records_of(begin[mark:header_end], where) != 1:
            return None
        header = next(CsvRecords([begin[mark:header_end].decode()], where, strict=True))
        blocks: list[Block] = []
        first_record = 1
        for at, length, records in _counted(_whole_lines(stream, header_end), where):
            if records is None:
                return None
            if records:
                blocks.append(Block(len(blocks), at, length, first_record, records))
            first_record += records
    return BlockedCsv(path, where, _names(header), tuple(blocks))


def _whole_lines(stream: BinaryIO, at: int) -> Iterator[tuple[int, bytes]]:
    """Blocks of whole lines from an offset on, each with its own; a line too long for a block makes an empty one."""
    while data := os.pread(stream.fileno(), BLOCK_BYTES, at):
        # The last line may be open.
        end = len(data) if len(data) < BLOCK_BYTES else data.rfind(b"\n") + 1
        yield at, data if end == len(data) else data[:end]
        at += end or len(data)


def _counted(blocks: Iterator[tuple[int, bytes]], where: str) -> Iterator[tuple[int, int, int | None]]:
    """Offset and length of each block in order, with what `_records_of` says of it."""
    waiting: deque[tuple[int, int, Future[int | None]]] = deque()
    with ThreadPoolExecutor(THREADS) as pool:
        for at, block in blocks:
            waiting.append((at, len(block), pool.submit(_records_of, block, where)))
            if len(waiting) > THREADS:
                offset, length, records = waiting.popleft()
                yield offset, length, records.result()
        for offset, length, records in waiting:
            yield offset, length, records.result()


def _records_of(block: bytes, where: str) -> int | None:
    """The number of records in whole lines; None where they cannot be told, or hold what is refused."""
    windows = range(0, len(block) - _WINDOW_BYTES + 1, _WINDOW_BYTES)
    if not block or b"\0" in block or any(block.find(b"\n", at, at + _WINDOW_BYTES) < 0 for at in windows):
        return None
    if not block.isascii():
        try:
            text = block.decode()
        except UnicodeDecodeError:
            return None
        if is_mojibake(text):
            return None
    letters = np.frombuffer(block, np.uint8)
    line_ends = letters == _LINE_FEED
    if _has_a_record_per_line(block, letters, line_ends):
        return int(np.count_nonzero(line_ends)) + (not block.endswith(b"\n"))
    try:
        return sum(1 for row in CsvRecords(io.StringIO(block.decode(), newline=""), where, strict=True) if row)
    except SnapshotRefused:
        return None


def _has_a_record_per_line(block: bytes, letters: np.ndarray, line_ends: np.ndarray) -> bool:
    """Whether no line is blank, ends by a bare carriage return or breaks off within quotes."""
    if b"\r" in block and (b"\n\r" in block or block.count(b"\r") != block.count(b"\r\n")):
        return False
    if block.startswith((b"\n", b"\r")) or (line_ends[1:] & line_ends[:-1]).any():
        return False
    return b'"' not in block or _is_quoted_plainly(letters, line_ends)


def _is_quoted_plainly(letters: np.ndarray, line_ends: np.ndarray) -> bool:
    """Whether quotes stand only around whole fields, and no line ends within them."""
    quotes = np.flatnonzero(letters == _QUOTE)
    opening, closing = quotes[0::2], quotes[1::2]
    if len(opening) != len(closing):
        return False
    before = letters[opening[opening > 0] - 1]
    after = letters[closing[closing < len(letters) - 1] + 1]
    if not np.isin(before, (_COMMA, _LINE_FEED)).all() or not np.isin(after, (_COMMA, _LINE_FEED, _RETURN)).all():
        return False
    breaks = np.flatnonzero(line_ends)
    return bool((np.searchsorted(breaks, opening) == np.searchsorted(breaks, closing)).all())


# -- by the csv module -----------------------------------------------------------------------------------------------


def _cut_at_records(path: Path, where: str) -> BlockedCsv:
    """The file cut at the ends of records as the csv module sees them."""
    at = 0

    def measured(lines: Iterable[str]) -> Iterator[str]:
        nonlocal at
        for line in lines:
            at += len(line) if line.isascii() else len(line.encode())
            yield line

    with path.open("rb") as stream:
        at = len(_BYTE_ORDER_MARK) if stream.read(len(_BYTE_ORDER_MARK)) == _BYTE_ORDER_MARK else 0
    rows = CsvRecords(measured(mostly_without_mojibake(text_lines(path, where), where)), where, strict=True)
    header = next(rows, [])
    blocks: list[Block] = []
    begin, first_record, records = at, 1, 0
    for row in itertools.chain(rows, [None]):
        records += bool(row)
        if at - begin >= BLOCK_BYTES or row is None:
            if records:
                blocks.append(Block(len(blocks), begin, at - begin, first_record, records))
            begin, first_record, records = at, first_record + records, 0
    return BlockedCsv(path, where, _names(header), tuple(blocks))


def _names(header: Sequence[str]) -> tuple[str, ...]:
    return tuple(name.strip() for name in header)
