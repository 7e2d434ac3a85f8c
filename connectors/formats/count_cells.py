"""What tables of counts have in common: columns looked up in the header, what cells mean, rows that are left out."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from connectors.connector import Snapshot
from connectors.errors import SnapshotRefused
from connectors.formats import count_clock as clock
from connectors.formats.count_grid import Cells, Grid, Malformed, shown
from connectors.formats.count_layout import Column, Layout, Role, RowChannels, Stamp
from connectors.staging import DISTINCT_TEXT, StagedWriter
from connectors.tables import COUNT_READING as TABLE

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
    """A column of counts: its place and name, the channel it has (None where each row tells its own), its status, and
    its site where that is not the file's or the row's."""

    place: int
    header: str
    channel: Channel | None
    status_place: int | None = None
    site: str | None = None


class Table:
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
            self.out.drift(TABLE, spelt(column), "missing")
            for name in self._strangers():
                self.out.drift(TABLE, name, "new")
            raise self.refused(f"expected {key} {spelt(column)!r}")
        return place

    def check_header(self, known: set[int], by_place: bool) -> None:
        """Report columns nobody declared; refuse names that stand there twice and endless ones."""
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

    def _strangers(self) -> list[str]:
        """The columns that no pattern and no name of the layout fits, where the header as a whole does not."""
        rule, declared = self.layout.channels.header, self.layout.model_dump_json()
        channels = (
            []
            if rule is None
            else [found for name in self.grid.header if (found := re.fullmatch(rule.pattern, name, re.DOTALL))]
        )
        known = {found[0] for found in channels}
        if rule is not None and rule.status is not None:
            known |= {rule.status.replace("{id}", found["id"]) for found in channels}
        return [
            name
            for name in self.grid.header
            if name
            and name not in known
            and json.dumps(name, ensure_ascii=False) not in declared
            and not any(re.fullmatch(pattern, name) for pattern in self.layout.not_counts)
        ]

    def saw_header(self) -> None:
        """Say which columns the file has, whatever comes of it."""
        self.out.saw_header(TABLE, [self.said(place) for place in range(len(self.grid.header))])

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
                f"{self.grid.where}: {self.grid.records} rows of {values} channels, expected at most {CELL_LIMIT} "
                "cells of one table; ask the publisher again"
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
            reason = next(
                (rule.reason for rule in self.layout.out_of_scope if self._fits(rule.column, rule.pattern, cells)), None
            )
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

    def channel(self, found: re.Match[str] | None, role_rule: str, site: str | None) -> Channel | None:
        """The channel that a header or a row names; None where it names none."""
        if found is None:
            return None
        channel_id = found["id"]
        label = found["label"] if "label" in found.re.groupindex and found["label"] is not None else channel_id
        role: Role = "sum" if role_rule == "every" or (role_rule == "site" and channel_id == site) else "part"
        channels = self.layout.channels
        return Channel(channel_id, label, role, channels.mode_of(label), channels.direction_of(role, label))

    def row_channels(self, rows: RowChannels, texts: pa.Array) -> tuple[pa.Array, list[Channel | None]]:
        """Which channel each row has: places in a list of channels, None where a text names none."""
        codes = pc.utf8_trim_whitespace(texts).dictionary_encode()
        site = self.site_of_file()
        return codes.indices, [
            self.channel(
                re.fullmatch(rows.pattern, text) if len(text) <= LABEL_LIMIT_CHARACTERS else None, rows.sum, site
            )
            for text in codes.dictionary.to_pylist()
        ]

    def site_of_file(self) -> str | None:
        """The site of all rows, None where each tells its own; SnapshotRefused where its pattern does not fit."""
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
            return constant(one, rows), np.zeros(rows, np.bool_)
        if site.channel and channel_ids is not None:
            texts = channel_ids.cast(pa.string())
        else:
            texts = pc.utf8_trim_whitespace(cells.text(self.required(site.column or 1, "site.column")))
        codes = texts.dictionary_encode()
        pattern = site.pattern or "(?P<id>.+)"
        ids = [group(re.fullmatch(pattern, text)) if text else None for text in codes.dictionary.to_pylist()]
        named = [None if each is None or len(each) > LABEL_LIMIT_CHARACTERS else site.prefix + each for each in ids]
        found = pa.array(named, pa.string()).take(codes.indices)
        return found.dictionary_encode(), found.is_null().to_numpy(zero_copy_only=False)

    # -- cells ------------------------------------------------------------------------------------------------------

    def write(self, blocks: Sequence[Block]) -> None:
        """Stage the readings of blocks of cells and reject what cannot be read."""
        tables = [table for block in blocks if (table := self._table(block)).num_rows]
        if tables:
            self.out.write(TABLE, pa.concat_tables(tables))

    def _table(self, block: Block) -> pa.Table:
        rows = len(block.record_numbers)
        if block.values.type == pa.int64():
            count, mark, keep = block.values, blank_text(rows), np.ones(rows, np.bool_)
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
            if row in block.problems:
                reason, evidence = block.problems[row], f"{block.evidence[row].as_py()}{self.layout.delimiter}{cell}"
            else:
                reason = "negative count" if cell.strip().startswith("-") else "not a whole number"
                evidence = cell
            header = block.headers if isinstance(block.headers, str) else block.headers[row]
            self.out.reject(TABLE, int(block.record_numbers[row]), header, evidence, reason)
        keep &= ~unreadable
        columns = {
            "record_number": pa.array(block.record_numbers),
            **block.said,
            "interval_start_local": instants(block.local, None),
            "interval_start_at": instants(block.at, "UTC"),
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
        mark = blank_text(len(cells))
        if self.layout.missing:
            is_mark = pc.is_in(trimmed, pa.array([text.strip() for text in self.layout.missing if text.strip()]))
            readable = pc.or_(readable, is_mark)
            mark = pc.if_else(is_mark, trimmed, pa.scalar(None, pa.string())).dictionary_encode()
        count = pc.if_else(is_count, digits, pa.scalar(None, pa.string())).cast(pa.int64())
        return count, mark, readable.to_numpy(zero_copy_only=False).copy()


@dataclass(frozen=True)
class Block:
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


def spelt(column: Column) -> str:
    """A declared column as people read it."""
    return f"column {column}" if isinstance(column, int) else column if isinstance(column, str) else " or ".join(column)


def constant(text: str, rows: int) -> pa.Array:
    """The same text in every row."""
    return pa.DictionaryArray.from_arrays(pa.array(np.zeros(rows, np.int32)), pa.array([text], pa.string()))


def blank_text(rows: int) -> pa.Array:
    """No text in any row."""
    return pa.nulls(rows, DISTINCT_TEXT)


def taken(texts: Sequence[str | None], codes: pa.Array) -> pa.Array:
    """A text per row, by its place among `texts`."""
    return pa.array(texts, pa.string()).take(codes).dictionary_encode()


def instants(seconds: clock.Seconds, zone: str | None) -> pa.Array:
    """Seconds as timestamps, null where there is no time."""
    known = seconds != clock.NO_TIME
    return pa.array(np.where(known, seconds, 0) * 1_000_000, pa.timestamp("us", tz=zone), mask=~known)


def group(found: re.Match[str] | None) -> str | None:
    """The id that a pattern found."""
    return None if found is None else found["id"]
