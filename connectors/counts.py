"""What sources declare of their counters, as state tables: what channels mean, and which counts are wrong."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime

import pyarrow as pa

from connectors.catalogue import Source
from connectors.civil_time import CIVIL_TIME
from connectors.tables import COUNT_CORRECTION, COUNT_TOPOLOGY


def declared_topology(sources: Iterable[Source], input_kind: str) -> pa.Table:
    """The rows of `count_topology`: every entry of `topology` that is for this input, in the files' order."""
    rows = [
        {
            "source_id": source.id,
            "declaration": f"topology.{number}",
            "site_id": entry.site,
            "channel_id": entry.channel,
            "first_date": entry.from_,
            "last_date": entry.to,
            "channel_role": entry.role,
            "mode": entry.mode,
            "direction": entry.direction,
            "reason": entry.reason,
        }
        for source in sources
        for number, entry in enumerate(source.topology)
        if input_kind in entry.inputs
    ]
    return pa.Table.from_pylist(rows, schema=COUNT_TOPOLOGY.columns)


def declared_corrections(sources: Iterable[Source], input_kind: str) -> pa.Table:
    """The rows of `count_correction`: every entry of `corrections` that is for this input, in the files' order."""
    rows = [
        {
            "source_id": source.id,
            "declaration": f"corrections.{number}",
            "site_id": entry.site,
            "channel_id": entry.channel,
            "first_at": _instant(entry.from_),
            "until_at": _instant(entry.to),
            "action": entry.action,
            "factor": entry.factor,
            "expected_count": entry.expect,
            "reason": entry.reason,
            "provider": entry.provider,
        }
        for source in sources
        for number, entry in enumerate(source.corrections)
        if input_kind in entry.inputs
    ]
    return pa.Table.from_pylist(rows, schema=COUNT_CORRECTION.columns)


def _instant(local: datetime) -> datetime:
    return local.replace(tzinfo=CIVIL_TIME).astimezone(UTC)
