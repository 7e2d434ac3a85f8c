"""Which sources feed a mart: by what dbt's manifest says and what the connectors stage."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from connectors.catalogue import load_catalogue
from muensterland.feeds import feeding_sources
from muensterland.settings import Settings

PARENTS = {
    "dim_school": ["int_place", "stg_school"],
    "int_place": ["stg_located_point"],
    "mart_coverage": ["stg_fetch_log"],
    "dim_date": ["seed"],
    "mart_population": ["dim_date", "stg_statistic_value", "int_order"],
    "int_order": ["stg_school"],
}


def write_manifest(folder: Path) -> Path:
    names = {*PARENTS, *(name for parents in PARENTS.values() for name in parents)} - {"seed"}
    nodes: dict[str, dict[str, Any]] = {
        f"model.{name}": {
            "name": name,
            "resource_type": "model",
            "schema": "marts" if name.startswith(("dim_", "mart_")) else "staging",
        }
        for name in names
    }
    # It decides what is computed when; no row is made of it.
    nodes["model.int_order"]["config"] = {"meta": {"only_orders_work": True}}
    nodes["test.t"] = {"name": "t", "resource_type": "test", "schema": "marts"}
    nodes["model.seed"] = {"name": "seed", "resource_type": "seed", "schema": "seeds"}
    parents = {f"model.{name}": [f"model.{parent}" for parent in of_it] for name, of_it in PARENTS.items()}
    path = folder / "manifest.json"
    path.write_text(json.dumps({"nodes": nodes, "parent_map": parents}), encoding="utf-8")
    return path


def test_a_mart_is_fed_by_what_stages_the_tables_above_it(tmp_path: Path) -> None:
    sources = load_catalogue(Settings().sources_dir).values()
    feeds = feeding_sources(write_manifest(tmp_path), sources, "mirror")
    assert feeds.keys() == {"dim_school", "mart_coverage", "dim_date", "mart_population"}
    # Schools are placed by boundaries.
    assert feeds["dim_school"] == ("bkg-boundaries", "nrw-schools")
    # All that stage statistical values, whatever their tables tell.
    assert feeds["mart_population"] == (
        *("destatis-genesis", "localzero-statistics", "muenster-district-covid", "regionalstatistik"),
        "zensus-2022",
    )
    assert feeds["dim_date"] == ()
    offered = sorted(source.id for source in sources if "mirror" in source.inputs)
    assert feeds["mart_coverage"] == tuple(offered)
    assert len(offered) < len(sources)
