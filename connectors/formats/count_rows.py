"""Tables of counts with one time per row: a column per channel, or a channel per row."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from connectors.formats import count_clock as clock
from connectors.formats.count_cells import (
    COUNT_LIMIT,
    LABEL_LIMIT_CHARACTERS,
    Block,
    Channel,
    Table,
    ValueColumn,
    blank_text,
    constant,
    spelt,
    taken,
)
from connectors.formats.count_grid import Cells
from connectors.formats.count_layout import Column, HeaderChannels, NamedChannel
from connectors.tables import COUNT_READING as TABLE
from connectors.text import CUT


class Rows(Table):
    """A table with one time per row: a column per channel, or a channel per row."""

    def stage(self) -> None:
        """Stage the table."""
        self.saw_header()
        time, channels = self.layout.time, self.layout.channels
        stamps = [stamp for stamp in (time.moment, time.date, time.clock) if stamp is not None]
        times = {self.required(stamp.column, "the column of time") for stamp in stamps if stamp.column is not None}
        columns = list(self._columns())
        others = [channels.rows.column] if channels.rows is not None else []
        others += [self.layout.site.column] if self.layout.site.column is not None else []
        known = times | {column.place for column in columns}
        known |= {column.status_place for column in columns if column.status_place is not None}
        known |= {self.required(column, "the column of channel or site") for column in others}
        known |= {
            place
            for place, name in enumerate(self.grid.header)
            if any(stamp.header_cell and re.fullmatch(stamp.header_cell, name) for stamp in stamps)
        }
        by_place = all(isinstance(column, int) for column in self._declared())
        self.check_header(known, by_place)
        self._check_channels(columns)
        self.check_size(len(columns))
        if not self.grid.records:
            return
        width, typed = len(self.grid.header), [column.place for column in columns]
        cells = self.grid.cells(width, typed, len(columns))
        if not self._stage(cells, columns, is_typed=True):
            self._stage(self.grid.cells(width, (), len(columns)), columns, is_typed=False)

    def _declared(self) -> Iterator[Column]:
        """The columns the layout declares by themselves."""
        time, channels = self.layout.time, self.layout.channels
        yield from (
            stamp.column for stamp in (time.moment, time.date, time.clock) if stamp and stamp.column is not None
        )
        for named in channels.columns or ():
            yield from (column for column in (named.column, named.status) if column is not None)
        if channels.header is not None:
            yield "by pattern"

    def _columns(self) -> Iterator[ValueColumn]:
        """The columns of counts in the file's order; declared ones that are missing are reported."""
        channels = self.layout.channels
        if channels.rows is not None:
            place = self.required(channels.rows.value or 1, "channels.rows.value")
            status = None if channels.rows.status is None else self._status_place(channels.rows.status)
            yield ValueColumn(place, self.grid.header[place], None, status)
        elif channels.columns is not None:
            found = (self._named(named) for named in channels.columns)
            yield from sorted((column for column in found if column is not None), key=lambda column: column.place)
        elif channels.header is not None:
            yield from self._matching(channels.header)

    def _named(self, named: NamedChannel) -> ValueColumn | None:
        """A channel's declared column; None where it is missing."""
        place, channels = self.place(named.column), self.layout.channels
        if place is None:
            self.out.drift(TABLE, spelt(named.column), "missing")
            return None
        label = named.label or self.grid.header[place] or named.id
        direction = named.direction or channels.direction_of(named.role, label)
        channel = Channel(named.id, label, named.role, named.mode or channels.mode_of(label), direction)
        status = None if named.status is None else self._status_place(named.status)
        return ValueColumn(place, self.grid.header[place], channel, status, named.site)

    def _matching(self, rule: HeaderChannels) -> Iterator[ValueColumn]:
        """The columns whose names are those of channels."""
        site = self.site_of_file()
        for place, name in enumerate(self.grid.header):
            match = re.fullmatch(rule.pattern, name, re.DOTALL)
            channel = self.channel(match, rule.sum, site)
            if channel is None:
                continue
            status = None
            if rule.status is not None:
                told = rule.status.replace("{id}", channel.channel_id).replace("{label}", channel.channel_label)
                status = self._status_place(told)
            yield ValueColumn(place, name, channel, status)

    def _status_place(self, column: Column) -> int | None:
        place = self.place(column)
        if place is None:
            self.out.drift(TABLE, spelt(column), "missing")
        return place

    def _check_channels(self, columns: Sequence[ValueColumn]) -> None:
        if self.layout.channels.rows is not None:
            return
        ids = [column.channel.channel_id for column in columns if column.channel is not None]
        rule = self.layout.channels.header
        if not ids or len(set(ids)) < len(ids):
            wanted = f"like {rule.pattern!r}" if rule is not None else "as declared in channels.columns"
            raise self.refused(f"expected one column {wanted} per channel, found channels {ids[:12]}")
        if long := [column for column in columns if len(column.header) > LABEL_LIMIT_CHARACTERS]:
            raise self.refused(
                f"channel {long[0].header[:60]!r}… has a label of more than {LABEL_LIMIT_CHARACTERS} characters"
            )
        site = self.site_of_file()
        if rule is not None and rule.sum == "site" and site is not None and len(ids) > 1 and site not in ids:
            # Were one of them the sum all the same, the site would count double: somebody must look.
            self.out.drift(TABLE, site, "missing")

    def _stage(self, cells: Cells, columns: Sequence[ValueColumn], is_typed: bool) -> bool:
        """Stage the rows; False, and nothing done, where cells are numbers that must be told of as text."""
        numbers = [cells.columns[column.place] for column in columns]
        if is_typed and any(_is_odd(column) for column in numbers):
            return False
        left_out = self.left_out(cells)
        local = self._local(cells)
        rows = self.layout.channels.rows
        row_count = len(cells.numbers)
        codes, named = (
            (pa.array(np.zeros(row_count, np.int32)), [])
            if rows is None
            else self.row_channels(rows, cells.text(self.required(rows.column, "channels.rows.column")))
        )
        places = codes.to_numpy(zero_copy_only=False).astype(np.int64)
        ids = None if rows is None else taken([each and each.channel_id for each in named], codes)
        sites, without_site = self.sites(cells, ids)
        series = self._series(places, sites)
        # Rows that are left out take no part in what is said of times.
        local = np.where(np.isin(np.arange(row_count), list(left_out)), clock.NO_TIME, local)
        rules = self.layout.clock_change
        counted = _counted(numbers) if rules.spring == "doubled" else np.zeros(row_count, np.bool_)
        moments = clock.moments(local, series, self.zone, rules.spring, rules.autumn, counted)
        problems = {row: why for row, why in moments.problems.items() if row not in left_out}
        for row in np.flatnonzero(without_site).tolist():
            if row not in left_out:
                problems[row] = "no site"
        for row, place in enumerate(places.tolist() if named and None in named else ()):
            if named[place] is None and row not in left_out:
                problems[row] = "no channel"
        if self.grid.is_cut and row_count and cells.numbers[-1] == self.grid.records:
            problems[row_count - 1] = CUT
        if is_typed and problems:
            return False
        left_out |= dict.fromkeys((row for row in moments.skipped if row not in problems), clock.SKIPPED)
        self.malformed(cells.malformed, [column.header for column in columns])
        evidence = cells.text(min(self._times(), default=0))
        blocks = []
        for order, column in enumerate(columns, start=1):
            if column.channel is None:
                said = {
                    name: taken([each and getattr(each, name) for each in named], codes) for name in Channel._fields
                }
            else:
                said = {name: constant(value, row_count) for name, value in column.channel._asdict().items()}
            blocks.append(
                Block(
                    record_numbers=(cells.numbers - 1) * len(columns) + order,
                    headers=column.header,
                    values=cells.columns[column.place],
                    status=_status(cells, column.status_place),
                    said={"site_id": sites if column.site is None else constant(column.site, row_count), **said},
                    local=local,
                    at=moments.at,
                    merged=moments.merged,
                    problems=problems,
                    left_out=left_out,
                    evidence=evidence,
                )
            )
        self.write(blocks)
        return True

    def _times(self) -> Iterator[int]:
        time = self.layout.time
        for stamp in (time.moment, time.date, time.clock):
            if stamp is not None and stamp.column is not None:
                yield self.required(stamp.column, "the column of time")

    def _local(self, cells: Cells) -> clock.Seconds:
        """When each row's interval begins, in local time."""
        time = self.layout.time
        if time.moment is not None:
            local = self.stamps(time.moment, cells, "moment")
        elif time.date is not None:
            local = self.stamps(time.date, cells, "date")
            if time.clock is not None:
                clocks = self.stamps(time.clock, cells, "clock")
                local = np.where((local == clock.NO_TIME) | (clocks == clock.NO_TIME), clock.NO_TIME, local + clocks)
        shift = self.layout.interval_minutes * 60 if self.layout.time.says == "end" else 0
        return np.where(local == clock.NO_TIME, local, local - shift)

    def _series(self, channels: npt.NDArray[np.int64], sites: pa.Array) -> npt.NDArray[np.int64]:
        """Equal where rows are of one site and channel."""
        codes = sites.indices.fill_null(-1).to_numpy(zero_copy_only=False).astype(np.int64)
        series: npt.NDArray[np.int64] = codes * (channels.max(initial=0) + 1) + channels
        return series


def _is_odd(column: pa.Array) -> bool:
    """Whether whole numbers hold one that is no count."""
    if column.type != pa.int64():
        return False
    ends = pc.min_max(column)
    low, high = ends["min"].as_py(), ends["max"].as_py()
    return low is not None and (low < 0 or high >= COUNT_LIMIT)


def _counted(columns: Sequence[pa.Array]) -> npt.NDArray[np.bool_]:
    """Where a row has anything but blanks and zeros in its columns of counts."""
    found = np.zeros(len(columns[0]), np.bool_)
    for column in columns:
        if column.type == pa.int64():
            found |= column.fill_null(0).to_numpy(zero_copy_only=False) != 0
        else:
            nothing = pc.match_substring_regex(pc.utf8_trim_whitespace(column), "^0*$")
            found |= ~nothing.to_numpy(zero_copy_only=False)
    return found


def _status(cells: Cells, place: int | None) -> pa.Array:
    """The status cells as they are; null where blank or where there is no such column."""
    if place is None:
        return blank_text(len(cells.numbers))
    texts = cells.text(place)
    return pc.if_else(pc.equal(texts, ""), pa.scalar(None, pa.string()), texts).dictionary_encode()
