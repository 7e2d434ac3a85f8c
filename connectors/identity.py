"""Which bytes are the same snapshot."""

from __future__ import annotations

from pathlib import Path

from connectors.archive import content_sha256
from connectors.catalogue import Resource
from connectors.genesis import without_stamp
from connectors.registry import connector
from connectors.wfs import features_sha256


def snapshot_sha256(resource: Resource, path: Path) -> str:
    """The hash that a file lands under: of its content, without what every answer carries anew."""
    if resource.wfs is not None:
        return features_sha256(path)
    return content_sha256(path, without_stamp if connector(resource.connector).request == "genesis" else str)
