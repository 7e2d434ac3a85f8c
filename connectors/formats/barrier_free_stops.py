"""Parse the list of barrier-free stops of Stadtwerke Münster, as the city's open data portal has it.

Two layouts: since 2024 `ID;Title;Latitude;Longitude;Info`, `Info` being HTML of several lines for some; until about
2018 `Haltestellen-Id,Name der barrierefreien Haltestelle,Latitude,Longitude`. Ids were numbered anew in between: they
name an entry of one file, not a stop.
"""

from __future__ import annotations

import itertools
import re
from typing import Any

import lxml.html
from lxml import etree

from connectors.connector import Connector, Snapshot
from connectors.errors import SnapshotRefused
from connectors.region import BoundingBox, Region
from connectors.staging import StagedWriter
from connectors.tables import BARRIER_FREE_STOP as TABLE
from connectors.text import CUT, CsvRecords, text_lines, without_mojibake

# Column -> the headers it had, newest first.
HEADERS = {
    "entry_id": ("ID", "Haltestellen-Id"),
    "name": ("Title", "Name der barrierefreien Haltestelle"),
    "latitude": ("Latitude",),
    "longitude": ("Longitude",),
    "info": ("Info",),
}
# The older layout has none.
OPTIONAL = frozenset({"info"})
DELIMITERS = (";", ",")
GERMANY = BoundingBox(west=5.8, south=47.0, east=15.1, north=55.1)
DEGREES = re.compile(r"-?[0-9]{1,3}\.[0-9]{1,20}")
# Long enough for every note there was (130 characters), too short to fill a table.
INFO_LIMIT_CHARACTERS = 2_000
NAME_LIMIT_CHARACTERS = 200


def parse(snapshot: Snapshot, out: StagedWriter, region: Region, /, *, encoding: str = "utf-8") -> None:
    """Stage one row per stop of the list; a record is one entry, which may go over several lines.

    `info` is plain text without markup. Entries outside the region's bounding box are out of scope. Raises
    SnapshotRefused where a required column is not found, or the file ends within a quoted note.
    """
    where = f"{snapshot.source_id}: {snapshot.path.name}"
    lines = without_mojibake(text_lines(snapshot.path, where, encoding), where)
    first = next(lines, "")
    # Strict: a note over several lines that the file ends within would else be taken for a whole one.
    records = CsvRecords(itertools.chain([first], lines), where, delimiter=_delimiter(first), strict=True)
    header = [name.strip() for name in next(records, [])]
    places = _places(out, where, header)
    rows: dict[str, dict[str, Any]] = {}
    unread: list[tuple[int, str]] = []
    for number, record in enumerate(records, start=1):
        out.read(TABLE, 1)
        if not any(cell.strip() for cell in record):
            out.out_of_scope(TABLE, "blank row")
            continue
        if len(record) != len(header):
            out.reject(TABLE, number, "row", "|".join(record), f"expected {len(header)} fields")
            continue
        if records.ends_open and len(header) - 1 in places.values():
            out.reject(TABLE, number, "row", "|".join(record), CUT)
            continue
        cells = {column: record[place].strip() for column, place in places.items()}
        if fault := _fault(cells):
            column, reason = fault
            out.reject(TABLE, number, header[places[column]], cells[column], reason)
            continue
        longitude, latitude = float(cells["longitude"]), float(cells["latitude"])
        if not region.bounding_box.holds(longitude, latitude):
            out.out_of_scope(TABLE, "outside the region")
            continue
        if cells["entry_id"] in rows:
            out.reject(TABLE, number, header[places["entry_id"]], cells["entry_id"], "entry repeated")
            continue
        row = {"record_number": number, **cells, "longitude": longitude, "latitude": latitude}
        rows[cells["entry_id"]] = row
        row["info"] = plain_text(cells.get("info", ""))
        if row["info"] is None and cells.get("info"):
            unread.append((number, cells["info"]))
    if unread:
        out.unread(TABLE, header[places["info"]], "no text in the markup", len(unread), unread[0][1])
    out.write(TABLE, list(rows.values()))


def _delimiter(line: str) -> str:
    """The delimiter under which the line names the most columns that are known."""
    known = {header for headers in HEADERS.values() for header in headers}
    counts = {delimiter: len(known & _cells(line, delimiter)) for delimiter in DELIMITERS}
    return max(DELIMITERS, key=counts.__getitem__)


def _cells(line: str, delimiter: str) -> set[str]:
    return {cell.strip().strip('"') for cell in line.split(delimiter)}


def _places(out: StagedWriter, where: str, header: list[str]) -> dict[str, int]:
    """Where each column stands, in any order; a column nobody knows is told."""
    out.saw_header(TABLE, header)
    known = {name for names in HEADERS.values() for name in names}
    for name in header:
        if name and name not in known:
            out.drift(TABLE, name, "new")
    places: dict[str, int] = {}
    for column, names in HEADERS.items():
        found = [place for place, name in enumerate(header) if name in names]
        if not found and column in OPTIONAL:
            continue
        if len(found) != 1:
            if not found:
                out.drift(TABLE, names[0], "missing")
            raise SnapshotRefused(
                f"{where}: expected one column {' or '.join(names)}, found {', '.join(header)[:500] or 'nothing'}; "
                "compare the file with the connector"
            )
        places[column] = found[0]
    return places


def _fault(cells: dict[str, str]) -> tuple[str, str] | None:
    """The column that cannot be read and why; None where all can be."""
    if not re.fullmatch(r"[0-9]{1,9}", cells["entry_id"]):
        return "entry_id", "expected a whole number"
    if not cells["name"] or len(cells["name"]) > NAME_LIMIT_CHARACTERS:
        return "name", f"expected a name of 1 to {NAME_LIMIT_CHARACTERS} characters"
    for column in ("latitude", "longitude"):
        if not DEGREES.fullmatch(cells[column]):
            return column, "expected degrees with a decimal point"
    latitude, longitude = float(cells["latitude"]), float(cells["longitude"])
    if GERMANY.holds(longitude, latitude):
        return None
    return "latitude", "latitude and longitude swapped" if GERMANY.holds(latitude, longitude) else "outside Germany"


# -- text of HTML ----------------------------------------------------------------------------------------------------

# What they hold is no text for people.
_SILENT = ("script", "style", "template", "iframe", "object", "noscript", "title", "svg", "math")


def plain_text(markup: str) -> str | None:
    """The text of a piece of HTML on one line, None where it has none.

    Entities are resolved once; control characters and marks that turn the direction of writing are left out. Cut after
    INFO_LIMIT_CHARACTERS. What is no HTML is text.
    """
    root = lxml.html.fragment_fromstring(_printable(markup), create_parent="div")
    etree.strip_elements(root, *_SILENT, etree.Comment, etree.ProcessingInstruction, with_tail=False)
    # A tag ends a word: `a<br>b` are two.
    text = _printable(" ".join(root.itertext()))
    return " ".join(text.split())[:INFO_LIMIT_CHARACTERS].strip() or None


def _printable(text: str) -> str:
    return "".join(mark if mark.isprintable() else " " for mark in text if mark.isprintable() or mark.isspace())


CONNECTOR = Connector(name="barrier_free_stops", version=1, payload="csv", tables=(TABLE,), parse=parse)
