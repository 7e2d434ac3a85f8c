"""The source catalogue: one YAML file per publisher in `data/sources/`, read into strict models.

Light to import: DAG files read it. That options fit their connector is checked by `connectors.registry`.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Any, Literal, Self

import yaml
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError, field_validator, model_validator

from muensterland.settings import Input

Domain = Literal["core", "transit", "mobility", "energy", "registers"]
DOMAINS: tuple[Domain, ...] = ("core", "transit", "mobility", "energy", "registers")

Name = Annotated[str, StringConstraints(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$")]
Text = Annotated[str, StringConstraints(min_length=1, strip_whitespace=True)]
HttpsAddress = Annotated[str, StringConstraints(pattern=r"^https://[^/\s]+/\S*$")]
MonthText = Annotated[str, StringConstraints(pattern=r"^\d{4}-(0[1-9]|1[0-2])$")]
# A value becomes part of an address and of a partition's id `resource/key=value/…`.
PartitionValue = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-][A-Za-z0-9_.-]*$")]
# Five fields; one that Airflow cannot read would take all DAGs of the file with it.
Cron = Annotated[str, StringConstraints(pattern=r"^[0-9A-Za-z*/,#-]+( [0-9A-Za-z*/,#-]+){4}$")]
Sha256 = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
AreaKey = Annotated[str, StringConstraints(pattern=r"^(\d{5}|\d{8})$")]


class CatalogueError(ValueError):
    """A file of the catalogue does not fit; the message names file and key."""


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class ResourceValues(_Strict):
    """Partition values read from an earlier resource of the same source: a JSON list of objects."""

    from_resource: str
    json_key: str


class Months(_Strict):
    """One partition per month, `YYYY-MM`, from `first` to the month of the run's clock or to `last`.

    A month that ended more than `settled_after_days` ago is asked again only every `recheck_days`.
    """

    first: MonthText
    last: MonthText | None = None
    settled_after_days: int = Field(62, ge=0)
    recheck_days: int = Field(30, ge=0)


class _Range(_Strict):
    """What a figure of a snapshot may be, over that of the former one in force; a bound left out is not checked."""

    min: float | None = Field(None, ge=0, le=1)
    max: float | None = Field(None, ge=1)

    @model_validator(mode="after")
    def _has_a_bound(self) -> Self:
        if self.min is None and self.max is None:
            raise ValueError("needs min, max or both; to check nothing write off")
        return self


class SizeRatio(_Range):
    """Bytes of the landed file. Reported only, unless told otherwise: packing and spelling change sizes as well."""

    severity: Literal["report", "refuse"] = "report"


class RecordRatio(_Range):
    """Records in scope (staged + rejected) of each table, or of the `tables` named.

    Tables with fewer than `from_records` in the former snapshot are left alone: a ratio of a handful says nothing.
    """

    severity: Literal["report", "refuse"] = "refuse"
    from_records: int = Field(10, gt=0)
    tables: tuple[Text, ...] | None = None


class Guards(_Strict):
    """How far a snapshot may differ from the former one in force of its partition; `off` checks nothing."""

    size_ratio: SizeRatio | Literal["off"] | None = None
    record_ratio: RecordRatio | Literal["off"] | None = None


class Resource(_Strict):
    """What is pulled from one address pattern, or dropped by hand into `inbox/<source>/`, and how it is read.

    `inbox` describes the whole name of files that may be dropped; its named groups are the partition's values. Without
    `url` the resource comes by the drop folder alone. With `url`, without `inbox` and without partitions, any file
    whose content fits may be dropped in place of the publisher's.
    `accept` names snapshots that somebody has looked at: they come into force whatever guards, `drift: freeze` and
    `rejection_limit` say. `fresh_for_days` is the source's unless given here.
    """

    connector: Text
    url: HttpsAddress | None = None
    inbox: Text | None = Field(None, description="regular expression of a dropped file's name")
    options: dict[str, Any] = {}
    form: dict[str, str] = {}
    partitions: dict[str, ResourceValues | Months | tuple[PartitionValue, ...]] = {}
    follow_link: str | None = Field(None, description="regular expression of the file's address on the page `url`")
    absent_is_fine: bool = False
    credentials: Annotated[str, StringConstraints(pattern=r"^[A-Z0-9_]+$")] | None = None
    size_limit_mb: int = Field(500, gt=0)
    time_limit_s: int = Field(600, gt=0)
    fresh_for_days: int | None = Field(None, gt=0)
    guards: Guards = Guards()
    accept: tuple[Sha256, ...] = ()

    @property
    def size_ratio(self) -> SizeRatio | None:
        """The guard on sizes, by default a half to three times; None where it is off."""
        if self.guards.size_ratio is None:
            return SizeRatio(min=0.5, max=None if self._grows else 3)
        return None if self.guards.size_ratio == "off" else self.guards.size_ratio

    @property
    def record_ratio(self) -> RecordRatio | None:
        """The guard on record counts, by default 0.7 to twice; None where it is off."""
        if self.guards.record_ratio is None:
            return RecordRatio(min=0.7, max=None if self._grows else 2)
        return None if self.guards.record_ratio == "off" else self.guards.record_ratio

    @property
    def _grows(self) -> bool:
        """Whether a file fills up as its month goes on: from the first day to the last it grows thirtyfold."""
        return any(isinstance(values, Months) for values in self.partitions.values())

    @property
    def address(self) -> str:
        """Where the resource comes from: its address pattern, or `inbox:` and the pattern of the names of its files."""
        return self.url or f"inbox:{self.inbox}"

    @model_validator(mode="after")
    def _comes_by_url_or_inbox(self) -> Self:
        if self.url is not None:
            return self
        if self.inbox is None:
            raise ValueError("expected url (downloaded), inbox (dropped by hand) or both")
        for key in ("partitions", "form", "follow_link", "absent_is_fine", "credentials"):
            if getattr(self, key):
                raise ValueError(
                    f"{key}: says how a url is asked, but there is none; partitions come by inbox's groups"
                )
        return self

    @model_validator(mode="after")
    def _inbox_names_the_partitions(self) -> Self:
        named = set(re.compile(self.inbox).groupindex) if self.inbox is not None else None
        if self.url is not None and named is not None and named != set(self.partitions):
            raise ValueError(f"inbox has the groups {sorted(named)}, partitions declare {sorted(self.partitions)}")
        return self

    @model_validator(mode="after")
    def _partitions_fill_the_address(self) -> Self:
        if self.url is None:
            return self
        named = set(re.findall(r"{(\w+)}", self.url))
        if named != set(self.partitions):
            raise ValueError(f"url names {sorted(named)}, partitions declare {sorted(self.partitions)}")
        if re.search(r"[{}]", re.sub(r"{\w+}", "", self.url)):
            raise ValueError("url: braces may only enclose the name of a partition")
        return self

    @field_validator("follow_link", "inbox")
    @classmethod
    def _is_a_pattern(cls, value: str | None) -> str | None:
        try:
            re.compile(value or "")
        except re.error as error:
            raise ValueError(f"is no regular expression: {error}") from error
        return value

    @field_validator("follow_link")
    @classmethod
    def _link_is_an_https_pattern(cls, value: str | None) -> str | None:
        if value is not None and not value.startswith("https://"):
            raise ValueError("must describe the whole address, beginning with https://")
        return value


class Source(_Strict):
    """One publisher's file in the catalogue."""

    id: Name
    title_de: Text
    title_en: Text
    domain: Domain
    publisher: Text
    homepage: HttpsAddress
    licence: Text
    licence_url: HttpsAddress
    attribution: Text
    covers: tuple[AreaKey, ...] = Field(min_length=1)
    inputs: tuple[Input, ...] = ("sample", "mirror", "live")
    schedule: Cron
    priority: int = Field(50, ge=0, le=100)
    fresh_for_days: int = Field(gt=0)
    drift: Literal["report", "freeze"] = "report"
    rejection_limit: float = Field(0.05, ge=0, le=1)
    resources: dict[Name, Resource] = Field(min_length=1)

    @model_validator(mode="after")
    def _resources_follow_each_other(self) -> Self:
        seen: set[str] = set()
        for name, resource in self.resources.items():
            for key, values in resource.partitions.items():
                if isinstance(values, ResourceValues) and values.from_resource not in seen:
                    raise ValueError(f"resources.{name}.partitions.{key}: no earlier resource {values.from_resource!r}")
            seen.add(name)
        return self

    @property
    def host(self) -> str:
        """The host that is asked first, `inbox` where none is: sources of one host share an Airflow pool."""
        urls = [resource.url for resource in self.resources.values() if resource.url is not None]
        return urls[0].split("/")[2] if urls else "inbox"


def load_catalogue(folder: Path) -> dict[str, Source]:
    """All sources by id, sorted; raises CatalogueError naming file and key."""
    paths = sorted(folder.glob("*.yml"))
    if not paths:
        raise CatalogueError(f"{folder}: no *.yml, expected one file per publisher; check SOURCES_DIR")
    sources = [load_source(path) for path in paths]
    return {source.id: source for source in sorted(sources, key=lambda source: source.id)}


def load_source(path: Path) -> Source:
    """The source of one file; raises CatalogueError naming file and key."""
    try:
        # libyaml: every task of a run loads the catalogue.
        content = yaml.load(path.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader)
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise CatalogueError(f"{path.name}: not readable as YAML: {error}") from error
    try:
        source = Source.model_validate(content)
    except ValidationError as error:
        problems = "; ".join(f"{'.'.join(map(str, e['loc'])) or 'file'}: {e['msg']}" for e in error.errors())
        raise CatalogueError(f"{path.name}: {problems}") from error
    if source.id != path.stem:
        raise CatalogueError(f"{path.name}: id: is {source.id!r}, expected the file's name {path.stem!r}")
    return source
