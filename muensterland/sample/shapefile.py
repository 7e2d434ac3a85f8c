"""Write polygons as an ESRI shapefile, byte for byte the same everywhere (GDAL would put today's date into it)."""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from muensterland.sample.geography import Point

# ESRI Shapefile Technical Description (1998): file code, version, shape type; dBASE III: version and last update.
FILE_CODE, VERSION, POLYGON = 9994, 1000, 5
HEADER_BYTES = 100
DBASE_III = 3
LAST_UPDATE = (126, 1, 15)  # years since 1900, month, day


class Field(NamedTuple):
    """A dBASE column: its name, kind (C text, N number, D date) and width in bytes."""

    name: str
    kind: str
    width: int


def shapes(rings: Sequence[Sequence[Point]]) -> tuple[bytes, bytes]:
    """The .shp and .shx of simple polygons, each given counter-clockwise and open."""
    records = [_polygon(ring) for ring in rings]
    body, index = b"", b""
    for number, record in enumerate(records, start=1):
        index += struct.pack(">ii", (HEADER_BYTES + len(body)) // 2, len(record) // 2)
        body += struct.pack(">ii", number, len(record) // 2) + record
    box = _box([point for ring in rings for point in ring])
    return _header(len(body), box) + body, _header(len(index), box) + index


def attributes(fields: Sequence[Field], rows: Sequence[Mapping[str, str]]) -> bytes:
    """The .dbf in UTF-8; text is padded to the right, numbers to the left."""
    record_bytes = 1 + sum(field.width for field in fields)
    header = struct.pack("<B3BIHH20x", DBASE_III, *LAST_UPDATE, len(rows), 32 * (len(fields) + 1) + 1, record_bytes)
    columns = b"".join(
        struct.pack("<11sc4xB15x", field.name.encode(), field.kind.encode(), field.width) for field in fields
    )
    return header + columns + b"\r" + b"".join(_record(fields, row) for row in rows) + b"\x1a"


def _record(fields: Sequence[Field], row: Mapping[str, str]) -> bytes:
    return b" " + b"".join(_padded(field, row[field.name].encode()) for field in fields)


def _padded(field: Field, value: bytes) -> bytes:
    if len(value) > field.width:
        raise ValueError(f"{field.name}: {value!r} is longer than {field.width} bytes")
    return value.rjust(field.width) if field.kind == "N" else value.ljust(field.width)


def _polygon(ring: Sequence[Point]) -> bytes:
    outer = [*reversed(ring), ring[-1]]  # outer rings run clockwise and end where they began
    head = struct.pack("<i4diii", POLYGON, *_box(ring), 1, len(outer), 0)
    return head + b"".join(struct.pack("<2d", *point) for point in outer)


def _header(body_bytes: int, box: tuple[float, float, float, float]) -> bytes:
    words = (HEADER_BYTES + body_bytes) // 2
    return struct.pack(">7i", FILE_CODE, 0, 0, 0, 0, 0, words) + struct.pack(
        "<2i8d", VERSION, POLYGON, *box, 0, 0, 0, 0
    )


def _box(points: Sequence[Point]) -> tuple[float, float, float, float]:
    easts, norths = [point.east for point in points], [point.north for point in points]
    return min(easts), min(norths), max(easts), max(norths)
