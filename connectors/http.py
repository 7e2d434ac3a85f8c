"""Ask a publisher over HTTP: conditional, resumable, patient with what passes and strict about what does not."""

from __future__ import annotations

import email.utils
import logging
import os
import random
import re
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urljoin, urlsplit

import requests
import urllib3

from connectors.credentials import Secrets, from_environment
from connectors.deadline import Adapter, Deadline
from connectors.errors import FetchFailed, PayloadRefused

log = logging.getLogger(__name__)

USER_AGENT = "muensterland-pipeline/0.1 (regional open data integration)"
# Statuses that say "later", RFC 9110 and RFC 6585; everything else from 400 up is final.
PASSING_STATUSES = frozenset({408, 425, 429, 500, 502, 503, 504})
ATTEMPTS = 5
BACKOFF_S, BACKOFF_LIMIT_S = 1.0, 60.0
# A publisher that asks for more patience than this is asked again by the next scheduled run.
RETRY_AFTER_LIMIT_S = 300.0
CONNECT_TIMEOUT_S, READ_TIMEOUT_S = 20.0, 60.0
REDIRECT_LIMIT = 5
CHUNK_BYTES = 2**18
# How much of an answer that is too large is kept to be looked at.
EVIDENCE_BYTES = 2**20
PARALLEL_PER_HOST = 4
_CONTENT_RANGE = re.compile(r"bytes (\d{1,18})-\d{1,18}/(\d{1,18}|\*)")

_host_places: dict[str, threading.BoundedSemaphore] = defaultdict(lambda: threading.BoundedSemaphore(PARALLEL_PER_HOST))
_host_places_lock = threading.Lock()


@dataclass(frozen=True)
class Ask:
    """One question to a publisher. `etag` and `last_modified` make it conditional; `form` makes it a POST.

    span: the bytes that are wanted, where it is not all of them.
    credentials: the name of those that go with it as headers.
    """

    url: str
    form: Mapping[str, str] | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    credentials: str | None = None
    etag: str | None = None
    last_modified: str | None = None
    size_limit_bytes: int = 500 * 2**20
    time_limit_s: float = 600.0
    span: range | None = None


class RangeIgnored(FetchFailed):
    """The publisher does not give parts of a file."""


@dataclass(frozen=True)
class Answer:
    """What came: the status (200, 304, 404 or 410), the validators and how many bytes were written.

    total: how long the file is of which a span was asked for.
    """

    status: int
    etag: str | None = None
    last_modified: str | None = None
    bytes: int = 0
    total: int | None = None


class _Passing(Exception):
    """A fault that may pass: try again, after `wait_s` where the publisher said so."""

    def __init__(self, reason: str, wait_s: float | None = None) -> None:
        super().__init__(reason)
        self.wait_s = wait_s


class Client:
    """Asks publishers; one per fetch of a source, used from several threads.

    `rebase` turns a publisher's address into the one that is asked (a mirror's); `sleep` waits between attempts;
    `secrets` finds what goes with an Ask that names credentials.
    """

    def __init__(
        self,
        rebase: Callable[[str], str],
        sleep: Callable[[float], None] = time.sleep,
        jitter: Callable[[], float] = random.random,
        secrets: Secrets = from_environment,
    ) -> None:
        self._rebase = rebase
        self._sleep = sleep
        self._jitter = jitter
        self._secrets = secrets
        self._sessions = threading.local()
        self._asked_back: list[datetime] = []

    @property
    def asked_back_at(self) -> datetime | None:
        """When publishers that asked for more patience than `download` has want to be asked again, at the latest."""
        return max(self._asked_back, default=None)

    def pause(self, seconds: float) -> None:
        """Wait, where a publisher needs time to make what was asked for."""
        self._sleep(seconds)

    def download(self, ask: Ask, target: Path) -> Answer:
        """Write the answer's body to `target`.

        Returns an Answer with status 200, 304, 404 or 410. Raises FetchFailed where the publisher cannot be reached in
        `ATTEMPTS` attempts, answers with another error or takes too long, RangeIgnored where it does not give the span
        that was asked for; PayloadRefused where more than `size_limit_bytes` come.
        """
        deadline = time.monotonic() + ask.time_limit_s
        body = _Body(target, ask.span)
        for attempt in range(1, ATTEMPTS + 1):
            try:
                with _place_at(ask.url):
                    return self._ask_once(ask, body, deadline)
            except _Passing as fault:
                if time.monotonic() >= deadline:
                    raise _too_slow(ask, body.received) from fault
                if attempt == ATTEMPTS:
                    raise FetchFailed(
                        f"{ask.url}: {fault} after {ATTEMPTS} attempts; the next run tries again"
                    ) from fault
                backoff = min(BACKOFF_LIMIT_S, BACKOFF_S * 2 ** (attempt - 1)) * (0.5 + self._jitter())
                wait_s = backoff if fault.wait_s is None else fault.wait_s
                if wait_s > RETRY_AFTER_LIMIT_S or time.monotonic() + wait_s > deadline:
                    if fault.wait_s is not None:
                        self._asked_back.append(_instant_in(fault.wait_s))
                    raise FetchFailed(
                        f"{ask.url}: {fault}, waiting {wait_s:.0f} s is too long; run again later"
                    ) from fault
                log.warning("%s: %s, attempt %d of %d, waiting %.1f s", ask.url, fault, attempt, ATTEMPTS, wait_s)
                self._sleep(wait_s)
        raise AssertionError("unreachable: the last attempt returns or raises")

    def _ask_once(self, ask: Ask, body: _Body, deadline: float) -> Answer:
        with Deadline(deadline) as limit, self._open(ask, body) as response:
            status = response.status_code
            if status in PASSING_STATUSES:
                raise _Passing(f"HTTP {status}", _retry_after_s(response.headers.get("Retry-After")))
            if status in (304, 404, 410):
                return Answer(status, _told(response, "ETag"), _told(response, "Last-Modified"))
            if ask.span is not None and status in (200, 416):
                raise RangeIgnored(f"{ask.url}: HTTP {status} to a Range, expected 206; ask for the whole file")
            if status == 416:
                body.restart()
                raise _Passing("HTTP 416 on resuming")
            if status not in (200, 206):
                raise FetchFailed(f"{ask.url}: HTTP {status} {response.reason}, expected 200; see the publisher's page")
            answer = body.receive(response, ask, deadline)
            # A body without a length ends where its socket does, be it shut by us.
            if limit.is_over:
                raise _too_slow(ask, body.received)
            return answer

    def _open(self, ask: Ask, body: _Body) -> requests.Response:
        ours = {**ask.headers, **(self._secrets(ask.credentials) if ask.credentials else {})}
        headers = {"User-Agent": USER_AGENT, "Accept-Encoding": "identity", **ours, **body.range_headers()}
        if "If-Range" not in headers and ask.etag:
            headers["If-None-Match"] = ask.etag
        elif "If-Range" not in headers and ask.last_modified:
            headers["If-Modified-Since"] = ask.last_modified
        method, url = ("GET" if ask.form is None else "POST"), self._rebase(ask.url)
        for _ in range(REDIRECT_LIMIT + 1):
            try:
                response = self._session().request(
                    method,
                    url,
                    data=None if ask.form is None else dict(ask.form),
                    headers=headers,
                    stream=True,
                    allow_redirects=False,
                    timeout=(CONNECT_TIMEOUT_S, READ_TIMEOUT_S),
                    **_way_to(url),
                )
            except (requests.ConnectionError, requests.Timeout) as error:
                raise _Passing(f"not reached ({type(error).__name__})") from error
            except (requests.RequestException, ValueError) as error:
                # What requests says of a header holds its value, which may be a secret.
                raise FetchFailed(
                    f"{ask.url}: {url} cannot be asked ({type(error).__name__}); check the address in the source's "
                    "YAML and, where it has them, its credentials"
                ) from None
            if not response.is_redirect:
                return response
            response.close()
            target = _redirect_target(ask, url, response.headers["Location"])
            if urlsplit(target).netloc == urlsplit(url).netloc:
                url = target
            else:
                # Another host gets no credentials; on a mirror it is re-based like any other address.
                headers = {name: value for name, value in headers.items() if name not in ours}
                url = self._rebase(target)
        raise FetchFailed(f"{ask.url}: more than {REDIRECT_LIMIT} redirects; check the address in the source's YAML")

    def _session(self) -> requests.Session:
        if not hasattr(self._sessions, "session"):
            self._sessions.session = requests.Session()
            # The machine's netrc is not ours to send credentials by; its proxies are taken in `_way_to`.
            self._sessions.session.trust_env = False
            for scheme in ("http://", "https://"):
                self._sessions.session.mount(scheme, Adapter())
        session: requests.Session = self._sessions.session
        return session


class _Body:
    """The bytes received so far, over several attempts."""

    def __init__(self, target: Path, span: range | None) -> None:
        self.received = 0
        self._target, self._span = target, span
        self._validator: str | None = None
        self._total: int | None = None
        self.restart()

    def restart(self) -> None:
        self.received = 0
        self._target.write_bytes(b"")

    def range_headers(self) -> dict[str, str]:
        """Range for a span, and with If-Range where there are bytes to go on from and a validator vouches for them."""
        first, last = (0, "") if self._span is None else (self._span.start, self._span.stop - 1)
        if self.received and self._validator is not None:
            return {"Range": f"bytes={first + self.received}-{last}", "If-Range": self._validator}
        if self._span is None:
            return {}
        self.restart()
        return {"Range": f"bytes={first}-{last}"}

    def receive(self, response: requests.Response, ask: Ask, deadline: float) -> Answer:
        etag, modified = _told(response, "ETag"), _told(response, "Last-Modified")
        if response.status_code == 200:
            self.restart()
        else:
            self._check_part(response.headers.get("Content-Range", ""), etag)
        self._total = self._length(response)
        expected = self._total if self._span is None else len(self._span)
        # A weak ETag does not promise equal bytes (RFC 9110, 8.8.1), so it cannot vouch for a part.
        self._validator = etag if etag and not etag.startswith("W/") else modified
        if "Content-Encoding" in response.headers:
            # We keep decoded bytes, a range counts encoded ones.
            self._validator = None
        if expected is not None and expected > ask.size_limit_bytes:
            raise PayloadRefused(
                f"{ask.url}: {expected} bytes announced, at most {ask.size_limit_bytes} allowed; "
                "look at the publisher's page, then raise size_limit_mb in the source's YAML or keep the former file"
            )
        try:
            with self._target.open("ab") as sink:
                for chunk in _chunks(response):
                    sink.write(chunk)
                    self.received += len(chunk)
                    if self.received > ask.size_limit_bytes:
                        # Evidence of what came, not a copy of what nobody wanted to have.
                        sink.truncate(min(EVIDENCE_BYTES, ask.size_limit_bytes))
                        raise PayloadRefused(
                            f"{ask.url}: more than the allowed {ask.size_limit_bytes} bytes came, the first "
                            f"{EVIDENCE_BYTES} are kept; look at them, then raise size_limit_mb in the source's YAML"
                        )
                    if time.monotonic() > deadline:
                        raise _too_slow(ask, self.received)
        except urllib3.exceptions.HTTPError as error:
            raise _Passing(f"cut off after {self.received} bytes") from error
        if expected is not None and self.received != expected:
            raise _Passing(f"{self.received} of {expected} bytes came")
        return Answer(200, etag, modified, self.received, self._total)

    def _check_part(self, content_range: str, etag: str | None) -> None:
        """Begin anew where a 206 does not go on from our last byte in the same content."""
        part, validator = _CONTENT_RANGE.fullmatch(content_range), self._validator
        received = self.received + (0 if self._span is None else self._span.start)
        if part is None or int(part[1]) != received:
            self.restart()
            raise _Passing(f"resumed at {content_range!r}, expected byte {received}")
        if etag and validator and validator.startswith('"') and etag != validator:
            self.restart()
            raise _Passing(f"resumed in other content, {etag} for {validator}")
        # The same ETag over another length is another content all the same.
        if self._total is not None and part[2] not in ("*", str(self._total)):
            self.restart()
            raise _Passing(f"resumed in content of {part[2]} bytes, expected {self._total}")

    def _length(self, response: requests.Response) -> int | None:
        """How long the file is in all, where the publisher says so."""
        part = _CONTENT_RANGE.fullmatch(response.headers.get("Content-Range", ""))
        if response.status_code == 206 and part is not None and part[2] != "*":
            return int(part[2])
        if self._span is not None:
            return None
        announced = response.headers.get("Content-Length", "")
        if "Content-Encoding" in response.headers or not re.fullmatch(r"\d{1,18}", announced):
            return None
        return self.received + int(announced)


def _chunks(response: requests.Response) -> Iterator[bytes]:
    """The body as it arrives; waits for no full chunk, so that the time limit is seen however slowly bytes drip."""
    while chunk := response.raw.read1(CHUNK_BYTES, decode_content=True):
        yield chunk


def _too_slow(ask: Ask, received: int) -> FetchFailed:
    return FetchFailed(
        f"{ask.url}: {received} bytes in {ask.time_limit_s:.0f} s is too slow; the next run tries again, "
        "or raise time_limit_s in the source's YAML"
    )


def _told(response: requests.Response, header: str) -> str | None:
    """A validator that can be sent back, else None: control characters or no end would spoil our request."""
    value = response.headers.get(header)
    return value if value and value.isprintable() and len(value) <= 1_000 else None


def _redirect_target(ask: Ask, url: str, location: str) -> str:
    """The address a redirect of `url` leads to: https, or the very host that was asked in the same way."""
    try:
        target = urljoin(url, location)
        asked, led_to = urlsplit(url), urlsplit(target)
    except ValueError as error:
        raise FetchFailed(f"{ask.url}: redirects to {location[:200]!r}, no address ({error})") from error
    known = (led_to.scheme, led_to.netloc) == (asked.scheme, asked.netloc)
    if not known and (led_to.scheme != "https" or not led_to.hostname):
        raise FetchFailed(f"{ask.url}: redirects to {target[:200]}, expected https; check the address")
    return target


def _way_to(url: str) -> dict[str, Any]:
    """Proxies and certificates of the machine's environment for `url`: city networks have their own.

    Loopback (the sample's publisher, a mirror) is always asked directly.
    """
    verify = os.environ.get("REQUESTS_CA_BUNDLE") or os.environ.get("CURL_CA_BUNDLE") or True
    if urlsplit(url).hostname in ("127.0.0.1", "::1", "localhost"):
        return {"verify": verify}
    return {"verify": verify, "proxies": requests.utils.get_environ_proxies(url)}


def _place_at(url: str) -> threading.BoundedSemaphore:
    """One of the few places that requests to a host share."""
    with _host_places_lock:
        return _host_places[urlsplit(url).netloc]


def _instant_in(seconds: float) -> datetime:
    """The instant so many seconds from now; a publisher's endless wait is a year."""
    return datetime.now(UTC) + timedelta(seconds=min(seconds, 365 * 86_400.0))


def _retry_after_s(value: str | None) -> float | None:
    """Seconds to wait by a Retry-After header: delta-seconds or an HTTP date (RFC 9110, 10.2.3)."""
    if value is None:
        return None
    if value.strip().isdecimal():
        return float(value)
    try:
        until = email.utils.parsedate_to_datetime(value)
    except (ValueError, OverflowError):
        return None
    # HTTP dates are in UTC; one that says `-0000` comes without zone.
    until = until if until.tzinfo else until.replace(tzinfo=UTC)
    return max(0.0, (until - datetime.now(UTC)).total_seconds())
