"""Address patterns of the catalogue: what may stand in braces, and the address that comes of it.

`{key}` is a partition's value. `{month.first:%d/%m/%Y}` is a day of a day, month or year, in the publisher's own way of
writing: its `first`, its `last`, or the `next` one, the first after it, for those who ask up to a day and mean without
it. `{site.flows}` is what the list that names the value says beside it (`Connector.listed`).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import date, timedelta
from typing import NamedTuple
from urllib.parse import quote

from connectors.periods import day_after, first_day

DAYS = ("first", "last", "next")
_PLACE = re.compile(r"{(?P<key>\w+)(\.(?P<field>\w+))?(:(?P<form>[^{}]*))?}")
# Year, month and day in any order, with whatever stands between them.
_FORM = re.compile(r"([^%{}\s]|%[Ymd])+")


class Place(NamedTuple):
    """A pair of braces: the partition's key, what of it is meant, and the form of a day."""

    key: str
    field: str | None
    form: str | None


def places(pattern: str) -> list[Place]:
    """What stands in braces, in its order; raises ValueError where braces enclose anything else."""
    if re.search(r"[{}]", _PLACE.sub("", pattern)):
        raise ValueError(
            "braces may only enclose the name of a partition, as {month}, or its first or last day, "
            "as {month.first:%Y-%m-%d}"
        )
    return [Place(match["key"], match["field"], match["form"]) for match in _PLACE.finditer(pattern)]


def field_problems(pattern: str, time_keys: set[str], listed_keys: set[str]) -> Iterator[str]:
    """Why what stands in braces cannot be filled.

    `time_keys` are those of days, months and years, `listed_keys` those whose values a list names.
    """
    for key, field, form in places(pattern):
        if key in time_keys and field is not None:
            if field not in DAYS:
                yield f"{key}.{field}: a day, month or year has {', '.join(DAYS)}"
            elif form is None or not _FORM.fullmatch(form):
                yield f"{key}.{field}: expected a form of %Y, %m and %d, as {{{key}.{field}:%d/%m/%Y}}"
        elif field is not None and key not in listed_keys:
            yield f"only days, months and years have a first and a last day, {key} is none of them"
        elif form is not None:
            yield f"{key}: only a day of a day, month or year has a form"


def filled(pattern: str, values: Mapping[str, str], fields: Mapping[str, str]) -> str:
    """The address; `fields` are those of listed values, as `key.field`, and are quoted.

    Raises KeyError where one is missing, which `field_problems` and the catalogue find before.
    """

    def fill(match: re.Match[str]) -> str:
        key, field, form = match["key"], match["field"], match["form"]
        if field is None:
            return values[key]
        if form is not None:
            return f"{day_of(values[key], field):{form}}"
        return quote(fields[f"{key}.{field}"], safe="")

    return _PLACE.sub(fill, pattern)


def day_of(period: str, which: str) -> date:
    """The first or last day of a period, or the `next` one after it."""
    following = day_after(period)
    return {"first": first_day(period), "last": following - timedelta(days=1), "next": following}[which]
