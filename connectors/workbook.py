"""Open xlsx workbooks from outside: what could fill the memory is refused before openpyxl sees it."""

from __future__ import annotations

import codecs
import re
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import MAXYEAR, date, datetime, time, timedelta
from pathlib import Path
from typing import Any

import openpyxl
from openpyxl.utils.exceptions import InvalidFileException

from connectors.archive import open_zip
from connectors.errors import SnapshotRefused

# The largest workbook known, the Gemeindeverzeichnis of 2024, unpacks to 13 MB, and its largest part has 1.9 million
# marks (`<` and `=`). Elements and attributes cost memory by their number, whatever their size.
UNPACKED_LIMIT_BYTES = 64 * 2**20
MARKUP_LIMIT = 4_000_000
# Attributes of one element are compared with each other.
TAG_LIMIT_BYTES = 16_384
# A workbook has no use for a DOCTYPE; entities in one can fill the memory.
DOCTYPE = b"<!DOCTYPE"
_LONG_TAG = re.compile(rb"<[^<>]{%d}" % TAG_LIMIT_BYTES)
_XML_DECLARATION = re.compile(rb"<\?xml[^>]{0,200}?encoding\s*=\s*[\"']([^\"']*)[\"']")
# What openpyxl raises, as tried, where a zip is no workbook or its parts do not fit together.
_OPENPYXL_FAULTS = (InvalidFileException, zipfile.BadZipFile, OSError, LookupError, ValueError, TypeError, SyntaxError)


@contextmanager
def open_workbook(path: Path, where: str) -> Iterator[Any]:
    """An opened workbook that is read row by row, its formulas as their last values.

    Raises SnapshotRefused (its message begins with `where`) for what is no workbook, also while it is being read.
    """
    _check(path, where)
    try:
        yield openpyxl.load_workbook(path, read_only=True, data_only=True)
    except _OPENPYXL_FAULTS as error:
        raise SnapshotRefused(f"{where}: expected an xlsx workbook, {error!r}; ask the publisher again") from error


def cell_text(cell: object) -> str:
    """A cell as text: whole numbers without a fraction, dates as `YYYY-MM-DD HH:mm:ss`, times as `HH:mm:ss`.

    A workbook's moment is a fraction of days: it is taken to the nearest second.
    """
    if cell is None:
        return ""
    if isinstance(cell, datetime):
        nearest = cell + timedelta(microseconds=500_000) if cell.year < MAXYEAR else cell
        return f"{nearest:%Y-%m-%d %H:%M:%S}"
    if isinstance(cell, date):
        return f"{cell:%Y-%m-%d} 00:00:00"
    if isinstance(cell, time):
        return f"{cell:%H:%M:%S}"
    if isinstance(cell, float) and cell.is_integer() and abs(cell) < 2**53:
        return str(int(cell))
    return str(cell)


def _check(path: Path, where: str) -> None:
    """Refuse what could fill the memory before the workbook is opened: entities, and endless elements."""
    with open_zip(path, UNPACKED_LIMIT_BYTES) as archive:
        for member in archive.infolist():
            # By content: which parts are XML is for the workbook to say, not for their names.
            if fault := _xml_fault(archive.read(member)):
                raise SnapshotRefused(f"{where}: {member.filename} {fault}; ask the publisher")


def _xml_fault(content: bytes) -> str | None:
    """Why a part of a workbook is not given to an XML parser; None where it may be, or is no XML."""
    if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE, b"<\0", b"\0<")):
        return "is XML in UTF-16, expected UTF-8"
    if DOCTYPE in content:
        return "declares a DOCTYPE, which a workbook never does"
    declared = _XML_DECLARATION.search(content[:300])
    if declared and declared[1].upper() not in (b"UTF-8", b"US-ASCII"):
        return f"declares the encoding {declared[1].decode('ascii', 'replace')!r}, expected UTF-8"
    markup = content.count(b"<") + content.count(b"=")
    if markup > MARKUP_LIMIT:
        return f"has {markup} elements and attributes, expected at most {MARKUP_LIMIT}"
    if content.lstrip(b"\xef\xbb\xbf\r\n\t ").startswith(b"<") and _LONG_TAG.search(content):
        return f"has an element with more than {TAG_LIMIT_BYTES} bytes of attributes"
    return None
