"""Parse the list of schools of the Ministry for Schools and Education of North Rhine-Westphalia (schuldaten.csv)."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import date, datetime
from typing import Any

import pyproj

from connectors.connector import Connector, Snapshot
from connectors.errors import SnapshotRefused
from connectors.region import BoundingBox, Region
from connectors.staging import StagedWriter
from connectors.tables import SCHOOL as TABLE
from connectors.text import CUT, CsvRecords, text_lines, without_mojibake

PREAMBLE = ["sep="]
UTM32 = "EPSG:25832"
# North Rhine-Westphalia with a margin, degrees in EPSG:4326.
STATE = BoundingBox(west=5.8, south=50.3, east=9.5, north=52.6)
NAME_COLUMNS = ("Schulbezeichnung_1", "Schulbezeichnung_2", "Schulbezeichnung_3")
COORDINATE_COLUMNS = ("EPSG", "UTMRechtswert", "UTMHochwert")
# Not staged: ways to reach people, and the street, which nothing asks for.
COLUMNS_NOT_STAGED = frozenset(
    {"Strasse", "Telefonvorwahl", "Telefon", "Faxvorwahl", "Fax", "E-Mail", "Homepage", "Traegernummer"}
)


def parse(snapshot: Snapshot, out: StagedWriter, region: Region, /, *, region_only: bool = True) -> None:
    """Stage one row per school with its place in EPSG:4326; a record is one line but the header.

    `region_only` leaves schools of other municipalities out of scope, by their key: a point outside it stays.
    Raises SnapshotRefused where the header is not found or lacks a column.
    """
    where = f"{snapshot.source_id}: {snapshot.path.name}"
    text = without_mojibake(text_lines(snapshot.path, where), where)
    records = CsvRecords(text, where, delimiter=";")
    lines = enumerate(records, start=1)
    names = _header(snapshot, out, lines)

    rows: dict[str, dict[str, Any]] = {}
    for number, line in lines:
        out.read(TABLE, 1)
        if records.ends_open and len(line) == len(names):
            out.reject(TABLE, number, "row", ";".join(line), CUT)
            continue
        row = _row(out, region if region_only else None, number, line, names)
        if row is None:
            continue
        if row["school_id"] in rows:
            out.reject(TABLE, number, "Schulnummer", row["school_id"], "school repeated")
        else:
            rows[row["school_id"]] = row
    out.write(TABLE, _placed(out, list(rows.values())))


def _header(snapshot: Snapshot, out: StagedWriter, lines: Iterator[tuple[int, list[str]]]) -> list[str]:
    """Read up to the header, which a preamble may precede; returns the names of the columns."""
    for number, line in lines:
        if number > 1 or line[:1] != PREAMBLE:
            return _check_header(snapshot, out, line)
        out.read(TABLE, 1)
        out.out_of_scope(TABLE, "preamble")
    raise SnapshotRefused(
        f"{snapshot.source_id}: {snapshot.path.name}: expected a header, the file is over; ask the publisher"
    )


def _check_header(snapshot: Snapshot, out: StagedWriter, header: list[str]) -> list[str]:
    names = [name.strip() for name in header]
    while names and not names[-1]:
        names.pop()
    out.saw_header(TABLE, names)
    staged = [*NAME_COLUMNS, *COORDINATE_COLUMNS, *(header for _, header, _ in FIELDS)]
    for name in names:
        if name not in staged and name not in COLUMNS_NOT_STAGED:
            out.drift(TABLE, name, "new")
    missing = [name for name in staged if name not in names]
    for name in missing:
        out.drift(TABLE, name, "missing")
    if missing or len(set(names)) != len(names):
        raise SnapshotRefused(
            f"{snapshot.source_id}: {snapshot.path.name}: expected each of the columns {', '.join(staged)} once; "
            f"missing: {', '.join(missing) or 'none'}; found: {', '.join(names)[:500]}; "
            "compare the file with the connector"
        )
    return names


def _row(
    out: StagedWriter, region: Region | None, number: int, line: list[str], names: list[str]
) -> dict[str, Any] | None:
    """The line as a row with its coordinates still in metres, None where it is none or was rejected."""
    if not any(cell.strip() for cell in line):
        out.out_of_scope(TABLE, "blank row")
        return None
    cells = line[:-1] if len(line) == len(names) + 1 and not line[-1] else line
    if len(cells) != len(names):
        out.reject(TABLE, number, "row", ";".join(line), f"expected {len(names)} fields")
        return None
    values = {name: _cell(cell) for name, cell in zip(names, cells, strict=True)}
    row: dict[str, Any] = {
        "record_number": number,
        "name": " ".join(value for column in NAME_COLUMNS if (value := values[column])),
    }
    for column, header, read in FIELDS:
        try:
            row[column] = read(values[header])
        except ValueError as error:
            out.reject(TABLE, number, header, values[header], str(error))
            return None
    if region is not None and not region.holds(row["ags"]):
        out.out_of_scope(TABLE, "outside the region")
        return None
    if values["EPSG"] not in (UTM32, None):
        out.reject(TABLE, number, "EPSG", values["EPSG"], f"expected {UTM32} or null")
        return None
    for column, header in (("longitude", "UTMRechtswert"), ("latitude", "UTMHochwert")):
        try:
            # Without a coordinate system the metres say nothing.
            row[column] = _metres(values[header]) if values["EPSG"] else None
        except ValueError as error:
            out.reject(TABLE, number, header, values[header], str(error))
            return None
    return row


def _placed(out: StagedWriter, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The rows with metres turned into degrees; those that fall outside the state are rejected."""
    to_degrees = pyproj.Transformer.from_crs(UTM32, "EPSG:4326", always_xy=True)
    known = [row for row in rows if row["longitude"] is not None and row["latitude"] is not None]
    longitudes, latitudes = to_degrees.transform(
        [row["longitude"] for row in known], [row["latitude"] for row in known]
    )
    places = {
        row["school_id"]: (longitude, latitude)
        for row, longitude, latitude in zip(known, longitudes, latitudes, strict=True)
    }
    placed: list[dict[str, Any]] = []
    for row in rows:
        longitude, latitude = places.get(row["school_id"], (None, None))
        if longitude is not None and not STATE.holds(longitude, latitude):
            raw = f"{row['longitude']} {row['latitude']}"
            out.reject(TABLE, row["record_number"], "UTMRechtswert", raw, "outside North Rhine-Westphalia")
        else:
            placed.append(row | {"longitude": longitude, "latitude": latitude})
    return placed


def _cell(raw: str) -> str | None:
    """The publisher writes missing values as nothing or as the text `null`."""
    text = raw.strip()
    return None if text in ("", "null") else text


def _metres(text: str | None) -> float | None:
    if text is None:
        return None
    if not re.fullmatch(r"[0-9]{1,7}([.,][0-9]+)?", text):
        raise ValueError("expected metres")
    return float(text.replace(",", "."))


def _school_number(text: str | None) -> str:
    if text is None or not re.fullmatch(r"[0-9]{6}", text):
        raise ValueError("expected 6 digits")
    return text


def _ags(text: str | None) -> str:
    if text is None or not re.fullmatch(r"[0-9]{8}", text):
        raise ValueError("expected 8 digits")
    return text


def _text(text: str | None) -> str | None:
    return text


def _day(text: str | None) -> date | None:
    if text is None:
        return None
    if not re.fullmatch(r"[0-9]{2}\.[0-9]{2}\.[0-9]{4}", text):
        raise ValueError("expected a date D.M.Y")
    return datetime.strptime(text, "%d.%m.%Y").date()  # noqa: DTZ007 - a date has no zone


FIELDS: tuple[tuple[str, str, Callable[[str | None], Any]], ...] = (
    ("school_id", "Schulnummer", _school_number),
    ("short_name", "Kurzbezeichnung", _text),
    ("school_type_code", "Schulform", _text),
    ("legal_form_code", "Rechtsform", _text),
    ("ags", "Gemeindeschluessel", _ags),
    ("postal_code", "PLZ", _text),
    ("place", "Ort", _text),
    ("operating_status_code", "Schulbetriebsschluessel", _text),
    ("operating_since_date", "Schulbetriebsdatum", _day),
)

CONNECTOR = Connector(name="schools_nrw", version=3, payload="csv", tables=(TABLE,), parse=parse)
