"""The whole project builds, and every mart keeps the house's promises: contract, version, key, titles, docs."""

from __future__ import annotations

import re
from typing import Any

import pytest

from muensterland.settings import REPOSITORY

NUMERIC = ("bigint", "integer", "double", "decimal")
# Issue 2, "What is built", item 3; issue 4, item 5.
MARTS = {
    "dim_area": ["area_id"],
    "dim_municipality": ["ags"],
    "dim_date": ["date"],
    "dim_source": ["source_id"],
    "mart_coverage": ["ags", "domain", "source_id"],
    "mart_source_finding": ["source_id", "snapshot_sha256", "code"],
    "dim_stop": ["source_id", "stop_id"],
    "fct_departure_day": ["source_id", "stop_id", "service_date"],
    "mart_transit_supply": ["ags", "service_date"],
    "mart_transit_supply_daytype": ["ags", "day_type", "hour"],
    "mart_transit_operating_hours": ["ags", "day_type"],
    "mart_transit_connection": ["from_ags", "to_ags", "day_type"],
    "dim_feed_version": ["feed", "snapshot_sha256"],
    "mart_feed_finding": ["feed", "snapshot_sha256", "code", "field"],
    "mart_feed_health": ["feed"],
    "dim_route": ["source_id", "route_id"],
    "mart_transit_line": ["source_id", "route_id", "day_type"],
    "mart_trip_overlap": ["source_id", "snapshot_sha256", "trip_id", "frequency_number", "run_number"],
    "fct_stop_delay": ["source_id", "service_date", "trip_id", "stop_sequence"],
    "mart_punctuality": ["source_id", "route_id", "hour"],
    "mart_realtime_coverage": ["source_id", "service_date"],
    "mart_transit_access": ["ags", "min_departures"],
    "mart_stop_accessibility": ["source_id", "stop_id"],
    "dim_counting_site": ["site_id"],
    "dim_counting_channel": ["source_id", "site_id", "channel_id", "valid_from"],
    "mart_counting_finding": ["finding_id"],
    "fct_count_hour": ["site_id", "mode", "direction", "hour_at"],
    "mart_accident": ["ags", "year", "severity", "participants"],
    "mart_accident_year": ["ags", "year", "severity"],
    "dim_car_park": ["source_id", "car_park"],
    "mart_parking_hour": ["source_id", "car_park", "hour_at"],
    "mart_air_quality_day": ["station_id", "component", "date"],
    "mart_traffic_day": ["site_id", "mode", "direction", "date"],
    "mart_traffic_month": ["site_id", "mode", "direction", "month"],
    "mart_traffic_year": ["site_id", "mode", "direction", "year"],
    "mart_traffic_profile": ["site_id", "mode", "direction", "year", "weekday", "hour"],
    "mart_traffic_trend": ["level", "place_id", "mode", "year"],
    "dim_energy_unit": ["unit_id"],
    "fct_energy_unit_version": ["unit_id", "known_from_date"],
    "mart_energy_capacity": ["ags", "technology", "month"],
    "mart_energy_size_class": ["ags", "size_class", "month"],
    "mart_energy_per_capita": ["ags", "technology", "month"],
    "mart_energy_operator_type": ["ags", "technology", "operator_type"],
    "mart_energy_crosscheck": ["reference_source_id", "source_id", "area_id", "technology", "year"],
    "dim_charging_station": ["source_id", "snapshot_sha256", "record_number"],
    "mart_charging": ["ags", "month"],
    "fct_market_quarter_hour": ["series", "region", "interval_minutes", "start_at"],
    "mart_market_comparison": [
        *("series", "region", "interval_minutes", "month"),
        *("reference_source_id", "source_id"),
    ],
    "mart_energy_yield": ["ags", "technology", "month"],
    "mart_energy_balance": ["ags", "month"],
    "mart_municipal_energy_series": ["ags", "source_id", "dataset", "series", "unit", "period"],
    "mart_energy_finding": ["source_id", "code", "subject"],
    "mart_statistic": [
        *("source_id", "table_code", "area_id", "value_variable_code", "attribute_codes", "period", "unit")
    ],
    "mart_population": ["ags", "date", "source_id"],
    "dim_school": ["school_id"],
    "dim_indicator": ["indicator_id"],
    "mart_indicator": ["area_id", "indicator_id", "period"],
    "mart_goal_progress": ["goal_id"],
    "mart_project_status": ["project_id"],
    "mart_comparison": ["area_id", "indicator_id"],
    "mart_field_of_action": ["area_id", "field_of_action"],
    "mart_council_activity": ["ags", "month"],
    "dim_statistic_table": ["source_id", "table_code"],
    "dim_facility": ["source_id", "kind", "facility_id"],
    "mart_population_district": ["source_id", "ags", "district_name", "sex", "age_group", "period"],
    "mart_district_statistic": ["source_id", "subject", "ags", "district_name", "sex", "age_group", "period"],
    "mart_survey_answer": ["source_id", "survey", "ags", "district_name", "question", "answer", "period"],
    "mart_waiting_time_day": ["source_id", "office_id", "date"],
    "mart_area_change": ["effective_date", "former_area_id", "area_id"],
    "mart_statistic_today": [
        *("source_id", "table_code", "area_id", "value_variable_code", "attribute_codes", "period", "unit"),
    ],
}
Marts = dict[str, dict[str, Any]]


def test_every_node_succeeds(built: Any) -> None:
    problems = [
        f"{run.node.unique_id}: {run.status} {run.message}"
        for run in built.result.result or []
        if str(run.status) not in ("success", "pass")
    ]
    assert built.result.exception is None
    assert problems == []
    assert built.result.success


def test_unit_tests_ran(built: Any) -> None:
    ran = {run.node.name for run in built.result.result if run.node.resource_type == "unit_test"}
    assert {"the_reason_that_weighs_most", "planned_never_counts_shut_goes"} <= ran


def test_all_marts_are_there(marts: Marts) -> None:
    assert {name: mart["config"]["meta"]["primary_key"] for name, mart in marts.items()} == MARTS


@pytest.mark.parametrize("name", MARTS)
def test_mart_keeps_the_promises(name: str, marts: Marts, built: Any) -> None:
    mart = marts[name]
    meta = mart["config"]["meta"]
    assert mart["config"]["contract"]["enforced"]
    assert re.fullmatch(r"[1-9]\d*\.\d+\.\d+", meta["version"])
    assert meta["title_de"]
    assert meta["title_en"]
    assert mart["description"]
    assert set(meta["volatile_columns"]) <= set(mart["columns"])
    for column in mart["columns"].values():
        assert column["description"], column["name"]
        assert column["data_type"], column["name"]
        if column["data_type"].startswith(NUMERIC):
            assert "Unit: " in column["description"], column["name"]
    for key in meta["primary_key"]:
        assert {"type": "not_null"}.items() <= mart["columns"][key]["constraints"][0].items(), key
    tested = [
        node["test_metadata"]["kwargs"]["columns"]
        for node in built.manifest["nodes"].values()
        if node["resource_type"] == "test"
        and node.get("attached_node") == mart["unique_id"]
        and node["test_metadata"]["name"] == "unique_combination"
    ]
    assert tested == [meta["primary_key"]]


def test_no_column_that_counts_persons_escapes_its_role(marts: Marts) -> None:
    """By its unit or its name a column counts persons; then its role says so, and how they are protected."""
    counting = {
        (name, column["name"])
        for name, mart in marts.items()
        for column in mart["columns"].values()
        if column["data_type"].startswith(NUMERIC)
        and (
            re.search(r"Unit: persons\b", column["description"])
            or re.search(r"(^|_)(persons|people|population|inhabitants|residents)(_|$)", column["name"])
        )
        and not re.search(r"_(share|per_1000)(_|$)", column["name"])
    }
    roles = {
        (name, column["name"]): column["config"]["meta"]
        for name, mart in marts.items()
        for column in mart["columns"].values()
        if "role" in column["config"].get("meta", {})
    }
    # How many wait in a queue says nothing of anybody.
    queues = {("mart_waiting_time_day", f"{figure}_waiting_persons") for figure in ("mean", "max")}
    assert counting - roles.keys() == queues
    by_row = {("mart_statistic", "value"), ("mart_statistic_today", "value"), ("mart_district_statistic", "value")}
    assert roles.keys() - counting == by_row
    assert {(role["role"], role["min_persons"]) for role in roles.values()} == {("count_persons", 5)}


@pytest.mark.parametrize("name", MARTS)
def test_mart_carries_its_comments(name: str, marts: Marts, built: Any) -> None:
    rows = built.query(
        f"select column_name, comment from duckdb_columns() where schema_name = 'marts' and table_name = '{name}'"
    )
    assert dict(rows) == {column["name"]: column["description"] for column in marts[name]["columns"].values()}


def test_everything_is_documented(built: Any) -> None:
    ours = [
        node
        for node in [*built.manifest["nodes"].values(), *built.manifest["macros"].values()]
        if node["package_name"] == "muensterland" and node["resource_type"] in ("model", "seed", "macro")
    ]
    blank = [node["name"] for node in ours if not node["description"] and "__" not in node["name"]]
    blank = [name for name in blank if not name.startswith("test_")]
    blank += [
        f"{node['name']}.{column['name']}"
        for node in ours
        for column in node.get("columns", {}).values()
        if not column["description"]
    ]
    assert blank == []


def test_only_marts_stand_in_the_schema_marts(built: Any) -> None:
    tables = built.query("select table_schema, table_name from information_schema.tables")
    assert {name for schema, name in tables if schema == "marts"} == set(MARTS)
    assert {schema for schema, _ in tables} == {"marts", "intermediate", "staging", "seeds"}


def test_models_keep_to_portable_sql() -> None:
    offences = []
    for path in sorted((REPOSITORY / "dbt_project").rglob("*.sql")):
        text = path.read_text(encoding="utf-8").lower()
        if "portable" not in path.parts:
            offences += [
                f"{path.name}: {word}" for word in ("read_parquet", "timezone(", "::", "st_as") if word in text
            ]
            offences += [f"{path.name}: select *"] * ("select *" in text)
    assert offences == []


def test_what_is_computed_by_site_is_read_by_site_alone_and_knows_by_its_key_what_it_reads(built: Any) -> None:
    """Intermediate models by site hold the sites alone that are computed; marts by site are taken over by a key."""
    models = {node["name"]: node for node in built.manifest["nodes"].values() if node["resource_type"] == "model"}
    read_by = {
        name: {node_id.split(".")[-1] for node_id in node["depends_on"]["nodes"] if node_id.startswith("model.")}
        for name, node in models.items()
    }
    by_site = {name for name, node in models.items() if node["config"]["materialized"] == "by_site"}
    assert {"int_channel_hour", "fct_count_hour", "mart_traffic_day"} <= by_site
    whole = {
        name
        for name in by_site
        if models[name]["schema"] == "marts" or "taken_over_from" in models[name]["config"]["meta"]
    }
    # A calendar: of sites that are not computed nobody asks for an hour.
    readers = {name for name, read in read_by.items() if read & (by_site - whole)} - by_site - {"int_hour"}
    assert readers == set()
    # Calendars are the same for all; readings are in the key by their snapshots.
    known = read_by["int_site_batch"] | {"int_site_batch", "int_hour", "int_counting_date", "stg_count_reading"}
    unknown = {(name, read) for name in by_site for read in read_by[name] - by_site - known}
    assert unknown == set()
