"""Energy-Charts: public power in MW, prices, installed power in GW."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from connectors.errors import SnapshotRefused
from connectors.formats.energy_charts import CONNECTOR
from tests.connectors.formats.parsing import Parsed, parsed

START = 1_792_360_800  # 2026-10-18 22:00 UTC


def answer(tmp_path: Path, kind: str, content: Any, **options: Any) -> Parsed:
    return parsed(tmp_path, CONNECTOR, json.dumps(content).encode(), answer=kind, **options)


def power(*types: tuple[str, list[Any]], step: int = 900, length: int = 3) -> dict[str, Any]:
    seconds = [START + step * number for number in range(length)]
    return {"unix_seconds": seconds, "production_types": [{"name": name, "data": data} for name, data in types]}


def test_production_types_are_series_in_mw_and_shares_are_left_out(tmp_path: Path) -> None:
    content = power(
        ("Solar", [1, 2, 3]), ("Hydro Run-of-River", [4.5, None, 6]), ("Renewable share of load", [50.0, 51.0, 52.0])
    )
    found = answer(tmp_path, "power", content)
    assert [(row["series"], row["value"], row["unit"]) for row in found.rows[:4]] == [
        ("generation_solar", 1.0, "MW"),
        ("generation_solar", 2.0, "MW"),
        ("generation_solar", 3.0, "MW"),
        ("generation_hydro_run_of_river", 4.5, "MW"),
    ]
    assert found.rows[1]["interval_start_at"] == datetime(2026, 10, 18, 22, 15, tzinfo=UTC)
    assert found.left_out == {"production type not staged": 3}
    assert found.out.drifted == []


def test_hours_are_told_from_quarter_hours_by_their_step(tmp_path: Path) -> None:
    assert answer(tmp_path, "power", power(("Load", [1, 2, 3]), step=3600)).column("interval_minutes") == [60] * 3


def test_a_type_nobody_knows_is_drift_and_nulls_at_the_end_are_not_there_yet(tmp_path: Path) -> None:
    found = answer(tmp_path, "power", power(("Tides", [1, 2, 3]), ("Load", [7, None, None])))
    assert found.out.drifted == [("market_reading", "Tides", "new")]
    assert found.left_out == {"production type not staged": 3, "not yet published": 2}
    assert found.column("value") == [7.0]


def test_prices_may_be_negative_and_have_a_region_of_their_own(tmp_path: Path) -> None:
    content = {"unix_seconds": [START, START + 900], "price": [-0.5, 81.25], "unit": "EUR / MWh", "license_info": "x"}
    found = answer(tmp_path, "price", content, market_region="DE-LU")
    assert [(row["series"], row["region"], row["value"], row["unit"]) for row in found.rows] == [
        ("price_day_ahead", "DE-LU", -0.5, "EUR/MWh"),
        ("price_day_ahead", "DE-LU", 81.25, "EUR/MWh"),
    ]


def test_installed_power_is_that_of_the_modules_by_local_year(tmp_path: Path) -> None:
    types = [{"name": "Solar DC", "data": [104.5, 117]}, {"name": "Solar AC", "data": [90, 100]}]
    found = answer(tmp_path, "installed", {"time": ["2025", "2026"], "production_types": types})
    assert [(row["series"], row["value"], row["unit"], row["interval_start_at"]) for row in found.rows] == [
        ("capacity_solar", 104.5, "GW", datetime(2024, 12, 31, 23, tzinfo=UTC)),
        ("capacity_solar", 117.0, "GW", datetime(2025, 12, 31, 23, tzinfo=UTC)),
    ]
    assert found.left_out == {"production type not staged": 2}


@pytest.mark.parametrize("value", ["1", True, [1], {"a": 1}, 1e300])
def test_a_value_that_is_no_number_is_rejected_alone(tmp_path: Path, value: Any) -> None:
    found = answer(tmp_path, "power", power(("Solar", [1, value, 3])))
    assert found.column("value") == [1.0, 3.0]
    assert found.rejected == [(2, "generation_solar", "expected a number")]


@pytest.mark.parametrize(
    ("kind", "content", "words"),
    [
        ("power", [], "expected a JSON object"),
        ("power", {}, "unix_seconds"),
        ("power", {"unix_seconds": [START], "production_types": []}, "production_types"),
        ("power", power(("Solar", [1, 2])), "has 2 values for 3 moments"),
        ("power", power(("Solar", [1, 2, 3]), ("Solar", [1, 2, 3])), "a second time"),
        ("power", power(("Solar", [1, 2, 3]), step=0), "rise by quarter-hours or hours"),
        ("power", power(("Solar", [1, 2, 3]), step=600), "rise by quarter-hours or hours"),
        ("power", {"unix_seconds": ["x"], "production_types": [{"name": "Solar", "data": [1]}]}, "no instant"),
        ("price", {"unix_seconds": [START], "price": [1], "unit": "GBP / MWh"}, "expected EUR / MWh"),
        ("price", {"unix_seconds": [START], "unit": "EUR / MWh"}, "has none values"),
        ("installed", {"time": ["01.2025"], "production_types": []}, "time_step=yearly"),
        ("installed", {"time": ["2025", "2025"], "production_types": []}, "every year once"),
    ],
)
def test_another_layout_is_refused(tmp_path: Path, kind: str, content: Any, words: str) -> None:
    with pytest.raises(SnapshotRefused, match=words):
        answer(tmp_path, kind, content)
