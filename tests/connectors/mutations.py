"""Damage done to files on purpose: pure functions of bytes and seeded dice.

A mutation is *faithful* where every record it leaves readable is one of the undamaged file: lines cut off, doubled or
swapped, columns moved together with their header, text in another encoding, any damage to an archive (whose members
have checksums). It is not where bytes inside a value change: a digit flipped in a plain CSV is another number, and
nobody can see it.
"""

from __future__ import annotations

import codecs
import csv
import io
import re
import zipfile
from collections.abc import Callable, Mapping
from random import Random

Change = Callable[[bytes, Random], bytes]
STAMP = (2026, 11, 1, 5, 0, 0)
ENCODINGS = ("utf-8-sig", "latin-1", "cp1252", "utf-16", "utf-16-le", "utf-32", "cp437", "mac_roman")


# -- bytes -----------------------------------------------------------------------------------------------------------


def flip(content: bytes, dice: Random) -> bytes:
    """One to eight bytes become others."""
    damaged = bytearray(content)
    for _ in range(dice.randint(1, 8)):
        damaged[dice.randrange(len(damaged))] ^= dice.randint(1, 255)
    return bytes(damaged)


def cut(content: bytes, dice: Random) -> bytes:
    """Nothing after some byte."""
    return content[: dice.randrange(len(content))]


def behead(content: bytes, dice: Random) -> bytes:
    """Nothing before some byte."""
    return content[dice.randrange(len(content)) :]


def drop(content: bytes, dice: Random) -> bytes:
    """A range of bytes is missing."""
    start = dice.randrange(len(content))
    return content[:start] + content[start + dice.randint(1, 200) :]


def double(content: bytes, dice: Random) -> bytes:
    """A range of bytes stands there twice."""
    start = dice.randrange(len(content))
    end = start + dice.randint(1, 200)
    return content[:end] + content[start:end] + content[end:]


def insert(content: bytes, dice: Random) -> bytes:
    """Bytes from nowhere, NULs among them."""
    at = dice.randrange(len(content))
    return (
        content[:at] + bytes(dice.choice((0, 0, 10, 34, 59, 44, 255)) for _ in range(dice.randint(1, 8))) + content[at:]
    )


BYTE_DAMAGE: Mapping[str, Change] = {f.__name__: f for f in (flip, drop, double, insert, behead)}


# -- lines and columns of text ---------------------------------------------------------------------------------------


def cut_lines(content: bytes, dice: Random) -> bytes:
    """Nothing after some line."""
    lines = content.splitlines(keepends=True)
    return b"".join(lines[: dice.randint(1, len(lines))])


def double_lines(content: bytes, dice: Random) -> bytes:
    """A block of lines stands there twice, the second time somewhere."""
    lines = content.splitlines(keepends=True)
    start = dice.randrange(len(lines))
    block, at = lines[start : start + dice.randint(1, 20)], dice.randint(0, len(lines))
    return b"".join([*lines[:at], *block, *lines[at:]])


def double_whole(content: bytes, _: Random) -> bytes:
    """The file follows itself."""
    return content + content


def swap_lines(content: bytes, dice: Random) -> bytes:
    """Some pairs of lines have changed places, the header perhaps among them."""
    lines = content.splitlines(keepends=True)
    for _ in range(dice.randint(1, 10)):
        first, second = dice.randrange(len(lines)), dice.randrange(len(lines))
        lines[first], lines[second] = lines[second], lines[first]
    return b"".join(lines)


def reencode(content: bytes, dice: Random) -> bytes:
    """The same text in another encoding, where that can write it."""
    encoding = dice.choice(ENCODINGS)
    try:
        return content.decode("utf-8-sig").encode(encoding)
    except UnicodeEncodeError:
        return content.decode("utf-8-sig").encode("utf-16")


def encode_twice(content: bytes, dice: Random) -> bytes:
    """UTF-8 that somebody took for Latin-1 and wrote as UTF-8 again."""
    return content.decode("utf-8").encode("utf-8").decode("latin-1").encode("utf-8")


def shuffle_columns(delimiter: str) -> Change:
    """A change that moves columns together with their header; a row of another width stays as it is."""

    def shuffle(content: bytes, dice: Random) -> bytes:
        rows = list(csv.reader(io.StringIO(content.decode("utf-8-sig"), newline=""), delimiter=delimiter))
        width = max(map(len, rows))
        order = dice.sample(range(width), width)
        moved = [[row[place] for place in order] if len(row) == width else row for row in rows]
        text = io.StringIO(newline="")
        csv.writer(text, delimiter=delimiter, lineterminator="\r\n").writerows(moved)
        return text.getvalue().encode()

    return shuffle


def shuffle_header(delimiter: str) -> Change:
    """A change that moves the names of the columns and leaves the columns where they are."""

    def shuffle(content: bytes, dice: Random) -> bytes:
        lines = content.splitlines(keepends=True)
        at = max(range(min(3, len(lines))), key=lambda number: lines[number].count(delimiter.encode()))
        names = lines[at].rstrip(b"\r\n").split(delimiter.encode())
        dice.shuffle(names)
        lines[at] = delimiter.encode().join(names) + b"\r\n"
        return b"".join(lines)

    return shuffle


def change_delimiter(delimiter: str) -> Change:
    """A change to other separators."""
    return lambda content, dice: content.replace(delimiter.encode(), dice.choice((b"\t", b"|", b",", b";", b"")))


LINE_CHANGES: Mapping[str, Change] = {
    f.__name__: f for f in (cut_lines, double_lines, double_whole, swap_lines, reencode, encode_twice)
}


# -- records of the MaStR's XML --------------------------------------------------------------------------------------


def _of_records(change: Callable[[list[str], Random], list[str]]) -> Change:
    """A change to the records of an export file in UTF-16, its root element left around them."""

    def changed(content: bytes, dice: Random) -> bytes:
        text = content.decode("utf-16")
        record = re.findall(r"<(\w+)>", text)[1]
        found = list(re.finditer(rf"<{record}>.*?</{record}>", text, re.DOTALL))
        head, tail = text[: found[0].start()], text[found[-1].end() :]
        records = change([match[0] for match in found], dice)
        return codecs.BOM_UTF16_LE + (head + "\n".join(records) + tail).encode("utf-16-le")

    return changed


def _swapped(records: list[str], dice: Random) -> list[str]:
    return dice.sample(records, len(records))


def _doubled(records: list[str], dice: Random) -> list[str]:
    return [*records, *dice.choices(records, k=dice.randint(1, 10))]


def _cut_short(records: list[str], dice: Random) -> list[str]:
    """The last record ends within itself."""
    return [*records[:-1], records[-1][: dice.randint(1, len(records[-1]))]]


def _in_utf8(content: bytes, dice: Random) -> bytes:
    """The same text in another encoding than the export's."""
    return content.decode("utf-16").encode(dice.choice(("utf-8", "utf-16-be", "utf-8-sig", "utf-32")))


RECORD_CHANGES: Mapping[str, Change] = {
    "swap_records": _of_records(_swapped),
    "double_records": _of_records(_doubled),
    "cut_record": _of_records(_cut_short),
    "reencode": _in_utf8,
}

# -- archives --------------------------------------------------------------------------------------------------------


def members_of(content: bytes) -> dict[str, bytes]:
    """The members of a zip with their contents."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def zipped(members: list[tuple[str, bytes]]) -> bytes:
    """A zip of the members in the order given."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for name, content in members:
            archive.writestr(zipfile.ZipInfo(name, STAMP), content, zipfile.ZIP_DEFLATED)
    return packed.getvalue()


def lose_member(content: bytes, dice: Random) -> bytes:
    """One member is gone."""
    members = list(members_of(content).items())
    del members[dice.randrange(len(members))]
    return zipped(members)


def double_member(content: bytes, dice: Random) -> bytes:
    """One member stands there twice, in another folder or under the very same name."""
    members = list(members_of(content).items())
    name, body = dice.choice(members)
    return zipped([*members, (dice.choice(("", "copy/", "__MACOSX/")) + name, body)])


def reorder_members(content: bytes, dice: Random) -> bytes:
    """The members in another order, perhaps in a folder."""
    members = list(members_of(content).items())
    dice.shuffle(members)
    folder = dice.choice(("", "feed/"))
    return zipped([(folder + name, body) for name, body in members])


def empty_member(content: bytes, dice: Random) -> bytes:
    """One member has no bytes."""
    members = members_of(content)
    return zipped(list({**members, dice.choice(sorted(members)): b""}.items()))


ARCHIVE_CHANGES: Mapping[str, Change] = {
    f.__name__: f
    for f in (flip, cut, drop, double, insert, behead, lose_member, double_member, reorder_members, empty_member)
}


def in_member(fits: Callable[[str], bool], change: Change) -> Change:
    """A change to one of the members whose name `fits`, packed again with right checksums."""

    def changed(content: bytes, dice: Random) -> bytes:
        members = members_of(content)
        name = dice.choice([name for name in sorted(members) if fits(name) and members[name]])
        return zipped(list({**members, name: change(members[name], dice)}.items()))

    return changed
