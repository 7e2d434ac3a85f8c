"""The source catalogue: one YAML file per publisher in `data/sources/`, read into strict models.

Light to import: DAG files read it. That options fit their connector is checked by `connectors.registry`.
"""

from __future__ import annotations

import difflib
import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from reprlib import repr as shortened
from typing import Annotated, Any, Literal, Self

import yaml
from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Discriminator,
    Field,
    ModelWrapValidatorHandler,
    NaiveDatetime,
    StringConstraints,
    Tag,
    ValidationError,
    field_validator,
    model_validator,
)
from pydantic_core import ErrorDetails, InitErrorDetails, PydanticCustomError

from connectors import periods
from connectors.address import day_problems, places
from connectors.civil_time import CIVIL_TIME
from connectors.declared import pattern
from connectors.formats import CONNECTORS
from muensterland.settings import Input

Domain = Literal["core", "transit", "mobility", "energy", "registers", "indicators"]
DOMAINS: tuple[Domain, ...] = ("core", "transit", "mobility", "energy", "registers", "indicators")


def _like(pattern: str, expected: str) -> AfterValidator:
    """Text that fits a pattern as a whole; `expected` says so in words."""

    def fitting(value: str) -> str:
        if not re.fullmatch(pattern, value):
            raise ValueError(f"is {value!r}, expected {expected}")
        return value

    return AfterValidator(fitting)


def _of_the_calendar(day: str) -> str:
    """A day that there is; the text of one may be of February's 30th."""
    periods.first_day(day)
    return day


Name = Annotated[str, _like(r"[a-z0-9]+(-[a-z0-9]+)*", "small letters and digits joined by -, such as nrw-schools")]
Text = Annotated[str, StringConstraints(min_length=1, strip_whitespace=True)]
HttpsAddress = Annotated[str, _like(r"https://[^/\s]+/\S*", "an address https://HOST/PATH")]
YearText = Annotated[str, _like(periods.YEAR, 'a year such as "2025"')]
MonthText = Annotated[str, _like(periods.MONTH, "a month such as 2025-01")]
DayText = Annotated[str, _like(periods.DAY, 'a day such as "2025-01-31"'), AfterValidator(_of_the_calendar)]
# A value becomes part of an address and of a partition's id `resource/key=value/…`.
PartitionValue = Annotated[
    str, _like(r"[A-Za-z0-9_-][A-Za-z0-9_.-]*", "letters without accents, digits, _ - and, not first, .")
]
# Five fields; one that Airflow cannot read would take all DAGs of the file with it.
Cron = Annotated[str, _like(r"[0-9A-Za-z*/,#-]+( [0-9A-Za-z*/,#-]+){4}", 'five cron fields such as "40 5 * * *"')]
Sha256 = Annotated[str, _like(r"[0-9a-f]{64}", "a sha256 of 64 digits 0-9 a-f")]
AreaKey = Annotated[str, _like(r"\d{5}|\d{8}", "an AGS of 8 digits or a Kreis key of 5")]
Variable = Annotated[str, _like(r"[A-Z0-9_]+", "capitals, digits and _, the beginning of a variable's name")]


class CatalogueError(ValueError):
    """Files of the catalogue do not fit; the message names file and key of every problem, a line each."""


class _Strict(BaseModel):
    # What is written down of a source (the recipe of a release) is read again: with the keys of its YAML.
    model_config = ConfigDict(extra="forbid", frozen=True, serialize_by_alias=True)

    @model_validator(mode="wrap")
    @classmethod
    def _tells_the_nearest_key(cls, value: Any, handler: ModelWrapValidatorHandler[Self]) -> Self:
        try:
            return handler(value)
        except ValidationError as error:
            raise ValidationError.from_exception_data(
                error.title, [_with_nearest(problem, _keys_of(cls)) for problem in error.errors()]
            ) from error


def _keys_of(model: type[BaseModel]) -> list[str]:
    """The model's keys as YAML writes them."""
    return [field.alias or name for name, field in model.model_fields.items()]


def _with_nearest(problem: ErrorDetails, known: Iterable[str]) -> InitErrorDetails:
    """The problem again; of a key of this very model that is unknown it is told what is."""
    told = InitErrorDetails(
        type=problem["type"], loc=problem["loc"], input=problem["input"], ctx=problem.get("ctx", {})
    )
    if problem["type"] == "unknown_key":
        told["type"] = PydanticCustomError("unknown_key", "{told}", problem["ctx"])
    elif problem["type"] == "extra_forbidden":
        words = f"unknown key; {nearest(str(problem['loc'][-1]), known)}"
        told["type"] = PydanticCustomError("unknown_key", "{told}", {"told": words})
    return told


def nearest(word: str, known: Iterable[str]) -> str:
    """What somebody who wrote `word` may have meant, for the end of a message."""
    there = sorted(known)
    near = difflib.get_close_matches(word, there, n=1)
    return f"{f'did you mean {near[0]}? ' if near else ''}expected one of {', '.join(there) or 'none'}"


# Of alternatives only the one that was meant is judged; no key looks like a tag.
_VALUES, _LIST, _RANGE, _OFF = "<values>", "<list>", "<range>", "<off>"
_DAYS, _MONTHS, _YEARS = "<days>", "<months>", "<years>"


class _Settling(_Strict):
    """Partition values that tell of a time, and of which nobody expects changes so many days after its end.

    What has settled is asked for again only every `recheck_days`, also where the publisher had nothing.
    """

    settled_after_days: int = Field(62, ge=0)
    recheck_days: int = Field(30, ge=0)

    def has_settled(self, last_day: date, today: date) -> bool:
        """Whether a time ended so long ago that nobody expects what is told of it to change."""
        return last_day < today - timedelta(days=self.settled_after_days + 1)


class ResourceValues(_Settling):
    """Partition values read from an earlier resource of the same source: a JSON list of objects that have `json_key`.

    Without it they are what the resource's connector finds listed there (`Connector.listed`), and the address may use
    the fields that each has beside its value, such as `{site.flows}`; those that tell of a time settle as periods do.
    Where that resource has partitions, this one has them too, in front: each has a list of its own.
    """

    from_resource: str
    json_key: str | None = None


class Periods(_Settling):
    """One partition per period of time, from `first` to the one the run's clock is in, or to `last`.

    Of the last 60 days all is asked for in every run, whatever the period: publishers rewrite what they have told of
    them.
    """

    first: str
    last: str | None

    @model_validator(mode="after")
    def _begins_before_it_ends(self) -> Self:
        if self.last is not None and self.last < self.first:
            raise ValueError(f"last {self.last} lies before first {self.first}")
        return self

    def until(self, today: date) -> Iterator[str]:
        """The periods there are on a day, oldest first."""
        return periods.from_to(self.first, self.last or today)


class Days(Periods):
    """One partition per day, `YYYY-MM-DD`. A history of years is thousands of files: each is seldom asked for again."""

    first: DayText
    last: DayText | None = None
    recheck_days: int = Field(90, ge=0)


class Months(Periods):
    """One partition per month, `YYYY-MM`."""

    first: MonthText
    last: MonthText | None = None


class Years(Periods):
    """One partition per year, `YYYY`. Yearly files come out in the course of the next year and are mended after."""

    first: YearText
    last: YearText | None = None
    settled_after_days: int = Field(730, ge=0)


class _Range(_Strict):
    """What a figure of a snapshot may be, over that of the former one in force; a bound left out is not checked."""

    min: float | None = Field(None, ge=0, le=1)
    max: float | None = Field(None, ge=1)

    @model_validator(mode="after")
    def _has_a_bound(self) -> Self:
        if self.min is None and self.max is None:
            raise ValueError("needs min, max or both; to check nothing write off")
        return self


class SizeRatio(_Range):
    """Bytes of the landed file. Reported only, unless told otherwise: packing and spelling change sizes as well."""

    severity: Literal["report", "refuse"] = "report"


class RecordRatio(_Range):
    """Records in scope (staged + rejected) of each table, or of the `tables` named.

    Tables with fewer than `from_records` in the former snapshot are left alone: a ratio of a handful says nothing.
    """

    severity: Literal["report", "refuse"] = "refuse"
    from_records: int = Field(10, gt=0)
    tables: tuple[Text, ...] | None = None


class MeasureRatio(_Range):
    """What a parser measures of a snapshot part by part, such as the trips of a feed per agency and Kreis.

    Parts of less than `from_amount` in the former snapshot are left alone. By default 30 % may go: a GTFS feed that
    lost more is hollow, however valid.
    """

    min: float | None = Field(0.7, ge=0, le=1)
    severity: Literal["report", "refuse"] = "refuse"
    from_amount: int = Field(20, gt=0)


def _range_or_off(given: Any) -> str:
    return _RANGE if isinstance(given, _Range | dict) else _OFF


_Off = Annotated[Literal["off"], Tag(_OFF)]


class Guards(_Strict):
    """How far a snapshot may differ from the former one in force of its partition; `off` checks nothing."""

    size_ratio: Annotated[Annotated[SizeRatio, Tag(_RANGE)] | _Off, Discriminator(_range_or_off)] | None = None
    record_ratio: Annotated[Annotated[RecordRatio, Tag(_RANGE)] | _Off, Discriminator(_range_or_off)] | None = None
    measure_ratio: MeasureRatio | None = None


def _kind_of_values(given: Any) -> str:
    if isinstance(given, ResourceValues) or (isinstance(given, dict) and {"from_resource", "json_key"} & {*given}):
        return _VALUES
    if isinstance(given, Periods | dict):
        return _kind_of_period(given)
    return _LIST


def _kind_of_period(given: Periods | dict[str, Any]) -> str:
    """A day, a month or a year, by the length of the first one; what is neither is judged as a month."""
    first = given.first if isinstance(given, Periods) else given.get("first")
    # YAML reads an unquoted 2025-01-31 as a date and 2025 as a number: the message then says how it is written.
    kinds = {4: _YEARS, 10: _DAYS}
    return kinds.get(len(str(first)), _MONTHS)


class FollowDataset(_Strict):
    """Which file of which dataset of the CKAN or DKAN catalogue that `url` asks (package_show or package_search).

    resource: pattern of the file's whole name, or its id; address: pattern of its whole address.
    """

    dataset: Text
    resource: Text | None = None
    format: Annotated[str, _like(r"[a-z0-9+./-]+", "a format in small letters, such as csv")] | None = None
    address: Text

    @field_validator("resource", "address")
    @classmethod
    def _is_a_pattern(cls, value: str | None) -> str | None:
        return None if value is None else pattern(value)

    @field_validator("address")
    @classmethod
    def _is_an_https_pattern(cls, value: str) -> str:
        if not re.match(r"https://[a-z0-9-]+(\\\.[a-z0-9-]+)+/", value):
            raise ValueError(r"must describe the whole address and name its host: https://data\.town\.example/…")
        return value


class Features(_Strict):
    """A type of features of the Web Feature Service at `url`, asked for page by page.

    output: the format's name as the service calls it; crs: in which system it shall answer. page: features per page.
    """

    type_name: Annotated[str, _like(r"[A-Za-z_][\w.-]*(:[A-Za-z_][\w.-]*)?", "a type such as ms:kitas")]
    version: Literal["1.1.0", "2.0.0"] = "2.0.0"
    output: Text
    crs: Text = "EPSG:4326"
    page: int = Field(1_000, ge=1, le=100_000)


PartitionValues = Annotated[
    Annotated[ResourceValues, Tag(_VALUES)]
    | Annotated[Days, Tag(_DAYS)]
    | Annotated[Months, Tag(_MONTHS)]
    | Annotated[Years, Tag(_YEARS)]
    | Annotated[tuple[PartitionValue, ...], Tag(_LIST)],
    Discriminator(_kind_of_values),
]


class Resource(_Strict):
    """What is pulled from one address pattern, or dropped by hand into `inbox/<source>/`, and how it is read.

    `url` names its partitions: `{station}`, `{month}`; of a day, month or year also its first or last day in any order
    of %Y, %m and %d: `{day.first:%Y_%m_%d}`, `{month.last:%d/%m/%Y}`.
    `inbox` describes the whole name of files that may be dropped; its named groups are the partition's values. Without
    `url` the resource comes by the drop folder alone. With `url`, without `inbox` and without partitions, any file
    whose content fits may be dropped in place of the publisher's.
    `accept` names snapshots that somebody has looked at: they come into force whatever guards, `drift: freeze` and
    `rejection_limit` say. `fresh_for_days` is the source's unless given here. `versions` of a partition are in force
    together, the newest ones: of a timetable that is published before it begins, the former one speaks until then.
    `accumulate_days` is for what tells of the moment and is asked often: every snapshot of so many days counts, not
    the last one alone (see `connectors.parsing`).
    """

    connector: Text
    url: HttpsAddress | None = None
    inbox: Text | None = Field(None, description="regular expression of a dropped file's name")
    options: dict[str, Any] = {}
    form: dict[str, str] = {}
    partitions: dict[str, PartitionValues] = {}
    follow_link: str | None = Field(None, description="regular expression of the file's address on the page `url`")
    follow_dataset: FollowDataset | None = None
    wfs: Features | None = None
    absent_is_fine: bool = False
    credentials: Variable | None = None
    size_limit_mb: int = Field(500, gt=0)
    time_limit_s: int = Field(600, gt=0)
    fresh_for_days: int | None = Field(None, gt=0)
    versions: int = Field(1, ge=1, le=10)
    accumulate_days: int | None = Field(None, gt=0, le=366)
    guards: Guards = Guards()
    accept: tuple[Sha256, ...] = ()

    @property
    def size_ratio(self) -> SizeRatio | None:
        """The guard on sizes, by default a half to three times, none for what accumulates; None where it is off."""
        if self.guards.size_ratio is None:
            if self.accumulate_days is not None:
                return None
            return SizeRatio(min=0.5, max=None if self._grows else 3)
        return None if self.guards.size_ratio == "off" else self.guards.size_ratio

    @property
    def record_ratio(self) -> RecordRatio | None:
        """The guard on record counts, by default 0.7 to twice, none for what accumulates; None where it is off."""
        if self.guards.record_ratio is None:
            if self.accumulate_days is not None:
                return None
            return RecordRatio(min=0.7, max=None if self._grows else 2)
        return None if self.guards.record_ratio == "off" else self.guards.record_ratio

    @property
    def _grows(self) -> bool:
        """Whether a file fills up as its time goes on: from the first day to the last a month's grows thirtyfold."""
        return any(isinstance(values, Periods) for values in self.partitions.values())

    @property
    def address(self) -> str:
        """Where the resource comes from: its address pattern, or `inbox:` and the pattern of the names of its files."""
        return self.url or f"inbox:{self.inbox}"

    @model_validator(mode="after")
    def _keeps_versions_or_days(self) -> Self:
        if self.accumulate_days is not None and self.versions != 1:
            raise ValueError("versions: says how many snapshots count, but accumulate_days does already; leave one out")
        return self

    @model_validator(mode="after")
    def _comes_by_url_or_inbox(self) -> Self:
        if self.url is not None:
            return self
        if self.inbox is None:
            raise ValueError("expected url (downloaded), inbox (dropped by hand) or both")
        for key in ("partitions", "form", "follow_link", "follow_dataset", "wfs", "absent_is_fine", "credentials"):
            if getattr(self, key):
                raise ValueError(
                    f"{key}: says how a url is asked, but there is none; partitions come by inbox's groups"
                )
        return self

    @model_validator(mode="after")
    def _is_asked_in_one_way(self) -> Self:
        ways = [key for key in ("follow_link", "follow_dataset", "wfs") if getattr(self, key) is not None]
        if len(ways) > 1:
            raise ValueError(f"{ways[1]}: says how a url is asked, but {ways[0]} does already; leave one out")
        if self.follow_dataset is not None and not re.search("package_(show|search)", self.url or ""):
            raise ValueError("url: expected the package_show or package_search of a catalogue, for follow_dataset")
        return self

    @model_validator(mode="after")
    def _inbox_names_the_partitions(self) -> Self:
        named = set(re.compile(self.inbox).groupindex) if self.inbox is not None else None
        if self.url is not None and named is not None and named != set(self.partitions):
            raise ValueError(f"inbox has the groups {sorted(named)}, partitions declare {sorted(self.partitions)}")
        return self

    @model_validator(mode="after")
    def _partitions_fill_the_address(self) -> Self:
        if self.url is None:
            return self
        try:
            named = {place.key for place in places(self.url)}
        except ValueError as error:
            raise ValueError(f"url: {error}") from error
        if named != set(self.partitions):
            raise ValueError(f"url names {sorted(named)}, partitions declare {sorted(self.partitions)}")
        spans = {key for key, values in self.partitions.items() if isinstance(values, Periods)}
        listed = {
            key
            for key, values in self.partitions.items()
            if isinstance(values, ResourceValues) and values.json_key is None
        }
        for problem in day_problems(self.url, spans, listed):
            raise ValueError(f"url: {problem}")
        return self

    @field_validator("connector")
    @classmethod
    def _is_a_connector(cls, value: str) -> str:
        if value not in CONNECTORS:
            raise ValueError(f"{value!r} is unknown; {nearest(value, CONNECTORS)}")
        return value

    @field_validator("follow_link", "inbox")
    @classmethod
    def _is_a_pattern(cls, value: str | None) -> str | None:
        return None if value is None else pattern(value)

    @field_validator("follow_link")
    @classmethod
    def _link_is_an_https_pattern(cls, value: str | None) -> str | None:
        if value is not None and not value.startswith("https://"):
            raise ValueError("must describe the whole address, beginning with https://")
        return value


# What is counted and which way, as `count_reading` says it.
Mode = Literal["bicycle", "car", "pedestrian", "motor_vehicle", "heavy_vehicle", "unknown"]
Direction = Literal["in", "out", "both", "unknown"]


def _begins_an_hour(value: datetime) -> datetime:
    if value != value.replace(minute=0, second=0, microsecond=0):
        raise ValueError(f"is {value:%Y-%m-%d %H:%M:%S}, expected a full hour: corrections are made hour by hour")
    if value.replace(tzinfo=CIVIL_TIME).astimezone(UTC).astimezone(CIVIL_TIME).replace(tzinfo=None) != value:
        raise ValueError(f"is {value:%Y-%m-%d %H:%M}, an hour that the clock change leaves out in {CIVIL_TIME.key}")
    return value


# Local civil time, `2024-10-05 14:00`; of the hour that autumn repeats, the first pass.
LocalHour = Annotated[NaiveDatetime, AfterValidator(_begins_an_hour)]


class _Declared(_Strict):
    """What somebody says of a counter beside what its files say, and why; `inputs` as those of a source."""

    site: Text
    reason: Text
    inputs: tuple[Input, ...] = ("sample", "mirror", "live")


class ChannelMeaning(_Declared):
    """What a channel means from one local date to another, both included, in place of what the files say.

    What is left out stays as the files say it. `role: ghost` takes a channel out of sums and completeness.
    """

    channel: Text
    from_: date = Field(alias="from")
    to: date | None = None
    role: Literal["sum", "part", "ghost"] | None = None
    mode: Mode | None = None
    direction: Direction | None = None

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if self.role is None and self.mode is None and self.direction is None:
            raise ValueError("says nothing of the channel, expected role, mode, direction or several of them")
        if self.to is not None and self.to < self.from_:
            raise ValueError(f"to: {self.to} lies before from, {self.from_}")
        return self


class CountCorrection(_Declared):
    """What is wrong with a site's counts, of one `channel` or of all, from a local hour up to another, that one not.

    `drop`: no measurement at all; `flag`: measured, but not to be relied on; `scale`: `factor` times what is reported
    is right. `expect` is the sum reported in that time when this was written (of the sum channel where there is one,
    else of all parts); where the files say another, the publisher has mended it and nothing is corrected any more.
    """

    channel: Text | None = None
    from_: LocalHour = Field(alias="from")
    to: LocalHour
    action: Literal["drop", "scale", "flag"]
    factor: float | None = Field(None, gt=0, le=100)
    provider: Text
    expect: int = Field(ge=0)

    @model_validator(mode="after")
    def _is_consistent(self) -> Self:
        if self.to <= self.from_:
            raise ValueError(f"to: {self.to} is not after from, {self.from_}")
        if (self.action == "scale") != (self.factor is not None):
            raise ValueError("factor: goes with action scale, and only with it")
        return self


class Source(_Strict):
    """One publisher's file in the catalogue."""

    id: Name
    title_de: Text
    title_en: Text
    domain: Domain
    publisher: Text
    homepage: HttpsAddress
    licence: Text
    licence_url: HttpsAddress
    attribution: Text
    covers: tuple[AreaKey, ...] = Field(min_length=1)
    inputs: tuple[Input, ...] = ("sample", "mirror", "live")
    schedule: Cron
    priority: int = Field(50, ge=0, le=100)
    fresh_for_days: int = Field(gt=0)
    drift: Literal["report", "freeze"] = "report"
    rejection_limit: float = Field(0.05, ge=0, le=1)
    timetable: Name | None = Field(None, description="the source whose timetable this one speaks of")
    resources: dict[Name, Resource] = Field(min_length=1)
    topology: tuple[ChannelMeaning, ...] = Field((), max_length=10_000)
    corrections: tuple[CountCorrection, ...] = Field((), max_length=10_000)

    @model_validator(mode="after")
    def _declares_each_hour_once(self) -> Self:
        for key, given in (("topology", self.topology), ("corrections", self.corrections)):
            if given and self.domain != "mobility":
                raise ValueError(f"{key}: is for counts, but the domain is {self.domain}")
        one_after_another(
            "topology",
            [(entry.site, entry.channel, entry.from_, entry.to or date.max) for entry in self.topology],
        )
        one_after_another(
            "corrections",
            [(entry.site, entry.channel, entry.from_, entry.to - timedelta(hours=1)) for entry in self.corrections],
        )
        return self

    @model_validator(mode="after")
    def _resources_follow_each_other(self) -> Self:
        seen: set[str] = set()
        for name, resource in self.resources.items():
            before: set[str] = set()
            for key, values in resource.partitions.items():
                if isinstance(values, ResourceValues):
                    where = f"resources.{name}.partitions.{key}"
                    if values.from_resource not in seen:
                        raise ValueError(f"{where}: no earlier resource {values.from_resource!r}")
                    if unknown := set(self.resources[values.from_resource].partitions) - before:
                        raise ValueError(
                            f"{where}: {values.from_resource} has the partitions {sorted(unknown)}; "
                            "name them before this one"
                        )
                before.add(key)
            seen.add(name)
        return self

    @model_validator(mode="after")
    def _accumulates_as_a_whole(self) -> Self:
        if len({resource.accumulate_days is None for resource in self.resources.values()}) > 1:
            raise ValueError(
                "resources: some have accumulate_days, some have not; the two kinds are asked by DAGs of their own: "
                "make two sources of them"
            )
        return self

    @property
    def accumulates(self) -> bool:
        """Whether it tells of the moment: asked often, every snapshot counts."""
        return any(resource.accumulate_days is not None for resource in self.resources.values())

    @property
    def host(self) -> str:
        """The host that is asked first, `inbox` where none is: sources of one host share an Airflow pool."""
        urls = [resource.url for resource in self.resources.values() if resource.url is not None]
        return urls[0].split("/")[2] if urls else "inbox"


def one_after_another(key: str, spans: Sequence[tuple[str, str | None, Any, Any]]) -> None:
    """Raise ValueError naming two of the spans (site, channel or None for all, first, last) that speak of one time."""
    by_site: dict[str, list[int]] = defaultdict(list)
    for number, (site, channel, first, last) in enumerate(spans):
        for former in by_site[site]:
            _, other, begun, ended = spans[former]
            if (channel is None or other is None or channel == other) and first <= ended and begun <= last:
                raise ValueError(f"{key}.{number}: site {site}, from {first}: {key}.{former} speaks of the same time")
        by_site[site].append(number)


def load_source(path: Path) -> Source:
    """The source of one file; raises CatalogueError naming file and key of every problem."""
    try:
        # libyaml: every task of a run loads the catalogue.
        content = yaml.load(path.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader)
    except UnicodeDecodeError as error:
        raise CatalogueError(f"{path.name}: not readable as YAML: byte {error.start}: expected UTF-8") from error
    except yaml.YAMLError as error:
        raise CatalogueError(f"{path.name}: not readable as YAML: {_where_and_why(error)}") from error
    try:
        source = Source.model_validate(content)
    except ValidationError as error:
        raise CatalogueError("\n".join(f"{path.name}: {_key(e)}: {in_words(e)}" for e in error.errors())) from error
    if source.id != path.stem:
        raise CatalogueError(f"{path.name}: id: is {source.id!r}, expected the file's name {path.stem!r}")
    return source


def load_catalogue(folder: Path, load: Callable[[Path], Source] = load_source) -> dict[str, Source]:
    """All sources by id, sorted, each file read by `load`; raises CatalogueError naming all problems of all files."""
    paths = sorted(folder.glob("*.yml"))
    if not paths:
        raise CatalogueError(f"{folder}: no *.yml, expected one file per publisher; check SOURCES_DIR")
    sources, problems = [], []
    for path in paths:
        try:
            sources.append(load(path))
        except CatalogueError as error:
            problems.append(str(error))
    if not problems:
        problems = list(_dangling(sources))
    if problems:
        raise CatalogueError("\n".join(problems))
    return {source.id: source for source in sorted(sources, key=lambda source: source.id)}


def _dangling(sources: Iterable[Source]) -> Iterator[str]:
    """Sources that speak of a timetable that nobody publishes, or not under every input they are offered by."""
    known = {source.id: source for source in sources}
    for source in known.values():
        if source.timetable is None:
            continue
        spoken_of = known.get(source.timetable)
        if spoken_of is None:
            yield f"{source.id}.yml: timetable: {source.timetable!r} is no source; {nearest(source.timetable, known)}"
        elif not set(source.inputs) <= set(spoken_of.inputs):
            there, wanted = ", ".join(spoken_of.inputs), ", ".join(source.inputs)
            yield f"{source.id}.yml: timetable: {source.timetable} has the inputs {there}, expected all of {wanted}"


def in_words(problem: ErrorDetails) -> str:
    """What is wrong with a value and what was expected, in the words of whoever writes YAML."""
    given = f"is {shortened(problem['input'])}, expected"
    match problem["type"]:
        case "missing":
            return "is missing"
        case "value_error":
            return str(problem["ctx"]["error"])
        case "unknown_key":
            return problem["msg"]
        case "model_type" | "dict_type":
            return f"{given} keys with values"
        case "tuple_type":
            return f"{given} a list"
        case "string_type":
            return f"{given} text; put it into quotes"
        case "too_short" | "string_too_short":
            return "is empty"
        case _:
            return f"{given} {problem['msg'].removeprefix('Input should be ')}"


def _key(problem: ErrorDetails) -> str:
    return ".".join(str(part) for part in problem["loc"] if not str(part).startswith("<")) or "file"


def _where_and_why(error: yaml.YAMLError) -> str:
    if isinstance(error, yaml.MarkedYAMLError) and error.problem_mark is not None:
        mark, begun = error.problem_mark, error.context_mark
        while_ = f", {error.context} that begins in line {begun.line + 1}" if error.context and begun else ""
        return f"line {mark.line + 1}, column {mark.column + 1}: {error.problem}{while_}"
    if isinstance(error, yaml.reader.ReaderError):
        return f"character {error.position}: {error.reason}"
    return str(error)
