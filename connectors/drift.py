"""Columns that came, went or were renamed: between what a parser declares, a snapshot and the snapshot before it."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping
from difflib import SequenceMatcher
from typing import Literal, NamedTuple

# Two names are one column's where so much of their plain spelling is common (difflib's ratio). Tried on renames that
# publishers made (`Anschlussleistung` to `Anschlussleistung [kW]`, 0.94; `Art der Ladeeinrichung` to `Art der
# Ladeeinrichtung`, 0.98) and on pairs of one file that are not the same (`Inbetriebnahmedatum` and
# `GeplantesInbetriebnahmedatum`, 0.81; `stop_lat` and `stop_lon`, 0.71).
ALIKE = 0.85
# Where the new column stands at the very place of the old one, less is enough: `Ort` to `Wohnort`, 0.6.
ALIKE_AT_THE_SAME_PLACE = 0.6
# Fewer records than this carry a field by chance: that they no longer do says nothing of the format.
RARE = 20
# Two headers that differ in more than this have nothing to do with each other.
PAIRS_LIMIT = 10_000
FILE = "file:"

Change = Literal["new", "missing", "renamed"]


class Drift(NamedTuple):
    """A column of a table that changed; `former_name` is a renamed one's old name."""

    table: str
    column: str
    change: Change
    former_name: str | None = None

    @property
    def subject(self) -> str:
        """The column as people read it: `old -> new` where it was renamed."""
        return self.column if self.former_name is None else f"{self.former_name} -> {self.column}"


class Seen(NamedTuple):
    """A column of a snapshot: its place in the header, or how many records carry it where there is none."""

    position: int | None = None
    records: int | None = None

    @property
    def is_rare(self) -> bool:
        """Whether so few records carry it that it may come and go by chance."""
        return self.records is not None and self.records < RARE


Columns = Mapping[tuple[str, str], Seen]


def declared_drift(reported: Iterable[tuple[str, str, Change]]) -> list[Drift]:
    """What a parser reported as `new` and `missing`, those that are the same in truth joined to `renamed`; sorted."""
    told = sorted(set(reported))
    return _joined(
        missing={(table, column): Seen() for table, column, change in told if change == "missing"},
        new={(table, column): Seen() for table, column, change in told if change == "new"},
    )


def drift_between(former: Columns, now: Columns) -> list[Drift]:
    """The columns that vanished, came or were renamed from one snapshot to the next; sorted.

    None where one of the two recorded no columns. Fields that few records carry are passed over.
    """
    if not former or not now:
        return []
    return _joined(
        missing={key: seen for key, seen in former.items() if key not in now and not seen.is_rare},
        new={key: seen for key, seen in now.items() if key not in former and not seen.is_rare},
    )


def _joined(missing: Columns, new: Columns) -> list[Drift]:
    pairs = _renames(missing, new)
    renamed = [Drift(table, pairs[table, column], "renamed", column) for table, column in pairs]
    arrived = {(drift.table, drift.column) for drift in renamed}
    return sorted(
        [
            *renamed,
            *(Drift(*key, "missing") for key in missing if key not in pairs),
            *(Drift(*key, "new") for key in new if key not in arrived),
        ]
    )


def _renames(missing: Columns, new: Columns) -> dict[tuple[str, str], str]:
    """The new name of each missing column that has one; the most alike pair first, each name once."""
    if len(missing) * len(new) > PAIRS_LIMIT:
        return {}
    candidates = sorted(
        (-likeness, table, old, name)
        for (table, old), was in missing.items()
        for (other, name), seen in new.items()
        if other == table and (likeness := _likeness(old, name)) >= _enough(was, seen)
    )
    pairs: dict[tuple[str, str], str] = {}
    taken: set[tuple[str, str]] = set()
    for _, table, old, name in candidates:
        if (table, old) not in pairs and (table, name) not in taken:
            pairs[table, old] = name
            taken.add((table, name))
    return pairs


def _enough(was: Seen, now: Seen) -> float:
    at_the_same_place = was.position is not None and was.position == now.position
    return ALIKE_AT_THE_SAME_PLACE if at_the_same_place else ALIKE


def _likeness(old: str, new: str) -> float:
    """From 0 to 1. Names with other numbers are other columns (`P1 [kW]`, `P2 [kW]`); files are told by their names."""
    if old.startswith(FILE) or re.findall(r"\d+", old) != re.findall(r"\d+", new):
        return 0.0
    # autojunk would make long names depend on how often a letter stands in them.
    return SequenceMatcher(None, _plain(old), _plain(new), autojunk=False).ratio()


def _plain(name: str) -> str:
    """Letters and digits alone, in lower case; umlauts as two letters, other accents dropped."""
    text = name.casefold()
    for umlaut, letters in (("ä", "ae"), ("ö", "oe"), ("ü", "ue")):
        text = text.replace(umlaut, letters)
    return "".join(letter for letter in unicodedata.normalize("NFKD", text) if letter.isalnum())
