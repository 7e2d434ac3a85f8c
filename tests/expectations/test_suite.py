"""Suites are strict: a slip of the pen fails at load and names file and key."""

from __future__ import annotations

from pathlib import Path
from typing import get_args

import pytest
import yaml

from expectations.owners import load_owners
from expectations.rules import RULES, load_rules
from expectations.strict import SuiteRefused
from expectations.suite import DIMENSIONS, Kind, MartSuite, load_suites
from tests.conftest import REPOSITORY
from tests.expectations.conftest import OWNERS

CHECK = (
    "{expect: expect_table_row_count_to_equal, kwargs: {value: 1}, severity: critical, meaning_de: x, meaning_en: x}"
)


def write(folder: Path, text: str, name: str = "core.yml") -> Path:
    (folder / name).write_text(text, encoding="utf-8")
    return folder


def suite(check: str = CHECK, domain: str = "core") -> str:
    return f"domain: {domain}\nowner: platform\nmarts:\n  dim_area:\n    key: [area_id]\n    checks:\n      - {check}\n"


def load(folder: Path) -> dict[str, MartSuite]:
    owners = folder / "owners"
    owners.write_text(OWNERS, encoding="utf-8")
    return load_suites(folder, load_owners(owners))


def test_every_mart_of_the_contract_has_a_suite() -> None:
    assert sorted(load_rules(RULES, "live").suites) == [
        "dim_area",
        "dim_car_park",
        "dim_charging_station",
        "dim_counting_channel",
        "dim_counting_site",
        "dim_date",
        "dim_energy_unit",
        "dim_facility",
        "dim_feed_version",
        "dim_indicator",
        "dim_municipality",
        "dim_route",
        "dim_school",
        "dim_source",
        "dim_statistic_table",
        "dim_stop",
        "fct_count_hour",
        "fct_departure_day",
        "fct_energy_unit_version",
        "fct_market_quarter_hour",
        "fct_stop_delay",
        "mart_accident",
        "mart_accident_year",
        "mart_air_quality_day",
        "mart_area_change",
        "mart_charging",
        "mart_comparison",
        "mart_council_activity",
        "mart_counting_finding",
        "mart_coverage",
        "mart_district_statistic",
        "mart_energy_balance",
        "mart_energy_capacity",
        "mart_energy_crosscheck",
        "mart_energy_finding",
        "mart_energy_operator_type",
        "mart_energy_per_capita",
        "mart_energy_size_class",
        "mart_energy_yield",
        "mart_feed_finding",
        "mart_feed_health",
        "mart_field_of_action",
        "mart_goal_progress",
        "mart_indicator",
        "mart_market_comparison",
        "mart_municipal_energy_series",
        "mart_parking_hour",
        "mart_population",
        "mart_population_district",
        "mart_project_status",
        "mart_punctuality",
        "mart_realtime_coverage",
        "mart_source_finding",
        "mart_statistic",
        "mart_statistic_today",
        "mart_stop_accessibility",
        "mart_survey_answer",
        "mart_traffic_day",
        "mart_traffic_month",
        "mart_traffic_profile",
        "mart_traffic_trend",
        "mart_traffic_year",
        "mart_transit_access",
        "mart_transit_connection",
        "mart_transit_line",
        "mart_transit_operating_hours",
        "mart_transit_supply",
        "mart_transit_supply_daytype",
        "mart_trip_overlap",
        "mart_waiting_time_day",
    ]


def test_the_key_is_checked_without_being_said_again(tmp_path: Path) -> None:
    text = suite().replace("[area_id]", "[area_id, level]")
    checks = load(write(tmp_path, text))["dim_area"].all_checks
    assert [(check.expect, check.kwargs, check.severity) for check in checks[:3]] == [
        ("expect_column_values_to_not_be_null", {"column": "area_id"}, "critical"),
        ("expect_column_values_to_not_be_null", {"column": "level"}, "critical"),
        ("expect_compound_columns_to_be_unique", {"column_list": ["area_id", "level"]}, "critical"),
    ]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (suite(CHECK.replace("row_count_to_equal", "row_cuont_to_equal")), r"dim_area\.checks\.0\.expect"),
        (suite(CHECK.replace("severity", "severety")), r"dim_area\.checks\.0\.severety: Extra inputs"),
        (suite(CHECK.replace("critical", "grave")), r"dim_area\.checks\.0\.severity"),
        (suite(CHECK.replace("meaning_de: x", "meaning_de: ' '")), r"dim_area\.checks\.0\.meaning_de"),
        (suite(domain="transit"), "domain: expected core as the file is named, came transit"),
        (suite().replace("    key: [area_id]\n", ""), r"dim_area\.key: Field required"),
        (suite().replace("    checks", "    key: [level]\n    checks"), r"keys given twice: \['key'\]"),
        (suite().replace("dim_area", "area"), r"marts\.area"),
        (suite(CHECK.replace("severity", "owner: mobilty, severity")), r"dim_area\.checks\.0\.owner: 'mobilty' is no"),
        (
            suite().replace("owner: platform", "owner: platfrom"),
            "owner: 'platfrom' is no owner, expected one of platform",
        ),
        (suite().replace("    key", "    owner: nobody\n    key"), r"marts\.dim_area\.owner: 'nobody' is no owner"),
        (suite().replace("owner: platform\n", ""), "owner: Field required"),
        (suite(CHECK.replace("severity", "onwer: mobility, severity")), r"dim_area\.checks\.0\.onwer: Extra inputs"),
        (suite(CHECK.replace("severity", "dimension: fresh, severity")), r"dim_area\.checks\.0\.dimension"),
        (
            suite(CHECK.replace("severity", "of: dim_stop, severity")),
            r"dim_area\.checks\.0\.of: .*only an unexpected_rows",
        ),
        (suite(CHECK.replace("{value: 1}", "{value: 1, row_condition: x}")), r"checks\.0\.kwargs: .*row_condition"),
        (f"{suite()}      - {CHECK}\n", r"dim_area\.checks: dim_area\.table_row_count_to_equal\.\w+ is written twice"),
        ("domain: [", "expected YAML"),
    ],
)
def test_a_slip_names_file_and_key(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(SuiteRefused, match=f"core.yml.*(?s:.*){said}"):
        load(write(tmp_path, text))


def test_a_mart_in_two_files_and_an_empty_folder_are_refused(tmp_path: Path) -> None:
    with pytest.raises(SuiteRefused, match="found none"):
        load(tmp_path)
    write(tmp_path, suite())
    write(tmp_path, suite(domain="energy"), "energy.yml")
    with pytest.raises(SuiteRefused, match=r"energy.yml: marts \['dim_area'\]"):
        load(tmp_path)


def test_keys_and_columns_are_those_the_dbt_models_declare() -> None:
    models = {
        model["name"]: model
        for path in sorted((REPOSITORY / "dbt_project" / "models").glob("*/marts/*.yml"))
        for model in yaml.safe_load(path.read_text(encoding="utf-8"))["models"]
    }
    suites = load_rules(RULES, "live").suites
    assert suites.keys() == models.keys()
    for mart, suite_of_mart in suites.items():
        assert list(suite_of_mart.key) == models[mart]["config"]["meta"]["primary_key"], mart
        declared = {column["name"] for column in models[mart]["columns"]}
        for check in suite_of_mart.checks:
            named = {check.kwargs.get(name) for name in ("column", "column_A", "column_B")} - {None}
            assert named | set(check.kwargs.get("column_set", ())) <= declared, (mart, check)


QUERY = (
    "{expect: unexpected_rows_expectation, kwargs: {unexpected_rows_query: 'select  1\n  from {batch}'}, "
    "severity: critical, meaning_de: x, meaning_en: x}"
)


def test_the_owner_of_a_check_is_its_own_else_its_marts_else_the_suites(tmp_path: Path) -> None:
    own = CHECK.replace("severity", "owner: mobility, severity")
    text = f"{suite(own)}  dim_stop:\n    key: [stop_id]\n    owner: mobility\n    checks:\n      - {CHECK}\n"
    suites = load(write(tmp_path, text))
    assert [check.owner for check in suites["dim_area"].all_checks] == ["platform", "platform", "mobility"]
    assert {check.owner for check in suites["dim_stop"].all_checks} == {"mobility"}


def test_an_id_is_readable_and_stays_until_the_arguments_change(tmp_path: Path) -> None:
    def ids(text: str) -> list[str]:
        return [check.id_on("dim_area") for check in load(write(tmp_path, text))["dim_area"].all_checks]

    first = ids(suite(CHECK))
    assert first[0].startswith("dim_area.column_values_to_not_be_null.area_id.")
    assert first[2].startswith("dim_area.table_row_count_to_equal.")
    assert ids(suite(CHECK.replace("meaning_en: x", "meaning_en: y").replace("critical", "info"))) == first
    assert ids(suite(CHECK.replace("value: 1", "value: 2")))[2] != first[2]
    # A query laid out anew is the same query.
    assert ids(suite(QUERY)) == ids(suite(QUERY.replace("select  1", "select 1")))
    assert ids(suite(QUERY)) != ids(suite(QUERY.replace("select  1", "select 2")))


def test_every_kind_has_a_dimension_and_a_check_may_name_another(tmp_path: Path) -> None:
    assert DIMENSIONS.keys() == set(get_args(Kind))
    named = QUERY.replace("severity", "dimension: complete, of: dim_area, severity")
    checks = load(write(tmp_path, f"{suite(named)}      - {QUERY.replace('1', '2')}\n"))["dim_area"].checks
    assert [check.speaks_of for check in checks] == ["complete", "consistent"]


def test_a_query_looks_through_a_mart_that_is_there(tmp_path: Path) -> None:
    text = suite(QUERY.replace("severity", "of: dim_aera, severity"))
    with pytest.raises(SuiteRefused, match=r"marts\.dim_area\.checks\.0\.of: no suite names dim_aera"):
        load(write(tmp_path, text))


def test_an_owners_file_names_its_own_slip(tmp_path: Path) -> None:
    path = tmp_path / "owners.yml"
    path.write_text(OWNERS.replace("gate: platform", "gate: nobody"), encoding="utf-8")
    with pytest.raises(SuiteRefused, match=r"owners\.yml: gate: 'nobody' is no owner"):
        load_owners(path)
    path.write_text(OWNERS.replace("title_de", "titel_de"), encoding="utf-8")
    with pytest.raises(SuiteRefused, match=r"owners\.yml: .*owners\.platform\.titel_de: Extra inputs"):
        load_owners(path)
