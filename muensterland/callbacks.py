"""What Airflow calls when something has ended, failed or is late: it becomes an observation for the alerts."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

from connectors.catalogue import load_catalogue
from muensterland import alerts
from muensterland.alerts import OK, Observation
from muensterland.settings import Settings

log = logging.getLogger(__name__)


def sources_settled(dag_id: str, states: dict[str, str]) -> None:
    """The end of an ingestion: what its sources came to, and that the DAG itself has done its work."""
    from muensterland.drift import newest_breaches, newest_drift
    from muensterland.steps import source_errors

    settings = Settings()
    observed = [Observation(f"dag {dag_id}", OK)]
    for source in load_catalogue(settings.sources_dir).values():
        if source.id not in states:
            continue
        state = states[source.id]
        is_in_trouble = state in ("stale", "failed")
        detail = " | ".join(source_errors(settings.home, source.id)) if is_in_trouble else ""
        staged = settings.home.staged
        observed += [
            Observation(f"source {source.id}", state if is_in_trouble else OK, detail),
            _standing(f"columns of {source.id}", "drift", newest_drift(source, staged)),
            _standing(f"snapshot of {source.id}", "unlike", newest_breaches(source, staged)),
        ]
    _tell(observed, *_connections())


def _standing(subject: str, state: str, found: list[str]) -> Observation:
    """Of what is in force and stands, whether or not the publisher delivers: another one is news."""
    told = "; ".join(found)
    return Observation(subject, state, told, sign=told) if found else Observation(subject, OK)


def dag_done(dag_id: str) -> None:
    """A run of the DAG came to its good end."""
    _tell([Observation(f"dag {dag_id}", OK)], *_connections())


def task_failed(context: Any) -> None:
    """For `on_failure_callback` of a task: its DAG is in trouble, `red` where the gate said so."""
    ti, error = context["ti"], context.get("exception")
    state = "red" if type(error).__name__ == "GateIsRed" else "broken"
    detail = f"{ti.task_id}: {type(error).__name__}: {error}" if error else f"{ti.task_id}: ended without a word"
    _tell([Observation(f"dag {ti.dag_id}", state, detail)], *_connections())


def task_succeeded(context: Any) -> None:
    """For `on_success_callback` of a DAG's last task."""
    dag_done(context["ti"].dag_id)


async def deadline_missed(context: dict[str, Any]) -> None:
    """For a DAG's deadline; runs in the triggerer, where nothing may block."""
    run, deadline = context["dag_run"], context["deadline"]["deadline_time"]
    detail = f"{run['dag_run_id']} was to be done by {deadline}, its state is {run['state']}"
    connections = [await _connection_async(name, given) for name, given in _wanted()]
    await asyncio.to_thread(_tell, [Observation(f"dag {run['dag_id']}", "late", detail)], *connections)


def _tell(observed: Iterable[Observation], smtp: Any, webhook: Any) -> None:
    from muensterland.channels import channels

    settings = Settings()
    ways = channels(settings, smtp, webhook)
    remind_after = timedelta(days=settings.alert_reminder_days)
    handed_over = alerts.tell(settings.home.status / "alerts", observed, ways, datetime.now(UTC), remind_after)
    for message in handed_over:
        log.info("told: %s", message.text_en)


def _wanted() -> list[tuple[str, object]]:
    """The connections by name, each with the setting that makes it needless."""
    from muensterland.channels import SMTP_CONNECTION, WEBHOOK_CONNECTION

    settings = Settings()
    return [(SMTP_CONNECTION, settings.alert_smtp), (WEBHOOK_CONNECTION, settings.alert_webhook)]


def _connections() -> list[Any]:
    return [_connection(name, given) for name, given in _wanted()]


def _connection(name: str, given: object) -> Any:
    from airflow.sdk import Connection
    from airflow.sdk.exceptions import AirflowNotFoundException

    try:
        return None if given else Connection.get(name)
    except AirflowNotFoundException:
        return None


async def _connection_async(name: str, given: object) -> Any:
    from airflow.sdk import Connection
    from airflow.sdk.exceptions import AirflowNotFoundException

    try:
        return None if given else await Connection.async_get(name)
    except AirflowNotFoundException:
        return None
