"""What is read from dbt's manifest, and what it must not leave out."""

from __future__ import annotations

from pathlib import Path
from typing import Any

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


def test_a_column_that_counts_persons_says_how_it_is_protected(tmp_path: Path) -> None:
    counting = model("fct_pair", {"a": "A.", "b": "B."}, primary_key=["a"])
    counting["columns"]["b"]["meta"] = {"role": "count_persons", "protection": "suppressed", "min_persons": 5}
    declared = read_manifest(write_manifest(tmp_path / "manifest.json", counting))
    assert {name: count.min_persons for name, count in declared["fct_pair"].person_counts.items()} == {"b": 5}


@pytest.mark.parametrize(
    ("meta", "said"),
    [
        ({"role": "count_person", "protection": "suppressed", "min_persons": 5}, "person_counts.b.role"),
        ({"role": "count_persons", "min_persons": 5}, "person_counts.b.protection"),
        ({"role": "count_persons", "protection": "suppressed", "min_persons": 1}, "person_counts.b.min_persons"),
        ({"role": "count_persons", "protection": "suppressed", "min_persons": 5, "where": "c"}, r"has not: \['c'\]"),
    ],
)
def test_a_role_that_does_not_fit_is_refused(meta: dict[str, Any], said: str, tmp_path: Path) -> None:
    counting = model("fct_pair", {"a": "A.", "b": "B."}, primary_key=["a"])
    counting["columns"]["b"]["meta"] = meta
    with pytest.raises(ManifestIncomplete, match=said):
        read_manifest(write_manifest(tmp_path / "manifest.json", counting))
