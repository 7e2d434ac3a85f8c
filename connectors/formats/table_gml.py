"""Read the features of a GML collection as a WFS answers it (GML 2, 3.1 and 3.2), with its axes in their order.

Which of two coordinates comes first is the trap of GML: where the coordinate system is named by a URN or an address of
opengis.net, its own definition says so (EPSG:4326: latitude first; EPSG:31467: northing first); under the short name
`EPSG:4326` and the old `…/epsg.xml#4326` it is x, y (OGC 05-096r1, section 6; as GDAL reads it, too).
"""

from __future__ import annotations

import functools
import math
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pyproj
from lxml import etree
from pyproj.exceptions import CRSError

from connectors.errors import SnapshotRefused
from connectors.formats.table_declaration import TableDeclaration
from connectors.formats.table_files import FIELD_LIMIT, pages
from connectors.formats.table_sheet import Row, Sheet, tidy
from connectors.workbook import DOCTYPE, MARKUP_LIMIT

_GML = ("http://www.opengis.net/gml", "http://www.opengis.net/gml/3.2")
_MEMBERS = ("member", "featureMember", "featureMembers")
_AXES_OF_ITS_OWN = re.compile(
    r"(?:urn:(?:x-)?ogc:def:crs:EPSG:[0-9.]*:|https?://www\.opengis\.net/def/crs/EPSG/\d+/)(\d{4,6})"
)
_AXES_X_Y = re.compile(r"(?:EPSG:|http://www\.opengis\.net/gml/srs/epsg\.xml#)(\d{4,6})")
_CRS84 = re.compile(r"urn:ogc:def:crs:OGC:[0-9.]*:CRS84|https?://www\.opengis\.net/def/crs/OGC/[0-9.]+/CRS84")


@contextmanager
def read_gml(path: Path, where: str, declaration: TableDeclaration) -> Iterator[Iterator[Sheet]]:
    """The features of a collection, or of its pages. Raises SnapshotRefused for an error report or another XML."""
    yield (_page(content, where) for content in pages(path, where))


def _page(content: bytes, where: str) -> Sheet:
    if DOCTYPE in content or content.count(b"<") + content.count(b"=") > MARKUP_LIMIT:
        raise SnapshotRefused(f"{where}: declares a DOCTYPE or has too many elements; ask the publisher")
    parser = etree.XMLParser(resolve_entities=False, no_network=True, huge_tree=False)
    try:
        root = etree.fromstring(content, parser)
    except (etree.XMLSyntaxError, ValueError) as error:
        raise SnapshotRefused(f"{where}: expected GML, {tidy(str(error))}; ask the publisher again") from error
    if _name(root) in ("ExceptionReport", "ServiceExceptionReport"):
        told = tidy(" ".join(root.itertext()))[:300]
        raise SnapshotRefused(f"{where}: expected features, the service reports an error: {told}")
    if _name(root) != "FeatureCollection":
        raise SnapshotRefused(f"{where}: expected a FeatureCollection, found {_name(root)}; see the service's formats")
    features = [feature for member in root if _name(member) in _MEMBERS for feature in member if _name(feature)]
    rows: list[tuple[dict[str, object], Any]] = []
    systems: set[str] = set()
    for feature in features:
        fields, point, crs = _feature(feature, _outer_srs(root))
        rows.append((fields, point))
        systems |= {crs} if crs is not None else set()
    if len(systems) > 1:
        raise SnapshotRefused(f"{where}: expected one coordinate system, found {', '.join(sorted(systems))}")
    header = list(dict.fromkeys(name for fields, _ in rows for name in fields))[:FIELD_LIMIT]

    def below() -> Iterator[Row]:
        for number, (fields, point) in enumerate(rows, start=1):
            problem = point if isinstance(point, str) else None
            yield Row(number, [fields.get(name) for name in header], None if problem else point, problem)

    return Sheet(header, below(), crs=next(iter(systems), None))


def _name(element: Any) -> str:
    """The local name; empty for comments and instructions."""
    return etree.QName(element).localname if isinstance(element.tag, str) else ""


def _outer_srs(root: Any) -> str | None:
    """The system that the collection's envelope names, for geometries that name none."""
    found = next((each.get("srsName") for each in root.iter() if _is_gml(each) and each.get("srsName")), None)
    return None if found is None else str(found)


def _is_gml(element: Any) -> bool:
    return isinstance(element.tag, str) and etree.QName(element).namespace in _GML


def _feature(feature: Any, outer: str | None) -> tuple[dict[str, object], Any, str | None]:
    """Its properties by local name, its point or what is wrong with it, and in which system.

    `id` is its gml:id where no property is called so.
    """
    fields: dict[str, object] = {}
    identifier = next((feature.get(f"{{{space}}}id") for space in _GML if feature.get(f"{{{space}}}id")), None)
    identifier = identifier or feature.get("fid")
    point: Any = None
    crs: str | None = None
    for each in feature:
        name = _name(each)
        if not name or (
            _is_gml(each) and name in ("boundedBy", "name", "description") and not (each.text or "").strip()
        ):
            continue
        geometry = next((inner for inner in each if _is_gml(inner)), None)
        if geometry is not None:
            point, crs = _point(geometry, outer) if point is None else (point, crs)
        elif len(each) == 0:
            fields.setdefault(tidy(name), each.text)
    if identifier:
        # A property of that name goes before it: some services make new ids for every answer.
        fields.setdefault("id", str(identifier))
    return fields, point, crs


def _point(geometry: Any, outer: str | None) -> tuple[Any, str | None]:
    """The middle of all places of a geometry (of a point itself) in the order x, y, or why it cannot be read."""
    named = next((each.get("srsName") for each in geometry.iter() if each.get("srsName")), None) or outer
    if named is None:
        return "geometry without srsName", None
    system = _system(str(named))
    if system is None:
        return f"unknown coordinate system {str(named)[:80]}", None
    crs, north_first = system
    numbers: list[tuple[float, float]] = []
    for each in geometry.iter():
        if _name(each) in ("pos", "posList", "coordinates"):
            try:
                values = [float(text) for text in re.split(r"[\s,]+", (each.text or "").strip())]
            except ValueError:
                return "unreadable coordinates", crs
            step = int(each.get("srsDimension", "2")) if each.get("srsDimension", "2") in ("2", "3") else 2
            numbers += list(zip(values[0::step], values[1::step], strict=False))
    if not numbers or not all(math.isfinite(value) for pair in numbers for value in pair):
        return "geometry without coordinates", crs
    first = sum(pair[0] for pair in numbers) / len(numbers)
    second = sum(pair[1] for pair in numbers) / len(numbers)
    return ((second, first) if north_first else (first, second)), crs


@functools.cache
def _system(named: str) -> tuple[str, bool] | None:
    """(EPSG name, whether its northing or latitude comes first) of a srsName; None where it is not known."""
    if _CRS84.fullmatch(named):
        return "EPSG:4326", False
    if found := _AXES_X_Y.fullmatch(named):
        return (f"EPSG:{found[1]}", False) if _axes(found[1]) else None
    if found := _AXES_OF_ITS_OWN.fullmatch(named):
        axes = _axes(found[1])
        return (f"EPSG:{found[1]}", axes[0] == "north") if axes else None
    return None


def _axes(code: str) -> list[str]:
    """The directions of a system's axes, none where nobody knows it."""
    try:
        return [axis.direction for axis in pyproj.CRS(f"EPSG:{code}").axis_info]
    except CRSError:
        return []
