"""Market, yield and balance of the hand-made region, worked out by hand."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Any

import pytest

MUENSTER, BORKEN_1 = "05515000", "05554001"
MARCH = date(2026, 3, 1)


@pytest.mark.parametrize(("day", "quarters"), [("2026-03-29", 92), ("2026-10-25", 100), ("2026-03-28", 96)])
def test_a_day_has_as_many_quarter_hours_as_the_clock_gives_it(built: Any, day: str, quarters: int) -> None:
    (found,) = built.query(
        "select count(*), count(distinct start_at), min(start_local), max(start_local) "
        "from marts.fct_market_quarter_hour "
        f"where series = 'generation_solar' and cast(start_local as date) = date '{day}'"
    )
    last = datetime.fromisoformat(f"{day}T23:45")
    assert found == (quarters, quarters, datetime.fromisoformat(f"{day}T00:00"), last)


def test_what_is_published_by_the_hour_stays_hourly(built: Any) -> None:
    rows = built.query(
        "select interval_minutes, count(*), sum(value) from marts.fct_market_quarter_hour "
        "where series = 'load' group by interval_minutes"
    )
    assert rows == [(60, 25, Decimal("1250000.0000"))]


def test_a_gap_is_a_row_without_a_value_and_a_finding(built: Any) -> None:
    rows = built.query(
        "select cast(start_at as varchar), value, value_status from marts.fct_market_quarter_hour where value is null"
    )
    assert rows == [("2026-03-10 10:00:00+00", None, "missing")]
    found = built.query("select subject, count, severity from marts.mart_energy_finding where code = 'market_gap'")
    assert found == [("generation_solar DE 15 min", 1, "warning")]


def test_the_first_publisher_speaks_and_the_other_is_compared_in_its_unit(built: Any) -> None:
    rows = built.query(
        "select distinct source_id, value from marts.fct_market_quarter_hour "
        "where cast(start_local as date) = date '2026-10-25' and series = 'generation_solar'"
    )
    assert rows == [("market", Decimal("7.0000"))]
    compared = built.query(
        "select reference_source_id, source_id, intervals, reference_sum, value_sum, round(difference_share, 6), "
        "intervals_apart from marts.mart_market_comparison"
    )
    assert compared == [("market", "market_b", 100, Decimal("700.0000"), Decimal("770.0000"), 0.1, 100)]
    codes = built.query("select code, count from marts.mart_energy_finding where source_id = 'market_b' order by 1")
    assert codes == [("market_differs", 1), ("market_intervals_apart", 100)]


def test_a_yield_is_the_share_in_the_nations(built: Any) -> None:
    rows = built.query(
        "select technology, yield_mwh_estimated, value_status, reason, national_generation_mwh, national_capacity_mw, "
        "national_capacity_told_by from marts.mart_energy_yield "
        f"where ags = '{MUENSTER}' and month = date '2026-03-01' order by technology"
    )
    # 15.5 kW of 10 GW; 2,971 quarter-hours of 100 MWh measured, the last one of 2,972 taken as the others:
    # 0.0155 MW * 297,200 MWh / 10,000 MW.
    solar = ("solar", Decimal("0.461"), "estimated", None, Decimal("297100.0000"), Decimal("10000.000"), "market")
    assert rows[2] == solar
    for technology, value, status, reason, *_ in [*rows[:2], rows[3]]:
        assert (value, status, reason) == (None, "missing", "market_missing"), technology


def test_every_month_since_the_first_has_a_yield_or_a_reason(built: Any) -> None:
    rows = built.query(
        "select month, reason, count(*) from marts.mart_energy_yield "
        "where technology = 'solar' and ags in (select ags from marts.mart_energy_capacity where units is not null) "
        "group by month, reason order by month"
    )
    assert [month.month for month, *_ in rows] == list(range(3, 12))
    assert [reason for _, reason, _ in rows] == [None, *["market_missing"] * 6, "market_incomplete", "market_missing"]
    unknown = built.query(
        "select distinct reason from marts.mart_energy_yield "
        "where ags not in (select ags from marts.mart_energy_capacity where units is not null)"
    )
    assert unknown == [("capacity_missing",)]


def test_demand_is_of_heads_and_days_and_the_balance_says_why_it_has_no_share(built: Any) -> None:
    (row,) = built.query(
        "select yield_mwh_estimated, demand_mwh_estimated - household_mwh_estimated, commerce_mwh_estimated, share, "
        f"population, reason from marts.mart_energy_balance where ags = '{MUENSTER}' and month = date '2026-03-01'"
    )
    # 1,000 heads of 1,660 kWh a year, the profile being the same on every one of 365 days: 1,660 MWh * 31 / 365.
    commerce = Decimal("140.986")
    assert row == (None, commerce, commerce, None, 1000, "market_missing")
    households = built.query(
        "select month, kwh_per_head from intermediate.int_demand_month where sector = 'household' order by month"
    )
    assert sum(kwh for _, kwh in households) == pytest.approx(Decimal(1540), abs=Decimal("0.001"))
    # Dynamic: per day most in January, least in July.
    daily = {month.month: kwh / days_in(month) for month, kwh in households}
    assert max(daily, key=daily.__getitem__) == 1
    assert min(daily, key=daily.__getitem__) == 7


def days_in(month: date) -> int:
    return (date(month.year + month.month // 12, month.month % 12 + 1, 1) - month).days


def test_series_of_a_municipality_keep_targets_apart(built: Any) -> None:
    rows = built.query(
        "select period, value, value_status, is_target from marts.mart_municipal_energy_series order by period"
    )
    assert rows == [("2024", 1139.5, "measured", False), ("2030", 130.5, "estimated", True)]
    told = built.query("select subject, example from marts.mart_energy_finding where code = 'series_contradicts'")
    assert told == [("co2 CO2", "2024: 1139.5 and 1140.0")]


def test_a_device_of_two_registers_counts_once(built: Any) -> None:
    rows = built.query(
        "select source_id, record_number, told_by_source_id, fast_points from marts.dim_charging_station "
        "where source_id = 'charging_b' order by record_number"
    )
    assert rows == [("charging_b", 1, "charging", 0), ("charging_b", 2, None, 1)]
    (last,) = built.query(
        "select charging_points, fast_points, power_kw from marts.mart_charging "
        f"where ags = '{MUENSTER}' order by month desc limit 1"
    )
    # 2 + 2 + 4 + 8 points of the first register and 2 of the device that the second one alone has.
    assert last == (18, 9, Decimal("494.500"))
    codes = built.query(
        "select code, subject, count from marts.mart_energy_finding where code like 'charging%' order by 1, 2"
    )
    assert ("charging_repeated", "", 1) in codes
    assert ("charging_told_twice", "charging", 1) in codes


def test_germanys_sum_of_a_register_read_whole_stands_beside_the_markets(built: Any) -> None:
    """10.5 and 5 kW of solar stood at the end of 2025; the market tells 10 GW of 2026."""
    assert built.query(
        "select reference_source_id, source_id, area_id, technology, year, gross_capacity_kw, reference_kw, "
        "is_deviating from marts.mart_energy_crosscheck where area_level = 'nation'"
    ) == [("market", "mastr", "DE", "solar", 2025, Decimal("15.500"), Decimal(10_000_000), True)]
