"""The DAG files: quick to import, one DAG per domain made from the catalogue, wired as the design says."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections import defaultdict
from pathlib import Path
from typing import Any

import pytest
import yaml

REPOSITORY = Path(__file__).resolve().parents[2]

# Imports each DAG file in a process of its own, as the scheduler does, and says what it found.
DESCRIBE = """
import json, pathlib, runpy, sys, time
import airflow.sdk
import airflow.models
files = {}
for path in sys.argv[1:]:
    before = time.process_time()
    runpy.run_path(path)
    files[path.rsplit("/", 1)[-1]] = {
        "seconds": time.process_time() - before,
        "heavy": sorted({"duckdb", "pyarrow", "pandas", "geopandas", "dbt", "great_expectations"} & set(sys.modules)),
        "dags": {},
    }
from airflow.dag_processing.dagbag import DagBag
bag = DagBag(str(pathlib.Path(sys.argv[1]).parent))
assert not bag.import_errors, bag.import_errors
for dag in bag.dags.values():
    files[dag.fileloc.rsplit("/", 1)[-1]]["dags"][dag.dag_id] = {
        "doc": dag.doc_md,
        "max_active_runs": dag.max_active_runs,
        "catchup": dag.catchup,
        "schedule": [cron.expression for cron in getattr(dag.timetable, "timetables", [])],
        "params": {name: dag.params.get_param(name).schema for name in dag.params},
        "deadlines_min": [alert.interval.total_seconds() / 60 for alert in dag.deadline or []],
        "tasks": {
            task.task_id: {
                "upstream": sorted(task.upstream_task_ids),
                "pool": task.pool,
                "retries": task.retries,
                "trigger_rule": task.trigger_rule.value,
                "mapped": bool(list(task.iter_mapped_task_groups())),
                "told": bool(task.on_failure_callback),
                "outlets": [outlet.name for outlet in task.outlets or []],
            }
            for task in dag.tasks
        },
    }
print("DESCRIBED" + json.dumps(files))
"""


@pytest.fixture(scope="module")
def described(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    environment = {
        **os.environ,
        "AIRFLOW_HOME": str(tmp_path_factory.mktemp("airflow")),
        "PYTHONPATH": str(REPOSITORY),
        # The sample offers every source of the catalogue.
        "INPUT": "sample",
        "REGION_HOME": str(tmp_path_factory.mktemp("home")),
        "TASK_RETRIES": "",
        "INGEST_DEADLINE_MIN": "90",
        "RELEASE_DEADLINE_MIN": "",
    }
    files = sorted(str(path) for path in (REPOSITORY / "dags").glob("*.py"))
    outcome = subprocess.run(
        [sys.executable, "-c", DESCRIBE, *files],
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert "DESCRIBED" in outcome.stdout, outcome.stderr
    found: dict[str, Any] = json.loads(outcome.stdout.split("DESCRIBED", 1)[1])
    return found


def test_every_dag_file_imports_in_less_than_a_second_and_without_heavy_modules(described: dict[str, Any]) -> None:
    assert sorted(described) == ["ingest.py", "maintenance.py", "region_release.py"]
    for name, file in described.items():
        assert file["seconds"] < 1, name
        assert file["heavy"] == [], name


def test_there_is_one_ingest_dag_per_domain_with_every_source_of_the_catalogue(described: dict[str, Any]) -> None:
    catalogue = [yaml.safe_load(path.read_text()) for path in (REPOSITORY / "data/sources").glob("*.yml")]
    hosts: dict[str, set[str]] = defaultdict(set)
    for source in catalogue:
        if "sample" not in source.get("inputs", ["sample"]):
            continue
        first = next(iter(source["resources"].values()))
        realtime = "_realtime" if "accumulate_days" in first else ""
        hosts[f"ingest_{source['domain']}{realtime}"].add(first["url"].split("/")[2].replace(".", "_"))
    dags = described["ingest.py"]["dags"]
    assert set(dags) == set(hosts)
    for dag_id, dag in dags.items():
        groups = {task.split(".")[0] for task in dag["tasks"] if "." in task}
        assert groups == {f"from_{host}" for host in hosts[dag_id]}, dag_id
        assert dag["doc"]


def test_realtime_is_asked_by_a_dag_of_its_own_which_asks_for_no_release(described: dict[str, Any]) -> None:
    dags = described["ingest.py"]["dags"]
    realtime, others = dags["ingest_transit_realtime"], dags["ingest_transit"]
    assert realtime["params"]["source"]["enum"] == ["", "stadtwerke-muenster-realtime"]
    assert "stadtwerke-muenster-realtime" not in others["params"]["source"]["enum"]
    # A timetable is not asked for every five minutes because a neighbour in the catalogue is.
    assert (realtime["schedule"], "*/5 * * * *" in others["schedule"]) == (["*/5 * * * *"], False)
    assert realtime["tasks"]["settle"]["outlets"] == []


def test_each_source_is_fetched_then_parsed_in_a_mapped_group_with_its_hosts_pool(described: dict[str, Any]) -> None:
    tasks = described["ingest.py"]["dags"]["ingest_mobility"]["tasks"]
    fetch, parse = (tasks[f"from_raw_githubusercontent_com.{verb}"] for verb in ("fetch", "parse"))
    assert fetch["mapped"] and parse["mapped"]
    assert fetch["pool"] == "raw_githubusercontent_com"
    assert fetch["retries"] == parse["retries"] == 2
    assert parse["upstream"] == ["from_raw_githubusercontent_com.fetch"]


def test_the_last_task_states_failures_and_emits_the_asset_whatever_happened(described: dict[str, Any]) -> None:
    for dag_id, dag in described["ingest.py"]["dags"].items():
        settle = dag["tasks"]["settle"]
        assert settle["trigger_rule"] == "all_done"
        assert settle["outlets"] == ([] if "realtime" in dag_id else [dag_id.replace("ingest_", "ingested_")])
        assert set(settle["upstream"]) >= {task for task in dag["tasks"] if task.endswith(".parse")}


def test_the_release_builds_one_domain_after_the_other_then_judges_then_promotes(described: dict[str, Any]) -> None:
    dag = described["region_release.py"]["dags"]["region_release"]
    upstream = {task: set(found["upstream"]) for task, found in dag["tasks"].items()}
    assert dag["max_active_runs"] == 1
    assert upstream == {
        "begin": set(),
        "build_core": {"begin"},
        "build_transit": {"begin", "build_core"},
        "build_mobility": {"begin", "build_transit"},
        "build_energy": {"begin", "build_mobility"},
        "build_registers": {"begin", "build_energy"},
        "build_indicators": {"begin", "build_registers"},
        "gate": {"begin", "build_indicators"},
        "promote": {"begin", "gate"},
    }
    assert {found["pool"] for task, found in dag["tasks"].items() if task.startswith("build_")} == {"warehouse"}


def test_every_dag_shows_the_markdown_beside_it_in_both_languages(described: dict[str, Any]) -> None:
    for name, file in described.items():
        text = (REPOSITORY / "dags" / name).with_suffix(".md").read_text(encoding="utf-8")
        german, english = text.split("\n\n")[:2]
        assert german.startswith("**") and english.startswith("**")
        assert {dag["doc"] for dag in file["dags"].values()} == {text}


def test_a_run_may_be_of_one_source_afresh_of_certain_months_and_of_another_time(described: dict[str, Any]) -> None:
    params = described["ingest.py"]["dags"]["ingest_registers"]["params"]
    sources = params["source"]["enum"]
    assert sources == sorted(sources)
    assert {"", "nrw-schools", "regionalstatistik", "zensus-2022", "zensus-2022-grid"} < set(sources)
    assert "bnetza-mastr" not in sources
    assert params["force"]["type"] == "boolean"
    assert set(params) == {"source", "force", "from_month", "to_month", "as_of"}
    for value, fits in {"": True, "2019-01": True, "2020-12": True, "2019-13": False, "2019": False}.items():
        assert bool(re.match(params["from_month"]["pattern"], value)) is fits, value
    assert set(described["region_release.py"]["dags"]["region_release"]["params"]) == {"as_of", "force"}


def test_runs_that_are_late_are_told_of(described: dict[str, Any]) -> None:
    for dag in described["ingest.py"]["dags"].values():
        assert dag["deadlines_min"] == [90]
    assert described["region_release.py"]["dags"]["region_release"]["deadlines_min"] == [120]


def test_a_failure_is_told_of_by_the_task_or_by_the_end_of_the_ingestion(described: dict[str, Any]) -> None:
    for dag in described["ingest.py"]["dags"].values():
        told = {name for name, task in dag["tasks"].items() if task["told"]}
        # A source's own failure is for `settle` to tell: once, with its state.
        assert told == {"clock", "settle"}
    for name in ("region_release.py", "maintenance.py"):
        for dag in described[name]["dags"].values():
            assert all(task["told"] for task in dag["tasks"].values())


def test_what_was_missed_is_not_made_up_for(described: dict[str, Any]) -> None:
    assert not any(dag["catchup"] for file in described.values() for dag in file["dags"].values())
