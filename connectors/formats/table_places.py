"""Bring places to degrees (EPSG:4326) and tell those that cannot be right, with what they look like.

A wrong coordinate system or swapped axes still give numbers. What shows them is where the places fall: they must lie
around the municipalities that the declaration says they are of.
"""

from __future__ import annotations

import functools
import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import pyproj

from connectors.errors import Reason, SnapshotRefused
from connectors.region import Region

# No place of a municipality of the region lies farther from its centre: Münster, the largest, reaches 14 km.
REACH_M = 25_000
# Systems in which the municipalities' offices have published, to name the one that would fit.
CANDIDATES = ("EPSG:4326", "EPSG:25832", "EPSG:31467", "EPSG:31466", "EPSG:4647", "EPSG:3857", "EPSG:3035", "EPSG:4314")
AXES_SWAPPED, WRONG_CRS, OUTSIDE = "axes_swapped", "wrong_crs", "outside_coverage"
# One wrong point is a slip of whoever entered it. Where most of a file's points are wrong in the same way, the file or
# its declaration is.
MOST = 0.5
_METRES_PER_DEGREE = 111_195

Pair = tuple[float, float]


@dataclass(frozen=True)
class Misplaced:
    """What is wrong with a place, as the code of a finding and in words."""

    code: str
    words: str


@functools.cache
def _to_degrees(crs: str) -> pyproj.Transformer:
    return pyproj.Transformer.from_crs(crs, "EPSG:4326", always_xy=True)


def degrees(crs: str, x: float, y: float) -> Pair | None:
    """Longitude and latitude of a place; None where it lies outside what the system can say."""
    longitude, latitude = _to_degrees(crs).transform(x, y)
    if not (math.isfinite(longitude) and math.isfinite(latitude)):
        return None
    return (longitude, latitude) if abs(longitude) <= 180 and abs(latitude) <= 90 else None


def centres_of(region: Region, covers: Sequence[str]) -> tuple[Pair, ...]:
    """The centres of the municipalities that AGS or Kreis keys name."""
    return tuple(centre for ags, centre in sorted(region.centres.items()) if ags in covers or ags[:5] in covers)


def is_near(place: Pair | None, centres: Sequence[Pair]) -> bool:
    """Whether a place lies within REACH_M of one of the centres."""
    if place is None:
        return False
    longitude, latitude = place
    narrow = math.cos(math.radians(latitude))
    return any(
        math.hypot((longitude - east) * narrow, latitude - north) * _METRES_PER_DEGREE <= REACH_M
        for east, north in centres
    )


def misplaced(crs: str, x: float, y: float, centres: Sequence[Pair]) -> Misplaced:
    """What is wrong with a place outside the coverage, from where else it would be inside."""
    if is_near(degrees(crs, y, x), centres):
        return Misplaced(AXES_SWAPPED, "outside what the source covers, inside with axes swapped")
    for other in CANDIDATES:
        if other != crs and is_near(degrees(other, x, y), centres):
            return Misplaced(WRONG_CRS, f"outside what the source covers as {crs}, inside as {other}")
        if other != crs and is_near(degrees(other, y, x), centres):
            return Misplaced(WRONG_CRS, f"outside what the source covers as {crs}, inside as {other} with axes swapped")
    return Misplaced(OUTSIDE, "outside what the source covers")


def refuse_if_most_are_misplaced(where: str, placed: int, found: Counter[Misplaced]) -> None:
    """Raise SnapshotRefused where most of the places of a file are wrong in the same way."""
    for wrong, records in found.most_common(1):
        if records > MOST * placed:
            raise SnapshotRefused(
                f"{where}: {records} of {placed} places are {wrong.words}; mend place in the source's YAML "
                "(x is the column of longitude or easting, whatever its name) or ask the publisher",
                Reason(wrong.code, "place"),
            )
