"""What is read from dbt's manifest, and what it must not leave out."""

from __future__ import annotations

from pathlib import Path

import pytest

from publishing.manifest import ManifestIncomplete, read_manifest
from tests.publishing.conftest import AREA, PAIR, model, write_manifest


def test_only_models_of_the_marts_schema_are_declared(manifest: Path) -> None:
    declared = read_manifest(manifest)
    assert list(declared) == ["dim_area", "fct_pair"]
    assert declared["fct_pair"].primary_key == ("area_id",)
    assert declared["fct_pair"].volatile_columns == ("read_at",)
    assert declared["dim_area"].volatile_columns == ()


@pytest.mark.parametrize(
    ("broken", "said"),
    [
        ({**PAIR, "description": " "}, "fct_pair: description"),
        (model("fct_pair", {"a": "A."}), "fct_pair: primary_key"),
        (model("fct_pair", {"a": "A."}, primary_key=["b"]), r"fct_pair: meta names columns it has not: \['b'\]"),
        (model("fct_pair", {"a": ""}, primary_key=["a"]), "fct_pair: columns.a"),
        (model("fct_pair", {"a": "A."}, primary_key=["a"], version="1"), "fct_pair: version"),
    ],
)
def test_an_incomplete_declaration_names_mart_and_key(tmp_path: Path, broken: dict[str, object], said: str) -> None:
    with pytest.raises(ManifestIncomplete, match=said):
        read_manifest(write_manifest(tmp_path / "manifest.json", broken, AREA))
