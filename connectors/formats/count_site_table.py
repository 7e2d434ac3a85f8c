"""Parse a CSV of places where is counted, such as signalled junctions, with their coordinates in EPSG:4326."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from connectors.connector import Connector, Snapshot
from connectors.errors import SnapshotRefused
from connectors.region import Region
from connectors.staging import StagedWriter
from connectors.tables import COUNT_SITE as TABLE
from connectors.text import CUT, CsvRecords, text_lines, without_mojibake

# What a column may be declared for; a name may be made of several.
FIELDS = ("site_id", "site_name", "longitude", "latitude", "first_year", "operator")
REQUIRED = ("site_id", "longitude", "latitude")
_RANGES = {"longitude": 180.0, "latitude": 90.0}
_DEGREES = re.compile(r"-?[0-9]{1,3}([.,][0-9]{1,15})?")
SITE_LIMIT = 100_000
TEXT_LIMIT_CHARACTERS = 200


def parse(
    snapshot: Snapshot,
    out: StagedWriter,
    region: Region,
    /,
    *,
    columns: dict[str, str | list[str]],
    delimiter: str = ",",
    encoding: str = "utf-8",
    missing: list[str] | None = None,
    not_staged: list[str] | None = None,
    mode: str | None = None,
) -> None:
    """Stage a record per line below the header; coordinates in degrees, with decimal point or comma.

    columns: staged column -> the file's, several joined by ` / `. missing: what stands for a blank. A place without
    coordinates is staged without them. Raises SnapshotRefused where a declared column is not there.
    """
    where = f"{snapshot.source_id}: {snapshot.path.name}"
    records = CsvRecords(
        without_mojibake(text_lines(snapshot.path, where, encoding), where), where, delimiter=delimiter, strict=True
    )
    header = [name.strip() for name in next(records, [])]
    places = _places(snapshot, out, header, columns, not_staged or [])
    blank = {"", *(missing or [])}
    seen: set[str] = set()
    rows: list[dict[str, Any]] = []
    number = 0
    for record in records:
        if not record:
            continue
        number += 1
        out.read(TABLE, 1)
        problem = None if len(record) == len(header) else f"expected {len(header)} fields, found {len(record)}"
        if (
            records.ends_open
            and problem is None
            and len(header) - 1 in {place for each in places.values() for place in each}
        ):
            problem = CUT
        if problem is not None:
            out.reject(TABLE, number, "row", delimiter.join(record), problem)
            continue
        row = _row(out, number, record, places, blank, seen)
        if row is not None:
            rows.append(row | {"mode": mode})
        if number > SITE_LIMIT:
            raise SnapshotRefused(f"{where}: more than {SITE_LIMIT} lines, expected a list of sites; ask the publisher")
    out.write(TABLE, rows)


def _places(
    snapshot: Snapshot,
    out: StagedWriter,
    header: Sequence[str],
    columns: Mapping[str, str | list[str]],
    not_staged: Sequence[str],
) -> dict[str, list[int]]:
    """Where the columns stand that are staged; what is new or missing is reported."""
    out.saw_header(TABLE, header)
    declared = {field: [names] if isinstance(names, str) else names for field, names in columns.items()}
    if unknown := sorted(declared.keys() - set(FIELDS)) + sorted(set(REQUIRED) - declared.keys()):
        raise SnapshotRefused(
            f"{snapshot.source_id}: options.columns: {unknown[0]}: expected {', '.join(REQUIRED)} and, if at all, "
            f"others of {', '.join(FIELDS)}; mend the source's YAML"
        )
    known = {*not_staged, *(name for names in declared.values() for name in names)}
    for name in header:
        if name not in known:
            out.drift(TABLE, name, "new")
    for field, names in declared.items():
        for name in names:
            if header.count(name) != 1:
                out.drift(TABLE, name, "missing")
                raise SnapshotRefused(
                    f"{snapshot.source_id}: {snapshot.path.name}: expected one column {name!r} for {field}, found "
                    f"{', '.join(map(repr, header[:20]))[:1000]}; declare it in options.columns of the source's YAML"
                )
    return {field: [header.index(name) for name in names] for field, names in declared.items()}


def _row(
    out: StagedWriter,
    number: int,
    record: Sequence[str],
    places: Mapping[str, Sequence[int]],
    blank: set[str],
    seen: set[str],
) -> dict[str, Any] | None:
    """The columns of a place; None where the record was rejected."""
    texts = {
        field: " / ".join(text for place in found if (text := record[place].strip()) not in blank) or None
        for field, found in places.items()
    }
    values: dict[str, Any] = {"record_number": number, "ags": None, **dict.fromkeys(FIELDS), **texts}
    problem = _problem(texts, seen)
    if problem is not None:
        out.reject(TABLE, number, problem[0], str(texts[problem[0]] or ""), problem[1])
        return None
    seen.add(str(texts["site_id"]))
    for field in _RANGES:
        values[field] = None if texts[field] is None else float(str(texts[field]).replace(",", "."))
    if texts.get("first_year") is not None:
        values["first_year"] = int(str(texts["first_year"]))
    return values


def _problem(texts: Mapping[str, str | None], seen: set[str]) -> tuple[str, str] | None:
    """(field, reason) why a line is no place, None where it is one."""
    if texts["site_id"] is None:
        return "site_id", "no id"
    if texts["site_id"] in seen:
        return "site_id", "repeated site"
    for field, text in texts.items():
        if text is not None and len(text) > TEXT_LIMIT_CHARACTERS:
            return field, f"more than {TEXT_LIMIT_CHARACTERS} characters"
    for field, limit in _RANGES.items():
        text = texts[field]
        if text is not None and not (_DEGREES.fullmatch(text) and abs(float(text.replace(",", "."))) <= limit):
            return field, "not degrees"
    year = texts.get("first_year")
    if year is not None and not re.fullmatch(r"[12][0-9]{3}", year):
        return "first_year", "not a year"
    return None


CONNECTOR = Connector(name="count_site_table", version=1, payload="csv", tables=(TABLE,), parse=parse)
