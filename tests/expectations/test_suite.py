"""Suites are strict: a slip of the pen fails at load and names file and key."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from expectations.suite import SuiteRefused, load_suites
from tests.conftest import REPOSITORY

CHECK = (
    "{expect: expect_table_row_count_to_equal, kwargs: {value: 1}, severity: critical, meaning_de: x, meaning_en: x}"
)


def write(folder: Path, text: str, name: str = "core.yml") -> Path:
    (folder / name).write_text(text, encoding="utf-8")
    return folder


def suite(check: str = CHECK, domain: str = "core") -> str:
    return f"domain: {domain}\nmarts:\n  dim_area:\n    key: [area_id]\n    checks:\n      - {check}\n"


def test_every_mart_of_the_contract_has_a_suite() -> None:
    assert sorted(load_suites()) == [
        "dim_area",
        "dim_charging_station",
        "dim_counting_site",
        "dim_date",
        "dim_energy_unit",
        "dim_municipality",
        "dim_school",
        "dim_source",
        "dim_stop",
        "fct_count_hour",
        "fct_departure_day",
        "mart_charging",
        "mart_coverage",
        "mart_energy_capacity",
        "mart_population",
        "mart_source_finding",
        "mart_statistic",
        "mart_traffic_day",
        "mart_transit_supply",
    ]


def test_the_key_is_checked_without_being_said_again(tmp_path: Path) -> None:
    text = suite().replace("[area_id]", "[area_id, level]")
    checks = load_suites(write(tmp_path, text))["dim_area"].all_checks
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
        ("domain: [", "expected YAML"),
    ],
)
def test_a_slip_names_file_and_key(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(SuiteRefused, match=f"core.yml.*(?s:.*){said}"):
        load_suites(write(tmp_path, text))


def test_a_mart_in_two_files_and_an_empty_folder_are_refused(tmp_path: Path) -> None:
    with pytest.raises(SuiteRefused, match="found none"):
        load_suites(tmp_path)
    write(tmp_path, suite())
    write(tmp_path, suite(domain="energy"), "energy.yml")
    with pytest.raises(SuiteRefused, match=r"energy.yml: marts \['dim_area'\]"):
        load_suites(tmp_path)


def test_keys_and_columns_are_those_the_dbt_models_declare() -> None:
    models = {
        model["name"]: model
        for path in sorted((REPOSITORY / "dbt_project" / "models").glob("*/marts/*.yml"))
        for model in yaml.safe_load(path.read_text(encoding="utf-8"))["models"]
    }
    suites = load_suites()
    assert suites.keys() == models.keys()
    for mart, suite_of_mart in suites.items():
        assert list(suite_of_mart.key) == models[mart]["config"]["meta"]["primary_key"], mart
        declared = {column["name"] for column in models[mart]["columns"]}
        for check in suite_of_mart.checks:
            named = {check.kwargs.get(name) for name in ("column", "column_A", "column_B")} - {None}
            assert named | set(check.kwargs.get("column_set", ())) <= declared, (mart, check)
