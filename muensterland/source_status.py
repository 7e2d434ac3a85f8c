"""How the sources are doing now: their last run, and how fresh what is in force is."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Literal

import pyarrow.parquet as pq
from pydantic import AwareDatetime, BaseModel, ConfigDict

from connectors.catalogue import Source
from connectors.landing import Landing
from connectors.tables import PARSE_LOG, SNAPSHOT_IN_FORCE
from connectors.view import LOCAL_TIME
from muensterland.settings import Home
from muensterland.steps import read_status, source_errors, source_state

Freshness = Literal["fresh", "stale", "missing"]


class SourceStatus(BaseModel):
    """A source's state after its last run and what of it is in force.

    state: new, unchanged, stale (failed, a former snapshot is in force), failed, or never (not asked yet).
    last_success_at: of its least fresh resource. Records are those of the snapshots in force.
    """

    model_config = ConfigDict(frozen=True)

    source_id: str
    domain: str
    state: str
    freshness: Freshness
    last_success_at: AwareDatetime | None
    fresh_for_days: int
    snapshots_in_force: int
    staged: int
    rejected: int
    out_of_scope: int
    errors: tuple[str, ...]


def status_of(home: Home, source: Source, clock: datetime) -> SourceStatus:
    """The status of one source at the instant `clock`, in the words of `mart_coverage`."""
    parsed = read_status(home, source.id).get("parse", {})
    in_force = _column(home, SNAPSHOT_IN_FORCE.name, source.id, {})
    last_success = last_success_at(home, source.id)
    return SourceStatus(
        source_id=source.id,
        domain=source.domain,
        state=source_state(home, source.id) if read_status(home, source.id) else "never",
        freshness=_freshness(last_success, source.fresh_for_days, clock) if in_force else "missing",
        last_success_at=last_success,
        fresh_for_days=source.fresh_for_days,
        snapshots_in_force=len(in_force),
        staged=parsed.get("staged", 0),
        rejected=parsed.get("rejected", 0),
        out_of_scope=parsed.get("out_of_scope", 0),
        errors=tuple(source_errors(home, source.id)),
    )


def last_success_at(home: Home, source_id: str) -> datetime | None:
    """When the least fresh resource of a source was last confirmed by bytes that were not refused; None where one of
    those that were asked for never was."""
    in_force = _column(home, SNAPSHOT_IN_FORCE.name, source_id, {})
    refused = _column(home, PARSE_LOG.name, source_id, {"outcome": "refused"}) - in_force
    found: dict[str, datetime | None] = {}
    for record in Landing(home.landing, source_id).log():
        resource = record.partition.split("/")[0]
        found.setdefault(resource, None)
        if record.outcome in ("new", "unchanged") and record.snapshot_sha256 not in refused:
            found[resource] = record.finished_at
    instants = [instant for instant in found.values() if instant is not None]
    return min(instants) if instants and len(instants) == len(found) else None


def _freshness(last_success: datetime | None, fresh_for_days: int, clock: datetime) -> Freshness:
    day = clock.astimezone(LOCAL_TIME).replace(hour=0, minute=0, second=0, microsecond=0)
    fresh = last_success is not None and last_success >= day - timedelta(days=fresh_for_days)
    return "fresh" if fresh else "stale"


def _column(home: Home, table: str, source_id: str, where: dict[str, str]) -> set[str]:
    """The snapshots that a table of state names for a source."""
    place = home.staged / table / f"{source_id}.parquet"
    rows = pq.ParquetFile(place).read().to_pylist() if place.exists() else []
    return {row["snapshot_sha256"] for row in rows if all(row[name] == value for name, value in where.items())}
