"""Parse LocalZero's installed capacity of renewable energy per municipality, summed by them from the MaStR.

One CSV per year, a row per area (AGS; a Kreis as `05554000`, Germany as `DG000000`), a column per technology, in kW.
It is what our own sums are compared with.
"""

from __future__ import annotations

import re

from connectors.connector import Connector, Snapshot
from connectors.errors import SnapshotRefused
from connectors.region import Region
from connectors.staging import StagedWriter
from connectors.tables import ENERGY_REFERENCE_CAPACITY as TABLE
from connectors.text import CUT, CsvRecords, text_lines, without_mojibake

TECHNOLOGIES = {"pv": "solar", "wind_on": "wind", "biomass": "biomass", "water": "hydro"}
COLUMNS = ("ags", *TECHNOLOGIES)
GERMANY = "DG000000"


def parse(snapshot: Snapshot, out: StagedWriter, region: Region, /) -> None:
    """Stage one row per technology of each municipality of the region, and of Germany; a record is one such cell.

    The partition names the year. Other areas, and Kreise, are out of scope.
    Raises SnapshotRefused where the header is another or the partition names no year.
    """
    where = f"{snapshot.source_id}: {snapshot.path.name}"
    year = snapshot.partition.get("year", "")
    if not re.fullmatch(r"[0-9]{4}", year):
        raise SnapshotRefused(f"{where}: expected a partition `year` of four digits, found {year!r}; mend the YAML")
    records = CsvRecords(without_mojibake(text_lines(snapshot.path, where), where), where)
    names = [name.strip() for name in next(records, [])]
    _check_header(where, out, names)
    rows = []
    for line, cells in enumerate(records, start=2):
        values = dict(zip(names, (cell.strip() for cell in cells), strict=False))
        for place, (column, technology) in enumerate(TECHNOLOGIES.items(), start=1):
            # The number of a record is that of its line and its place in it.
            number = line * 10 + place
            out.read(TABLE, 1)
            if records.ends_open and column == names[-1] and len(cells) == len(names):
                out.reject(TABLE, number, column, values[column], CUT)
            elif not any(cells):
                out.out_of_scope(TABLE, "blank row")
            elif len(cells) != len(names):
                out.reject(TABLE, number, "row", ",".join(cells), f"expected {len(names)} fields")
            elif values["ags"] != GERMANY and not region.holds(values["ags"]):
                out.out_of_scope(TABLE, "outside the region")
            elif values["ags"] not in (GERMANY, *region.centres):
                out.out_of_scope(TABLE, "no municipality")
            elif not re.fullmatch(r"[0-9]{1,12}(\.[0-9]+)?", values[column]):
                out.reject(TABLE, number, column, values[column], "expected kW with a decimal point")
            else:
                row = {"ags": values["ags"], "technology": technology, "year": int(year)}
                rows.append(row | {"record_number": number, "capacity_kw": float(values[column])})
    seen = {(row["ags"], row["technology"]) for row in rows}
    if len(seen) != len(rows):
        raise SnapshotRefused(f"{where}: an area stands there twice; ask the publisher which row holds")
    out.write(TABLE, rows)


def _check_header(where: str, out: StagedWriter, names: list[str]) -> None:
    out.saw_header(TABLE, names)
    for name in names:
        if name not in COLUMNS:
            out.drift(TABLE, name, "new")
    missing = [name for name in COLUMNS if name not in names]
    for name in missing:
        out.drift(TABLE, name, "missing")
    if missing or len(set(names)) != len(names):
        raise SnapshotRefused(
            f"{where}: expected each of the columns {', '.join(COLUMNS)} once, found {', '.join(names)[:500]}; "
            "compare the file with the connector"
        )


CONNECTOR = Connector(name="localzero_renewable_energy", version=2, payload="csv", tables=(TABLE,), parse=parse)
