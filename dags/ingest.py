"""One DAG per domain: every source of the domain is fetched, then parsed, independently of the others."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pendulum
from airflow.sdk import Asset, MultipleCronTriggerTimetable, Param, dag, get_current_context, task, task_group

from connectors.catalogue import Source
from muensterland.orchestration import asset_name, instant, retries, sources_by_domain, sources_by_pool

DOC = """
**Ingest {domain}**: fetches what the publishers of this domain have put out and parses it to typed Parquet.

A source that fails does not stop the others: its former snapshot stays in force, `settle` logs the failure and
`mart_coverage` shows it. What a publisher has not changed is neither downloaded nor parsed again, so that a run may
be repeated at any time. It runs whenever one of its sources is due by the catalogue.
"""


def ingest(domain: str, sources: list[Source]) -> None:
    """Declare the DAG `ingest_<domain>`."""

    @dag(
        dag_id=f"ingest_{domain}",
        schedule=MultipleCronTriggerTimetable(*sorted({s.schedule for s in sources}), timezone="Europe/Berlin"),
        start_date=pendulum.datetime(2026, 1, 1, tz="Europe/Berlin"),
        catchup=False,
        max_active_runs=1,
        default_args={"retries": retries(), "retry_delay": timedelta(minutes=5)},
        params={"as_of": Param("", type="string", description="ISO instant the run takes for now; empty: now")},
        doc_md=DOC.format(domain=domain),
        tags=["ingest", domain],
    )
    def ingest_domain() -> None:
        @task
        def clock() -> str:
            return instant(get_current_context()["params"]["as_of"])

        @task(trigger_rule="all_done", outlets=[Asset(asset_name(domain))])
        def settle() -> dict[str, str]:
            from muensterland import steps

            return steps.settle(domain)

        as_of, end = clock(), settle()
        for pool, source_ids in sources_by_pool(sources).items():
            fetch_then_parse(pool).partial(as_of=as_of).expand(source=source_ids) >> end

    ingest_domain()


def fetch_then_parse(pool: str) -> Any:
    """The task group that is mapped over the sources of one host."""

    @task_group(group_id=f"from_{pool}")
    def group(source: str, as_of: str) -> None:
        @task(map_index_template="{{ source }}", pool=pool)
        def fetch(source: str, as_of: str) -> str:
            from muensterland import steps

            get_current_context()["source"] = source  # type: ignore[typeddict-unknown-key]
            steps.fetch(source, as_of)
            return source

        @task(map_index_template="{{ source }}")
        def parse(source: str) -> dict[str, Any]:
            from muensterland import steps

            get_current_context()["source"] = source  # type: ignore[typeddict-unknown-key]
            return steps.parse(source)

        parse(fetch(source, as_of))

    return group


for _domain, _sources in sources_by_domain().items():
    ingest(_domain, _sources)
