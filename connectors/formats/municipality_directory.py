"""Parse the Gemeindeverzeichnis (GV-ISys, quarterly AuszugGV2QAktuell.xlsx) of the Federal Statistical Office."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from datetime import date
from typing import Any

from connectors.connector import Connector, Snapshot
from connectors.errors import SnapshotRefused
from connectors.region import Region
from connectors.staging import StagedWriter
from connectors.tables import MUNICIPALITY_REGISTER as TABLE
from connectors.text import is_mojibake
from connectors.workbook import OPENPYXL_FAULTS, UNPACKED_LIMIT_BYTES, load

TITLE = "Gemeinden in Deutschland"
HEADER_ROWS = 5
# The merged header of the 2024 edition, spaces, hyphens and footnote marks taken out: cell -> text.
HEADER = {
    "A3": "Satzart",
    "C3": "AmtlicherRegionalschlüssel(ARS)",
    "C4": "Land",
    "D4": "RB",
    "E4": "Kreis",
    "F4": "VB",
    "G4": "Gem",
    "H3": "Gemeindename",
    "I3": "Flächekm2",
    "J3": "Bevölkerung",
    "J4": "insgesamt",
    "N3": "Postleitzahl",
    "O4": "Längengrad",
    "P4": "Breitengrad",
}
DATE_CELLS = {"territory_date": "C5", "area_date": "I5", "population_date": "J5"}
# Satzart: 10 Land, 20 Regierungsbezirk, 30 Region, 40 Kreis, 50 Gemeindeverband, 60 Gemeinde.
MUNICIPALITY = "60"
OTHER_RECORD_TYPES = ("10", "20", "30", "40", "50")
# Digits of the parts of the ARS: Land, Regierungsbezirk, Kreis, Verband, Gemeinde.
ARS_PARTS = {"C": 2, "D": 1, "E": 2, "F": 4, "G": 3}
# The edition of 2024 has 16,000 rows.
ROW_LIMIT = 100_000
# Wider than the layout, so that a new column at its end is seen.
LAST_COLUMN = "Z"

Row = Sequence[Any]


def parse(snapshot: Snapshot, out: StagedWriter, region: Region, /, *, region_only: bool = True) -> None:
    """Stage the municipalities, all of Germany's unless `region_only`; a record is one row below the header.

    Area in km², population as persons, each with the date the header gives; centre in degrees (EPSG:4326).
    Raises SnapshotRefused where the sheet or its header is not as documented, naming the cell.
    """
    rows = _rows(snapshot)
    _check_header(snapshot, out, rows)
    dates = {column: _date(snapshot, rows, cell) for column, cell in DATE_CELLS.items()}
    records = rows[HEADER_ROWS:]
    out.read(TABLE, len(records))
    staged: list[dict[str, Any]] = []
    for number, row in enumerate(records, start=HEADER_ROWS + 1):
        kind = _text(row, "A")
        if kind == MUNICIPALITY and region_only and _lies_elsewhere(row, region):
            out.out_of_scope(TABLE, "outside the region")
        elif kind == MUNICIPALITY:
            _stage(out, number, row, dates, staged)
        elif not any(str(cell).strip() for cell in row if cell is not None):
            out.out_of_scope(TABLE, "blank row")
        elif kind in OTHER_RECORD_TYPES:
            out.out_of_scope(TABLE, f"record type {kind}")
        elif kind and all(cell is None for cell in row[1:]):
            out.out_of_scope(TABLE, "footer")
        else:
            out.reject(TABLE, number, "Satzart", kind, "unknown record type")
    out.write(TABLE, staged)


def _stage(out: StagedWriter, number: int, row: Row, dates: dict[str, date], staged: list[dict[str, Any]]) -> None:
    values: dict[str, Any] = {"record_number": number, **dates}
    for column, letter, read in FIELDS:
        try:
            values[column] = read(row, letter)
        except ValueError as error:
            out.reject(TABLE, number, column, str(row[_index(letter)]), str(error))
            return
    land, district, kreis, _, municipality = (_text(row, part) for part in ARS_PARTS)
    staged.append(values | {"ags": f"{land}{district}{kreis}{municipality}"})


def _lies_elsewhere(row: Row, region: Region) -> bool:
    """Whether a readable Kreis key lies outside the region; an unreadable one is for `_stage` to reject."""
    key = "".join(_text(row, part) or "" for part in "CDE")
    return re.fullmatch(r"[0-9]{5}", key) is not None and not region.holds(key)


def _rows(snapshot: Snapshot) -> list[Row]:
    """The rows of the sheet that holds the municipalities, as read from the workbook."""
    try:
        workbook = load(snapshot.path, f"{snapshot.source_id}: {snapshot.path.name}")
        for sheet in workbook.worksheets:
            # Bounded: a row may claim to be the billionth, and a cell to be the last of 18,278.
            within = {"max_row": ROW_LIMIT + 1, "max_col": _index(LAST_COLUMN) + 1, "values_only": True}
            first = next(sheet.iter_rows(**{**within, "max_row": 1}), ())
            if first and str(first[0]).startswith(TITLE):
                return _complete(snapshot, list(sheet.iter_rows(**within)))
    except OPENPYXL_FAULTS as error:
        raise SnapshotRefused(
            f"{snapshot.source_id}: {snapshot.path.name}: expected an xlsx workbook, {error!r}; ask the publisher again"
        ) from error
    raise SnapshotRefused(
        f"{snapshot.source_id}: {snapshot.path.name}: expected a sheet whose cell A1 begins {TITLE!r}, "
        f"found the sheets {', '.join(workbook.sheetnames)}; check whether the publisher changed the file"
    )


def _complete(snapshot: Snapshot, rows: list[Row]) -> list[Row]:
    if len(rows) > ROW_LIMIT:
        raise SnapshotRefused(
            f"{snapshot.source_id}: {snapshot.path.name}: the sheet has more than {ROW_LIMIT} rows, Germany has about "
            "16,000 municipalities and associations; ask the publisher again"
        )
    return rows


def _check_header(snapshot: Snapshot, out: StagedWriter, rows: list[Row]) -> None:
    names = [_plain(cell) for row in rows[2:4] for cell in row if cell is not None]
    out.saw_header(TABLE, names)
    for cell, expected in HEADER.items():
        found = _cell(rows, cell)
        if _plain(found) != expected:
            out.drift(TABLE, expected, "missing")
            if found is not None and _plain(found) not in HEADER.values():
                out.drift(TABLE, _plain(found), "new")
            raise SnapshotRefused(
                f"{snapshot.source_id}: {snapshot.path.name}: cell {cell}: expected the header {expected!r}, "
                f"found {found!r}; compare the layout with the parser's HEADER"
            )


def _plain(cell: object) -> str:
    """A header without footnote marks, spaces and hyphens."""
    return re.sub(r"\d\)|[\s-]", "", str(cell))


def _date(snapshot: Snapshot, rows: list[Row], cell: str) -> date:
    found = re.search(r"(\d\d)\.(\d\d)\.(\d{4})", str(_cell(rows, cell)))
    try:
        day, month, year = (int(part) for part in found.groups()) if found else (0, 0, 0)
        return date(year, month, day)
    except ValueError as error:
        raise SnapshotRefused(
            f"{snapshot.source_id}: {snapshot.path.name}: cell {cell}: expected a date D.M.Y, "
            f"found {_cell(rows, cell)!r}"
        ) from error


def _cell(rows: list[Row], cell: str) -> Any:
    number = int(cell[1:])
    return rows[number - 1][_index(cell[0])] if number <= len(rows) else None


def _index(letter: str) -> int:
    return ord(letter) - ord("A")


def _text(row: Row, letter: str) -> str | None:
    cell = row[_index(letter)]
    return str(cell).strip() or None if cell is not None else None


def _key_part(row: Row, letter: str) -> str:
    # A number here has lost its leading zeros, which cannot be told from a shorter key.
    text, digits = row[_index(letter)], ARS_PARTS[letter]
    if not isinstance(text, str) or not re.fullmatch(rf"[0-9]{{{digits}}}", text):
        raise ValueError(f"expected a text of {digits} digits in column {letter}")
    return text


def _ars(row: Row, _: str) -> str:
    return "".join(_key_part(row, letter) for letter in ARS_PARTS)


def _name(row: Row, letter: str) -> str:
    name = _text(row, letter)
    if name is None:
        raise ValueError("expected a name")
    if is_mojibake(name):
        raise ValueError("broken encoding")
    return name


def _area(row: Row, letter: str) -> float:
    cell = row[_index(letter)]
    if isinstance(cell, bool) or not isinstance(cell, (int, float)) or cell < 0:
        raise ValueError("expected a number of km²")
    return float(cell)


def _persons(row: Row, letter: str) -> int:
    cell = row[_index(letter)]
    if isinstance(cell, bool) or not isinstance(cell, int) or cell < 0:
        raise ValueError("expected a whole number of persons")
    return int(cell)


def _postal_code(row: Row, letter: str) -> str | None:
    text = _text(row, letter)
    if text is not None and not re.fullmatch(r"[0-9]{5}", text):
        raise ValueError("expected 5 digits")
    return text


def _degrees(row: Row, letter: str) -> float | None:
    text = _text(row, letter)
    if text is None:
        return None
    if not re.fullmatch(r"[0-9]{1,2},[0-9]+", text):
        raise ValueError("expected degrees with a decimal comma")
    return float(text.replace(",", "."))


FIELDS: tuple[tuple[str, str, Callable[[Row, str], Any]], ...] = (
    ("ars", "C", _ars),
    ("name", "H", _name),
    ("area_km2", "I", _area),
    ("population", "J", _persons),
    ("postal_code", "N", _postal_code),
    ("longitude", "O", _degrees),
    ("latitude", "P", _degrees),
)

CONNECTOR = Connector(
    name="municipality_directory",
    version=3,
    payload="xlsx",
    tables=(TABLE,),
    parse=parse,
    unpacked_limit_bytes=UNPACKED_LIMIT_BYTES,
)
