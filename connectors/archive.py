"""Read zip archives from outside: names, sizes and nesting are checked before a byte is unpacked."""

from __future__ import annotations

import hashlib
import shutil
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath

from connectors.errors import PayloadRefused

# The MaStR full export unpacks to about 50 GB of UTF-16; nothing the region reads is larger.
UNPACKED_LIMIT_BYTES = 80 * 2**30
# Deflate cannot honestly do better than 1032:1; XML in UTF-16 reaches about 60:1.
RATIO_LIMIT = 250
MEMBER_LIMIT = 5_000
RATIO_FLOOR_BYTES = 10 * 2**20


@contextmanager
def open_zip(path: Path) -> Iterator[zipfile.ZipFile]:
    """An opened archive whose directory has passed the checks; raises PayloadRefused with what is wrong."""
    try:
        archive = zipfile.ZipFile(path)
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError, struct.error) as error:
        raise PayloadRefused(f"{path.name}: expected a zip archive, {error}; ask the publisher again") from error
    with archive:
        _check(path, archive)
        try:
            yield archive
        except (zipfile.BadZipFile, EOFError, zlib.error, NotImplementedError, UnicodeDecodeError) as error:
            raise PayloadRefused(f"{path.name}: damaged archive, {error}; ask the publisher again") from error


def _check(path: Path, archive: zipfile.ZipFile) -> None:
    members = archive.infolist()
    if len(members) > MEMBER_LIMIT:
        raise PayloadRefused(f"{path.name}: {len(members)} members, expected at most {MEMBER_LIMIT}")
    for member in members:
        parts = PurePosixPath(member.filename.replace("\\", "/"))
        if not 0 <= member.header_offset < path.stat().st_size:
            raise PayloadRefused(f"{path.name}: member {member.filename!r} lies outside of the file")
        if not parts.name:
            raise PayloadRefused(f"{path.name}: a member has the name {member.filename!r}")
        if parts.is_absolute() or ".." in parts.parts or ":" in member.filename:
            raise PayloadRefused(f"{path.name}: member name {member.filename!r} leaves the archive's folder")
        if member.flag_bits & 0x1:
            raise PayloadRefused(f"{path.name}: member {member.filename!r} is encrypted")
        if member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise PayloadRefused(
                f"{path.name}: member {member.filename!r} is packed by method {member.compress_type}, "
                "expected stored or deflated"
            )
        large = member.file_size > RATIO_FLOOR_BYTES
        if large and member.file_size > RATIO_LIMIT * max(member.compress_size, 1):
            raise PayloadRefused(
                f"{path.name}: member {member.filename!r} unpacks {member.compress_size} to {member.file_size} bytes, "
                f"more than {RATIO_LIMIT}:1; a zip bomb is not unpacked"
            )
    total = sum(member.file_size for member in members)
    if total > UNPACKED_LIMIT_BYTES:
        raise PayloadRefused(f"{path.name}: unpacks to {total} bytes, expected at most {UNPACKED_LIMIT_BYTES}")


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
            raise PayloadRefused(f"{archive.filename}: two members are called {parts[-1]!r}")
        found[parts[-1]] = member
    return found


def extract(archive: zipfile.ZipFile, member: zipfile.ZipInfo, folder: Path) -> Path:
    """Unpack one member into `folder` under its base name; returns the file.

    Raises PayloadRefused where more bytes come than the directory promised.
    """
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
    if not zipfile.is_zipfile(path):
        with path.open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()
    with open_zip(path) as archive:
        for member in sorted(archive.infolist(), key=lambda member: name_of(member.filename)):
            if member.is_dir():
                continue
            with archive.open(member) as stream:
                content = hashlib.file_digest(stream, "sha256").hexdigest()  # type: ignore[arg-type]
            digest.update(f"{name_of(member.filename)}\0{content}\n".encode())
    return digest.hexdigest()
