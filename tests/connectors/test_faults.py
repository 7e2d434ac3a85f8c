"""What publishers do wrong, for every connector in the registry (design, section 6).

Each connector's source has its undamaged file in force; then its publisher misbehaves. What must come of it stands in
the table FAULTS: the outcome, the words of the message, whether the bytes are kept as evidence. The former snapshot is
in force all the time.

What nobody can see from outside: a 304 for content that has changed, and a body that was shortened together with its
Content-Length. The first is the publisher's word; the second is told by checksums and structure in archives, workbooks
and JSON, and in a plain CSV only where the last line is torn.
"""

from __future__ import annotations

import functools
import hashlib
import json
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any
from urllib.parse import quote

import pyarrow.parquet as pq
import pytest

from connectors.catalogue import Source
from connectors.deadline import Deadline
from connectors.errors import FetchFailed
from connectors.fetching import FetchSummary, fetch_source
from connectors.formats import CONNECTORS
from connectors.http import Ask, Client
from connectors.landing import Landing
from connectors.parsing import parse_source
from tests.connectors import mutations
from tests.connectors.conftest import AS_OF
from tests.connectors.fuzzing import Original, originals
from tests.connectors.publisher import Answering, Publisher, Reply, document

# Plain CSV: neither checksum nor closing bracket.
PLAIN = {
    *("charging_register", "schools_nrw", "count_table", "barrier_free_stops", "bast_stations"),
    *("parking_table", "uba_air_quality_csv", "count_site_table", "itnrw_table", "table", "statistic_table"),
    *("smard_download", "load_profile_bdew", "load_profile_csv", "municipal_series"),
    "localzero_renewable_energy",
    # Every entry must have all its keys, but whole entries may be gone.
    "monitor_yaml",
}
HTML = b"<!DOCTYPE html><html><body>Wartungsarbeiten bis Montag</body></html>"
# What a message tells its reader to do.
ADVICE = (
    "the next run tries again",
    "run again later",
    "ask the publisher again",
    "check the address",
    "see the kept",
    "see the publisher's page",
)


@functools.cache
def original(name: str) -> Original:
    return next(each for each in originals() if each.connector == name)


def other(undamaged: Original) -> bytes:
    """Another good file of the same format."""
    if undamaged.connector == "eco_visio":
        # A day less.
        return json.dumps(json.loads(undamaged.body)[:-24]).encode()
    if undamaged.connector == "uba_air_quality_json":
        return undamaged.faithful["lose_hours"](undamaged.body, Random("other"))
    if undamaged.connector in ("eco_counter_sites", "eco_visio_sites"):
        return json.dumps(json.loads(undamaged.body)[::-1]).encode()
    if undamaged.connector in ("smard_chart", "smard_index"):
        content = json.loads(undamaged.body)
        return json.dumps(
            {key: value[::-1] if isinstance(value, list) else value for key, value in content.items()}
        ).encode()
    if undamaged.connector == "energy_charts":
        return undamaged.body.replace(b'"deprecated":false', b'"deprecated": false')
    if undamaged.connector == "genesis_metadata":
        return json.dumps(json.loads(undamaged.body)).encode()
    if undamaged.connector == "oparl":
        page = json.loads(undamaged.body)
        return json.dumps({**page, "data": page["data"][:-1]}).encode()
    if undamaged.connector == "gtfs_realtime":
        return undamaged.faithful["lose_entities"](undamaged.body, Random("other"))
    if undamaged.connector == "monitor_yaml":
        return undamaged.body.replace(b"target_value: 0.1", b"target_value: 0.2")
    if undamaged.body.startswith(b"PK"):
        members = mutations.members_of(undamaged.body)
        return mutations.zipped([*members.items(), ("readme.md", b"news")])
    return b"".join(undamaged.body.splitlines(keepends=True)[:-1])


class Town:
    """A source of one connector, its publisher and its home."""

    def __init__(self, name: str, publisher: Publisher, client: Client, home: Path, **resource: Any) -> None:
        self.original = original(name)
        self.publisher, self.client, self.changes = publisher, client, 0
        self.source = self._source(resource)
        self.landing = Landing(home / "landing", "town")
        self.staged = home / "staged"
        self.says(document(self.original.body))
        assert self.run().new == 1
        self.former = self.in_force()
        assert len(self.former) == 1
        publisher.forget()

    def _source(self, resource: dict[str, Any]) -> Source:
        declared = self.original.source().model_dump()
        declared["resources"]["file"].update(resource)
        return Source.model_validate(declared)

    @property
    def url(self) -> str:
        values = {key: values[0] for key, values in self.original.partitions.items()}
        # What follows the question mark goes as a form.
        url = str(self.source.resources["file"].url).format(**values).split("?")[0]
        return f"{url}/data/tablefile" if self.original.connector == "genesis_ffcsv" else url

    def says(self, *answers: Answering) -> None:
        self.publisher.says(self.url, *answers)
        if self.original.connector == "oparl":
            # After the first time only changes are asked for.
            latest = max(entry["modified"] for entry in json.loads(self.original.body)["data"])
            self.publisher.says(f"{self.url}?modified_since={quote(latest, safe='')}", *answers)
        if self.original.connector == "genesis_ffcsv":
            # A table is asked for only where its host says that it has changed.
            self.publisher.says(self.url.replace("/data/tablefile", "/metadata/table"), self._metadata)

    def _metadata(self, _: object) -> Reply:
        self.changes += 1
        said = {"Status": {"Code": 0, "Content": ""}, "Object": {"Updated": str(self.changes)}}
        return Reply(body=json.dumps(said).encode())

    def run(self) -> FetchSummary:
        summary = fetch_source(self.source, self.landing, self.client, AS_OF)
        parse_source(self.source, self.landing, self.staged)
        return summary

    def in_force(self) -> list[str]:
        rows = pq.ParquetFile(self.staged / "snapshot_in_force/town.parquet").read(["snapshot_sha256"]).to_pylist()
        return [row["snapshot_sha256"] for row in rows]

    def kept(self) -> list[bytes]:
        """The files of the landing beside the one in force."""
        places = (path for path in self.landing.folder.glob("*/*") if path.parent.name not in self.former)
        return [path.read_bytes() for path in places]


@dataclass(frozen=True)
class Fault:
    """answers: what the publisher says instead, made of the good body. words: of the message; none, and all is well."""

    answers: Callable[[bytes], list[Answering]]
    words: str | None
    is_kept: bool = False


def _half(body: bytes) -> int:
    return len(body) // 2


FAULTS: dict[str, Fault] = {
    "asked to wait a little": Fault(
        lambda body: [Reply(429, headers={"Retry-After": "7"}), document(body, '"2"')], None
    ),
    "asked to wait too long": Fault(
        lambda body: [Reply(429, headers={"Retry-After": "86400"})], "HTTP 429, waiting 86400 s is too long"
    ),
    "down": Fault(lambda body: [Reply(503)], "HTTP 503 after 5 attempts"),
    "down for a moment": Fault(lambda body: [Reply(500), Reply(502), document(body, '"2"')], None),
    "forbidden": Fault(lambda body: [Reply(403)], "HTTP 403 Forbidden, expected 200"),
    "gone": Fault(lambda body: [Reply(404)], "HTTP 404, expected 200"),
    "cut off once": Fault(lambda body: [document(body, '"2"', cut_after=_half(body)), document(body, '"2"')], None),
    "cut off for ever": Fault(lambda body: [Reply(200, body, cut_after=_half(body))], "bytes after 5 attempts"),
    "never a byte": Fault(lambda body: [Reply(200, body, cut_after=0)], "after 5 attempts"),
    "announces too much": Fault(lambda body: [Reply(200, body, announce=len(body) + 9)], "bytes after 5 attempts"),
    "error page with status 200": Fault(lambda body: [Reply(200, HTML)], "html came", is_kept=True),
    "empty": Fault(lambda body: [Reply(200, b"")], "the answer is empty"),
    "redirects in a circle": Fault(
        lambda body: [lambda asked: Reply(302, headers={"Location": asked.path})], "more than 5 redirects"
    ),
    "redirects to plain http": Fault(
        lambda body: [Reply(302, headers={"Location": "http://evil.example/x"})], "expected https"
    ),
    "another ETag over the same content": Fault(lambda body: [document(body, '"2"')], None),
    "no validator at all": Fault(lambda body: [document(body, None)], None),
}


@pytest.mark.parametrize("name", sorted(CONNECTORS))
def test_whatever_the_publisher_does_the_former_snapshot_stays_in_force(
    name: str, publisher: Publisher, client: Client, tmp_path: Path, waits: list[float]
) -> None:
    town = Town(name, publisher, client, tmp_path)
    for fault, expected in FAULTS.items():
        waits.clear()
        before = len(town.kept())
        town.says(*expected.answers(town.original.body))
        summary = town.run()

        assert town.in_force() == town.former, fault
        row = town.landing.log()[-1]
        assert not list(town.landing.folder.glob(".fetching-*")), fault
        assert len(town.kept()) == before + expected.is_kept, fault
        if expected.words is None:
            assert (row.outcome, summary.errors) == ("unchanged", ()), fault
            assert waits == ([7.0] if fault == "asked to wait a little" else waits), fault
            continue
        (message,) = summary.errors
        assert (row.outcome, message) == ("failed", f"{row.partition}: {row.error}"), fault
        for part in (expected.words, town.url):
            assert part in message, fault
        assert any(advice in message for advice in ADVICE), f"{fault}: says not what to do: {message}"
        if expected.is_kept:
            assert HTML in town.kept(), fault
            assert str(town.landing.file(hashlib.sha256(HTML).hexdigest(), str(row.file_name))) in message, fault


@pytest.mark.parametrize("name", sorted(CONNECTORS))
def test_other_content_under_the_same_etag_is_seen_where_it_is_sent(
    name: str, publisher: Publisher, client: Client, tmp_path: Path
) -> None:
    town = Town(name, publisher, client, tmp_path)
    town.says(Reply(200, other(town.original), headers={"ETag": '"1"'}))
    assert town.run().new == 1
    assert town.in_force() != town.former


@pytest.mark.parametrize("name", sorted(CONNECTORS))
def test_a_partition_that_may_be_absent_is_no_error_and_stays_in_force(
    name: str, publisher: Publisher, client: Client, tmp_path: Path
) -> None:
    town = Town(name, publisher, client, tmp_path, absent_is_fine=True)
    for status in (404, 410):
        town.says(Reply(status))
        summary = town.run()
        assert (summary.absent, summary.failed, summary.errors) == (1, 0, ())
        assert town.in_force() == town.former


@pytest.mark.parametrize("name", sorted(set(CONNECTORS) - PLAIN))
def test_a_body_cut_short_with_its_length_is_told_by_its_structure(
    name: str, publisher: Publisher, client: Client, tmp_path: Path
) -> None:
    town = Town(name, publisher, client, tmp_path)
    short = town.original.body[:-30]
    town.says(Reply(200, short))
    (message,) = town.run().errors
    assert "ask the publisher again" in message
    assert town.kept() == [short]
    assert town.in_force() == town.former


@pytest.mark.parametrize("slow", [{"drip_s": 0.02}, {"head_drip_s": 0.02}], ids=["body", "head"])
def test_bytes_that_drip_end_at_the_time_limit(
    slow: dict[str, float], publisher: Publisher, client: Client, tmp_path: Path
) -> None:
    towns = []
    for name in sorted(CONNECTORS):
        home = tmp_path / name
        home.mkdir()
        declared = Town(name, publisher, client, home, time_limit_s=1)
        # A host of its own: all connectors wait at once.
        towns.append(declared)
    begun = time.monotonic()

    def ask(town: Town) -> FetchSummary:
        host = town.original.connector.replace("_", "-")
        fields = json.loads(town.source.model_dump_json())
        fields["resources"]["file"]["url"] = fields["resources"]["file"]["url"].replace("town", host)
        url = town.url.replace("town", host)
        publisher.says(url, Reply(200, town.original.body, **slow))
        publisher.says(
            url.replace("/data/tablefile", "/metadata/table"),
            *(
                [Reply(body=b'{"Status": {"Code": 0, "Content": ""}, "Object": {"Updated": "never"}}')]
                if "tablefile" in url
                else [Reply(200, town.original.body, **slow)]
            ),
        )
        return fetch_source(Source.model_validate(fields), town.landing, client, AS_OF)

    with ThreadPoolExecutor(len(towns)) as pool:
        summaries = list(pool.map(ask, towns))
    assert time.monotonic() - begun < 6
    for town, summary in zip(towns, summaries, strict=True):
        assert "s is too slow; the next run tries again" in summary.errors[0], town.original.connector
        parse_source(town.source, town.landing, town.staged)
        assert town.in_force() == town.former


# -- the clock over an exchange --------------------------------------------------------------------------------------


def test_a_body_without_length_that_drips_is_not_taken_for_the_whole(
    publisher: Publisher, client: Client, tmp_path: Path
) -> None:
    url = "https://town.example/x"
    publisher.says(url, Reply(pieces=[b"x"] * 10_000, drip_s=0.05))
    with pytest.raises(FetchFailed, match="too slow"):
        client.download(Ask(url, time_limit_s=0.3), tmp_path / "body")


def test_a_deadline_that_is_over_before_there_is_a_socket_shuts_it_at_once() -> None:
    shut = threading.Event()

    class Socket:
        def shutdown(self, how: int) -> None:
            shut.set()

    with Deadline(time.monotonic()) as deadline:
        while not deadline.is_over:
            time.sleep(0.001)
        deadline.watch(Socket())  # type: ignore[arg-type]
    assert shut.is_set()


def test_a_deadline_that_was_kept_touches_nothing_afterwards(
    publisher: Publisher, client: Client, tmp_path: Path
) -> None:
    url = "https://town.example/x"
    publisher.says(url, Reply(body=b"x"))
    for _ in range(3):
        assert client.download(Ask(url, time_limit_s=0.2), tmp_path / "body").bytes == 1
        time.sleep(0.1)
    assert not [thread for thread in threading.enumerate() if isinstance(thread, threading.Timer)]
