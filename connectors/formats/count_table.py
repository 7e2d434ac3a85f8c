"""Parse tables of counts in any declared layout: a value cell becomes a reading, whatever the table looks like.

How a table is laid out is said by `count_layout`, what its times mean by `count_clock`, how its cells are read by
`count_grid`. Work is done on Arrow columns: there are thousands of files, each too small to open a database for.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from connectors.connector import Connector, Snapshot
from connectors.errors import SnapshotRefused
from connectors.formats import count_clock as clock
from connectors.formats.count_grid import Cells, Grid, Malformed, read_grid, shown
from connectors.formats.count_layout import Column, Layout, RowChannels, Stamp, payload, read_options
from connectors.region import Region
from connectors.staging import DISTINCT_TEXT, StagedWriter
from connectors.tables import COUNT_READING as TABLE
from connectors.text import CUT

# A month of minutes with 20 channels has 900,000 cells; every cell becomes a row that bears its channel's label.
CELL_LIMIT = 2_000_000
LABEL_LIMIT_CHARACTERS = 200
# Larger numbers are no counts, and no whole numbers of 64 bits either.
COUNT_LIMIT = 10**18
BLANK_ROW = "blank row"


class Channel(NamedTuple):
    """What is counted, in the columns of COUNT_READING."""

    channel_id: str
    channel_label: str
    channel_role: str
    mode: str
    direction: str


@dataclass(frozen=True)
class ValueColumn:
    """A column of counts: its place and name, the channel it has (None where each row tells its own) and its status."""

    place: int
    header: str
    channel: Channel | None
    status_place: int | None = None


def parse(snapshot: Snapshot, out: StagedWriter, region: Region, /, *, layout: Layout) -> None:
    """Stage a table of counts, a record per value cell.

    Blank cells and the layout's marks are staged with a null count. What the layout's rules do not cover is rejected,
    cell by cell. Raises SnapshotRefused where the file is not of this layout, with what was found and what to declare.
    """
    grid = read_grid(snapshot, layout, out)
    if layout.time.across is not None:
        _Across(snapshot, layout, grid, out).stage()
    else:
        _Rows(snapshot, layout, grid, out).stage()


class _Table:
    """What tables with one time per row and tables with times as columns have in common."""

    def __init__(self, snapshot: Snapshot, layout: Layout, grid: Grid, out: StagedWriter) -> None:
        self.snapshot, self.layout, self.grid, self.out = snapshot, layout, grid, out
        self.zone = ZoneInfo(layout.time_zone)
        # Cut short: a message must not take long to look names up in.
        self.places = {name: place for place, name in reversed(list(enumerate(grid.header)))}

    # -- the header -------------------------------------------------------------------------------------------------

    def refused(self, what: str) -> SnapshotRefused:
        """A refusal that says what stands in the file and what to declare."""
        header, delimiter = self.grid.header, self.layout.delimiter
        others = {other: header[0].count(other) for other in ",;\t|" if other != delimiter} if len(header) == 1 else {}
        other = max(others, key=lambda each: others[each], default="")
        hint = f" delimiter: {other!r} ({delimiter!r} now)," if other and others[other] else ""
        return SnapshotRefused(
            f"{self.grid.where}: {what}; found the columns {shown(header)} in row {self.grid.above + 1}; declare{hint} "
            "header_row, time and channels as this file has them below the resource's `options`, or ask the publisher"
        )

    def place(self, column: Column) -> int | None:
        """Where a column stands; None where it does not. Runs of blanks in names count as one."""
        if isinstance(column, int):
            return column - 1 if column <= len(self.grid.header) else None
        for name in (column,) if isinstance(column, str) else column:
            if name in self.places:
                return self.places[name]
            for place, found in enumerate(self.grid.header):
                if " ".join(found.split()) == " ".join(name.split()):
                    return place
        return None

    def required(self, column: Column, key: str) -> int:
        """Where a column stands without which nothing can be read."""
        place = self.place(column)
        if place is None:
            self.out.saw_header(TABLE, self.grid.header)
            self.out.drift(TABLE, _spelt(column), "missing")
            raise self.refused(f"expected {key} {_spelt(column)!r}")
        return place

    def check_header(self, known: set[int], by_place: bool) -> None:
        """Report columns nobody declared; refuse names that stand there twice and endless ones."""
        self.out.saw_header(TABLE, [self.said(place) for place in range(len(self.grid.header))])
        header = self.grid.header
        ignored = {
            place
            for place, name in enumerate(header)
            if any(re.fullmatch(pattern, name) for pattern in self.layout.not_counts)
        }
        counted: dict[str, int] = {}
        for place, name in enumerate(header):
            if name and place not in ignored:
                counted[name] = counted.get(name, 0) + 1
        repeated = [name for name, count in counted.items() if count > 1]
        if repeated and not by_place:
            raise self.refused(f"column {min(repeated)[:60]!r} stands there twice; declare its columns by their places")
        for place, name in enumerate(header):
            if name and place not in known | ignored:
                self.out.drift(TABLE, name, "new")

    def said(self, place: int) -> str:
        """A column's name for reports; of one that holds the date, its pattern, so that days do not differ in it."""
        date, name = self.layout.time.date, self.grid.header[place]
        if date is None or date.header_cell is None or not (found := re.fullmatch(date.header_cell, name)):
            return name
        start, end = found.span(1)
        return f"{name[:start]}{date.format}{name[end:]}"

    def check_size(self, values: int) -> None:
        """Refuse a file with more cells than fit into memory as rows."""
        if self.grid.records * values > CELL_LIMIT:
            raise SnapshotRefused(
                f"{self.grid.where}: {self.grid.records} rows of {values} channels, expected at most {CELL_LIMIT} cells "
                "of one table; ask the publisher again"
            )
        self.out.read(TABLE, self.grid.records * values)

    # -- rows -------------------------------------------------------------------------------------------------------

    def left_out(self, cells: Cells) -> dict[int, str]:
        """The rows that are out of scope, with the reason."""
        reasons: dict[int, str] = {}
        for rule in self.layout.out_of_scope:
            place = self.required(rule.column, "the column of out_of_scope")
            hits = pc.match_substring_regex(cells.text(place), f"^(?:{rule.pattern})$")
            for row in np.flatnonzero(hits.to_numpy(zero_copy_only=False)).tolist():
                reasons.setdefault(row, rule.reason)
        first = pc.equal(pc.utf8_trim_whitespace(cells.text(0)), "").to_numpy(zero_copy_only=False)
        for row in np.flatnonzero(first).tolist():
            if not any(str(column[row].as_py() or "").strip() for column in cells.columns):
                reasons[row] = BLANK_ROW
        return reasons

    def malformed(self, rows: Sequence[Malformed], columns: Sequence[str]) -> None:
        """Leave out or reject rows of another width, each with as many records as there are `columns` of values."""
        for row in rows:
            cells = row.cells
            if not any(cell.strip() for cell in cells):
                self.out.out_of_scope(TABLE, BLANK_ROW, len(columns))
                continue
            reason = next((rule.reason for rule in self.layout.out_of_scope if self._fits(rule.column, rule.pattern, cells)), None)
            if reason is not None:
                self.out.out_of_scope(TABLE, reason, len(columns))
                continue
            for order, name in enumerate(columns, start=1):
                number = (row.number - 1) * len(columns) + order
                self.out.reject(TABLE, number, name, row.text, row.reason)

    def _fits(self, column: Column, pattern: str, cells: Sequence[str]) -> bool:
        place = self.place(column)
        return place is not None and place < len(cells) and re.fullmatch(pattern, cells[place]) is not None

    def stamps(self, stamp: Stamp, cells: Cells, key: str) -> clock.Seconds:
        """A date or time per row, from a column or the same for all."""
        if stamp.column is not None:
            texts = pc.utf8_trim_whitespace(cells.text(self.required(stamp.column, f"time.{key}.column")))
            seconds = clock.parsed(texts, stamp.format)
            if self.layout.file == "xlsx":
                typed = clock.parsed(texts, clock.TYPED_CLOCK if key == "clock" else clock.TYPED_MOMENT)
                seconds = np.where(seconds == clock.NO_TIME, typed, seconds)
            return seconds
        return np.full(len(cells.numbers), self.of_file(stamp, key), np.int64)

    def of_file(self, stamp: Stamp, key: str) -> int:
        """A date that holds for the whole file; raises SnapshotRefused where it cannot be read."""
        if stamp.partition is not None:
            text = self.snapshot.partition.get(stamp.partition, "")
            where = f"partition {stamp.partition}"
        else:
            cells = (re.fullmatch(str(stamp.header_cell), name) for name in self.grid.header)
            text = next((found[1] for found in cells if found), "")
            where = f"a header cell like {stamp.header_cell!r}"
        (seconds,) = clock.parsed(pa.array([text], pa.string()), stamp.format).tolist()
        if seconds == clock.NO_TIME:
            raise self.refused(f"expected time.{key} in {where} written {stamp.format}, found {text!r}")
        return int(seconds)

    def channel(self, found: re.Match[str] | None, role_rule: str, site: str | None, alone: bool) -> Channel | None:
        """The channel that a header or a row names; None where it names none."""
        if found is None:
            return None
        channel_id = found["id"]
        label = found["label"] if "label" in found.re.groupindex and found["label"] is not None else channel_id
        is_sum = role_rule == "every" or (role_rule == "site" and channel_id == site) or (role_rule == "alone" and alone)
        role = "sum" if is_sum else "part"
        channels = self.layout.channels
        return Channel(channel_id, label, role, channels.mode_of(label), channels.direction_of(role, label))

    def row_channels(self, rows: RowChannels, texts: pa.Array) -> tuple[pa.Array, list[Channel | None]]:
        """Which channel each row has: places in a list of channels, None where a text names none."""
        codes = pc.utf8_trim_whitespace(texts).dictionary_encode()
        site = self.site_of_file()
        return codes.indices, [
            self.channel(
                re.fullmatch(rows.pattern, text) if len(text) <= LABEL_LIMIT_CHARACTERS else None, rows.sum, site, False
            )
            for text in codes.dictionary.to_pylist()
        ]

    def site_of_file(self) -> str | None:
        """The site of all rows; None where each tells its own. Raises SnapshotRefused where the pattern does not fit."""
        site = self.layout.site
        text = site.fixed if site.fixed is not None else self.snapshot.partition.get(site.partition or "")
        if site.partition is not None and text is None:
            raise self.refused(f"expected a partition {site.partition!r} that tells the site")
        if text is None or site.pattern is None:
            return None if text is None else site.prefix + text
        found = re.fullmatch(site.pattern, text)
        if found is None:
            raise self.refused(f"expected a site like {site.pattern!r}, found {text!r}")
        return site.prefix + found["id"]

    def sites(self, cells: Cells, channel_ids: pa.Array | None) -> tuple[pa.Array, npt.NDArray[np.bool_]]:
        """The site of each row, and where there is none."""
        site, rows = self.layout.site, len(cells.numbers)
        one = self.site_of_file()
        if one is not None:
            return _constant(one, rows), np.zeros(rows, np.bool_)
        if site.channel and channel_ids is not None:
            texts = channel_ids.cast(pa.string())
        else:
            texts = pc.utf8_trim_whitespace(cells.text(self.required(site.column or 1, "site.column")))
        codes = texts.dictionary_encode()
        pattern = site.pattern or "(?P<id>.+)"
        ids = [_group(re.fullmatch(pattern, text)) if text else None for text in codes.dictionary.to_pylist()]
        named = [None if each is None or len(each) > LABEL_LIMIT_CHARACTERS else site.prefix + each for each in ids]
        found = pa.array(named, pa.string()).take(codes.indices)
        return found.dictionary_encode(), found.is_null().to_numpy(zero_copy_only=False)

    # -- cells ------------------------------------------------------------------------------------------------------

    def write(self, blocks: Sequence[_Block]) -> None:
        """Stage the readings of blocks of cells and reject what cannot be read."""
        tables = [table for block in blocks if (table := self._table(block)).num_rows]
        if tables:
            self.out.write(TABLE, pa.concat_tables(tables))

    def _table(self, block: _Block) -> pa.Table:
        rows = len(block.record_numbers)
        if block.values.type == pa.int64():
            count, mark, keep = block.values, _blank_text(rows), np.ones(rows, np.bool_)
        else:
            count, mark, keep = self._counts(block.values)
        for row, reason in block.left_out.items():
            keep[row] = False
            self.out.out_of_scope(TABLE, reason)
        unreadable = ~keep
        unreadable[list(block.left_out)] = False
        unreadable[list(block.problems)] = True
        for row in np.flatnonzero(unreadable).tolist():
            cell = str(block.values[row].as_py() or "")
            reason = block.problems.get(row)
            evidence = cell if reason is None else f"{block.evidence[row].as_py()}{self.layout.delimiter}{cell}"
            if reason is None:
                reason = "negative count" if cell.strip().startswith("-") else "not a whole number"
            header = block.headers if isinstance(block.headers, str) else block.headers[row]
            self.out.reject(TABLE, int(block.record_numbers[row]), header, evidence, reason)
        keep &= ~unreadable
        columns = {
            "record_number": pa.array(block.record_numbers),
            **block.said,
            "interval_start_local": _instants(block.local, None),
            "interval_start_at": _instants(block.at, "UTC"),
            "interval_minutes": pa.repeat(pa.scalar(self.layout.interval_minutes, pa.int32()), rows),
            "count": count,
            "value_mark": mark,
            "raw_status": block.status,
            "clock_change": pa.DictionaryArray.from_arrays(
                pa.array(np.zeros(rows, np.int32), mask=~block.merged), pa.array(["merged"])
            ),
        }
        table = pa.table(columns)
        return table if keep.all() else table.filter(pa.array(keep))

    def _counts(self, cells: pa.Array) -> tuple[pa.Array, pa.Array, npt.NDArray[np.bool_]]:
        """Text cells as counts and marks, and which of them are one of the two or blank."""
        trimmed = pc.utf8_trim_whitespace(cells)
        separator = self.layout.thousands
        if separator is None:
            is_count = pc.match_substring_regex(trimmed, r"^\d{1,18}$")
            digits = trimmed
        else:
            groups = rf"^(\d{{1,18}}|\d{{1,3}}({re.escape(separator)}\d{{3}}){{1,5}})$"
            is_count = pc.match_substring_regex(trimmed, groups)
            digits = pc.replace_substring(trimmed, separator, "")
        is_blank = pc.equal(trimmed, "")
        readable = pc.or_(is_count, is_blank)
        mark = _blank_text(len(cells))
        if self.layout.missing:
            is_mark = pc.is_in(trimmed, pa.array([text.strip() for text in self.layout.missing if text.strip()]))
            readable = pc.or_(readable, is_mark)
            mark = pc.if_else(is_mark, trimmed, pa.scalar(None, pa.string())).dictionary_encode()
        count = pc.if_else(is_count, digits, pa.scalar(None, pa.string())).cast(pa.int64())
        return count, mark, readable.to_numpy(zero_copy_only=False).copy()


@dataclass(frozen=True)
class _Block:
    """Cells to be staged, with all that is said of each.

    headers: the column's name, of all cells or of each. problems: why a cell's time or channel means nothing; evidence:
    what stands there then. left_out: cells that are out of scope.
    """

    record_numbers: npt.NDArray[np.int64]
    headers: str | Sequence[str]
    values: pa.Array
    status: pa.Array
    said: dict[str, pa.Array]
    local: clock.Seconds
    at: clock.Seconds
    merged: npt.NDArray[np.bool_]
    problems: Mapping[int, str]
    left_out: Mapping[int, str]
    evidence: pa.Array


class _Rows(_Table):
    """A table with one time per row: a column per channel, or a channel per row."""

    def stage(self) -> None:
        """Stage the table."""
        time, channels = self.layout.time, self.layout.channels
        stamps = [stamp for stamp in (time.moment, time.date, time.clock) if stamp is not None]
        times = {
            self.required(stamp.column, "the column of time")
            for stamp in stamps
            if stamp.column is not None
        }
        columns = list(self._columns())
        others = [channels.rows.column] if channels.rows is not None else []
        others += [self.layout.site.column] if self.layout.site.column is not None else []
        known = times | {column.place for column in columns}
        known |= {column.status_place for column in columns if column.status_place is not None}
        known |= {self.required(column, "the column of channel or site") for column in others}
        known |= {place for place, name in enumerate(self.grid.header) if any(stamp.header_cell and re.fullmatch(stamp.header_cell, name) for stamp in stamps)}
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
        yield from (stamp.column for stamp in (time.moment, time.date, time.clock) if stamp and stamp.column is not None)
        for named in channels.columns or ():
            yield from (column for column in (named.column, named.status) if column is not None)
        if channels.header is not None:
            yield "by pattern"

    def _columns(self) -> Iterator[ValueColumn]:
        """The columns of counts in the file's order; declared ones that are missing are reported."""
        channels, site = self.layout.channels, self.site_of_file()
        if channels.rows is not None:
            rows = channels.rows
            status = None if rows.status is None else self.place(rows.status)
            place = self.required(rows.value or 1, "channels.rows.value")
            yield ValueColumn(place, self.grid.header[place], None, status)
            return
        if channels.columns is not None:
            found = []
            for named in channels.columns:
                place = self.place(named.column)
                if place is None:
                    self.out.drift(TABLE, _spelt(named.column), "missing")
                    continue
                label = named.label or self.grid.header[place] or named.id
                direction = named.direction or channels.direction_of(named.role, label)
                channel = Channel(named.id, label, named.role, named.mode or channels.mode_of(label), direction)
                status = None if named.status is None else self.place(named.status)
                if named.status is not None and status is None:
                    self.out.drift(TABLE, _spelt(named.status), "missing")
                found.append(ValueColumn(place, self.grid.header[place], channel, status))
            yield from sorted(found, key=lambda column: column.place)
            return
        rule = channels.header
        assert rule is not None
        matches = [(place, re.fullmatch(rule.pattern, name, re.DOTALL)) for place, name in enumerate(self.grid.header)]
        for place, match in matches:
            channel = self.channel(match, rule.sum, site, False)
            if channel is None or match is None:
                continue
            status = None
            if rule.status is not None:
                name = rule.status.format(id=channel.channel_id, label=channel.channel_label)
                status = self.places.get(name)
                if status is None:
                    self.out.drift(TABLE, name, "missing")
            yield ValueColumn(place, self.grid.header[place], channel, status)

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
        ids = None if rows is None else _taken([each and each.channel_id for each in named], codes)
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
                said = {name: _taken([each and getattr(each, name) for each in named], codes) for name in Channel._fields}
            else:
                said = {name: _constant(value, row_count) for name, value in column.channel._asdict().items()}
            blocks.append(
                _Block(
                    record_numbers=(cells.numbers - 1) * len(columns) + order,
                    headers=column.header,
                    values=cells.columns[column.place],
                    status=_status(cells, column.status_place),
                    said={"site_id": sites, **said},
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
        else:
            assert time.date is not None
            local = self.stamps(time.date, cells, "date")
            if time.clock is not None:
                clocks = self.stamps(time.clock, cells, "clock")
                local = np.where((local == clock.NO_TIME) | (clocks == clock.NO_TIME), clock.NO_TIME, local + clocks)
        shift = self.layout.interval_minutes * 60 if time.says == "end" else 0
        return np.where(local == clock.NO_TIME, local, local - shift)

    def _series(self, channels: npt.NDArray[np.int64], sites: pa.Array) -> npt.NDArray[np.int64]:
        """Equal where rows are of one site and channel."""
        codes = sites.indices.fill_null(-1).to_numpy(zero_copy_only=False).astype(np.int64)
        return codes * (channels.max(initial=0) + 1) + channels


class _Across(_Table):
    """A table whose columns are times: a row is a channel's day."""

    def stage(self) -> None:
        """Stage the table."""
        time, rows = self.layout.time, self.layout.channels.rows
        assert time.across is not None and time.date is not None and rows is not None
        channel_place = self.required(rows.column, "channels.rows.column")
        clocks = clock.parsed(pa.array(self.grid.header, pa.string()), time.across.format)
        places = np.flatnonzero(clocks != clock.NO_TIME)
        if not places.size or (np.diff(places) != 1).any() or (np.diff(clocks[places]) <= 0).any():
            raise self.refused(f"expected neighbouring columns that are times written {time.across.format}, rising")
        date_place = None if time.date.column is None else self.required(time.date.column, "time.date.column")
        site = self.layout.site.column
        known = {channel_place, *places.tolist()} | ({date_place} if date_place is not None else set())
        known |= set() if site is None else {self.required(site, "site.column")}
        known |= {place for place, name in enumerate(self.grid.header) if self.said(place) != name}
        first = int(places[0])
        shift = self.layout.interval_minutes * 60 if time.says == "end" else 0
        starts = clocks[places] - shift
        if date_place is None:
            day = self.of_file(time.date, "date")
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
        if date_place is None:
            days = np.full(len(cells.numbers), day, np.int64)
        else:
            days = self.stamps(time.date, cells, "date")
        codes, named = self.row_channels(rows, cells.text(channel_place))
        sites, without_site = self.sites(cells, _taken([each and each.channel_id for each in named], codes))
        problems = self._problems(cells, days, codes, named, sites, without_site, left_out)
        row_said = {"site_id": sites} | {
            name: _taken([each and getattr(each, name) for each in named], codes) for name in Channel._fields
        }
        blocks = []
        for one in np.unique(days).tolist():
            chosen = np.array([row for row in np.flatnonzero(days == one).tolist() if row not in left_out], np.int64)
            if not chosen.size:
                continue
            plan = self._plan(one if one != clock.NO_TIME else 0, starts)
            blocks += self._blocks(cells, chosen, plan, first, values, headers, row_said, problems, channel_place)
        self.write(blocks)

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
    ) -> Iterator[_Block]:
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
            yield _Block(
                record_numbers=(cells.numbers[chosen] - 1) * values + order + 1,
                headers=headers[order],
                values=column,
                status=_blank_text(rows),
                said=said,
                local=np.full(rows, plan.local[order] if is_planned else 0),
                at=np.full(rows, plan.at[order] if is_planned else 0),
                merged=np.full(rows, bool(plan.merged[order]) if is_planned else False),
                problems=cell_problems,
                left_out=left_out,
                evidence=evidence,
            )


def _spelt(column: Column) -> str:
    return f"column {column}" if isinstance(column, int) else column if isinstance(column, str) else " or ".join(column)


def _group(found: re.Match[str] | None) -> str | None:
    return None if found is None else found["id"]


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
            found |= (column.fill_null(0).to_numpy(zero_copy_only=False) != 0)
        else:
            nothing = pc.match_substring_regex(pc.utf8_trim_whitespace(column), "^0*$")
            found |= ~nothing.to_numpy(zero_copy_only=False)
    return found


def _status(cells: Cells, place: int | None) -> pa.Array:
    """The status cells as they are; null where blank or where there is no such column."""
    if place is None:
        return _blank_text(len(cells.numbers))
    texts = cells.text(place)
    return pc.if_else(pc.equal(texts, ""), pa.scalar(None, pa.string()), texts).dictionary_encode()


def _constant(text: str, rows: int) -> pa.Array:
    return pa.DictionaryArray.from_arrays(pa.array(np.zeros(rows, np.int32)), pa.array([text], pa.string()))


def _blank_text(rows: int) -> pa.Array:
    return pa.nulls(rows, DISTINCT_TEXT)


def _taken(texts: Sequence[str | None], codes: pa.Array) -> pa.Array:
    """A text per row, by its place among `texts`."""
    return pa.array(texts, pa.string()).take(codes).dictionary_encode()


def _instants(seconds: clock.Seconds, zone: str | None) -> pa.Array:
    known = seconds != clock.NO_TIME
    return pa.array(np.where(known, seconds, 0) * 1_000_000, pa.timestamp("us", tz=zone), mask=~known)


CONNECTOR = Connector(
    name="count_table",
    version=1,
    payload="csv",
    tables=(TABLE,),
    parse=parse,
    unpacked_limit_bytes=2**28,
    options=read_options,
    payload_of=payload,
)
