"""What a table of counts looks like: the declaration of a layout, in a source's YAML or under a name in `data/layouts`.

README, "Mobility counts", has the keys in a table. A declaration is read once, when the catalogue is checked; what does
not fit is told with file and key.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, Self
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import yaml
from pydantic import AfterValidator, Field, ValidationError, model_validator

from connectors.catalogue import CatalogueError, Direction, Mode, in_words, nearest
from connectors.catalogue import _Strict as Declaration
from connectors.civil_time import IntervalMinutes
from connectors.connector import Payload
from connectors.declared import Encoding, Pattern
from connectors.formats.count_clock import time_pattern
from muensterland.settings import REPOSITORY

LAYOUTS = REPOSITORY / "data" / "layouts"

Role = Literal["sum", "part"]


def _format(value: str) -> str:
    time_pattern(value)
    return value


def _zone(value: str) -> str:
    try:
        ZoneInfo(value)
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise ValueError(f"is {value!r}, expected a time zone such as Europe/Berlin") from error
    return value


TimeFormat = Annotated[str, AfterValidator(_format)]
# A column by its name, by its place from 1 on (names may be blank or stand there twice), or by the names it has had.
Column = str | Annotated[int, Field(ge=1)] | tuple[str, ...]


def _exactly_one(declaration: Declaration, *keys: str) -> None:
    given = [key for key in keys if getattr(declaration, key) not in (None, False)]
    if len(given) != 1:
        raise ValueError(f"expected exactly one of {', '.join(keys)}, found {', '.join(given) or 'none'}")


class Stamp(Declaration):
    """Where a date or a time stands and how it is written.

    `format` is made of YYYY, YY, MM, M, DD, D, HH, H, mm, ss; a single letter takes one digit or two. A workbook's own
    dates and times need none: they are read as such, whatever `format` says of texts.
    """

    format: TimeFormat
    column: Column | None = None
    header_cell: Pattern | None = Field(None, description="the header's cell; its group is the date")
    column_names: bool = False
    partition: str | None = None

    @model_validator(mode="after")
    def _stands_in_one_place(self) -> Self:
        _exactly_one(self, "column", "header_cell", "column_names", "partition")
        return self


class Time(Declaration):
    """When an interval begins, or ends where `says: end`: one `moment`, or a `date` with or without a `clock` time."""

    moment: Stamp | None = None
    date: Stamp | None = None
    clock: Stamp | None = None
    says: Literal["start", "end"] = "start"

    @model_validator(mode="after")
    def _is_whole(self) -> Self:
        _exactly_one(self, "moment", "date")
        if self.moment is not None and self.clock is not None:
            raise ValueError("clock: a moment has its time already; expected date and clock, or moment alone")
        if self.moment is not None and (self.moment.column_names or self.moment.header_cell):
            raise ValueError("moment: expected a column; for hours as columns declare date and clock")
        if self.date is not None and self.date.column_names:
            raise ValueError("date: expected a column, a header_cell or a partition")
        return self

    @property
    def across(self) -> Stamp | None:
        """The times that are names of columns, None where a row has one time."""
        return self.clock if self.clock is not None and self.clock.column_names else None


class ClockChange(Declaration):
    """What the layout makes of the hour that spring leaves out and of the one that autumn has twice.

    spring: `absent` (not there), `doubled` (there as a second row of the hour after it, blank or zero), `shifted`
    (hours as columns: one value less than headers, the later ones moved up).
    autumn: `merged` (there once, holds both passes), `repeated` (there twice), `merged_or_repeated` (as the file has
    it).
    """

    spring: Literal["absent", "doubled", "shifted"] = "absent"
    autumn: Literal["merged", "repeated", "merged_or_repeated"] = "merged_or_repeated"


class Site(Declaration):
    """Which site a record speaks of: the partition's value, always the same, a column's text or the channel itself.

    `pattern` takes the id out of the text by its group `id`; `prefix` is put before it.
    """

    partition: str | None = None
    fixed: str | None = None
    column: Column | None = None
    channel: bool = False
    pattern: Pattern | None = None
    prefix: str = ""

    @model_validator(mode="after")
    def _is_told_once(self) -> Self:
        _exactly_one(self, "partition", "fixed", "column", "channel")
        if self.pattern is not None and "id" not in re.compile(self.pattern).groupindex:
            raise ValueError("pattern: expected a group (?P<id>…)")
        return self


class NamedChannel(Declaration):
    """A column of counts, by its name (or the names it has had) or place; its `site` where not all are of one."""

    column: Column
    id: Annotated[str, Field(min_length=1, max_length=100)]
    site: Annotated[str, Field(min_length=1, max_length=100)] | None = None
    label: str | None = None
    role: Role = "part"
    mode: Mode | None = None
    direction: Direction | None = None
    status: Column | None = None


class HeaderChannels(Declaration):
    """Columns of counts by the pattern of their names, its groups `id` and `label`.

    `status` names their status columns and may say `{id}` and `{label}`.
    """

    pattern: Pattern
    status: str | None = None
    sum: Literal["site", "every", "none"] = Field(
        "none", description="which channel is the sum of the others: the one that bears the site's id, each alone, none"
    )

    @model_validator(mode="after")
    def _names_an_id(self) -> Self:
        if "id" not in re.compile(self.pattern).groupindex:
            raise ValueError("pattern: expected a group (?P<id>…)")
        return self


class RowChannels(Declaration):
    """Each row tells its channel in `column`, by `pattern` with its groups `id` and `label`.

    The count stands in `value`, or in the columns whose names are times. `mode`s may be told by the label. `place`
    takes the key of a list of places out of the label, by its first group.
    """

    column: Column
    pattern: Pattern = "(?P<id>.+)"
    place: Pattern | None = None
    value: Column | None = None
    status: Column | None = None
    sum: Literal["site", "every", "none"] = "none"

    @model_validator(mode="after")
    def _names_an_id(self) -> Self:
        if "id" not in re.compile(self.pattern).groupindex:
            raise ValueError("pattern: expected a group (?P<id>…)")
        if self.place is not None and not re.compile(self.place).groups:
            raise ValueError("place: expected a group (…) for the key of a place")
        return self


KINDS = ("header", "columns", "rows")


class Channels(Declaration):
    """What is counted: channels by the header, column by column or row by row; modes and directions by the label."""

    mode: Mode
    modes: dict[Mode, Pattern] = Field({}, description="by the label")
    directions: dict[Literal["in", "out"], Pattern] = Field({}, description="by the label")
    header: HeaderChannels | None = None
    columns: tuple[NamedChannel, ...] | None = None
    rows: RowChannels | None = None

    @model_validator(mode="after")
    def _are_told_in_one_way(self) -> Self:
        _exactly_one(self, *KINDS)
        if self.columns is not None:
            ids = [channel.id for channel in self.columns]
            if not ids or len(set(ids)) < len(ids):
                raise ValueError(f"columns: expected one entry per channel, found {ids}")
        return self

    def mode_of(self, label: str) -> str:
        """The first mode whose pattern the label holds, else the layout's own."""
        return next((mode for mode, mark in self.modes.items() if re.search(mark, label)), self.mode)

    def direction_of(self, role: Role, label: str) -> str:
        """`both` of a sum; of a part what its label says, `unknown` where it says both or nothing."""
        if role == "sum":
            return "both"
        said = [direction for direction, mark in self.directions.items() if re.search(mark, label)]
        return said[0] if len(said) == 1 else "unknown"


class LeftOut(Declaration):
    """Rows that are no counts: those whose cell (the first, or that of `column`) is as `pattern` says as a whole."""

    pattern: Pattern
    reason: Annotated[str, Field(min_length=1)]
    column: Column = 1


class Layout(Declaration):
    """A layout of tables of counts."""

    title: str = ""
    file: Literal["csv", "xlsx"] = "csv"
    zip_member: Pattern | None = Field(None, description="the file is a zip; whole name of the member that is read")
    sheet: str | None = None
    encoding: Encoding = "utf-8"
    delimiter: Annotated[str, Field(min_length=1, max_length=1)] = ","
    quote: Annotated[str, Field(min_length=1, max_length=1)] | None = '"'
    trailing_delimiter: bool = Field(False, description="rows, not the header, end with a delimiter")
    header_row: int = Field(1, ge=1, le=100)
    header_marks: tuple[str, ...] = Field((), description="the header is the first row that holds all of them")
    time: Time
    interval_minutes: IntervalMinutes
    time_zone: Annotated[str, AfterValidator(_zone)] = "Europe/Berlin"
    clock_change: ClockChange = ClockChange()
    site: Site
    channels: Channels
    missing: tuple[str, ...] = Field((), description="marks in place of a number; a blank is missing anyway")
    thousands: Literal[".", ",", " ", "'"] | None = None
    not_counts: tuple[Pattern, ...] = Field((), description="columns, by their whole names, that are no counts")
    out_of_scope: tuple[LeftOut, ...] = ()

    @property
    def payload(self) -> Payload:
        """What the bytes must be."""
        return "zip" if self.zip_member is not None else self.file

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        across, rows = self.time.across, self.channels.rows
        if across is not None and rows is None:
            raise ValueError("channels: hours are columns, so expected rows: each row tells its channel")
        if rows is not None and (rows.value is None) == (across is None):
            raise ValueError("channels.rows.value: expected the column of counts, or columns whose names are times")
        if across is not None and (self.clock_change.spring == "doubled" or "_or_" in self.clock_change.autumn):
            raise ValueError(
                "clock_change: hours are columns, so expected spring: absent or shifted, and autumn: merged or repeated"
            )
        if across is None and self.clock_change.spring == "shifted":
            raise ValueError("clock_change.spring: shifted is for hours as columns; expected absent or doubled")
        if self.site.channel and rows is None:
            raise ValueError("site.channel: expected channels.rows, for each row is a site of its own")
        if self.trailing_delimiter and self.file != "csv":
            raise ValueError("trailing_delimiter: only a csv has delimiters")
        return self


def read_options(options: Mapping[str, Any]) -> dict[str, Any]:
    """The options of a resource as `parse` takes them: the layout that is named, changed key by key.

    Raises CatalogueError naming the file of a named layout, else `options`, and the key of each problem.
    """
    given = dict(options)
    name = given.pop("layout", None)
    if name is None:
        return {"layout": _validated(given, "options")}
    if not isinstance(name, str) or name not in layouts():
        raise CatalogueError(f"options.layout: {name!r} is unknown; {nearest(str(name), layouts())}")
    return {"layout": _validated(merged(layouts()[name], given), "options")}


def payload(options: Mapping[str, Any]) -> Payload:
    """What a resource's bytes must be, by its layout."""
    layout: Layout = read_options(options)["layout"]
    return layout.payload


@functools.cache
def layouts(folder: Path = LAYOUTS) -> dict[str, dict[str, Any]]:
    """The named layouts, as written; raises CatalogueError naming the file and key of each problem.

    A named layout may leave out what only a source knows: site and the columns of its channels.
    """
    found: dict[str, dict[str, Any]] = {}
    problems: list[str] = []
    for path in sorted(folder.glob("*.yml")):
        try:
            content = yaml.load(path.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader)
            if not isinstance(content, dict):
                raise CatalogueError(f"file: is {type(content).__name__}, expected keys with values")
            _validated(merged(_ANY_SITE, content), "")
        except (yaml.YAMLError, UnicodeDecodeError) as error:
            problems.append(f"layouts/{path.name}: not readable as YAML: {error}")
        except CatalogueError as error:
            problems += [f"layouts/{path.name}: {line}" for line in str(error).splitlines()]
        else:
            found[path.stem] = content
    if problems:
        raise CatalogueError("\n".join(problems))
    return found


_ANY_SITE = {"site": {"fixed": "any"}, "channels": {"mode": "bicycle", "columns": [{"column": 2, "id": "any"}]}}


def merged(base: Mapping[str, Any], change: Mapping[str, Any]) -> dict[str, Any]:
    """A declaration with the keys of another one put over it; lists and texts are replaced, null takes a key away.

    Of ways that exclude each other (the kinds of channels, where a site or a time is told) the other one's goes.
    """
    whole = dict(base)
    for key, value in change.items():
        former = whole.get(key)
        if value is None:
            whole.pop(key, None)
        elif isinstance(value, Mapping) and isinstance(former, Mapping):
            whole[key] = merged(_without_rivals(key, former, value), value)
        else:
            whole[key] = value
    return whole


_RIVALS: Mapping[str, tuple[frozenset[str], ...]] = {
    "channels": (frozenset(KINDS),),
    "site": (frozenset({"partition", "fixed", "column", "channel"}),),
    "time": (frozenset({"moment", "date"}), frozenset({"moment", "clock"})),
    **dict.fromkeys(("moment", "date", "clock"), (frozenset({"column", "header_cell", "column_names", "partition"}),)),
}


def _without_rivals(key: str, former: Mapping[str, Any], change: Mapping[str, Any]) -> dict[str, Any]:
    gone = {name for rivals in _RIVALS.get(key, ()) for name in rivals - set(change) if rivals & set(change)}
    return {name: value for name, value in former.items() if name not in gone}


def _validated(content: Mapping[str, Any], where: str) -> Layout:
    try:
        return Layout.model_validate(content)
    except ValidationError as error:
        raise CatalogueError("\n".join(_problems(error, where))) from error


def _problems(error: ValidationError, where: str) -> Iterator[str]:
    for problem in error.errors():
        key = ".".join(filter(None, (where, *(str(part) for part in problem["loc"])))) or "file"
        yield f"{key}: {in_words(problem)}"
