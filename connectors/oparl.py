"""Ask an OParl host for a list of objects (OParl 1.1): page after page, then only for what has changed since.

What lands is an archive of the pages as they came: `00000-…` are the whole list, `00001-…`, `00002-…` what was told of
changes since, deletions among them (2.5.3 of the specification: with `modified_since` a host also names what it has
deleted). An archive so says by itself what the list holds, whatever was fetched before it. A host that does not know
the filter sends the whole list again, which takes the former one's place; so does every list after DELTA_LIMIT changes,
as not every host marks what it deletes.
"""

from __future__ import annotations

import json
import re
import time
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

from connectors.archive import files, open_zip
from connectors.errors import FetchFailed, PayloadRefused
from connectors.http import Answer, Ask, Client
from connectors.payload import check_payload

# Lists of a large city have some 2,000 pages of 25; an archive may hold 5,000 members.
PAGE_LIMIT = 2_400
DELTA_LIMIT = 50
# A page of 25 papers with their files and consultations takes some 100 KB.
PAGE_LIMIT_BYTES = 16 * 2**20
UNPACKED_LIMIT_BYTES = 2**30
_PAGE_NAME = re.compile(r"\d{5}-\d{5}\.json")
_STAMP = (1980, 1, 1, 0, 0, 0)


@dataclass(frozen=True)
class ListQuestion:
    """A list of a host. The limits are those of all its pages together."""

    url: str
    size_limit_bytes: int
    time_limit_s: float


@dataclass
class _Pages:
    """Pages in the order they came, as they came, and what stands in them."""

    bodies: list[bytes] = field(default_factory=list)
    objects: list[dict[str, Any]] = field(default_factory=list)


def download_list(
    question: ListQuestion, client: Client, target: Path, known: Path | None, changed_at: str | None
) -> Answer:
    """Ask for what has changed in the list since `changed_at`, or for all of it where nothing is known.

    `known` is the archive of the former answer, `changed_at` the etag of that. Returns an Answer whose etag is the
    latest `modified` of all objects; the archive then lies at `target`. Status 304 where nothing has changed. Raises
    FetchFailed and PayloadRefused as `Client.download` does, and where a page is no page of a list.
    """
    walk = _Walk(question, client, target)
    former = _read(known) if known is not None and changed_at is not None and instant(changed_at) else None
    if former is None or len(former) > DELTA_LIMIT:
        return walk.whole()
    query = urlencode({"modified_since": changed_at})
    url = f"{question.url}{'&' if urlsplit(question.url).query else '?'}{query}"
    told = walk.pages(url)
    if isinstance(told, Answer):
        return told
    since = instant(str(changed_at))
    times = [instant(entry.get("modified")) for entry in told.objects]
    if any(at is None or since is None or at < since for at in times):
        # The filter is not known there and these pages are the whole list, or an object says wrongly when it changed.
        is_whole = _latest(former).keys() <= _latest([told]).keys()
        return walk.keep([told]) if is_whole else walk.whole()
    if all(entry in _latest(former).values() for entry in told.objects):
        return Answer(304, etag=changed_at)
    return walk.keep([*former, told])


class _Walk:
    """A walk through the pages of a list, within the limits of its question."""

    def __init__(self, question: ListQuestion, client: Client, target: Path) -> None:
        self._question, self._client, self._target = question, client, target
        self._deadline = time.monotonic() + question.time_limit_s
        self._bytes = 0

    def whole(self) -> Answer:
        """The whole list."""
        told = self.pages(self._question.url)
        return told if isinstance(told, Answer) else self.keep([told])

    def pages(self, url: str | None) -> _Pages | Answer:
        """All pages from `url` on; the answer where one of them does not come (404, 410)."""
        found, seen = _Pages(), set[str]()
        while url is not None:
            if url in seen or len(seen) == PAGE_LIMIT:
                raise PayloadRefused(
                    f"{self._target.name}: {url} is linked as next of {len(seen)} pages, expected each page once and "
                    f"at most {PAGE_LIMIT}; ask the publisher"
                )
            seen.add(url)
            answer = self._page(url)
            if answer.status != 200:
                return answer
            body = self._target.read_bytes()
            url = self._read(url, body, found)
        return found

    def keep(self, told: list[_Pages]) -> Answer:
        """Write the archive; pages are equal where their contents are."""
        changed_at = None
        with zipfile.ZipFile(self._target, "w", zipfile.ZIP_DEFLATED) as archive:
            for number, pages in enumerate(told):
                for page, body in enumerate(pages.bodies, start=1):
                    member = zipfile.ZipInfo(f"{number:05}-{page:05}.json", _STAMP)
                    archive.writestr(member, body, zipfile.ZIP_DEFLATED)
        times = [entry.get("modified") for pages in told for entry in pages.objects]
        dated = [(at, str(text)) for text in times if (at := instant(text)) is not None]
        # Where an object does not say when it changed, changes cannot be asked for.
        if dated and len(dated) == len(times):
            changed_at = max(dated)[1]
        return Answer(200, etag=changed_at, bytes=self._bytes)

    def _page(self, url: str) -> Answer:
        left_s = self._deadline - time.monotonic()
        if left_s <= 0:
            raise FetchFailed(
                f"{self._question.url}: {self._bytes} bytes in {self._question.time_limit_s:.0f} s is too slow; the "
                "next run tries again, or raise time_limit_s in the source's YAML"
            )
        ask = Ask(url, size_limit_bytes=min(PAGE_LIMIT_BYTES, self._question.size_limit_bytes), time_limit_s=left_s)
        answer = self._client.download(ask, self._target)
        self._bytes += answer.bytes
        if self._bytes > min(self._question.size_limit_bytes, UNPACKED_LIMIT_BYTES):
            raise PayloadRefused(
                f"{self._question.url}: more than the allowed {self._question.size_limit_bytes} bytes came; raise "
                "size_limit_mb in the source's YAML or keep the former list"
            )
        return answer

    def _read(self, url: str, body: bytes, found: _Pages) -> str | None:
        """Add a page to those found; returns the address of the next one, None after the last."""
        check_payload(self._target, "json")
        objects, following = page_of(body, self._target.name)
        found.bodies.append(body)
        found.objects += objects
        if following is None:
            return None
        if urlsplit(following).netloc != urlsplit(url).netloc:
            raise PayloadRefused(
                f"{self._target.name}: the next page is {following[:200]!r}, expected one of the same host; "
                "ask the publisher"
            )
        # Some hosts link to themselves by plain http.
        return f"https://{following.split('://', 1)[1]}"


def page_of(body: bytes, where: str) -> tuple[list[dict[str, Any]], str | None]:
    """The objects of a page and the address of the next one, None after the last; raises PayloadRefused."""
    try:
        page = json.loads(body)
        objects = page["data"]
        following = (page.get("links") or {}).get("next")
        address_ok = following is None or urlsplit(following).scheme in ("http", "https")
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise PayloadRefused(
            f"{where}: expected a page of an OParl list, {body[:120]!r} came; see the kept file"
        ) from error
    if not isinstance(objects, list) or not all(isinstance(entry, dict) for entry in objects) or not address_ok:
        raise PayloadRefused(
            f"{where}: expected `data`, a list of objects, and `links.next`, an address; see the kept file"
        )
    return objects, following


def pages_of(path: Path) -> Iterator[tuple[str, bytes]]:
    """Name and content of the pages of an archive, in the order they were told; raises PayloadRefused."""
    with open_zip(path, UNPACKED_LIMIT_BYTES) as archive:
        members = files(archive)
        for name in sorted(members):
            if not _PAGE_NAME.fullmatch(name):
                raise PayloadRefused(
                    f"{path.name}: expected pages such as 00000-00001.json, found {name[:80]!r}; see the kept file"
                )
            if members[name].file_size > PAGE_LIMIT_BYTES:
                raise PayloadRefused(
                    f"{path.name}: {name} unpacks to more than {PAGE_LIMIT_BYTES} bytes; ask the publisher"
                )
            yield name, archive.read(members[name])


def instant(text: object) -> datetime | None:
    """An instant as OParl writes it (RFC 3339, with offset), None for anything else."""
    try:
        found = datetime.fromisoformat(text) if isinstance(text, str) else None
    except ValueError:
        return None
    return found if found is not None and found.tzinfo is not None else None


def _read(archive: Path) -> list[_Pages]:
    """The whole list and what was told since, from a former archive."""
    told: dict[str, _Pages] = {}
    for name, body in pages_of(archive):
        pages = told.setdefault(name.split("-")[0], _Pages())
        pages.bodies.append(body)
        pages.objects += page_of(body, name)[0]
    return list(told.values())


def _latest(told: list[_Pages]) -> dict[Any, dict[str, Any]]:
    """Every object as it was told last, by its id."""
    return {str(entry.get("id")): entry for pages in told for entry in pages.objects}
