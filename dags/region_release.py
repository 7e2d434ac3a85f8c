"""The release: freeze what is in force, build the marts domain by domain, judge them, promote."""

from __future__ import annotations

from typing import Any

import pendulum
from airflow.sdk import (
    Asset,
    AssetAny,
    AsyncCallback,
    DeadlineAlert,
    DeadlineReference,
    Param,
    dag,
    get_current_context,
    task,
)

from connectors.catalogue import DOMAINS
from muensterland.callbacks import deadline_missed, task_failed, task_succeeded
from muensterland.orchestration import asset_name, doc, instant, within


@dag(
    schedule=AssetAny(*(Asset(asset_name(domain)) for domain in DOMAINS)),
    start_date=pendulum.datetime(2026, 1, 1, tz="Europe/Berlin"),
    catchup=False,
    max_active_runs=1,
    default_args={"on_failure_callback": task_failed},
    params={
        "as_of": Param("", type="string", description="ISO instant the release takes for now; empty: now"),
        "force": Param(False, type="boolean", description="build even where nothing in force has changed"),
    },
    deadline=DeadlineAlert(
        reference=DeadlineReference.DAGRUN_QUEUED_AT,
        interval=within("release"),
        callback=AsyncCallback(deadline_missed),
    ),
    doc_md=doc("region_release"),
    tags=["release"],
)
def region_release() -> None:
    """Declare the DAG."""

    # What a task tells is one value: by its type Airflow would write every key of it once more.
    @task.short_circuit(multiple_outputs=False)
    def begin() -> dict[str, Any] | None:
        from muensterland import callbacks, steps

        context = get_current_context()
        if missing := steps.missing_for_first_release():
            steps.progress.info("release  waits for the first ingestion of %s", ", ".join(missing))
            return None
        if context["params"]["force"]:
            steps.forget_built()
        run = steps.begin_release(instant(context["params"]["as_of"]))
        if run is None:
            callbacks.dag_done(context["ti"].dag_id)
        return run

    @task(pool="warehouse", multiple_outputs=False)
    def build(run: dict[str, Any], domain: str) -> dict[str, int]:
        from muensterland import steps

        return steps.build(run["run"], run["as_of"], domain)

    @task(multiple_outputs=False)
    def gate(run: dict[str, Any]) -> dict[str, Any]:
        from muensterland import steps

        return steps.gate(run["run"], run["as_of"])

    @task(multiple_outputs=False, on_success_callback=task_succeeded)
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
