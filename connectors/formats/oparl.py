"""Parse lists of OParl 1.1 (`connectors.oparl` fetches them): meetings and papers of a council."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any, Literal

from connectors.connector import Connector, Snapshot
from connectors.declared import Ags
from connectors.errors import SnapshotRefused
from connectors.oparl import UNPACKED_LIMIT_BYTES, instant, page_of, pages_of
from connectors.region import Region
from connectors.staging import StagedWriter
from connectors.tables import COUNCIL_MEETING, COUNCIL_PAPER, Table
from connectors.text import is_mojibake

# What every object may have (specification, 2.7 and 3.2), and what those read here have beside it; a host's own fields
# carry a prefix (`somacos:…`).
_OF_ALL = (
    *("id", "type", "name", "shortName", "license", "licenseValidSince", "created", "modified", "deleted"),
    *("keyword", "web"),
)
_OF_MEETING = (
    *("meetingState", "cancelled", "start", "end", "location", "organization", "participant", "invitation"),
    *("resultsProtocol", "verbatimProtocol", "auxiliaryFile", "agendaItem"),
)
_OF_PAPER = (
    *("body", "reference", "date", "paperType", "relatedPaper", "superordinatedPaper", "subordinatedPaper", "mainFile"),
    *("auxiliaryFile", "location", "originatorPerson", "underDirectionOf", "originatorOrganization", "consultation"),
)


class _Unreadable(Exception):
    """A field of an object that cannot be read."""

    def __init__(self, column: str, expected: str) -> None:
        super().__init__(expected)
        self.column = column


Row = dict[str, Any]


@dataclass(frozen=True)
class _Kind:
    """How objects of a type are staged: the end of their `type`, their fields, and a row of one."""

    type: str
    table: Table
    key: str
    fields: tuple[str, ...]
    read: Callable[[dict[str, Any]], Row]


def parse(
    snapshot: Snapshot, out: StagedWriter, region: Region, /, *, objects: Literal["meeting", "paper"], ags: Ags
) -> None:
    """Stage every object of the list as it was told last, deleted ones marked so; a record is an object as told.

    `ags` is the municipality whose council it is. What was told before a later word on the same object is out of scope.
    Raises SnapshotRefused where the archive is not one of a list's pages or the municipality lies outside the region.
    """
    if ags not in region.centres:
        raise SnapshotRefused(
            f"{snapshot.source_id}: {snapshot.path.name}: options.ags {ags!r} is no municipality of the region; mend "
            "the source's YAML"
        )
    kind = _KINDS[objects]
    latest: dict[str, tuple[int, Row]] = {}
    seen: Counter[str] = Counter()
    told = superseded = 0
    for told, entry in enumerate(_objects(snapshot), start=1):
        seen.update(entry.keys())
        try:
            row = _row(entry, kind)
        except _Unreadable as fault:
            raw = entry.get(fault.column)
            out.reject(kind.table, told, fault.column, None if raw is None else str(raw), str(fault))
            continue
        superseded += row[kind.key] in latest
        latest[row[kind.key]] = (told, row)
    out.read(kind.table, told)
    out.out_of_scope(kind.table, "told again later", superseded)
    out.saw_fields(kind.table, seen)
    for name in seen:
        if name not in (*_OF_ALL, *kind.fields) and ":" not in name:
            out.drift(kind.table, name, "new")
    out.write(kind.table, [{"record_number": number, "ags": ags, **row} for number, row in latest.values()])


def _objects(snapshot: Snapshot) -> Iterator[dict[str, Any]]:
    for name, body in pages_of(snapshot.path):
        yield from page_of(body, f"{snapshot.source_id}: {snapshot.path.name}: {name}")[0]


def _row(entry: dict[str, Any], kind: _Kind) -> Row:
    """A row of the kind's table, without record number and municipality; of a deleted object only that it is."""
    told_type = entry.get("type")
    if not isinstance(told_type, str) or told_type.rsplit("/", 1)[-1] != kind.type:
        raise _Unreadable("type", f"expected https://schema.oparl.org/1.1/{kind.type}")
    row = {
        kind.key: _text(entry, "id", required=True),
        "created_at": _instant(entry, "created"),
        "modified_at": _instant(entry, "modified"),
        "is_deleted": _flag(entry, "deleted"),
    }
    if row["is_deleted"]:
        return {**{field.name: None for field in kind.table.columns if field.name != "ags"}, **row}
    return {**kind.read(entry), **row}


def _meeting(entry: dict[str, Any]) -> Row:
    return {
        "meeting_state": _text(entry, "meetingState"),
        "is_cancelled": _flag(entry, "cancelled"),
        "start_at": _instant(entry, "start"),
        "end_at": _instant(entry, "end"),
        "organization_ids": " ".join(sorted(str(each) for each in _list(entry, "organization"))) or None,
        "agenda_items": len(_list(entry, "agendaItem")),
    }


def _paper(entry: dict[str, Any]) -> Row:
    told = _text(entry, "date")
    try:
        day = date.fromisoformat(told) if told is not None else None
    except ValueError as error:
        raise _Unreadable("date", "expected a date such as 2014-04-04") from error
    return {"reference": _text(entry, "reference"), "paper_type": _text(entry, "paperType"), "paper_date": day}


_KINDS = {
    "meeting": _Kind("Meeting", COUNCIL_MEETING, "meeting_id", _OF_MEETING, _meeting),
    "paper": _Kind("Paper", COUNCIL_PAPER, "paper_id", _OF_PAPER, _paper),
}
# An address or a reference; what is longer is none.
_TEXT_LIMIT_CHARACTERS = 2_000


def _text(entry: dict[str, Any], name: str, *, required: bool = False) -> str | None:
    value = entry.get(name)
    if value in (None, "") and not required:
        return None
    if not isinstance(value, str) or not value.strip() or len(value) > _TEXT_LIMIT_CHARACTERS or "\0" in value:
        raise _Unreadable(name, f"expected text of at most {_TEXT_LIMIT_CHARACTERS} characters")
    if is_mojibake(value):
        raise _Unreadable(name, "expected text whose umlauts are whole")
    return value


def _flag(entry: dict[str, Any], name: str) -> bool:
    value = entry.get(name, False)
    if not isinstance(value, bool):
        raise _Unreadable(name, "expected true or false")
    return value


def _instant(entry: dict[str, Any], name: str) -> Any:
    told = _text(entry, name)
    found = instant(told)
    if told is not None and (found is None or not 1000 <= found.year <= 9998):
        raise _Unreadable(name, "expected an instant such as 2013-01-04T08:00:00+01:00")
    return found


def _list(entry: dict[str, Any], name: str) -> list[Any]:
    value = entry.get(name) or []
    if not isinstance(value, list):
        raise _Unreadable(name, "expected a list")
    return value


CONNECTOR = Connector(
    name="oparl",
    version=1,
    payload="zip",
    tables=(COUNCIL_MEETING, COUNCIL_PAPER),
    parse=parse,
    request="oparl",
    unpacked_limit_bytes=UNPACKED_LIMIT_BYTES,
)
