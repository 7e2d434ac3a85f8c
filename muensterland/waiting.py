"""The task that fetches a source, and waits for a publisher that asks for patience without holding a worker."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from airflow.sdk import BaseOperator
from airflow.sdk.exceptions import AirflowSkipException

from connectors.selection import Selection


class FetchSource(BaseOperator):
    """Fetch one source of a DAG run, as the run's params select it; returns the source's id.

    Where the publisher says `Retry-After` beyond what a fetch waits by itself, the task is deferred until then, at
    most TASK_RETRIES times and PUBLISHER_WAIT_LIMIT_S long: it then holds neither a worker nor its host's pool.
    """

    template_fields: Sequence[str] = ("source", "as_of")

    def __init__(self, *, source: str, as_of: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.source = source
        self.as_of = as_of

    def execute(self, context: Any) -> str:
        """Fetch for the first time."""
        return self._fetch(context, waits=0)

    def after_wait(self, context: Any, event: Any, waits: int) -> str:
        """Fetch again once the publisher's time has come."""
        return self._fetch(context, waits)

    def _fetch(self, context: Any, waits: int) -> str:
        from connectors.errors import FetchFailed
        from muensterland import steps

        context["source"] = self.source
        selection = selected(self.source, context["params"])
        try:
            steps.fetch(self.source, self.as_of, selection, secrets_of(self.source))
        except FetchFailed:
            self._wait(waits)
            raise
        self._wait(waits)
        return self.source

    def _wait(self, waits: int) -> None:
        """Defer, which raises, where the publisher asked to be asked again and may be waited for."""
        from airflow.providers.standard.triggers.temporal import DateTimeTrigger

        from muensterland import steps
        from muensterland.settings import Settings

        settings = Settings()
        moment = steps.asked_back_at(self.source)
        if moment is None or waits >= settings.task_retries:
            return
        if moment - datetime.now(UTC) > timedelta(seconds=settings.publisher_wait_limit_s):
            return
        self.log.info("%s: the publisher asks to come back at %s: waiting without a worker", self.source, moment)
        self.defer(trigger=DateTimeTrigger(moment=moment), method_name="after_wait", kwargs={"waits": waits + 1})


def secrets_of(source_id: str) -> Callable[[str], Mapping[str, str]]:
    """Finds the credentials that a source's resources name; they are looked up here, in the thread Airflow talks to."""
    from connectors.catalogue import load_catalogue
    from muensterland.settings import Settings

    resources = load_catalogue(Settings().sources_dir)[source_id].resources.values()
    known = {name: from_connection(name) for name in sorted({r.credentials for r in resources if r.credentials})}
    return known.__getitem__


def from_connection(name: str) -> dict[str, str]:
    """The headers of the Airflow connection called as the credentials in small letters, else of the environment.

    Login and password are the user's; a token goes into either of them alone.
    """
    from airflow.sdk import BaseHook
    from airflow.sdk.exceptions import AirflowNotFoundException

    from connectors.credentials import from_environment, headers_of

    try:
        connection = BaseHook.get_connection(name.lower())
    except AirflowNotFoundException:
        return from_environment(name)
    return headers_of(connection.login, connection.password)


def selected(source_id: str, params: Any) -> Selection:
    """What the params `source`, `force`, `from_month`, `to_month` ask of a source.

    Raises AirflowSkipException where they do not ask for it.
    """
    from connectors.catalogue import load_catalogue
    from connectors.selection import has_periods
    from muensterland.settings import Settings

    if params["source"] not in ("", source_id):
        raise AirflowSkipException(f"the run is of {params['source']} only")
    selection = Selection(params["from_month"] or None, params["to_month"] or None, afresh=bool(params["force"]))
    if selection.first_month and not has_periods(load_catalogue(Settings().sources_dir)[source_id]):
        raise AirflowSkipException(f"{source_id} is not partitioned by days, months or years")
    return selection
