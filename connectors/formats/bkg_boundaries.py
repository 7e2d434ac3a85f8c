"""Parse the municipality polygons of BKG's administrative areas (VG5000, VG250) from a zipped shapefile."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyogrio
from pyogrio.errors import DataLayerError, DataSourceError, FeatureError
from shapely.errors import GEOSException

from connectors.archive import extract, files, open_zip
from connectors.connector import Connector, Snapshot
from connectors.errors import SnapshotRefused
from connectors.region import Region
from connectors.staging import StagedWriter
from connectors.tables import MUNICIPALITY_BOUNDARY as TABLE
from connectors.text import is_mojibake

if TYPE_CHECKING:
    import geopandas as gpd

REQUIRED_COLUMNS = ("AGS", "ARS", "GEN", "BEZ")
# The attribute tables of VG5000 (2021) and VG250, as BKG documents them.
KNOWN_COLUMNS = frozenset(
    re.findall(
        r"\w+",
        "ADE AGS AGS_0 ARS ARS_0 BEGINN BEM BEZ BSG DLM_ID EWZ FK_S3 GEN GF IBZ KFL LKZ NBD NUTS OBJID SDV_ARS "
        "SN_G SN_K SN_L SN_R SN_V1 SN_V2 WSK",
    )
)
# GF (Geofaktor) of BKG: 4 land with structure; 9 land and water not told apart. The others are water or no structure.
LAND = (4, 9)
# File code in the first four bytes of a .shp (ESRI Shapefile Technical Description, 1998). GDAL chooses its reader by
# content, and some of its formats name other files to open: nothing else than a shapefile may pass.
# All layers of VG250 unpack to about 350 MB.
UNPACKED_LIMIT_BYTES = 2**30
SHAPEFILE_CODE = (9994).to_bytes(4, "big")


def parse(
    snapshot: Snapshot, out: StagedWriter, region: Region, /, *, layer: str = "VG5000_GEM", region_only: bool = True
) -> None:
    """Stage one polygon per municipality in EPSG:4326; a record is one feature of `layer`.

    `region_only` leaves polygons of other municipalities out of scope.
    Raises SnapshotRefused where the layer or one of its columns is missing.
    """
    shapefile = _unpack_layer(snapshot, out.scratch, layer)
    columns = _check_columns(snapshot, out, shapefile)
    features = _read(snapshot, shapefile, [name for name in (*REQUIRED_COLUMNS, "GF") if name in columns])
    out.read(TABLE, pyogrio.read_info(shapefile)["features"])

    if "GF" in columns:
        is_land = features["GF"].isin(LAND)
        out.out_of_scope(TABLE, "not land area", int((~is_land).sum()))
        features = features[is_land]
    if region_only:
        # What has no readable key stays in, to be rejected below.
        elsewhere = features["AGS"].map(lambda ags: _is_key(ags, 8) and not region.holds(ags)).astype(bool)
        out.out_of_scope(TABLE, "outside the region", int(elsewhere.sum()))
        features = features[~elsewhere]

    rows: dict[str, dict[str, Any]] = {}
    for index, feature in features.to_crs(4326).iterrows():
        row = {
            "record_number": int(index) + 1,
            "ags": feature["AGS"],
            "ars": feature["ARS"],
            "name": feature["GEN"],
            "designation": feature["BEZ"],
            "geometry_wkb": feature.geometry.wkb if feature.geometry is not None else None,
        }
        if fault := _fault(row, feature.geometry):
            column, reason = fault
            raw = None if column == "geometry" else str(feature[column])
            out.reject(TABLE, row["record_number"], column, raw, reason)
        elif row["ags"] in rows:
            out.reject(TABLE, row["record_number"], "AGS", row["ags"], "AGS repeated")
        else:
            rows[row["ags"]] = row
    out.write(TABLE, list(rows.values()))


def _unpack_layer(snapshot: Snapshot, folder: Path, layer: str) -> Path:
    with open_zip(snapshot.path, UNPACKED_LIMIT_BYTES) as archive:
        members = files(archive)
        for suffix in ("shp", "shx", "dbf", "prj"):
            if f"{layer}.{suffix}" not in members:
                raise SnapshotRefused(
                    f"{snapshot.source_id}: {snapshot.path.name}: expected a member {layer}.{suffix}, found "
                    f"{', '.join(sorted(members)[:20]) or 'none'}; check the option `layer`"
                )
        for suffix in ("shp", "shx", "dbf", "prj", "cpg"):
            if f"{layer}.{suffix}" in members:
                extract(archive, members[f"{layer}.{suffix}"], folder)
    shapefile = folder / f"{layer}.shp"
    with shapefile.open("rb") as stream:
        if stream.read(4) != SHAPEFILE_CODE:
            raise SnapshotRefused(
                f"{_where(snapshot, shapefile)}: expected a shapefile, not another format; ask the publisher"
            )
    try:
        shapefile.with_suffix(".prj").read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise SnapshotRefused(
            f"{_where(snapshot, shapefile)}: expected a coordinate system as text in the .prj, {error}; "
            "ask the publisher again"
        ) from error
    return shapefile


def _check_columns(snapshot: Snapshot, out: StagedWriter, shapefile: Path) -> frozenset[str]:
    fields = [str(name) for name in _pyogrio(snapshot, shapefile, pyogrio.read_info)["fields"]]
    out.saw_header(TABLE, fields)
    columns = frozenset(fields)
    for name in sorted(columns - KNOWN_COLUMNS):
        out.drift(TABLE, name, "new")
    missing = [name for name in REQUIRED_COLUMNS if name not in columns]
    for name in missing:
        out.drift(TABLE, name, "missing")
    if missing:
        raise SnapshotRefused(
            f"{_where(snapshot, shapefile)}: expected the columns {', '.join(REQUIRED_COLUMNS)}, "
            f"{', '.join(missing)} missing; see BKG's documentation of the product"
        )
    return columns


def _read(snapshot: Snapshot, shapefile: Path, columns: list[str]) -> gpd.GeoDataFrame:
    # Takes seconds to import, and a run in which no boundary is new only asks for the connector's options.
    import geopandas as gpd

    features = _pyogrio(snapshot, shapefile, pyogrio.read_dataframe, columns=columns)
    if not isinstance(features, gpd.GeoDataFrame) or features.crs is None:
        raise SnapshotRefused(f"{_where(snapshot, shapefile)}: expected polygons with a coordinate system in the .prj")
    return features


def _pyogrio(snapshot: Snapshot, shapefile: Path, read: Any, **options: Any) -> Any:
    try:
        return read(shapefile, **options)
    except (DataSourceError, DataLayerError, FeatureError, UnicodeDecodeError, GEOSException) as error:
        raise SnapshotRefused(
            f"{_where(snapshot, shapefile)}: expected a shapefile, {error}; ask the publisher again"
        ) from error


def _where(snapshot: Snapshot, shapefile: Path) -> str:
    return f"{snapshot.source_id}: {snapshot.path.name}: {shapefile.name}"


def _is_key(value: object, digits: int) -> bool:
    return isinstance(value, str) and re.fullmatch(rf"[0-9]{{{digits}}}", value) is not None


def _fault(row: dict[str, Any], geometry: Any) -> tuple[str, str] | None:
    """The column that cannot be staged and why, None where all is well."""
    if not _is_key(row["ags"], 8):
        return "AGS", "expected 8 digits"
    if not _is_key(row["ars"], 12):
        return "ARS", "expected 12 digits"
    for column, name in (("GEN", row["name"]), ("BEZ", row["designation"])):
        if not isinstance(name, str) or not name or is_mojibake(name):
            return column, "expected a name without broken letters"
    if geometry is None or geometry.is_empty:
        return "geometry", "expected a polygon"
    if not geometry.is_valid:
        return "geometry", "polygon is not valid"
    return None


CONNECTOR = Connector(
    name="bkg_boundaries",
    version=3,
    payload="zip",
    tables=(TABLE,),
    parse=parse,
    unpacked_limit_bytes=UNPACKED_LIMIT_BYTES,
)
