"""How the sources are doing now: their last run, and how fresh what is in force is."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Literal

import pyarrow.parquet as pq
from pydantic import AwareDatetime, BaseModel, ConfigDict

from connectors.catalogue import Source
from connectors.civil_time import CIVIL_TIME
from connectors.tables import SNAPSHOT_IN_FORCE
from connectors.view import last_successes
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
    in_force = _in_force(home, source.id)
    last_success = last_success_at(home, source.id)
    return SourceStatus(
        source_id=source.id,
        domain=source.domain,
        state=source_state(home, source.id) if read_status(home, source.id) else "never",
        freshness=_freshness(last_success, source.fresh_for_days, clock) if in_force else "missing",
        last_success_at=last_success,
        fresh_for_days=source.fresh_for_days,
        snapshots_in_force=in_force,
        staged=parsed.get("staged", 0),
        rejected=parsed.get("rejected", 0),
        out_of_scope=parsed.get("out_of_scope", 0),
        errors=tuple(source_errors(home, source.id)),
    )


def last_success_at(home: Home, source_id: str) -> datetime | None:
    """When the least fresh resource of a source was last confirmed by bytes that were not refused; None where one of
    those that were asked for never was."""
    found = last_successes(source_id, home.landing, home.staged)
    instants = [instant for instant in found.values() if instant is not None]
    return min(instants) if instants and len(instants) == len(found) else None


def _freshness(last_success: datetime | None, fresh_for_days: int, clock: datetime) -> Freshness:
    day = clock.astimezone(CIVIL_TIME).replace(hour=0, minute=0, second=0, microsecond=0)
    fresh = last_success is not None and last_success >= day - timedelta(days=fresh_for_days)
    return "fresh" if fresh else "stale"


def _in_force(home: Home, source_id: str) -> int:
    place = home.staged / SNAPSHOT_IN_FORCE.name / f"{source_id}.parquet"
    return len(set(pq.ParquetFile(place).read().column("snapshot_sha256").to_pylist())) if place.exists() else 0
