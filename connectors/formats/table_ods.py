"""Read a sheet of an OpenDocument spreadsheet (.ods) in bounded memory.

Rows and cells may say that they stand a million times (`number-rows-repeated`): a spreadsheet's blank end is written
so. Repeated cells are only spelt out where they hold something, up to the widest table there is.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, time
from io import BytesIO
from pathlib import Path

from lxml import etree

from connectors.archive import files, open_zip
from connectors.errors import SnapshotRefused
from connectors.formats.table_declaration import TableDeclaration
from connectors.formats.table_files import FIELD_LIMIT, ROW_LIMIT, no_sheet, sheet_of
from connectors.formats.table_sheet import Sheet, tidy
from connectors.text import FIELD_LIMIT as COLUMN_LIMIT
from connectors.workbook import DOCTYPE, MARKUP_LIMIT, UNPACKED_LIMIT_BYTES

_OFFICE = "{urn:oasis:names:tc:opendocument:xmlns:office:1.0}"
_TABLE = "{urn:oasis:names:tc:opendocument:xmlns:table:1.0}"
_TEXT = "{urn:oasis:names:tc:opendocument:xmlns:text:1.0}"
_CELLS = (f"{_TABLE}table-cell", f"{_TABLE}covered-table-cell")
_CLOCK = re.compile(r"PT(\d{1,2})H(\d{1,2})M(?:(\d{1,2})(?:[.,]\d+)?S)?")


@contextmanager
def read_ods(path: Path, where: str, declaration: TableDeclaration) -> Iterator[Iterator[Sheet]]:
    """The declared sheet, or the first one. Raises SnapshotRefused for what is no such spreadsheet."""
    with open_zip(path, UNPACKED_LIMIT_BYTES) as archive:
        if "content.xml" not in files(archive):
            raise SnapshotRefused(f"{where}: expected an ods spreadsheet, found no content.xml; ask the publisher")
        content = archive.read(files(archive)["content.xml"])
    if DOCTYPE in content or content.count(b"<") > MARKUP_LIMIT:
        raise SnapshotRefused(f"{where}: content.xml declares a DOCTYPE or has too many elements; ask the publisher")
    try:
        yield iter([sheet_of(where, declaration, _rows(content, where, declaration))])
    except etree.XMLSyntaxError as error:
        raise SnapshotRefused(
            f"{where}: content.xml: expected XML, {tidy(str(error))}; ask the publisher again"
        ) from error


def _rows(content: bytes, where: str, declaration: TableDeclaration) -> Iterator[tuple[int, Sequence[object]]]:
    names: list[str] = []
    number = 0
    events = etree.iterparse(
        BytesIO(content),
        events=("start", "end"),
        tag=(f"{_TABLE}table", f"{_TABLE}table-row"),
        resolve_entities=False,
        no_network=True,
    )
    wanted = False
    for event, element in events:
        if element.tag == f"{_TABLE}table":
            if event == "end":
                if wanted:
                    return
                continue
            names.append(element.get(f"{_TABLE}name") or "")
            wanted = declaration.sheet in (None, names[-1])
        elif event == "end":
            if wanted:
                cells = _cells(element)
                repeated = _repeated(element, "rows", where)
                # A row that stands many times is the blank end of the sheet, or a mistake.
                for _ in range(repeated if cells else 1):
                    number += 1
                    yield number, cells
                number += 0 if cells else repeated - 1
                if number > ROW_LIMIT and cells:
                    raise SnapshotRefused(f"{where}: more than {ROW_LIMIT} rows; ask for a smaller sheet")
            element.clear()
    if not wanted:
        raise no_sheet(where, declaration.sheet or "", names)


def _cells(row: etree._Element) -> list[object]:
    """The cells of a row as values, without the blank ones at its end."""
    cells: list[object] = []
    blank = 0
    for cell in row.iterchildren(*_CELLS):
        value = _value(cell)
        times = _repeated(cell, "columns", "")
        if value is None:
            blank += times
            continue
        cells += [None] * min(blank, FIELD_LIMIT - len(cells))
        cells += [value] * min(times, COLUMN_LIMIT + 1 - len(cells))
        blank = 0
    return cells


def _repeated(element: etree._Element, what: str, where: str) -> int:
    told = element.get(f"{_TABLE}number-{what}-repeated", "1")
    if not re.fullmatch(r"[1-9]\d{0,6}", told):
        raise SnapshotRefused(f"{where}: number-{what}-repeated is {told[:20]!r}, expected a number; ask the publisher")
    return int(told)


def _value(cell: etree._Element) -> object:
    """What a cell holds by its type: a number, a moment, a flag or a text; None where it is blank."""
    kind = cell.get(f"{_OFFICE}value-type")
    told = cell.get(f"{_OFFICE}value", "")
    if kind in ("float", "percentage", "currency") and re.fullmatch(r"-?\d{1,300}(\.\d{1,300})?(E[+-]?\d{1,3})?", told):
        return float(told)
    if kind == "boolean":
        return cell.get(f"{_OFFICE}boolean-value") == "true"
    if kind == "date":
        return _date(cell.get(f"{_OFFICE}date-value", ""))
    if kind == "time" and (clock := _CLOCK.fullmatch(cell.get(f"{_OFFICE}time-value", ""))):
        hour, minute, second = (int(part or 0) for part in clock.groups())
        return time(hour % 24, minute % 60, second % 60)
    lines = ["".join(paragraph.itertext()) for paragraph in cell.iterchildren(f"{_TEXT}p")]
    return "\n".join(lines) or None


def _date(told: str) -> object:
    try:
        return datetime.fromisoformat(told)
    except ValueError:
        return told
