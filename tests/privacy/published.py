"""What a release says of counts of persons, read from its published files and put as a system of equations."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import duckdb

from tests.privacy.attacker import Cell, System

Row = Mapping[str, Any]
Reader = Callable[[str], list[dict[str, Any]]]


def of_parquet(release: Path) -> Reader:
    """Reads a mart from the release's Parquet."""
    return lambda mart: _rows(duckdb.connect(), f"from read_parquet('{release / 'parquet' / mart}.parquet')")


def of_warehouse(release: Path) -> Reader:
    """Reads a mart from the release's DuckDB file."""
    database = duckdb.connect(str(release / "muensterland.duckdb"), read_only=True)
    return lambda mart: _rows(database, f"from marts.{mart}")


def _rows(database: duckdb.DuckDBPyConnection, query: str) -> list[dict[str, Any]]:
    found = database.execute(query)
    names = [column[0] for column in found.description or []]
    return [dict(zip(names, row, strict=True)) for row in found.fetchall()]


def codes(row: Row) -> dict[str, str]:
    """The classifying variables of a row with their codes, '' for the total."""
    pairs = (part.partition("=") for part in row["attribute_codes"].split(";") if part)
    return {variable: code for variable, _, code in pairs}


def cell(row: Row, *, today: bool = False, area: str | None = None, **changed: str) -> Cell:
    """What a row counts, whichever table tells it: totals are left out of its categories."""
    categories = frozenset((name, code) for name, code in (codes(row) | changed).items() if code)
    return (row["value_variable_code"], row["period"], area or row["area_id"], categories, today)


def system(read: Reader, tables: set[str]) -> System:
    """All equations between the counts of persons of some tables in `mart_statistic` and `mart_statistic_today`.

    An area is the sum of those that lie in it, of the same table and day; a total is the sum of its categories; a
    merged area is the sum of the former ones.
    """
    found = System()
    parents = {row["area_id"]: row["parent_area_id"] for row in read("dim_area")}
    then, today = (_counts(read(mart), tables) for mart in ("mart_statistic", "mart_statistic_today"))
    # Where the territory is that of the day, today's value is the same cell.
    same = [row for row in today if row["territory_rule"] in ("published", "total", "reckoned_back")]
    carried = [row for row in today if row not in same]
    for row in (*then, *same):
        found.know(cell(row), row["value"])
    changes = read("mart_area_change")
    for row in carried:
        found.know(cell(row, today=True), row["value"])
        parts = _origins(changes, row["area_id"], row["period"], then)
        found.equations.append(
            {cell(row, today=True): -1.0, **{cell(row, area=area): share for area, share in parts.items()}}
        )
    groups: dict[Any, dict[Cell, Row]] = defaultdict(dict)
    for row in (*then, *same):
        groups[row["table_code"], row["value_variable_code"], row["period"]][cell(row)] = row
    for rows in groups.values():
        _add_up(found, list(rows.values()), parents)
    for equation in found.equations:
        for one in equation:
            found.values.setdefault(one, None)
    return found


def _counts(rows: list[dict[str, Any]], tables: set[str]) -> list[dict[str, Any]]:
    return [row for row in rows if row["table_code"] in tables and row["is_count_of_persons"]]


def _origins(changes: list[dict[str, Any]], area: str, period: str, then: list[dict[str, Any]]) -> dict[str, float]:
    """The areas of that day that one of today's is made of, with their shares; one change back is enough here."""
    parts = {
        change["former_area_id"]: change["persons_share"]
        for change in changes
        if change["area_id"] == area and change["effective_date"].isoformat() > period and change["kind"] != "renaming"
    }
    told = {row["area_id"] for row in then if row["period"] == period}
    return parts | ({area: 1.0} if area in told else {})


def _add_up(found: System, rows: list[Row], parents: Mapping[str, str | None]) -> None:
    areas = {row["area_id"] for row in rows}
    categories: dict[str, set[str]] = defaultdict(set)
    for row in rows:
        for variable, code in codes(row).items():
            categories[variable] |= {code} - {""}
    for row in rows:
        parts = [area for area in areas if parents[area] == row["area_id"]]
        if parts:
            found.add_up(cell(row), [cell(row, area=area) for area in parts])
        for variable, code in codes(row).items():
            if code == "" and categories[variable]:
                found.add_up(cell(row), [cell(row, **{variable: part}) for part in categories[variable]])
