"""What OpenLineage is told of a build: every model that ran, what it read and wrote, beside which task."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from openlineage.common.provider.dbt.facets import ParentRunMetadata

from muensterland import lineage_events
from muensterland.lineage_events import emit_dbt_events
from muensterland.settings import REPOSITORY

PROJECT = REPOSITORY / "dbt_project"
RUN = "01a2107e-6cc6-7558-a0ee-b8755b0f513d"


@pytest.fixture(scope="module")
def events(built: Any, tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    """The events of the whole project's build, in a task of region_release."""
    file = tmp_path_factory.mktemp("lineage") / "new" / "events.jsonl"
    with pytest.MonkeyPatch.context() as patch:
        parent = ParentRunMetadata(run_id=RUN, job_name="region_release.build_core", job_namespace="muensterland")
        patch.setattr(lineage_events, "_airflow_task", lambda: parent)
        patch.setenv("REGION_CANDIDATE", str(built.candidate))
        count = emit_dbt_events(PROJECT, built.target, file)
    found = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
    assert len(found) == count
    return found


def of(events: list[dict[str, Any]], model: str) -> dict[str, dict[str, Any]]:
    """The events of building a model, by type."""
    job = f"{model}.build.run"
    return {event["eventType"]: event for event in events if event["job"]["name"].endswith(job)}


def names(datasets: list[dict[str, Any]]) -> set[str]:
    return {dataset["name"].split(".", 1)[1] for dataset in datasets}


def test_every_model_starts_and_completes_once_in_one_run(events: list[dict[str, Any]], built: Any) -> None:
    models = {node["name"] for node in built.manifest["nodes"].values() if node["resource_type"] == "model"}
    for model in models:
        pair = of(events, f".{model}")
        assert set(pair) == {"START", "COMPLETE"}, model
        assert pair["START"]["run"]["runId"] == pair["COMPLETE"]["run"]["runId"]


def test_a_mart_says_what_it_read_and_wrote(events: list[dict[str, Any]]) -> None:
    complete = of(events, "marts.muensterland.mart_traffic_day")["COMPLETE"]
    assert names(complete["outputs"]) == {"marts.mart_traffic_day"}
    assert {"marts.fct_count_hour", "intermediate.int_counting_date"} <= names(complete["inputs"])
    columns = {field["name"] for field in complete["outputs"][0]["facets"]["schema"]["fields"]}
    assert {"site_id", "mode", "date"} <= columns


def test_data_sets_keep_their_name_from_run_to_run(events: list[dict[str, Any]]) -> None:
    spaces = {dataset["namespace"] for event in events for dataset in event["inputs"] + event["outputs"]}
    assert spaces == {"duckdb://muensterland"}


def test_the_parent_is_the_airflow_task(events: list[dict[str, Any]]) -> None:
    parent = of(events, "marts.muensterland.dim_area")["COMPLETE"]["run"]["facets"]["parent"]
    assert parent["job"] == {"namespace": "muensterland", "name": "region_release.build_core"}
    assert parent["run"] == {"runId": RUN}


def test_an_event_holds_what_the_standard_wants(events: list[dict[str, Any]]) -> None:
    for event in events:
        assert event["eventTime"]
        assert event["producer"].startswith("https://")
        assert "openlineage.io/spec" in event["schemaURL"]
        assert event["job"]["namespace"] == "muensterland"


def test_where_dbt_came_to_nothing_there_is_nothing_to_tell(tmp_path: Path) -> None:
    assert emit_dbt_events(PROJECT, tmp_path, tmp_path / "events.jsonl") == 0
    assert not (tmp_path / "events.jsonl").exists()
