"""How many rows each mart has per partition, as written in `row_counts/<input>.yml` and changed only by a commit.

`python -m muensterland gate counts` prints the file anew from the current release, for a person to review.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Annotated, Literal, Self

import duckdb
import yaml
from pydantic import Field, model_validator

from expectations.strict import Mart, Strict, SuiteRefused, Text, read
from expectations.suite import MartSuite
from expectations.unexpected import SCHEMA, shown
from expectations.verdict import Result
from muensterland.settings import Input

Period = Literal["year", "month"]
Rows = Annotated[int, Field(ge=0)]
Share = Annotated[float, Field(ge=0, lt=1)]
# The partition of a mart that is counted as a whole, and of rows whose partition is null.
WHOLE, NOTHING = "all", "none"
HEADER = """\
# Rows per mart and partition under INPUT={kind}. The gate compares, and never changes this file: run
# `python -m muensterland gate counts --write`, look at the difference, commit it. What the keys mean:
# expectations/row_counts.py.
"""


class Partition(Strict):
    """What a mart is counted by: a column's value, the Kreis of a key, the year or month of a date; else as a whole."""

    value: Text | None = None
    kreis: Text | None = None
    year: Text | None = None
    month: Text | None = None

    @model_validator(mode="after")
    def _one_at_most(self) -> Self:
        if len(self.model_fields_set) > 1:
            raise ValueError(f"expected one of value, kreis, year, month, came {sorted(self.model_fields_set)}")
        return self

    @property
    def period(self) -> Period | None:
        """The length of a partition in time; None where it is none."""
        return "year" if self.year else "month" if self.month else None

    @property
    def expression(self) -> str:
        """The partition of a row in SQL, as text."""
        if self.year or self.month:
            return f"strftime({_name(self.year or self.month or '')}, '{'%Y' if self.year else '%Y-%m'}')"
        if self.kreis:
            return f"left({_name(self.kreis)}, 5)"
        return f"{_name(self.value)}::varchar" if self.value else f"'{WHOLE}'"


class Later(Strict):
    """Rows of a whole partition that began after the last one counted here."""

    min: Rows
    max: Rows


class MartCounts(Strict):
    """The rows of one mart.

    later: for a mart that grows with the run's clock: a partition of time that is over has its count, one that is not
    over yet has no more than that, and partitions after the last one listed lie within these bounds.
    tolerance_share: where it is not the file's.
    """

    by: Partition = Partition()
    tolerance_share: Share | None = None
    later: Later | None = None
    rows: dict[Text, Rows]

    @model_validator(mode="after")
    def _grows_in_time(self) -> Self:
        if self.later and not (self.by.period and self.rows):
            raise ValueError("later: only a mart counted by year or month, at least one of them, grows with the clock")
        if self.by.period:
            for partition in self.rows:
                _end(partition, self.by.period)
        return self


class RowCounts(Strict):
    """The rows of all marts under one INPUT.

    tolerance_share: how far, as a share of its count, a partition may be off. Fewer rows than that are critical, more
    of them, and partitions that nobody has counted, a warning.
    inside_tolerance: what a smaller difference is: a `warning` where the input never changes by itself, else it is
    `accepted`.
    """

    input: Input
    tolerance_share: Share
    inside_tolerance: Literal["warning", "accepted"]
    marts: dict[Mart, MartCounts]


@dataclass(frozen=True)
class Deviation:
    """A partition whose rows are not those written down.

    slight: off by no more than the tolerance. fewer, more: off by more than that. Rows that are gone stop a release;
    rows that came have keys of their own, which the suites check: a new source, another year of a register.
    """

    partition: str
    expected: str
    found: int
    kind: Literal["fewer", "more", "slight"]


def load_row_counts(path: Path, marts: Collection[str]) -> RowCounts:
    """The row counts of one INPUT; raises SuiteRefused naming file and key, also for a mart without a suite."""
    counts = read(path, RowCounts)
    if counts.input != path.stem:
        raise SuiteRefused(f"{path}: input: expected {path.stem} as the file is named, came {counts.input}")
    strangers = sorted(counts.marts.keys() - set(marts))
    if strangers:
        raise SuiteRefused(f"{path}: marts.{strangers[0]}: no suite names this mart: take its counts away")
    return counts


def row_count_id(mart: str) -> str:
    """The id of the check that compares a mart's rows with those written down."""
    return f"{mart}.row_count_per_partition"


def judge_row_counts(
    connection: duckdb.DuckDBPyConnection, counts: RowCounts | None, suites: Mapping[str, MartSuite], day: date
) -> Iterator[Result]:
    """One result per counted mart of `suites`: its partitions against the counts; `day` is the local day of `as_of`.

    A mart that nobody has counted is a warning: its first counts come with a commit.
    """
    for mart, suite in suites.items():
        if not suite.counted:
            continue
        written = counts.marts.get(mart) if counts else None
        if counts is None or written is None:
            yield _uncounted(mart, suite.owner)
            continue
        try:
            found = count_rows(connection, mart, written.by)
        except duckdb.Error as error:
            yield _result(mart, suite.owner, error=f"cannot be counted by {written.by.expression}: {error}")
            continue
        tolerance = counts.tolerance_share if written.tolerance_share is None else written.tolerance_share
        off = deviations(written, tolerance, found, day)
        told = [one for one in off if one.kind != "slight" or counts.inside_tolerance == "warning"]
        yield _result(mart, suite.owner, tuple(told), judged=len(written.rows.keys() | found.keys()))


def count_rows(connection: duckdb.DuckDBPyConnection, mart: str, by: Partition) -> dict[str, int]:
    """The rows of a mart per partition, in the partitions' order; raises duckdb.Error where a column is missing."""
    return dict(
        connection.execute(
            f"select coalesce({by.expression}, '{NOTHING}') as partition, count(*) as row_count "
            f"from {SCHEMA}.{_name(mart)} group by 1 order by 1"
        ).fetchall()
    )


def deviations(written: MartCounts, tolerance: float, found: Mapping[str, int], day: date) -> tuple[Deviation, ...]:
    """The partitions whose rows are not those written down, in their order."""
    partitions = written.rows.keys() | found.keys() | set(_later_partitions(written, day))
    off = []
    for partition in sorted(partitions):
        low, high = _bounds(written, partition, day)
        rows = found.get(partition, 0)
        if not low <= rows <= high:
            expected = str(low) if low == high else f"{low} to {high}"
            kind = _kind(rows, low, high, tolerance)
            # Fewer rows without a place or a source are good news.
            off.append(Deviation(partition, expected, rows, "slight" if partition == NOTHING else kind))
    return tuple(off)


def _kind(rows: int, low: int, high: int, tolerance: float) -> Literal["fewer", "more", "slight"]:
    if low - rows > tolerance * low:
        return "fewer"
    return "more" if rows - high > tolerance * high else "slight"


def _bounds(written: MartCounts, partition: str, day: date) -> tuple[int, int]:
    """The fewest and the most rows a partition may have on `day`."""
    is_later = written.later is not None and partition != NOTHING and partition > max(written.rows)
    if written.later is not None and is_later:
        low, high = written.later.min, written.later.max
    else:
        low = high = written.rows.get(partition, 0)
    if written.later is None or partition == NOTHING or written.by.period is None:
        return low, high
    return (low if _end(partition, written.by.period) <= day else 0), high


def _later_partitions(written: MartCounts, day: date) -> Iterator[str]:
    """The partitions after the last one counted that are over on `day`."""
    period = written.by.period
    if written.later is None or period is None:
        return
    begin = _end(max(written.rows), period)
    while True:
        partition = f"{begin:%Y}" if period == "year" else f"{begin:%Y-%m}"
        end = _end(partition, period)
        if end > day:
            return
        yield partition
        begin = end


def _end(partition: str, period: Period) -> date:
    """The first day after a year `2026` or month `2026-11`; raises ValueError where it is neither."""
    try:
        if period == "year":
            return date(int(partition) + 1, 1, 1)
        year, month = map(int, partition.split("-"))
        return date(year + month // 12, month % 12 + 1, 1)
    except ValueError as error:
        raise ValueError(
            f"rows.{partition}: expected a {period} such as {'2026' if period == 'year' else '2026-11'}"
        ) from error


def recount(written: RowCounts, found: Mapping[str, Mapping[str, int]], day: date) -> RowCounts:
    """The counts as they should be written now that `found` was counted per mart and partition.

    Of a mart that grows with the clock only partitions that are over on `day` are taken over; those that are not keep
    what is written.
    """
    return written.model_copy(
        update={
            "marts": {
                mart: counts.model_copy(update={"rows": _recounted(counts, found[mart], day)})
                for mart, counts in sorted(written.marts.items())
                if mart in found
            }
        }
    )


def _recounted(written: MartCounts, found: Mapping[str, int], day: date) -> dict[str, int]:
    if written.later is None or written.by.period is None:
        return dict(sorted(found.items()))
    period = written.by.period
    over = {name: rows for name, rows in found.items() if name == NOTHING or _end(name, period) <= day}
    running = {name: rows for name, rows in written.rows.items() if name != NOTHING and _end(name, period) > day}
    return dict(sorted({**running, **over}.items()))


def counted_by(columns: Collection[str]) -> Partition:
    """How a mart is counted that nobody has counted yet: by Kreis, else by source, else as a whole."""
    if "ags" in columns:
        return Partition(kreis="ags")
    return Partition(value="source_id") if "source_id" in columns else Partition()


def as_yaml(counts: RowCounts) -> str:
    """The text of `row_counts/<input>.yml`."""
    said = yaml.dump(counts.model_dump(exclude_unset=True), Dumper=_Quoting, sort_keys=False, allow_unicode=True)
    return HEADER.format(kind=counts.input) + said


class _Quoting(yaml.SafeDumper):
    """Writes keys of digits (05558, 2026) as texts, all of them: YAML alone would quote some and not others."""


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    style = '"' if text[:1].isdigit() else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_Quoting.add_representer(str, _text)


def _name(identifier: str) -> str:
    return '"' + identifier.replace('"', '""') + '"'


def _uncounted(mart: str, owner: str) -> Result:
    return Result(
        id=f"{mart}.row_count_written_down",
        mart=mart,
        expectation="row_count_written_down",
        owner=owner,
        dimension="complete",
        severity="warning",
        success=False,
        observed="not in expectations/row_counts: run `python -m muensterland gate counts --write`, review, commit",
        meaning_de="Die Zeilenzahlen des Marts stehen in Git.",
        meaning_en="The mart's row counts are written down in git.",
    )


def _result(
    mart: str, owner: str, off: tuple[Deviation, ...] = (), judged: int | None = None, error: str | None = None
) -> Result:
    rows = tuple({"partition": one.partition, "expected": one.expected, "found": str(one.found)} for one in off)
    holds = not off and error is None
    return Result(
        id=row_count_id(mart),
        mart=mart,
        expectation="row_count_per_partition",
        owner=owner,
        dimension="complete",
        severity="critical" if holds or error or any(one.kind == "fewer" for one in off) else "warning",
        success=holds,
        unexpected_count=len(off) if off else None,
        judged=judged,
        error=error,
        meaning_de="Jeder Teil des Marts hat so viele Zeilen, wie in Git steht.",
        meaning_en="Every partition of the mart has as many rows as written down in git.",
        **shown(rows),
    )
