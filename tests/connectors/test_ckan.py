"""Catalogues: the dataset by its id, in CKAN's shape and in DKAN's, and exactly one of its files."""

from __future__ import annotations

import json
from typing import Any

import pytest

from connectors.catalogue import Source
from connectors.fetching import fetch_source
from connectors.http import Client
from connectors.landing import Landing
from tests.connectors.conftest import AS_OF, source_of
from tests.connectors.publisher import Publisher, Reply, document

API = "https://data.town.example/api/3/action"
SHOW = f"{API}/package_show?id=ab-12"
FILE = "https://files.town.example/places.csv"
OTHER = [
    {"id": "r1", "name": "Vorschau", "format": "HTML", "url": "https://files.town.example/places.html"},
    {"id": "r3", "name": "Stand 2019", "format": "CSV", "url": "https://elsewhere.example/2019.csv"},
]
WANTED = {"id": "r2", "name": "Standorte - CSV", "format": "CSV", "url": FILE}
DATASET = {"id": "ab-12", "name": "places", "resources": [*OTHER, WANTED]}
FOLLOW = {"dataset": "ab-12", "format": "csv", "address": r"https://files\.town\.example/.+"}


def source(url: str = SHOW, **follow: Any) -> Source:
    options = {"into": "facility", "columns": {"facility_id": "Nr", "kind": {"fixed": "playground"}}}
    resource = {"connector": "table", "url": url, "options": options, "follow_dataset": {**FOLLOW, **follow}}
    return source_of({"places": resource})


def answer(result: Any, success: bool = True) -> Reply:
    return Reply(body=json.dumps({"success": success, "result": result}).encode())


@pytest.fixture(autouse=True)
def file(publisher: Publisher) -> None:
    publisher.says(FILE, document(b"Nr\n1\n"))


@pytest.mark.parametrize("result", [DATASET, [DATASET], [[DATASET]]], ids=["ckan", "dkan", "dkan-nested"])
def test_a_dataset_leads_to_its_file(publisher: Publisher, landing: Landing, client: Client, result: Any) -> None:
    publisher.says(SHOW, answer(result))
    assert fetch_source(source(), landing, client, AS_OF).new == 1
    (row,) = landing.log()
    assert (row.url, row.file_name) == (FILE, "places.csv")
    # Asked again the catalogue is, the file only where it has changed.
    assert fetch_source(source(), landing, client, AS_OF).unchanged == 1


@pytest.mark.parametrize("resource", ["r2", "Standorte.*"], ids=["id", "name"])
def test_a_file_may_be_named_by_id_or_name(
    publisher: Publisher, landing: Landing, client: Client, resource: str
) -> None:
    twin = {**WANTED, "id": "r4", "name": "Andere", "url": "https://files.town.example/other.csv"}
    publisher.says(SHOW, answer([{**DATASET, "resources": [*DATASET["resources"], twin]}]))
    summary = fetch_source(source(), landing, client, AS_OF)
    assert "expected one file of ab-12 that fits follow_dataset, found 2 among" in summary.errors[0]
    assert fetch_source(source(resource=resource), landing, client, AS_OF).new == 1


def test_a_search_is_read_page_by_page_to_the_dataset(publisher: Publisher, landing: Landing, client: Client) -> None:
    search = f"{API}/package_search?q=places&rows=1"
    publisher.says(search, answer({"count": 2, "results": [{"id": "other", "resources": []}]}))
    publisher.says(f"{search}&start=1", answer({"count": 2, "results": [DATASET]}))
    assert fetch_source(source(search), landing, client, AS_OF).new == 1
    summary = fetch_source(source(search, dataset="nowhere"), landing, client, AS_OF)
    assert "none of 2 datasets is nowhere" in summary.errors[0]


@pytest.mark.parametrize(
    ("reply", "said"),
    [
        (answer([{**DATASET, "id": "cd", "name": "x"}]), "expected the dataset ab-12, found x (cd)"),
        (answer([{**DATASET, "resources": OTHER}]), "found 0 among: Vorschau (HTML)"),
        (answer(None, success=False), "the catalogue reports an error"),
        (Reply(body=b"<html>maintenance</html>"), "expected JSON of a CKAN or DKAN catalogue"),
        (Reply(404, b""), "HTTP 404, expected the catalogue's answer"),
        (answer([{**DATASET, "resources": [{"format": "csv", "url": 7}, "x", None]}]), "found 0 among"),
    ],
)
def test_what_is_not_there_is_told(
    publisher: Publisher, landing: Landing, client: Client, reply: Reply, said: str
) -> None:
    publisher.says(SHOW, reply)
    summary = fetch_source(source(), landing, client, AS_OF)
    assert summary.failed == 1
    assert said in summary.errors[0]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"follow_dataset": {**FOLLOW, "address": "https://.*"}}, "must describe the whole address and name its host"),
        ({"url": "https://data.town.example/list"}, "expected the package_show or package_search of a catalogue"),
        ({"follow_link": "https://x/y"}, "says how a url is asked, but follow_link does already"),
    ],
)
def test_a_declaration_that_leads_anywhere_is_refused(change: dict[str, Any], said: str) -> None:
    resource = source().resources["places"].model_dump(exclude_none=True) | change
    with pytest.raises(ValueError, match=said):
        source_of({"places": resource})
