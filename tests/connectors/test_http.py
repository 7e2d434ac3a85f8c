"""Asking a publisher: patient with what passes, strict about what does not."""

from __future__ import annotations

import gzip
import itertools
import socket
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

import pytest

from connectors import http
from connectors.errors import FetchFailed, PayloadRefused
from connectors.http import ATTEMPTS, CHUNK_BYTES, Ask, Client, _way_to
from tests.connectors.publisher import Asked, Publisher, Reply, document

URL = "https://town.example/file.csv"
BODY = bytes(range(256)) * 40
MODIFIED = "Fri, 01 Mar 2024 05:00:00 GMT"


@pytest.fixture
def target(tmp_path: Path) -> Path:
    return tmp_path / "body"


# -- what has not changed --------------------------------------------------------------------------------------------


def test_writes_the_bytes_and_returns_the_validators(publisher: Publisher, client: Client, target: Path) -> None:
    publisher.says(URL, document(BODY, '"7"', MODIFIED))
    answer = client.download(Ask(URL), target)
    assert (answer.status, answer.etag, answer.last_modified, answer.bytes) == (200, '"7"', MODIFIED, 10_240)
    assert target.read_bytes() == BODY


@pytest.mark.parametrize(
    ("ask", "header", "value"),
    [
        (Ask(URL, etag='"7"', last_modified=MODIFIED), "if-none-match", '"7"'),
        (Ask(URL, last_modified=MODIFIED), "if-modified-since", MODIFIED),
    ],
)
def test_unchanged_bytes_are_not_sent_again(
    publisher: Publisher, client: Client, target: Path, ask: Ask, header: str, value: str
) -> None:
    publisher.says(URL, document(BODY, '"7"', MODIFIED))
    assert client.download(ask, target).status == 304
    assert publisher.asked[0].headers[header] == value
    assert publisher.body_bytes == 0


@pytest.mark.parametrize("status", [404, 410])
def test_what_is_not_there_is_an_answer(publisher: Publisher, client: Client, target: Path, status: int) -> None:
    publisher.says(URL, Reply(status))
    assert client.download(Ask(URL), target).status == status
    assert len(publisher.asked) == 1


def test_a_validator_that_would_spoil_the_next_request_is_not_kept(
    publisher: Publisher, client: Client, target: Path
) -> None:
    publisher.says(URL, Reply(body=b"x", headers={"ETag": '"a\a"', "Last-Modified": "x" * 2_000}))
    answer = client.download(Ask(URL), target)
    assert (answer.etag, answer.last_modified) == (None, None)


# -- what passes -----------------------------------------------------------------------------------------------------


def test_waits_as_many_seconds_as_the_publisher_asks_for(
    publisher: Publisher, client: Client, target: Path, waits: list[float]
) -> None:
    publisher.says(URL, Reply(429, headers={"Retry-After": "7"}), document(BODY))
    assert client.download(Ask(URL), target).bytes == len(BODY)
    assert waits == [7.0]


class Noon(datetime):
    """A clock that stands still."""

    @classmethod
    def now(cls, tz: object = None) -> datetime:  # type: ignore[override]
        return datetime(2024, 3, 1, 12, 0, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("date", "wait_s"),
    [
        ("Fri, 01 Mar 2024 12:00:42 GMT", 42.0),
        ("Fri, 01 Mar 2024 12:00:42 -0000", 42.0),
        ("Fri, 01 Mar 2024 11:00:00 GMT", 0.0),
        ("soon", 1.0),
        ("Fri, 01 Mar 99999999999999999999 11:00:00 GMT", 1.0),
    ],
)
def test_waits_until_the_instant_the_publisher_names_and_falls_back_to_its_own_pause(
    publisher: Publisher,
    client: Client,
    target: Path,
    waits: list[float],
    monkeypatch: pytest.MonkeyPatch,
    date: str,
    wait_s: float,
) -> None:
    monkeypatch.setattr(http, "datetime", Noon)
    publisher.says(URL, Reply(503, headers={"Retry-After": date}), document(BODY))
    client.download(Ask(URL), target)
    assert waits == [wait_s]


def test_a_publisher_that_wants_too_much_patience_is_left_to_the_next_run(
    publisher: Publisher, client: Client, target: Path, waits: list[float]
) -> None:
    publisher.says(URL, Reply(429, headers={"Retry-After": "3600"}))
    with pytest.raises(FetchFailed, match=r"https://town\.example/file\.csv: HTTP 429, waiting 3600 s is too long"):
        client.download(Ask(URL), target)
    assert waits == []
    assert len(publisher.asked) == 1


@pytest.mark.parametrize(("drawn", "pauses"), [(0.0, [0.5, 1, 2, 4]), (0.5, [1, 2, 4, 8]), (1.0, [1.5, 3, 6, 12])])
def test_pauses_double_within_the_bounds_of_the_jitter(
    publisher: Publisher, target: Path, waits: list[float], drawn: float, pauses: list[float]
) -> None:
    publisher.says(URL, Reply(500))
    with pytest.raises(FetchFailed):
        Client(publisher.rebase, waits.append, jitter=lambda: drawn).download(Ask(URL), target)
    assert waits == pauses


def test_succeeds_after_errors_that_pass(publisher: Publisher, client: Client, target: Path) -> None:
    publisher.says(URL, Reply(500), Reply(502), Reply(503), document(BODY))
    assert client.download(Ask(URL), target).status == 200
    assert target.read_bytes() == BODY


def test_gives_up_naming_the_address_and_what_came(publisher: Publisher, client: Client, target: Path) -> None:
    publisher.says(URL, Reply(503))
    with pytest.raises(FetchFailed, match=r"^https://town\.example/file\.csv: HTTP 503 after 5 attempts"):
        client.download(Ask(URL), target)
    assert len(publisher.asked) == ATTEMPTS == 5


def test_an_error_that_stays_is_not_asked_again(publisher: Publisher, client: Client, target: Path) -> None:
    publisher.says(URL, Reply(403))
    with pytest.raises(FetchFailed, match="HTTP 403 Forbidden, expected 200"):
        client.download(Ask(URL), target)
    assert len(publisher.asked) == 1


def test_a_host_nobody_answers_at_is_tried_again(target: Path, waits: list[float]) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{unused.getsockname()[1]}/file.csv"
    with pytest.raises(FetchFailed, match=r"file\.csv: not reached \(ConnectionError\) after 5 attempts"):
        Client(lambda _: address, waits.append).download(Ask(URL), target)
    assert len(waits) == ATTEMPTS - 1


# -- cut off and resumed ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("etag", "modified", "vouches"), [('"7"', MODIFIED, '"7"'), (None, MODIFIED, MODIFIED)])
def test_resumes_where_the_connection_was_cut(
    publisher: Publisher, client: Client, target: Path, etag: str | None, modified: str, vouches: str
) -> None:
    publisher.says(URL, document(BODY, etag, modified, cut_after=1_000))
    answer = client.download(Ask(URL), target)
    assert target.read_bytes() == BODY
    assert answer.bytes == len(BODY)
    first, second = publisher.asked
    assert "range" not in first.headers
    assert (second.headers["range"], second.headers["if-range"]) == ("bytes=1000-", vouches)
    assert publisher.body_bytes == len(BODY)


def test_resumes_as_often_as_it_is_cut(publisher: Publisher, client: Client, target: Path) -> None:
    def short_part(asked: Asked) -> Reply:
        start = int(asked.headers["range"].removeprefix("bytes=").rstrip("-"))
        part = BODY[start : start + 4_000]
        content_range = f"bytes {start}-{start + len(part) - 1}/{len(BODY)}"
        return Reply(206, part, {"ETag": '"1"', "Content-Range": content_range})

    publisher.says(URL, document(BODY, cut_after=1_000), short_part)
    client.download(Ask(URL), target)
    assert target.read_bytes() == BODY
    assert [asked.headers.get("range") for asked in publisher.asked] == [
        None,
        "bytes=1000-",
        "bytes=5000-",
        "bytes=9000-",
    ]


def test_a_part_nobody_asked_for_is_not_taken_for_the_whole(publisher: Publisher, client: Client, target: Path) -> None:
    part = Reply(206, BODY[:100], {"ETag": '"1"', "Content-Range": f"bytes 0-99/{len(BODY)}"})
    publisher.says(URL, part, document(BODY))
    client.download(Ask(URL), target)
    assert target.read_bytes() == BODY


def test_starts_anew_where_the_content_has_changed_meanwhile(
    publisher: Publisher, client: Client, target: Path
) -> None:
    publisher.says(URL, document(b"old " * 500, '"old"', cut_after=700), document(b"new " * 500, '"new"'))
    answer = client.download(Ask(URL), target)
    assert target.read_bytes() == b"new " * 500
    assert answer.etag == '"new"'


@pytest.mark.parametrize(
    "wrong_part",
    [
        Reply(206, b"new " * 300, {"ETag": '"new"', "Content-Range": "bytes 800-1999/2000"}),
        Reply(206, b"new " * 500, {"ETag": '"old"', "Content-Range": "bytes 0-1999/2000"}),
        Reply(206, b"new " * 300, {"ETag": '"old"'}),
        Reply(416),
    ],
    ids=["other-etag", "other-place", "no-place", "refused"],
)
def test_never_joins_parts_that_do_not_belong_together(
    publisher: Publisher, client: Client, target: Path, wrong_part: Reply
) -> None:
    publisher.says(URL, document(b"old " * 500, '"old"', cut_after=800), wrong_part, document(b"new " * 500, '"new"'))
    client.download(Ask(URL), target)
    assert target.read_bytes() == b"new " * 500
    assert "range" not in publisher.asked[2].headers


def test_a_weak_etag_does_not_vouch_for_a_part(publisher: Publisher, client: Client, target: Path) -> None:
    publisher.says(URL, document(BODY, 'W/"7"', cut_after=1_000), document(BODY, 'W/"7"'))
    client.download(Ask(URL), target)
    assert target.read_bytes() == BODY
    assert "range" not in publisher.asked[1].headers


def test_fewer_bytes_than_announced_are_never_taken_for_the_whole(
    publisher: Publisher, client: Client, target: Path
) -> None:
    publisher.says(URL, Reply(body=BODY, announce=len(BODY) + 10))
    with pytest.raises(FetchFailed, match="cut off after 10240 bytes after 5 attempts"):
        client.download(Ask(URL), target)


def test_a_length_that_is_no_number_is_not_believed(publisher: Publisher, client: Client, target: Path) -> None:
    # Python refuses to read so many digits (sys.set_int_max_str_digits).
    publisher.says(URL, Reply(body=BODY, announce="9" * 5_000))
    assert client.download(Ask(URL), target).bytes == len(BODY)
    assert target.read_bytes() == BODY


def test_decodes_what_is_compressed_unasked(publisher: Publisher, client: Client, target: Path) -> None:
    packed = gzip.compress(BODY)
    publisher.says(URL, Reply(body=packed, headers={"Content-Encoding": "gzip", "ETag": '"1"'}))
    assert client.download(Ask(URL), target).bytes == len(BODY)
    assert target.read_bytes() == BODY
    assert publisher.asked[0].headers["accept-encoding"] == "identity"


def test_what_cannot_be_decoded_fails(publisher: Publisher, client: Client, target: Path) -> None:
    publisher.says(URL, Reply(body=b"no gzip", headers={"Content-Encoding": "gzip"}))
    with pytest.raises(FetchFailed, match="after 5 attempts"):
        client.download(Ask(URL), target)


# -- limits ----------------------------------------------------------------------------------------------------------


def test_more_bytes_than_allowed_are_refused_as_announced(publisher: Publisher, client: Client, target: Path) -> None:
    publisher.says(URL, Reply(body=BODY))
    with pytest.raises(PayloadRefused, match="10240 bytes announced, at most 10000 allowed"):
        client.download(Ask(URL, size_limit_bytes=10_000), target)
    assert target.stat().st_size == 0


def test_a_stream_without_end_is_refused_with_bounded_disk(publisher: Publisher, client: Client, target: Path) -> None:
    publisher.says(URL, Reply(pieces=itertools.repeat(b"x" * 50_000)))
    with pytest.raises(PayloadRefused, match="more than the allowed 1000000 bytes came"):
        client.download(Ask(URL, size_limit_bytes=1_000_000), target)
    assert target.stat().st_size <= 1_000_000 + CHUNK_BYTES


def test_compressed_bytes_without_end_are_refused_with_bounded_disk(
    publisher: Publisher, client: Client, target: Path
) -> None:
    bomb = gzip.compress(bytes(30_000_000))
    publisher.says(URL, Reply(body=bomb, headers={"Content-Encoding": "gzip"}))
    with pytest.raises(PayloadRefused, match="more than the allowed 1000000 bytes came"):
        client.download(Ask(URL, size_limit_bytes=1_000_000), target)
    assert len(bomb) < 100_000
    assert target.stat().st_size <= 1_000_000 + CHUNK_BYTES


@pytest.mark.parametrize(
    "slow",
    [
        Reply(body=b"x" * 5_000, drip_s=0.02),
        Reply(pieces=[b"x" * 5_000], drip_s=0.02),
        Reply(pieces=[b"x"] * 5_000, drip_s=0.02),
    ],
    ids=["length", "one-chunk", "chunks"],
)
def test_bytes_that_drip_meet_the_time_limit(publisher: Publisher, client: Client, target: Path, slow: Reply) -> None:
    publisher.says(URL, slow)
    began = time.monotonic()
    with pytest.raises(FetchFailed, match="is too slow"):
        client.download(Ask(URL, time_limit_s=0.2), target)
    assert time.monotonic() - began < 1.5


# -- redirects -------------------------------------------------------------------------------------------------------


def test_follows_five_redirects_but_not_six(publisher: Publisher, client: Client, target: Path) -> None:
    for number in range(6):
        publisher.says(f"https://town.example/{number}", Reply(302, headers={"Location": f"{number + 1}"}))
    publisher.says("https://town.example/6", document(BODY))
    assert client.download(Ask("https://town.example/1"), target).bytes == len(BODY)
    with pytest.raises(FetchFailed, match=r"^https://town\.example/0: more than 5 redirects"):
        client.download(Ask("https://town.example/0"), target)


def test_a_loop_of_redirects_ends(publisher: Publisher, client: Client, target: Path) -> None:
    publisher.says(URL, Reply(301, headers={"Location": "file.csv"}))
    with pytest.raises(FetchFailed, match="more than 5 redirects"):
        client.download(Ask(URL), target)
    assert len(publisher.asked) == 6


def test_a_redirect_to_another_host_is_rebased(publisher: Publisher, client: Client, target: Path) -> None:
    publisher.says(URL, Reply(302, headers={"Location": "https://other.example/moved.csv"}))
    publisher.says("https://other.example/moved.csv", document(BODY))
    client.download(Ask(URL), target)
    assert publisher.paths() == ["/town.example/file.csv", "/other.example/moved.csv"]


def test_another_host_gets_no_credentials(publisher: Publisher, client: Client, target: Path) -> None:
    publisher.says(URL, Reply(307, headers={"Location": "https://other.example/moved.csv"}))
    publisher.says("https://other.example/moved.csv", document(BODY))
    client.download(Ask(URL, form={"name": "1000A"}, headers={"username": "me", "password": "secret"}), target)
    own, other = publisher.asked
    assert (own.headers["password"], other.form) == ("secret", {"name": "1000A"})
    assert not {"username", "password"} & other.headers.keys()


@pytest.mark.parametrize(
    "location",
    ["http://other.example/x", "ftp://other.example/x", "file:///etc/passwd", "http://[", "//[x", "https://"],
)
def test_a_redirect_to_anything_but_https_is_refused(
    publisher: Publisher, client: Client, target: Path, location: str
) -> None:
    publisher.says(URL, Reply(302, headers={"Location": location}))
    with pytest.raises(FetchFailed, match=r"^https://town\.example/file\.csv: "):
        client.download(Ask(URL), target)
    assert publisher.paths()[:1] == ["/town.example/file.csv"]


def test_a_redirect_from_https_to_http_of_the_same_host_is_refused() -> None:
    with pytest.raises(FetchFailed, match="expected https"):
        http._redirect_target(Ask(URL), URL, "http://town.example/file.csv")


# -- manners ---------------------------------------------------------------------------------------------------------


def ask_at_once(count: int, download: Callable[[int], object]) -> None:
    with ThreadPoolExecutor(count) as pool:
        list(pool.map(download, range(count)))


def test_never_more_than_four_requests_at_once_per_host(publisher: Publisher, tmp_path: Path) -> None:
    publisher.says(URL, Reply(body=b"x", hold_s=0.04))
    clients = [Client(publisher.rebase), Client(publisher.rebase)]
    ask_at_once(14, lambda number: clients[number % 2].download(Ask(URL), tmp_path / f"{number}"))
    assert len(publisher.asked) == 14
    assert publisher.busiest == 4


def test_hosts_do_not_wait_for_each_other(publisher: Publisher, client: Client, tmp_path: Path) -> None:
    all_asked = threading.Barrier(8)

    def together(asked: Asked) -> Reply:
        all_asked.wait(timeout=5)
        return Reply(body=b"x")

    for host in range(8):
        publisher.says(f"https://{host}.example/x", together)
    ask_at_once(8, lambda host: client.download(Ask(f"https://{host}.example/x"), tmp_path / f"{host}"))
    assert not all_asked.broken


def test_the_machines_proxy_and_certificates_are_used_but_never_for_loopback(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy.town.example:3128")
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", "/etc/town/ca.pem")
    assert _way_to("https://publisher.example/file.csv") == {
        "verify": "/etc/town/ca.pem",
        "proxies": {"https": "http://proxy.town.example:3128"},
    }
    assert "proxies" not in _way_to("http://127.0.0.1:8099/publisher.example/file.csv")


# -- more patience than a fetch has -----------------------------------------------------------------------------------


def test_a_wait_that_is_too_long_is_remembered(publisher: Publisher, client: Client, tmp_path: Path) -> None:
    publisher.says("https://town.example/a", Reply(503, headers={"Retry-After": "7200"}))
    publisher.says("https://town.example/b", Reply(429, headers={"Retry-After": "3600"}))
    before = datetime.now(UTC)
    for name in ("a", "b"):
        with pytest.raises(FetchFailed):
            client.download(Ask(f"https://town.example/{name}"), tmp_path / name)
    assert client.asked_back_at is not None
    assert 7_200 <= (client.asked_back_at - before).total_seconds() < 7_260


def test_what_a_fetch_waits_out_by_itself_is_not(publisher: Publisher, client: Client, tmp_path: Path) -> None:
    publisher.says("https://town.example/a", Reply(429, headers={"Retry-After": "30"}), Reply(200, b"x"))
    publisher.says("https://town.example/b", Reply(503))
    client.download(Ask("https://town.example/a"), tmp_path / "a")
    with pytest.raises(FetchFailed):
        client.download(Ask("https://town.example/b"), tmp_path / "b")
    assert client.asked_back_at is None
