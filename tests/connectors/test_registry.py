"""Options are checked against the connector's signature; the parse key says when the same rows come out."""

from __future__ import annotations

import dataclasses
import sys
from datetime import date
from typing import Any

import pytest

from connectors.catalogue import CatalogueError, Resource, Source
from connectors.formats import CONNECTORS
from connectors.region import region
from connectors.registry import check_source, connector, parse_key, parse_options
from connectors.tables import PARSED_TABLES
from tests.connectors.conftest import Letters, source_fields, source_of


def resource(connector: str, **options: Any) -> Resource:
    return Resource(connector=connector, url="https://town.example/file", options=options)


def problem(connector: str, **options: Any) -> str:
    fields = {"connector": connector, "url": "https://town.example/file", "options": options}
    with pytest.raises(CatalogueError) as caught:
        check_source(source_of({"file": fields}))
    return str(caught.value)


@pytest.mark.parametrize("name", sorted(CONNECTORS))
def test_every_registered_connector_is_what_it_is_called(name: str) -> None:
    found = connector(name)
    assert found.name == name
    assert found.version >= 1
    assert set(found.tables) <= set(PARSED_TABLES)


def test_an_unknown_connector_is_refused_with_those_there_are() -> None:
    with pytest.raises(
        CatalogueError, match="connector: 'excel' is unknown; expected one of accident_atlas, barrier_free_stops, "
    ):
        connector("excel")


def test_an_unknown_option_is_refused_with_those_there_are() -> None:
    assert problem("gtfs", regiononly=True) == (
        "town.yml: resources.file.options.regiononly: gtfs has no such option; "
        "did you mean region_only? expected one of region_only"
    )


@pytest.mark.parametrize("value", ["yes", 1, None, [True]])
def test_an_option_of_another_type_is_refused(value: object) -> None:
    message = problem("gtfs", region_only=value)
    assert message == f"town.yml: resources.file.options.region_only: is {value!r}, expected a valid boolean"


def test_an_option_that_yaml_read_as_a_date_is_refused() -> None:
    message = problem("genesis_ffcsv", table_code=date(2024, 1, 1))
    assert message.startswith("town.yml: resources.file.options.table_code: ")
    assert message.endswith("put the value into quotes")


def test_a_required_option_must_be_there() -> None:
    assert problem("genesis_ffcsv") == "town.yml: resources.file.options.table_code: genesis_ffcsv needs it"


def test_options_come_as_the_parser_takes_them() -> None:
    assert parse_options(resource("mastr_export", technologies=["solar", "wind"])) == {
        "technologies": ("solar", "wind")
    }
    assert parse_options(resource("mastr_export")) == {}
    assert "technologies" in problem("mastr_export", technologies=["coal"])


def test_equal_questions_have_an_equal_parse_key(letters: Letters) -> None:
    first = parse_key(resource("letters", prefix="a", year=1), {"x": "1", "y": "2"}, region())
    assert first == parse_key(resource("letters", year=1, prefix="a"), {"y": "2", "x": "1"}, region())
    assert first.startswith("1-")


def test_whatever_changes_the_rows_changes_the_parse_key(letters: Letters, monkeypatch: pytest.MonkeyPatch) -> None:
    smaller = region().model_copy(update={"kreise": region().kreise[:1]})
    keys = [
        parse_key(resource("letters"), {}, region()),
        parse_key(resource("letters", prefix="a"), {}, region()),
        parse_key(resource("letters"), {"station": "1"}, region()),
        parse_key(resource("letters"), {}, smaller),
        parse_key(resource("gtfs"), {}, region()),
    ]
    module = sys.modules["connectors.formats.letters"]
    monkeypatch.setattr(module, "CONNECTOR", dataclasses.replace(connector("letters"), version=2))
    keys.append(parse_key(resource("letters"), {}, region()))
    assert len(set(keys)) == 6


def listed(url: str, connector_name: str, **site: str) -> str:
    fields = source_fields(
        {
            "sites": {"connector": connector_name, "url": "https://town.example/sites"},
            "readings": {
                "connector": "eco_visio",
                "url": url,
                "partitions": {"site": {"from_resource": "sites", **site}},
            },
        }
    )
    with pytest.raises(CatalogueError) as error:
        check_source(Source.model_validate(fields))
    return str(error.value)


def test_values_without_a_key_come_from_what_lists_them() -> None:
    assert listed("https://town.example/{site}", "eco_counter_sites") == (
        "town.yml: resources.readings.partitions.site: eco_counter_sites lists nothing; give a json_key"
    )


def test_an_address_takes_no_field_that_the_list_has_not() -> None:
    message = listed("https://town.example/{site.flow}?{site}", "eco_visio_sites")
    assert message.startswith(
        "town.yml: resources.readings.url: eco_visio_sites lists no site.flow; did you mean flows?"
    )


ITNRW = {"table_code": "1", "columns": ["area_code", "area_label"]}
OWN_PROFILE = {"time": "Zeit", "unit": "W", "normalised_to_kwh": 1000.0}


@pytest.mark.parametrize(
    ("connector", "options", "told"),
    [
        (
            "itnrw_table",
            {**ITNRW, "period_in_preamble": r"Stichtag: (\d"},
            "period_in_preamble: is no regular expression",
        ),
        ("oparl", {"objects": "paper", "ags": "5515"}, "options.ags: "),
        ("municipal_series", {"areas": {"Münster": "5515"}}, "options.areas"),
        ("municipal_series", {"areas": {}, "encoding": "utf-99"}, "expected an encoding such as utf-8"),
        ("load_profile_csv", {**OWN_PROFILE, "profiles": {}}, "options.profiles: "),
        (
            "count_table",
            {"layout": "daily_dmy", "encoding": "utf-99"},
            "options.encoding: is 'utf-99', expected an encoding",
        ),
    ],
)
def test_what_cannot_be_is_told_when_the_source_is_checked(connector: str, options: dict[str, Any], told: str) -> None:
    assert told in problem(connector, **options)
