"""Feature services: all pages or none, in either form, and the same features are the same snapshot."""

from __future__ import annotations

import json
import zipfile
from typing import Any

import pyarrow.parquet as pq
import pytest

from connectors.catalogue import Source
from connectors.fetching import FetchSummary, fetch_source
from connectors.http import Client
from connectors.landing import Landing
from connectors.parsing import parse_source
from connectors.wfs import FeatureQuestion, parameters
from tests.connectors.conftest import AS_OF, source_of
from tests.connectors.publisher import Publisher, Reply

BASE = "https://town.example/ows?map=town"
MARKET = (7.6283, 51.9628)
COLUMNS = {"facility_id": "id", "kind": {"fixed": "playground"}, "name": "Name", "ags": {"fixed": "05515000"}}


def source(page: int, file: str = "geojson", version: str = "2.0.0", crs: str = "EPSG:4326") -> Source:
    wfs = {"type_name": "ms:places", "version": version, "output": file.upper(), "crs": crs, "page": page}
    options = {"into": "facility", "file": file, "columns": COLUMNS, "covers": ["05515000"]}
    options["place"] = {"geometry": True, "crs": crs}
    return source_of({"places": {"connector": "table", "url": BASE, "wfs": wfs, "options": options}})


def url(page: int, start: int, output: str = "GEOJSON", version: str = "2.0.0", crs: str = "EPSG:4326") -> str:
    asked = parameters("ms:places", version, output, crs)
    return FeatureQuestion(BASE, asked, page, True, 1, 1).page_url(start)


def features(first: int, last: int, **told: Any) -> Reply:
    found = [
        {
            "type": "Feature",
            "id": f"places.{number}",
            "properties": {"Name": f"Platz {number}"},
            "geometry": {"type": "Point", "coordinates": [MARKET[0], MARKET[1] + number / 10_000]},
        }
        for number in range(first, last + 1)
    ]
    return Reply(body=json.dumps({"type": "FeatureCollection", "features": found, **told}).encode())


def run(asked: Source, landing: Landing, client: Client) -> FetchSummary:
    return fetch_source(asked, landing, client, AS_OF)


def names(asked: Source, landing: Landing) -> list[str]:
    staged = landing.folder.parent.parent / "staged"
    summary = parse_source(asked, landing, staged)
    assert not summary.errors
    rows = [
        row
        for place in staged.glob("facility/**/*.parquet")
        for row in pq.ParquetFile(place).read(["facility_id"]).to_pylist()
    ]
    return sorted(row["facility_id"] for row in rows)


def test_asks_page_by_page_until_all_that_match_are_there(
    publisher: Publisher, landing: Landing, client: Client
) -> None:
    # The service gives no more than two at once, whatever it is asked for.
    for start, last in ((0, 2), (2, 4), (4, 5)):
        publisher.says(
            url(3, start), features(start + 1, last, numberMatched=5, timeStamp=f"2026-11-01T05:00:0{start}Z")
        )
    assert (run(source(3), landing, client).new, len(publisher.asked)) == (1, 3)
    assert names(source(3), landing) == [f"places.{number}" for number in range(1, 6)]
    (row,) = landing.log()
    with zipfile.ZipFile(landing.file(str(row.snapshot_sha256), str(row.file_name))) as archive:
        assert archive.namelist() == ["page-00001.json", "page-00002.json", "page-00003.json"]


def test_a_service_that_does_not_say_how_many_match_is_read_until_nothing_more_comes(
    publisher: Publisher, landing: Landing, client: Client
) -> None:
    # It gives two at once, though it is asked for three.
    for start, last in ((0, 2), (2, 4), (4, 5), (5, 5)):
        publisher.says(url(3, start), features(start + 1, last))
    assert run(source(3), landing, client).new == 1
    assert names(source(3), landing) == [f"places.{number}" for number in range(1, 6)]


def test_a_service_that_gives_all_whatever_is_asked_is_read_once(
    publisher: Publisher, landing: Landing, client: Client
) -> None:
    for start in (0, 2):
        publisher.says(url(9, start), features(1, 2))
    assert run(source(9), landing, client).new == 1
    assert names(source(9), landing) == ["places.1", "places.2"]


def test_features_are_counted_not_the_ids_of_their_geometries(
    publisher: Publisher, landing: Landing, client: Client
) -> None:
    def page(*numbers: int) -> Reply:
        spaces = (
            'xmlns:w="http://www.opengis.net/wfs" xmlns:gml="http://www.opengis.net/gml" xmlns:m="https://m.example"'
        )
        found = "".join(
            f'<m:place gml:id="places.{number}"><m:id>{number}</m:id><m:Name>Platz</m:Name><m:geom>'
            f'<gml:Point gml:id="g.{number}" srsName="urn:ogc:def:crs:EPSG::4326">'
            f"<gml:pos>{MARKET[1]} {MARKET[0]}</gml:pos></gml:Point></m:geom></m:place>"
            for number in numbers
        )
        members = f"<gml:featureMembers>{found}</gml:featureMembers>"
        return Reply(body=f"<w:FeatureCollection {spaces}>{members}</w:FeatureCollection>".encode())

    asked = source(2, "gml", "1.1.0")
    for start, numbers in ((0, (1, 2)), (2, (3,)), (3, ())):
        publisher.says(url(2, start, "GML", "1.1.0"), page(*numbers))
    assert run(asked, landing, client).new == 1
    # A property goes before the id that the service makes.
    assert names(asked, landing) == ["1", "2", "3"]


def test_answers_made_at_another_time_are_the_same_snapshot(
    publisher: Publisher, landing: Landing, client: Client
) -> None:
    for stamp, outcome in (("05:00:00", "new"), ("06:30:12", "unchanged")):
        publisher.says(url(9, 0), features(1, 2, timeStamp=f"2026-11-01T{stamp}Z"))
        publisher.says(url(9, 2), features(3, 2))
        run(source(9), landing, client)
        assert landing.log()[-1].outcome == outcome
    publisher.says(url(9, 0), features(1, 3, timeStamp="2026-11-01T06:30:12Z"))
    publisher.says(url(9, 3), features(4, 3))
    assert run(source(9), landing, client).new == 1


def test_a_service_that_does_not_page_is_told_and_not_doubled(
    publisher: Publisher, landing: Landing, client: Client
) -> None:
    for start in (0, 2):
        publisher.says(url(2, start), features(1, 2))
    summary = run(source(2), landing, client)
    assert (summary.new, summary.failed) == (0, 1)
    assert "the same page came again: the service does not page; set wfs.page" in summary.errors[0]


def test_fewer_features_than_match_are_no_snapshot(publisher: Publisher, landing: Landing, client: Client) -> None:
    publisher.says(url(2, 0), features(1, 2, numberMatched=5))
    publisher.says(url(2, 2), features(9, 8, numberMatched=5))
    summary = run(source(2), landing, client)
    assert summary.failed == 1
    assert "5 features match, 2 came" in summary.errors[0]


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b'<ows:ExceptionReport xmlns:ows="x"><ows:Exception/></ows:ExceptionReport>', "expected json, xml came"),
        (b'{"error": "no such type"}', "expected a FeatureCollection"),
    ],
)
def test_an_error_report_is_refused(
    publisher: Publisher, landing: Landing, client: Client, body: bytes, said: str
) -> None:
    publisher.says(url(2, 0), Reply(body=body))
    assert said in run(source(2), landing, client).errors[0]


def test_gml_comes_in_pages_with_latitude_first(publisher: Publisher, landing: Landing, client: Client) -> None:
    def page(number: int) -> Reply:
        point = f"<g:Point srsName='urn:ogc:def:crs:EPSG::4326'><g:pos>{MARKET[1]} {MARKET[0]}</g:pos></g:Point>"
        member = f'<m:place g:id="places.{number}"><m:geom>{point}</m:geom><m:Name>Platz</m:Name></m:place>'
        spaces = 'xmlns:w="http://www.opengis.net/wfs" xmlns:g="http://www.opengis.net/gml" xmlns:m="https://m.example"'
        body = f"<g:featureMember>{member}</g:featureMember>" if number < 3 else ""
        return Reply(body=f"<w:FeatureCollection {spaces}>{body}</w:FeatureCollection>".encode())

    asked = source(1, "gml", "1.1.0")
    for start in range(3):
        publisher.says(url(1, start, "GML", "1.1.0"), page(start + 1))
    assert "MAXFEATURES=1&STARTINDEX=2" in url(1, 2, "GML", "1.1.0")
    assert run(asked, landing, client).new == 1
    assert names(asked, landing) == ["places.1", "places.2"]
