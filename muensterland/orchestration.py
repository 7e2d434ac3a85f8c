"""What DAG files need at import time, light enough for a scheduler that reads them every few seconds."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from connectors.catalogue import DOMAINS, Source, load_catalogue
from muensterland.settings import REPOSITORY, Settings


def sources_by_domain() -> dict[str, list[Source]]:
    """The sources that this INPUT offers, per domain."""
    settings = Settings()
    offered: dict[str, list[Source]] = {domain: [] for domain in DOMAINS}
    for source in load_catalogue(settings.sources_dir).values():
        if settings.input in source.inputs:
            offered[source.domain].append(source)
    return {domain: sources for domain, sources in offered.items() if sources}


@dataclass(frozen=True)
class Ingestion:
    """A DAG that asks some sources of a domain: all of them, whenever one is due.

    So those that tell of the moment, and are due every few minutes, have a DAG of their own.
    """

    domain: str
    sources: tuple[Source, ...]
    is_realtime: bool = False

    @property
    def dag_id(self) -> str:
        """`ingest_<domain>` or `ingest_<domain>_realtime`."""
        return f"ingest_{self.domain}{'_realtime' if self.is_realtime else ''}"


def ingestions() -> list[Ingestion]:
    """The ingest DAGs of what this INPUT offers."""
    return [
        Ingestion(domain, chosen, is_realtime)
        for domain, sources in sources_by_domain().items()
        for is_realtime in (False, True)
        if (chosen := tuple(source for source in sources if source.accumulates == is_realtime))
    ]


def sources_by_pool(sources: Iterable[Source]) -> dict[str, list[str]]:
    """Ids of the sources per pool; sources of one host share one."""
    pools: dict[str, list[str]] = defaultdict(list)
    for source in sources:
        pools[pool_name(source)].append(source.id)
    return dict(sorted(pools.items()))


def pool_name(source: Source) -> str:
    """The Airflow pool of a source: one place per host, so that a host never sees two sources at once."""
    return source.host.replace(".", "_")


def asset_name(domain: str) -> str:
    """The asset that a domain's ingestion updates and the release waits for."""
    return f"ingested_{domain}"


def retries() -> int:
    """How often Airflow tries a task again: TASK_RETRIES; the one-shot runner sets 0, as it would wait them out."""
    return Settings().task_retries


def within(work: Literal["ingest", "release"]) -> timedelta:
    """How long a DAG run may take before somebody is told: INGEST_DEADLINE_MIN, RELEASE_DEADLINE_MIN."""
    settings = Settings()
    return timedelta(minutes=settings.ingest_deadline_min if work == "ingest" else settings.release_deadline_min)


def instant(given: str) -> str:
    """The run's clock as ISO text: the DAG's `as_of` where given, else AS_OF, else now."""
    moment = datetime.fromisoformat(given) if given else Settings().clock()
    if moment.tzinfo is None:
        raise ValueError(f"as_of {given!r} has no offset, expected an instant such as 2026-11-22T06:00:00+01:00")
    return moment.isoformat()


def doc(name: str) -> str:
    """The DAG docs `dags/<name>.md`, German and English, that Airflow shows beside the DAG."""
    return (REPOSITORY / "dags" / f"{name}.md").read_text(encoding="utf-8")
