"""Which partitions a fetch asks for and what it knows of them: those that are due, unless somebody asks for others."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from dataclasses import dataclass

from connectors.catalogue import Periods, Resource, Source
from connectors.landing import FetchRecord
from connectors.periods import overlap


@dataclass(frozen=True)
class Selection:
    """What somebody asked for.

    `first_month` and `last_month` (`YYYY-MM`, both or none) ask for these months again, for the days in them and the
    years they lie in, settled or not, and for nothing else of the source. `afresh` asks for everything chosen as if it
    had never been fetched: nothing counts as settled, no ETag is sent.
    """

    first_month: str | None = None
    last_month: str | None = None
    afresh: bool = False

    def __post_init__(self) -> None:
        if (self.first_month is None) != (self.last_month is None):
            raise ValueError(f"from_month {self.first_month!r} and to_month {self.last_month!r}: give both or none")
        if self.first_month is not None and self.last_month is not None and self.first_month > self.last_month:
            raise ValueError(f"from_month {self.first_month} lies after to_month {self.last_month}")

    @property
    def asks_again(self) -> bool:
        """Whether everything chosen is asked for, also what would count as settled."""
        return self.afresh or self.first_month is not None

    def covers(self, resource: Resource, values: Iterable[tuple[str, str]]) -> bool:
        """Whether a partition of `resource` with these values is asked for."""
        if self.first_month is None or self.last_month is None:
            return True
        spans = [value for key, value in values if isinstance(resource.partitions[key], Periods)]
        return bool(spans) and all(overlap(span, self.first_month, self.last_month) for span in spans)

    def known(self, latest: dict[str, FetchRecord]) -> dict[str, FetchRecord]:
        """The former fetches as far as they may be relied on: afresh, none makes a question conditional."""
        if not self.afresh:
            return latest
        return {partition: dataclasses.replace(record, url="") for partition, record in latest.items()}


DUE = Selection()


def has_periods(source: Source) -> bool:
    """Whether a source is partitioned by days, months or years, so that some of them can be asked for again."""
    return any(
        isinstance(values, Periods) for resource in source.resources.values() for values in resource.partitions.values()
    )
