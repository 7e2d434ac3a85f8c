"""Tables of counts whose columns are times: a row is a channel's day."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from connectors.connector import Snapshot
from connectors.formats import count_clock as clock
from connectors.formats.count_cells import Block, Channel, Table, blank_text, taken
from connectors.formats.count_grid import Cells, Grid
from connectors.formats.count_layout import Layout, RowChannels, Stamp
from connectors.staging import StagedWriter
from connectors.tables import COUNT_CHANNEL
from connectors.tables import COUNT_READING as TABLE
from connectors.text import CUT


class Across(Table):
    """A table whose columns are times, written in `format`: a row is a channel's day."""

    def __init__(self, snapshot: Snapshot, layout: Layout, grid: Grid, out: StagedWriter, format_: str) -> None:
        super().__init__(snapshot, layout, grid, out)
        self.format = format_

    def stage(self) -> None:
        """Stage the table."""
        if self.layout.time.date is not None and self.layout.channels.rows is not None:
            self._stage(self.layout.time.date, self.layout.channels.rows)

    def _stage(self, date: Stamp, rows: RowChannels) -> None:
        self.saw_header()
        channel_place = self.required(rows.column, "channels.rows.column")
        clocks = clock.parsed(pa.array(self.grid.header, pa.string()), self.format)
        places = np.flatnonzero(clocks != clock.NO_TIME)
        if not places.size or (np.diff(places) != 1).any() or (np.diff(clocks[places]) <= 0).any():
            raise self.refused(f"expected neighbouring columns that are times written {self.format}, rising")
        date_place = None if date.column is None else self.required(date.column, "date.column")
        site = self.layout.site.column
        known = {channel_place, *places.tolist()} | ({date_place} if date_place is not None else set())
        known |= set() if site is None else {self.required(site, "site.column")}
        known |= {place for place, name in enumerate(self.grid.header) if self.said(place) != name}
        first = int(places[0])
        shift = self.layout.interval_minutes * 60 if self.layout.time.says == "end" else 0
        starts = clocks[places] - shift
        if date_place is None:
            day = self.of_file(date, "date")
            plan = self._plan(day, starts)
            values = len(plan.local)
            # Behind the times nothing else may stand, for values are told by their places.
            if values != len(places) and places[-1] != len(self.grid.header) - 1:
                raise self.refused("expected the times as the last columns, for their number changes with the clock")
            width = len(self.grid.header) - len(places) + values
        else:
            values, width = len(places), len(self.grid.header)
        self.check_header(known, by_place=False)
        self.check_size(values)
        if not self.grid.records:
            return
        cells = self.grid.cells(width, (), values)
        headers = self._headers(places, values)
        self.malformed(cells.malformed, headers)
        left_out = self.left_out(cells)
        for reason in left_out.values():
            self.out.out_of_scope(TABLE, reason, values)
        days = self.stamps(date, cells, "date")
        codes, named = self.row_channels(rows, cells.text(channel_place))
        sites, without_site = self.sites(cells, taken([each and each.channel_id for each in named], codes))
        if rows.place is not None:
            self._stage_places(rows.place, codes, named, sites)
        problems = self._problems(cells, days, codes, named, sites, without_site, left_out)
        row_said = {"site_id": sites} | {
            name: taken([each and getattr(each, name) for each in named], codes) for name in Channel._fields
        }
        blocks: list[Block] = []
        for one in np.unique(days).tolist():
            chosen = np.array([row for row in np.flatnonzero(days == one).tolist() if row not in left_out], np.int64)
            if not chosen.size:
                continue
            plan = self._plan(one if one != clock.NO_TIME else 0, starts)
            blocks += self._blocks(cells, chosen, plan, first, values, headers, row_said, problems, channel_place)
        self.write(blocks)

    def _stage_places(self, pattern: str, codes: pa.Array, named: Sequence[Channel | None], sites: pa.Array) -> None:
        """Say where the channels count, as far as their labels name a place; a record is such a channel."""
        first = {code: row for row, code in reversed(list(enumerate(codes.to_pylist())))}
        found = [
            (row, channel, place[1])
            for code, row in sorted(first.items())
            if (channel := named[code]) is not None and (place := re.search(pattern, channel.channel_label or ""))
        ]
        self.out.read(COUNT_CHANNEL, len(found))
        self.out.write(
            COUNT_CHANNEL,
            [
                {
                    "record_number": number,
                    "site_id": sites[row].as_py(),
                    "channel_id": channel.channel_id,
                    "channel_label": channel.channel_label,
                    "location_id": place,
                }
                for number, (row, channel, place) in enumerate(found, start=1)
            ],
        )

    def _plan(self, day: int, starts: clock.Seconds) -> clock.Across:
        rules = self.layout.clock_change
        return clock.across(day, starts, self.zone, rules.spring, rules.autumn)

    def _headers(self, places: npt.NDArray[np.int64], values: int) -> list[str]:
        names = [self.grid.header[place] for place in places.tolist()]
        return names[:values] + [f"value {number}" for number in range(len(names) + 1, values + 1)]

    def _problems(
        self,
        cells: Cells,
        days: clock.Seconds,
        codes: pa.Array,
        named: Sequence[Channel | None],
        sites: pa.Array,
        without_site: npt.NDArray[np.bool_],
        left_out: Mapping[int, str],
    ) -> dict[int, str]:
        """Why a row as a whole cannot be read."""
        problems: dict[int, str] = {}
        seen: set[tuple[Any, ...]] = set()
        site_codes, channel_codes = sites.indices.to_pylist(), codes.to_pylist()
        for row, day in enumerate(days.tolist()):
            if row in left_out:
                continue
            key = (site_codes[row], named[channel_codes[row]], day)
            if day == clock.NO_TIME:
                problems[row] = clock.UNREADABLE
            elif key[1] is None:
                problems[row] = "no channel"
            elif without_site[row]:
                problems[row] = "no site"
            elif key in seen:
                problems[row] = clock.REPEATED
            seen.add(key)
        if self.grid.is_cut and len(cells.numbers) and cells.numbers[-1] == self.grid.records:
            problems[len(cells.numbers) - 1] = CUT
        return problems

    def _blocks(
        self,
        cells: Cells,
        chosen: npt.NDArray[np.int64],
        plan: clock.Across,
        first: int,
        values: int,
        headers: Sequence[str],
        row_said: Mapping[str, pa.Array],
        problems: Mapping[int, str],
        evidence_place: int,
    ) -> Iterator[Block]:
        """A block per value of the rows chosen, which are of one day."""
        rows, indices = len(chosen), pa.array(chosen)
        said = {name: column.take(indices) for name, column in row_said.items()}
        row_problems = {place: problems[row] for place, row in enumerate(chosen.tolist()) if row in problems}
        surplus, lack = values - len(plan.local), len(plan.local) - values
        if surplus > 0 or lack > 0:
            # A column of dates beside columns of times: the row's last cells must be blank in spring.
            for place, row in enumerate(chosen.tolist()):
                extra = [cells.columns[first + values - 1 - back][row].as_py() for back in range(surplus)]
                if lack > 0 or any(str(cell or "").strip() for cell in extra):
                    row_problems.setdefault(place, f"expected {len(plan.local)} values on this day")
        evidence = cells.text(evidence_place).take(indices)
        for order in range(values):
            column = cells.text(first + order).take(indices)
            is_planned = order < len(plan.local)
            cell_problems, left_out = dict(row_problems), {}
            if not is_planned:
                left_out = {place: clock.SKIPPED for place in range(rows) if place not in row_problems}
            elif order in plan.problems:
                blank = pc.equal(pc.utf8_trim_whitespace(column), "").to_pylist()
                for place in range(rows):
                    if place not in row_problems:
                        (left_out if blank[place] else cell_problems)[place] = (
                            clock.SKIPPED if blank[place] else plan.problems[order]
                        )
            yield Block(
                record_numbers=(cells.numbers[chosen] - 1) * values + order + 1,
                headers=headers[order],
                values=column,
                status=blank_text(rows),
                said=said,
                local=np.full(rows, plan.local[order] if is_planned else 0),
                at=np.full(rows, plan.at[order] if is_planned else 0),
                merged=np.full(rows, bool(plan.merged[order]) if is_planned else False),
                problems=cell_problems,
                left_out=left_out,
                evidence=evidence,
            )
