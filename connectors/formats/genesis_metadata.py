"""Parse what a GENESIS host says of a table (`metadata/table`): title, statistic, time, variables, last change."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from connectors.connector import Connector, Snapshot
from connectors.errors import SnapshotRefused
from connectors.region import Region
from connectors.staging import StagedWriter
from connectors.tables import STATISTIC_TABLE as TABLE
from connectors.text import is_mojibake

# Where variables stand in a table's structure, in the order a table is read.
_PLACES = ("Subtitel", "Subheading", "Rows", "Columns")
_FIELDS = frozenset({"Code", "Content", "Time", "Valid", "Structure", "Updated"})
# Real tables nest three deep and have up to ten variables.
_DEPTH_LIMIT, _VARIABLES_LIMIT = 20, 200
_TEXT_LIMIT_CHARACTERS = 5_000


def parse(snapshot: Snapshot, out: StagedWriter, region: Region, /) -> None:
    """Stage the description of one table; the answer is the record.

    Raises SnapshotRefused where it describes no table.
    """
    try:
        told = json.loads(snapshot.path.read_bytes())["Object"]
        structure = told["Structure"]
        row = {
            "table_code": _text(told["Code"]),
            "title": _text(told["Content"]),
            "statistic_code": _text((structure.get("Head") or {}).get("Code")),
            "statistic_label": _text((structure.get("Head") or {}).get("Content")),
            "first_period": _text((told.get("Time") or {}).get("From")),
            "last_period": _text((told.get("Time") or {}).get("To")),
            "variables": ";".join(f"{code}={label}" for code, label in dict(_variables(structure)).items()),
            # Of the host's clock, without offset: `21.11.2023 13:47:55h`.
            "updated_local": datetime.strptime(str(told["Updated"]), "%d.%m.%Y %H:%M:%Sh"),  # noqa: DTZ007 - as above
        }
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise _no_table(snapshot, f"{type(error).__name__}: {error}") from error
    if not row["table_code"] or row["table_code"] != snapshot.partition.get("table", row["table_code"]):
        raise _no_table(snapshot, f"the table {row['table_code']!r}")
    out.read(TABLE, 1)
    out.saw_fields(TABLE, dict.fromkeys(told, 1))
    for name in told.keys() ^ _FIELDS:
        out.drift(TABLE, name, "new" if name in told else "missing")
    out.write(TABLE, [{"record_number": 1, **row}])


def _no_table(snapshot: Snapshot, found: str) -> SnapshotRefused:
    asked = snapshot.partition.get("table", "a table")
    return SnapshotRefused(
        f"{snapshot.source_id}: {snapshot.path.name}: expected the description of {asked}, found {found[:200]}; "
        "see the kept file and ask the publisher again"
    )


def _variables(structure: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Code and label of every variable, and of what the table's head holds in one for all lines."""
    found = 0
    head = (structure.get("Head") or {}).get("Structure") or []
    for entry in [*(structure.get(place) for place in _PLACES), head]:
        for code, label in _nested(entry, 0):
            found += 1
            if found > _VARIABLES_LIMIT:
                raise ValueError(f"more than {_VARIABLES_LIMIT} variables")
            yield code, label


def _nested(entry: Any, depth: int) -> Iterator[tuple[str, str]]:
    if depth > _DEPTH_LIMIT:
        raise ValueError(f"variables nested more than {_DEPTH_LIMIT} deep")
    for each in entry if isinstance(entry, list) else [entry] if entry else []:
        yield str(_text(each["Code"])), str(_text(each["Content"]))
        yield from _nested(each.get("Structure"), depth + 1)


def _text(value: Any) -> str | None:
    """Text on one line; titles are broken where the host's pages break them."""
    if value is None:
        return None
    if not isinstance(value, str) or len(value) > _TEXT_LIMIT_CHARACTERS or "\0" in value:
        raise ValueError(f"{str(value)[:80]!r} for a text")
    if is_mojibake(value):
        raise ValueError(f"{value[:80]!r}, a broken encoding")
    return " ".join(value.split())


CONNECTOR = Connector(
    name="genesis_metadata", version=1, payload="json", tables=(TABLE,), parse=parse, request="genesis_metadata"
)
