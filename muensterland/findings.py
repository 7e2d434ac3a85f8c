"""The findings of a release in a few words, for the summary of a run."""

from __future__ import annotations

from itertools import groupby
from pathlib import Path

import duckdb

# Of each source; the others are in the mart.
FINDINGS_SHOWN = 2
EXAMPLE_CHARACTERS = 120


def in_words(release: Path, told: set[tuple[str, str]]) -> list[tuple[str, str]]:
    """(severity of the gravest, line) per source with findings of severity warning and above, gravest first.

    `told` names (source, code) that were said elsewhere. A release made before there were findings has none.
    """
    place = release / "parquet" / "mart_source_finding.parquet"
    if not place.exists():
        return []
    with duckdb.connect() as database:
        database.execute("set TimeZone = 'UTC'")
        rows = database.execute(
            """
            select source_id, code, severity, sum(count), arg_min(example, snapshot_sha256), min(first_seen_at::date)
            from read_parquet(?) where severity in ('critical', 'warning')
            group by source_id, code, severity
            order by source_id, severity, code
            """,
            [str(place)],
        ).fetchall()
    kept = [row for row in rows if (row[0], row[1]) not in told]
    return [_line(source_id, list(found)) for source_id, found in groupby(kept, key=lambda row: str(row[0]))]


def _line(source_id: str, found: list[tuple[str, str, str, int, str, object]]) -> tuple[str, str]:
    words = [
        f"{code} ({count:,}{f', since {since}' if since else ''}): {_short(example)}"
        for _, code, _, count, example, since in found[:FINDINGS_SHOWN]
    ]
    more = f"; and {len(found) - FINDINGS_SHOWN} more" if len(found) > FINDINGS_SHOWN else ""
    return found[0][2], f"{source_id}: {'; '.join(words)}{more}"


def _short(example: str) -> str:
    return example if len(example) <= EXAMPLE_CHARACTERS else f"{example[:EXAMPLE_CHARACTERS]}…"
