"""The release: freeze what is in force, build the marts domain by domain, judge them, promote."""

from __future__ import annotations

from typing import Any

import pendulum
from airflow.sdk import Asset, AssetAny, Param, dag, get_current_context, task

from connectors.catalogue import DOMAINS
from muensterland.orchestration import asset_name, instant

DOC = """
**Region release**: builds a new release from all snapshots in force whenever a domain has been ingested.

`begin` freezes the input and ends the run where nothing has changed. dbt builds and tests one domain after the other
into a candidate file, the gate judges it, `promote` moves the link `releases/current`. Where a model, a test or a
critical check fails, nothing is promoted and the former release stays current.
"""


@dag(
    schedule=AssetAny(*(Asset(asset_name(domain)) for domain in DOMAINS)),
    start_date=pendulum.datetime(2026, 1, 1, tz="Europe/Berlin"),
    catchup=False,
    max_active_runs=1,
    params={"as_of": Param("", type="string", description="ISO instant the release takes for now; empty: now")},
    doc_md=DOC,
    tags=["release"],
)
def region_release() -> None:
    """Declare the DAG."""

    @task.short_circuit
    def begin() -> dict[str, Any] | None:
        from muensterland import steps

        return steps.begin_release(instant(get_current_context()["params"]["as_of"]))

    @task(pool="warehouse")
    def build(run: dict[str, Any], domain: str) -> dict[str, int]:
        from muensterland import steps

        return steps.build(run["run"], run["as_of"], domain)

    @task
    def gate(run: dict[str, Any]) -> dict[str, Any]:
        from muensterland import steps

        return steps.gate(run["run"], run["as_of"])

    @task
    def promote(run: dict[str, Any], verdict: dict[str, Any]) -> dict[str, Any]:
        from muensterland import steps

        return steps.promote(**run, verdict=verdict)

    run = begin()
    step = run
    for domain in DOMAINS:
        built = build.override(task_id=f"build_{domain}")(run, domain)
        step >> built
        step = built
    verdict = gate(run)
    step >> verdict
    promote(run, verdict)


region_release()
