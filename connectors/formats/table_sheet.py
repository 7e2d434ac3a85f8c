"""What every file of records comes down to: a header and rows of cells, some with a geometry."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple


class Row(NamedTuple):
    """A row below the header. point: x and y in the file's own system. problem: why it is no record as a whole."""

    number: int
    cells: Sequence[object]
    point: tuple[float, float] | None = None
    problem: str | None = None


@dataclass
class Sheet:
    """A table as read. header: its columns' names, as they stand; preamble: rows above it, blank ones left out.

    crs: the coordinate system that the file itself names, None where it names none.
    """

    header: list[str]
    rows: Iterator[Row]
    preamble: int = 0
    crs: str | None = None


def tidy(text: str) -> str:
    """A name as it is compared: composed letters, one blank for any white space, none at its ends."""
    return " ".join(unicodedata.normalize("NFC", text).split())


def is_blank(cells: Iterable[object]) -> bool:
    """Whether a row holds nothing."""
    return all(cell is None or (isinstance(cell, str) and not cell.strip()) for cell in cells)


def find_header(
    rows: Iterator[tuple[int, Sequence[object]]], header_row: int, marks: Sequence[str]
) -> tuple[list[str], int] | None:
    """Read up to the header: its names and the number of rows above that are not blank; None where there is none.

    The header is row `header_row`, or the first of a hundred rows that holds all of `marks`.
    """
    preamble = 0
    wanted = {tidy(mark) for mark in marks}
    for number, cells in rows:
        names = ["" if cell is None else tidy(str(cell)) for cell in cells]
        if (wanted <= set(names)) if wanted else number >= header_row:
            while names and not names[-1]:
                names.pop()
            return names, preamble
        preamble += not is_blank(cells)
        if number >= 100:
            return None
    return None
