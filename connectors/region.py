"""The region's extent: which municipality keys belong to it, read from `data/region.yml`."""

from __future__ import annotations

import functools
from pathlib import Path
from typing import Annotated, Self

import yaml
from pydantic import BaseModel, ConfigDict, StringConstraints, model_validator

from muensterland.settings import REPOSITORY

KreisKey = Annotated[str, StringConstraints(pattern=r"^\d{5}$")]
Ags = Annotated[str, StringConstraints(pattern=r"^\d{8}$")]


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
    """The region: its Kreise, how many municipalities they have, and the centres of those.

    centres: longitude and latitude in degrees (EPSG:4326), by AGS.
    """

    area_id: str
    name_de: str
    name_en: str
    municipalities: int
    bounding_box: BoundingBox
    kreise: tuple[Kreis, ...]
    centres: dict[Ags, tuple[float, float]]

    @model_validator(mode="after")
    def _every_municipality_has_its_centre(self) -> Self:
        for kreis in self.kreise:
            found = sum(ags.startswith(kreis.area_id) for ags in self.centres)
            if found != kreis.municipalities:
                raise ValueError(f"centres: {found} in {kreis.area_id}, expected {kreis.municipalities}")
        return self

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
