"""Fetching a source: what is asked, what is kept, what the log says."""

from __future__ import annotations

import hashlib
import json
import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from connectors.address import filled
from connectors.catalogue import Source
from connectors.fetching import FetchSummary, expand, fetch_source
from connectors.http import Client
from connectors.landing import FetchRecord, Landing
from tests.connectors.conftest import AS_OF, source_of, zipped
from tests.connectors.publisher import Answering, Publisher, Reply, document

BASE = "https://town.example"
SITES = {"connector": "eco_counter_sites", "url": f"{BASE}/sites.json"}
FILE = {"connector": "schools_nrw", "url": f"{BASE}/file.csv"}
READINGS = {
    "connector": "count_table",
    "options": {"layout": "eco_counter_monthly"},
    "url": f"{BASE}/{{station}}/{{month}}.csv",
    "partitions": {"station": {"from_resource": "sites", "json_key": "directory"}, "month": {"first": "2024-02"}},
    "absent_is_fine": True,
}
COUNTERS = source_of({"sites": SITES, "readings": READINGS})


def stations(*ids: object) -> bytes:
    return json.dumps([{"directory": id_, "name": "?"} for id_ in ids]).encode()


def fetch(source: Source, landing: Landing, client: Client, as_of: datetime = AS_OF) -> FetchSummary:
    return fetch_source(source, landing, client, as_of)


def outcomes(landing: Landing) -> list[tuple[str, str]]:
    return [(row.partition, row.outcome) for row in landing.log()]


def landed(landing: Landing) -> list[bytes]:
    """All files in the landing but the log."""
    return sorted(
        path.read_bytes() for path in landing.folder.rglob("*") if path.is_file() and path.parent != landing.folder
    )


# -- what is asked for -----------------------------------------------------------------------------------------------


def months(source: Source, landing: Landing, as_of: datetime) -> list[str]:
    return [partition.id for partition in expand(source, "readings", landing, as_of)]


def test_months_go_on_to_the_month_of_the_clock_in_local_time(landing: Landing) -> None:
    source = source_of(
        {
            "readings": {
                "connector": "count_table",
                "options": {"layout": "eco_counter_monthly"},
                "url": f"{BASE}/{{station}}/{{month}}.csv",
                "partitions": {"station": ["a", "b"], "month": {"first": "2023-12"}},
            }
        }
    )
    # 23:30 in Münster, still February; half an hour later it is March there, in UTC not yet.
    assert months(source, landing, datetime(2024, 2, 29, 22, 30, tzinfo=UTC)) == [
        "readings/station=a/month=2023-12",
        "readings/station=a/month=2024-01",
        "readings/station=a/month=2024-02",
        "readings/station=b/month=2023-12",
        "readings/station=b/month=2024-01",
        "readings/station=b/month=2024-02",
    ]
    assert months(source, landing, datetime(2024, 2, 29, 23, 0, tzinfo=UTC))[3] == "readings/station=a/month=2024-03"


def test_months_end_where_the_source_says_so(landing: Landing) -> None:
    resource = {**READINGS, "partitions": {"station": ["a"], "month": {"first": "2019-11", "last": "2020-02"}}}
    found = months(source_of({"readings": resource}), landing, AS_OF)
    assert [id_[-7:] for id_ in found] == ["2019-11", "2019-12", "2020-01", "2020-02"]


def test_values_come_from_an_earlier_resource_each_once(publisher: Publisher, client: Client, landing: Landing) -> None:
    publisher.says(f"{BASE}/sites.json", document(stations("100", 7, "100")))
    summary = fetch(COUNTERS, landing, client)
    assert publisher.paths()[0] == "/town.example/sites.json"
    assert sorted(publisher.paths()[1:]) == [
        "/town.example/100/2024-02.csv",
        "/town.example/100/2024-03.csv",
        "/town.example/7/2024-02.csv",
        "/town.example/7/2024-03.csv",
    ]
    assert (summary.new, summary.absent, summary.failed) == (1, 4, 0)


@pytest.mark.parametrize(
    "value", ["../x", "a/b", "a b", "", "x" * 65, "{month}", "ä", "a\n", None, True, 1.5, {"a": 1}, ["b"]]
)
def test_a_value_that_does_not_fit_an_address_is_refused(
    publisher: Publisher, client: Client, landing: Landing, value: object
) -> None:
    publisher.says(f"{BASE}/sites.json", document(stations("100", value)))
    summary = fetch(COUNTERS, landing, client)
    assert publisher.paths() == ["/town.example/sites.json"]
    assert (summary.new, summary.failed) == (1, 1)
    assert "readings: town: sites.json: directory" in summary.errors[0]
    assert outcomes(landing) == [("sites", "new"), ("readings", "failed")]


@pytest.mark.parametrize("content", [b'{"a": 1}', b"[1, 2]", b'[{"name": "?"}]', b"[null]"])
def test_a_list_of_another_shape_is_refused(
    publisher: Publisher, client: Client, landing: Landing, content: bytes
) -> None:
    publisher.says(f"{BASE}/sites.json", document(content))
    summary = fetch(COUNTERS, landing, client)
    assert summary.errors == ("readings: town: sites.json: expected a list of objects with 'directory'",)


def test_values_that_cannot_be_fetched_today_are_those_of_the_former_fetch(
    publisher: Publisher, client: Client, landing: Landing
) -> None:
    publisher.says(f"{BASE}/sites.json", document(stations("100")), Reply(403))
    fetch(COUNTERS, landing, client)
    summary = fetch(COUNTERS, landing, client)
    assert (summary.failed, summary.absent) == (1, 2)


def test_values_that_were_never_fetched_are_an_error_of_their_own(
    publisher: Publisher, client: Client, landing: Landing
) -> None:
    publisher.says(f"{BASE}/sites.json", Reply(403))
    summary = fetch(COUNTERS, landing, client)
    assert [error.split(":")[0] for error in summary.errors] == ["sites", "readings"]
    assert "sites was never fetched" in summary.errors[1]


def asked_before(landing: Landing, partition: str, at: datetime, outcome: Any = "absent") -> None:
    landing.append(FetchRecord("town", partition, BASE, at, at, 404, None, None, None, 0, outcome, None))


def by_time(first: str) -> Source:
    partitions = {"station": ["a"], "time": {"first": first}}
    return source_of({"readings": {**READINGS, "url": f"{BASE}/{{station}}/{{time}}.csv", "partitions": partitions}})


@pytest.mark.parametrize(
    ("time", "as_of", "asked_days_ago", "outcome", "asked_again"),
    [
        # February ends on 1 March; more than 62 days after it has settled, which begins with 3 May.
        ("2024-02", datetime(2024, 5, 3, 12, tzinfo=UTC), 29, "absent", False),
        ("2024-02", datetime(2024, 5, 3, 12, tzinfo=UTC), 29, "failed", True),
        ("2024-02", datetime(2024, 5, 3, 12, tzinfo=UTC), 30, "absent", True),
        ("2024-02", datetime(2024, 5, 2, 12, tzinfo=UTC), 1, "absent", True),
        # 22:30 on 2 May in London is 3 May in Münster.
        ("2024-02", datetime(2024, 5, 2, 22, 30, tzinfo=UTC), 1, "absent", False),
        ("2024-02-29", datetime(2024, 5, 3, 12, tzinfo=UTC), 89, "absent", False),
        ("2024-02-29", datetime(2024, 5, 3, 12, tzinfo=UTC), 90, "absent", True),
        ("2024-02-29", datetime(2024, 5, 2, 12, tzinfo=UTC), 1, "absent", True),
        # 2023 ends on 1 January 2024 and is expected to change for two years.
        ("2023", datetime(2026, 1, 1, 12, tzinfo=UTC), 29, "absent", False),
        ("2023", datetime(2025, 12, 31, 12, tzinfo=UTC), 1, "absent", True),
    ],
)
def test_what_is_long_over_is_asked_for_again_only_now_and_then(
    publisher: Publisher,
    client: Client,
    landing: Landing,
    time: str,
    as_of: datetime,
    asked_days_ago: int,
    outcome: str,
    asked_again: bool,
) -> None:
    asked_before(landing, f"readings/station=a/time={time}", as_of - timedelta(days=asked_days_ago), outcome)
    summary = fetch(by_time(time), landing, client, as_of)
    assert (f"/town.example/a/{time}.csv" in publisher.paths()) == asked_again
    assert summary.settled == (0 if asked_again else 1)


@pytest.mark.parametrize("first", ["2020-01-01", "2020-01", "2020"])
def test_each_run_asks_again_for_all_of_the_last_sixty_days(
    publisher: Publisher, client: Client, landing: Landing, first: str
) -> None:
    source = by_time(first)
    for partition in expand(source, "readings", landing, AS_OF):
        asked_before(landing, partition.id, AS_OF)
    fetch(source, landing, client)
    again = {path.rsplit("/", 1)[1].removesuffix(".csv") for path in publisher.paths()}
    last_days = {(AS_OF.date() - timedelta(days=days)).isoformat() for days in range(61)}
    assert {day[: len(first)] for day in last_days} <= again
    # The years of history before are left alone: 62 days, or the months and years that hold them.
    assert len(again) <= 64


@pytest.mark.parametrize(
    ("pattern", "time", "address"),
    [
        ("{time}", "2024-02-29", "2024-02-29"),
        ("{time.first:%Y_%m_%d}_24mq.csv", "2024-02-29", "2024_02_29_24mq.csv"),
        ("?from={time.first:%d/%m/%Y}&to={time.last:%d/%m/%Y}", "2024-02", "?from=01/02/2024&to=29/02/2024"),
        ("{time}?to={time.last:%Y-%m-%d}", "2023", "2023?to=2023-12-31"),
    ],
)
def test_an_address_names_a_time_as_the_publisher_writes_it(pattern: str, time: str, address: str) -> None:
    partitions = {"time": {"first": time}}
    (resource,) = source_of(
        {"readings": {**READINGS, "url": f"{BASE}/{pattern}", "partitions": partitions}}
    ).resources.values()
    assert filled(resource.address, {"time": time}, {}) == f"{BASE}/{address}"


def test_days_and_years_go_on_to_those_of_the_clock(landing: Landing) -> None:
    # 23:30 on 31 December in London is the new year in Münster.
    eve = datetime(2024, 12, 31, 23, 30, tzinfo=UTC)
    assert [p.id[-10:] for p in expand(by_time("2024-12-30"), "readings", landing, eve)] == [
        "2024-12-30",
        "2024-12-31",
        "2025-01-01",
    ]
    assert [p.id[-9:] for p in expand(by_time("2023"), "readings", landing, eve)] == [
        "time=2023",
        "time=2024",
        "time=2025",
    ]


def touching(days: int, as_of: datetime) -> set[str]:
    """The months that the last so many days before `as_of` lie in."""
    return {f"{as_of - timedelta(days=ago):%Y-%m}" for ago in range(days + 1)}


@pytest.mark.parametrize("day", ["2024-02-29", "2024-03-01", "2024-03-31", "2024-05-04", "2024-12-31", "2025-01-01"])
def test_months_of_the_last_60_days_are_asked_again_conditionally_and_older_ones_are_not(
    publisher: Publisher, client: Client, landing: Landing, day: str
) -> None:
    as_of = datetime.fromisoformat(f"{day}T12:00:00+00:00")
    source = source_of(
        {"readings": {**READINGS, "partitions": {"station": ["a"], "month": {"first": "2023-06"}}}},
    )
    for partition in months(source, landing, as_of):
        month = partition[-7:]
        publisher.says(f"{BASE}/a/{month}.csv", document(month.encode() + CSV, f'"{month}"'))
    first = fetch(source, landing, client, as_of)
    assert (first.new, first.failed) == (len(publisher.asked), 0)
    publisher.forget()
    second = fetch(source, landing, client, as_of)
    asked = {request.path[-11:-4]: request.headers.get("if-none-match") for request in publisher.asked}
    assert asked == {month: f'"{month}"' for month in asked}
    # Months have up to 31 days, so that of a short one a few days more count as recent.
    assert touching(60, as_of) <= asked.keys() <= touching(66, as_of)
    assert (second.unchanged, second.settled, second.bytes) == (len(asked), first.new - len(asked), 0)
    assert publisher.body_bytes == 0


def test_the_newest_link_of_the_page_is_followed(publisher: Publisher, client: Client, landing: Landing) -> None:
    export = {
        "connector": "mastr_export",
        "url": f"{BASE}/page",
        "follow_link": r"https://files\.example/export_\d{8}\.zip",
    }
    page = b"""<!DOCTYPE html><a href="https://files.example/export_20240301.zip">old</a>
        <a class='x' href='https://files.example/export_20240314.zip'>new</a>
        <a href="https://files.example/Stichtag/export_20240401.zip">key date</a>
        <a href="https://evil.example/https://files.example/export_20250101.zip">?</a>"""
    publisher.says(f"{BASE}/page", document(page))
    publisher.says("https://files.example/export_20240314.zip", document(zipped({"a.xml": b"<a/>"})))
    source = source_of({"export": export})
    summary = fetch(source, landing, client)
    assert (summary.new, summary.failed) == (1, 0)
    # Its directory first; the host gives no parts of a file, so it comes whole.
    export_paths = ["/files.example/export_20240314.zip"] * 2
    assert publisher.paths() == ["/town.example/page", *export_paths]
    (record,) = landing.log()
    assert (record.url, record.file_name) == ("https://files.example/export_20240314.zip", "export_20240314.zip")
    assert fetch(source, landing, client).unchanged == 1


def test_a_page_without_the_link_fails_naming_the_page(publisher: Publisher, client: Client, landing: Landing) -> None:
    export = {"connector": "mastr_export", "url": f"{BASE}/page", "follow_link": r"https://files\.example/\d+\.zip"}
    publisher.says(f"{BASE}/page", document(b'<html><a href="https://files.example/new.zip">new</a></html>'))
    summary = fetch(source_of({"export": export}), landing, client)
    assert summary.errors == (
        rf"export: {BASE}/page: none of 1 links fits https://files\.example/\d+\.zip; see whether the page has changed",
    )


# -- what is kept ----------------------------------------------------------------------------------------------------

CSV = b"Schulnummer;Name\r\n1;Schule an der Aa\r\n"


def test_bytes_lie_in_the_landing_as_they_came_under_their_hash(
    publisher: Publisher, client: Client, landing: Landing
) -> None:
    publisher.says(f"{BASE}/file.csv", document(CSV, '"7"', "Fri, 01 Mar 2024 05:00:00 GMT"))
    fetch(source_of({"schools": FILE}), landing, client)
    sha256 = hashlib.sha256(CSV).hexdigest()
    assert landing.file(sha256, "file.csv").read_bytes() == CSV
    assert landing.file(sha256, "file.csv") == landing.folder / sha256 / "file.csv"
    (record,) = landing.log()
    assert (record.source_id, record.partition, record.url) == ("town", "schools", f"{BASE}/file.csv")
    assert (record.http_status, record.etag, record.last_modified) == (200, '"7"', "Fri, 01 Mar 2024 05:00:00 GMT")
    assert (record.snapshot_sha256, record.bytes, record.outcome) == (sha256, len(CSV), "new")
    assert record.started_at <= record.finished_at
    assert record.error is None


def test_a_second_fetch_downloads_nothing(publisher: Publisher, client: Client, landing: Landing) -> None:
    publisher.says(f"{BASE}/sites.json", document(stations("100")))
    publisher.says(f"{BASE}/100/2024-02.csv", document(CSV))
    publisher.says(f"{BASE}/100/2024-03.csv", document(CSV, None, "Fri, 01 Mar 2024 05:00:00 GMT"))
    assert fetch(COUNTERS, landing, client).new == 3
    files = landed(landing)
    publisher.forget()
    summary = fetch(COUNTERS, landing, client)
    assert (summary.new, summary.unchanged, summary.bytes) == (0, 3, 0)
    assert len(publisher.asked) == 3
    assert publisher.body_bytes == 0
    assert landed(landing) == files


def test_the_same_bytes_under_another_etag_are_unchanged(
    publisher: Publisher, client: Client, landing: Landing
) -> None:
    publisher.says(f"{BASE}/file.csv", document(CSV, '"1"'), document(CSV, '"2"'))
    source = source_of({"schools": FILE})
    fetch(source, landing, client)
    assert fetch(source, landing, client).unchanged == 1
    assert landed(landing) == [CSV]
    assert [(row.outcome, row.etag) for row in landing.log()] == [("new", '"1"'), ("unchanged", '"2"')]


def test_a_zip_packed_anew_is_unchanged(publisher: Publisher, client: Client, landing: Landing) -> None:
    members = {"stops.txt": b"stop_id\n1\n", "trips.txt": b"trip_id\n"}
    repacked = zipped(dict(reversed(members.items())), (2024, 2, 2, 2, 2, 2))
    publisher.says(f"{BASE}/feed.zip", document(zipped(members), '"1"'), document(repacked, '"2"'))
    source = source_of({"feed": {"connector": "gtfs", "url": f"{BASE}/feed.zip"}})
    fetch(source, landing, client)
    assert fetch(source, landing, client).unchanged == 1
    assert landed(landing) == [zipped(members)]


def test_bytes_lost_from_the_landing_are_downloaded_again(
    publisher: Publisher, client: Client, landing: Landing
) -> None:
    publisher.says(f"{BASE}/file.csv", document(CSV))
    source = source_of({"schools": FILE})
    fetch(source, landing, client)
    landing.file(hashlib.sha256(CSV).hexdigest(), "file.csv").unlink()
    fetch(source, landing, client)
    assert landed(landing) == [CSV]


def test_a_name_from_outside_stays_in_its_folder(publisher: Publisher, client: Client, landing: Landing) -> None:
    publisher.says(f"{BASE}/a%2F..%2Fb%20c.csv", document(CSV))
    fetch(source_of({"schools": {**FILE, "url": f"{BASE}/a%2F..%2Fb%20c.csv"}}), landing, client)
    (record,) = landing.log()
    assert record.file_name == "a_.._b_c.csv"


def test_drafts_of_a_killed_fetch_are_removed(publisher: Publisher, client: Client, landing: Landing) -> None:
    draft = landing.folder / ".fetching-x" / "body"
    draft.parent.mkdir(parents=True)
    draft.write_bytes(b"half")
    publisher.says(f"{BASE}/file.csv", document(CSV))
    fetch(source_of({"schools": FILE}), landing, client)
    assert sorted(path.name for path in landing.folder.iterdir()) == [
        hashlib.sha256(CSV).hexdigest(),
        "fetch_log.jsonl",
    ]


# -- what fails ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("absent_is_fine", "outcome"), [(True, "absent"), (False, "failed")])
@pytest.mark.parametrize("status", [404, 410])
def test_what_is_not_there_is_absent_only_where_declared(
    publisher: Publisher, client: Client, landing: Landing, absent_is_fine: bool, outcome: str, status: int
) -> None:
    publisher.says(f"{BASE}/file.csv", Reply(status))
    summary = fetch(source_of({"schools": {**FILE, "absent_is_fine": absent_is_fine}}), landing, client)
    assert outcomes(landing) == [("schools", outcome)]
    assert bool(summary.errors) == (outcome == "failed")
    assert not summary.errors or f"{BASE}/file.csv: HTTP {status}" in summary.errors[0]


HTML = b"<!DOCTYPE html><html><body>Wartungsarbeiten</body></html>"


def test_an_error_page_with_status_200_is_refused_and_kept_as_evidence(
    publisher: Publisher, client: Client, landing: Landing
) -> None:
    publisher.says(f"{BASE}/file.csv", document(CSV, '"1"'), document(HTML, '"2"'))
    source = source_of({"schools": FILE})
    fetch(source, landing, client)
    good = landing.latest_good()
    summary = fetch(source, landing, client)
    evidence = landing.folder / hashlib.sha256(HTML).hexdigest() / "file.csv"
    assert evidence.read_bytes() == HTML
    assert summary.failed == 1
    assert "expected csv, html came" in summary.errors[0]
    assert "file.csv: expected" in summary.errors[0]
    assert f"from {BASE}/file.csv, kept as {evidence}" in summary.errors[0]
    assert landing.latest_good() == good
    publisher.says(f"{BASE}/file.csv", document(HTML, '"2"'))
    assert fetch(source, landing, client).failed == 1, "an error page must not become `unchanged`"


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (Reply(body=zipped({"a.txt": b"x" * 999})[:-30]), "expected a zip archive"),
        (Reply(body=zipped({"../a.txt": b"x"})), "leaves the archive's folder"),
        (Reply(body=HTML), "expected zip, html came"),
        (Reply(body=b""), "the answer is empty"),
        (Reply(body=b"PK\x03\x04" + b"x" * 2**20, announce=2**20 + 4), "at most 1048576 allowed"),
        (Reply(status=401), "HTTP 401"),
    ],
)
def test_what_is_not_declared_fails_and_the_other_partitions_go_on(
    publisher: Publisher, client: Client, landing: Landing, answer: Answering, words: str
) -> None:
    feed = {
        "connector": "gtfs",
        "url": f"{BASE}/{{line}}.zip",
        "partitions": {"line": ["bad", "good"]},
        "size_limit_mb": 1,
    }
    publisher.says(f"{BASE}/bad.zip", answer)
    publisher.says(f"{BASE}/good.zip", document(zipped({"stops.txt": b"stop_id\n"})))
    summary = fetch(source_of({"feed": feed}), landing, client)
    assert outcomes(landing) == [("feed/line=bad", "failed"), ("feed/line=good", "new")]
    assert words in summary.errors[0]
    assert summary.errors[0].startswith("feed/line=bad: ")


def test_a_damaged_member_is_refused_although_the_directory_is_whole(
    publisher: Publisher, client: Client, landing: Landing
) -> None:
    content = bytearray(zipped({"stops.txt": bytes(range(256)) * 40}))
    content[60:80] = b"\xff" * 20
    publisher.says(f"{BASE}/feed.zip", Reply(body=bytes(content)))
    summary = fetch(source_of({"feed": {"connector": "gtfs", "url": f"{BASE}/feed.zip"}}), landing, client)
    assert "damaged archive" in summary.errors[0]
    assert landed(landing) == [bytes(content)]


def test_json_nested_without_end_is_refused(publisher: Publisher, client: Client, landing: Landing) -> None:
    publisher.says(f"{BASE}/sites.json", Reply(body=b"[" * 200_000))
    summary = fetch(source_of({"sites": SITES}), landing, client)
    assert "sites: sites.json: expected JSON" in summary.errors[0]


def test_every_attempt_is_a_row_and_no_row_is_ever_changed(
    publisher: Publisher, client: Client, landing: Landing
) -> None:
    publisher.says(f"{BASE}/file.csv", document(CSV), Reply(304), Reply(403), Reply(body=HTML), document(CSV, '"2"'))
    source = source_of({"schools": {**FILE}})
    log, before = landing.folder / "fetch_log.jsonl", b""
    for _ in range(5):
        fetch(source, landing, client)
        assert log.read_bytes().startswith(before)
        before = log.read_bytes()
    assert [row.outcome for row in landing.log()] == ["new", "unchanged", "failed", "failed", "unchanged"]
    assert [row.http_status for row in landing.log()] == [200, 304, None, 200, 200]
    assert [bool(row.error) for row in landing.log()] == [False, False, True, True, False]


# -- GENESIS ---------------------------------------------------------------------------------------------------------

REST = f"{BASE}/rest/2020"
TABLE = {"connector": "genesis_ffcsv", "url": REST, "options": {"table_code": "1000A-0000"}}
FLAT = b"statistics_code;value\r\n1000A;7\r\n"


def metadata(updated: str) -> Reply:
    status = {"Code": 0, "Content": "erfolgreich", "Type": "Information"}
    return Reply(body=json.dumps({"Status": status, "Object": {"Code": "1000A-0000", "Updated": updated}}).encode())


def table(stamp: str, content: bytes = FLAT) -> Reply:
    return Reply(body=zipped({f"1000A-0000_{stamp}_flat.csv": content}))


def failure(code: int, content: str) -> Reply:
    return Reply(body=json.dumps({"Status": {"Code": code, "Content": content, "Type": "Fehler"}}).encode())


def asked_forms(publisher: Publisher) -> list[tuple[str, dict[str, str]]]:
    return [(asked.path.rsplit("/", 2)[1], asked.form) for asked in publisher.asked]


def test_a_genesis_table_that_has_not_changed_is_not_downloaded(
    publisher: Publisher, client: Client, landing: Landing
) -> None:
    publisher.says(f"{REST}/metadata/table", metadata("05.03.2024 10:00:00h"))
    publisher.says(f"{REST}/data/tablefile", table("1700000000000"))
    source = source_of({"population": TABLE})
    assert fetch(source, landing, client).new == 1
    assert asked_forms(publisher) == [
        ("metadata", {"name": "1000A-0000", "area": "all", "language": "de"}),
        (
            "data",
            {"name": "1000A-0000", "area": "all", "format": "ffcsv", "compress": "false", "language": "de"},
        ),
    ]
    publisher.forget()
    assert fetch(source, landing, client).unchanged == 1
    assert publisher.paths() == ["/town.example/rest/2020/metadata/table"]
    (first, second) = landing.log()
    assert first.snapshot_sha256 == second.snapshot_sha256
    assert first.file_name == "1000A-0000_flat.zip"


def test_the_stamp_in_a_genesis_members_name_makes_no_new_snapshot(
    publisher: Publisher, client: Client, landing: Landing
) -> None:
    publisher.says(f"{REST}/metadata/table", metadata("05.03.2024 10:00:00h"), metadata("06.03.2024 10:00:00h"))
    publisher.says(
        f"{REST}/data/tablefile", table("1700000000000"), table("1700000000001"), table("1700000000002", FLAT + b"x")
    )
    source = source_of({"population": TABLE})
    fetch(source, landing, client)
    assert fetch(source, landing, client).unchanged == 1
    publisher.says(f"{REST}/metadata/table", metadata("07.03.2024 10:00:00h"))
    assert fetch(source, landing, client).new == 1
    assert len(landed(landing)) == 2


def test_another_genesis_form_is_another_question(publisher: Publisher, client: Client, landing: Landing) -> None:
    publisher.says(f"{REST}/metadata/table", metadata("05.03.2024 10:00:00h"))
    publisher.says(f"{REST}/data/tablefile", table("1700000000000"), table("1700000000000", FLAT + b"x"))
    fetch(source_of({"population": TABLE}), landing, client)
    narrowed = source_of({"population": {**TABLE, "form": {"startyear": "2020"}}})
    assert fetch(narrowed, landing, client).new == 1
    assert publisher.asked[-1].form["startyear"] == "2020"
    assert landing.log()[-1].url.startswith(f"{REST}/data/tablefile?name=1000A-0000&area=all&")
    assert landing.log()[-1].url.endswith("&startyear=2020")


@pytest.mark.parametrize(
    ("at", "code", "words", "advice"),
    [
        ("metadata", 104, "Es gibt keine Objekte zum angegebenen Selektionskriterium", "check the table code"),
        ("table", 98, "Die Tabelle ist zu gross, um im Dialog abgerufen zu werden", "narrow it by years or regions"),
        ("table", 15, "Sie sind nicht berechtigt", "credentials"),
        ("table", 4711, "Unbekannt", "see the host"),
    ],
)
def test_a_genesis_error_with_status_200_fails_with_the_hosts_words_and_advice(
    publisher: Publisher, client: Client, landing: Landing, at: str, code: int, words: str, advice: str
) -> None:
    publisher.says(f"{REST}/metadata/table", failure(code, words) if at == "metadata" else metadata("05.03.2024"))
    publisher.says(f"{REST}/data/tablefile", failure(code, words))
    summary = fetch(source_of({"population": TABLE}), landing, client)
    assert summary.failed == 1
    for part in ("population: 1000A-0000: ", f"GENESIS code {code}: {words}", advice, "kept as"):
        assert part in summary.errors[0]
    assert len(landed(landing)) == 1


TOO_LARGE = failure(98, "Die Tabelle ist zu gross, um im Dialog abgerufen zu werden")
CREATED = failure(99, "Die Tabelle kann in Kürze als Ergebnis mit folgendem Namen abgerufen werden: 1000A-0000_1758")
NOT_YET = failure(104, "Es gibt keine Objekte zum angegebenen Selektionskriterium")


def listed(*names: str) -> Reply:
    status = {"Code": 0, "Content": "erfolgreich", "Type": "Information"}
    return Reply(body=json.dumps({"Status": status, "List": [{"Code": name} for name in names]}).encode())


def test_a_genesis_table_too_large_to_answer_is_made_by_a_job_waited_for_and_fetched(
    publisher: Publisher, client: Client, landing: Landing, waits: list[float]
) -> None:
    publisher.says(f"{REST}/metadata/table", metadata("05.03.2024"))
    publisher.says(f"{REST}/data/tablefile", TOO_LARGE, CREATED)
    publisher.says(f"{REST}/catalogue/results", NOT_YET, listed("1000A-0000_17"), listed("1000A-0000_1758"))
    publisher.says(f"{REST}/data/resultfile", table("1700000000000"))
    source = source_of({"population": {**TABLE, "form": {"startyear": "2020"}}})
    assert fetch(source, landing, client).new == 1
    assert [path.removeprefix("/town.example/rest/2020/") for path in publisher.paths()] == [
        *("metadata/table", "data/tablefile", "data/tablefile"),
        *("catalogue/results", "catalogue/results", "catalogue/results", "data/resultfile"),
    ]
    first, second = (asked.form for asked in publisher.asked[1:3])
    assert second == {**first, "job": "true"}
    assert publisher.asked[3].form["selection"] == "1000A-0000_1758"
    assert publisher.asked[-1].form == {
        "name": "1000A-0000_1758",
        "area": "all",
        "format": "ffcsv",
        "compress": "false",
        "language": "de",
    }
    assert waits == [2.0, 5.0]
    assert fetch(source, landing, client).unchanged == 1


@pytest.mark.parametrize(
    ("created", "results", "words"),
    [
        (TOO_LARGE, NOT_YET, "GENESIS code 98: .* too large even for a job"),
        (failure(15, "Sie sind nicht berechtigt"), NOT_YET, "GENESIS code 15: Sie sind nicht berechtigt"),
        (failure(99, "Erstellt"), NOT_YET, "expected code 99 with one result's name, 99: Erstellt came"),
        (failure(99, "Ergebnis: 2000S-1_12"), NOT_YET, "expected code 99 with one result's name"),
        (CREATED, failure(15, "Sie sind nicht berechtigt"), "GENESIS code 15"),
        (CREATED, failure(0, "erfolgreich"), "expected a List of results, .* came"),
        (CREATED, Reply(body=b'{"Status": {"Code": 0, "Content": ""}, "List": 5}'), "expected a List of results"),
        (CREATED, NOT_YET, "result 1000A-0000_1758 is not ready after 37 s; raise time_limit_s"),
    ],
)
def test_a_genesis_job_that_does_not_end_well_fails_with_what_came(
    publisher: Publisher, client: Client, landing: Landing, created: Reply, results: Reply, words: str
) -> None:
    publisher.says(f"{REST}/metadata/table", metadata("05.03.2024"))
    publisher.says(f"{REST}/data/tablefile", TOO_LARGE, created)
    publisher.says(f"{REST}/catalogue/results", results)
    summary = fetch(source_of({"population": {**TABLE, "time_limit_s": 60}}), landing, client)
    assert summary.failed == 1
    assert re.search(words, summary.errors[0])


@pytest.mark.parametrize(
    "answer",
    [
        Reply(body=b"<html>Wartung</html>"),
        Reply(body=b"[]"),
        Reply(body=b'{"Status": {"Code": null, "Content": ""}}'),
        Reply(body=b'{"Status": {"Code": 1e999, "Content": ""}}'),
        Reply(body=b'{"Status": {"Code": 0, "Content": ""}, "Object": "x"}'),
        Reply(body=b'{"Status": {"Code": 0, "Content": ""}, "Object": {}}'),
        Reply(body=b"[" * 200_000),
    ],
)
def test_a_genesis_answer_of_another_shape_fails_and_is_kept(
    publisher: Publisher, client: Client, landing: Landing, answer: Reply
) -> None:
    publisher.says(f"{REST}/metadata/table", answer)
    summary = fetch(source_of({"population": TABLE}), landing, client)
    assert summary.errors[0].startswith("population: 1000A-0000: ")
    assert landed(landing) == [answer.body]


def test_genesis_credentials_go_into_headers(
    publisher: Publisher, client: Client, landing: Landing, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TOWN_USERNAME", "me")
    monkeypatch.setenv("TOWN_PASSWORD", "secret")
    publisher.says(f"{REST}/metadata/table", metadata("05.03.2024"))
    publisher.says(f"{REST}/data/tablefile", table("1700000000000"))
    fetch(source_of({"population": {**TABLE, "credentials": "TOWN"}}), landing, client)
    assert [(asked.headers["username"], asked.headers["password"]) for asked in publisher.asked] == [
        ("me", "secret"),
        ("me", "secret"),
    ]
    assert b"secret" not in (landing.folder / "fetch_log.jsonl").read_bytes()


# -- what a list names, with what the address needs beside ------------------------------------------------------------

LIST = f"{BASE}/counters.json"
SERIES = {
    "connector": "eco_visio",
    "url": f"{BASE}/data/{{site}}?flowIds={{site.flows}}&debut={{month.first:%d/%m/%Y}}&fin={{month.next:%d/%m/%Y}}",
    "partitions": {"site": {"from_resource": "sites"}, "month": {"first": "2024-02", "last": "2024-02"}},
    "absent_is_fine": True,
}


def listing(**changed: object) -> bytes:
    """A list of one counter in Münster with two flows of bicycles, as Eco-Visio has it."""
    flows = [{"pratique": 2, "id": 101}, {"pratique": 2, "id": 102}]
    counter = {"idPdc": 100, "nom": "Neutor", "lat": 51.97, "lon": 7.62, "pratique": flows, "mainPratique": 2}
    return json.dumps([{**counter, **changed}]).encode()


def visible(**options: object) -> Source:
    sites = {"connector": "eco_visio_sites", "url": LIST, "options": options}
    return source_of({"sites": sites, "readings": SERIES})


def test_an_address_takes_what_the_list_says_and_the_months_days(
    publisher: Publisher, client: Client, landing: Landing
) -> None:
    publisher.says(LIST, document(listing()))
    (partition,) = fetched_of(visible(), landing, client)
    assert publisher.paths()[-1] == "/town.example/data/100?flowIds=101%3B102&debut=01/02/2024&fin=01/03/2024"
    # What stands beside the value makes no other partition of it.
    assert partition == "readings/site=100/month=2024-02"


def fetched_of(source: Source, landing: Landing, client: Client) -> list[str]:
    fetch(source, landing, client)
    return [row.partition for row in landing.log() if row.partition.startswith("readings")]


def test_what_the_list_leaves_out_is_not_asked_for(publisher: Publisher, client: Client, landing: Landing) -> None:
    publisher.says(LIST, document(listing(lat=69.9)))
    assert fetched_of(visible(), landing, client) == []


def test_a_list_is_read_by_the_options_of_its_resource(publisher: Publisher, client: Client, landing: Landing) -> None:
    publisher.says(LIST, document(listing(lat=69.9)))
    assert fetched_of(visible(region_only=False), landing, client) == ["readings/site=100/month=2024-02"]


def test_a_list_that_is_none_is_a_failure_of_its_own(publisher: Publisher, client: Client, landing: Landing) -> None:
    publisher.says(LIST, document(b'{"error": 500}'))
    summary = fetch(visible(), landing, client)
    assert (summary.new, summary.failed) == (1, 1)
    assert summary.errors == ("readings: counters.json: expected a list, found dict; ask the publisher again",)


def test_an_endless_field_is_refused(publisher: Publisher, client: Client, landing: Landing) -> None:
    flows = [{"pratique": 2, "id": number} for number in range(10**9, 10**9 + 60)]
    publisher.says(LIST, document(listing(pratique=flows)))
    assert "flows of 100 is too long for an address" in fetch(visible(), landing, client).errors[0]
