"""Daily: remove old task logs, old records of Airflow and old work folders. Data is never touched."""

from __future__ import annotations

import pendulum
from airflow.sdk import dag, task

from muensterland.callbacks import task_failed, task_succeeded
from muensterland.orchestration import doc, retries


@dag(
    schedule="50 2 * * *",
    start_date=pendulum.datetime(2026, 1, 1, tz="Europe/Berlin"),
    catchup=False,
    max_active_runs=1,
    default_args={"retries": retries(), "on_failure_callback": task_failed},
    doc_md=doc("maintenance"),
    tags=["maintenance"],
)
def maintenance() -> None:
    """Declare the DAG."""

    @task(multiple_outputs=False)
    def remove_old_logs() -> dict[str, int]:
        from muensterland import maintenance

        return maintenance.remove_old_logs()

    @task
    def trim_process_logs() -> list[str]:
        from muensterland import maintenance

        return maintenance.trim_process_logs()

    @task
    def trim_work() -> list[str]:
        from muensterland import maintenance

        return maintenance.trim_work()

    @task(on_success_callback=task_succeeded)
    def clean_metadata() -> str:
        from muensterland import maintenance

        return maintenance.clean_metadata(pendulum.now("UTC"))

    remove_old_logs() >> trim_process_logs() >> trim_work() >> clean_metadata()


maintenance()
