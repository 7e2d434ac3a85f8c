"""OpenLineage events of what dbt built, added to the file that Airflow's own events go to.

Only imported where OPENLINEAGE_FILE names a file.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from airflow.sdk import get_current_context
from openlineage.client import OpenLineageClient
from openlineage.client.transport.file import FileConfig, FileTransport
from openlineage.common.provider.dbt.facets import ParentRunMetadata
from openlineage.common.provider.dbt.local import DbtLocalArtifactProcessor

NAMESPACE = "muensterland"
# The candidate's path is another in each run; the marts are the same ones.
DATASETS = "duckdb://muensterland"
PRODUCER = "https://github.com/OpenLineage/OpenLineage/tree/main/integration/dbt"


class _Artifacts(DbtLocalArtifactProcessor):  # type: ignore[misc]  # openlineage has no types
    """dbt's `manifest.json` and `run_results.json` as events, with data sets that keep their names."""

    def extract_dataset_namespace(self, profile: dict[str, Any]) -> None:
        self.dataset_namespace = DATASETS


def emit_dbt_events(project: Path, target: Path, file: Path) -> int:
    """Add START and COMPLETE or FAIL events of every model and test in `target` to `file`; how many there were.

    Their parent is the Airflow task they ran in, where there is one. Without `target/run_results.json` (dbt came to
    nothing) there are none.
    """
    if not (target / "run_results.json").exists():
        return 0
    artifacts = _Artifacts(
        project_dir=str(project), target_path=str(target), producer=PRODUCER, job_namespace=NAMESPACE
    )
    parent = _airflow_task()
    if parent is not None:
        artifacts.dbt_run_metadata = parent
    file.parent.mkdir(parents=True, exist_ok=True)
    client = OpenLineageClient(transport=FileTransport(FileConfig(log_file_path=str(file), append=True)))
    events = artifacts.parse().events()
    for event in events:
        client.emit(event)
    return len(events)


def _airflow_task() -> ParentRunMetadata | None:
    """The task this runs in, named as Airflow's own events name it."""
    try:
        ti = get_current_context()["ti"]
    except RuntimeError:
        return None
    from airflow.providers.openlineage.plugins.macros import lineage_parent_id

    namespace, job_name, run_id = lineage_parent_id(ti).rsplit("/", 2)
    return ParentRunMetadata(run_id=run_id, job_name=job_name, job_namespace=namespace)
