"""Parse what a source has landed, judge it and say which snapshots are in force.

What is in force is a function of the landing and the catalogue alone: every snapshot that landed for a partition is
judged in the order of the fetch log, each against the one that was in force before it. What was judged is remembered,
so that only what is new is parsed; a home that is built anew from its landing comes to the same verdicts.

Of a partition the last snapshot that was not refused is in force. Of a resource with `accumulate_days`, which tells of
the moment and is asked every few minutes, all those of the last so many days are, up to the end of the day before the
last one: days come into force whole, so that what is in force changes once a day and not with every answer. On the
first day there is none before, and those of that very day count.
"""

from __future__ import annotations

import logging
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from connectors.boundary import parser_faults_named
from connectors.catalogue import Resource, Source
from connectors.civil_time import CIVIL_TIME
from connectors.connector import Snapshot
from connectors.errors import SourceError
from connectors.history import Landed, landed
from connectors.judging import (
    Figures,
    Finding,
    breaches,
    drift_findings,
    drift_since,
    figures_of,
    refusal,
    rules_key,
    staged_figures,
)
from connectors.landing import Landing
from connectors.region import region
from connectors.registry import connector, parse_key, parse_options
from connectors.selection import DUE, Selection
from connectors.staging import Account, StagedWriter, remove_leftovers, replace_parquet, staged_file
from connectors.tables import PARSE_LOG, RECORD_ACCOUNT, SNAPSHOT_FINDING, SNAPSHOT_IN_FORCE

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class ParseSummary:
    """What parsing a source came to: snapshots parsed, already staged and refused; records over what is in force."""

    source_id: str
    parsed: int
    kept: int
    refused: int
    read: int
    staged: int
    rejected: int
    out_of_scope: int
    errors: tuple[str, ...]


def parse_source(source: Source, landing: Landing, staged: Path, selection: Selection = DUE) -> ParseSummary:
    """Judge every landed snapshot that was not judged yet and replace the source's rows of `snapshot_in_force`.

    A refused snapshot leaves the former one of its partition in force and is not parsed again until its bytes, the
    source's options or limits, or the parser change. A superseded snapshot keeps its verdict when the parser changes.
    Where nothing that landed may be in force, or nothing is left of it, what was in force before stays.
    A selection `afresh` parses and judges everything that landed again.
    """
    remove_leftovers(staged, source.id)
    in_force: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for row in _rows(staged, SNAPSHOT_IN_FORCE.name, source.id):
        if row["partition"].split("/")[0] in source.resources:
            in_force[row["partition"]].append(row)
    desk = _Desk(source, staged, selection)
    verdicts: list[_Verdict] = []
    outcomes: Counter[str] = Counter()
    for partition, entries in landed(landing).items():
        if partition.split("/")[0] not in source.resources:
            continue
        parsed_before = desk.parsed
        judged = desk.judge_all(partition, entries)
        accepted = desk.in_force(partition, judged)
        if accepted:
            in_force[partition] = [
                {
                    "source_id": source.id,
                    "partition": partition,
                    "snapshot_sha256": verdict.landed.snapshot_sha256,
                    "parse_key": verdict.parse_key,
                    "fetched_at": verdict.landed.last_at,
                }
                for verdict in accepted
            ]
        keyed = {id(verdict.landed): verdict for verdict in accepted}
        verdicts += [keyed.get(id(verdict.landed), verdict) for verdict in judged]
        outcomes["refused"] += not judged[-1].is_staged
        outcomes["kept"] += judged[-1].is_staged and desk.parsed == parsed_before
    _replace(staged, PARSE_LOG.columns, PARSE_LOG.name, source.id, _log_rows(source, verdicts))
    _replace(staged, SNAPSHOT_FINDING.columns, SNAPSHOT_FINDING.name, source.id, _finding_rows(source, verdicts))
    _replace(
        staged,
        SNAPSHOT_IN_FORCE.columns,
        SNAPSHOT_IN_FORCE.name,
        source.id,
        [row for _, rows in sorted(in_force.items()) for row in rows],
    )
    total = in_force_account(source.id, staged)
    return ParseSummary(
        source.id,
        parsed=desk.parsed,
        kept=outcomes["kept"],
        refused=outcomes["refused"],
        read=total.read,
        staged=total.staged,
        rejected=total.rejected,
        out_of_scope=total.out_of_scope,
        errors=tuple(f"{verdict.partition}: {verdict.error}" for verdict in verdicts if verdict.is_latest_refused),
    )


def in_force_account(source_id: str, staged: Path) -> Account:
    """The records of all tables over the source's snapshots in force."""
    totals: Counter[str] = Counter()
    for row in _rows(staged, SNAPSHOT_IN_FORCE.name, source_id):
        place = staged_file(staged, RECORD_ACCOUNT.name, source_id, row["snapshot_sha256"], row["parse_key"])
        for entry in pq.ParquetFile(place).read(["outcome", "records"]).to_pylist():
            totals[entry["outcome"]] += entry["records"]
    return Account(**{name: totals[name] for name in ("read", "staged", "rejected", "out_of_scope")})


@dataclass(frozen=True)
class _Verdict:
    """What became of a landed snapshot. error: why it was refused, None where it may be in force."""

    partition: str
    landed: Landed
    former_sha256: str | None
    parse_key: str
    rules_key: str
    error: str | None
    findings: tuple[Finding, ...]
    is_latest: bool = False

    @property
    def is_staged(self) -> bool:
        return self.error is None

    @property
    def is_latest_refused(self) -> bool:
        return self.is_latest and not self.is_staged


class _Desk:
    """Where the snapshots of one source are judged; knows the verdicts of former runs.

    parsed: how many snapshots were parsed and staged in this run.
    """

    def __init__(self, source: Source, staged: Path, selection: Selection) -> None:
        self._source, self._staged, self._afresh = source, staged, selection.afresh
        self._read_again: set[tuple[str, str]] = set()
        self._keys: dict[str, tuple[str, str]] = {}
        self.parsed = 0
        findings: dict[tuple[str, str, str | None], list[Finding]] = defaultdict(list)
        for row in _rows(staged, SNAPSHOT_FINDING.name, source.id):
            told = Finding(**{name: row[name] for name in ("code", "table_name", "subject", "example")})
            findings[row["partition"], row["snapshot_sha256"], row["former_sha256"]].append(told)
        self._remembered = {
            key: (row, tuple(findings[key]))
            for row in _rows(staged, PARSE_LOG.name, source.id)
            if (key := (row["partition"], row["snapshot_sha256"], row.get("former_sha256"))) and not self._afresh
        }

    def judge_all(self, partition: str, entries: Sequence[Landed]) -> list[_Verdict]:
        """A verdict per landed snapshot, each against the last one before it that was not refused."""
        verdicts: list[_Verdict] = []
        former: Landed | None = None
        for entry in entries:
            is_latest = entry is entries[-1]
            verdict = self._said_before(partition, entry, former, is_latest) or self._judge(partition, entry, former)
            verdicts.append(replace(verdict, is_latest=is_latest))
            former = entry if verdict.is_staged else former
        return verdicts

    def in_force(self, partition: str, judged: Sequence[_Verdict]) -> list[_Verdict]:
        """The last verdicts that refused nothing, as many versions as the resource keeps, newest first; where it
        accumulates, those of whole days.

        Each with the key under which its snapshot is staged; one that can no longer be staged is left out.
        """
        resource, _ = self._resource(partition)
        accepted: dict[str, _Verdict] = {}
        for verdict in reversed(judged):
            if verdict.is_staged:
                accepted.setdefault(verdict.landed.snapshot_sha256, verdict)
        if accepted and resource.accumulate_days is not None:
            chosen = _accumulated([verdict for verdict in judged if verdict.is_staged], resource.accumulate_days)
            # Rows of many snapshots are read together: all by the same parser.
            kept = [self._staged_verdict(verdict, self._key(partition)[1]) for verdict in chosen]
        else:
            # An older parser's rows will do, where today's cannot read the snapshot any more.
            versions = list(accepted.values())[: resource.versions]
            kept = [self._staged_verdict(verdict, self._key(partition)[1], verdict.parse_key) for verdict in versions]
        return [verdict for verdict in kept if verdict is not None]

    def _staged_verdict(self, accepted: _Verdict, *keys: str) -> _Verdict | None:
        """The verdict with the first of the keys under which its snapshot is staged, staged under the first if none."""
        for candidate in keys:
            if self._is_staged(accepted.landed, candidate):
                return replace(accepted, parse_key=candidate)
        # Its files were lost, or what superseded it has been refused since.
        return replace(accepted, parse_key=keys[0]) if self._figures(accepted.partition, accepted.landed) else None

    def _said_before(self, partition: str, entry: Landed, former: Landed | None, is_latest: bool) -> _Verdict | None:
        """The verdict of a former run, where it still holds."""
        name, key = self._key(partition)
        former_sha256 = former.snapshot_sha256 if former else None
        row, findings = self._remembered.get((partition, entry.snapshot_sha256, former_sha256), ({}, ()))
        rules = rules_key(self._source, self._source.resources[name], entry.snapshot_sha256)
        if not row or row.get("rules_key") != rules or (is_latest and row["parse_key"] != key):
            return None
        if is_latest and row["outcome"] == "staged" and not self._is_staged(entry, key):
            return None
        return _Verdict(partition, entry, former_sha256, row["parse_key"], rules, row["error"], findings)

    def _judge(self, partition: str, entry: Landed, former: Landed | None) -> _Verdict:
        """Parse a snapshot, unless it is staged, and compare it with the former one in force."""
        name, key = self._key(partition)
        before = self._figures(partition, former) if former else None
        verdict = _Verdict(
            partition,
            entry,
            former.snapshot_sha256 if former else None,
            key,
            rules_key(self._source, self._source.resources[name], entry.snapshot_sha256),
            error=None,
            findings=(),
        )
        known = self._known_figures(partition, entry)
        if known is not None:
            return self._compared(verdict, name, known, before)
        with self._writer(partition, entry) as out:
            try:
                self._parse(partition, entry, out)
                verdict = self._compared(verdict, name, figures_of(out, entry.path), before)
                if verdict.is_staged:
                    out.close()
            except SourceError as error:
                verdict = replace(verdict, error=str(error), findings=_reason_of(error))
            if not verdict.is_staged:
                out.close_refused()
                log.error("%s %s: refused: %s", self._source.id, entry.path.name, verdict.error)
                return verdict
        self.parsed += 1
        for table, column, change in out.drifted:
            log.warning("%s %s: drift: %s column %s in %s", self._source.id, entry.path.name, change, column, table)
        for finding in verdict.findings:
            log.warning("%s %s: %s: %s", self._source.id, entry.path.name, finding.code, finding.example)
        return verdict

    def _compared(self, verdict: _Verdict, name: str, now: Figures, before: Figures | None) -> _Verdict:
        resource, drifts = self._source.resources[name], drift_since(before, now)
        guards = breaches(resource, before, now)
        error = refusal(self._source, name, now, drifts, guards)
        if error is not None:
            error = f"{verdict.landed.path.name}: {error}" + ("; the former snapshot stays in force" if before else "")
        if verdict.landed.snapshot_sha256 in resource.accept:
            error = None
        findings = (*drift_findings(drifts), *(guard.finding for guard in guards))
        return replace(verdict, error=error, findings=findings)

    def _figures(self, partition: str, entry: Landed) -> Figures | None:
        """The figures of a snapshot that was accepted before, by today's parser; None where it cannot read it."""
        known = self._known_figures(partition, entry)
        if known is not None:
            return known
        with self._writer(partition, entry) as out:
            try:
                self._parse(partition, entry, out)
                out.close()
            except SourceError as error:
                log.error("%s %s: no longer readable: %s", self._source.id, entry.path.name, error)
                return None
        self.parsed += 1
        return figures_of(out, entry.path)

    def _known_figures(self, partition: str, entry: Landed) -> Figures | None:
        _, key = self._key(partition)
        if self._afresh and (entry.snapshot_sha256, key) not in self._read_again:
            return None
        return staged_figures(self._staged, self._source.id, entry.snapshot_sha256, key, entry.path)

    def _parse(self, partition: str, entry: Landed, out: StagedWriter) -> None:
        resource, values = self._resource(partition)
        self._read_again.add((entry.snapshot_sha256, self._key(partition)[1]))
        snapshot, options = (
            Snapshot(self._source.id, entry.path, entry.snapshot_sha256, values),
            parse_options(resource),
        )
        with parser_faults_named(resource.connector, snapshot):
            connector(resource.connector).parse(snapshot, out, region(), **options)

    def _writer(self, partition: str, entry: Landed) -> StagedWriter:
        _, key = self._key(partition)
        return StagedWriter(self._staged, self._source.id, entry.snapshot_sha256, key)

    def _is_staged(self, entry: Landed, key: str) -> bool:
        return staged_file(self._staged, RECORD_ACCOUNT.name, self._source.id, entry.snapshot_sha256, key).exists()

    def _resource(self, partition: str) -> tuple[Resource, dict[str, str]]:
        name, *pairs = partition.split("/")
        return self._source.resources[name], dict(pair.split("=", 1) for pair in pairs)

    def _key(self, partition: str) -> tuple[str, str]:
        """The partition's resource and its parse key."""
        if partition not in self._keys:
            resource, values = self._resource(partition)
            self._keys[partition] = partition.split("/")[0], parse_key(resource, values, region())
        return self._keys[partition]


def _accumulated(accepted: Sequence[_Verdict], days: int) -> list[_Verdict]:
    """The verdicts of the last whole days, each snapshot once; of the last day where there is none before it."""
    once = {verdict.landed.snapshot_sha256: verdict for verdict in reversed(accepted)}
    by_day: dict[date, list[_Verdict]] = defaultdict(list)
    for verdict in sorted(once.values(), key=lambda verdict: verdict.landed.first_at):
        by_day[verdict.landed.first_at.astimezone(CIVIL_TIME).date()].append(verdict)
    last = max(by_day)
    whole = [day for day in sorted(by_day) if last - timedelta(days=days) <= day < last]
    return [verdict for day in whole or [last] for verdict in by_day[day]]


def _reason_of(error: SourceError) -> tuple[Finding, ...]:
    return (Finding(error.reason.code, "", error.reason.subject, str(error)),) if error.reason else ()


def _log_rows(source: Source, verdicts: Sequence[_Verdict]) -> list[dict[str, Any]]:
    """A row per snapshot and the one it was judged against, fetched when it was judged so for the first time."""
    rows: dict[tuple[str, str, str | None], dict[str, Any]] = {}
    for verdict in verdicts:
        key = (verdict.partition, verdict.landed.snapshot_sha256, verdict.former_sha256)
        first = rows.get(key)
        rows[key] = {
            "source_id": source.id,
            "partition": verdict.partition,
            "snapshot_sha256": verdict.landed.snapshot_sha256,
            "parse_key": verdict.parse_key,
            "outcome": "staged" if verdict.is_staged else "refused",
            "error": verdict.error,
            "former_sha256": verdict.former_sha256,
            "rules_key": verdict.rules_key,
            "fetched_at": first["fetched_at"] if first else verdict.landed.first_at,
            "is_latest": verdict.is_latest,
        }
    return list(rows.values())


def _finding_rows(source: Source, verdicts: Sequence[_Verdict]) -> list[dict[str, Any]]:
    rows: dict[tuple[str, str, str | None], list[dict[str, Any]]] = {}
    for verdict in verdicts:
        rows[verdict.partition, verdict.landed.snapshot_sha256, verdict.former_sha256] = [
            {
                "source_id": source.id,
                "partition": verdict.partition,
                "snapshot_sha256": verdict.landed.snapshot_sha256,
                "former_sha256": verdict.former_sha256,
                **vars(finding),
            }
            for finding in verdict.findings
        ]
    return [row for found in rows.values() for row in found]


def _rows(staged: Path, table: str, source_id: str) -> list[dict[str, Any]]:
    place = staged / table / f"{source_id}.parquet"
    rows: list[dict[str, Any]] = pq.ParquetFile(place).read().to_pylist() if place.exists() else []
    return rows


def _replace(staged: Path, schema: pa.Schema, table: str, source_id: str, rows: list[dict[str, Any]]) -> None:
    replace_parquet(staged / table / f"{source_id}.parquet", pa.Table.from_pylist(rows, schema=schema))
