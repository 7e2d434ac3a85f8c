"""Read text files from outside strictly and in bounded memory: what is not as declared is refused, not repaired."""

from __future__ import annotations

import codecs
import csv
import re
from collections.abc import Iterable, Iterator
from datetime import date
from pathlib import Path
from typing import Any

from connectors.errors import SnapshotRefused

# The longest record of the publishers' files, a header of 47 German column names, has 2,000 characters.
RECORD_LIMIT_CHARACTERS = 2**16
# The widest file known has 96 columns; checks that compare each name with each other stay quick.
FIELD_LIMIT = 4_000
# Why the last record of a file is rejected whose line is not closed and whose last field is staged.
CUT = "the file ends within this line"
# What letters of two bytes in UTF-8 become once they were read as Latin-1 or Windows-1252 (`MÃ¼nster`), and what
# decoders put where they know no better. No German text has these letters beside such signs. The third is a byte order
# mark that was read so.
_MOJIBAKE = re.compile("[ÂÃ][\x80-\xbf€‚ƒ„…†‡ˆ‰Š‹ŒŽ‘’“”•–—˜™š›œžŸ]|ï»¿|�")
# Letters and signs of Windows-1252 that no German text has: what bytes of another encoding become, as each of them is a
# letter there.
_FOREIGN = re.compile("[\x80-\x9f¤¦¬¯¸ÂÃÐÞ×÷ðþÿ]")
# Where none of them is, the expression need not look: they are found many times faster.
_MOJIBAKE_BEGINNINGS = "ÂÃï�"


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


def german_lines(path: Path, where: str) -> Iterator[str]:
    """The lines of a German text whose encoding changes from file to file: UTF-8 where it is that, else Windows-1252.

    Latin-1 is part of the latter. Raises SnapshotRefused as text_lines does, and for broken letters and those that no
    German text has, naming the line.
    """
    lines = text_lines(path, where, "utf-8" if _is_utf8(path) else "cp1252")
    for number, line in enumerate(without_mojibake(lines, where), start=1):
        if not line.isascii() and (found := _FOREIGN.search(line)):
            raise SnapshotRefused(
                f"{where}: line {number} holds {found[0]!r}, expected German text in UTF-8 or Windows-1252; check the "
                "file's encoding or ask the publisher again"
            )
        yield line


def _is_utf8(path: Path) -> bool:
    decoder = codecs.getincrementaldecoder("utf-8")()
    with path.open("rb") as stream:
        try:
            while block := stream.read(2**20):
                decoder.decode(block)
            decoder.decode(b"", final=True)
        except UnicodeDecodeError:
            return False
    return True


def calendar_date(text: str) -> date:
    """The day that YYYY-MM-DD or DD.MM.YYYY names; raises ValueError, saying what was expected."""
    if iso := re.fullmatch(r"([0-9]{4})-([0-9]{2})-([0-9]{2})", text):
        year, month, day = iso.groups()
    elif german := re.fullmatch(r"([0-9]{2})\.([0-9]{2})\.([0-9]{4})", text):
        day, month, year = german.groups()
    else:
        raise ValueError("expected a date, YYYY-MM-DD or DD.MM.YYYY")
    return date(int(year), int(month), int(day))


def is_mojibake(text: str) -> bool:
    """Whether the text's umlauts were broken before it reached us."""
    return any(letter in text for letter in _MOJIBAKE_BEGINNINGS) and _MOJIBAKE.search(text) is not None


def mostly_without_mojibake(lines: Iterable[str], where: str) -> Iterator[str]:
    """The lines as they come; raises SnapshotRefused at the end where most of those with umlauts are broken.

    For files of many hands, as a national feed is: one broken name must not refuse it, but a broken whole must.
    """
    broken = whole = 0
    for line in lines:
        if not line.isascii():
            is_broken = is_mojibake(line)
            broken, whole = broken + is_broken, whole + (not is_broken)
        yield line
    if broken > whole:
        raise SnapshotRefused(
            f"{where}: {broken} of {broken + whole} lines with letters beyond ASCII have a broken encoding "
            "(`MÃ¼nster`); ask the publisher again"
        )


def without_mojibake(lines: Iterable[str], where: str) -> Iterator[str]:
    """The lines as they come; raises SnapshotRefused at one whose umlauts were broken before it reached us."""
    for number, line in enumerate(lines, start=1):
        if not line.isascii() and (found := _MOJIBAKE.search(line)):
            raise SnapshotRefused(
                f"{where}: line {number} holds {found[0]!r}, a broken encoding; ask the publisher again"
            )
        yield line


class CsvRecords(Iterator[list[str]]):
    """The records of a CSV, read by Python's csv module with `dialect`; blank lines come as empty lists.

    `ends_open` says of the record given last that the file ended without closing its line: its last field may be cut.
    Raises SnapshotRefused where the text is no CSV, a record is longer than RECORD_LIMIT_CHARACTERS (a quote that is
    never closed takes the rest of the file with it) or has more than FIELD_LIMIT fields, naming the line.
    """

    def __init__(self, lines: Iterable[str], where: str, **dialect: Any) -> None:
        self.ends_open = False
        self._lines = iter(lines)
        self._where = where
        self._length = self._number = 0
        self._records = csv.reader(self._measured(), **dialect)

    def __next__(self) -> list[str]:
        try:
            record = next(self._records)
        except csv.Error as error:
            raise SnapshotRefused(
                f"{self._where}: expected CSV, line {self._number}: {error}; ask the publisher again"
            ) from error
        if len(record) > FIELD_LIMIT:
            raise SnapshotRefused(
                f"{self._where}: line {self._number} has {len(record)} fields, expected at most {FIELD_LIMIT}; "
                "ask the publisher again"
            )
        self._length = 0
        return record

    def _measured(self) -> Iterator[str]:
        for line in self._lines:
            self._length, self._number = self._length + len(line), self._number + 1
            if self._length > RECORD_LIMIT_CHARACTERS:
                raise SnapshotRefused(
                    f"{self._where}: the record that reaches line {self._number} has more than "
                    f"{RECORD_LIMIT_CHARACTERS} characters; look for a quote that is not closed, or ask the publisher"
                )
            self.ends_open = not line.endswith(("\n", "\r"))
            yield line
