"""The staged tables that a declared table may fill, and what a declaration must say of them at least."""

from __future__ import annotations

from dataclasses import dataclass

from connectors.tables import DISTRICT_VALUE, FACILITY, SURVEY_ANSWER, WAITING_TIME_READING, Table


@dataclass(frozen=True)
class Target:
    """A staged table: required columns (a record without one is rejected) and the columns that name a record."""

    table: Table
    required: tuple[str, ...]
    key: tuple[str, ...]

    @property
    def is_placed(self) -> bool:
        """Whether its records have coordinates."""
        return {"longitude", "latitude"} <= set(self.table.columns.names)

    @property
    def declarable(self) -> tuple[str, ...]:
        """The columns of a record that its cells fill; coordinates come by `place` alone."""
        return tuple(name for name in self.table.columns.names if name not in ("longitude", "latitude"))


TARGETS = {
    target.table.name: target
    for target in (
        Target(FACILITY, ("facility_id", "kind"), ("kind", "facility_id")),
        Target(
            DISTRICT_VALUE,
            ("subject", "ags", "district_name", "sex", "period"),
            ("subject", "ags", "district_key", "district_name", "sex", "age_from", "age_to", "period"),
        ),
        Target(
            SURVEY_ANSWER,
            ("survey", "ags", "district_name", "question", "answer", "period"),
            ("survey", "ags", "district_name", "question", "answer", "period"),
        ),
        Target(WAITING_TIME_READING, ("office_id", "ags", "read_local"), ("office_id", "read_local")),
    )
}
