"""Serve the sample over loopback HTTP at the publishers' paths, with the manners of a good publisher's server."""

from __future__ import annotations

import email.utils
import functools
import hashlib
import json
import re
import shutil
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import BytesIO
from pathlib import Path
from typing import Any, BinaryIO
from urllib.parse import parse_qs, unquote, urlsplit

from muensterland.sample.generate import ROUTES
from muensterland.sample.packing import STAMP

HOST = "127.0.0.1"
MODIFIED = datetime(*STAMP, tzinfo=UTC)
CONTENT_TYPES = {
    ".csv": "text/csv; charset=utf-8",
    ".json": "application/json; charset=utf-8",
    ".xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    ".zip": "application/zip",
    "": "text/html; charset=utf-8",
}
# A part of a path the sample may publish: nothing hidden (the POST answers are), no way upwards, no endless name.
PART = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,199}")
PARTS_LIMIT = 20
# A GENESIS form has about 25 short fields.
FORM_LIMIT_BYTES = 64 * 2**10
# GENESIS, status 104: the words of the real hosts.
NOTHING_FOUND = "Es gibt keine Objekte zum angegebenen Selektionskriterium"


@contextmanager
def serve(folder: Path, port: int = 0) -> Iterator[str]:
    """Serve a generated folder on 127.0.0.1 until the block ends; yields the base address without trailing slash.

    https://HOST/PATH?QUERY is answered at BASE/HOST/PATH?QUERY. A query matters only where routes tell of it: there the
    answer whose items the query all has is given, and none where it has not.
    Port 0 takes a free one. Raises OSError where the port is taken.
    """
    root = folder.resolve()
    routes = json.loads((root / ROUTES).read_text(encoding="utf-8"))
    told = {"root": root, "answers": _answers(root, routes), "series": _series(root, routes)}
    handler = type("SampleHandler", (_Handler,), told)
    with _Server((HOST, port), handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        thread.start()
        try:
            yield f"http://{HOST}:{server.server_address[1]}"
        finally:
            server.shutdown()
            thread.join()


def _answers(root: Path, routes: list[dict[str, Any]]) -> dict[str, list[tuple[dict[str, str], Path]]]:
    """The forms that a GENESIS address answers, each with its file."""
    found: dict[str, list[tuple[dict[str, str], Path]]] = {}
    for route in routes:
        if "form" in route:
            found.setdefault(route["url"], []).append((route["form"], root / route["file"]))
    return found


def _series(root: Path, routes: list[dict[str, Any]]) -> dict[str, list[tuple[dict[str, str], Path]]]:
    """The queries that an address answers, each with its file."""
    found: dict[str, list[tuple[dict[str, str], Path]]] = {}
    for route in routes:
        if "query" in route:
            found.setdefault(route["url"], []).append((route["query"], root / route["file"]))
    return found


@functools.lru_cache(maxsize=1_000)
def _sha256(place: Path, size: int, modified_ns: int) -> str:
    """The content hash; size and time are there so that a changed file is hashed anew."""
    with place.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


class _Server(ThreadingHTTPServer):
    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing where a client went away; everything else is a fault of this module."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # else headers and body meet the client's delayed acknowledgement: 40 ms each
    root: Path
    answers: dict[str, list[tuple[dict[str, str], Path]]]
    series: dict[str, list[tuple[dict[str, str], Path]]]

    def do_GET(self) -> None:
        place = self._file()
        if place is None:
            self._send_text(HTTPStatus.NOT_FOUND)
        else:
            self._send_file(place)

    def do_HEAD(self) -> None:
        self.do_GET()

    def do_POST(self) -> None:
        length = re.fullmatch(r"[0-9]{1,9}", self.headers.get("Content-Length", ""))
        if length is None or int(length[0]) > FORM_LIMIT_BYTES:
            self.close_connection = True  # the body stays unread, so nothing more can be understood
            status = HTTPStatus.REQUEST_ENTITY_TOO_LARGE if length else HTTPStatus.LENGTH_REQUIRED
            self._send_text(status)
            return
        form = parse_qs(self.rfile.read(int(length[0])).decode("utf-8", "replace"))
        tables = self.answers.get(self._target())
        if tables is None:
            self._send_text(HTTPStatus.NOT_FOUND)
            return
        fits = (place for known, place in tables if all(form.get(key) == [known[key]] for key in known))
        place = next(fits, None)
        if place is not None:
            self._send_bytes(HTTPStatus.OK, place.read_bytes(), CONTENT_TYPES[place.suffix])
        else:
            self._send_bytes(
                HTTPStatus.OK, _nothing_found(self._target(), form.get("name", [""])[0]), CONTENT_TYPES[".json"]
            )

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing: the run has its own log."""

    # -- inside -----------------------------------------------------------------------------------------------------

    def _target(self) -> str:
        """HOST/PATH of the request."""
        return unquote(urlsplit(self.path).path).lstrip("/")

    def _file(self) -> Path | None:
        """The file of a request; None where there is none or the path leads elsewhere."""
        if (known := self.series.get(self._target())) is not None:
            asked = parse_qs(urlsplit(self.path).query)
            fits = (place for query, place in known if all(asked.get(key) == [query[key]] for key in query))
            return next(fits, None)
        parts = self._target().split("/")
        if not 2 <= len(parts) <= PARTS_LIMIT or not all(map(PART.fullmatch, parts)):
            return None
        place = self.root.joinpath(*parts).resolve()
        return place if place.is_relative_to(self.root) and place.is_file() else None

    def _send_file(self, place: Path) -> None:
        state = place.stat()
        etag = f'"{_sha256(place, state.st_size, state.st_mtime_ns)}"'
        headers = {
            "ETag": etag,
            "Last-Modified": email.utils.format_datetime(MODIFIED, usegmt=True),
            "Accept-Ranges": "bytes",
        }
        if self._is_unchanged(etag):
            self._send(HTTPStatus.NOT_MODIFIED, headers, None)
            return
        headers["Content-Type"] = CONTENT_TYPES.get(place.suffix, "application/octet-stream")
        span = self._range(etag, state.st_size)
        with place.open("rb") as stream:
            if span is None:
                self._send(HTTPStatus.OK, headers | {"Content-Length": str(state.st_size)}, stream)
            elif not span:
                headers |= {"Content-Range": f"bytes */{state.st_size}", "Content-Length": "0"}
                self._send(HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE, headers, None)
            else:
                stream.seek(span.start)
                headers |= {
                    "Content-Range": f"bytes {span.start}-{span.stop - 1}/{state.st_size}",
                    "Content-Length": str(len(span)),
                }
                self._send(HTTPStatus.PARTIAL_CONTENT, headers, BytesIO(stream.read(len(span))))

    def _is_unchanged(self, etag: str) -> bool:
        """Whether the client already holds the file; If-None-Match goes before If-Modified-Since (RFC 9110, 13.2.2)."""
        known = self.headers.get("If-None-Match")
        if known is not None:
            return known.strip() == "*" or etag in [tag.strip().removeprefix("W/") for tag in known.split(",")]
        since = _http_date(self.headers.get("If-Modified-Since"))
        return since is not None and since >= MODIFIED

    def _range(self, etag: str, size: int) -> range | None:
        """The bytes asked for: None for all of them, an empty range where the file does not have them.

        A range of a file that If-Range no longer names, and anything but one range, means all (RFC 9110, 14.2).
        """
        if_range = self.headers.get("If-Range")
        if if_range is not None and if_range != etag and _http_date(if_range) != MODIFIED:
            return None
        asked = re.fullmatch(r"bytes=([0-9]{0,18})-([0-9]{0,18})", self.headers.get("Range", "").strip())
        if asked is None or asked[0] == "bytes=-":
            return None
        first, last = asked[1], asked[2]
        if not first:
            return range(max(0, size - int(last)), size)
        return range(int(first), min(size, int(last) + 1) if last else size)

    def _send_text(self, status: HTTPStatus) -> None:
        self._send_bytes(status, f"{status.phrase}\n".encode(), "text/plain; charset=utf-8")

    def _send_bytes(self, status: HTTPStatus, body: bytes, content_type: str) -> None:
        self._send(status, {"Content-Type": content_type, "Content-Length": str(len(body))}, BytesIO(body))

    def _send(self, status: HTTPStatus, headers: dict[str, str], body: BinaryIO | None) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        if body is not None and self.command != "HEAD":
            shutil.copyfileobj(body, self.wfile, 2**20)


def _http_date(text: str | None) -> datetime | None:
    """An HTTP date; None where there is none or it cannot be read, which the standard says to ignore."""
    try:
        found = email.utils.parsedate_to_datetime(text or "")
    except ValueError:
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def _nothing_found(target: str, table: str) -> bytes:
    """The JSON a GENESIS host sends with HTTP 200 for a table it does not know."""
    *_, service, method = target.split("/")
    return json.dumps(
        {
            "Ident": {"Service": service, "Method": method},
            "Status": {"Code": 104, "Content": NOTHING_FOUND, "Type": "Information"},
            "Parameter": {"username": "*" * 20, "password": "*" * 20, "name": table},
            "Object": None,
            "Copyright": "Synthetisches Beispiel",
        },
        ensure_ascii=False,
    ).encode()
