"""What a connector is: how a resource's bytes are asked for, recognised and parsed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any, Literal, Protocol

from connectors.region import Region
from connectors.staging import StagedWriter
from connectors.tables import Table

Payload = Literal["zip", "csv", "json", "xlsx", "html", "protobuf", "yaml", "xml", "csv_utf16"]


@dataclass(frozen=True)
class Snapshot:
    """The bytes of one partition as landed, with what its source says of them."""

    source_id: str
    path: Path
    sha256: str
    partition: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Listed:
    """What a list names for another resource to be asked for: a partition's value, and what the address needs beside.

    `{site}` of an address is the value, `{site.flows}` one of its fields. last_day: of the local time that the value
    tells of, `date.max` while it goes on, None where it tells of no time.
    """

    value: str
    fields: Mapping[str, str] = field(default_factory=dict)
    last_day: date | None = None


class Parse(Protocol):
    """Parse a snapshot into the writer: a pure function of bytes, partition, region and options.

    Raises SnapshotRefused where the snapshot cannot be read as a whole.
    """

    def __call__(self, snapshot: Snapshot, out: StagedWriter, region: Region, /, **options: Any) -> None:
        """Write every record of the snapshot to `out`."""


@dataclass(frozen=True)
class Connector:
    """A format the pipeline can read.

    name: what the catalogue calls it. version: counts up whenever the parser's output changes.
    payload: what the bytes must be. tables: the staged tables it fills. request: how bytes are asked for.
    unpacked_limit_bytes: an archive that unpacks to more is refused; bounds the disk and time a file can take.
    needs_timetable: what it reads speaks of the timetable of another source, which the catalogue must name.
    listed: of a file that lists what other resources are asked for: what it names, by path, region and the resource's
    options; raises SourceError where it cannot be read. listed_fields: what each of them has beside its value.
    options: reads a resource's options into the keyword arguments of `parse`, where they are more than values of its
    parameters; raises CatalogueError with lines `options.<key>: …`. payload_of: the payload by the resource's options,
    where it depends on them. reads: of an archive, by a member's base name and the options, whether `parse` reads it:
    of a host that gives parts of a file the others are not fetched.
    """

    name: str
    version: int
    payload: Payload
    tables: tuple[Table, ...]
    parse: Callable[..., None]
    request: Literal["get", "genesis", "genesis_metadata", "oparl"] = "get"
    unpacked_limit_bytes: int = 2**30
    needs_timetable: bool = False
    listed: Callable[..., Iterable[Listed]] | None = None
    listed_fields: tuple[str, ...] = ()
    options: Callable[[Mapping[str, Any]], dict[str, Any]] | None = None
    payload_of: Callable[[Mapping[str, Any]], Payload] | None = None
    reads: Callable[..., bool] | None = None
