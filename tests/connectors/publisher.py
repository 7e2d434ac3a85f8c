"""A publisher on loopback that answers as a test has written down, faults included, and remembers what it was asked."""

from __future__ import annotations

import re
import sys
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl


@dataclass(frozen=True)
class Asked:
    """A request as it came; header names in lower case."""

    method: str
    path: str
    headers: dict[str, str]
    form: dict[str, str]


@dataclass(frozen=True)
class Reply:
    """An answer: a `body` with its Content-Length, or `pieces` that are sent chunked.

    announce: a Content-Length that may lie. cut_after: the connection ends after so many bytes of the body.
    drip_s: the body is sent byte by byte, with this pause; head_drip_s: a header that never ends is.
    hold_s: pause before the answer.
    """

    status: int = 200
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    pieces: Iterable[bytes] | None = None
    announce: int | str | None = None
    cut_after: int | None = None
    drip_s: float = 0.0
    head_drip_s: float = 0.0
    hold_s: float = 0.0


Answering = Reply | Callable[[Asked], Reply]


def document(
    body: bytes, etag: str | None = '"1"', last_modified: str | None = None, **faults: Any
) -> Callable[[Asked], Reply]:
    """A file on a well-mannered server: conditional, resumable; `faults` go into its full answers."""
    told = {name: value for name, value in (("ETag", etag), ("Last-Modified", last_modified)) if value}

    def answer(asked: Asked) -> Reply:
        if etag and asked.headers.get("if-none-match") == etag:
            return Reply(304, headers=told)
        if last_modified and asked.headers.get("if-modified-since") == last_modified:
            return Reply(304, headers=told)
        part = re.fullmatch(r"bytes=(\d+)-(\d*)", asked.headers.get("range", ""))
        if part and asked.headers.get("if-range") in (None, etag, last_modified):
            start, stop = int(part[1]), min(int(part[2]) + 1 if part[2] else len(body), len(body))
            content_range = f"bytes {start}-{stop - 1}/{len(body)}"
            return Reply(206, body[start:stop], {**told, "Content-Range": content_range})
        return Reply(200, body, told, **faults)

    return answer


class Publisher:
    """Answers per path, `/HOST/PATH` as a mirror has them; several answers are given in turn, the last one for ever."""

    def __init__(self, base: str) -> None:
        self.base = base
        self.asked: list[Asked] = []
        self.body_bytes = 0
        self.busiest = 0
        self._answers: dict[str, list[Answering]] = defaultdict(list)
        self._busy = 0
        self._lock = threading.Lock()

    def says(self, url: str, *answers: Answering) -> None:
        """From now on `url` (https://HOST/PATH) is answered so."""
        self._answers[url.removeprefix("https:/")] = list(answers)

    def rebase(self, url: str) -> str:
        """The address under which this server plays the host of `url`."""
        return f"{self.base}/{url.removeprefix('https://')}"

    def paths(self) -> list[str]:
        """The paths asked for, in order."""
        return [asked.path for asked in self.asked]

    def forget(self) -> None:
        """Begin to remember anew."""
        self.asked.clear()
        self.body_bytes = 0

    # -- what the handler calls --

    def answer(self, asked: Asked) -> Reply:
        with self._lock:
            self.asked.append(asked)
            answers = self._answers.get(asked.path, [Reply(404, b"not here")])
            answering = answers.pop(0) if len(answers) > 1 else answers[0]
        return answering(asked) if callable(answering) else answering

    def sent(self, count: int) -> None:
        with self._lock:
            self.body_bytes += count

    def count_in(self, step: int) -> None:
        with self._lock:
            self._busy += step
            self.busiest = max(self.busiest, self._busy)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    publisher: Publisher

    def do_GET(self) -> None:
        self._answer({})

    def do_POST(self) -> None:
        length = int(self.headers.get("Content-Length", 0))
        self._answer(dict(parse_qsl(self.rfile.read(length).decode(), keep_blank_values=True)))

    def _answer(self, form: dict[str, str]) -> None:
        headers = {name.lower(): value for name, value in self.headers.items()}
        self.publisher.count_in(1)
        try:
            reply = self.publisher.answer(Asked(self.command, self.path, headers, form))
            time.sleep(reply.hold_s)
        finally:
            # Counted out before the last byte is sent, else the next request could come in first.
            self.publisher.count_in(-1)
        try:
            self._send(reply)
        except ConnectionError:
            self.close_connection = True

    def _send(self, reply: Reply) -> None:
        self.send_response(reply.status)
        for name, value in reply.headers.items():
            self.send_header(name, value)
        if reply.head_drip_s:
            self.flush_headers()
            self._write(b"X-Endless: " + b"x" * 10_000, reply.head_drip_s)
            return
        if reply.pieces is not None:
            self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
            for piece in reply.pieces:
                self._write(b"%x\r\n%b\r\n" % (len(piece), piece), reply.drip_s)
            self.wfile.write(b"0\r\n\r\n")
            return
        if reply.status != 304:
            self.send_header("Content-Length", str(len(reply.body) if reply.announce is None else reply.announce))
        self.end_headers()
        self._write(reply.body[: reply.cut_after], reply.drip_s)
        if reply.cut_after is not None or reply.announce is not None:
            self.close_connection = True

    def _write(self, content: bytes, drip_s: float) -> None:
        parts = [content] if not drip_s else [content[place : place + 1] for place in range(len(content))]
        for part in parts:
            # Counted first: whoever has read the last byte may ask at once.
            self.publisher.sent(len(part))
            self.wfile.write(part)
            time.sleep(drip_s)

    def log_message(self, format: str, *args: Any) -> None:
        """Keep quiet."""


class _Server(ThreadingHTTPServer):
    request_queue_size = 64

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that goes away is what many tests are about; anything else is a fault of this module."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


@contextmanager
def publishing() -> Iterator[Publisher]:
    """A publisher that answers on a free port of 127.0.0.1 until the block ends."""
    handler = type("Handler", (_Handler,), {})
    with _Server(("127.0.0.1", 0), handler) as server:
        publisher = handler.publisher = Publisher(f"http://127.0.0.1:{server.server_address[1]}")  # type: ignore[attr-defined]
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        thread.start()
        try:
            yield publisher
        finally:
            server.shutdown()
            thread.join()
