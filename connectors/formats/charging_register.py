"""Parse the Ladesäulenregister (register of public charging stations) of the Bundesnetzagentur."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from connectors.connector import Connector, Snapshot
from connectors.errors import SnapshotRefused
from connectors.region import BoundingBox, Region
from connectors.staging import StagedWriter
from connectors.tables import CHARGING_STATION as TABLE
from connectors.text import CUT, CsvRecords, text_lines, without_mojibake

# What every generation of the header had in common; lines before it are the publisher's notes.
HEADER_MARKS = frozenset({"Betreiber", "Breitengrad"})
GERMANY = BoundingBox(west=5.8, south=47.0, east=15.1, north=55.1)
# The preamble of 2025 has 10 lines.
HEADER_WITHIN_LINES = 100
BATCH_ROWS = 5_000
# Columns of the register from 2022 to 2026 that are not staged; plugs are numbered 1 to 6.
COLUMNS_NOT_STAGED = frozenset(
    {
        "Ladeeinrichtungs-ID",
        "Anzeigename (Karte)",
        "Status",
        "Straße",
        "Hausnummer",
        "Adresszusatz",
        "Bundesland",
        "Standortbezeichnung",
        "Informationen zum Parkraum",
        "Bezahlsysteme",
        "Öffnungszeiten",
        "Öffnungszeiten: Wochentage",
        "Öffnungszeiten: Tageszeiten",
        "Rechtswert",
        "Hochwert",
    }
)
PLUG_COLUMN = re.compile(r"(Steckertypen|Public Key|EVSE-ID|Nennleistung Stecker)[1-6]|P[1-6] \[kW\]")
# The power of a point; the columns of the plugs are numbered alike.
POINT_POWER = re.compile(r"(P|Nennleistung Stecker)[1-6]( \[kW\])?")
KILOWATTS = re.compile(r"[0-9]{1,6}(,[0-9]+)?")
NORMAL_POWER_KW = 22


def parse(
    snapshot: Snapshot, out: StagedWriter, region: Region, /, *, encoding: str = "utf-8", region_only: bool = True
) -> None:
    """Stage one row per device (power in kW); a record is one line but the header.

    Equal lines are each a device and stay. The register has no municipality key: `region_only` leaves devices out of
    scope that lie outside the region's bounding box and name none of its Kreise. Raises SnapshotRefused where no
    header or a required column is found.
    """
    where = f"{snapshot.source_id}: {snapshot.path.name}"
    text = without_mojibake(text_lines(snapshot.path, where, encoding), where)
    scope = region if region_only else None
    records = CsvRecords(text, where, delimiter=";")
    lines = enumerate(records, start=1)
    positions, plugs, width = _header(snapshot, out, lines)
    rows: list[dict[str, Any]] = []
    for number, line in lines:
        out.read(TABLE, 1)
        if records.ends_open and width - 1 in positions.values() and any(field.strip() for field in line):
            out.reject(TABLE, number, "row", ";".join(line), CUT)
            continue
        row = _row(out, scope, number, line, positions, width)
        if row is not None:
            rows.append(row | {"fast_points": _fast_points(line, plugs, row["charging_points"])})
        if len(rows) == BATCH_ROWS:
            out.write(TABLE, rows)
            rows = []
    out.write(TABLE, rows)


def _header(
    snapshot: Snapshot, out: StagedWriter, lines: Iterator[tuple[int, list[str]]]
) -> tuple[dict[str, int], list[int], int]:
    """Read up to the header; returns the positions of staged columns and of plugs' power, and a line's fields."""
    for number, line in lines:
        if number > HEADER_WITHIN_LINES:
            break
        names = [name.strip() for name in line]
        if names and HEADER_MARKS.issubset(names):
            plugs = [place for place, name in enumerate(names) if POINT_POWER.fullmatch(name)]
            return _positions(snapshot, out, names), plugs, len(names)
        out.read(TABLE, 1)
        out.out_of_scope(TABLE, "preamble")
    raise SnapshotRefused(
        f"{snapshot.source_id}: {snapshot.path.name}: none of the first {HEADER_WITHIN_LINES} lines holds the headers "
        f"{', '.join(sorted(HEADER_MARKS))}; "
        "check the address, the encoding and whether the publisher changed the file"
    )


def _positions(snapshot: Snapshot, out: StagedWriter, names: list[str]) -> dict[str, int]:
    repeated = {name for name in names if name and names.count(name) > 1}
    if repeated:
        raise SnapshotRefused(
            f"{snapshot.source_id}: {snapshot.path.name}: the header holds {', '.join(sorted(repeated))} twice"
        )
    out.saw_header(TABLE, names)
    staged = {header for field in FIELDS for header in field.headers}
    for name in names:
        if name and name not in staged | COLUMNS_NOT_STAGED and not PLUG_COLUMN.fullmatch(name):
            out.drift(TABLE, name, "new")
    positions: dict[str, int] = {}
    for field in FIELDS:
        header = next((header for header in field.headers if header in names), None)
        if header is not None:
            positions[field.column] = names.index(header)
            continue
        out.drift(TABLE, field.headers[0], "missing")
        raise SnapshotRefused(
            f"{snapshot.source_id}: {snapshot.path.name}: expected a column {' or '.join(field.headers)}, "
            f"found {', '.join(names)}; declare the new name in the parser's FIELDS"
        )
    return positions


def _row(
    out: StagedWriter, region: Region | None, number: int, line: list[str], positions: dict[str, int], width: int
) -> dict[str, Any] | None:
    """The line as a row, None where it is none, was rejected, or tells of a place outside `region` (None: anywhere)."""
    filled = [field for field in line if field.strip()]
    if not filled:
        out.out_of_scope(TABLE, "blank row")
        return None
    if filled == line[:1]:
        out.out_of_scope(TABLE, "footer")
        return None
    if len(line) != width:
        out.reject(TABLE, number, "row", ";".join(line), f"expected {width} fields")
        return None
    place = _read(out, number, line, positions, PLACE_FIELDS)
    if place is None:
        return None
    if fault := _place_fault(place["longitude"], place["latitude"]):
        out.reject(TABLE, number, "Breitengrad", f"{place['latitude']} {place['longitude']}", fault)
        return None
    if region is not None and not _is_in(region, place):
        out.out_of_scope(TABLE, "outside the region")
        return None
    device = _read(out, number, line, positions, DEVICE_FIELDS)
    if device is None:
        return None
    sha256 = hashlib.sha256(json.dumps(line, ensure_ascii=False).encode()).hexdigest()
    return {"record_number": number, "record_sha256": sha256, **place, **device}


def _fast_points(line: list[str], plugs: list[int], points: int) -> int | None:
    """How many points of the device deliver more than 22 kW (AFIR, article 2: high-power recharging points).

    None where the file does not tell the power of each, as for devices with more points than it has columns.
    """
    told = [_kilowatts(raw) for place in plugs if (raw := line[place].strip()) and KILOWATTS.fullmatch(raw)]
    return sum(power > NORMAL_POWER_KW for power in told) if len(told) == points else None


def _read(
    out: StagedWriter, number: int, line: list[str], positions: dict[str, int], fields: tuple[_Field, ...]
) -> dict[str, Any] | None:
    row: dict[str, Any] = {}
    for field in fields:
        raw = line[positions[field.column]].strip()
        try:
            row[field.column] = field.read(raw)
        except ValueError as error:
            out.reject(TABLE, number, field.headers[0], raw, str(error))
            return None
    return row


def _is_in(region: Region, place: dict[str, Any]) -> bool:
    """By point or by the name of the Kreis: a device of Münster with a wrong point is still one of Münster's."""
    names = {_plain_kreis(kreis.name_de) for kreis in region.kreise}
    return (
        region.bounding_box.holds(place["longitude"], place["latitude"])
        or _plain_kreis(place["kreis_name"] or "") in names
    )


def _plain_kreis(name: str) -> str:
    """`Kreis Borken`, `Landkreis Borken` and `Borken, Kreis` alike are `borken`."""
    return re.sub(r"kreisfreie stadt|landkreis|\bkreis\b|[(),]", "", name.casefold()).strip()


def _place_fault(longitude: float, latitude: float) -> str | None:
    if GERMANY.holds(longitude, latitude):
        return None
    # In Germany no longitude is a possible latitude; which of the two is meant is still the publisher's to say.
    return "latitude and longitude swapped" if GERMANY.holds(latitude, longitude) else "outside Germany"


def _text(raw: str) -> str | None:
    return raw or None


def _degrees(raw: str) -> float:
    if not re.fullmatch(r"-?[0-9]{1,3},[0-9]+", raw):
        raise ValueError("expected degrees with a decimal comma")
    return float(raw.replace(",", "."))


def _kilowatts(raw: str) -> float:
    if not KILOWATTS.fullmatch(raw):
        raise ValueError("expected kW with a decimal comma")
    return float(raw.replace(",", "."))


def _points(raw: str) -> int:
    if not re.fullmatch(r"[0-9]{1,4}", raw):
        raise ValueError("expected a whole number")
    return int(raw)


def _day(raw: str) -> date | None:
    """D.M.YYYY, or D.M.YY as in 2022 (of POSIX's century: 69 to 99 are 19YY)."""
    if not raw:
        return None
    for shape, pattern in ((r"[0-9]{1,2}\.[0-9]{1,2}\.[0-9]{4}", "%d.%m.%Y"), (r"[0-9.]{1,6}[0-9]{2}", "%d.%m.%y")):
        if re.fullmatch(shape, raw):
            return datetime.strptime(raw, pattern).date()  # noqa: DTZ007 - a date has no zone
    raise ValueError("expected a date D.M.Y")


@dataclass(frozen=True)
class _Field:
    """A column, the headers it had through the years, newest first, and how to read it."""

    column: str
    headers: tuple[str, ...]
    read: Callable[[str], Any]


# What tells whether a line is in scope.
PLACE_FIELDS = (
    _Field("longitude", ("Längengrad",), _degrees),
    _Field("latitude", ("Breitengrad",), _degrees),
    _Field("kreis_name", ("Kreis/kreisfreie Stadt",), _text),
)
DEVICE_FIELDS = (
    _Field("operator", ("Betreiber",), _text),
    _Field("postal_code", ("Postleitzahl",), _text),
    _Field("place", ("Ort",), _text),
    _Field("commissioned_date", ("Inbetriebnahmedatum",), _day),
    _Field(
        "power_kw", ("Nennleistung Ladeeinrichtung [kW]", "Anschlussleistung [kW]", "Anschlussleistung"), _kilowatts
    ),
    # The second spelling was the register's own until 2025.
    _Field("device_type", ("Art der Ladeeinrichtung", "Art der Ladeeinrichung"), _text),
    _Field("charging_points", ("Anzahl Ladepunkte",), _points),
)
FIELDS = PLACE_FIELDS + DEVICE_FIELDS

CONNECTOR = Connector(name="charging_register", version=4, payload="csv", tables=(TABLE,), parse=parse)
