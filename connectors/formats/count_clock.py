"""Local times of tables of counts: how they are written and which instants they mean when clocks change."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

# Local times and instants are seconds since 1970, the former as if they were UTC.
Seconds = npt.NDArray[np.int64]
NO_TIME = np.iinfo(np.int64).min
DAY_S = 86_400
UNREADABLE = "unreadable timestamp"
REPEATED = "repeated interval"
SINGLE = "only one pass of the repeated hour is there, and which one is not told"
BOTH_COUNT = "the hour that spring leaves out is there twice, both times with counts"
LONE = "a lone blank or zero row of this hour may stand for the one that spring leaves out"
SKIPPED = "hour that spring leaves out"

_TOKENS = {
    "YYYY": r"(?P<year>(?:19|20)\d{2})",
    "YY": r"(?P<short_year>\d{2})",
    "MM": r"(?P<month>\d{2})",
    "M": r"(?P<month>\d{1,2})",
    "DD": r"(?P<day>\d{2})",
    "D": r"(?P<day>\d{1,2})",
    "HH": r"(?P<hour>\d{2})",
    "H": r"(?P<hour>\d{1,2})",
    "mm": r"(?P<minute>\d{2})",
    "ss": r"(?P<second>\d{2})",
}
_TOKEN = re.compile("|".join(sorted(_TOKENS, key=len, reverse=True)))
# How a workbook's own dates, moments and times are written out by `connectors.workbook`.
TYPED_MOMENT = "YYYY-MM-DD HH:mm:ss"
TYPED_CLOCK = "HH:mm:ss"


@cache
def time_pattern(format_: str) -> str:
    """A time format as a regular expression with named groups, in a syntax Python and RE2 share.

    Years are those in which civil time has a zone: 1900 to 2099; of two digits, 2000 to 2099. Raises ValueError for a
    format without date and hour, or with letters that are no token.
    """
    parts, at, names = [], 0, []
    for token in _TOKEN.finditer(format_):
        parts += [re.escape(format_[at : token.start()]), _TOKENS[token[0]]]
        names.append(re.search(r"<(\w+)>", _TOKENS[token[0]])[1])  # type: ignore[index]
        at = token.end()
    parts.append(re.escape(format_[at:]))
    literal = _TOKEN.sub("", format_)
    if not names or len(set(names)) < len(names) or re.search("[A-Za-z]", literal.replace("T", "")):
        raise ValueError(f"is {format_!r}, expected a format such as YYYY-MM-DD HH:mm, D/M/YYYY or H:mm")
    return "".join(parts)


def parsed(texts: pa.Array | pa.ChunkedArray, format_: str) -> Seconds:
    """Texts as seconds: of a format with a date since 1970, of one without since midnight; NO_TIME where unreadable."""
    pattern = time_pattern(format_)
    found = pc.extract_regex(texts, f"^(?:{pattern})$")
    if isinstance(found, pa.ChunkedArray):
        found = found.combine_chunks()
    readable = found.is_valid().to_numpy(zero_copy_only=False)

    def part(name: str, otherwise: int) -> Seconds:
        if found.type.get_field_index(name) < 0:
            return np.full(len(found), otherwise, np.int64)
        values = pc.cast(pc.struct_field(found, name), pa.int64())
        return pc.fill_null(values, otherwise).to_numpy(zero_copy_only=False)  # type: ignore[no-any-return]

    seconds = part("hour", 0) * 3600 + part("minute", 0) * 60 + part("second", 0)
    # 24:00 is the end of the last hour.
    readable = readable & (seconds <= DAY_S) & (part("minute", 0) < 60) & (part("second", 0) < 60)
    if "<day>" in pattern:
        year = part("short_year", 0) + 2000 if "<short_year>" in pattern else part("year", 1970)
        month, day = part("month", 1), part("day", 1)
        readable &= (month >= 1) & (month <= 12) & (day >= 1)
        months = (year - 1970) * 12 + np.clip(month, 1, 12) - 1
        first = months.astype("datetime64[M]").astype("datetime64[D]")
        length = ((months + 1).astype("datetime64[M]").astype("datetime64[D]") - first).astype(np.int64)
        readable &= day <= length
        seconds = seconds + (first.astype(np.int64) + day - 1) * DAY_S
    return np.where(readable, seconds, NO_TIME)


class Moments(NamedTuple):
    """What local times mean: instants, whether a reading holds both passes, and why a time means nothing.

    at: seconds since 1970 UTC. problems: index -> reason. skipped: those that stand for the hour spring leaves out.
    """

    at: Seconds
    merged: npt.NDArray[np.bool_]
    problems: dict[int, str]
    skipped: frozenset[int]


def moments(
    local: Seconds, series: npt.NDArray[Any], zone: ZoneInfo, spring: str, autumn: str, counted: npt.NDArray[np.bool_]
) -> Moments:
    """What each local time means in `zone`, in the file's order (PEP 495 says which are doubled or do not exist).

    series: equal where readings are of one series, in which no time may stand twice. counted: where a row has a count
    other than zero. spring, autumn: a layout's rules, see `count_layout.ClockChange`.
    """
    known = local != NO_TIME
    problems = dict.fromkeys(np.flatnonzero(~known).tolist(), UNREADABLE)
    days = local // DAY_S
    at = np.full(len(local), NO_TIME)
    odd = np.zeros(len(local), np.bool_)
    for day in np.unique(days[known]).tolist():
        offsets = {_offset(day * DAY_S, zone), _offset((day + 1) * DAY_S, zone)}
        here = known & (days == day)
        if len(offsets) == 1:
            at[here] = local[here] - offsets.pop()
        else:
            odd |= here
    odd |= known & _doubled(local, series)
    merged = np.zeros(len(local), np.bool_)
    skipped: set[int] = set()
    if odd.any():
        by_series: dict[Any, list[int]] = defaultdict(list)
        for index in np.flatnonzero(odd).tolist():
            by_series[series[index]].append(index)
        for indices in by_series.values():
            _settle(indices, local, zone, (spring, autumn), counted, at, merged, problems, skipped)
    return Moments(at, merged, problems, frozenset(skipped))


def _doubled(local: Seconds, series: npt.NDArray[Any]) -> npt.NDArray[np.bool_]:
    """Where a series has a time more than once."""
    order = np.lexsort((local, series))
    same = (local[order][1:] == local[order][:-1]) & (series[order][1:] == series[order][:-1])
    doubled = np.zeros(len(local), np.bool_)
    doubled[order[1:][same]] = True
    doubled[order[:-1][same]] = True
    return doubled


def _settle(
    indices: Sequence[int],
    local: Seconds,
    zone: ZoneInfo,
    rules: tuple[str, str],
    counted: npt.NDArray[np.bool_],
    at: Seconds,
    merged: npt.NDArray[np.bool_],
    problems: dict[int, str],
    skipped: set[int],
) -> None:
    """Instants of one series' readings on the days on which clocks change or on which a time stands twice."""
    spring, autumn = rules
    times: dict[int, list[int]] = defaultdict(list)
    for index in indices:
        times[int(local[index])].append(index)
    spelt_twice = {
        time // DAY_S
        for time, there in times.items()
        if len(there) > 1 and _first_last(time, zone)[0] < _first_last(time, zone)[1]
    }
    for time, there in times.items():
        first, second = _first_last(time, zone)
        if first > second:
            problems |= dict.fromkeys(there, f"local time does not exist in {zone.key}")
        elif first == second and spring == "doubled" and _follows_a_gap(time, zone):
            _settle_doubled(there, first, counted, at, problems, skipped)
        elif first == second:
            at[there[0]] = first
            problems |= dict.fromkeys(there[1:], REPEATED)
        elif autumn == "merged":
            at[there[0]], merged[there[0]] = first, True
            problems |= dict.fromkeys(there[1:], REPEATED)
        elif autumn == "repeated" and len(there) == 1:
            problems[there[0]] = SINGLE
        else:
            # A file that spells out both passes merges nothing, even where one of two readings is absent.
            merged[there[0]] = time // DAY_S not in spelt_twice
            for index, instant in zip(there, (first, second), strict=False):
                at[index] = instant
            problems |= dict.fromkeys(there[2:], REPEATED)


def _settle_doubled(
    there: Sequence[int],
    instant: int,
    counted: npt.NDArray[np.bool_],
    at: Seconds,
    problems: dict[int, str],
    skipped: set[int],
) -> None:
    """The rows of the hour after the one that spring leaves out: a blank or zero one stands for the latter."""
    with_counts = [index for index in there if counted[index]]
    if len(there) > 2 or len(with_counts) == 2:
        problems |= dict.fromkeys(there, BOTH_COUNT if len(there) == 2 else REPEATED)
    elif len(there) == 1 and not with_counts:
        # The other one is cut off, and this one may be either.
        problems[there[0]] = LONE
    else:
        # Where both are blank, the first stands for the hour before.
        staged = with_counts[0] if with_counts else there[1]
        skipped.update(index for index in there if index != staged)
        at[staged] = instant


class Across(NamedTuple):
    """The values of a row whose columns are times, on one day: what each means, in order.

    local, at: seconds. merged: holds both passes. problem: why a value there would mean nothing.
    """

    local: Seconds
    at: Seconds
    merged: npt.NDArray[np.bool_]
    problems: dict[int, str]


def across(day: int, clocks: Seconds, zone: ZoneInfo, spring: str, autumn: str) -> Across:
    """What the values of a row mean on `day` (seconds since 1970) under columns of these times (seconds).

    Where the rules say so, there is a value less than columns in spring (`shifted`) and more in autumn (`repeated`).
    """
    local: list[int] = []
    at: list[int] = []
    merged: list[bool] = []
    problems: dict[int, str] = {}
    for clock in clocks.tolist():
        time = day + clock
        first, second = _first_last(time, zone)
        if first > second and spring == "shifted":
            continue
        if first > second:
            problems[len(local)] = f"local time does not exist in {zone.key}"
        local.append(time)
        at.append(first)
        merged.append(first < second and autumn == "merged")
    # The repeated hour's second pass follows the whole of its first.
    if autumn == "repeated":
        again = [(time, _first_last(time, zone)) for time in local]
        twice = [(time, both[1]) for time, both in again if both[0] < both[1]]
        if twice:
            place = local.index(twice[-1][0]) + 1
            local[place:place], at[place:place] = [time for time, _ in twice], [second for _, second in twice]
            merged = [False] * len(local)
    return Across(np.array(local, np.int64), np.array(at, np.int64), np.array(merged, np.bool_), problems)


@cache
def _offset(local: int, zone: ZoneInfo) -> int:
    """Seconds by which the zone's clock is ahead of UTC at a local time."""
    return local - _first_last(local, zone)[0]


def _first_last(local: int, zone: ZoneInfo) -> tuple[int, int]:
    """The two instants of a local time: equal mostly, rising where it has two, falling where it does not exist."""
    time = datetime.fromtimestamp(local, UTC).replace(tzinfo=zone)
    return int(time.timestamp()), int(time.replace(fold=1).timestamp())


def _follows_a_gap(local: int, zone: ZoneInfo) -> bool:
    """Whether the same minute an hour before does not exist."""
    first, second = _first_last(local - int(timedelta(hours=1).total_seconds()), zone)
    return first > second
