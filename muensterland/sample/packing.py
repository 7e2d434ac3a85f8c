"""Bytes that are equal on every machine: seeded dice, CSV text, zips and workbooks without clock or compressor."""

from __future__ import annotations

import io
import random
import re
import zipfile
from collections.abc import Iterable, Mapping, Sequence

from openpyxl import Workbook

# The moment the sample pretends to be published at; zip members and workbooks carry it.
STAMP = (2026, 11, 1, 5, 0, 0)
STAMP_ISO = b"2026-11-01T05:00:00Z"
UNIX = 3  # `create_system` of a zip made on Unix, whatever machine makes it


def dice(name: str) -> random.Random:
    """A random source of its own for every purpose; the seed is the name, so parts never disturb each other."""
    return random.Random(f"muensterland sample {name}")  # noqa: S311  invented data, no secret


def lines(rows: Iterable[Sequence[str]], separator: str = ",", line_end: str = "\n") -> str:
    """Rows as text with a line end after each; a field that holds separator, quote or line end is quoted."""
    return "".join(separator.join(_field(value, separator) for value in row) + line_end for row in rows)


def _field(value: str, separator: str) -> str:
    if separator in value or '"' in value or "\n" in value:
        return '"' + value.replace('"', '""') + '"'
    return value


def zipped(members: Mapping[str, bytes]) -> bytes:
    """A zip of the members in the order given.

    Stored, not deflated: zlib and zlib-ng compress to different bytes.
    """
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, content in members.items():
            member = zipfile.ZipInfo(name, STAMP)
            member.create_system = UNIX
            member.external_attr = 0o644 << 16
            archive.writestr(member, content, zipfile.ZIP_STORED)
    return out.getvalue()


def workbook_bytes(workbook: Workbook) -> bytes:
    """The workbook as XLSX; the times openpyxl writes into it are replaced by STAMP."""
    draft = io.BytesIO()
    workbook.save(draft)
    with zipfile.ZipFile(draft) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    properties = "docProps/core.xml"
    members[properties] = re.sub(rb"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", STAMP_ISO, members[properties])
    return zipped(members)
