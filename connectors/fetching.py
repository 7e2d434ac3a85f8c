"""Fetch one source: expand its partitions, ask for each, keep the bytes, write the log."""

from __future__ import annotations

import dataclasses
import functools
import hashlib
import html
import json
import logging
import re
import shutil
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from urllib.parse import unquote, urlencode, urlsplit

from connectors.address import day_of, filled
from connectors.catalogue import Features, PartitionValues, Periods, Resource, ResourceValues, Source
from connectors.civil_time import CIVIL_TIME
from connectors.ckan import Wanted, resource_address
from connectors.connector import Listed
from connectors.errors import FetchFailed, PayloadRefused, SourceError
from connectors.genesis import TableQuestion, download_description, download_table, table_form
from connectors.http import PARALLEL_PER_HOST, Answer, Ask, Client
from connectors.identity import snapshot_sha256
from connectors.landing import INBOX, FetchRecord, Landing, Outcome
from connectors.oparl import ListQuestion, download_list
from connectors.payload import check_payload
from connectors.region import region
from connectors.registry import connector, parse_options, payload
from connectors.remote_zip import download_members
from connectors.selection import DUE, Selection
from connectors.wfs import FeatureQuestion, download_features, parameters

log = logging.getLogger(__name__)

_PAGE_LIMIT_BYTES = 5 * 2**20
# What a list adds to an address: some ids.
_FIELD_LIMIT_CHARACTERS = 500


@dataclass(frozen=True)
class Partition:
    """One thing to ask for: a resource of a source with values for its partitions.

    fields: what the address needs beside the values, as `key.field`; they do not make another partition. last_days: of
    the time that values tell of, by key (`Listed.last_day`).
    """

    resource: str
    values: tuple[tuple[str, str], ...] = ()
    fields: tuple[tuple[str, str], ...] = ()
    last_days: tuple[tuple[str, date], ...] = ()

    @property
    def id(self) -> str:
        """`readings/station=100020113/month=2024-03`."""
        return "/".join([self.resource, *(f"{key}={value}" for key, value in self.values)])


_Combination = tuple[tuple[str, Listed], ...]


@dataclass(frozen=True)
class FetchSummary:
    """What fetching a source came to: partitions per outcome, `settled` ones not asked for, and the errors.

    waiting: files in the drop folder that do not rest yet.
    """

    source_id: str
    new: int
    unchanged: int
    absent: int
    failed: int
    settled: int
    bytes: int
    errors: tuple[str, ...]
    waiting: int = 0


def fetch_source(
    source: Source, landing: Landing, client: Client, as_of: datetime, selection: Selection = DUE
) -> FetchSummary:
    """Ask for every partition that is due, or for those of `selection`, and keep what came.

    Failures are rows of the log and of the summary.
    """
    # Drafts of a killed fetch; one source is fetched by one process at a time.
    for leftover in landing.folder.glob(".fetching-*"):
        shutil.rmtree(leftover)
    records: list[FetchRecord] = []
    settled = 0
    for name, resource in source.resources.items():
        if resource.url is None:
            continue
        try:
            partitions = list(expand(source, name, landing, as_of))
        except SourceError as error:
            records.append(_failure(source, Partition(name), resource.url, str(error)))
            landing.append(records[-1])
            continue
        chosen = [partition for partition in partitions if selection.covers(resource, partition.values)]
        due = chosen if selection.asks_again else list(_due(chosen, resource, landing, as_of))
        settled += len(chosen) - len(due)
        previous = selection.known(landing.latest_downloads())
        fetch = functools.partial(_fetch, source, resource, landing, client, previous)
        with ThreadPoolExecutor(PARALLEL_PER_HOST, thread_name_prefix=source.id) as pool:
            for record in pool.map(fetch, due):
                landing.append(record)
                records.append(record)
    return summary_of(source.id, records, settled)


def summary_of(source_id: str, records: Sequence[FetchRecord], settled: int = 0) -> FetchSummary:
    """What the attempts came to."""
    outcomes = Counter(record.outcome for record in records)
    return FetchSummary(
        source_id,
        new=outcomes["new"],
        unchanged=outcomes["unchanged"],
        absent=outcomes["absent"],
        failed=outcomes["failed"],
        settled=settled,
        bytes=sum(record.bytes for record in records if record.outcome == "new"),
        errors=tuple(f"{record.partition}: {record.error}" for record in records if record.error),
    )


def joined(first: FetchSummary, second: FetchSummary) -> FetchSummary:
    """What two fetches of one source came to in all."""
    counts = ("new", "unchanged", "absent", "failed", "settled", "bytes", "waiting")
    sums = {name: getattr(first, name) + getattr(second, name) for name in counts}
    return FetchSummary(first.source_id, **sums, errors=first.errors + second.errors)


def expand(source: Source, name: str, landing: Landing, as_of: datetime) -> Iterator[Partition]:
    """The partitions of a resource, in the catalogue's order.

    Raises FetchFailed where the values are to come from a resource of which nothing was ever fetched.
    """
    today = as_of.astimezone(CIVIL_TIME).date()
    lists = _Lists(source, landing)
    combinations: list[_Combination] = [()]
    for key, declared in source.resources[name].partitions.items():
        combinations = [
            (*before, (key, each)) for before in combinations for each in _values_of(declared, before, lists, today)
        ]
    for combination in combinations:
        yield Partition(
            name,
            tuple((key, each.value) for key, each in combination),
            tuple((f"{key}.{field}", text) for key, each in combination for field, text in each.fields.items()),
            tuple((key, each.last_day) for key, each in combination if each.last_day is not None),
        )


def _values_of(declared: PartitionValues, before: _Combination, lists: _Lists, today: date) -> list[Listed]:
    """The values of a key that follow on those of the keys in front of it."""
    if isinstance(declared, Periods):
        return [Listed(period, last_day=day_of(period, "last")) for period in declared.until(today)]
    if isinstance(declared, ResourceValues):
        return lists.following(declared, before)
    return [Listed(value) for value in declared]


class _Lists:
    """What resources of a source list, by the last good answer of each of their partitions; each is read once."""

    def __init__(self, source: Source, landing: Landing) -> None:
        self._source, self._landing = source, landing
        self._good = landing.latest_good()
        self._absent = {row.partition for row in landing.log() if row.outcome == "absent"}
        self._found: dict[str, list[Listed]] = {}

    def following(self, values: ResourceValues, before: _Combination) -> list[Listed]:
        """What the list with the same values in front names; nothing where its publisher has no such list.

        Raises FetchFailed where the list was never fetched or cannot be read.
        """
        keys = self._source.resources[values.from_resource].partitions
        listing = Partition(values.from_resource, tuple((key, each.value) for key, each in before if key in keys)).id
        if listing not in self._found:
            record = self._good.get(listing)
            if record is not None and record.snapshot_sha256 is not None and record.file_name is not None:
                path = self._landing.file(record.snapshot_sha256, record.file_name)
                self._found[listing] = _listed_in(self._source, values, path)
            elif listing in self._absent:
                self._found[listing] = []
            else:
                raise FetchFailed(f"{self._source.id}: {listing} was never fetched, so its partitions are unknown")
        return self._found[listing]


def _listed_in(source: Source, values: ResourceValues, path: Path) -> list[Listed]:
    if values.json_key is None:
        listing = source.resources[values.from_resource]
        listed = connector(listing.connector).listed
        if listed is None:
            raise FetchFailed(
                f"{source.id}: {values.from_resource}: {listing.connector} lists nothing; give a json_key"
            )
        found = {each.value: each for each in listed(path, region(), **parse_options(listing))}
    else:
        found = {value: Listed(value) for value in _json_values(source, path, values.json_key)}
    for value, each in found.items():
        # A value from outside becomes part of an address and of a path: letters, digits, - and _ only.
        if not re.fullmatch(r"[A-Za-z0-9_-]{1,64}", value):
            raise FetchFailed(
                f"{source.id}: {path.name}: {values.json_key or 'value'} {value[:80]!r} does not fit an address"
            )
        for name, text in each.fields.items():
            if len(text) > _FIELD_LIMIT_CHARACTERS:
                raise FetchFailed(f"{source.id}: {path.name}: {name} of {value} is too long for an address")
    return list(found.values())


def _json_values(source: Source, path: Path, json_key: str) -> list[str]:
    try:
        found = [entry[json_key] for entry in json.loads(path.read_bytes())]
    except (KeyError, TypeError, ValueError, RecursionError) as error:
        raise FetchFailed(f"{source.id}: {path.name}: expected a list of objects with {json_key!r}") from error
    for value in found:
        if not isinstance(value, str | int) or isinstance(value, bool):
            raise FetchFailed(f"{source.id}: {path.name}: {json_key} {str(value)[:80]!r} does not fit an address")
    return [str(value) for value in found]


def _answers(landing: Landing) -> list[FetchRecord]:
    """The attempts that publishers answered; what was dropped by hand says nothing of them."""
    return [row for row in landing.log() if row.outcome != "failed" and not row.url.startswith(INBOX)]


def _due(partitions: list[Partition], resource: Resource, landing: Landing, as_of: datetime) -> Iterator[Partition]:
    """Leave out what tells of times that have settled and was answered not long ago, be it with a 404."""
    spans = {key: values for key, values in resource.partitions.items() if isinstance(values, Periods | ResourceValues)}
    asked = {row.partition: row.finished_at for row in _answers(landing)} if spans else {}
    today = as_of.astimezone(CIVIL_TIME).date()
    for partition in partitions:
        at = asked.get(partition.id)
        told = partition.last_days
        settled = bool(told) and all(spans[key].has_settled(day, today) for key, day in told)
        recent = at is not None and all(as_of - at < timedelta(days=spans[key].recheck_days) for key, _ in told)
        if not (settled and recent):
            yield partition


@dataclass(frozen=True)
class _Result:
    """What one attempt came to, as far as the log wants to know."""

    outcome: Outcome
    url: str
    http_status: int | None = None
    etag: str | None = None
    last_modified: str | None = None
    snapshot_sha256: str | None = None
    bytes: int = 0
    error: str | None = None
    file_name: str | None = None


def _fetch(
    source: Source,
    resource: Resource,
    landing: Landing,
    client: Client,
    latest: dict[str, FetchRecord],
    partition: Partition,
) -> FetchRecord:
    """Ask for one partition; returns the row for the log, never raises for what a publisher does."""
    started_at = datetime.now(UTC)
    url = filled(resource.address, dict(partition.values), dict(partition.fields))
    landing.folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".fetching-", dir=landing.folder) as folder:
        draft = Path(folder) / _file_name(resource, url)
        try:
            result = _attempt(resource, url, client, draft, landing, latest.get(partition.id))
        except PayloadRefused as refusal:
            result = _evidence(url, draft, landing, refusal)
        except FetchFailed as failure:
            result = _Result("failed", url, error=str(failure))
    if result.error:
        log.error("%s %s: %s", source.id, partition.id, result.error)
    return FetchRecord(
        source_id=source.id,
        partition=partition.id,
        started_at=started_at,
        finished_at=datetime.now(UTC),
        **dataclasses.asdict(result),
    )


def _attempt(
    resource: Resource, url: str, client: Client, draft: Path, landing: Landing, previous: FetchRecord | None
) -> _Result:
    if resource.follow_link is not None:
        url = _link_on_page(url, resource.follow_link, client, draft)
    if resource.follow_dataset is not None:
        url = resource_address(url, Wanted(**resource.follow_dataset.model_dump()), client, draft)
    genesis = connector(resource.connector).request == "genesis"
    base = url
    if connector(resource.connector).reads is not None and resource.options:
        # The options decide which members come.
        url = f"{base}#{urlencode(resource.options)}"
    if genesis:
        # The form decides what comes, so it is part of what was asked.
        url = f"{base}/data/tablefile?{urlencode(table_form(_table_code(resource), resource.form))}"
    if resource.wfs is not None:
        # So are the type and the format here.
        url = _question(resource, resource.wfs, base).url
    try:
        return _asked(resource, base, url, client, draft, landing, previous)
    except PayloadRefused as refusal:
        return _evidence(url, draft, landing, refusal)


def _asked(
    resource: Resource,
    base: str,
    url: str,
    client: Client,
    draft: Path,
    landing: Landing,
    previous: FetchRecord | None,
) -> _Result:
    """Ask for `url` (by its address `base`, on a GENESIS host below it) and judge what came."""
    known = _known(previous, url, landing)
    match connector(resource.connector).request:
        case "genesis":
            answer = _ask_genesis(resource, base, client, draft, known)
        case "genesis_metadata":
            answer = download_description(base, resource.credentials, resource.time_limit_s, client, draft)
        case "oparl":
            answer = _ask_oparl(resource, base, client, draft, known, landing)
        case "get":
            ask = _ask if resource.wfs is None else _ask_features
            answer = ask(resource, base, client, draft, known)
    if answer.status == 304 and known is not None:
        return _Result(
            "unchanged",
            url,
            answer.status,
            answer.etag or known.etag,
            answer.last_modified or known.last_modified,
            known.snapshot_sha256,
            file_name=known.file_name,
        )
    if answer.status in (404, 410) and resource.absent_is_fine:
        return _Result("absent", url, answer.status)
    if answer.status != 200:
        raise FetchFailed(f"{url}: HTTP {answer.status}, expected 200; check the address in the source's YAML")
    found = connector(resource.connector)
    check_payload(draft, payload(resource) if resource.wfs is None else "zip", found.unpacked_limit_bytes)
    sha256 = snapshot_sha256(resource, draft)
    same = previous is not None and previous.snapshot_sha256 == sha256
    name = (previous.file_name if same and previous else None) or _file_name(resource, url)
    landing.keep(draft, sha256, name)
    return _Result(
        "unchanged" if same else "new",
        url,
        answer.status,
        answer.etag,
        answer.last_modified,
        sha256,
        answer.bytes,
        file_name=name,
    )


def _ask(resource: Resource, url: str, client: Client, draft: Path, known: FetchRecord | None) -> Answer:
    ask = Ask(
        url,
        etag=known.etag if known else None,
        last_modified=known.last_modified if known else None,
        size_limit_bytes=resource.size_limit_mb * 2**20,
        time_limit_s=resource.time_limit_s,
    )
    reads = connector(resource.connector).reads
    if reads is not None:
        return download_members(ask, client, draft, functools.partial(reads, **parse_options(resource)))
    return client.download(ask, draft)


def _ask_features(resource: Resource, url: str, client: Client, draft: Path, known: FetchRecord | None) -> Answer:
    """Ask the service at `url` for all pages of a type; whether they have changed is seen once they are there."""
    del known
    if resource.wfs is None:
        raise FetchFailed(f"{url}: expected wfs, the type of features that is asked for, in the source's YAML")
    return download_features(_question(resource, resource.wfs, url), client, draft)


def _question(resource: Resource, features: Features, url: str) -> FeatureQuestion:
    """What is asked of the service."""
    return FeatureQuestion(
        url,
        parameters(features.type_name, features.version, features.output, features.crs),
        features.page,
        is_json=payload(resource) == "json",
        size_limit_bytes=resource.size_limit_mb * 2**20,
        time_limit_s=resource.time_limit_s,
    )


def _ask_genesis(resource: Resource, url: str, client: Client, draft: Path, known: FetchRecord | None) -> Answer:
    """Ask for a table of the host below `url`, where it has changed since `known`."""
    question = TableQuestion(
        url,
        _table_code(resource),
        resource.form,
        resource.credentials,
        size_limit_bytes=resource.size_limit_mb * 2**20,
        time_limit_s=resource.time_limit_s,
    )
    return download_table(question, client, draft, known.etag if known else None)


def _ask_oparl(
    resource: Resource, url: str, client: Client, draft: Path, known: FetchRecord | None, landing: Landing
) -> Answer:
    """Ask for what has changed in the list at `url` since `known`."""
    question = ListQuestion(url, resource.size_limit_mb * 2**20, resource.time_limit_s)
    former = landing.file(str(known.snapshot_sha256), str(known.file_name)) if known else None
    return download_list(question, client, draft, former, known.etag if known else None)


def _table_code(resource: Resource) -> str:
    return str(resource.options["table_code"])


def _link_on_page(page: str, pattern: str, client: Client, draft: Path) -> str:
    """The address on a link page that fits `pattern` as a whole, the last in alphabet (dates in names) of several."""
    answer = client.download(Ask(page, size_limit_bytes=_PAGE_LIMIT_BYTES), draft)
    if answer.status != 200:
        raise FetchFailed(f"{page}: HTTP {answer.status}, expected the page with the link; check the address")
    links = re.findall(r"""href=["']([^"'<>\s]+)["']""", draft.read_text(encoding="utf-8", errors="replace"))
    found = sorted(link for link in map(html.unescape, links) if re.fullmatch(pattern, link))
    if not found:
        raise FetchFailed(f"{page}: none of {len(links)} links fits {pattern}; see whether the page has changed")
    return str(found[-1])


def _known(previous: FetchRecord | None, url: str, landing: Landing) -> FetchRecord | None:
    """The former fetch of the same address, where its bytes are still in hand."""
    if previous is None or previous.url != url or previous.snapshot_sha256 is None or previous.file_name is None:
        return None
    return previous if landing.file(previous.snapshot_sha256, previous.file_name).is_file() else None


def _evidence(url: str, draft: Path, landing: Landing, refusal: PayloadRefused) -> _Result:
    """Keep what was refused, so that somebody can look at it."""
    if not draft.exists() or not draft.stat().st_size:
        return _Result("failed", url, error=f"{refusal} (from {url})")
    with draft.open("rb") as stream:
        sha256 = hashlib.file_digest(stream, "sha256").hexdigest()
    size, name = draft.stat().st_size, draft.name
    place = landing.keep(draft, sha256, name)
    return _Result("failed", url, 200, None, None, sha256, size, f"{refusal} (from {url}, kept as {place})", name)


def _file_name(resource: Resource, url: str) -> str:
    """The publisher's own name for the file, safe as a path segment."""
    if connector(resource.connector).request == "genesis":
        return f"{_table_code(resource)}_flat.zip"
    if resource.wfs is not None:
        return re.sub(r"[^\w.-]", "_", resource.wfs.type_name) + ".zip"
    name = unquote(urlsplit(url).path.rsplit("/", 1)[-1])
    return re.sub(r"[^\w.+-]", "_", name).lstrip(".") or "body"


def _failure(source: Source, partition: Partition, url: str, error: str) -> FetchRecord:
    log.error("%s %s: %s", source.id, partition.id, error)
    now = datetime.now(UTC)
    return FetchRecord(source.id, partition.id, url, now, now, None, None, None, None, 0, outcome="failed", error=error)
