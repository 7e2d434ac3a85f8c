"""Goals and projects as municipalities write them: what is taken, and what comes back with a reason."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import openpyxl
import pyarrow.parquet as pq
import pytest

from connectors.connector import Snapshot
from connectors.errors import SnapshotRefused
from connectors.formats import monitor_register
from connectors.region import region
from connectors.staging import Account, StagedWriter
from muensterland.settings import REPOSITORY

GOAL = {
    "goal_id": "solar",
    "area_id": "05554012",
    "indicator_id": "solar_kw_per_1000",
    "target_value": "2500",
    "target_date": "2030-12-31",
    "baseline": "",
    "baseline_date": "",
    "adopted_by": "Rat",
    "source": "",
}
PROJECT = {
    "project_id": "roofs",
    "field_of_action": "supply_energy",
    "area_ids": "[05554012, 05554008]",
    "title": "Solardächer",
    "status": "laufend",
    "start": "2024-03-01",
    "end": "31.12.2027",
    "budget_eur": "2500000,50",
    "indicator_ids": "[]",
    "outcome": "",
}


def entries(name: str, *found: dict[str, str]) -> str:
    lines = [f"{name}:\n"]
    for entry in found:
        lines += [
            f"  {'-' if number == 0 else ' '} {key}: {value}\n" for number, (key, value) in enumerate(entry.items())
        ]
    return "".join(lines)


Read = Callable[[str], tuple[dict[str, Account], dict[str, list[dict[str, Any]]]]]


@pytest.fixture
def read(tmp_path: Path) -> Read:
    def reading(text: str) -> tuple[dict[str, Account], dict[str, list[dict[str, Any]]]]:
        path = tmp_path / "goals.yml"
        path.write_text(text, encoding="utf-8")
        return staged(monitor_register.parse_yaml, path, tmp_path / "staged")

    return reading


def staged(
    parse: Callable[..., None], path: Path, folder: Path
) -> tuple[dict[str, Account], dict[str, list[dict[str, Any]]]]:
    with StagedWriter(folder, "town", "0" * 64, "p") as out:
        parse(Snapshot("town", path, "0" * 64), out, region())
        accounts = out.close()
    tables = ("goal", "project", "project_area", "project_indicator", "rejected_row")
    rows = {
        table: [
            row for place in folder.glob(f"{table}/**/*.parquet") for row in pq.ParquetFile(place).read().to_pylist()
        ]
        for table in tables
    }
    return accounts, rows


def test_yaml_keeps_keys_as_text_and_reads_german_numbers_and_dates(read: Read) -> None:
    accounts, rows = read(entries("goals", GOAL) + entries("projects", PROJECT))
    (goal,), (project,) = rows["goal"], rows["project"]
    # YAML alone would read 05554012 as an octal number.
    assert (goal["area_id"], goal["target_value"], goal["target_date"]) == ("05554012", 2500.0, date(2030, 12, 31))
    assert (goal["baseline"], goal["baseline_date"], goal["source"]) == (None, None, None)
    assert (project["status"], project["budget_eur"], project["end_date"]) == (
        "running",
        2_500_000.5,
        date(2027, 12, 31),
    )
    assert sorted(row["area_id"] for row in rows["project_area"]) == ["05554008", "05554012"]
    assert rows["project_indicator"] == []
    assert accounts["goal"] == Account(read=1, staged=1)


@pytest.mark.parametrize(
    ("changes", "column", "reason"),
    [
        ({"area_id": "05911000"}, "area_id", "expected an AGS"),
        ({"area_id": ""}, "area_id", "is empty"),
        ({"target_value": "1.000,5"}, "target_value", "without thousands separators"),
        ({"target_date": "31.02.2030"}, "target_date", "day is out of range"),
        ({"goal_id": "Solar 2030"}, "goal_id", "small letters and digits"),
        ({"adopted_by": "[a, b]"}, "adopted_by", "expected text"),
        ({"adopted_by": "MÃ¼nster"}, "adopted_by", "umlauts are broken"),
    ],
)
def test_a_goal_that_cannot_be_read_is_rejected_with_its_key(
    read: Read, changes: dict[str, str], column: str, reason: str
) -> None:
    accounts, rows = read(entries("goals", GOAL | changes, GOAL | {"goal_id": "other"}))
    assert (accounts["goal"].staged, accounts["goal"].rejected) == (1, 1)
    (rejected,) = rows["rejected_row"]
    assert rejected["column_name"] == column
    assert reason in rejected["reason"]


def test_a_goal_without_a_key_or_told_twice_is_rejected(read: Read) -> None:
    short = {key: value for key, value in GOAL.items() if key != "source"}
    accounts, rows = read(entries("goals", GOAL, GOAL, short | {"goal_id": "cut"}))
    assert (accounts["goal"].staged, accounts["goal"].rejected) == (1, 2)
    assert {(row["column_name"], row["reason"].split(":")[0]) for row in rows["rejected_row"]} == {
        ("goal_id", "goal_id repeated"),
        ("source", "expected each of the keys once"),
    }


def test_a_project_that_ends_before_it_begins_is_rejected(read: Read) -> None:
    accounts, _ = read(entries("projects", PROJECT | {"end": "2023-01-01"}))
    assert (accounts["project"].staged, accounts["project"].rejected) == (0, 1)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("gaols: []\n", "expected the keys goals and projects"),
        ("- a\n", "expected the keys goals and projects"),
        (entries("goals", GOAL).rstrip("\n"), "may be cut"),
        (entries("goals", GOAL) * 2, "expected each key once"),
        ("goals: &a\n  - *a\n", "no aliases"),
        ("goals: 5\n", "expected a list"),
    ],
)
def test_a_file_that_is_no_register_is_refused(read: Read, text: str, said: str) -> None:
    with pytest.raises(SnapshotRefused, match=said):
        read(text)


def test_a_workbook_says_the_same_and_numbers_get_their_zero_back(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    book.active.title = "Ziele"
    book.active.append(list(GOAL))
    book.active.append(
        [GOAL["goal_id"], 5554012, *list(GOAL.values())[2:3], 2500.5, date(2030, 12, 31), None, None, "Rat"]
    )
    book.active.append([])
    book.active.append(["second", 5554, "i", "12,5", "31.12.2030", 1, "01.01.2020", "Kreistag", None])
    book.save(tmp_path / "goals.xlsx")
    accounts, rows = staged(monitor_register.parse_workbook, tmp_path / "goals.xlsx", tmp_path / "staged")
    told = {row["goal_id"]: row for row in rows["goal"]}
    assert [told[name]["area_id"] for name in ("solar", "second")] == ["05554012", "05554"]
    assert [told[name]["target_value"] for name in ("solar", "second")] == [2500.5, 12.5]
    assert told["solar"]["target_date"] == date(2030, 12, 31)
    assert accounts["goal"] == Account(read=3, staged=2, out_of_scope=1)


def test_the_fields_of_action_are_those_of_the_seed() -> None:
    seed = (REPOSITORY / "dbt_project/seeds/indicators/field_of_action.csv").read_text(encoding="utf-8")
    fields = [row["field_of_action"] for row in csv.DictReader(io.StringIO(seed))]
    assert tuple(fields) == monitor_register.FIELDS_OF_ACTION
    assert len(fields) == 14
