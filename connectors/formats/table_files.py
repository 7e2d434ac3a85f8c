"""Read CSV, workbooks, JSON and GeoJSON as a sheet: a header and rows of cells, whatever the file."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from connectors.archive import files, open_zip
from connectors.errors import SnapshotRefused
from connectors.formats.table_declaration import TableDeclaration
from connectors.formats.table_sheet import Row, Sheet, find_header, is_blank, tidy
from connectors.payload import JSON_LIMIT_BYTES
from connectors.text import CUT, CsvRecords, text_lines
from connectors.workbook import open_workbook

# Objects in objects of a register's JSON: addresses, lists of lines.
DEPTH_LIMIT = 4
FIELD_LIMIT = 4_000
# A workbook's sheet may claim to be a million rows long.
ROW_LIMIT = 1_000_000
# Pages of an answer, each below the limit of one.
PAGE_LIMIT = 2_000


def no_header(where: str, declaration: TableDeclaration) -> SnapshotRefused:
    """The refusal of a file without the declared header."""
    marks = ", ".join(declaration.header_marks)
    expected = f"a row with the columns {marks}" if marks else f"a header in row {declaration.header_row}"
    return SnapshotRefused(f"{where}: expected {expected}, found none; mend header_row or header_marks in the YAML")


@contextmanager
def read_csv(path: Path, where: str, declaration: TableDeclaration) -> Iterator[Iterator[Sheet]]:
    """The table of a CSV; a row with another number of fields than the header is a problem of its own."""
    dialect: dict[str, Any] = {"delimiter": declaration.delimiter, "strict": True}
    if declaration.quote is None:
        dialect["quoting"] = csv.QUOTE_NONE
    else:
        dialect["quotechar"] = declaration.quote
    records = CsvRecords(text_lines(path, where, declaration.encoding), where, **dialect)
    numbered = enumerate(records, start=1)
    found = find_header(numbered, declaration.header_row, declaration.header_marks)
    if found is None:
        raise no_header(where, declaration)
    header, preamble = found

    def rows() -> Iterator[Row]:
        for number, record in numbered:
            if is_blank(record):
                continue
            cells = record[:-1] if declaration.trailing_delimiter and record and not record[-1] else record
            problem = None if len(cells) == len(header) else f"expected {len(header)} fields, found {len(cells)}"
            if records.ends_open and problem is None:
                problem = None if declaration.ends_open else CUT
            yield Row(number, cells, problem=problem)

    yield iter([Sheet(header, rows(), preamble)])


@contextmanager
def read_xlsx(path: Path, where: str, declaration: TableDeclaration) -> Iterator[Iterator[Sheet]]:
    """The declared sheet of a workbook, or its first one."""
    with open_workbook(path, where) as workbook:
        names = list(workbook.sheetnames)
        if declaration.sheet is not None and declaration.sheet not in names:
            raise no_sheet(where, declaration.sheet, names)
        sheet = workbook[declaration.sheet or names[0]]
        yield iter([sheet_of(where, declaration, enumerate(sheet.iter_rows(values_only=True), start=1))])


def no_sheet(where: str, wanted: str, names: Sequence[str]) -> SnapshotRefused:
    """The refusal of a workbook without the declared sheet."""
    found = ", ".join(names[:20])
    return SnapshotRefused(f"{where}: expected a sheet {wanted!r}, found {found}; mend sheet in the source's YAML")


def sheet_of(where: str, declaration: TableDeclaration, rows: Iterator[tuple[int, Sequence[object]]]) -> Sheet:
    """The rows of a workbook's sheet below its header; cells beyond the header's end hold nothing or are a problem."""
    found = find_header(rows, declaration.header_row, declaration.header_marks)
    if found is None:
        raise no_header(where, declaration)
    header, preamble = found

    def below() -> Iterator[Row]:
        for number, cells in rows:
            if number > ROW_LIMIT:
                raise SnapshotRefused(f"{where}: more than {ROW_LIMIT} rows; ask the publisher for a smaller sheet")
            if is_blank(cells):
                continue
            width = len(header)
            problem = None if is_blank(cells[width:]) else f"expected {width} cells, found more"
            yield Row(number, [*cells[:width], *[None] * (width - len(cells))], problem=problem)

    return Sheet(header, below(), preamble)


@contextmanager
def read_json(path: Path, where: str, declaration: TableDeclaration) -> Iterator[Iterator[Sheet]]:
    """The objects of a JSON list; the names of nested ones are joined by `.`, entries of lists numbered from 0."""
    entries = _at(_loaded(path.read_bytes(), where), declaration.records, where)
    yield iter([_of_objects([(entry, None) for entry in entries], None)])


@contextmanager
def read_geojson(path: Path, where: str, declaration: TableDeclaration) -> Iterator[Iterator[Sheet]]:
    """The features of a GeoJSON, or of the pages of one; a geometry that is no point is told by a point within it."""
    yield (_features(content, where) for content in pages(path, where))


def _features(content: bytes, where: str) -> Sheet:
    whole = _loaded(content, where)
    if not isinstance(whole, dict) or not isinstance(whole.get("features"), list):
        raise SnapshotRefused(f"{where}: expected a FeatureCollection with features; ask the publisher")
    return _of_objects([_feature(entry) for entry in whole["features"]], _named_crs(whole, where))


def pages(path: Path, where: str) -> Iterator[bytes]:
    """The file's content, or that of the members of the zip that it is, in their order."""
    with path.open("rb") as stream:
        is_zip = stream.read(2) == b"PK"
    if not is_zip:
        yield path.read_bytes()
        return
    with open_zip(path, PAGE_LIMIT * JSON_LIMIT_BYTES) as archive:
        for name in sorted(files(archive)):
            member = files(archive)[name]
            if member.file_size > JSON_LIMIT_BYTES:
                raise SnapshotRefused(f"{where}: {name} has {member.file_size} bytes, at most {JSON_LIMIT_BYTES}")
            yield archive.read(member)


def _loaded(content: bytes, where: str) -> Any:
    try:
        return json.loads(content)
    except (ValueError, RecursionError) as error:
        raise SnapshotRefused(f"{where}: expected JSON, {error}; ask the publisher again") from error


def _at(whole: Any, keys: str, where: str) -> list[Any]:
    found = whole
    for key in filter(None, keys.split(".")):
        found = found.get(key) if isinstance(found, dict) else None
    if not isinstance(found, list):
        place = f"below {keys}" if keys else "as a whole"
        raise SnapshotRefused(f"{where}: expected a list of records {place}; mend records in the source's YAML")
    return found


Point = tuple[float, float] | None


def _of_objects(entries: Sequence[tuple[Any, Any]], crs: str | None) -> Sheet:
    """Objects as rows, whose header is all names that any of them has, in the order in which they come."""
    flat = [(_flat(entry), point) for entry, point in entries]
    header = list(dict.fromkeys(name for fields, _ in flat if fields is not None for name in fields))[:FIELD_LIMIT]

    def rows() -> Iterator[Row]:
        for number, (fields, point) in enumerate(flat, start=1):
            problem = "expected an object" if fields is None else point if isinstance(point, str) else None
            cells = [(fields or {}).get(name) for name in header]
            yield Row(number, cells, None if isinstance(point, str) else point, problem)

    return Sheet(header, rows(), crs=crs)


def _flat(entry: Any) -> dict[str, object] | None:
    """An object's fields by name, nested ones too; None of what is no object or nests too deep."""
    if not isinstance(entry, dict):
        return None
    fields: dict[str, object] = {}
    waiting: list[tuple[str, Any, int]] = [("", entry, 0)]
    while waiting:
        name, value, depth = waiting.pop()
        if isinstance(value, Mapping | list):
            if depth > DEPTH_LIMIT or len(fields) > FIELD_LIMIT:
                return None
            inner = value.items() if isinstance(value, Mapping) else enumerate(value)
            waiting += [(f"{name}.{key}" if name else str(key), each, depth + 1) for key, each in reversed([*inner])]
        else:
            fields[tidy(name)] = value
    return fields


def _feature(entry: Any) -> tuple[Any, Any]:
    """A feature's properties, its `id` among them where they have none, and its point or what is wrong with it."""
    if not isinstance(entry, dict) or not isinstance(entry.get("properties") or {}, dict):
        return None, None
    properties = dict(entry.get("properties") or {})
    if isinstance(entry.get("id"), str | int):
        properties.setdefault("id", entry["id"])
    return properties, _point(entry.get("geometry"))


def _point(geometry: Any) -> Any:
    """The point of a geometry, None where there is none, or in words why it cannot be read."""
    if geometry is None:
        return None
    # Here, as most tables have no geometry.
    import shapely
    from shapely.errors import ShapelyError
    from shapely.geometry import shape

    try:
        found = shape(geometry)
        inside = found if found.geom_type == "Point" else found.representative_point()
        return None if found.is_empty else (float(inside.x), float(inside.y))
    except (ShapelyError, shapely.errors.GEOSException, *_SHAPE_FAULTS) as error:
        return f"unreadable geometry: {type(error).__name__}"


# What shapely raises where an object is no GeoJSON geometry, as tried.
_SHAPE_FAULTS = (ValueError, TypeError, KeyError, IndexError, AttributeError, RecursionError, OverflowError)
_CRS_NAME = re.compile(r"(?:urn:ogc:def:crs:)?(OGC|EPSG):(?:[0-9.]*:)?(CRS84|\d{4,6})")


def _named_crs(whole: Mapping[str, Any], where: str) -> str | None:
    """What the old member `crs` names, None where it is not there; GeoJSON's own is longitude and latitude."""
    member = whole.get("crs")
    if member is None:
        return None
    properties = member.get("properties") if isinstance(member, dict) else None
    name = properties.get("name") if isinstance(properties, dict) else None
    found = _CRS_NAME.fullmatch(name) if isinstance(name, str) else None
    if found is None:
        raise SnapshotRefused(f"{where}: crs: expected a name such as urn:ogc:def:crs:EPSG::25832; ask the publisher")
    return "EPSG:4326" if found[2] == "CRS84" else f"EPSG:{found[2]}"
