"""The region's extent: which municipality keys belong to it, read from `data/region.yml`."""

from __future__ import annotations

import functools
from pathlib import Path
from typing import Annotated

import yaml
from pydantic import BaseModel, ConfigDict, StringConstraints

from muensterland.settings import REPOSITORY

KreisKey = Annotated[str, StringConstraints(pattern=r"^\d{5}$")]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class BoundingBox(_Strict):
    """Corner coordinates in EPSG:4326, degrees."""

    west: float
    south: float
    east: float
    north: float

    def holds(self, longitude: float, latitude: float) -> bool:
        """Whether the point lies in the box, edges included."""
        return self.west <= longitude <= self.east and self.south <= latitude <= self.north


class Kreis(_Strict):
    """A Kreis or a city outside the Kreise, by its 5-digit key."""

    area_id: KreisKey
    name_de: str
    name_en: str
    municipalities: int


class Region(_Strict):
    """The region: its Kreise and how many municipalities they have."""

    area_id: str
    name_de: str
    name_en: str
    municipalities: int
    bounding_box: BoundingBox
    kreise: tuple[Kreis, ...]

    @property
    def kreis_keys(self) -> tuple[str, ...]:
        """The 5-digit keys of the Kreise."""
        return tuple(kreis.area_id for kreis in self.kreise)

    def holds(self, key: str) -> bool:
        """Whether an AGS (8 digits), ARS (12) or Kreis key (5) lies in the region."""
        return key[:5] in self.kreis_keys


@functools.cache
def region(path: Path = REPOSITORY / "data" / "region.yml") -> Region:
    """The region as declared; raises pydantic.ValidationError naming the key that does not fit."""
    return Region.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")))
