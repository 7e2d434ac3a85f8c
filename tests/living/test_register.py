"""An export of 100 MB, every field of every record, beside a naive lxml parser. `make day` runs it; half a minute."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest

from tests.bench.mastr import multiply
from tests.connectors.formats.test_mastr_defects import compare

pytestmark = pytest.mark.living

XML_BYTES = 100_000_000


def test_a_naive_parser_agrees_on_every_field_of_every_record_of_100_mb(tmp_path: Path) -> None:
    path = tmp_path / "Gesamtdatenexport_20261101_26.2.zip"
    multiply(path, XML_BYTES)
    with zipfile.ZipFile(path) as archive:
        assert sum(member.file_size for member in archive.infolist()) >= XML_BYTES
    assert compare(path, tmp_path) > 50_000
