"""Parse a population grid of the census: inhabitants per cell of 100 m (Zensus 2022, „Gitterdaten“).

Format: a zip with a CSV per width of the grid, `Zensus2022_Bevoelkerungszahl_100m-Gitter.csv` among them:
`GITTER_ID_100m;x_mp_100m;y_mp_100m;Einwohner`, one line per inhabited cell of Germany (about three million), midpoints
in EPSG:3035. A cell's id names its south-western corner: `CRS3035RES100mN2689100E4337000` (INSPIRE grid).
"""

from __future__ import annotations

import re
import zipfile
from collections.abc import Iterator
from typing import Any

import pyproj

from connectors.archive import extract, files, open_zip
from connectors.connector import Connector, Snapshot
from connectors.errors import SnapshotRefused
from connectors.region import BoundingBox, Region
from connectors.staging import StagedWriter
from connectors.tables import POPULATION_CELL as TABLE
from connectors.text import CUT, CsvRecords, text_lines, without_mojibake

MEMBER = re.compile(r".*_100m-Gitter\.csv", re.IGNORECASE)
CELL_ID = re.compile(r"CRS3035RES100mN([0-9]{1,7})E([0-9]{1,7})")
COLUMNS = ("GITTER_ID_100m", "x_mp_100m", "y_mp_100m", "Einwohner")
# Grids of other figures have it beside theirs: says which are not reliable.
KNOWN_COLUMNS = frozenset({"werterlaeuternde_Zeichen"})
HALF_CELL_M = 50
# "–" in the publisher's description of the data: nothing there, or changed to nothing for secrecy.
MARKS = frozenset({"–", "-", "—"})
OUTSIDE = "outside the region"
# A publisher's file has 4 columns; a cell holds some hundred people, at most some thousand.
PEOPLE_PATTERN = re.compile(r"[0-9]{1,6}")
METRES_PATTERN = re.compile(r"[0-9]{1,7}")
BATCH_ROWS = 20_000
# All widths of the grid unpack to about 180 MB.
UNPACKED_LIMIT_BYTES = 2**30


def parse(snapshot: Snapshot, out: StagedWriter, region: Region, /, *, encoding: str = "utf-8") -> None:
    """Stage one row per cell of 100 m within the region's bounding box, by its midpoint; a record is one line but the
    header, those outside the box are out of scope.

    A blank or marked number is staged as null, with its mark. Raises SnapshotRefused where the zip has not exactly one
    CSV of the 100 m grid or that lacks a column.
    """
    with open_zip(snapshot.path, UNPACKED_LIMIT_BYTES) as archive:
        member = _member(snapshot, archive)
        path = extract(archive, member, out.scratch)
    where = f"{snapshot.source_id}: {snapshot.path.name}: {path.name}"
    records = CsvRecords(without_mojibake(text_lines(path, where, encoding), where), where, delimiter=";")
    header = [name.strip() for name in next(records, [])]
    _check_header(out, where, header)
    scope = _Scope(region.bounding_box)
    seen: set[str] = set()
    batch: list[dict[str, Any]] = []
    for row in _rows(out, records, header, scope):
        if row["cell_id"] in seen:
            out.reject(TABLE, row["record_number"], COLUMNS[0], row["cell_id"], "cell repeated")
            continue
        seen.add(row["cell_id"])
        batch.append(row)
        if len(batch) == BATCH_ROWS:
            _write(out, scope, batch)
            batch = []
    _write(out, scope, batch)


def _member(snapshot: Snapshot, archive: zipfile.ZipFile) -> zipfile.ZipInfo:
    members = files(archive)
    fitting = [member for name, member in members.items() if MEMBER.fullmatch(name)]
    if len(fitting) != 1:
        raise SnapshotRefused(
            f"{snapshot.source_id}: {snapshot.path.name}: expected one member …_100m-Gitter.csv, found "
            f"{', '.join(sorted(members)[:20]) or 'none'}; check the address: other grids have other files"
        )
    return fitting[0]


def _check_header(out: StagedWriter, where: str, header: list[str]) -> None:
    out.saw_header(TABLE, header)
    for name in header:
        if name and name not in COLUMNS and name not in KNOWN_COLUMNS:
            out.drift(TABLE, name, "new")
    missing = [name for name in COLUMNS if name not in header]
    for name in missing:
        out.drift(TABLE, name, "missing")
    if missing or any(header.count(name) > 1 for name in COLUMNS):
        raise SnapshotRefused(
            f"{where}: expected each of the columns {', '.join(COLUMNS)} once; missing: "
            f"{', '.join(missing) or 'none'}; found: {', '.join(header)[:500] or 'nothing'}; "
            "compare the file with the connector"
        )


class _Scope:
    """What lies in the box: first by metres, which costs little, then by degrees, which decide."""

    def __init__(self, box: BoundingBox) -> None:
        self._box = box
        self._to_degrees = pyproj.Transformer.from_crs("EPSG:3035", "EPSG:4326", always_xy=True)
        self.west, self.south, self.east, self.north = self._to_degrees.transform_bounds(
            box.west, box.south, box.east, box.north, densify_pts=100, direction="INVERSE"
        )

    def placed(self, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """The rows that lie in the box, with their longitude and latitude in degrees."""
        if not rows:
            return []
        longitudes, latitudes = self._to_degrees.transform(
            [row["easting_m"] for row in rows], [row["northing_m"] for row in rows]
        )
        return [
            row | {"longitude": longitude, "latitude": latitude}
            for row, longitude, latitude in zip(rows, longitudes, latitudes, strict=True)
            if self._box.holds(longitude, latitude)
        ]


def _rows(out: StagedWriter, records: CsvRecords, header: list[str], scope: _Scope) -> Iterator[dict[str, Any]]:
    """The cells that may lie in scope, with their midpoint in metres; what else there is is accounted for.

    Three million lines pass through here: those far away cost one comparison.
    """
    width = len(header)
    at_id, at_east, at_north, at_people = (header.index(name) for name in COLUMNS)
    read = outside = blank = 0
    for number, record in enumerate(records, start=1):
        read += 1
        if not record or not any(map(str.strip, record)):
            blank += 1
            continue
        if len(record) != width:
            out.reject(TABLE, number, "row", ";".join(record), f"expected {width} fields")
            continue
        if records.ends_open and at_people == width - 1:
            out.reject(TABLE, number, "row", ";".join(record), CUT)
            continue
        cell_id, east, north = record[at_id].strip(), record[at_east].strip(), record[at_north].strip()
        fault = _fault(cell_id, east, north)
        if fault:
            column, reason = fault
            out.reject(TABLE, number, column, record[header.index(column)], reason)
            continue
        easting, northing = int(east), int(north)
        if not (scope.west <= easting <= scope.east and scope.south <= northing <= scope.north):
            outside += 1
            continue
        people = record[at_people].strip()
        if people and people not in MARKS and not PEOPLE_PATTERN.fullmatch(people):
            out.reject(TABLE, number, COLUMNS[3], people, "expected a whole number of people")
            continue
        yield {
            "record_number": number,
            "cell_id": cell_id,
            "easting_m": easting,
            "northing_m": northing,
            "population": int(people) if people and people not in MARKS else None,
            "population_mark": people if people in MARKS else None,
        }
    out.read(TABLE, read)
    out.out_of_scope(TABLE, OUTSIDE, outside)
    out.out_of_scope(TABLE, "blank row", blank)


def _fault(cell_id: str, east: str, north: str) -> tuple[str, str] | None:
    """The column that cannot be read and why; None where id and midpoint agree."""
    corner = CELL_ID.fullmatch(cell_id)
    if corner is None:
        return COLUMNS[0], "expected an id like CRS3035RES100mN2689100E4337000"
    for column, metres in ((COLUMNS[1], east), (COLUMNS[2], north)):
        if not METRES_PATTERN.fullmatch(metres):
            return column, "expected whole metres"
    if (int(north) - HALF_CELL_M, int(east) - HALF_CELL_M) != (int(corner[1]), int(corner[2])):
        return COLUMNS[0], "midpoint is not that of the cell"
    return None


def _write(out: StagedWriter, scope: _Scope, rows: list[dict[str, Any]]) -> None:
    placed = scope.placed(rows)
    out.out_of_scope(TABLE, OUTSIDE, len(rows) - len(placed))
    out.write(TABLE, placed)


CONNECTOR = Connector(
    name="census_grid",
    version=1,
    payload="zip",
    tables=(TABLE,),
    parse=parse,
    unpacked_limit_bytes=UNPACKED_LIMIT_BYTES,
)
