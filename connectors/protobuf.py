"""Walk the outermost fields of a protobuf message: its parts one by one, so that no message is ever unpacked whole.

Wire format: https://protobuf.dev/programming-guides/encoding/ . Nothing is said of what the parts mean.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from connectors.errors import PayloadRefused

# A message is read whole, then unpacked part by part.
MESSAGE_LIMIT_BYTES = 64 * 2**20
# Unpacked, a part takes up to 50 times its size (empty messages of two bytes). A trip update of 1,000 stops has 40 kB.
PART_LIMIT_BYTES = 2**20
# All trips of Germany at once are some 50,000.
PARTS_LIMIT = 500_000
_VARINT, _FIXED_64, _LENGTH, _FIXED_32 = 0, 1, 2, 5
_FIXED_BYTES = {_FIXED_64: 8, _FIXED_32: 4}
_VARINT_LIMIT_BYTES = 10


class _Malformed(ValueError):
    """The bytes are no protobuf; says where and why."""


def parts(path: Path) -> Iterator[tuple[int, bytes]]:
    """Number and content of every outermost field that holds text, bytes or a message, in the file's order.

    Raises PayloadRefused where the file is larger than MESSAGE_LIMIT_BYTES or a part than PART_LIMIT_BYTES, has more
    than PARTS_LIMIT fields, ends within one, or is no protobuf.
    """
    size = path.stat().st_size
    if size > MESSAGE_LIMIT_BYTES:
        raise PayloadRefused(
            f"{path.name}: {size} bytes of protobuf, expected at most {MESSAGE_LIMIT_BYTES}, as it is read whole; see "
            "the publisher's page for a smaller feed"
        )
    try:
        yield from _walk(path.read_bytes())
    except _Malformed as error:
        raise PayloadRefused(f"{path.name}: expected protobuf, {error}; ask the publisher again") from error


def _walk(content: bytes) -> Iterator[tuple[int, bytes]]:
    at = fields = 0
    while at < len(content):
        begin, fields = at, fields + 1
        if fields > PARTS_LIMIT:
            raise _Malformed(f"byte {begin} begins another field, expected at most {PARTS_LIMIT}")
        tag, at = _varint(content, at)
        number, kind = tag >> 3, tag & 7
        if not 0 < number < 2**29 or kind not in (_VARINT, _LENGTH, *_FIXED_BYTES):
            raise _Malformed(f"byte {begin} begins no field (tag {tag})")
        if kind == _VARINT:
            _, at = _varint(content, at)
            continue
        length, at = _varint(content, at) if kind == _LENGTH else (_FIXED_BYTES[kind], at)
        end = at + length
        if end > len(content):
            raise _Malformed(f"field {number} at byte {begin} has {length} bytes, the file ends after {len(content)}")
        if length > PART_LIMIT_BYTES:
            raise _Malformed(f"field {number} at byte {begin} has {length} bytes, expected at most {PART_LIMIT_BYTES}")
        if kind == _LENGTH:
            yield number, content[at:end]
        at = end


def _varint(content: bytes, at: int) -> tuple[int, int]:
    """A number of 7 bits a byte, the lowest first, and where it ends."""
    value = 0
    for place, byte in enumerate(content[at : at + _VARINT_LIMIT_BYTES]):
        value |= (byte & 0x7F) << (7 * place)
        if byte < 0x80:
            return value, at + place + 1
    raise _Malformed(f"the number at byte {at} does not end")
