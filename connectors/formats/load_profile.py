"""Parse standard load profiles: the BDEW's layout, and a network operator's own tables with declared columns.

The BDEW's layout has two header rows, the month over its day types (SA Saturday, FT Sunday or public holiday, WT
weekday), and a row per quarter-hour, `00:00-00:15` to `23:45-00:00`. A network operator's table has a row per time of
day (and month or season, and day type, where they have columns) and a column per profile.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Annotated, Any, Literal

from pydantic import Field

from connectors.connector import Connector, Snapshot
from connectors.declared import Encoding
from connectors.errors import SnapshotRefused
from connectors.region import Region
from connectors.staging import StagedWriter
from connectors.tables import LOAD_PROFILE_VALUE as TABLE
from connectors.text import CUT, CsvRecords, text_lines, without_mojibake
from connectors.workbook import UNPACKED_LIMIT_BYTES, cell_text, open_workbook

MONTHS = (
    *("Januar", "Februar", "März", "April", "Mai", "Juni"),
    *("Juli", "August", "September", "Oktober", "November", "Dezember"),
)
# Besides their German names; `Jan`, `Jän` and numbers are read too.
MONTH_OF = {
    **{name.casefold(): number for number, name in enumerate(MONTHS, start=1)},
    **{name.casefold()[:3]: number for number, name in enumerate(MONTHS, start=1)},
    **{str(number): number for number in range(1, 13)},
    **{f"{number:02}": number for number in range(1, 13)},
}
DAY_TYPES = {"WT": "weekday", "SA": "saturday", "FT": "sunday_or_public_holiday"}
# What network operators call the days of the layout of 1999 and of 2025.
DAY_TYPE_OF = {
    **{name.casefold(): day_type for name, day_type in DAY_TYPES.items()},
    **dict.fromkeys(("werktag", "mo-fr", "montag-freitag"), "weekday"),
    **dict.fromkeys(("samstag", "sonnabend"), "saturday"),
    **dict.fromkeys(("sonntag", "so", "feiertag", "sonn-/feiertag", "sonn- und feiertag"), "sunday_or_public_holiday"),
}
SEASON_OF = {"winter": "winter", "sommer": "summer", "übergang": "transition", "übergangszeit": "transition"}
DAY_MINUTES, QUARTER_HOUR = 24 * 60, 15
_INTERVAL = re.compile(r"([01][0-9]|2[0-4]):([0-5][0-9])\s*[-–]\s*([01][0-9]|2[0-4]):([0-5][0-9])")
# A workbook's time of day may be a moment of some day.
_TIME = re.compile(r"(?:[0-9]{4}-[0-9]{2}-[0-9]{2} )?([01]?[0-9]|2[0-3]):([0-5][0-9])(?::00)?")
_NUMBER = {
    ".": re.compile(r"[0-9]{1,9}(?:\.[0-9]{1,20})?(?:e-?[0-9]{1,2})?"),
    ",": re.compile(r"[0-9]{1,9}(?:,[0-9]{1,20})?"),
}
# Twelve months of three day types and a dozen profiles are 42,000 values.
ROW_LIMIT, COLUMN_LIMIT = 20_000, 200
TWICE = "told twice"
_Key = tuple[str, int | None, str | None, str, int]


# -- the BDEW's layout -----------------------------------------------------------------------------------------------


def parse_bdew(
    snapshot: Snapshot, out: StagedWriter, region: Region, /, *, normalised_to_kwh: float = 1_000_000.0
) -> None:
    """Stage a profile; a record is one value, kWh of the quarter-hour at `normalised_to_kwh` a year.

    The partition `profile` names it. Raises SnapshotRefused where the two header rows are not as documented.
    """
    where = f"{snapshot.source_id}: {snapshot.path.name}"
    if "profile" not in snapshot.partition:
        raise SnapshotRefused(f"{where}: the partition names no profile; add it to the source's YAML")
    profile = snapshot.partition["profile"]
    lines = CsvRecords(without_mojibake(text_lines(snapshot.path, where), where), where, delimiter=",")
    columns = _columns(snapshot, out, next(lines, []), next(lines, []))
    rows: list[dict[str, Any]] = []
    seen: set[_Key] = set()
    for number, line in enumerate(islice(lines, ROW_LIMIT), start=3):
        if not any(field.strip() for field in line):
            continue
        out.read(TABLE, len(columns))
        start, fault = (
            _interval(line[0]) if len(line) == len(columns) + 1 else (None, f"expected {len(columns) + 1} fields")
        )
        fault = CUT if fault is None and lines.ends_open else fault
        for place, (month, day_type) in enumerate(columns, start=1):
            record = (number - 3) * len(columns) + place
            raw = line[place].strip() if place < len(line) else ""
            if fault or start is None:
                out.reject(TABLE, record, "interval", ",".join(line), fault or "expected an interval")
            elif not _NUMBER["."].fullmatch(raw):
                out.reject(TABLE, record, f"{month} {day_type}", raw, "expected a number with a decimal point")
            elif (key := (profile, month, None, day_type, start)) in seen:
                out.reject(TABLE, record, "interval", line[0], TWICE)
            else:
                seen.add(key)
                rows.append(_row(record, key, float(raw), "kWh", normalised_to_kwh))
    if next(lines, None) is not None:
        raise SnapshotRefused(f"{where}: more than {ROW_LIMIT} rows, a profile has 96; ask the publisher again")
    out.write(TABLE, rows)


def _columns(snapshot: Snapshot, out: StagedWriter, months: list[str], day_types: list[str]) -> list[tuple[int, str]]:
    """Month and day type of each value column."""
    where = f"{snapshot.source_id}: {snapshot.path.name}"
    names = [name.strip() for name in months[1:]]
    kinds = [name.strip() for name in day_types[1:]]
    out.saw_header(TABLE, [f"{name} {kind}" for name, kind in zip(names, kinds, strict=False)])
    unknown = [name for name in names if name not in MONTHS] + [kind for kind in kinds if kind not in DAY_TYPES]
    for name in unknown:
        out.drift(TABLE, name or "(blank)", "new")
    columns = [
        (MONTHS.index(name) + 1, DAY_TYPES[kind]) for name, kind in zip(names, kinds, strict=False) if not unknown
    ]
    if unknown or not columns or len(names) != len(kinds) or len(set(columns)) < len(columns):
        raise SnapshotRefused(
            f"{where}: expected a row of German month names over a row of SA, FT and WT, every pair once; "
            f"found {', '.join([*names, *kinds])[:300]}; compare the file with the connector"
        )
    if (unit := day_types[0].strip()) != "[kWh]":
        raise SnapshotRefused(f"{where}: expected the unit [kWh] in front of the day types, found {unit[:40]!r}")
    for missing in sorted({(month, kind) for month in range(1, 13) for kind in DAY_TYPES.values()} - set(columns)):
        out.drift(TABLE, f"{MONTHS[missing[0] - 1]} {missing[1]}", "missing")
    return columns


def _interval(label: str) -> tuple[int | None, str | None]:
    """The minute at which `00:15-00:30` begins, or why it means none; the day's last one ends at 24:00 or 00:00."""
    matched = _INTERVAL.fullmatch(label.strip())
    if matched is None:
        return None, "expected an interval such as 00:00-00:15"
    hours = [int(part) for part in matched.groups()]
    start, end = 60 * hours[0] + hours[1], 60 * hours[2] + hours[3] or DAY_MINUTES
    if start % QUARTER_HOUR or end - start != QUARTER_HOUR:
        return None, "expected a quarter-hour"
    return start, None


# -- a network operator's own ----------------------------------------------------------------------------------------


def parse_csv(
    snapshot: Snapshot,
    out: StagedWriter,
    region: Region,
    /,
    *,
    time: str,
    profiles: Annotated[dict[str, str], Field(min_length=1)],
    unit: Literal["kWh", "W", "kW"],
    normalised_to_kwh: float,
    interval_minutes: int = 15,
    month: str | None = None,
    season: str | None = None,
    day_type: str | None = None,
    delimiter: str = ";",
    decimal: Literal[",", "."] = ",",
    encoding: Encoding = "utf-8",
) -> None:
    """Stage the declared columns of a CSV; a record is one value.

    time, month, season, day_type: headers of those columns; profiles: profile -> header of its column; unit and
    interval_minutes of the values; normalised_to_kwh: the year's consumption they add up to. Lines above the header are
    out of scope. Raises SnapshotRefused where a declared column is missing.
    """
    where = f"{snapshot.source_id}: {snapshot.path.name}"
    records = CsvRecords(
        without_mojibake(text_lines(snapshot.path, where, encoding), where), where, delimiter=delimiter
    )
    keys = {"time": time, "month": month, "season": season, "day_type": day_type}
    # Only the last record may be cut, and only the one after it can tell.
    _parse_table(
        snapshot, out, _with_cuts(records), keys, profiles, (unit, normalised_to_kwh, interval_minutes), decimal
    )


def parse_xlsx(
    snapshot: Snapshot,
    out: StagedWriter,
    region: Region,
    /,
    *,
    time: str,
    profiles: Annotated[dict[str, str], Field(min_length=1)],
    unit: Literal["kWh", "W", "kW"],
    normalised_to_kwh: float,
    interval_minutes: int = 15,
    month: str | None = None,
    season: str | None = None,
    day_type: str | None = None,
    sheet: str | None = None,
) -> None:
    """Stage the declared columns of a workbook's sheet (the first one unless named); a record is one value.

    Options as for `parse_csv`. Raises SnapshotRefused where the sheet or a declared column is missing.
    """
    keys = {"time": time, "month": month, "season": season, "day_type": day_type}
    rows = ((row, False) for row in _sheet(snapshot, sheet))
    _parse_table(snapshot, out, rows, keys, profiles, (unit, normalised_to_kwh, interval_minutes), ".")


def _sheet(snapshot: Snapshot, name: str | None) -> list[list[str]]:
    where = f"{snapshot.source_id}: {snapshot.path.name}"
    with open_workbook(snapshot.path, where) as workbook:
        if not workbook.worksheets:
            raise SnapshotRefused(f"{where}: a workbook without worksheets; ask the publisher again")
        if name is not None and name not in workbook.sheetnames:
            raise SnapshotRefused(f"{where}: no sheet {name!r}, found {', '.join(workbook.sheetnames)[:300]}")
        chosen = workbook[name] if name is not None else workbook.worksheets[0]
        # Bounded: a row may claim to be the billionth, and a cell to be the last of 18,278.
        rows = list(chosen.iter_rows(max_row=ROW_LIMIT + 1, max_col=COLUMN_LIMIT, values_only=True))
    return [[cell_text(cell) for cell in row] for row in rows]


def _with_cuts(records: CsvRecords) -> Iterator[tuple[list[str], bool]]:
    for record in records:
        yield record, records.ends_open


def _parse_table(
    snapshot: Snapshot,
    out: StagedWriter,
    lines: Iterable[tuple[list[str], bool]],
    keys: Mapping[str, str | None],
    profiles: Mapping[str, str],
    measure: tuple[str, float, int],
    decimal: str,
) -> None:
    where = f"{snapshot.source_id}: {snapshot.path.name}"
    wanted = {name: header for name, header in {**keys, **profiles}.items() if header is not None}
    if len(set(wanted.values())) < len(wanted) or not profiles:
        raise SnapshotRefused(f"{where}: options: expected profiles, and every column declared once")
    places: dict[str, int] = {}
    rows: list[dict[str, Any]] = []
    seen: set[_Key] = set()
    width, number = 0, 0
    for number, (line, is_cut) in enumerate(lines, start=1):
        if number > ROW_LIMIT:
            raise SnapshotRefused(
                f"{where}: more than {ROW_LIMIT} rows; a year of quarter-hours is no typical day; look at the file"
            )
        if not any(field.strip() for field in line):
            continue
        if not places:
            names = [field.strip() for field in line]
            # Half of what is declared is a header in which something is missing.
            if 2 * len(set(wanted.values()) & set(names)) >= len(wanted):
                places, width = _places(snapshot, out, names, wanted), len(names)
            else:
                out.read(TABLE, 1)
                out.out_of_scope(TABLE, "preamble")
            continue
        out.read(TABLE, len(profiles))
        key, fault = _day_part(line, places) if len(line) == width else (None, f"expected {width} fields")
        fault = CUT if fault is None and is_cut else fault
        for place, profile in enumerate(profiles, start=1):
            record = (number - 1) * len(profiles) + place
            raw = line[places[profile]].strip() if len(line) == width else ""
            whole = (profile, *key) if key else None
            if fault or whole is None:
                out.reject(TABLE, record, "time", ";".join(line), fault or "expected a time")
            elif not _NUMBER[decimal].fullmatch(raw):
                out.reject(TABLE, record, profile, raw, f"expected a number with a decimal {decimal!r}")
            elif whole in seen:
                out.reject(TABLE, record, "time", ";".join(line), TWICE)
            else:
                seen.add(whole)
                unit, normalised_to_kwh, minutes = measure
                value = float(raw.replace(",", "."))
                rows.append(_row(record, whole, value, unit, normalised_to_kwh, minutes))
    if not places:
        for header in wanted.values():
            out.drift(TABLE, header, "missing")
        raise SnapshotRefused(
            f"{where}: none of {number} rows holds the columns {', '.join(wanted.values())}; "
            "compare the file with the options in the source's YAML"
        )
    out.write(TABLE, rows)


def _places(snapshot: Snapshot, out: StagedWriter, names: Sequence[str], wanted: Mapping[str, str]) -> dict[str, int]:
    """Where the declared columns stand; others are other profiles. Raises SnapshotRefused unless each is there once."""
    out.saw_header(TABLE, [name for name in names if name])
    wrong = [header for header in wanted.values() if names.count(header) != 1]
    if wrong:
        for header in wrong:
            out.drift(TABLE, header, "missing")
        for name in set(names) - {"", *wanted.values()}:
            out.drift(TABLE, name, "new")
        raise SnapshotRefused(
            f"{snapshot.source_id}: {snapshot.path.name}: expected the columns {', '.join(wrong)} once, "
            f"found {', '.join(names)[:300]}; compare the file with the options in the source's YAML"
        )
    return {name: names.index(header) for name, header in wanted.items()}


def _day_part(
    line: Sequence[str], places: Mapping[str, int]
) -> tuple[tuple[int | None, str | None, str, int] | None, str | None]:
    """Month, season, day type and minute of a row, or why it means none."""
    texts = {name: line[places[name]].strip() for name in ("time", "month", "season", "day_type") if name in places}
    time = _TIME.fullmatch(texts["time"])
    start = _interval(texts["time"])[0] if time is None else 60 * int(time[1]) + int(time[2])
    month = MONTH_OF.get(texts["month"].casefold()) if "month" in texts else None
    season = SEASON_OF.get(texts["season"].casefold()) if "season" in texts else None
    day_type = DAY_TYPE_OF.get(texts["day_type"].casefold()) if "day_type" in texts else "every_day"
    if start is None:
        return None, "expected a time such as 00:15"
    if "month" in texts and month is None:
        return None, "expected a month"
    if "season" in texts and season is None:
        return None, "expected Winter, Sommer or Übergang"
    if day_type is None:
        return None, "expected a day type such as Werktag, Samstag or Sonntag"
    return (month, season, day_type, start), None


def _row(
    record: int, key: _Key, value: float, unit: str, normalised_to_kwh: float, minutes: int = QUARTER_HOUR
) -> dict[str, Any]:
    profile, month, season, day_type, start = key
    return {
        "record_number": record,
        "profile": profile,
        "month": month,
        "season": season,
        "day_type": day_type,
        "interval_start_minute": start,
        "interval_minutes": minutes,
        "value": value,
        "unit": unit,
        "normalised_to_kwh": normalised_to_kwh,
    }


BDEW = Connector("load_profile_bdew", version=1, payload="csv", tables=(TABLE,), parse=parse_bdew)
CSV = Connector("load_profile_csv", version=1, payload="csv", tables=(TABLE,), parse=parse_csv)
XLSX = Connector(
    "load_profile_xlsx",
    version=1,
    payload="xlsx",
    tables=(TABLE,),
    parse=parse_xlsx,
    unpacked_limit_bytes=UNPACKED_LIMIT_BYTES,
)
