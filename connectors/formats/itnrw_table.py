"""Parse the CSV of IT.NRW's own downloader (Landesdatenbank NRW): Latin-1, a preamble, a header over several rows whose
merged cells are written once, a row per area and period, a footer below a line of underscores."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import Field

from connectors.connector import Connector, Snapshot
from connectors.declared import Pattern
from connectors.errors import SnapshotRefused
from connectors.formats.genesis_ffcsv import MARKS
from connectors.formats.statistic_time import Span, span_of
from connectors.region import Region
from connectors.staging import StagedWriter
from connectors.tables import STATISTIC_VALUE as TABLE
from connectors.text import CUT, CsvRecords, german_lines

# Tables of all municipalities of North Rhine-Westphalia over thirty years have some 20,000 rows.
ROW_LIMIT = 200_000
_AREA = re.compile(r"DG|\d{2,12}")
_NUMBER = re.compile(r"-?\d{1,15}(,\d{1,15})?")
_LEADING = ("period", "area_code", "area_label")
# An attribute that stands in a leading column: `attribute:GES`.
_ATTRIBUTE = re.compile(r"attribute:(\w+)")

Numbered = tuple[int, list[str]]


@dataclass(frozen=True)
class _Layout:
    """What the options say of the table."""

    leading: tuple[str, ...]
    header_rows: int
    has_unit_row: bool

    def holds_area(self, record: Sequence[str]) -> bool:
        """Whether the key of an area stands where those of the data do, with values behind it."""
        at = self.leading.index("area_code")
        return len(record) > len(self.leading) and _AREA.fullmatch(record[at].strip()) is not None

    def begins_data(self, record: Sequence[str]) -> bool:
        """Whether a record is the first of the data: what stands in front is a period and an area's key."""
        if len(record) <= len(self.leading):
            return False
        cells = dict(zip(self.leading, (cell.strip() for cell in record), strict=False))
        known = span_of(cells["period"]) is not None if "period" in cells else True
        return known and _AREA.fullmatch(cells["area_code"]) is not None


def parse(
    snapshot: Snapshot,
    out: StagedWriter,
    region: Region,
    /,
    *,
    table_code: str,
    columns: tuple[str, ...] = _LEADING,
    header_rows: Annotated[int, Field(ge=1, le=10)] = 2,
    has_unit_row: bool = False,
    unit: str = "Anzahl",
    period_in_preamble: Pattern | None = None,
    time_code: str = "STAG",
    codes: dict[str, str] | None = None,
    region_only: bool = True,
) -> None:
    """Stage the values of one table; a record is a value cell of a row, or another row of the file.

    `columns` are those in front of the values: `period`, `area_code`, `area_label`, `attribute:GES`; of a table that
    tells its period in the preamble `period_in_preamble` is the regular expression that finds it there. Above the
    values stand `header_rows`, whose texts make a value's name (`Insgesamt - männlich`), the last of them its unit
    where `has_unit_row`, else `unit` is. `codes` give names the codes of variables; without one the name is the code.
    A blank period is that of the row above. Raises SnapshotRefused where no row is data, the preamble tells no period,
    a column of `codes` is missing or names are not distinct.
    """
    where = f"{snapshot.source_id}: {snapshot.path.name}"
    layout = _layout(where, columns, header_rows, has_unit_row, period_in_preamble)
    rows, ends_open = _rows(snapshot, where)
    begin = next((at for at, (_, record) in enumerate(rows) if layout.begins_data(record)), None)
    if begin is None or begin < header_rows:
        raise SnapshotRefused(
            f"{where}: expected {header_rows} header rows and below them rows that begin with {', '.join(columns)}, "
            f"found none in {len(rows)} rows; compare the file with the options of the source's YAML"
        )
    period = "" if period_in_preamble is None else _period_of(where, rows[: begin - header_rows], period_in_preamble)
    names, units = _names(where, [record for _, record in rows[begin - header_rows : begin]], layout)
    _check_names(where, out, names, codes or {})
    # A last line that is not closed may be a row that was cut, however little is left of it.
    whole = len(rows) - ends_open
    end = next((at for at in range(begin, whole) if _is_footer(rows[at][1])), len(rows))
    if below := [number for number, record in rows[end:whole] if layout.holds_area(record)]:
        raise SnapshotRefused(
            f"{where}: record {rows[end][0]} is one cell, as of the notes below the table, but record {below[0]} "
            "below it holds the key of an area; look at the file"
        )
    out.read(TABLE, begin + (end - begin) * len(names) + len(rows) - end)
    out.out_of_scope(TABLE, "preamble", begin - header_rows)
    out.out_of_scope(TABLE, "header", header_rows)
    out.out_of_scope(TABLE, "footer", len(rows) - end)
    variables = [(codes or {}).get(name, name) for name in names]
    measures = list(zip(names, variables, units if has_unit_row else [unit] * len(names), strict=True))
    reader = _Reader(out, region if region_only else None, layout, measures, period, table_code, time_code)
    staged = [row for numbered in rows[begin : min(end, whole)] for row in reader.read(numbered)]
    for number, record in rows[whole:end]:
        reader.reject(number, "row", ";".join(record), CUT)
    out.write(TABLE, staged)


def _layout(
    where: str, columns: tuple[str, ...], header_rows: int, has_unit_row: bool, period_in_preamble: str | None
) -> _Layout:
    strange = [name for name in columns if name not in _LEADING and not _ATTRIBUTE.fullmatch(name)]
    if strange or "area_code" not in columns or ("period" in columns) == (period_in_preamble is not None):
        raise SnapshotRefused(
            f"{where}: options.columns are {', '.join(columns)} and options.period_in_preamble {period_in_preamble!r}, "
            "expected area_code, area_label, attribute:NAME and the period either as a column or from the preamble; "
            "mend the source's YAML"
        )
    return _Layout(columns, header_rows, has_unit_row)


def _period_of(where: str, preamble: Sequence[Numbered], pattern: str) -> str:
    """The period that the preamble tells; raises SnapshotRefused where it tells none."""
    text = "\n".join(";".join(record) for _, record in preamble)
    found = re.search(pattern, text)
    if found is None or span_of(found[found.re.groups and 1]) is None:
        raise SnapshotRefused(
            f"{where}: expected a period in the preamble as {pattern}, found {text[:200]!r}; compare the file with "
            "period_in_preamble of the source's YAML"
        )
    return found[found.re.groups and 1]


def _rows(snapshot: Snapshot, where: str) -> tuple[list[Numbered], bool]:
    """The file's records that hold anything, with the number of each, and whether the last one's line is not closed."""
    # Latin-1 says nothing of what is no letter of it; should they change to UTF-8 one day, it is read as well.
    lines = CsvRecords(german_lines(snapshot.path, where), where, delimiter=";")
    found: list[Numbered] = []
    for number, record in enumerate(lines, start=1):
        if any(cell.strip() for cell in record):
            found.append((number, record))
        if len(found) > ROW_LIMIT:
            raise SnapshotRefused(f"{where}: more than {ROW_LIMIT} rows, expected one table; ask the publisher")
    return found, lines.ends_open and bool(found)


def _is_footer(record: Sequence[str]) -> bool:
    """A line of underscores, or a note: one cell and nothing beside it."""
    filled = [cell for cell in record if cell.strip()]
    return len(filled) == 1 and bool(record[0].strip()) and not _AREA.fullmatch(record[0].strip())


def _names(where: str, header: list[list[str]], layout: _Layout) -> tuple[list[str], list[str]]:
    """Name and unit of every value column; a merged cell reaches to the next text on its right, in its row or above."""
    first, width = len(layout.leading), max(len(record) for record in header)
    rows = [[cell.strip() for cell in (*record, *[""] * (width - len(record)))][first:] for record in header]
    units = _spread(rows.pop(), set()) if layout.has_unit_row else [""] * (width - first)
    begun: set[int] = set()
    filled = []
    for row in rows:
        filled.append(_spread(row, begun))
        begun |= {at for at, cell in enumerate(row) if cell}
    names = [" - ".join(dict.fromkeys(filter(None, column))) for column in zip(*filled, strict=True)]
    while names and not names[-1]:
        names.pop()
    if not names or len(set(names)) != len(names) or not all(names):
        raise SnapshotRefused(
            f"{where}: expected a name of its own over every column of values, found {'; '.join(names)[:500]!r}; "
            "compare header_rows of the source's YAML with the file"
        )
    return names, units[: len(names)]


def _spread(cells: Sequence[str], begun: set[int]) -> list[str]:
    """The cells of a row, blank ones as their left neighbour, unless a text above begins another group there."""
    found: list[str] = []
    for at, cell in enumerate(cells):
        found.append(cell or (found[-1] if found and at not in begun else ""))
    return found


def _check_names(where: str, out: StagedWriter, names: Sequence[str], codes: dict[str, str]) -> None:
    out.saw_header(TABLE, names)
    for name in names:
        if codes and name not in codes:
            out.drift(TABLE, name, "new")
    missing = [name for name in codes if name not in names]
    for name in missing:
        out.drift(TABLE, name, "missing")
    if missing:
        raise SnapshotRefused(
            f"{where}: expected the columns {'; '.join(missing)}, found {'; '.join(names)[:500]}; compare codes of the "
            "source's YAML with the file"
        )


class _Reader:
    """Reads row after row; remembers the period of the row above."""

    def __init__(
        self,
        out: StagedWriter,
        region: Region | None,
        layout: _Layout,
        measures: list[tuple[str, str, str]],
        period: str,
        table_code: str,
        time_code: str,
    ) -> None:
        self._out, self._region, self._layout, self._measures = out, region, layout, measures
        self._period, self._span = period, span_of(period)
        self._common = {
            "table_code": table_code,
            "statistic_code": table_code.split("-")[0],
            "statistic_label": None,
            "time_code": time_code,
            "area_variable_code": "",
        }

    def read(self, numbered: Numbered) -> Iterator[dict[str, Any]]:
        """The staged rows of a row; its cells are rejected where they, or what is in front, cannot be read."""
        number, record = numbered
        expected = len(self._layout.leading) + len(self._measures)
        while len(record) > expected and not record[-1].strip():
            record = record[:-1]
        leading = dict(zip(self._layout.leading, (cell.strip() for cell in record), strict=False))
        # Also of a row that cannot be read: those below it inherit its period.
        if leading.get("period"):
            self._period, self._span = leading["period"], span_of(leading["period"])
        if len(record) != expected:
            self.reject(number, "row", ";".join(record), f"expected {expected} fields, found {len(record)}")
            return
        area = leading["area_code"]
        if self._span is None:
            self.reject(number, "period", self._period, "expected a day, year or another period")
        elif not _AREA.fullmatch(area):
            self.reject(number, "area_code", area, "expected the key of an area")
        elif self._region is not None and not self._region.holds(area):
            self._out.out_of_scope(TABLE, "outside the region", len(self._measures))
        else:
            yield from self._values(number, leading, self._span, record[-len(self._measures) :])

    def reject(self, number: int, column: str, text: str, reason: str) -> None:
        """Reject every value cell of a row."""
        for _ in self._measures:
            self._out.reject(TABLE, number, column, text, reason)

    def _values(self, number: int, leading: dict[str, str], span: Span, cells: list[str]) -> Iterator[dict[str, Any]]:
        attributes = sorted(
            (match[1], text) for name, text in leading.items() if (match := _ATTRIBUTE.fullmatch(name)) is not None
        )
        told = ";".join(f"{name}={text}" for name, text in attributes)
        for (name, code, unit), cell in zip(self._measures, cells, strict=True):
            text = cell.strip()
            if text not in MARKS and not _NUMBER.fullmatch(text):
                self._out.reject(TABLE, number, name, text, "expected a number with a decimal comma or a sign")
                continue
            yield {
                **self._common,
                "record_number": number,
                "period": self._period,
                "period_start_date": span[0],
                "period_end_date": span[1],
                "area_code": leading["area_code"],
                "area_label": leading.get("area_label"),
                "attribute_codes": told,
                "attribute_labels": told,
                "value": None if text in MARKS else float(text.replace(",", ".")),
                "value_mark": text if text in MARKS else None,
                "value_unit": unit,
                "value_variable_code": code,
                "value_variable_label": name,
            }


CONNECTOR = Connector(name="itnrw_table", version=1, payload="csv", tables=(TABLE,), parse=parse)
