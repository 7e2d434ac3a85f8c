"""All rules of the gate, read from one folder and checked against each other."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from expectations.owners import Owners, load_owners
from expectations.quarantine import Quarantined, load_quarantine
from expectations.row_counts import RowCounts, load_row_counts, row_count_id
from expectations.suite import MartSuite, load_suites
from muensterland.settings import Input

RULES = Path(__file__).resolve().parent


@dataclass(frozen=True)
class Rules:
    """What the gate judges by under one INPUT; `row_counts` is None where nobody has counted yet."""

    owners: Owners
    suites: Mapping[str, MartSuite]
    row_counts: RowCounts | None
    quarantined: Mapping[str, Quarantined]


def load_rules(folder: Path, kind: Input) -> Rules:
    """The rules in `folder` (owners.yml, suites/, row_counts/<kind>.yml, quarantine.yml).

    Raises SuiteRefused naming file and key of the first thing that does not fit.
    """
    owners = load_owners(folder / "owners.yml")
    suites = load_suites(folder / "suites", owners)
    counts = row_counts_file(folder, kind)
    ids = {check.id_on(mart) for mart, suite in suites.items() for check in suite.all_checks}
    return Rules(
        owners=owners,
        suites=suites,
        row_counts=load_row_counts(counts, suites) if counts.exists() else None,
        quarantined=load_quarantine(folder / "quarantine.yml", owners, ids | {*map(row_count_id, suites)}, kind),
    )


def row_counts_file(folder: Path, kind: Input) -> Path:
    """Where the row counts of an INPUT are written down."""
    return folder / "row_counts" / f"{kind}.yml"
