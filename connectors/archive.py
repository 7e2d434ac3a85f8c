"""Read zip archives from outside: names, sizes and nesting are checked before a byte is unpacked."""

from __future__ import annotations

import errno
import hashlib
import itertools
import os
import shutil
import struct
import sys
import zipfile
import zlib
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath

from connectors.errors import PayloadRefused

# Where a format says nothing narrower.
UNPACKED_LIMIT_BYTES = 2**30
# Deflate cannot honestly do better than 1032:1; XML in UTF-16 reaches about 60:1.
RATIO_LIMIT = 250
MEMBER_LIMIT = 5_000
# The directory is read whole: 5,000 entries with names and extra fields of 800 bytes.
DIRECTORY_LIMIT_BYTES = 4 * 2**20
NAME_LIMIT_CHARACTERS = 500
# What must be left on the disk when a member has been unpacked: the run needs room for more than this file.
SPARE_BYTES = 2**30
RATIO_FLOOR_BYTES = 10 * 2**20
# First bytes of a zip: a member, or the end of an empty archive (APPNOTE 4.3.7, 4.3.16).
_END_RECORD = b"PK\x05\x06"
ZIP_BEGINNINGS = (b"PK\x03\x04", _END_RECORD)
_LOCAL_HEADER_BYTES = 30
# The end record with the longest comment, and before it the two records of zip64.
_TAIL_BYTES = 22 + 2**16 + 76


@contextmanager
def open_zip(path: Path, unpacked_limit_bytes: int = UNPACKED_LIMIT_BYTES) -> Iterator[zipfile.ZipFile]:
    """An opened archive whose directory has passed the checks; raises PayloadRefused with what is wrong."""
    _check_directory_size(path)
    try:
        archive = zipfile.ZipFile(path)
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError, struct.error) as error:
        raise PayloadRefused(f"{path.name}: expected a zip archive, {error}; ask the publisher again") from error
    with archive:
        _check(path, archive, unpacked_limit_bytes)
        try:
            yield archive
        except (zipfile.BadZipFile, EOFError, zlib.error, NotImplementedError, UnicodeDecodeError) as error:
            raise PayloadRefused(f"{path.name}: damaged archive, {error}; ask the publisher again") from error


def _check_directory_size(path: Path) -> None:
    """Refuse a directory that is too large to be read, before `zipfile` reads it whole (APPNOTE 4.3.14, 4.3.16)."""
    with path.open("rb") as stream:
        size = stream.seek(0, os.SEEK_END)
        stream.seek(max(0, size - _TAIL_BYTES))
        tail = stream.read()
    # As `zipfile` looks for it: first at the very end, then before a comment.
    plain = tail[-22:-18] == _END_RECORD and tail.endswith(b"\0\0")
    at = len(tail) - 22 if plain else tail.rfind(_END_RECORD)
    if at < 0 or len(tail) < at + 22:
        return
    (announced,) = struct.unpack_from("<L", tail, at + 12)
    # Zip64 puts its own end record, of 56 bytes, and a locator of 20 before the classic one.
    if at >= 76 and tail[at - 76 : at - 72] == b"PK\x06\x06":
        (announced,) = struct.unpack_from("<Q", tail, at - 76 + 40)
    if announced > DIRECTORY_LIMIT_BYTES:
        raise PayloadRefused(
            f"{path.name}: a directory of {announced} bytes, expected at most {DIRECTORY_LIMIT_BYTES}; "
            "an archive of so many members is not read: ask the publisher"
        )


def _check(path: Path, archive: zipfile.ZipFile, unpacked_limit_bytes: int) -> None:
    members = archive.infolist()
    if len(members) > MEMBER_LIMIT:
        raise PayloadRefused(f"{path.name}: {len(members)} members, expected at most {MEMBER_LIMIT}; ask the publisher")
    names = Counter(member.filename for member in members)
    for member in members:
        # zipfile cuts a name at a NUL: what it shows is not what other programs see.
        if "\0" in member.orig_filename or len(member.filename) > NAME_LIMIT_CHARACTERS:
            raise PayloadRefused(
                f"{path.name}: member name {member.orig_filename[:80]!r} holds a NUL or has more than "
                f"{NAME_LIMIT_CHARACTERS} characters; ask the publisher again"
            )
        if names[member.filename] > 1:
            raise PayloadRefused(
                f"{path.name}: two members have the name {member.filename!r}; ask the publisher which one holds"
            )
        parts = PurePosixPath(member.filename.replace("\\", "/"))
        if not 0 <= member.header_offset < path.stat().st_size:
            raise PayloadRefused(f"{path.name}: member {member.filename!r} lies outside of the file; ask the publisher")
        if not parts.name:
            raise PayloadRefused(f"{path.name}: a member has the name {member.filename!r}; ask the publisher")
        if parts.is_absolute() or ".." in parts.parts or ":" in member.filename:
            raise PayloadRefused(
                f"{path.name}: member name {member.filename!r} leaves the archive's folder; ask the publisher"
            )
        if member.flag_bits & 0x1:
            raise PayloadRefused(f"{path.name}: member {member.filename!r} is encrypted; ask the publisher")
        if member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise PayloadRefused(
                f"{path.name}: member {member.filename!r} is packed by method {member.compress_type}, "
                "expected stored or deflated; ask the publisher"
            )
        large = member.file_size > RATIO_FLOOR_BYTES
        if large and member.file_size > RATIO_LIMIT * max(member.compress_size, 1):
            raise PayloadRefused(
                f"{path.name}: member {member.filename!r} unpacks {member.compress_size} to {member.file_size} bytes, "
                f"more than {RATIO_LIMIT}:1; a zip bomb is not unpacked: ask the publisher"
            )
    # Members that share their bytes unpack to far more than the file could hold.
    for member, following in itertools.pairwise(sorted(members, key=lambda member: member.header_offset)):
        if member.header_offset + _LOCAL_HEADER_BYTES + member.compress_size > following.header_offset:
            raise PayloadRefused(
                f"{path.name}: members {member.filename!r} and {following.filename!r} overlap; "
                "a zip bomb is not unpacked: ask the publisher"
            )
    total = sum(member.file_size for member in members)
    # A member may be below the floor, thousands of them together are not.
    if total > max(RATIO_FLOOR_BYTES, RATIO_LIMIT * path.stat().st_size):
        raise PayloadRefused(
            f"{path.name}: unpacks {path.stat().st_size} to {total} bytes, more than {RATIO_LIMIT}:1; "
            "a zip bomb is not unpacked: ask the publisher"
        )
    if total > unpacked_limit_bytes:
        raise PayloadRefused(
            f"{path.name}: unpacks to {total} bytes, expected at most {unpacked_limit_bytes}; "
            "a zip bomb is not unpacked: ask the publisher"
        )


def files(archive: zipfile.ZipFile) -> dict[str, zipfile.ZipInfo]:
    """The archive's files by base name; folders and the `__MACOSX` twin are left out.

    Raises PayloadRefused where two members share a base name, as neither can be preferred.
    """
    found: dict[str, zipfile.ZipInfo] = {}
    for member in archive.infolist():
        parts = PurePosixPath(member.filename.replace("\\", "/")).parts
        if member.is_dir() or "__MACOSX" in parts or parts[-1].startswith("."):
            continue
        if parts[-1] in found:
            raise PayloadRefused(
                f"{archive.filename}: two members are called {parts[-1]!r}; ask the publisher which one holds"
            )
        found[parts[-1]] = member
    return found


def extract(archive: zipfile.ZipFile, member: zipfile.ZipInfo, folder: Path) -> Path:
    """Unpack one member into `folder` under its base name; returns the file.

    Raises PayloadRefused where more bytes come than the directory promised, OSError where the disk has no room for it.
    """
    free = shutil.disk_usage(folder).free
    if member.file_size + SPARE_BYTES > free:
        raise OSError(
            errno.ENOSPC,
            f"{archive.filename}: {member.filename!r} unpacks to {member.file_size} bytes, {free} are free and "
            f"{SPARE_BYTES} are kept for the rest of the run; make room",
        )
    target = folder / PurePosixPath(member.filename.replace("\\", "/")).name
    with archive.open(member) as source, target.open("wb") as sink:
        shutil.copyfileobj(source, sink, 2**20)
    if target.stat().st_size != member.file_size:
        raise PayloadRefused(f"{archive.filename}: {member.filename!r} is not as long as the directory says")
    return target


def content_sha256(path: Path, name_of: Callable[[str], str] = str) -> str:
    """sha256 of a file's content; of an archive over its members' names (as `name_of` gives them) and contents.

    Two zips of the same members are the same content, whenever they were packed and in whatever order.
    """
    digest = hashlib.sha256()
    with path.open("rb") as stream:
        # By its beginning: a text that merely ends like a zip is another text whenever a byte of it changes.
        if not stream.read(4).startswith(ZIP_BEGINNINGS):
            stream.seek(0)
            return hashlib.file_digest(stream, "sha256").hexdigest()
    # Limits are the format's to check, before its content is compared.
    with open_zip(path, unpacked_limit_bytes=sys.maxsize) as archive:
        for member in sorted(archive.infolist(), key=lambda member: name_of(member.filename)):
            if member.is_dir():
                continue
            with archive.open(member) as stream:
                content = hashlib.file_digest(stream, "sha256").hexdigest()  # type: ignore[arg-type]
            digest.update(f"{name_of(member.filename)}\0{content}\n".encode())
    return digest.hexdigest()
