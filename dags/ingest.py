"""One DAG per domain, and one for its realtime sources: each source is fetched, then parsed, apart from the others."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pendulum
from airflow.sdk import (
    Asset,
    AsyncCallback,
    DeadlineAlert,
    DeadlineReference,
    MultipleCronTriggerTimetable,
    Param,
    dag,
    get_current_context,
    task,
    task_group,
)

from muensterland.callbacks import deadline_missed, task_failed
from muensterland.orchestration import (
    Ingestion,
    asset_name,
    doc,
    ingestions,
    instant,
    retries,
    sources_by_pool,
    within,
)
from muensterland.waiting import FetchSource, selected

MONTH = r"^(\d{4}-(0[1-9]|1[0-2]))?$"


def ingest(ingestion: Ingestion) -> None:
    """Declare the DAG of an ingestion. That of realtime sources asks for no release: what they tell comes into force
    once a day, and goes into the next release that anything else asks for."""
    domain, sources = ingestion.domain, ingestion.sources

    @dag(
        dag_id=ingestion.dag_id,
        schedule=MultipleCronTriggerTimetable(*sorted({s.schedule for s in sources}), timezone="Europe/Berlin"),
        start_date=pendulum.datetime(2026, 1, 1, tz="Europe/Berlin"),
        catchup=False,
        # Two runs of one source would fetch into each other.
        max_active_runs=1,
        default_args={"retries": retries(), "retry_delay": timedelta(minutes=5)},
        params={
            "source": Param("", enum=["", *(s.id for s in sources)], description="only this source; empty: all"),
            "force": Param(False, type="boolean", description="ask for everything afresh and parse it again"),
            "from_month": Param("", type="string", pattern=MONTH, description="backfill: first month, YYYY-MM"),
            "to_month": Param("", type="string", pattern=MONTH, description="backfill: last month, YYYY-MM"),
            "as_of": Param("", type="string", description="ISO instant the run takes for now; empty: now"),
        },
        deadline=DeadlineAlert(
            reference=DeadlineReference.DAGRUN_QUEUED_AT,
            interval=within("ingest"),
            callback=AsyncCallback(deadline_missed),
        ),
        doc_md=doc("ingest"),
        tags=["ingest", domain],
    )
    def ingest_domain() -> None:
        @task(on_failure_callback=task_failed)
        def clock() -> str:
            return instant(get_current_context()["params"]["as_of"])

        @task(
            multiple_outputs=False,
            trigger_rule="all_done",
            outlets=[] if ingestion.is_realtime else [Asset(asset_name(domain))],
            on_failure_callback=task_failed,
        )
        def settle() -> dict[str, str]:
            from muensterland import callbacks, steps

            states = steps.settle(domain, ingestion.is_realtime)
            callbacks.sources_settled(ingestion.dag_id, states)
            return states

        as_of, end = clock(), settle()
        for pool, source_ids in sources_by_pool(sources).items():
            fetch_then_parse(pool).partial(as_of=as_of).expand(source=source_ids) >> end

    ingest_domain()


def fetch_then_parse(pool: str) -> Any:
    """The task group that is mapped over the sources of one host."""

    @task_group(group_id=f"from_{pool}")
    def group(source: str, as_of: str) -> None:
        fetched = FetchSource(task_id="fetch", source=source, as_of=as_of, map_index_template="{{ source }}", pool=pool)

        # What a task tells is one value: by its type Airflow would write every key of it once more.
        @task(map_index_template="{{ source }}", multiple_outputs=False)
        def parse(source: str) -> dict[str, Any]:
            from muensterland import steps

            context = get_current_context()
            context["source"] = source  # type: ignore[typeddict-unknown-key]
            return steps.parse(source, selected(source, context["params"]))

        parse(fetched.output)

    return group


for _ingestion in ingestions():
    ingest(_ingestion)
