"""What a release says of counts of persons, read from its published files and put as a system of equations."""

from __future__ import annotations

import csv
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import duckdb

from muensterland.settings import REPOSITORY
from tests.privacy.attacker import Cell, System

Row = Mapping[str, Any]
Reader = Callable[[str], list[dict[str, Any]]]
# What everybody knows who reads the tables: how they call a total, and which variables are parts of another one.
TOTAL_CODES = {"", "INSGESAMT"}
PART_OF = {"UNEMPLOYED_MEN": "UNEMPLOYED", "UNEMPLOYED_WOMEN": "UNEMPLOYED"}
SEEDS = REPOSITORY / "dbt_project" / "seeds" / "indicators"


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
    told = {variable: "" if code in TOTAL_CODES else code for variable, _, code in pairs}
    return told | {"part of": row["value_variable_code"] if row["value_variable_code"] in PART_OF else ""}


def cell(row: Row, *, today: bool = False, area: str | None = None, **changed: str) -> Cell:
    """What a row counts, whichever table tells it: totals are left out of its categories."""
    categories = frozenset((name, code) for name, code in (codes(row) | changed).items() if code)
    return (_counted(row), row["period"], area or row["area_id"], categories, today)


def _counted(row: Row) -> str:
    variable: str = row["value_variable_code"]
    return PART_OF.get(variable, variable)


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
        groups[row["table_code"], _counted(row), row["period"]][cell(row)] = row
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


def add_indicators(found: System, read: Reader, tables: set[str]) -> int:
    """What the indicators' numerators and denominators tell of the counts in these tables; how many equations.

    A measure is the sum of its classes on today's territory (seed statistic_measure), of an area without one of its own
    the sum of the areas below.
    """
    classes: dict[str, dict[str, list[Row]]] = defaultdict(lambda: defaultdict(list))
    for row in _seed("statistic_measure"):
        if row["table_code"] in tables:
            classes[row["measure_id"]][row["table_code"]].append(row)
    measures = {row["indicator_id"]: row for row in _seed("indicator")}
    parents = {row["area_id"]: row["parent_area_id"] for row in read("dim_area")}
    today = {
        (row["table_code"], cell(row))
        for row in _counts(read("mart_statistic_today"), tables)
        if row["territory_rule"] in ("published", "reckoned_back")
    }
    before = len(found.equations)
    for side, period in (("numerator", "period"), ("denominator", "denominator_period")):
        told = [row for row in read("mart_indicator") if measures[row["indicator_id"]][f"{side}_measure"] in classes]
        below: dict[Cell, list[Cell]] = defaultdict(list)
        for row in told:
            below[row["indicator_id"], row[period], parents[row["area_id"]]].append(_side(row, side, period))
        for row in told:
            found.know(_side(row, side, period), row[side])
            if row["basis"] == "summed":
                parts = below[row["indicator_id"], row[period], row["area_id"]]
                found.add_up(_side(row, side, period), parts)
            for table, spelt in classes[measures[row["indicator_id"]][f"{side}_measure"]].items():
                cells = [cell({**one, "period": row[period], "area_id": row["area_id"]}) for one in spelt]
                if all((table, one) in today for one in cells):
                    found.add_up(_side(row, side, period), cells)
    return len(found.equations) - before


def _side(row: Row, side: str, period: str) -> Cell:
    return (side, row["indicator_id"], row["area_id"], row[period])


def _seed(name: str) -> list[dict[str, str]]:
    with (SEEDS / f"{name}.csv").open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def districts(read: Reader) -> System:
    """All equations between the figures of districts: sexes and ages add up to totals, districts to their city."""
    found = System()
    rows = [
        {"subject": "population", **row, "value": row["population"]} for row in read("mart_population_district")
    ] + read("mart_district_statistic")
    for row in rows:
        found.know(district_cell(row), row["value"])
    tables: dict[Any, list[Row]] = defaultdict(list)
    for row in rows:
        tables[row["source_id"], row["subject"], row["ags"], row["period"]].append(row)
    for table in tables.values():
        ages = {row["age_group"] for row in table} - {"total"}
        sexes = {row["sex"] for row in table} - {"total"}
        names = {row["district_name"] for row in table if not row["is_sum"]}
        sums = Counter(row["district_name"] for row in table if row["is_sum"])
        for row in table:
            if row["age_group"] == "total" and ages:
                found.add_up(district_cell(row), [district_cell(row, age_group=age) for age in ages])
            if row["sex"] == "total" and sexes:
                found.add_up(district_cell(row), [district_cell(row, sex=sex) for sex in sexes])
            if row["is_sum"] and len(sums) == 1:
                found.add_up(district_cell(row), [district_cell(row, district_name=name) for name in names])
    return found


def district_cell(row: Row, **changed: str) -> Cell:
    """What a row counts."""
    told = {**row, **changed}
    return tuple(told[name] for name in ("source_id", "subject", "ags", "period", "district_name", "sex", "age_group"))


def whole(read: Reader) -> System:
    """All that a release tells of counts of persons: of all tables, and by the indicators made of them."""
    told = [*read("mart_statistic"), *read("mart_statistic_today")]
    tables = {row["table_code"] for row in told if row["is_count_of_persons"]}
    found = system(read, tables)
    add_indicators(found, read, tables)
    return found


def hidden_here(read: Reader) -> set[Cell]:
    """The counts of persons that we hide, not their publisher."""
    return {cell(row) for row in read("mart_statistic") if row["reason"] == "disclosure_control"}
