"""Address patterns of the catalogue: what may stand in braces, and the address that comes of it.

`{key}` is a partition's value. `{month.first:%d/%m/%Y}` is a day of a period (a day, month or year): its `first`, its
`last` or the `next` one, the first after it, in a format of its own. `{site.flows}` is what the list that names the
value says beside it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import date, timedelta
from typing import NamedTuple
from urllib.parse import quote

from connectors import periods

DAYS = ("first", "last", "next")
_PLACE = re.compile(r"{(?P<key>\w+)(\.(?P<field>\w+))?(:(?P<format>[^{}]*))?}")
# Year, month and day in any order, with signs that an address may hold.
_FORMAT = re.compile(r"(%[Ymd]|[-./_])+")


class Place(NamedTuple):
    """A pair of braces: the partition's key, what of it is meant, and the format of a day."""

    key: str
    field: str | None
    format: str | None


def places(pattern: str) -> list[Place]:
    """What stands in braces, in its order; raises ValueError where braces enclose anything else."""
    if re.search(r"[{}]", _PLACE.sub("", pattern)):
        raise ValueError("braces may only enclose the name of a partition, or of what belongs to it")
    return [Place(match["key"], match["field"], match["format"]) for match in _PLACE.finditer(pattern)]


def day_problems(pattern: str, period_keys: set[str], listed_keys: set[str]) -> Iterator[str]:
    """Why fields and formats in braces cannot be filled; `listed_keys` are those whose values a list names."""
    for key, field, format_ in places(pattern):
        if key in period_keys and field is not None:
            if field not in DAYS:
                yield f"{key}.{field}: a period has {', '.join(DAYS)}"
            elif format_ is None or not _FORMAT.fullmatch(format_):
                yield f"{key}.{field}: expected a format of %Y, %m and %d, such as {{{key}.{field}:%d/%m/%Y}}"
        elif field is not None and key not in listed_keys:
            yield f"{key}.{field}: only days, months, years and what an earlier resource lists have fields"
        elif format_ is not None:
            yield f"{key}: only the days of a period have a format"


def filled(pattern: str, values: Mapping[str, str], fields: Mapping[str, str]) -> str:
    """The address; `fields` are those of listed values, as `key.field`.

    Raises KeyError where a value is missing, which day_problems and the catalogue find before.
    """

    def fill(match: re.Match[str]) -> str:
        key, field, format_ = match["key"], match["field"], match["format"]
        if field is None:
            return values[key]
        if format_ is not None:
            return day_of(values[key], field).strftime(format_)
        return quote(fields[f"{key}.{field}"], safe="")

    return _PLACE.sub(fill, pattern)


def day_of(period: str, which: str) -> date:
    """A day of a period: its first, its last, or the next one after it."""
    following = periods.day_after(period)
    return {"first": periods.first_day(period), "last": following - timedelta(days=1), "next": following}[which]
