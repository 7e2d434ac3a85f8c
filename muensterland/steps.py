"""What the tasks of the DAGs do: each step is a function of the settings, its result a small dictionary.

DAGs wire these functions; the one-shot runner reads the status files they leave.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import logging
import os
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Any

from connectors import inbox
from connectors.catalogue import DOMAINS, Source, load_catalogue
from connectors.credentials import Secrets, from_environment
from connectors.errors import FetchFailed, SnapshotRefused
from connectors.fetching import fetch_source, joined
from connectors.http import Client
from connectors.landing import Landing
from connectors.parsing import parse_source
from connectors.region import region
from connectors.registry import check_source
from connectors.selection import DUE, Selection
from muensterland.settings import REPOSITORY, Home, Settings
from publishing.compatibility import BreakingChange

log = logging.getLogger(__name__)
progress = logging.getLogger("muensterland.progress")

# The rooms whose files decide what a release says; a change in any of them is another code version.
_CODE = ("connectors", "data/layouts", "dbt_project", "expectations", "publishing", "muensterland")
_CODE_SUFFIXES = {".py", ".sql", ".yml", ".csv"}
# Work folders of former runs that are kept for a look at what went wrong.
KEEP_WORK_FOLDERS = 2


def fetch(
    source_id: str, as_of: str, selection: Selection = DUE, secrets: Secrets = from_environment
) -> dict[str, Any]:
    """Fetch one source, then take what was dropped into its inbox: the newest news of a partition is in force.

    `secrets` finds the credentials that publishers want.
    Raises FetchFailed where nothing could be fetched; the former snapshots stay in force.
    """
    settings, source = _source(source_id)
    with _timed() as clock, _Status(settings.home, source_id, "fetch") as status:
        check_source(source)
        landing = Landing(settings.home.landing, source_id)
        client = Client(settings.rebase, secrets=secrets)
        downloaded = fetch_source(source, landing, client, datetime.fromisoformat(as_of), selection)
        summary = joined(downloaded, inbox.collect(source, landing, settings.home.inbox, time.time()))
        status.update(dataclasses.asdict(summary))
        status["asked_back_at"] = client.asked_back_at.isoformat() if client.asked_back_at else None
        parts = {name: getattr(summary, name) for name in ("new", "unchanged", "absent", "settled", "failed")}
        parts["in the inbox, not at rest yet"] = summary.waiting
        words = ", ".join(f"{count} {name}" for name, count in parts.items() if count) or "nothing to ask for"
        progress.info("fetch    %-32s %s, %.1f MB%s", source_id, words, summary.bytes / 1e6, clock())
        # A dropped file that cannot be taken is not there for a second try: the status tells of it.
        if downloaded.failed and not summary.new + summary.unchanged + summary.settled:
            raise FetchFailed(f"{source_id}: nothing could be fetched. {' | '.join(summary.errors[:3])}")
    return status


def parse(source_id: str, selection: Selection = DUE) -> dict[str, Any]:
    """Parse one source. Raises SnapshotRefused where a snapshot is refused and nothing new could be staged."""
    settings, source = _source(source_id)
    with _timed() as clock, _Status(settings.home, source_id, "parse") as status:
        landing = Landing(settings.home.landing, source_id)
        summary = parse_source(source, landing, settings.home.staged, selection)
        refused = inbox.refusals(source_id, settings.home.staged)
        for place in inbox.give_back(source_id, landing, settings.home.inbox, refused):
            log.error("%s: a dropped file was refused, see %s.reason.txt", source_id, place)
        status.update(dataclasses.asdict(summary))
        progress.info(
            "parse    %-32s %d parsed, %d already staged%s: %s staged, %s rejected, %s out of scope%s",
            source_id,
            summary.parsed,
            summary.kept,
            f", {summary.refused} refused" if summary.refused else "",
            *(f"{count:,}" for count in (summary.staged, summary.rejected, summary.out_of_scope)),
            clock(),
        )
        if summary.refused and not summary.parsed + summary.kept:
            raise SnapshotRefused(f"{source_id}: {' | '.join(summary.errors[:3])}")
    return status


def asked_back_at(source_id: str) -> datetime | None:
    """When the publisher wants to be asked again, where its last fetch was told to wait longer than it may."""
    told = read_status(Settings().home, source_id).get("fetch", {}).get("asked_back_at")
    return datetime.fromisoformat(told) if told else None


def forget_built() -> None:
    """Let the next `begin_release` build, whether or not anything has changed."""
    _built_file(Settings().home).unlink(missing_ok=True)


def missing_for_first_release() -> list[str]:
    """The sources that were never asked to the end, where there is no release yet; empty where there is one.

    Airflow asks for a release after each domain; the first one waits until the region is whole. Realtime sources have a
    schedule of their own, after which no release is asked for: nothing waits for them.
    """
    from publishing.release import current

    settings = Settings()
    if current(settings.home.releases) is not None:
        return []
    offered = [source.id for domain in DOMAINS for source in sources_of(settings, domain) if not source.accumulates]
    return [source_id for source_id in offered if not _was_asked(settings.home, source_id)]


def _was_asked(home: Home, source_id: str) -> bool:
    ended = {step: part for step, part in read_status(home, source_id).items() if part.get("ended", True)}
    return bool(ended.get("parse") or ended.get("fetch", {}).get("error"))


def settle(domain: str, realtime: bool = False) -> dict[str, str]:
    """State per source of a domain's run, that of its realtime ones or that of all others: `new`, `unchanged`, `stale`
    or `failed`; failures are logged.

    A source that was never asked (the run was of another one only) has none.
    """
    settings = Settings()
    states = {
        source.id: source_state(settings.home, source.id)
        for source in sources_of(settings, domain)
        if source.accumulates == realtime and read_status(settings.home, source.id)
    }
    offered = [source.id for one in DOMAINS for source in sources_of(settings, one)]
    for stray in inbox.strays(settings.home.inbox, offered):
        log.warning(
            "%s: nobody looks there, expected files in inbox/<source>/ of a source that INPUT=%s offers: see "
            "`muensterland sources list`",
            settings.home.inbox / stray,
            settings.input,
        )
    for source_id, state in states.items():
        if state in ("stale", "failed"):
            log.error("%s: %s: %s", source_id, state, " | ".join(source_errors(settings.home, source_id)))
    return states


def begin_release(as_of: str) -> dict[str, str] | None:
    """Freeze what is in force and say where: `run` (its folder), `as_of`, `input_key`, `code_version`.

    None where the current release was made of just these inputs, or where a release made of the same was rolled back
    and not allowed again: there is nothing to build then.
    """
    from connectors import view
    from connectors.ingredients import recipe_key
    from muensterland.recipe import write_recipe
    from muensterland.warehouse import FORMER
    from publishing.history import held_version, read_history
    from publishing.release import current

    settings = Settings()
    home, catalogue = settings.home, load_catalogue(settings.sources_dir)
    with _timed() as clock:
        version = code_version()
        in_force = view.snapshots_in_force(catalogue, home.staged)
        clock_at = datetime.fromisoformat(as_of)
        trouble = view.troubles(catalogue, home.landing, home.staged, clock_at)
        key = view.input_key(catalogue, region(), in_force, trouble, version, clock_at)
        release = current(home.releases)
        if release is not None and _built(home) == {"input_key": key, "release": release.version}:
            progress.info("release  nothing in force has changed, %s stays current%s", release.version, clock())
            return None
        recipe = recipe_key(catalogue, region(), version)
        names = ("source_id", "partition", "snapshot_sha256")
        snapshots = list(zip(*(in_force.column(name).to_pylist() for name in names), strict=True))
        held = held_version(read_history(home.releases), recipe, snapshots)
        if held is not None:
            progress.info("release  %s%s", _held_back(held), clock())
            return None
        run = _work_folder(home, key)
        view.freeze(run / "staged", catalogue, region(), home.landing, home.staged, settings.input)
        write_recipe(run, catalogue.values(), region(), settings.input, recipe)
        if release is not None:
            # A link, which outlives a release that is pruned meanwhile.
            os.link(release.warehouse, run / FORMER)
        progress.info("freeze   %d snapshots in force%s", in_force.num_rows, clock())
    return {"run": str(run), "as_of": as_of, "input_key": key, "code_version": version}


def build(run: str, as_of: str, domain: str) -> dict[str, int]:
    """Build and test a domain's models into the candidate with dbt; rows per mart.

    Raises muensterland.warehouse.BuildFailed naming the models and tests that failed.
    """
    from muensterland.warehouse import build_domain

    settings = Settings()
    with _timed() as clock:
        try:
            marts = build_domain(Path(run), domain, as_of, settings.home.logs / "dbt")
        finally:
            # A failed build is part of the story.
            if settings.openlineage_file is not None:
                _emit_dbt_events(Path(run), settings.openlineage_file)
        progress.info("dbt      %-32s %d marts, %s rows%s", domain, len(marts), f"{sum(marts.values()):,}", clock())
    return marts


def _emit_dbt_events(run: Path, file: Path) -> None:
    from muensterland.lineage_events import emit_dbt_events
    from muensterland.warehouse import PROJECT

    emit_dbt_events(PROJECT, run / "target", file)


def gate(run: str, as_of: str) -> dict[str, Any]:
    """Judge the candidate and keep the judgement; the verdict in short: `passed`, `counts`, its number `judgement`.

    Raises GateIsRed where a critical check fails that is not quarantined.
    """
    from expectations.gate import PAGE, REPORT, UNEXPECTED, judge
    from expectations.verdict import Past
    from muensterland.feeds import feeding_sources
    from publishing import quality

    settings, instant = Settings(), datetime.fromisoformat(as_of)
    with _timed() as clock:
        verdict = judge(
            candidate_of(run),
            Path(run),
            kind=settings.input,
            as_of=instant,
            feeds=feeding_sources(manifest_of(run), load_catalogue(settings.sources_dir).values(), settings.input),
            past=[Past.model_validate(row) for row in quality.past(settings.home.releases)],
        )
        short: dict[str, Any] = verdict.model_dump(mode="json", include={"passed", "counts"})
        short["judgement"] = quality.record(settings.home.releases, Path(run) / REPORT, Path(run) / PAGE, instant)
        progress.info("gate     %s%s", gate_headline(short), clock())
        if not verdict.passed:
            for check in [check for check in verdict.failures if check.severity == "critical"][:5]:
                first = [", ".join(f"{name}={value}" for name, value in row.items()) for row in check.examples[:1]]
                said = "; e.g. ".join([check.error or check.meaning_en, *first])
                progress.error("gate     %s (%s): %s", check.id, check.owner, said)
            where = f"see {Path(run) / PAGE} and the rows in {Path(run) / UNEXPECTED}"
            progress.error("gate     nothing is promoted, %s", where)
            raise GateIsRed(f"{gate_headline(short)}; nothing is promoted, {where}")
    return short


def gate_headline(verdict: dict[str, Any]) -> str:
    """The verdict in a line: green or red, and how many checks of each severity failed."""
    counts = verdict["counts"]
    failed = ", ".join(f"{count['failed']} of {count['checks']} {name}" for name, count in counts.items())
    # A release made by former code may still be current, and that knew no quarantine.
    quarantined = sum(count.get("quarantined", 0) for count in counts.values())
    known = f"; {quarantined} quarantined" if quarantined else ""
    return f"{'green' if verdict['passed'] else 'RED'}: failed {failed}{known}"


class GateIsRed(RuntimeError):
    """A critical check failed on the candidate; the former release stays current."""


def promote(run: str, as_of: str, input_key: str, code_version: str, verdict: dict[str, Any]) -> dict[str, Any]:
    """Make the candidate the current release, unless it says just what the current one says."""
    from connectors.ingredients import snapshots_used
    from expectations.gate import PAGE, REPORT, UNEXPECTED
    from muensterland.lineage import write_lineage
    from muensterland.recipe import FOLDER, read_recipe
    from publishing import quality
    from publishing.release import publish

    settings = Settings()
    catalogue = load_catalogue(settings.sources_dir)
    with _timed() as clock, _told():
        published = publish(
            candidate=candidate_of(run),
            manifest=manifest_of(run),
            releases=settings.home.releases,
            as_of=datetime.fromisoformat(as_of),
            input_key=input_key,
            inputs=snapshots_used(Path(run) / "staged", settings.home.landing),
            code_version=code_version,
            recipe_key=read_recipe(Path(run)).recipe_key,
            gate=verdict,
            synthetic=settings.input == "sample",
            reports=[*(Path(run) / name for name in (REPORT, PAGE, FOLDER)), write_lineage(Path(run))],
            judged=quality.Judged(verdict["judgement"], Path(run) / REPORT, Path(run) / UNEXPECTED),
            attributions=[
                {name: getattr(source, name) for name in ("id", "attribution", "licence", "licence_url")}
                for source in catalogue.values()
                if settings.input in source.inputs
            ],
        )
        if published.held_back is not None:
            progress.info("release  %s%s", _held_back(published.held_back), clock())
            return {"promoted": False, "release": published.release.version}
        for notice in published.notices:
            progress.warning("release  %s", notice)
        if published.promoted:
            quality.mark(settings.home.releases, verdict["judgement"], published.release.version)
        word = "promoted" if published.promoted else "every mart equals the current release, which stays:"
        progress.info("release  %s %s%s", word, published.release.version, clock())
    # A release made of other inputs may say the same: what was built last is remembered apart from it.
    _write_json(_built_file(settings.home), {"input_key": input_key, "release": published.release.version})
    shutil.rmtree(run)
    return {"promoted": published.promoted, "release": published.release.version}


@contextmanager
def _told() -> Iterator[None]:
    """Report a breaking change before it goes on its way to the log."""
    try:
        yield
    except BreakingChange as error:
        progress.error("release  nothing is promoted: %s", error)
        raise


def _held_back(version: str) -> str:
    return (
        f"{version} was rolled back, and what set it apart is still in force: not promoted again; "
        f"`muensterland releases allow {version}` lets it"
    )


def candidate_of(run: str) -> Path:
    """The DuckDB file that dbt writes in a run's folder."""
    return Path(run) / "candidate.duckdb"


def manifest_of(run: str) -> Path:
    """What dbt wrote about its models in a run's folder."""
    return Path(run) / "target" / "manifest.json"


def sources_of(settings: Settings, domain: str) -> list[Source]:
    """The domain's sources that this INPUT offers."""
    catalogue = load_catalogue(settings.sources_dir)
    return [source for source in catalogue.values() if source.domain == domain and settings.input in source.inputs]


def source_state(home: Home, source_id: str) -> str:
    """`new`, `unchanged`, `stale` (failed, but a former snapshot is in force) or `failed` (nothing in force)."""
    status = read_status(home, source_id)
    fetched, parsed = status.get("fetch", {}), status.get("parse", {})
    broken = not fetched or not parsed or any(part.get("error") for part in (fetched, parsed))
    if broken or fetched.get("failed") or parsed.get("refused"):
        return "stale" if parsed.get("staged") else "failed"
    return "new" if fetched["new"] or parsed["parsed"] else "unchanged"


def source_errors(home: Home, source_id: str) -> list[str]:
    """What went wrong with a source in its last run, in its own words."""
    found: list[str] = []
    for part in read_status(home, source_id).values():
        found += part.get("errors") or ([part["error"]] if part.get("error") else [])
    return found


def read_status(home: Home, source_id: str) -> dict[str, dict[str, Any]]:
    """The status file of a source: what its last `fetch` and `parse` came to."""
    path = home.status / f"{source_id}.json"
    status: dict[str, dict[str, Any]] = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    return status


def _built_file(home: Home) -> Path:
    return home.status / "built" / "release.json"


def _built(home: Home) -> dict[str, str]:
    """Which inputs were built last, and the release that tells of them."""
    path = _built_file(home)
    built: dict[str, str] = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    return built


def _write_json(path: Path, content: Any) -> None:
    """Replace a file whole, so that a killed run leaves the former one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}")
    draft.write_text(json.dumps(content, indent=1, ensure_ascii=False), encoding="utf-8")
    draft.replace(path)


def code_version() -> str:
    """`0.1.0+<hash>`: the project's version and a hash over the files that decide what a release says."""
    digest = hashlib.sha256()
    files = (path for room in _CODE for path in sorted((REPOSITORY / room).rglob("*")))
    for path in (path for path in files if path.suffix in _CODE_SUFFIXES and "target" not in path.parts):
        digest.update(f"{path.relative_to(REPOSITORY)}\0{hashlib.sha256(path.read_bytes()).hexdigest()}\n".encode())
    return f"0.1.0+{digest.hexdigest()[:12]}"


def _source(source_id: str) -> tuple[Settings, Source]:
    settings = Settings()
    settings.home.claim(settings.input)
    return settings, load_catalogue(settings.sources_dir)[source_id]


def _work_folder(home: Home, key: str) -> Path:
    """A fresh folder for the run; older ones go, but the last few that failed stay for a look."""
    home.work.mkdir(parents=True, exist_ok=True)
    former = sorted(home.work.iterdir(), key=lambda folder: folder.stat().st_mtime, reverse=True)
    for folder in former[KEEP_WORK_FOLDERS:]:
        shutil.rmtree(folder)
    run = home.work / key[:16]
    shutil.rmtree(run, ignore_errors=True)
    run.mkdir()
    return run


class _Status:
    """Collects what a step says of a source and leaves it in the status file, also where the step fails."""

    def __init__(self, home: Home, source_id: str, step: str) -> None:
        self._home, self._source_id, self._step = home, source_id, step
        self._entry: dict[str, Any] = {"error": None}
        # A fetch begins a new run of the source; its parse adds to it.
        former = read_status(home, source_id)
        self._others = {"parse": _former_parse(former)} if step == "fetch" else former

    def __enter__(self) -> dict[str, Any]:
        # Whoever is killed says nothing more: until the end it stands there that there was none.
        unfinished = f"{self._step} has not ended: it runs, or was killed; run it again"
        still_counts = _former_parse(self._others) if self._step == "parse" else {}
        self._write({**still_counts, "ended": False, "error": unfinished, "errors": []})
        return self._entry

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        if error is not None:
            self._entry["error"] = f"{type(error).__name__}: {error}"
            progress.error("%-8s %-32s FAILED: %s", self._step, self._source_id, error)
        self._write(self._entry)

    def _write(self, entry: dict[str, Any]) -> None:
        _write_json(self._home.status / f"{self._source_id}.json", {**self._others, self._step: entry})


def _former_parse(status: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """What the last parse staged still counts where this run does not come to the end of parsing."""
    former = status.get("parse", {})
    return {**former, "parsed": 0} if former else {}


@contextmanager
def _timed() -> Iterator[Any]:
    start = time.monotonic()
    yield lambda: f"  {time.monotonic() - start:.1f} s"
