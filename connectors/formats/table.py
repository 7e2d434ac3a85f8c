"""Read any table of a register as its source declares it: a municipality's spreadsheet is YAML only.

The declaration (`connectors.formats.table_declaration`) says how the file is written, which staged table it fills and
where each column stands; what it does not say is not guessed. A record is a row below the header, or, with `cells`, one
declared cell of values.
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from connectors.connector import Connector, Snapshot
from connectors.errors import Reason, SnapshotRefused
from connectors.formats import table_declaration
from connectors.formats.table_declaration import Cell, Column, FileKind, Place, TableDeclaration
from connectors.formats.table_files import read_csv, read_geojson, read_json, read_xlsx
from connectors.formats.table_gml import read_gml
from connectors.formats.table_ods import read_ods
from connectors.formats.table_places import (
    Misplaced,
    Pair,
    centres_of,
    degrees,
    is_near,
    misplaced,
    refuse_if_most_are_misplaced,
)
from connectors.formats.table_sheet import Row, Sheet, tidy
from connectors.formats.table_targets import TARGETS
from connectors.formats.table_values import number_of, text_of, typed
from connectors.region import Region
from connectors.staging import StagedWriter
from connectors.tables import TABLE_FINDING
from connectors.text import CUT, is_mojibake

# Open while they are read: what breaks off in the middle of a file is the file's fault, and told as such.
READERS: Mapping[FileKind, Callable[[Path, str, TableDeclaration], AbstractContextManager[Iterator[Sheet]]]] = {
    "csv": read_csv,
    "xlsx": read_xlsx,
    "ods": read_ods,
    "geojson": read_geojson,
    "json": read_json,
    "gml": read_gml,
}
# The largest register of a municipality at hand has 40,000 trees; more is another file, or a bomb.
RECORD_LIMIT = 500_000
BATCH = 20_000
VALUE, MARK, MARK_STATUS = "value", "value_mark", "mark_status"
# Signs that steer terminals and break lines where nobody sees them, NEL (U+0085) and the separators of Unicode among
# them. Tabs and line ends within a cell are none.
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028\u2029]")


class _Unfit(ValueError):
    """A record that cannot be read: column, raw text and reason."""

    def __init__(self, column: str, raw: str, reason: str, code: str | None = None) -> None:
        super().__init__(reason)
        self.column, self.raw, self.reason, self.code = column, raw, reason, code


@dataclass
class _Findings:
    """What somebody should look at, by code and column, with the first example."""

    records: Counter[tuple[str, str]] = field(default_factory=Counter)
    examples: dict[tuple[str, str], str] = field(default_factory=dict)

    def add(self, code: str, column: str, example: str) -> None:
        self.records[code, column] += 1
        self.examples.setdefault((code, column), example)

    def rows(self) -> list[dict[str, Any]]:
        return [
            {"code": code, "field": column, "records": records, "example": self.examples[code, column]}
            for (code, column), records in sorted(self.records.items())
        ]


def parse(snapshot: Snapshot, out: StagedWriter, region: Region, /, *, declaration: TableDeclaration) -> None:
    """Stage the records of the declared table; see the module.

    Raises SnapshotRefused where the file is not as declared, where most of its places are wrong in the same way
    (reason axes_swapped, wrong_crs or outside_coverage) and where its umlauts are broken (reason mojibake).
    """
    where = f"{snapshot.source_id}: {snapshot.path.name}"
    reading = _Reading(snapshot, out, region, declaration, where)
    with READERS[declaration.file](snapshot.path, where, declaration) as sheets:
        for sheet in sheets:
            reading.add(sheet)
    reading.close()


class _Reading:
    """One snapshot on its way to the staged table."""

    def __init__(
        self, snapshot: Snapshot, out: StagedWriter, region: Region, declaration: TableDeclaration, where: str
    ) -> None:
        self._snapshot, self._out, self._declaration, self._where = snapshot, out, declaration, where
        self._target = declaration.target
        self._table = self._target.table
        self._centres: tuple[Pair, ...] = centres_of(region, declaration.covers)
        if declaration.place is not None and not self._centres:
            raise SnapshotRefused(f"{where}: covers names no municipality of the region; mend the source's YAML")
        self._seen: dict[tuple[Any, ...], bytes] = {}
        self._findings = _Findings()
        self._misplaced: Counter[Misplaced] = Counter()
        self._placed = self._records = 0
        self._rows: list[dict[str, Any]] = []

    def add(self, sheet: Sheet) -> None:
        """Stage a sheet, or a page of an answer."""
        if not sheet.header and self._declaration.file in ("json", "geojson", "gml"):
            self._add_nameless(sheet)
            return
        sheet.header = [self._clean(name, "header", 0) for name in sheet.header]
        layout = _Layout(self._declaration, sheet.header, self._where, self._out)
        self._check_crs(sheet)
        for name, times in layout.ambiguous():
            self._findings.add("duplicate_column", name[:100], f"{times} columns are called {name[:100]}")
        self._out.read(self._table, sheet.preamble)
        self._out.out_of_scope(self._table, "preamble", sheet.preamble)
        for row in sheet.rows:
            self._add_row(row, layout)
            if self._records > RECORD_LIMIT:
                raise SnapshotRefused(f"{self._where}: more than {RECORD_LIMIT} records; ask for a smaller file")

    def _add_nameless(self, sheet: Sheet) -> None:
        """A page without features, or objects without a single field."""
        self._out.read(self._table, 0)
        for row in sheet.rows:
            self._out.read(self._table, 1)
            self._out.reject(self._table, row.number, "row", None, row.problem or "no fields")

    def close(self) -> None:
        """Write what is left, refuse a file most of whose places are wrong, tell the findings."""
        refuse_if_most_are_misplaced(self._where, self._placed, self._misplaced)
        self._out.write(self._table, self._rows)
        if rows := self._findings.rows():
            self._out.note(TABLE_FINDING, rows)

    # -- rows -------------------------------------------------------------------------------------------------------

    def _add_row(self, row: Row, layout: _Layout) -> None:
        width = len(layout.values)
        self._records += width
        self._out.read(self._table, width)
        cells = [self._clean_cell(cell, layout, place, row.number) for place, cell in enumerate(row.cells)]
        # Footers have another number of cells than records.
        for reason, column, pattern in layout.left_out:
            if pattern.fullmatch(text_of(cells[column]) if column < len(cells) else ""):
                self._out.out_of_scope(self._table, reason, width)
                return
        if row.problem is not None and (row.problem != CUT or layout.uses_last):
            self._reject_row(row, width, "row", " | ".join(text_of(cell) for cell in row.cells), row.problem)
            return
        try:
            place = self._place(cells, row, layout)
        except _Unfit as unfit:
            self._reject_row(row, width, unfit.column, unfit.raw, unfit.reason)
            if unfit.code is not None:
                self._findings.add(unfit.code, unfit.column, f"row {row.number}: {unfit.raw}: {unfit.reason}")
            return
        for position, words in layout.values:
            try:
                self._stage(row, self._record(cells, position, words, layout, row.number), place)
            except _Unfit as unfit:
                self._out.reject(self._table, row.number, unfit.column, unfit.raw, unfit.reason)
                if unfit.code is not None:
                    self._findings.add(unfit.code, unfit.column, f"row {row.number}: {unfit.raw}")

    def _reject_row(self, row: Row, records: int, column: str, raw: str, reason: str) -> None:
        for _ in range(records):
            self._out.reject(self._table, row.number, column, raw, reason)

    def _stage(self, row: Row, record: dict[str, Any], place: Pair | None) -> None:
        key = tuple(record[name] for name in self._target.key)
        content = hashlib.sha256(repr(record).encode("utf-8", "backslashreplace")).digest()
        if key in self._seen:
            words = "record repeated" if self._seen[key] == content else "key repeated with other values"
            told = " ".join(str(part) for part in key if part is not None)
            raise _Unfit(self._target.key[-1], told, words, "duplicate_key")
        self._seen[key] = content
        if self._target.is_placed:
            longitude, latitude = place or (None, None)
            record = record | {"longitude": longitude, "latitude": latitude}
        self._rows.append({"record_number": row.number, **record})
        if len(self._rows) == BATCH:
            self._out.write(self._table, self._rows)
            self._rows = []

    def _record(
        self, cells: Sequence[object], position: int | None, words: Mapping[str, str], layout: _Layout, number: int
    ) -> dict[str, Any]:
        """The columns of a record; raises _Unfit."""
        record: dict[str, Any] = dict.fromkeys(self._target.declarable)
        for name, told in self._declaration.columns.items():
            raw = self._told(told, cells, position, words, layout)
            if name == VALUE and text_of(raw) in self._declaration.marks:
                record[MARK], record[MARK_STATUS] = text_of(raw), self._declaration.marks[text_of(raw)]
                continue
            record[name] = self._value(name, told, raw)
        for name in self._target.required:
            if record[name] is None:
                raise _Unfit(name, "", f"no {name}")
        return record

    def _told(
        self, told: Cell, cells: Sequence[object], position: int | None, words: Mapping[str, str], layout: _Layout
    ) -> object:
        """What the declaration says of a column, before it is a value."""
        if told.fixed is not None:
            return told.fixed
        if told.partition is not None:
            return self._snapshot.partition.get(told.partition)
        if told.cell is not None:
            names = (told.cell,) if isinstance(told.cell, str) else told.cell
            for name in names:
                if name == VALUE and position is not None:
                    return cells[position]
                if words.get(name) is not None:
                    return words[name]
            return None
        if told.digest:
            texts = [text_of(layout.cell(cells, column)) for column in told.digest]
            return hashlib.sha256("\0".join(texts).encode("utf-8", "backslashreplace")).hexdigest()[:16]
        if told.columns:
            texts = [text_of(layout.cell(cells, column)) for column in told.columns]
            return told.join.join(text for text in texts if not self._is_missing(text))
        return None if told.column is None else layout.cell(cells, told.column)

    def _value(self, name: str, told: Cell, raw: object) -> Any:
        """A staged value; raises _Unfit."""
        text = text_of(raw)
        if self._is_missing(text):
            return None
        content: object = raw
        if told.pattern is not None:
            found = re.fullmatch(told.pattern, text, re.DOTALL)
            if found is None:
                if told.optional:
                    return None
                raise _Unfit(name, text, f"does not fit the pattern of {name}")
            content = next((group for group in found.groups() if group is not None), "").strip()
            if not content:
                return None
        if told.words:
            word = told.words.get(text_of(content))
            if word is None:
                if told.optional:
                    return None
                raise _Unfit(name, text, f"no declared word of {name}")
            content = word
        kind = self._table.columns.field(name).type
        try:
            return typed(content, kind, self._declaration.decimal, self._declaration.thousands, told.format)
        except ValueError as error:
            raise _Unfit(name, text, str(error)) from error

    def _is_missing(self, text: str) -> bool:
        return not text or text in self._declaration.missing

    # -- places -----------------------------------------------------------------------------------------------------

    def _check_crs(self, sheet: Sheet) -> None:
        place = self._declaration.place
        if place is not None and place.geometry and sheet.crs not in (None, place.crs):
            raise SnapshotRefused(
                f"{self._where}: expected coordinates in {place.crs}, the file says {sheet.crs}; mend place.crs in the "
                "source's YAML",
                Reason("wrong_crs", "place"),
            )

    def _place(self, cells: Sequence[object], row: Row, layout: _Layout) -> Pair | None:
        """Longitude and latitude of a row, None where it has none; raises _Unfit."""
        declared = self._declaration.place
        if declared is None:
            return None
        pair = row.point if declared.geometry else self._pair(declared, cells, layout)
        if pair is None:
            return None
        self._placed += 1
        found = degrees(declared.crs, *pair)
        if is_near(found, self._centres):
            return found
        wrong = misplaced(declared.crs, *pair, self._centres)
        self._misplaced[wrong] += 1
        raise _Unfit("place", f"{pair[0]:g} {pair[1]:g}", wrong.words, wrong.code)

    def _pair(self, declared: Place, cells: Sequence[object], layout: _Layout) -> Pair | None:
        """The coordinates as the declared columns have them, x first; raises _Unfit."""
        if declared.pair is not None:
            raw: object = layout.cell(cells, declared.pair)
            text = text_of(raw)
            parts: list[object] = list(re.split(r"\s*[,;]\s*|\s+", text)) if text else []
            if declared.order == "lat_lon":
                parts.reverse()
        else:
            parts = [layout.cell(cells, column) for column in declared.named]
        texts = [text_of(part) for part in parts]
        if all(self._is_missing(text) for text in texts):
            return None
        try:
            x, y = (number_of(part, self._declaration.decimal, self._declaration.thousands) for part in parts)
        except ValueError as error:
            raise _Unfit("place", " ".join(texts), f"no coordinates: {error}") from error
        return x, y

    # -- texts ------------------------------------------------------------------------------------------------------

    def _clean_cell(self, cell: object, layout: _Layout, place: int, number: int) -> object:
        if not isinstance(cell, str) or (cell.isascii() and cell.isprintable()):
            return cell
        return self._clean(cell, layout.header[place] if place < len(layout.header) else str(place + 1), number)

    def _clean(self, text: str, column: str, number: int) -> str:
        """A text without control characters, which are told; raises SnapshotRefused where its letters are broken."""
        if is_mojibake(text):
            raise SnapshotRefused(
                f"{self._where}: row {number}, {column}: {text[:60]!r} has a broken encoding (`MÃ¼nster`); check "
                "encoding in the source's YAML or ask the publisher",
                Reason("mojibake", column),
            )
        if (found := _CONTROL.search(text)) is None:
            return text
        name = f"U+{ord(found[0]):04X}"
        self._findings.add("control_character", column or "header", f"row {number}: {name} in {text[:60]!a}")
        return _CONTROL.sub(" ", text)


class _Layout:
    """Where the declared columns stand in a header.

    values: place and words of each column of values; one without a place where a row is a record.
    """

    def __init__(self, declaration: TableDeclaration, header: Sequence[str], where: str, out: StagedWriter) -> None:
        self.header = list(header)
        self._declaration, self._where, self._out = declaration, where, out
        self._table = declaration.target.table
        self._places: dict[Column, int | None] = {}
        self._lacking: list[str] = []
        out.saw_header(self._table, [name or str(place) for place, name in enumerate(header, start=1)])
        self.values = self._value_columns()
        needed = {
            column
            for name in declaration.target.required
            if (cell := declaration.columns[name])
            for column in cell.named
        }
        needed |= set(declaration.place.named) if declaration.place is not None else set()
        for cell in declaration.columns.values():
            for column in cell.named:
                self._find(column, column in needed)
        for column in declaration.place.named if declaration.place is not None else ():
            self._find(column, True)
        self.left_out = [
            (each.reason, place, re.compile(each.pattern, re.DOTALL))
            for each in declaration.out_of_scope
            if (place := self._find(each.column, False)) is not None
        ]
        used = {place for place in self._places.values() if place is not None}
        used |= {position for position, _ in self.values if position is not None}
        self._used = used
        self.uses_last = len(header) - 1 in used
        self._tell_new(used)
        if self._lacking:
            # Only now, when it is told which columns may be the missing ones under new names.
            raise SnapshotRefused(
                f"{where}: expected a column {self._lacking[0]!r}, found {self._told()}; mend columns in the source's "
                "YAML or ask the publisher"
            )

    def ambiguous(self) -> Iterator[tuple[str, int]]:
        """Names that several columns have, not all of which are declared by their place, and how many there are."""
        for name, times in Counter(filter(None, self.header)).items():
            if times > 1 and any(each == name and place not in self._used for place, each in enumerate(self.header)):
                yield name, times

    def cell(self, cells: Sequence[object], column: Column) -> object:
        """The cell of a declared column; None where the header has it not."""
        place = self._places[column]
        return None if place is None else cells[place]

    def _value_columns(self) -> list[tuple[int | None, Mapping[str, str]]]:
        cells = self._declaration.cells
        if cells is None:
            return [(None, {})]
        found: list[tuple[int | None, Mapping[str, str]]] = []
        if cells.pattern is not None:
            for place, name in enumerate(self.header):
                if fits := re.fullmatch(cells.pattern, name):
                    words = {word: text for word, text in fits.groupdict().items() if text is not None}
                    found.append((place, words))
            if not found:
                raise SnapshotRefused(
                    f"{self._where}: expected columns of values that fit {cells.pattern}, found {self._told()}; mend "
                    "cells in the source's YAML"
                )
            return found
        return [(self._find(each.column, True), each.words) for each in cells.columns]

    def _find(self, column: Column, is_needed: bool) -> int | None:
        """The place of a column from 0; None where it is not there and nothing needs it."""
        if column not in self._places:
            self._places[column] = self._place_of(column, is_needed)
        return self._places[column]

    def _place_of(self, column: Column, is_needed: bool) -> int | None:
        if isinstance(column, int):
            if column <= len(self.header):
                return column - 1
            told = str(column)
        else:
            names = [tidy(name) for name in ((column,) if isinstance(column, str) else column)]
            for name in names:
                if self.header.count(name) > 1:
                    raise SnapshotRefused(
                        f"{self._where}: {self.header.count(name)} columns are called {name!r}; declare the column by "
                        "its place from 1 in the source's YAML",
                        Reason("duplicate_column", name),
                    )
                if name in self.header:
                    return self.header.index(name)
            told = names[0]
        self._out.drift(self._table, told, "missing")
        self._lacking += [told] * is_needed
        return None

    def _told(self) -> str:
        return ", ".join(repr(name) for name in self.header[:20])[:1000]

    def _tell_new(self, used: set[int]) -> None:
        """Report the columns that nobody declared."""
        for place, name in enumerate(self.header):
            if (
                name
                and place not in used
                and not any(re.fullmatch(known, name) for known in self._declaration.not_staged)
            ):
                self._out.drift(self._table, name, "new")


CONNECTOR = Connector(
    name="table",
    version=1,
    payload="csv",
    tables=tuple(target.table for target in TARGETS.values()),
    parse=parse,
    options=table_declaration.read_options,
    payload_of=table_declaration.payload,
)
