"""Judge a parsed snapshot: by its source's limits, and against the former snapshot in force of its partition.

Pure functions of figures and catalogue, so that the same landing and the same YAML give the same verdict on any day.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from connectors.catalogue import MeasureRatio, RecordRatio, Resource, SizeRatio, Source
from connectors.drift import FILE, Columns, Drift, Seen, drift_between
from connectors.staging import Account, StagedWriter, staged_file
from connectors.tables import COLUMN_DRIFT, COLUMN_SEEN, RECORD_ACCOUNT, REJECTED_ROW, SNAPSHOT_MEASURE

# Counts up when the same figures and limits would be judged otherwise.
RULES_VERSION = 1
_DRIFTS_TOLD = 3


@dataclass(frozen=True)
class Figures:
    """What is known of a snapshot without its rows. first_rejection: per table, the first rejected record in words.

    measures: how much it holds of what its parser counts, by measure and subject.
    """

    bytes: int
    accounts: Mapping[str, Account]
    columns: Columns
    drifts: tuple[Drift, ...]
    first_rejection: Mapping[str, str]
    measures: Mapping[tuple[str, str], int] = field(default_factory=dict)


@dataclass(frozen=True)
class Finding:
    """What comparing a snapshot with the former one found (see SNAPSHOT_FINDING)."""

    code: str
    table_name: str
    subject: str
    example: str


@dataclass(frozen=True)
class Breach:
    """A guard that was passed: the finding, and whether the guard refuses the snapshot."""

    finding: Finding
    refuses: bool


def figures_of(writer: StagedWriter, path: Path) -> Figures:
    """The figures of a snapshot that was just parsed from `path`."""
    accounts = writer.accounts
    return Figures(
        bytes=path.stat().st_size,
        accounts=accounts,
        columns=writer.columns,
        drifts=tuple(writer.drifts),
        first_rejection={name: writer.first_rejection(name) for name, account in accounts.items() if account.rejected},
        measures=dict(writer.measures),
    )


def staged_figures(staged: Path, source_id: str, snapshot_sha256: str, parse_key: str, path: Path) -> Figures | None:
    """The figures of a staged snapshot that was parsed from `path`; None where it is not staged."""

    def rows(table: str) -> list[dict[str, Any]]:
        place = staged_file(staged, table, source_id, snapshot_sha256, parse_key)
        found: list[dict[str, Any]] = pq.ParquetFile(place).read().to_pylist() if place.exists() else []
        return found

    if not staged_file(staged, RECORD_ACCOUNT.name, source_id, snapshot_sha256, parse_key).exists():
        return None
    totals: dict[str, dict[str, int]] = {}
    for row in rows(RECORD_ACCOUNT.name):
        table = totals.setdefault(row["table_name"], dict.fromkeys(("read", "staged", "rejected", "out_of_scope"), 0))
        table[row["outcome"]] += row["records"]
    first: dict[str, str] = {}
    for row in rows(REJECTED_ROW.name):
        words = f"record {row['record_number']}, {row['column_name']}: {row['reason']} ({row['raw_text']!r})"
        first.setdefault(row["table_name"], words)
    return Figures(
        bytes=path.stat().st_size,
        accounts={name: Account(**counts) for name, counts in sorted(totals.items())},
        columns={
            (row["table_name"], row["column_name"]): Seen(row["position"], row["records"])
            for row in rows(COLUMN_SEEN.name)
        },
        drifts=tuple(
            Drift(row["table_name"], row["column_name"], row["change"], row.get("former_name"))
            for row in rows(COLUMN_DRIFT.name)
        ),
        first_rejection=first,
        measures={(row["measure"], row["subject"]): row["amount"] for row in rows(SNAPSHOT_MEASURE.name)},
    )


def rules_key(source: Source, resource: Resource, snapshot_sha256: str) -> str:
    """Equal where the same figures get the same verdict: a changed limit, and being accepted, make another key."""
    rules = [
        RULES_VERSION,
        source.drift,
        source.rejection_limit,
        *(
            guard and guard.model_dump(mode="json")
            for guard in (resource.size_ratio, resource.record_ratio, resource.guards.measure_ratio)
        ),
    ]
    digest = hashlib.sha256(json.dumps(rules, sort_keys=True).encode()).hexdigest()[:16]
    return f"{digest}-accepted" if snapshot_sha256 in resource.accept else digest


def drift_since(former: Figures | None, now: Figures) -> list[Drift]:
    """The drift from the former snapshot in force, without what the snapshot's own drift tells already."""
    if former is None:
        return []
    gone = {(drift.table, drift.former_name or drift.column) for drift in now.drifts if drift.change != "new"}
    come = {(drift.table, drift.column) for drift in now.drifts if drift.change != "missing"}
    return [
        drift
        for drift in drift_between(former.columns, now.columns)
        if not (drift.change == "missing" and (drift.table, drift.column) in gone)
        and not (drift.change == "new" and (drift.table, drift.column) in come)
        and drift not in now.drifts
    ]


def drift_findings(drifts: list[Drift]) -> list[Finding]:
    """The findings that tell of a drift from the former snapshot."""
    words = {"new": "not in the former snapshot", "missing": "was in the former snapshot", "renamed": "renamed"}
    found = []
    for drift in drifts:
        is_file = drift.column.startswith(FILE)
        what = drift.column.removeprefix(FILE) if is_file else f"{drift.table}.{drift.subject}"
        code = f"{'file' if is_file else 'column'}_{drift.change}"
        found.append(Finding(code, drift.table, drift.subject, f"{what}: {words[drift.change]}"))
    return found


def breaches(resource: Resource, former: Figures | None, now: Figures) -> list[Breach]:
    """The guards of a resource that a snapshot breaks against the former one in force."""
    if former is None:
        return []
    found: list[Breach] = []
    size, records, measures = resource.size_ratio, resource.record_ratio, resource.guards.measure_ratio
    if size is not None:
        found += _breach("size_guard", "", "bytes", size, "size_ratio", former.bytes, now.bytes)
    if records is not None:
        for table, account in former.accounts.items():
            before = account.read - account.out_of_scope
            if before >= records.from_records and (records.tables is None or table in records.tables):
                found += _breach(
                    "record_guard", table, "records", records, "record_ratio", before, _in_scope(now, table)
                )
    if measures is not None:
        for (measure, subject), amount in former.measures.items():
            if amount >= measures.from_amount:
                unit = f"{measure} of {subject}"
                found += _breach(
                    "hollow", "", unit, measures, "measure_ratio", amount, now.measures.get((measure, subject), 0)
                )
    return found


def refusal(source: Source, resource_name: str, now: Figures, drifts: list[Drift], guards: list[Breach]) -> str | None:
    """Why the snapshot may not come into force and what to do, all reasons in one text; None where it may."""
    reasons = [
        *_frozen(source, [*now.drifts, *drifts]),
        *_rejected_too_much(source, now),
        *(f"{guard.finding.example} (resources.{resource_name}.guards)" for guard in guards if guard.refuses),
    ]
    if not reasons:
        return None
    return (
        f"{'; '.join(reasons)}; look at the file: if it is right, name the snapshot under resources.{resource_name}"
        f".accept in {source.id}.yml or change the limit there, else tell the publisher"
    )


def _frozen(source: Source, drifts: list[Drift]) -> Iterator[str]:
    if source.drift == "freeze" and drifts:
        told = "; ".join(f"{drift.change} column {drift.subject!r} in {drift.table}" for drift in drifts[:_DRIFTS_TOLD])
        more = f" and {len(drifts) - _DRIFTS_TOLD} more" if len(drifts) > _DRIFTS_TOLD else ""
        yield f"{told}{more}, but {source.id}.yml says drift: freeze"


def _rejected_too_much(source: Source, now: Figures) -> Iterator[str]:
    for table, account in now.accounts.items():
        if account.rejected_share > source.rejection_limit:
            yield (
                f"{account.rejected} of {account.read - account.out_of_scope} records of {table} rejected, "
                f"at most {source.rejection_limit:.0%} allowed; first: {now.first_rejection[table]} (rejection_limit)"
            )


def _in_scope(figures: Figures, table: str) -> int:
    account = figures.accounts.get(table, Account())
    return account.read - account.out_of_scope


def _breach(
    code: str, table: str, unit: str, bounds: SizeRatio | RecordRatio | MeasureRatio, key: str, before: int, now: int
) -> list[Breach]:
    """The guard's breach, none where the figure keeps the bounds or there is nothing to compare it with."""
    if not before:
        return []
    ratio = now / before
    if bounds.min is not None and ratio < bounds.min:
        bound = f"{key}.min allows no less than {bounds.min:g}"
    elif bounds.max is not None and ratio > bounds.max:
        bound = f"{key}.max allows no more than {bounds.max:g}"
    else:
        return []
    what = f"{table}: {now} {unit}" if table else f"{now} {unit}"
    example = f"{what}, the former snapshot has {before}: {ratio:.2f} times as many, {bound}"
    return [Breach(Finding(code, table, unit, example), bounds.severity == "refuse")]
