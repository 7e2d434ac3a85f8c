"""Counters on their whole way: landed, parsed by the catalogue's declaration, frozen, built by dbt into marts."""

from __future__ import annotations

import copy
import functools
from dataclasses import dataclass
from pathlib import Path

from dbt.contracts.graph.manifest import Manifest

from connectors.catalogue import Source, load_catalogue
from connectors.landing import Landing
from connectors.parsing import parse_source
from muensterland.settings import REPOSITORY
from tests.dbt_project.conftest import Built, build, parse
from tests.transit.world import World

COUNTERS = "muenster-bicycle-counters"


def counters(source_id: str, *covers: str) -> Source:
    """Münster's declaration of its counters under another name, for other municipalities."""
    declared = load_catalogue(REPOSITORY / "data/sources")[COUNTERS]
    return declared.model_copy(update={"id": source_id, "covers": covers or declared.covers})


def partition(station: str, month: str) -> str:
    """The partition of a station's month in that declaration."""
    return f"readings/station={station}/month={month}"


@dataclass
class CounterWorld(World):
    """A home with the sample's territory and the counters that landed, in the order of their landing."""

    def land_month(self, source: Source, station: str, month: str, content: bytes) -> None:
        """Let a station's month come; what has landed is parsed when the marts are built, or by `parse`."""
        self.sources[source.id] = source
        self._keep(source.id, partition(station, month), content, f"{month}.csv")

    def parse(self, source: Source) -> None:
        """Parse what has landed of a source by now."""
        parse_source(source, Landing(self.root / "landing", source.id), self.root / "staged")

    def built(self) -> Built:
        """The marts of mobility and what they are made from."""
        return marts_of(self.view(), self.root / "build")


def marts_of(view: Path, folder: Path) -> Built:
    """Mobility and what it is made from, built from a frozen view, without tests."""
    made = build(view, folder, *SELECTED, manifest=copy.deepcopy(parsed()))
    assert made.result.success, [str(result) for result in made.result.result if result.status in ("error", "fail")]
    return made


@functools.cache
def parsed() -> Manifest:
    """The dbt project, read once: that takes longer than to build small marts."""
    return parse()


# What mobility is made from comes with it; the rest of core would only take time.
SELECTED = ("--select", "+tag:mobility", "--resource-type", "seed", "--resource-type", "model")
