"""The connectors by the name the catalogue calls them; modules are imported when one is asked for."""

from __future__ import annotations

import hashlib
import importlib
import inspect
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from pydantic import ConfigDict, TypeAdapter, ValidationError

from connectors.address import places
from connectors.catalogue import (
    CatalogueError,
    Resource,
    ResourceValues,
    Source,
    in_words,
    load_catalogue,
    load_source,
    nearest,
)
from connectors.connector import Connector
from connectors.formats import CONNECTORS
from connectors.region import Region
from connectors.tables import GTFS_STOP_TIMES


def connector(name: str) -> Connector:
    """The connector called `name`; raises CatalogueError naming those there are."""
    if name not in CONNECTORS:
        raise CatalogueError(f"connector: {name!r} is unknown; {nearest(name, CONNECTORS)}")
    module, attribute = CONNECTORS[name].split(":")
    found: Connector = getattr(importlib.import_module(f"connectors.formats.{module}"), attribute)
    return found


def check_catalogue(folder: Path) -> dict[str, Source]:
    """All sources by id, each fitting its connectors; raises CatalogueError naming all problems of all files."""
    sources = load_catalogue(folder, _load_checked)
    problems = [
        f"{source.id}.yml: timetable: {source.timetable} has no stop_times, expected a source with connector: gtfs"
        for source in sources.values()
        if source.timetable is not None and not _has_timetable(sources[source.timetable])
    ]
    if problems:
        raise CatalogueError("\n".join(problems))
    return sources


def _has_timetable(source: Source) -> bool:
    return any(GTFS_STOP_TIMES in connector(resource.connector).tables for resource in source.resources.values())


def _load_checked(path: Path) -> Source:
    source = load_source(path)
    check_source(source)
    return source


def check_source(source: Source) -> None:
    """Raise CatalogueError where a resource's connector, options or guarded tables do not fit, naming file and keys."""
    problems = [
        f"{source.id}.yml: resources.{name}.{problem}"
        for name, resource in source.resources.items()
        for problem in _problems(resource)
    ]
    problems += [f"{source.id}.yml: {problem}" for problem in _list_problems(source)]
    speaking = [name for name, resource in source.resources.items() if connector(resource.connector).needs_timetable]
    if bool(speaking) != (source.timetable is not None):
        words = (
            f"is missing; expected the source whose timetable resources.{speaking[0]} speaks of"
            if speaking
            else f"is {source.timetable!r}, but no resource speaks of a timetable; leave it out"
        )
        problems.append(f"{source.id}.yml: timetable: {words}")
    if problems:
        raise CatalogueError("\n".join(problems))


def _list_problems(source: Source) -> Iterator[str]:
    """Values and fields that addresses take from a list that does not have them."""
    for name, resource in source.resources.items():
        for key, values in resource.partitions.items():
            if not isinstance(values, ResourceValues) or values.json_key is not None:
                continue
            listing = connector(source.resources[values.from_resource].connector)
            if listing.listed is None:
                yield f"resources.{name}.partitions.{key}: {listing.name} lists nothing; give a json_key"
            for place in places(resource.url or ""):
                if place.key == key and place.field is not None and place.field not in listing.listed_fields:
                    known = nearest(place.field, listing.listed_fields)
                    yield f"resources.{name}.url: {listing.name} lists no {key}.{place.field}; {known}"


def _problems(resource: Resource) -> Iterator[str]:
    for check in (parse_options, _check_guarded_tables):
        try:
            check(resource)
        except CatalogueError as error:
            yield from str(error).splitlines()


def _check_guarded_tables(resource: Resource) -> None:
    filled = [table.name for table in connector(resource.connector).tables]
    named = resource.record_ratio.tables if resource.record_ratio else None
    for table in named or ():
        if table not in filled:
            raise CatalogueError(
                f"guards.record_ratio.tables: {resource.connector} fills no {table!r}, expected {', '.join(filled)}"
            )


def parse_options(resource: Resource) -> dict[str, Any]:
    """The resource's options as its connector's `parse` takes them: its keyword-only parameters, by type.

    Raises CatalogueError for an option the signature does not know, one of another type, or a required one that is
    missing.
    """
    parse = connector(resource.connector).parse
    parameters = {
        parameter.name: parameter
        for parameter in inspect.signature(parse, eval_str=True).parameters.values()
        if parameter.kind is parameter.KEYWORD_ONLY
    }
    problems = [
        f"options.{option}: {resource.connector} has no such option; {nearest(option, parameters)}"
        for option in resource.options
        if option not in parameters
    ]
    checked: dict[str, Any] = {}
    for option, parameter in parameters.items():
        if option in resource.options:
            try:
                adapter = TypeAdapter(parameter.annotation, config=ConfigDict(strict=True))
                checked[option] = adapter.validate_json(json.dumps(resource.options[option]))
            except ValidationError as error:
                problems.append(f"options.{option}: {in_words(error.errors()[0])}")
            except TypeError as error:
                # YAML reads 2024-01-01 as a date, which no option is.
                problems.append(f"options.{option}: {error}; put the value into quotes")
        elif parameter.default is parameter.empty:
            problems.append(f"options.{option}: {resource.connector} needs it")
    if problems:
        raise CatalogueError("\n".join(problems))
    return checked


def parse_key(resource: Resource, partition: Mapping[str, str], region: Region) -> str:
    """`<connector version>-<hash>`: equal where the same bytes give the same staged rows."""
    found = connector(resource.connector)
    inputs = [found.name, dict(resource.options), dict(partition), region.model_dump(mode="json")]
    digest = hashlib.sha256(json.dumps(inputs, sort_keys=True, ensure_ascii=False).encode())
    return f"{found.version}-{digest.hexdigest()[:16]}"
