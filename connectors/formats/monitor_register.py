"""Parse the goals and projects that municipalities keep themselves: YAML, or a workbook with a sheet for each.

Both say the same: entries with the keys of GOAL_KEYS and PROJECT_KEYS. YAML names them below `goals:` and `projects:`,
each with all its keys, empty where there is nothing to say: so a file that was cut is not taken for a shorter one. A
workbook has sheets called `goals` and `projects` (`Ziele`, `Projekte`) whose first row names the keys.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import yaml

from connectors.connector import Connector, Snapshot
from connectors.errors import SnapshotRefused
from connectors.region import Region
from connectors.staging import StagedWriter
from connectors.tables import GOAL, PROJECT, PROJECT_AREA, PROJECT_INDICATOR, Table
from connectors.text import calendar_date, is_mojibake, read_text
from connectors.workbook import UNPACKED_LIMIT_BYTES, cell_text, open_workbook

# The fields of action of the region's Smart City strategy; the seed field_of_action has their titles.
FIELDS_OF_ACTION = (
    *("administration", "mobility", "education", "trade_services", "commerce_industry", "waste"),
    *("climate_environment", "safety", "living_culture", "supply_energy", "logistics", "health_care", "agriculture"),
    "housing",
)
STATUSES = {
    **{"planned": "planned", "running": "running", "completed": "completed", "stopped": "stopped"},
    **{"geplant": "planned", "laufend": "running", "abgeschlossen": "completed", "eingestellt": "stopped"},
}
SHEETS = {"goals": "goals", "ziele": "goals", "projects": "projects", "projekte": "projects"}
# A register of all 66 municipalities with a hundred entries each has some 4 MB.
SIZE_LIMIT_BYTES = 8 * 2**20
# Scalars, and beginnings and ends of lists and mappings; they are what costs memory.
EVENTS_LIMIT = 400_000
DEPTH_LIMIT = 6
ROWS_LIMIT = 20_000
COLUMNS_LIMIT = 60
LIST_LIMIT = 200
TEXT_LIMIT = 2_000

Entry = Mapping[str, Any]


@dataclass(frozen=True)
class _Register:
    """How the entries of one kind are read: column of the table -> key of the entry and its reader."""

    name: str
    table: Table
    fields: Mapping[str, tuple[str, Callable[[Any, Region], Any]]]

    @property
    def keys(self) -> tuple[str, ...]:
        """The keys an entry must have."""
        return tuple(key for key, _ in self.fields.values())


# -- values: each reader gets what stands there, text or a list, and raises ValueError saying what was expected --------


def _text(given: Any, _: Region) -> str | None:
    if isinstance(given, list | dict):
        raise ValueError("expected text")
    text = " ".join(str(given).split())
    if len(text) > TEXT_LIMIT:
        raise ValueError(f"expected at most {TEXT_LIMIT} characters")
    if is_mojibake(text):
        raise ValueError("expected text in UTF-8, its umlauts are broken")
    return text or None


def _required(read: Callable[[Any, Region], Any]) -> Callable[[Any, Region], Any]:
    def reading(given: Any, region: Region) -> Any:
        value = read(given, region)
        if value is None or value == []:
            raise ValueError("is empty")
        return value

    return reading


def _id(given: Any, region: Region) -> str | None:
    text = _text(given, region)
    if text is not None and not re.fullmatch(r"[a-z0-9]+([-_][a-z0-9]+)*", text):
        raise ValueError("expected small letters and digits, joined by - or _")
    return text


def _area(given: Any, region: Region) -> str | None:
    """An AGS, a Kreis key or the region; a spreadsheet that took a key for a number has lost its leading zero."""
    text = _text(given, region)
    if text is None or text == region.area_id:
        return text
    key = text.zfill(len(text) + 1) if re.fullmatch(r"[1-9](\d{3}|\d{6})", text) else text
    if key not in region.centres and key not in region.kreis_keys:
        raise ValueError(f"expected an AGS (8 digits), a Kreis key (5) of the region, or {region.area_id}")
    return key


def _number(given: Any, region: Region) -> float | None:
    text = _text(given, region)
    if text is None:
        return None
    if not re.fullmatch(r"-?[0-9]{1,15}([.,][0-9]{1,9})?", text):
        raise ValueError("expected a number without thousands separators, such as 12.5 or 12,5")
    return float(text.replace(",", "."))


def _day(given: Any, region: Region) -> date | None:
    text = _text(given, region)
    # A spreadsheet tells a day as the moment it begins.
    return None if text is None else calendar_date(text.removesuffix(" 00:00:00"))


def _list(read: Callable[[Any, Region], str | None]) -> Callable[[Any, Region], list[str]]:
    """A list of YAML, or text with commas or semicolons between; each item is read, none twice."""

    def reading(given: Any, region: Region) -> list[str]:
        items = given if isinstance(given, list) else re.split(r"[,;]", str(_text(given, region) or ""))
        found = [value for item in items if (value := read(item, region)) is not None]
        if len(found) > LIST_LIMIT:
            raise ValueError(f"expected at most {LIST_LIMIT} items")
        return list(dict.fromkeys(found))

    return reading


def _one_of(known: Mapping[str, str]) -> Callable[[Any, Region], str | None]:
    def reading(given: Any, region: Region) -> str | None:
        text = _text(given, region)
        if text is not None and text.lower() not in known:
            raise ValueError(f"expected one of {', '.join(known)}")
        return None if text is None else known[text.lower()]

    return reading


GOALS = _Register(
    "goals",
    GOAL,
    {
        "goal_id": ("goal_id", _required(_id)),
        "area_id": ("area_id", _required(_area)),
        "indicator_id": ("indicator_id", _required(_id)),
        "target_value": ("target_value", _required(_number)),
        "target_date": ("target_date", _required(_day)),
        "baseline": ("baseline", _number),
        "baseline_date": ("baseline_date", _day),
        "adopted_by": ("adopted_by", _required(_text)),
        "source": ("source", _text),
    },
)
PROJECTS = _Register(
    "projects",
    PROJECT,
    {
        "project_id": ("project_id", _required(_id)),
        "field_of_action": ("field_of_action", _required(_one_of({name: name for name in FIELDS_OF_ACTION}))),
        "area_ids": ("area_ids", _required(_list(_area))),
        "title": ("title", _required(_text)),
        "status": ("status", _required(_one_of(STATUSES))),
        "start_date": ("start", _day),
        "end_date": ("end", _day),
        "budget_eur": ("budget_eur", _number),
        "indicator_ids": ("indicator_ids", _list(_id)),
        "outcome": ("outcome", _text),
    },
)
REGISTERS = {register.name: register for register in (GOALS, PROJECTS)}

# -- YAML --------------------------------------------------------------------------------------------------------------


def parse_yaml(snapshot: Snapshot, out: StagedWriter, region: Region, /) -> None:
    """Stage the goals and projects of one YAML file; a record is an entry.

    Raises SnapshotRefused where the file is no YAML with `goals` or `projects`, has aliases or keys written twice, or
    ends within a line.
    """
    where = f"{snapshot.source_id}: {snapshot.path.name}"
    content = _content(snapshot, where)
    unknown = [key for key in content if key not in REGISTERS]
    if unknown or not content:
        raise SnapshotRefused(
            f"{where}: expected the keys {' and '.join(REGISTERS)} and no others, found "
            f"{', '.join(map(str, unknown))[:200] or 'none'}; see the README, or ask the author"
        )
    for name, register in REGISTERS.items():
        entries = content.get(name) or []
        if not isinstance(entries, list):
            raise SnapshotRefused(f"{where}: {name}: expected a list of entries, each begun by `-`; ask the author")
        out.read(register.table, len(entries))
        keys = Counter(key for entry in entries if isinstance(entry, dict) for key in entry)
        out.saw_fields(register.table, keys)
        _tell_drift(out, register, list(keys) if entries else register.keys)
        _stage(out, register, region, enumerate(entries, start=1))


def _content(snapshot: Snapshot, where: str) -> dict[str, Any]:
    """The file's mapping; every scalar is text: YAML's own numbers would turn the key 05515000 into another one."""
    size = snapshot.path.stat().st_size
    if size > SIZE_LIMIT_BYTES:
        raise SnapshotRefused(f"{where}: {size} bytes, expected at most {SIZE_LIMIT_BYTES}; ask the author")
    text = read_text(snapshot.path)
    if not text.endswith("\n"):
        raise SnapshotRefused(f"{where}: the file ends within a line, it may be cut; end it with a line break, or ask")
    try:
        _check_events(text, where)
        content = yaml.load(text, Loader=_TextLoader)  # noqa: S506 - makes nothing but text, lists and mappings
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        raise SnapshotRefused(
            f"{where}: expected YAML, {' '.join(str(error).split())[:300]}; ask the author"
        ) from error
    if not isinstance(content, dict):
        raise SnapshotRefused(
            f"{where}: expected the keys {' and '.join(REGISTERS)}; see the README, or ask the author"
        )
    return content


def _check_events(text: str, where: str) -> None:
    """Raise SnapshotRefused for aliases, which multiply, for nesting without end and for endless files."""
    depth = 0
    for number, event in enumerate(yaml.parse(text, Loader=yaml.CBaseLoader), start=1):
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
        if isinstance(event, yaml.AliasEvent) or depth > DEPTH_LIMIT or number > EVENTS_LIMIT:
            raise SnapshotRefused(
                f"{where}: expected plain lists and keys: no aliases, at most {DEPTH_LIMIT} levels and {EVENTS_LIMIT} "
                "values; ask the author"
            )


class _TextLoader(yaml.CBaseLoader):
    """Text, lists and mappings alone; a key that is written twice is an error, where YAML would take the last."""

    def construct_mapping(self, node: Any, deep: bool = False) -> dict[Any, Any]:
        keys = [self.construct_object(key, deep=True) for key, _ in node.value]
        doubled = sorted({str(key) for key in keys if not isinstance(key, str) or keys.count(key) > 1})
        if doubled:
            raise yaml.constructor.ConstructorError(
                None, None, f"expected each key once, as text: {', '.join(doubled)}", node.start_mark
            )
        made: dict[Any, Any] = super().construct_mapping(node, deep=deep)
        return made


# -- workbook ----------------------------------------------------------------------------------------------------------


def parse_workbook(snapshot: Snapshot, out: StagedWriter, region: Region, /) -> None:
    """Stage the goals and projects of one workbook; a record is a row below a sheet's header.

    Raises SnapshotRefused where no sheet is one of SHEETS, or a sheet's first row lacks a key.
    """
    where = f"{snapshot.source_id}: {snapshot.path.name}"
    with open_workbook(snapshot.path, where) as workbook:
        found = {SHEETS[name.strip().lower()]: name for name in workbook.sheetnames if name.strip().lower() in SHEETS}
        if not found:
            raise SnapshotRefused(
                f"{where}: expected a sheet called {' or '.join(SHEETS)}, found "
                f"{', '.join(workbook.sheetnames)[:200]}; rename the sheet, or ask the author"
            )
        for name, register in REGISTERS.items():
            if name in found:
                _stage(out, register, region, _rows(out, register, workbook[found[name]], f"{where}: {found[name]}"))


def _rows(out: StagedWriter, register: _Register, sheet: Any, where: str) -> Iterator[tuple[int, Entry]]:
    """The rows as entries with their numbers in the sheet; blank ones are out of scope."""
    # Else rows beyond what the sheet says of its own size would be lost.
    sheet.reset_dimensions()
    rows = sheet.iter_rows(values_only=True, max_col=COLUMNS_LIMIT)
    header = [cell_text(cell).strip().lower() for cell in next(rows, ())]
    while header and not header[-1]:
        header.pop()
    out.saw_header(register.table, header)
    _tell_drift(out, register, header)
    missing = [key for key in register.keys if key not in header]
    if missing or len(set(header)) != len(header):
        raise SnapshotRefused(
            f"{where}: expected each of the columns {', '.join(register.keys)} once in the first row; missing: "
            f"{', '.join(missing) or 'none'}; found: {', '.join(header)[:500]}; mend the sheet, or ask the author"
        )
    for number, row in enumerate(rows, start=2):
        if number > ROWS_LIMIT:
            raise SnapshotRefused(f"{where}: has more than {ROWS_LIMIT} rows; delete blank ones, or ask the author")
        out.read(register.table, 1)
        cells = [cell_text(cell) for cell in row]
        if not any(cell.strip() for cell in cells):
            out.out_of_scope(register.table, "blank row")
        elif any(cell.strip() for cell in cells[len(header) :]):
            out.reject(register.table, number, "row", "; ".join(cells), f"expected {len(header)} cells")
        else:
            entry = dict(zip(header, [*cells, *[""] * len(header)], strict=False))
            yield number, {key: entry[key] for key in register.keys}


# -- what both have in common ------------------------------------------------------------------------------------------


def _tell_drift(out: StagedWriter, register: _Register, found: Sequence[str]) -> None:
    for key in found:
        if key not in register.keys:
            out.drift(register.table, key, "new")
    for key in register.keys:
        if key not in found:
            out.drift(register.table, key, "missing")


def _stage(out: StagedWriter, register: _Register, region: Region, entries: Iterator[tuple[int, Any]]) -> None:
    rows: dict[str, dict[str, Any]] = {}
    key = next(iter(register.fields))
    for number, entry in entries:
        row = _row(out, register, region, number, entry)
        if row is None:
            continue
        if row[key] in rows:
            out.reject(register.table, number, key, row[key], f"{key} repeated")
        else:
            rows[row[key]] = row
    if register is PROJECTS:
        _stage_lists(out, list(rows.values()))
        for row in rows.values():
            row |= {"area_ids": ", ".join(row["area_ids"]), "indicator_ids": ", ".join(row["indicator_ids"]) or None}
    if rows:
        out.write(register.table, list(rows.values()))


def _stage_lists(out: StagedWriter, projects: Sequence[Mapping[str, Any]]) -> None:
    """The projects' areas and indicators one by one, numbered as their project."""
    for table, column, name in (
        (PROJECT_AREA, "area_ids", "area_id"),
        (PROJECT_INDICATOR, "indicator_ids", "indicator_id"),
    ):
        rows = [
            {"record_number": project["record_number"], "project_id": project["project_id"], name: item}
            for project in projects
            for item in project[column]
        ]
        out.read(table, len(rows))
        if rows:
            out.write(table, rows)


def _row(out: StagedWriter, register: _Register, region: Region, number: int, entry: Any) -> dict[str, Any] | None:
    """The entry as a row of its table; None where it was rejected, with the key and what was expected."""
    if not isinstance(entry, dict) or set(entry) != set(register.keys):
        given = set(entry) if isinstance(entry, dict) else set()
        wrong = sorted(given ^ set(register.keys))[:10]
        raw = str(entry)
        reason = "expected each of the keys once: missing or unknown"
        out.reject(register.table, number, ", ".join(wrong) or "entry", raw, reason)
        return None
    row: dict[str, Any] = {"record_number": number}
    for column, (key, read) in register.fields.items():
        try:
            row[column] = read(entry[key], region)
        except ValueError as error:
            out.reject(register.table, number, key, str(entry[key]), str(error))
            return None
    if register is PROJECTS and row["start_date"] and row["end_date"] and row["end_date"] < row["start_date"]:
        out.reject(register.table, number, "end", str(row["end_date"]), "expected an end after the start")
        return None
    return row


_TABLES = (GOAL, PROJECT, PROJECT_AREA, PROJECT_INDICATOR)
YAML = Connector(name="monitor_yaml", version=1, payload="yaml", tables=_TABLES, parse=parse_yaml)
WORKBOOK = Connector(
    name="monitor_workbook",
    version=1,
    payload="xlsx",
    tables=_TABLES,
    parse=parse_workbook,
    unpacked_limit_bytes=UNPACKED_LIMIT_BYTES,
)
