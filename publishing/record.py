"""What a release says of itself: the shape of `release.json`."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

RECORD = "release.json"
WAREHOUSE = "muensterland.duckdb"


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class SnapshotUsed(_Strict):
    """A snapshot in force when the release was made, and where its bytes came from and lie.

    `landing/<source_id>/<snapshot_sha256>/<file_name>` holds them, fetched from `url`, last confirmed at `fetched_at`.
    """

    source_id: str
    partition: str
    snapshot_sha256: str
    parse_key: str
    file_name: str | None = None
    url: str | None = None
    fetched_at: AwareDatetime | None = None

    @property
    def identity(self) -> tuple[str, str, str]:
        """What it says and of what, whoever parsed it: source, partition and content."""
        return (self.source_id, self.partition, self.snapshot_sha256)

    @property
    def sort_key(self) -> tuple[str, ...]:
        """Snapshots are listed by source, partition and content, whatever order they came in."""
        return (self.source_id, self.partition, self.snapshot_sha256, self.parse_key)


class ReleasedColumn(_Strict):
    """A column of a mart with its DuckDB type."""

    name: str
    type: str
    description: str


class ReleasedMart(_Strict):
    """A mart as it lies in the release."""

    title_de: str
    title_en: str
    description: str
    version: str
    primary_key: tuple[str, ...]
    volatile_columns: tuple[str, ...]
    rows: int
    content_sha256: str
    columns: tuple[ReleasedColumn, ...]
    key_figures: tuple[str, ...] = ()


class ReleasedFile(_Strict):
    """A file of a release, `release.json` itself apart."""

    sha256: str
    bytes: int


class QualityTable(_Strict):
    """A table that tells how the gate judged the release; outside the content that makes a release new."""

    title_de: str
    title_en: str
    description: str
    primary_key: tuple[str, ...]
    rows: int
    content_sha256: str
    columns: tuple[ReleasedColumn, ...]


class QualityRecord(_Strict):
    """The judgement that made the release, by its number in the journal, and the tables that tell of it."""

    judgement: int
    tables: dict[str, QualityTable]


class GateSummary(BaseModel):
    """The gate's verdict in short; the whole of it lies in the run's `gate.json`."""

    model_config = ConfigDict(frozen=True)

    passed: bool
    counts: dict[str, Any]


class Release(_Strict):
    """A release: `release.json` and the folder it lies in."""

    path: Path = Field(exclude=True)
    version: str
    title_de: str
    title_en: str
    synthetic: bool
    as_of: AwareDatetime
    input_key: str
    code_version: str
    recipe_key: str = Field("", description="hash of catalogue, region and code")
    inputs: tuple[SnapshotUsed, ...]
    gate: GateSummary
    attributions: tuple[dict[str, str], ...]
    marts: dict[str, ReleasedMart]
    files: dict[str, ReleasedFile] = Field({}, description="by path below the release's folder")
    quality: QualityRecord | None = None

    @property
    def warehouse(self) -> Path:
        """The release's DuckDB file."""
        return self.path / WAREHOUSE

    @property
    def parquet(self) -> Path:
        """The folder with one Parquet file per mart."""
        return self.path / "parquet"

    def holds(self, marts: Mapping[str, ReleasedMart], synthetic: bool) -> bool:
        """Whether it says just what `marts` say: the same versions and contents, from bytes of the same kind."""

        def said(those: Mapping[str, ReleasedMart]) -> dict[str, tuple[str, str]]:
            return {name: (mart.version, mart.content_sha256) for name, mart in those.items()}

        return self.synthetic == synthetic and said(self.marts) == said(marts)
