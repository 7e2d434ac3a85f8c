"""Open XLSX workbooks from outside in bounded memory: what could harm the XML parser is refused before it sees it."""

from __future__ import annotations

import codecs
import re
import zipfile
from pathlib import Path

import openpyxl
from openpyxl import Workbook
from openpyxl.utils.exceptions import InvalidFileException

from connectors.archive import open_zip
from connectors.errors import SnapshotRefused

# The largest workbook read, the Gemeindeverzeichnis of 2024, unpacks to 13 MB, and its largest part has 1.9 million
# marks (`<` and `=`). Elements and attributes cost memory by their number, whatever their size.
UNPACKED_LIMIT_BYTES = 64 * 2**20
MARKUP_LIMIT = 4_000_000
# Attributes of one element are compared with each other.
TAG_LIMIT_BYTES = 16_384
# A workbook has no use for a DOCTYPE; entities in one can fill the memory.
DOCTYPE = b"<!DOCTYPE"
# What openpyxl raises, as tried, where a zip is no workbook or its parts do not fit together.
OPENPYXL_FAULTS = (InvalidFileException, zipfile.BadZipFile, OSError, KeyError, ValueError, TypeError, SyntaxError)
_LONG_TAG = re.compile(rb"<[^<>]{%d}" % TAG_LIMIT_BYTES)
_XML_DECLARATION = re.compile(rb"<\?xml[^>]{0,200}?encoding\s*=\s*[\"']([^\"']*)[\"']")


def load(path: Path, where: str) -> Workbook:
    """The workbook, its rows yet unread; iterating them may raise any of OPENPYXL_FAULTS.

    Raises SnapshotRefused (its message begins with `where`) where a part is not fit for an XML parser, and any of
    OPENPYXL_FAULTS where it is no workbook.
    """
    with open_zip(path, UNPACKED_LIMIT_BYTES) as archive:
        for member in archive.infolist():
            # By content: which parts are XML is for the workbook to say, not for their names.
            if fault := _xml_fault(archive.read(member)):
                raise SnapshotRefused(f"{where}: {member.filename} {fault}; ask the publisher")
    return openpyxl.load_workbook(path, read_only=True, data_only=True)


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
