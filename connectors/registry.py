"""The connectors by the name the catalogue calls them; modules are imported when one is asked for."""

from __future__ import annotations

import hashlib
import importlib
import inspect
import json
from collections.abc import Mapping
from typing import Any

from pydantic import ConfigDict, TypeAdapter, ValidationError

from connectors.catalogue import CatalogueError, Resource, Source
from connectors.connector import Connector
from connectors.region import Region

# name in the catalogue -> module and attribute below connectors.formats
CONNECTORS = {
    "bkg_boundaries": "bkg_boundaries:CONNECTOR",
    "charging_register": "charging_register:CONNECTOR",
    "eco_counter_csv": "eco_counter:READINGS",
    "eco_counter_sites": "eco_counter:SITES",
    "genesis_ffcsv": "genesis_ffcsv:CONNECTOR",
    "gtfs": "gtfs:CONNECTOR",
    "mastr_export": "mastr:CONNECTOR",
    "municipality_directory": "municipality_directory:CONNECTOR",
    "schools_nrw": "schools_nrw:CONNECTOR",
}


def connector(name: str) -> Connector:
    """The connector called `name`; raises CatalogueError naming those there are."""
    if name not in CONNECTORS:
        raise CatalogueError(f"connector: {name!r} is unknown, expected one of {', '.join(sorted(CONNECTORS))}")
    module, attribute = CONNECTORS[name].split(":")
    found: Connector = getattr(importlib.import_module(f"connectors.formats.{module}"), attribute)
    return found


def check_source(source: Source) -> None:
    """Raise CatalogueError where a resource's connector, options or guarded tables do not fit, naming file and key."""
    for name, resource in source.resources.items():
        try:
            parse_options(resource)
            _check_guarded_tables(resource)
        except CatalogueError as error:
            raise CatalogueError(f"{source.id}.yml: resources.{name}.{error}") from error


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
    for option in resource.options:
        if option not in parameters:
            known = ", ".join(sorted(parameters)) or "none"
            raise CatalogueError(f"options.{option}: {resource.connector} has no such option, expected {known}")
    checked: dict[str, Any] = {}
    for option, parameter in parameters.items():
        if option in resource.options:
            try:
                adapter = TypeAdapter(parameter.annotation, config=ConfigDict(strict=True))
                checked[option] = adapter.validate_json(json.dumps(resource.options[option]))
            except ValidationError as error:
                raise CatalogueError(f"options.{option}: {error.errors()[0]['msg']}") from error
            except TypeError as error:
                # YAML reads 2024-01-01 as a date, which no option is.
                raise CatalogueError(f"options.{option}: {error}; put the value into quotes") from error
        elif parameter.default is parameter.empty:
            raise CatalogueError(f"options.{option}: {resource.connector} needs it")
    return checked


def parse_key(resource: Resource, partition: Mapping[str, str], region: Region) -> str:
    """`<connector version>-<hash>`: equal where the same bytes give the same staged rows."""
    found = connector(resource.connector)
    inputs = [found.name, dict(resource.options), dict(partition), region.model_dump(mode="json")]
    digest = hashlib.sha256(json.dumps(inputs, sort_keys=True, ensure_ascii=False).encode())
    return f"{found.version}-{digest.hexdigest()[:16]}"
