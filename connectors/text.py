"""Read text files from outside strictly and in bounded memory: what is not as declared is refused, not repaired."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from connectors.errors import SnapshotRefused

# The longest record of the publishers' files, a header of 47 German column names, has 2,000 characters.
RECORD_LIMIT_CHARACTERS = 2**16
# The widest file known has 96 columns; checks that compare each name with each other stay quick.
FIELD_LIMIT = 4_000
# What UTF-8 becomes once it was read as Latin-1 (`MÃ¼nster`), and what decoders put where they know no better.
MOJIBAKE = ("Ã¼", "Ã¶", "Ã¤", "ÃŸ", "Ã\x9f", "�")


def read_text(path: Path) -> str:
    """The whole text of a small UTF-8 file without byte order mark; raises SnapshotRefused naming the wrong byte."""
    data = path.read_bytes()
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise SnapshotRefused(
            f"{path.name}: expected utf-8, byte {error.start} is 0x{data[error.start]:02x}; ask the publisher again"
        ) from error


def text_lines(path: Path, where: str, encoding: str = "utf-8") -> Iterator[str]:
    """The file's lines with their ends, without byte order mark, one at a time.

    Raises SnapshotRefused (its message begins with `where`) for a byte that is not of the encoding, for a NUL and for a
    line longer than RECORD_LIMIT_CHARACTERS, naming the line.
    """
    number = 0
    try:
        with path.open(encoding="utf-8-sig" if encoding == "utf-8" else encoding, newline="") as stream:
            while line := stream.readline(RECORD_LIMIT_CHARACTERS + 1):
                number += 1
                if len(line) > RECORD_LIMIT_CHARACTERS:
                    raise SnapshotRefused(
                        f"{where}: line {number} has more than {RECORD_LIMIT_CHARACTERS} characters, begins "
                        f"{line[:60]!r}; such a line is not read: ask the publisher again"
                    )
                if "\0" in line:
                    raise SnapshotRefused(
                        f"{where}: line {number} holds a NUL character, expected text in {encoding}; "
                        "check the file's encoding or ask the publisher again"
                    )
                yield line
    except UnicodeError as error:
        raise SnapshotRefused(
            f"{where}: expected {encoding}, below line {number}: {error}; "
            "check the file's encoding and declare it in the source's YAML"
        ) from error
    except LookupError as error:
        raise SnapshotRefused(f"{where}: encoding: {error}; mend the option in the source's YAML") from error


def without_mojibake(lines: Iterable[str], where: str) -> Iterator[str]:
    """The lines as they come; raises SnapshotRefused at one whose umlauts were broken before it reached us."""
    for number, line in enumerate(lines, start=1):
        for mark in MOJIBAKE:
            if mark in line:
                raise SnapshotRefused(
                    f"{where}: line {number} holds {mark!r}, a broken encoding; ask the publisher again"
                )
        yield line


def csv_records(lines: Iterable[str], where: str, **dialect: Any) -> Iterator[list[str]]:
    """The records of a CSV, read by Python's csv module with `dialect`; blank lines come as empty lists.

    Raises SnapshotRefused where the text is no CSV, a record is longer than RECORD_LIMIT_CHARACTERS (a quote that is
    never closed takes the rest of the file with it) or has more than FIELD_LIMIT fields, naming the line.
    """
    length, number = 0, 0

    def measured() -> Iterator[str]:
        nonlocal length, number
        for line in lines:
            length, number = length + len(line), number + 1
            if length > RECORD_LIMIT_CHARACTERS:
                raise SnapshotRefused(
                    f"{where}: the record that ends at or below line {number} has more than "
                    f"{RECORD_LIMIT_CHARACTERS} characters; look for a quote that is not closed, or ask the publisher"
                )
            yield line

    try:
        for record in csv.reader(measured(), **dialect):
            if len(record) > FIELD_LIMIT:
                raise SnapshotRefused(
                    f"{where}: line {number} has {len(record)} fields, expected at most {FIELD_LIMIT}; "
                    "ask the publisher again"
                )
            yield record
            length = 0
    except csv.Error as error:
        raise SnapshotRefused(f"{where}: expected CSV, line {number}: {error}; ask the publisher again") from error
