"""What the tests of the connectors share: a publisher, a client that waits for nobody, and small sources."""

from __future__ import annotations

import hashlib
import io
import sys
import zipfile
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from connectors.catalogue import Source
from connectors.connector import Connector, Snapshot
from connectors.errors import SnapshotRefused
from connectors.formats import CONNECTORS
from connectors.http import Client
from connectors.landing import FetchRecord, Landing
from connectors.region import Region
from connectors.staging import StagedWriter
from connectors.tables import COUNT_SITE
from tests.connectors.publisher import Publisher, publishing

AS_OF = datetime(2024, 3, 15, 12, 0, tzinfo=UTC)


@pytest.fixture
def publisher() -> Iterator[Publisher]:
    with publishing() as running:
        yield running


@pytest.fixture
def waits() -> list[float]:
    """The pauses a client wanted to make."""
    return []


@pytest.fixture
def client(publisher: Publisher, waits: list[float]) -> Client:
    """A client that takes the publisher for every host, does not really wait, and draws the middle of the jitter."""
    return Client(publisher.rebase, waits.append, jitter=lambda: 0.5)


@pytest.fixture
def landing(tmp_path: Path) -> Landing:
    return Landing(tmp_path / "landing", "town")


def source_fields(resources: Mapping[str, Any], **overrides: Any) -> dict[str, Any]:
    """A source as its YAML file would have it."""
    return {
        "id": "town",
        "title_de": "Stadt",
        "title_en": "Town",
        "domain": "mobility",
        "publisher": "Stadt",
        "homepage": "https://town.example/",
        "licence": "dl-de/by-2-0",
        "licence_url": "https://www.govdata.de/dl-de/by-2-0",
        "attribution": "Stadt",
        "covers": ["05515000"],
        "schedule": "0 5 * * *",
        "fresh_for_days": 3,
        "resources": dict(resources),
        **overrides,
    }


def source_of(resources: Mapping[str, Any], **overrides: Any) -> Source:
    return Source.model_validate(source_fields(resources, **overrides))


def zipped(members: Mapping[str, bytes], stamp: tuple[int, int, int, int, int, int] = (2024, 1, 1, 0, 0, 0)) -> bytes:
    """A zip of the members in the order given, all packed at `stamp`."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(zipfile.ZipInfo(name, stamp), content, zipfile.ZIP_DEFLATED)
    return packed.getvalue()


class Letters:
    """A format for tests: a line is a record of COUNT_SITE; it says what becomes of it.

    `bad …` is rejected, `skip …` out of scope, `lost …` forgotten by the parser, `new …` makes a drift, `gone …` is a
    declared column that is missing, `columns a,b` says what the header names; a file of `broken` cannot be read, at
    `crash` the parser is killed after it has begun to write (unless `kills` is False).
    """

    def __init__(self) -> None:
        self.parsed: list[Snapshot] = []
        self.kills = True

    def parse(
        self, snapshot: Snapshot, out: StagedWriter, region: Region, /, *, prefix: str = "", year: int = 0
    ) -> None:
        self.parsed.append(snapshot)
        lines = snapshot.path.read_text().splitlines()
        out.read(COUNT_SITE, len(lines))
        for number, line in enumerate(lines, start=1):
            word = line.split(" ")[0]
            if word == "bad":
                out.reject(COUNT_SITE, number, "site_name", line, "said to be bad")
            elif word == "skip":
                out.out_of_scope(COUNT_SITE, "said to be skipped")
            elif word == "broken":
                raise SnapshotRefused(f"{snapshot.path.name}: is broken")
            elif word == "crash" and self.kills:
                raise KeyboardInterrupt
            elif word != "lost":
                if word == "new":
                    out.drift(COUNT_SITE, line, "new")
                if word == "gone":
                    out.drift(COUNT_SITE, line, "missing")
                if word == "columns":
                    out.saw_header(COUNT_SITE, line.removeprefix("columns ").split(","))
                row = {"record_number": number, "site_id": prefix + line, "site_name": line, "first_year": year or None}
                out.write(COUNT_SITE, [row])


@pytest.fixture
def letters(monkeypatch: pytest.MonkeyPatch) -> Letters:
    """The connector `letters`, registered for the test."""
    format_ = Letters()
    module = SimpleNamespace(CONNECTOR=Connector("letters", 1, "csv", (COUNT_SITE,), format_.parse))
    monkeypatch.setitem(sys.modules, "connectors.formats.letters", module)  # type: ignore[arg-type]
    monkeypatch.setitem(CONNECTORS, "letters", "letters:CONNECTOR")
    return format_


Land = Callable[..., str]


@pytest.fixture
def land(landing: Landing, tmp_path: Path) -> Land:
    """Put bytes into the landing as a fetch would; returns their sha256."""

    def keep(
        partition: str,
        content: bytes,
        fetched_at: datetime = AS_OF,
        into: Landing = landing,
        name: str = "file.csv",
    ) -> str:
        sha256 = hashlib.sha256(content).hexdigest()
        draft = tmp_path / "draft"
        draft.write_bytes(content)
        into.keep(draft, sha256, name)
        source_id, url = into.folder.name, "https://town.example/file.csv"
        record = FetchRecord(
            source_id, partition, url, fetched_at, fetched_at, 200, None, None, sha256, len(content), "new", None
        )
        into.append(FetchRecord(**{**vars(record), "file_name": name}))
        return sha256

    return keep
