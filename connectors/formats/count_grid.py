"""A table of counts as cells: the header and the rows below it, from a CSV, a workbook, or one of them in a zip.

A CSV is read by Arrow, in one go; how many records it has is counted apart, from the ends of its lines, or by Python's
csv module where a quote or a lone carriage return makes lines and records two things.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as arrow_csv

from connectors.archive import extract, files, open_zip
from connectors.connector import Snapshot
from connectors.errors import SnapshotRefused
from connectors.formats.count_layout import Layout
from connectors.staging import REJECTED_LIMIT, StagedWriter
from connectors.text import RECORD_LIMIT_CHARACTERS, CsvRecords, is_mojibake, text_lines, without_mojibake
from connectors.workbook import cell_text, open_workbook

# A month of minutes with 20 channels has 900,000 cells of a few bytes; a file is read whole.
FILE_LIMIT_BYTES = 64 * 2**20
ROW_LIMIT = 1_000_000
COLUMN_LIMIT = 500
HEADER_WITHIN_ROWS = 100
_BLANK_LINE = re.compile(rb"^\r?\n", re.MULTILINE)


@dataclass(frozen=True)
class Malformed:
    """A row that is not as wide as it should be: its number below the header, its text and its cells."""

    number: int
    text: str
    cells: list[str]
    reason: str


@dataclass(frozen=True)
class Cells:
    """The rows that are as wide as they should be. numbers: theirs below the header, from 1 on.

    Columns are text, or whole numbers where that was asked for and all cells of a column are such or blank.
    """

    columns: list[pa.Array]
    numbers: npt.NDArray[np.int64]
    malformed: list[Malformed]

    def text(self, place: int) -> pa.Array:
        """A column as text, blanks as such."""
        column = self.columns[place]
        return column if column.type == pa.string() else column.cast(pa.string()).fill_null("")


@dataclass(frozen=True)
class Grid:
    """A table: its header, what stands above it, and how many rows there are below.

    is_cut: the last row may be cut, for the file ends within its line.
    """

    header: list[str]
    above: int
    records: int
    is_cut: bool
    where: str
    _body: bytes
    _rows: list[list[str]] | None
    _layout: Layout

    def cells(self, width: int, numbers: Sequence[int] = (), values: int = 1) -> Cells:
        """The rows of `width` cells (a trailing delimiter not counted), the columns `numbers` as whole numbers.

        Where that does not work, all of them are text: see `Cells`. values: records of a row, which bounds how many
        malformed ones are kept. Raises SnapshotRefused where the text is no CSV.
        """
        if self._rows is not None:
            return _of_rows(self._rows, width)
        if numbers and not self._has_odd_numbers():
            try:
                return self._read(width, values, dict.fromkeys(numbers, pa.int64()))
            except pa.ArrowInvalid:
                pass  # Some cell is no number: all are read as text, and that cell is told of.
        try:
            return self._read(width, values, {})
        except pa.ArrowInvalid as error:
            raise SnapshotRefused(f"{self.where}: expected CSV, {error}; ask the publisher again") from error

    def _has_odd_numbers(self) -> bool:
        """Whether some cell may be a number in Arrow's eyes alone."""
        return b"0x" in self._body or b"0X" in self._body

    def _read(self, width: int, values: int, types: dict[int, pa.DataType]) -> Cells:
        layout, malformed = self._layout, list[Malformed]()
        fields = width + layout.trailing_delimiter

        def put_aside(row: arrow_csv.InvalidRow) -> str:
            if len(malformed) * values > REJECTED_LIMIT:
                return "error"
            cells = next(csv.reader([row.text], delimiter=layout.delimiter), [])
            reason = f"expected {fields} fields, found {row.actual_columns}"
            malformed.append(Malformed(row.number, row.text, cells, reason))
            return "skip"

        names = [str(place) for place in range(fields)]
        table = arrow_csv.read_csv(
            pa.py_buffer(self._body),
            # Rows are numbered only without threads.
            arrow_csv.ReadOptions(use_threads=False, column_names=names, block_size=max(len(self._body), 1)),
            arrow_csv.ParseOptions(
                delimiter=layout.delimiter,
                quote_char=layout.quote or False,
                newlines_in_values=layout.quote is not None and layout.quote.encode() in self._body,
                invalid_row_handler=put_aside,
            ),
            arrow_csv.ConvertOptions(
                column_types={name: types.get(place, pa.string()) for place, name in enumerate(names)},
                null_values=[""],
                strings_can_be_null=False,
            ),
        )
        columns = [_one_piece(column) for column in table.columns]
        total = len(table) + len(malformed)
        wrong = [row.number for row in malformed]
        numbers = np.setdiff1d(np.arange(1, total + 1), wrong) if wrong else np.arange(1, total + 1)
        if layout.trailing_delimiter:
            last = columns.pop()
            filled = np.flatnonzero(pc.not_equal(last, "").to_numpy(zero_copy_only=False))
            for row in filled.tolist():
                cells = [str(column[row].as_py()) for column in [*columns, last]]
                text = layout.delimiter.join(cells)
                reason = f"expected a row that ends with {layout.delimiter!r}, found {cells[-1]!r} there"
                malformed.append(Malformed(int(numbers[row]), text, cells, reason))
            if filled.size:
                kept = np.setdiff1d(np.arange(len(table)), filled)
                columns, numbers = [column.take(pa.array(kept)) for column in columns], numbers[kept]
        return Cells(columns, numbers, malformed)


def _one_piece(column: pa.ChunkedArray) -> pa.Array:
    return column.chunk(0) if column.num_chunks == 1 else pa.concat_arrays(column.chunks)


def read_grid(snapshot: Snapshot, layout: Layout, out: StagedWriter) -> Grid:
    """The table that a snapshot holds, as its layout says.

    Raises SnapshotRefused for a file of another encoding or format, of a broken encoding, too large, or without the
    header that the layout says, with what was found and what to declare.
    """
    where = f"{snapshot.source_id}: {snapshot.path.name}"
    path = snapshot.path if layout.zip_member is None else _member(snapshot.path, layout.zip_member, where, out)
    if layout.file == "xlsx":
        return _workbook(path, where, layout)
    if path.stat().st_size > FILE_LIMIT_BYTES:
        raise SnapshotRefused(
            f"{where}: {path.stat().st_size} bytes, expected at most {FILE_LIMIT_BYTES} of one table; ask the publisher"
        )
    text = _decoded(path, where, layout.encoding)
    lines = _Lines(text)
    records = CsvRecords(lines, where, **_dialect(layout))
    header, above = _header(records, layout, where)
    body = text[lines.characters :].encode()
    counted = _plain_count(body, layout.quote)
    count, is_cut = counted or (sum(1 for row in records if row), records.ends_open)
    return Grid(header, above, count, is_cut, where, body, None, layout)


def _decoded(path: Path, where: str, encoding: str) -> str:
    """The file's text without byte order mark; what is wrong with it is told as `text_lines` tells it."""
    try:
        text = path.read_bytes().decode("utf-8-sig" if encoding == "utf-8" else encoding)
    except (UnicodeError, LookupError):
        text = "\0"
    if "\0" in text or _may_have_a_long_line(text) or (not text.isascii() and is_mojibake(text)):
        for _ in without_mojibake(text_lines(path, where, encoding), where):
            pass
    return text


def _may_have_a_long_line(text: str) -> bool:
    """Whether a line may be longer than is read: one that is holds a whole window of half that length."""
    half = RECORD_LIMIT_CHARACTERS // 2
    return any(text.find("\n", at, at + half) < 0 for at in range(0, len(text) - half, half))


class _Lines(Iterator[str]):
    """The lines of a text with their ends, one at a time; `characters` is how many it gave out."""

    _LINE = re.compile(r"[^\r\n]*(?:\r\n|\r|\n)|[^\r\n]+")

    def __init__(self, text: str) -> None:
        self.characters = 0
        self._found = self._LINE.finditer(text)

    def __next__(self) -> str:
        line = next(self._found)
        self.characters = line.end()
        return line[0]


def _dialect(layout: Layout) -> dict[str, Any]:
    quoting: dict[str, Any] = {"quotechar": layout.quote} if layout.quote is not None else {"quoting": csv.QUOTE_NONE}
    return {"delimiter": layout.delimiter, "strict": True, **quoting}


def _plain_count(body: bytes, quote: str | None) -> tuple[int, bool] | None:
    """How many lines are not blank and whether the last one is open; None where a line may not be a record."""
    if (quote is not None and quote.encode() in body) or body.count(b"\r") != body.count(b"\r\n"):
        return None
    is_open = bool(body) and not body.endswith(b"\n")
    lines = body.count(b"\n") + is_open
    if body.startswith((b"\n", b"\r\n")) or b"\n\n" in body or b"\n\r\n" in body:
        lines -= sum(1 for _ in _BLANK_LINE.finditer(body))
    return lines, is_open


def _header(rows: Iterator[list[str]], layout: Layout, where: str) -> tuple[list[str], int]:
    """The header's names, stripped, and how many rows stand above it."""
    above = 0
    seen: list[str] = []
    for row in rows:
        names = [name.strip() for name in row]
        is_header = set(layout.header_marks) <= set(names) if layout.header_marks else above + 1 == layout.header_row
        if is_header:
            return names, above
        seen = seen or names
        above += 1
        if above == HEADER_WITHIN_ROWS:
            break
    if not layout.header_marks and above < layout.header_row:
        return seen if layout.header_row == 1 else [], above
    raise SnapshotRefused(
        f"{where}: none of the first {HEADER_WITHIN_ROWS} rows holds {', '.join(map(repr, layout.header_marks))}, "
        f"the first is {shown(seen)}; declare the header by header_marks or header_row"
    )


def shown(names: Sequence[str]) -> str:
    """Names of columns for a message: the first ones, cut short."""
    told = ", ".join(repr(name[:60]) for name in names[:12])
    return f"{told}{f', … ({len(names)} columns)' if len(names) > 12 else ''}" if names else "nothing"


def _member(path: Path, pattern: str, where: str, out: StagedWriter) -> Path:
    """The one member of a zip whose name fits, unpacked beside what is being staged."""
    with open_zip(path, 4 * FILE_LIMIT_BYTES) as archive:
        fitting = [member for member in files(archive) if re.fullmatch(pattern, member)]
        if len(fitting) != 1:
            raise SnapshotRefused(
                f"{where}: expected one member that fits zip_member {pattern!r}, found "
                f"{shown(fitting or sorted(files(archive)))}; mend the pattern in the source's YAML"
            )
        return extract(archive, files(archive)[fitting[0]], out.scratch)


def _workbook(path: Path, where: str, layout: Layout) -> Grid:
    with open_workbook(path, where) as workbook:
        # Charts have sheets of their own, without rows.
        sheets = {sheet.title: sheet for sheet in workbook.worksheets}
        if not sheets or (layout.sheet is not None and layout.sheet not in sheets):
            wanted = "a sheet" if layout.sheet is None else f"a sheet {layout.sheet!r}"
            raise SnapshotRefused(
                f"{where}: expected {wanted}, found {shown(list(sheets))}; declare sheet, or ask the publisher again"
            )
        sheet = sheets[layout.sheet] if layout.sheet is not None else next(iter(sheets.values()))
        # Bounded: a row may claim to be the billionth, and a cell to be the last of 18,278.
        within = sheet.iter_rows(max_row=ROW_LIMIT + 1, max_col=COLUMN_LIMIT, values_only=True)
        rows = [_trimmed([cell_text(cell) for cell in row]) for row in within]
    if len(rows) > ROW_LIMIT:
        raise SnapshotRefused(f"{where}: the sheet has more than {ROW_LIMIT} rows; ask the publisher")
    broken = next((cell for row in rows for cell in row if not cell.isascii() and is_mojibake(cell)), None)
    if broken is not None:
        raise SnapshotRefused(f"{where}: cell {broken[:60]!r} has a broken encoding; ask the publisher again")
    remaining = iter(rows)
    header, above = _header(remaining, layout, where)
    body = list(remaining)
    while body and not body[-1]:
        body.pop()
    return Grid(header, above, len(body), False, where, b"", body, layout)


def _trimmed(cells: list[str]) -> list[str]:
    """A row without blank cells at its end: a workbook's rows are as wide as its widest."""
    while cells and not cells[-1].strip():
        cells.pop()
    return cells


def _of_rows(rows: list[list[str]], width: int) -> Cells:
    malformed, kept, numbers = [], [], []
    for number, row in enumerate(rows, start=1):
        if len(row) > width:
            reason = f"expected {width} cells, found {len(row)}"
            malformed.append(Malformed(number, "\t".join(row), row, reason))
        else:
            kept.append(row + [""] * (width - len(row)))
            numbers.append(number)
    columns = [pa.array([row[place] for row in kept], pa.string()) for place in range(width)]
    return Cells(columns, np.array(numbers, np.int64), malformed)
