"""The source catalogue: strict, in messages that name file and key; a new source of a known format is YAML only."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import duckdb
import pytest
import yaml

from connectors.catalogue import CatalogueError, load_catalogue, load_source
from connectors.fetching import fetch_source
from connectors.formats import CONNECTORS
from connectors.http import Client
from connectors.landing import Landing
from connectors.parsing import parse_source
from connectors.region import region
from connectors.registry import check_catalogue, check_source
from connectors.view import freeze
from muensterland.settings import REPOSITORY
from tests.connectors.conftest import AS_OF, source_fields
from tests.connectors.publisher import Publisher, document

SOURCES = REPOSITORY / "data" / "sources"
FILE = {"connector": "schools_nrw", "url": "https://town.example/file.csv"}


def written(folder: Path, content: Any, name: str = "town.yml") -> Path:
    path = folder / name
    path.write_text(yaml.safe_dump(content), encoding="utf-8")
    return path


def problem(path: Path) -> str:
    with pytest.raises(CatalogueError) as caught:
        load_source(path)
    return str(caught.value)


def problem_with(folder: Path, **resource: Any) -> str:
    return problem(written(folder, source_fields({"file": {**FILE, **resource}})))


# -- the catalogue of this repository --------------------------------------------------------------------------------


@pytest.mark.parametrize("path", sorted(SOURCES.glob("*.yml")), ids=lambda path: path.stem)
def test_every_source_of_the_repository_fits_its_connector(path: Path) -> None:
    check_source(load_source(path))


def test_every_connector_is_used_by_a_source() -> None:
    used = {res.connector for source in load_catalogue(SOURCES).values() for res in source.resources.values()}
    assert used == set(CONNECTORS)


def test_the_catalogue_is_sorted_by_id() -> None:
    ids = list(load_catalogue(SOURCES))
    assert ids == sorted(ids)
    assert len(ids) == len(list(SOURCES.glob("*.yml")))


def test_the_host_is_that_of_the_first_resource() -> None:
    assert load_catalogue(SOURCES)["muenster-bicycle-counters"].host == "raw.githubusercontent.com"


# -- what is refused -------------------------------------------------------------------------------------------------


def test_an_unknown_key_is_refused(tmp_path: Path) -> None:
    path = written(tmp_path, source_fields({"file": FILE}, titel_de="Stadt"))
    words = problem(path)
    assert words.startswith(
        "town.yml: titel_de: unknown key; did you mean title_de? expected one of attribution, covers, "
    )
    assert "\n" not in words


def test_an_unknown_key_of_a_resource_is_refused(tmp_path: Path) -> None:
    words = problem_with(tmp_path, ulr="x")
    assert words.startswith("town.yml: resources.file.ulr: unknown key; did you mean url? expected one of absent_is_")


@pytest.mark.parametrize(
    ("resource", "words"),
    [
        ({"guards": {"size_ratio": {"mix": 1}}}, "guards.size_ratio.mix: unknown key; did you mean min? "),
        ({"guards": {"size_ratio": {"min": 3}}}, "guards.size_ratio.min: is 3, expected less than or equal to 1"),
        ({"guards": {"record_ratio": "of"}}, "guards.record_ratio: is 'of', expected 'off'"),
        ({"guards": {"record_ratio": {}}}, "guards.record_ratio: needs min, max or both"),
        ({"partitions": {"m": "a"}}, "partitions.m: is 'a', expected a list"),
        ({"partitions": {"m": {"first": "2024-01", "lost": "2025-01"}}}, "partitions.m.lost: unknown key; did you"),
        ({"partitions": {"m": {"json_key": "a"}}}, "partitions.m.from_resource: is missing"),
        ({"inbox": 2024}, "inbox: is 2024, expected text; put it into quotes"),
    ],
)
def test_of_alternatives_the_one_that_was_meant_is_judged(tmp_path: Path, resource: dict[str, Any], words: str) -> None:
    message = problem_with(tmp_path, **resource)
    assert message.startswith(f"town.yml: resources.file.{words}")
    assert "\n" not in message


def test_an_unknown_connector_is_told_with_those_there_are(tmp_path: Path) -> None:
    words = problem_with(tmp_path, connector="school_nrw")
    assert words == (
        "town.yml: resources.file.connector: 'school_nrw' is unknown; did you mean schools_nrw? "
        f"expected one of {', '.join(sorted(CONNECTORS))}"
    )


def test_all_problems_of_all_files_are_told_at_once(tmp_path: Path) -> None:
    written(tmp_path, source_fields({"file": {**FILE, "connector": "excel"}}, domain="traffic", titel="Stadt"))
    options = {"file": {**FILE, "options": {"a": 1, "b": 2}}}
    written(tmp_path, source_fields(options, id="city"), "city.yml")
    (tmp_path / "village.yml").write_text("id: village\ncovers: [1\n", encoding="utf-8")
    with pytest.raises(CatalogueError) as caught:
        check_catalogue(tmp_path)
    keys = [": ".join(line.split(": ")[:2]) for line in str(caught.value).splitlines()]
    assert sorted(keys) == [
        "city.yml: resources.file.options.a",
        "city.yml: resources.file.options.b",
        "town.yml: domain",
        "town.yml: resources.file.connector",
        "town.yml: titel",
        "village.yml: not readable as YAML",
    ]


def test_a_missing_key_is_named(tmp_path: Path) -> None:
    fields = source_fields({"file": FILE})
    del fields["licence"]
    assert problem(written(tmp_path, fields)) == "town.yml: licence: is missing"


def test_a_source_without_resources_is_refused(tmp_path: Path) -> None:
    assert problem(written(tmp_path, source_fields({}))).startswith("town.yml: resources: ")


def test_an_id_that_is_not_the_files_name_is_refused(tmp_path: Path) -> None:
    path = written(tmp_path, source_fields({"file": FILE}), "city.yml")
    assert problem(path) == "city.yml: id: is 'town', expected the file's name 'city'"


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("id", "Town"),
        ("id", "../town"),
        ("domain", "traffic"),
        ("homepage", "http://town.example/"),
        ("covers", []),
        ("covers", ["5515000"]),
        ("inputs", ["test"]),
        ("schedule", "daily"),
        ("schedule", "0 5 * *"),
        ("priority", 101),
        ("fresh_for_days", 0),
        ("drift", "ignore"),
        ("rejection_limit", 1.5),
        ("title_de", " "),
    ],
)
def test_a_value_that_does_not_fit_is_refused_by_its_key(tmp_path: Path, key: str, value: object) -> None:
    assert f"town.yml: {key}" in problem(written(tmp_path, source_fields({"file": FILE}, **{key: value})))


@pytest.mark.parametrize(
    ("resource", "words"),
    [
        ({"url": "http://town.example/file.csv"}, "resources.file.url"),
        (
            {"url": "https://town.example/{station}.csv"},
            "resources.file: url names ['station'], partitions declare []",
        ),
        (
            {"partitions": {"month": {"first": "2024-01"}}},
            "resources.file: url names [], partitions declare ['month']",
        ),
        ({"url": "https://town.example/{a-b}.csv"}, "braces may only enclose the name of a partition"),
        (
            {"url": "https://town.example/{month.first:%Y}", "partitions": {"month": ["2024-01"]}},
            "resources.file: url: month.first: only days, months, years and what an earlier resource lists have fields",
        ),
        (
            {"url": "https://town.example/{month.begin:%Y}", "partitions": {"month": {"first": "2024-01"}}},
            "resources.file: url: month.begin: a period has first, last, next",
        ),
        (
            {"url": "https://town.example/{month.first}", "partitions": {"month": {"first": "2024-01"}}},
            "resources.file: url: month.first: expected a format of %Y, %m and %d",
        ),
        (
            {"url": "https://town.example/{month.first:%H}", "partitions": {"month": {"first": "2024-01"}}},
            "resources.file: url: month.first: expected a format of %Y, %m and %d",
        ),
        (
            {"url": "https://town.example/{month:%m}", "partitions": {"month": {"first": "2024-01"}}},
            "resources.file: url: month: only the days of a period have a format",
        ),
        ({"url": "https://town.example/{.csv"}, "braces may only enclose the name of a partition"),
        ({"url": "https://town.example/{}.csv"}, "braces may only enclose the name of a partition"),
        ({"url": "https://town.example/{line}", "partitions": {"line": ["a/b"]}}, "resources.file.partitions.line"),
        ({"url": "https://town.example/{line}", "partitions": {"line": [".."]}}, "resources.file.partitions.line"),
        ({"url": "https://town.example/{m}", "partitions": {"m": {"first": "2024-13"}}}, "resources.file.partitions.m"),
        ({"url": "https://town.example/{d}", "partitions": {"d": {"first": "2025-02-30"}}}, "day is out of range"),
        ({"url": "https://town.example/{d}", "partitions": {"d": {"first": "0025-02-03"}}}, "a day such as"),
        (
            {"url": "https://town.example/{y}", "partitions": {"y": {"first": 2025}}},
            "resources.file.partitions.y.first",
        ),
        (
            {"url": "https://town.example/{y}", "partitions": {"y": {"first": "2025", "last": "2024"}}},
            "last 2024 lies before first 2025",
        ),
        (
            {"url": "https://town.example/{y}", "partitions": {"y": {"first": "2024", "last": "2025-01"}}},
            "resources.file.partitions.y.last: is '2025-01', expected a year such as",
        ),
        (
            {"url": "https://town.example/{y.first:%H}", "partitions": {"y": {"first": "2024"}}},
            "resources.file: url: y.first: expected a format of %Y, %m and %d",
        ),
        (
            {"url": "https://town.example/{line.first:%Y}", "partitions": {"line": ["a"]}},
            "resources.file: url: line.first: only days, months, years and what an earlier resource lists have fields",
        ),
        ({"follow_link": r"/files/\d+\.zip"}, "resources.file.follow_link: must describe the whole"),
        ({"follow_link": "https://(files"}, "resources.file.follow_link: is no regular expression"),
        ({"size_limit_mb": 0}, "resources.file.size_limit_mb"),
        ({"url": None}, "resources.file: expected url (downloaded), inbox (dropped by hand) or both"),
        ({"inbox": "(a"}, "resources.file.inbox: is no regular expression"),
        ({"inbox": r"(?P<month>\d+)"}, "inbox has the groups ['month'], partitions declare []"),
        (
            {"url": "https://town.example/{m}", "partitions": {"m": {"first": "2024-01"}}, "inbox": "x"},
            "inbox has the groups [], partitions declare ['m']",
        ),
        ({"url": None, "inbox": "x", "absent_is_fine": True}, "absent_is_fine: says how a url is asked, but there is"),
        ({"url": None, "inbox": "x", "follow_link": "https://x"}, "follow_link: says how a url is asked"),
        ({"url": None, "inbox": "x", "form": {"a": "b"}}, "form: says how a url is asked"),
        ({"url": None, "inbox": "x", "partitions": {"m": ["a"]}}, "partitions come by inbox's groups"),
        ({"credentials": "town-user"}, "resources.file.credentials"),
    ],
)
def test_a_resource_that_does_not_fit_is_refused_by_its_key(
    tmp_path: Path, resource: dict[str, Any], words: str
) -> None:
    message = problem_with(tmp_path, **resource)
    assert message.startswith("town.yml: ")
    assert words in message


def test_values_may_only_come_from_an_earlier_resource(tmp_path: Path) -> None:
    values = {"station": {"from_resource": "sites", "json_key": "directory"}}
    file = {**FILE, "url": "https://town.example/{station}", "partitions": values}
    message = problem(written(tmp_path, source_fields({"file": file, "sites": FILE})))
    assert message == "town.yml: file: resources.file.partitions.station: no earlier resource 'sites'"


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (
            b"id: [town",
            "town.yml: not readable as YAML: line 2, column 1: did not find expected ',' or ']'",
        ),
        (b"id: a\x00b", "town.yml: not readable as YAML: character 5: control characters are not allowed"),
        (b"", "town.yml: file: is None, expected keys with values"),
        (b"- id: town", "town.yml: file: is [{'id': 'town'}], expected keys with values"),
        ("id: Münster".encode("latin-1"), "town.yml: not readable as YAML: byte 5: expected UTF-8"),
        (b"id: !!python/object/apply:os.system [ls]", "town.yml: not readable as YAML"),
    ],
)
def test_a_file_that_is_no_yaml_of_a_source_is_refused(tmp_path: Path, content: bytes, words: str) -> None:
    (tmp_path / "town.yml").write_bytes(content)
    assert problem(tmp_path / "town.yml").startswith(words)


def test_an_empty_catalogue_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CatalogueError, match="expected one file per publisher"):
        load_catalogue(tmp_path)


# -- adding a source of a known format -------------------------------------------------------------------------------

SECOND_CITY = """\
id: osnabrueck-bicycle-counters
title_de: Fahrradzählstellen in Osnabrück
title_en: Bicycle counters in Osnabrück
domain: mobility
publisher: Stadt Osnabrück
homepage: https://geo.osnabrueck.example/
licence: dl-de/zero-2-0
licence_url: https://www.govdata.de/dl-de/zero-2-0
attribution: Stadt Osnabrück
covers: ["03404000"]
schedule: "45 5 * * *"
fresh_for_days: 3
resources:
  readings:
    connector: eco_counter_csv
    url: https://geo.osnabrueck.example/counts/{station}/{month}.csv
    options: {interval_minutes: 60}
    partitions:
      station: ["300011", "300012"]
      month: {first: "2024-02"}
    absent_is_fine: true
"""

FEBRUARY = """\
Datetime,300011 (Wall),300012 (Wall IN),300013 (Wall OUT),300011-status,300012-status,300013-status
2024-02-01 00:00,7,4,3,raw,raw,raw
2024-02-01 01:00,,,,,,
2024-02-01 02:00,12,5,7,raw,raw,modified
"""


def test_adding_a_source_of_a_known_format_is_yaml_only(publisher: Publisher, client: Client, tmp_path: Path) -> None:
    folder, staged, view = tmp_path / "sources", tmp_path / "staged", tmp_path / "view"
    folder.mkdir()
    (folder / "osnabrueck-bicycle-counters.yml").write_text(SECOND_CITY, encoding="utf-8")
    address = "https://geo.osnabrueck.example/counts/300011/2024-02.csv"
    publisher.says(address, document(FEBRUARY.encode()))

    catalogue = load_catalogue(folder)
    source = catalogue["osnabrueck-bicycle-counters"]
    check_source(source)
    landing = Landing(tmp_path / "landing", source.id)
    fetched = fetch_source(source, landing, client, AS_OF)
    parsed = parse_source(source, landing, staged)
    freeze(view, catalogue, region(), tmp_path / "landing", staged, "live")

    assert (fetched.new, fetched.absent, fetched.failed) == (1, 3, 0)
    assert (parsed.read, parsed.staged, parsed.rejected, parsed.out_of_scope) == (9, 9, 0, 0)
    with duckdb.connect() as database:
        rows = database.execute(
            """
            select site_id, channel_id, direction, interval_minutes, sum(count), count(*), count(count)
            from read_parquet($files) where source_id = 'osnabrueck-bicycle-counters'
            group by all order by channel_id
            """,
            {"files": f"{view}/count_reading/*.parquet"},
        ).fetchall()
        (title,) = database.sql(f"select title_en from '{view}/source_catalogue/rows.parquet'").fetchall()
    assert rows == [
        ("300011", "300011", "both", 60, 19, 3, 2),
        ("300011", "300012", "in", 60, 9, 3, 2),
        ("300011", "300013", "out", 60, 10, 3, 2),
    ]
    assert title == ("Bicycle counters in Osnabrück",)
