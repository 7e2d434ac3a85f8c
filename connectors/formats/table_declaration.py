"""What a table of a register looks like: the declaration of a file and of the staged table it fills.

README, "Any other table", has the keys in a table. A declaration is read once, when the catalogue is checked; what does
not fit is told with its key.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Literal, Self

import pyarrow as pa
import pyproj
from pydantic import AfterValidator, Field, ValidationError, field_validator, model_validator
from pyproj.exceptions import CRSError

from connectors.catalogue import AreaKey, CatalogueError, in_words, nearest
from connectors.catalogue import _Strict as Declaration
from connectors.connector import Payload
from connectors.declared import Encoding, Pattern
from connectors.formats.count_layout import TimeFormat
from connectors.formats.table_targets import TARGETS, Target

FileKind = Literal["csv", "xlsx", "ods", "geojson", "json", "gml"]
PAYLOADS: Mapping[FileKind, Payload] = {
    "csv": "csv",
    "xlsx": "xlsx",
    "ods": "zip",
    "geojson": "json",
    "json": "json",
    "gml": "xml",
}


def _crs(value: str) -> str:
    try:
        if not re.fullmatch(r"EPSG:\d{4,6}", value):
            raise ValueError(f"is {value!r}, expected a coordinate system such as EPSG:25832")
        pyproj.CRS(value)
    except CRSError as error:
        raise ValueError(f"is {value!r}, which nobody knows; expected one such as EPSG:25832") from error
    return value


CrsName = Annotated[str, AfterValidator(_crs)]
Text = Annotated[str, Field(min_length=1, max_length=200)]
# A column by its name, by its place from 1 on (names may be blank or stand there twice), or by the names it has had.
Column = Text | Annotated[int, Field(ge=1, le=4_000)] | Annotated[tuple[Text, ...], Field(min_length=1)]


class Cell(Declaration):
    """Where the text of a staged column stands and what is made of it.

    One of `column`, `columns` (joined by `join`), `fixed`, `partition`, `cell` (what `cells` says of the column of the
    value, the first of several names that is told; `value` is the cell itself) and `digest` (an id made of the columns'
    texts, where the publisher has none). `pattern` takes its first group out of the text, which it must fit as a whole;
    `words` translates; a text that fits neither is rejected, or missing where `optional`. `format` of dates and times.
    """

    column: Column | None = None
    columns: tuple[Column, ...] = ()
    join: str = Field(" ", max_length=5)
    fixed: Text | None = None
    partition: Text | None = None
    cell: Text | Annotated[tuple[Text, ...], Field(min_length=1)] | None = None
    digest: tuple[Column, ...] = ()
    pattern: Pattern | None = None
    words: dict[str, Text] = Field({})
    optional: bool = False
    format: TimeFormat | None = None

    @model_validator(mode="after")
    def _stands_in_one_place(self) -> Self:
        ways = ("column", "columns", "fixed", "partition", "cell", "digest")
        given = [way for way in ways if getattr(self, way) not in (None, ())]
        if len(given) != 1:
            raise ValueError(f"expected exactly one of {', '.join(ways)}, found {', '.join(given) or 'none'}")
        if self.pattern is not None and not re.compile(self.pattern).groups:
            raise ValueError("pattern: expected a group (…) for the part that is taken")
        return self

    @property
    def named(self) -> tuple[Column, ...]:
        """The columns of the file that are read."""
        return (*(() if self.column is None else (self.column,)), *self.columns, *self.digest)


class ValueColumn(Declaration):
    """A column of values and what is to be known of it beside the value, by names that `cell` refers to."""

    column: Column
    words: dict[str, Text] = Field({})


class Cells(Declaration):
    """Columns that hold a value each: every cell of them is a record.

    `pattern` describes their whole names, its named groups are told of each; or `columns` names them one by one.
    """

    pattern: Pattern | None = None
    columns: tuple[ValueColumn, ...] = ()

    @model_validator(mode="after")
    def _are_told_in_one_way(self) -> Self:
        if (self.pattern is None) == (not self.columns):
            raise ValueError("expected pattern or columns")
        return self

    @property
    def words(self) -> set[str]:
        """What is told of every column of values, or of some."""
        if self.pattern is not None:
            return set(re.compile(self.pattern).groupindex)
        return {word for each in self.columns for word in each.words}


class Place(Declaration):
    """Where a record lies: columns `x` (east, longitude) and `y` (north, latitude), a column with a `pair` of degrees
    (`order` lat_lon or lon_lat), or the file's own `geometry`. `crs` says in which system; of a geometry, what the file
    itself must say where it says something.
    """

    x: Column | None = None
    y: Column | None = None
    pair: Column | None = None
    order: Literal["lat_lon", "lon_lat"] = "lat_lon"
    geometry: bool = False
    crs: CrsName = "EPSG:4326"

    @model_validator(mode="after")
    def _is_told_once(self) -> Self:
        if (self.x is None) != (self.y is None):
            raise ValueError("expected both x and y")
        if (self.x is not None) + (self.pair is not None) + self.geometry != 1:
            raise ValueError("expected x and y, pair or geometry")
        return self

    @property
    def named(self) -> tuple[Column, ...]:
        """The columns of the file that are read."""
        return tuple(column for column in (self.x, self.y, self.pair) if column is not None)


class LeftOut(Declaration):
    """Rows that are no records: those whose cell in `column` is as `pattern` says as a whole."""

    column: Column
    pattern: Pattern
    reason: Text


class TableDeclaration(Declaration):
    """A table of a register, and the staged table `into` which it is read."""

    into: str
    file: FileKind = "csv"
    encoding: Encoding = "utf-8"
    delimiter: Annotated[str, Field(min_length=1, max_length=1)] = ","
    quote: Annotated[str, Field(min_length=1, max_length=1)] | None = '"'
    trailing_delimiter: bool = Field(False, description="rows, not the header, end with a delimiter")
    ends_open: bool = Field(False, description="the last line of a whole file is not closed")
    sheet: Text | None = None
    header_row: int = Field(1, ge=1, le=100)
    header_marks: tuple[Text, ...] = Field((), description="the header is the first row that holds all of them")
    records: str = Field("", description="keys to the list of records of a JSON, joined by .")
    decimal: Literal[".", ","] = "."
    thousands: Literal[".", ",", " ", "'"] | None = None
    missing: tuple[str, ...] = Field((), description="texts that stand for nothing; a blank is nothing anyway")
    marks: dict[Text, Literal["missing", "suppressed", "unreliable"]] = Field(
        {}, description="texts in place of a value, kept as value_mark, and what they mean"
    )
    columns: dict[str, Cell]
    cells: Cells | None = None
    place: Place | None = None
    covers: tuple[AreaKey, ...] = Field((), description="AGS or Kreis keys that the places lie in")
    not_staged: tuple[Pattern, ...] = Field((), description="columns, by their whole names, that are not needed")
    out_of_scope: tuple[LeftOut, ...] = ()

    @field_validator("columns", mode="before")
    @classmethod
    def _short_forms(cls, given: Any) -> Any:
        """A name or a place alone is the column of that name or place."""
        if not isinstance(given, Mapping):
            return given
        return {name: {"column": cell} if isinstance(cell, str | int) else cell for name, cell in given.items()}

    @property
    def target(self) -> Target:
        """The staged table with what it needs."""
        return TARGETS[self.into]

    @model_validator(mode="after")
    def _fills_a_table(self) -> Self:
        if self.into not in TARGETS:
            raise ValueError(f"into: {self.into!r} is unknown; {nearest(self.into, TARGETS)}")
        for problem in self._column_problems():
            raise ValueError(problem)
        if self.place is not None:
            if not self.target.is_placed:
                raise ValueError(f"place: {self.into} has no coordinates; leave it out")
            if not self.covers:
                raise ValueError("covers: say which municipalities or Kreise the places lie in, to know wrong ones")
            if self.place.geometry != (self.file in ("geojson", "gml")):
                raise ValueError("place: geometry is what geojson and gml have; expected columns of any other file")
        if self.thousands == self.decimal:
            raise ValueError("thousands: is the decimal sign as well")
        return self

    def _column_problems(self) -> Iterator[str]:
        target = self.target
        told = {"value"} | (self.cells.words if self.cells is not None else set())
        for name, cell in self.columns.items():
            if name not in target.declarable:
                yield f"columns.{name}: {self.into} has none; {nearest(name, target.declarable)}"
                continue
            wanted = (cell.cell,) if isinstance(cell.cell, str) else cell.cell or ()
            if wanted and self.cells is None:
                yield f"columns.{name}.cell: expected cells, which says what is told of a value's column"
            for word in set(wanted) - told:
                yield f"columns.{name}.cell: {word!r} is not told; {nearest(word, told)}"
            kind = target.table.columns.field(name).type
            if (pa.types.is_date(kind) or pa.types.is_timestamp(kind)) and cell.format is None:
                yield f"columns.{name}.format: {name} is a date or time; say how it is written, such as YYYY-MM-DD"
        for name in target.required:
            if name not in self.columns:
                yield f"columns.{name}: is missing; {self.into} needs it"


def read_options(options: Mapping[str, Any]) -> dict[str, Any]:
    """The options of a resource as `parse` takes them; raises CatalogueError naming the key of each problem."""
    try:
        return {"declaration": TableDeclaration.model_validate(dict(options))}
    except ValidationError as error:
        lines = [
            f"{'.'.join(('options', *(str(part) for part in problem['loc'])))}: {in_words(problem)}"
            for problem in error.errors()
        ]
        raise CatalogueError("\n".join(lines)) from error


def payload(options: Mapping[str, Any]) -> Payload:
    """What a resource's bytes must be."""
    declaration: TableDeclaration = read_options(options)["declaration"]
    if declaration.file == "csv" and codecs.lookup(declaration.encoding).name == "utf-16":
        return "csv_utf16"
    return PAYLOADS[declaration.file]
