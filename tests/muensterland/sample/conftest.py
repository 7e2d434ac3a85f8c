"""The sample, generated once for all of its tests."""

from __future__ import annotations

import csv
import io
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from muensterland.sample.generate import generate
from muensterland.sample.server import serve

Tables = dict[str, list[dict[str, str]]]


@pytest.fixture(scope="session")
def publishers(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A generated sample; tests read it and do not write to it."""
    folder = tmp_path_factory.mktemp("publishers")
    generate(folder)
    return folder


@pytest.fixture(scope="session")
def base(publishers: Path) -> Iterator[str]:
    """The address of a server of the sample."""
    with serve(publishers) as address:
        yield address


@pytest.fixture(scope="session")
def feed(publishers: Path) -> Callable[[str], Tables]:
    """Reads a GTFS zip of the sample with nothing but the standard library."""

    def read(address: str) -> Tables:
        with zipfile.ZipFile(publishers / address) as archive:
            return {
                name.split("/")[-1]: list(csv.DictReader(io.StringIO(archive.read(name).decode("utf-8-sig"))))
                for name in archive.namelist()
                if "__MACOSX" not in name
            }

    return read
