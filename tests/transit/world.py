"""Small GTFS feeds on their whole way: landed, parsed by the connector, frozen, built by dbt into marts."""

from __future__ import annotations

import csv
import hashlib
import io
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from connectors.catalogue import Source, load_catalogue
from connectors.landing import FetchRecord, Landing
from connectors.parsing import ParseSummary, parse_source
from connectors.region import region
from connectors.view import freeze
from muensterland.sample import territory
from muensterland.settings import REPOSITORY
from tests.connectors.conftest import source_fields
from tests.dbt_project.conftest import Built, build

Feed = Mapping[str, str]
AT = datetime(2026, 11, 20, 4, 0, tzinfo=UTC)
TERRITORY = {
    "bkg-boundaries": ("boundaries", territory.BOUNDARIES, territory.boundaries),
    "destatis-municipality-directory": ("municipalities", territory.REGISTER, territory.register),
}


def packed(feed: Feed) -> bytes:
    """The feed as a zip, the same bytes for the same feed."""
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in feed.items():
            archive.writestr(zipfile.ZipInfo(name), text.encode(), zipfile.ZIP_DEFLATED)
    return target.getvalue()


def feed_source(source_id: str, priority: int = 50, limit: float = 0.05, **resource: object) -> Source:
    """A source of one GTFS feed; guards are off unless given. limit: share of records that may be rejected."""
    fields = {"connector": "gtfs", "url": "https://feeds.example/feed.zip", **resource}
    fields.setdefault("guards", {"record_ratio": "off", "size_ratio": "off"})
    return Source.model_validate(
        source_fields({"feed": fields}, id=source_id, domain="transit", priority=priority, rejection_limit=limit)
    )


@dataclass
class World:
    """A home with the sample's territory and the feeds that landed, in the order of their landing."""

    root: Path
    sources: dict[str, Source] = field(default_factory=dict)
    landed: int = 0

    def __post_init__(self) -> None:
        known = load_catalogue(REPOSITORY / "data/sources")
        for source_id, (partition, address, content) in TERRITORY.items():
            self.sources[source_id] = known[source_id]
            self._land(source_id, partition, content(), address.rsplit("/", 1)[1])

    def land(self, source: Source, feed: Feed) -> ParseSummary:
        """Let a feed come, a day after the one before, and parse it."""
        self.sources[source.id] = source
        return self._land(source.id, "feed", packed(feed), "feed.zip")

    def land_file(self, source: Source, path: Path) -> ParseSummary:
        """The same with a feed that lies in a file."""
        self.sources[source.id] = source
        return self._land(source.id, "feed", path.read_bytes(), path.name)

    def view(self, name: str = "view") -> Path:
        """What is in force, frozen for dbt."""
        view = self.root / name
        freeze(view, self.sources, region(), self.root / "landing", self.root / "staged", "sample")
        return view

    def built(self) -> Built:
        """The marts of core and transit."""
        choice = ("--select", "tag:core", "tag:transit", "--resource-type", "seed", "--resource-type", "model")
        made = build(self.view(), self.root / "build", *choice)
        assert made.result.success, [str(result) for result in made.result.result if result.status in ("error", "fail")]
        return made

    def _land(self, source_id: str, partition: str, content: bytes, name: str) -> ParseSummary:
        landing = self._keep(source_id, partition, content, name)
        return parse_source(self.sources[source_id], landing, self.root / "staged")

    def _keep(self, source_id: str, partition: str, content: bytes, name: str) -> Landing:
        landing = Landing(self.root / "landing", source_id)
        sha256 = hashlib.sha256(content).hexdigest()
        draft = self.root / "draft"
        self.root.mkdir(parents=True, exist_ok=True)
        draft.write_bytes(content)
        landing.keep(draft, sha256, name)
        at = AT + timedelta(days=self.landed)
        self.landed += 1
        landing.append(
            FetchRecord(
                source_id, partition, "https://feeds.example/feed.zip", at, at, 200, None, None, sha256,
                len(content), "new", None, file_name=name,
            )
        )  # fmt: skip
        return landing


def table(header: str, rows: Sequence[Sequence[object]]) -> str:
    """CSV text as the reference has it."""
    target = io.StringIO()
    csv.writer(target, lineterminator="\n").writerows([header.split(","), *rows])
    return target.getvalue()
