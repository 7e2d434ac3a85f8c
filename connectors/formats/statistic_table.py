"""Parse CSVs of figures per area, a column per figure, into statistical values, as their source declares them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from connectors.connector import Connector, Snapshot
from connectors.errors import SnapshotRefused
from connectors.formats.statistic_time import span_of
from connectors.region import Region
from connectors.staging import StagedWriter
from connectors.tables import STATISTIC_VALUE as TABLE
from connectors.text import CUT, CsvRecords, calendar_date, text_lines, without_mojibake

AREA_VARIABLE = "AGS"
OUTSIDE = "outside the region"


def parse(
    snapshot: Snapshot,
    out: StagedWriter,
    region: Region,
    /,
    *,
    table_code: str,
    area: str,
    values: dict[str, str],
    areas: dict[str, str] | None = None,
    not_staged: list[str] | None = None,
    period: str = "",
    period_column: str = "",
    period_partition: str = "",
    last_of_year: bool = False,
    delimiter: str = ",",
) -> None:
    """Stage one value per line and column of `values` (column -> unit); a record is one such cell.

    area: the column that names the area: AGS, Kreis key, a Kreis as an AGS that ends in 000, or a name of `areas`
    (name -> key). The time is `period` as it stands, the partition `period_partition`, or the date in `period_column`
    (2023-07-20 or 20.07.2023); with `last_of_year` only an area's last date of each year counts. Areas elsewhere are
    out of scope. Raises SnapshotRefused where the header lacks a column, and where the file's time is not declared.
    """
    where = f"{snapshot.source_id}: {snapshot.path.name}"
    fixed = period or snapshot.partition.get(period_partition, "")
    if not fixed and not period_column:
        raise SnapshotRefused(f"{where}: its time is not declared; mend the options period… in the source's YAML")
    records = CsvRecords(without_mojibake(text_lines(snapshot.path, where), where), where, delimiter=delimiter)
    header = [name.strip() for name in next(records, [])]
    _check_header(where, out, header, [area, *([period_column] if period_column else []), *values], not_staged or [])

    rows: list[dict[str, Any]] = []
    for number, line in enumerate(records, start=2):
        out.read(TABLE, len(values))
        if not any(cell.strip() for cell in line):
            out.out_of_scope(TABLE, "blank row", len(values))
            continue
        fault = CUT if records.ends_open else f"expected {len(header)} fields"
        if records.ends_open or len(line) != len(header):
            _reject(out, number, "row", delimiter.join(line), fault, len(values))
            continue
        cells = dict(zip(header, (cell.strip() for cell in line), strict=True))
        try:
            key = _area_key(cells[area], areas, region)
        except ValueError as error:
            _reject(out, number, area, cells[area], str(error), len(values))
            continue
        if key is None:
            out.out_of_scope(TABLE, OUTSIDE, len(values))
            continue
        try:
            time = calendar_date(cells[period_column]).isoformat() if period_column else fixed
        except ValueError as error:
            _reject(out, number, period_column, cells[period_column], str(error), len(values))
            continue
        told = {"record_number": number, "table_code": table_code, "statistic_code": table_code, "period": time}
        told |= {"area_variable_code": AREA_VARIABLE, "area_code": key, "area_label": cells[area]}
        told |= dict(zip(("period_start_date", "period_end_date"), span_of(time) or (None, None), strict=True))
        rows += _values(out, told, cells, values)
    out.write(TABLE, _last_of_each_year(out, rows) if last_of_year else rows)


def _check_header(where: str, out: StagedWriter, header: list[str], wanted: list[str], not_staged: list[str]) -> None:
    out.saw_header(TABLE, header)
    for name in header:
        if name not in wanted and name not in not_staged:
            out.drift(TABLE, name, "new")
    missing = [name for name in wanted if name not in header]
    for name in missing:
        out.drift(TABLE, name, "missing")
    if missing or len(set(header)) != len(header):
        raise SnapshotRefused(
            f"{where}: expected each of the columns {', '.join(wanted)} once; missing: "
            f"{', '.join(missing) or 'none'}; found: {', '.join(header)[:500]}; compare the file with the source's YAML"
        )


def _area_key(given: str, areas: Mapping[str, str] | None, region: Region) -> str | None:
    """The key of an area of the region, None for any other; raises ValueError for what is no key."""
    if areas is None and not re.fullmatch(r"(DG|\d{2})(\d{3}|\d{6})", given):
        raise ValueError("expected an AGS of 8 digits or a Kreis key of 5")
    key = given if areas is None else areas.get(given, "")
    if re.fullmatch(r"\d{8}", key) and key not in region.centres and key.endswith("000"):
        key = key[:5]
    return key if key in region.centres or key in region.kreis_keys else None


def _values(
    out: StagedWriter, told: Mapping[str, Any], cells: Mapping[str, str], values: Mapping[str, str]
) -> Iterator[dict[str, Any]]:
    """A row per value column; a blank is a value that is missing."""
    for column, unit in values.items():
        text = cells[column]
        if text and not re.fullmatch(r"-?[0-9]{1,15}([.,][0-9]{1,15})?", text):
            out.reject(TABLE, told["record_number"], column, text, "expected a number")
            continue
        yield {
            **told,
            "attribute_codes": "",
            "value": float(text.replace(",", ".")) if text else None,
            "value_mark": None if text else "",
            "value_unit": unit,
            "value_variable_code": column,
            "value_variable_label": column,
        }


def _last_of_each_year(out: StagedWriter, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    last: dict[tuple[str, str], str] = {}
    for row in rows:
        year = (row["area_code"], row["period"][:4])
        last[year] = max(last.get(year, ""), row["period"])
    kept = [row for row in rows if row["period"] == last[row["area_code"], row["period"][:4]]]
    out.out_of_scope(TABLE, "not the last date of its year", len(rows) - len(kept))
    return kept


def _reject(out: StagedWriter, number: int, column: str, raw: str, reason: str, records: int) -> None:
    """Reject all values of a line."""
    for _ in range(records):
        out.reject(TABLE, number, column, raw, reason)


CONNECTOR = Connector(name="statistic_table", version=1, payload="csv", tables=(TABLE,), parse=parse)
