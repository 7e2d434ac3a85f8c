"""Parse a municipality's own series of energy and climate in long format, such as Münster's `klimadata.csv`.

A line is a value of a series (MERKMAL) of an area (RAUM) in a period (ZEIT). Two layouts: with the name of the data set
(DATEINAME) and QUELLE_INSTITUTION, and without it and with DATENQUELLE. Decimal comma, CRLF.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date
from typing import Any

from connectors.connector import Connector, Snapshot
from connectors.declared import Ags, Encoding
from connectors.errors import SnapshotRefused
from connectors.region import Region
from connectors.staging import StagedWriter
from connectors.tables import MUNICIPAL_SERIES_VALUE as TABLE
from connectors.text import CUT, CsvRecords, text_lines, without_mojibake

# Column -> its headers in both layouts; only `dataset` may be missing.
HEADERS = {
    "dataset": ("DATEINAME",),
    "area_label": ("RAUM",),
    "institution": ("QUELLE_INSTITUTION", "DATENQUELLE"),
    "topic_code": ("THEMENBEREICH",),
    "series": ("MERKMAL",),
    "period": ("ZEIT",),
    "value": ("WERT",),
    "unit": ("WERTEEINHEIT",),
}
BATCH_ROWS = 10_000
# Programmes that report once for several years took up to two so far.
YEARS_LIMIT = 10
_NUMBER = re.compile(r"-?[0-9]{1,15}(,[0-9]{1,6})?")
# What stands in place of a number in statistics (GENESIS' signs).
MARKS = frozenset({"-", ".", "/", "x", "..."})
# A year, a month, a winter, school year or programme from one year into another, a day.
_PERIOD = re.compile(
    r"(?P<year>(?:19|20)[0-9]{2})(?:/(?P<next>(?:19|20)[0-9]{2})|-(?P<month>[0-9]{2})(?:-(?P<day>[0-9]{2}))?)?"
)
# Characters that Windows-1252 has where Latin-1 has controls: `€` came as U+0080, `…` as NEL (U+0085).
_CONTROLS = re.compile("[\x80-\x9f]")


def parse(
    snapshot: Snapshot, out: StagedWriter, region: Region, /, *, areas: dict[str, Ags], encoding: Encoding = "utf-8"
) -> None:
    """Stage the series; a record is one line but the header, its value in the unit that the line names.

    areas: which RAUM is which municipality (AGS); any other is a part of one or a single plant and has no `ags`. Raises
    SnapshotRefused where a column is missing or a key of `areas` lies outside the region.
    """
    where = f"{snapshot.source_id}: {snapshot.path.name}"
    outside = [ags for ags in areas.values() if not re.fullmatch(r"[0-9]{8}", ags) or not region.holds(ags)]
    if outside:
        raise SnapshotRefused(f"{where}: options.areas: {', '.join(outside)} lies outside the region; mend the YAML")
    # C1 controls are letters of the publisher's; what looks like mojibake is judged without them.
    records = CsvRecords(
        without_mojibake(map(_decoded, text_lines(snapshot.path, where, encoding)), where), where, delimiter=";"
    )
    places, width = _places(snapshot, out, next(records, []))
    rows: list[dict[str, Any]] = []
    for number, line in enumerate(records, start=2):
        if not any(field.strip() for field in line):
            continue
        out.read(TABLE, 1)
        fault = CUT if records.ends_open else None
        fault = f"expected {width} fields" if len(line) != width else fault
        if fault:
            out.reject(TABLE, number, "row", ";".join(line), fault)
        elif (row := _row(out, number, line, places, areas)) is not None:
            rows.append(row)
        if len(rows) == BATCH_ROWS:
            out.write(TABLE, rows)
            rows = []
    out.write(TABLE, rows)


def _decoded(line: str) -> str:
    return _CONTROLS.sub(lambda found: found[0].encode("latin-1").decode("cp1252", "replace"), line)


def _places(snapshot: Snapshot, out: StagedWriter, header: list[str]) -> tuple[dict[str, int], int]:
    names = [name.strip() for name in header]
    out.saw_header(TABLE, names)
    known = {name for headers in HEADERS.values() for name in headers}
    for name in names:
        if name and name not in known:
            out.drift(TABLE, name, "new")
    places = {
        column: names.index(found)
        for column, headers in HEADERS.items()
        if (found := next((name for name in headers if name in names), None)) is not None
    }
    missing = [headers[0] for column, headers in HEADERS.items() if column not in places and column != "dataset"]
    for name in missing:
        out.drift(TABLE, name, "missing")
    if missing or len(set(names)) < len(names):
        raise SnapshotRefused(
            f"{snapshot.source_id}: {snapshot.path.name}: expected the columns {', '.join(missing) or 'each once'}, "
            f"found {', '.join(names)[:300]}; compare the header with the parser's HEADERS"
        )
    return places, len(names)


def _row(
    out: StagedWriter, number: int, line: list[str], places: Mapping[str, int], areas: Mapping[str, str]
) -> dict[str, Any] | None:
    texts = {column: line[place].strip() or None for column, place in places.items()}
    start = _period_start(texts["period"] or "")
    raw = texts["value"]
    if start is None:
        out.reject(
            TABLE, number, "ZEIT", texts["period"], "expected a year, a month, a day or two years such as 2023/2024"
        )
        return None
    if texts["series"] is None:
        out.reject(TABLE, number, "MERKMAL", None, "expected the name of a series")
        return None
    if raw is not None and raw not in MARKS and not _NUMBER.fullmatch(raw):
        out.reject(TABLE, number, "WERT", raw, "expected a number with a decimal comma")
        return None
    is_mark = raw in MARKS
    return {
        "dataset": None,
        **texts,
        "record_number": number,
        "ags": areas.get(texts["area_label"] or ""),
        "period_start_date": start,
        "value": None if raw is None or is_mark else float(raw.replace(",", ".")),
        "value_mark": raw if is_mark else None,
    }


def _period_start(period: str) -> date | None:
    """The first day of a period; None where it is none."""
    matched = _PERIOD.fullmatch(period)
    if matched is None or (matched["next"] and not 0 < int(matched["next"]) - int(matched["year"]) <= YEARS_LIMIT):
        return None
    try:
        return date(int(matched["year"]), int(matched["month"] or 1), int(matched["day"] or 1))
    except ValueError:
        return None


CONNECTOR = Connector("municipal_series", version=1, payload="csv", tables=(TABLE,), parse=parse)
