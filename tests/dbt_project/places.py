"""Parking and air quality from a publisher's files to the marts, as the project's own sources read them."""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from connectors import tables
from connectors.catalogue import load_source
from connectors.connector import Snapshot
from connectors.region import region
from connectors.registry import connector, parse_options
from connectors.staging import StagedWriter
from muensterland.settings import REPOSITORY
from tests.dbt_project.conftest import MUENSTER, Built, Staged, build, stage_core

MODELS = (
    *("+mart_parking_hour", "+mart_air_quality_day", "+dim_car_park"),
    *("int_parking_finding", "int_air_quality_finding"),
)
SOURCES = ("muenster-parking", "muenster-air-quality", "uba-air-quality")


@dataclass(frozen=True)
class File:
    """A file of one of the project's sources, under the name it is known by."""

    source_id: str
    name: str
    content: bytes


def build_places(folder: Path, files: Iterable[File]) -> Built:
    """Parse the files and build the marts of parking and air quality from them alone."""
    view = Staged(folder / "view")
    stage_core(view)
    in_force: list[dict[str, Any]] = []
    for file in files:
        resource = load_source(REPOSITORY / "data/sources" / f"{file.source_id}.yml").resources["readings"]
        path = folder / file.name
        path.write_bytes(file.content)
        with StagedWriter(folder / "staged", file.source_id, file.name, "p") as out:
            snapshot = Snapshot(file.source_id, path, file.name, {})
            connector(resource.connector).parse(snapshot, out, region(), **parse_options(resource))
            out.close()
        for table in (tables.PARKING_READING, tables.AIR_QUALITY_READING):
            if out.file_of(table.name).exists():
                shutil.copy(out.file_of(table.name), view.root / table.name / f"{file.source_id}-{file.name}.parquet")
        key = {"source_id": file.source_id, "snapshot_sha256": file.name, "parse_key": "p"}
        in_force.append({**key, "partition": f"readings/file={file.name}"})
    view.state(tables.SNAPSHOT_IN_FORCE, in_force)
    view.state(tables.SOURCE_CATALOGUE, [_catalogue_row(source_id) for source_id in SOURCES])
    view.state(tables.SOURCE_COVERAGE, [{"source_id": source_id, "ags": MUENSTER} for source_id in SOURCES])
    found = build(view.root, folder / "build", "--select", *MODELS, "--exclude-resource-type", "unit_test")
    assert found.result.success, found.result.exception
    return found


def _catalogue_row(source_id: str) -> Mapping[str, Any]:
    source = load_source(REPOSITORY / "data/sources" / f"{source_id}.yml")
    columns = set(tables.SOURCE_CATALOGUE.columns.names)
    return {**source.model_dump(include=columns), "source_id": source_id, "is_offered": True, "synthetic": True}
