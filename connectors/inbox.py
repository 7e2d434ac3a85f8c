"""The drop folder: files that people put into `inbox/<source>/` take the same way as what is downloaded.

A file is left alone until it rests, then checked like an answer of the publisher, moved into the landing and written
into the fetch log under the address `inbox:<name>`. What cannot be taken, or is refused when it is parsed, lies in
`inbox/<source>/rejected/` with a reason beside it in German and English.
"""

from __future__ import annotations

import logging
import os
import re
import shutil
import stat
import tempfile
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from connectors import periods
from connectors.catalogue import Days, Months, Periods, Resource, Source, Years
from connectors.errors import FetchFailed, PayloadRefused, SourceError
from connectors.fetching import FetchSummary, Partition, summary_of
from connectors.identity import snapshot_sha256
from connectors.landing import INBOX, FetchRecord, Landing
from connectors.payload import check_payload
from connectors.registry import connector, payload
from connectors.tables import PARSE_LOG

log = logging.getLogger(__name__)

# A copy over a slow line pauses for seconds; one that pauses for two minutes is at its end or broken.
REST_S = 120.0
REJECTED = "rejected"
# A file that is being taken lies here until the fetch log tells of it: nobody's only copy goes with a killed process.
TAKING = ".taking-"
# How programs name what they have not finished (browsers, office programs, copiers), what is hidden, Windows' own.
_UNFINISHED = re.compile(
    r"\..*|~.*|.*~|.*\.(part|partial|tmp|temp|crdownload|download|filepart|swp)|thumbs\.db|desktop\.ini", re.IGNORECASE
)
_SHAPES: dict[type[Periods], str] = {Days: periods.DAY, Months: periods.MONTH, Years: periods.YEAR}
_VALUE = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9_.-]{0,63}")
NAME_LIMIT_BYTES = 150

REASON = """\
{name} wurde nicht übernommen ({at}).
Grund (englisch): {reason}
Was in Kraft war, bleibt in Kraft. Bitte die Datei berichtigen und erneut nach inbox/{source}/ legen.{if_right_de}

{name} was not taken ({at}).
Reason: {reason}
What was in force stays in force. Please mend the file and put it into inbox/{source}/ again.{if_right_en}
"""
# A guard or `drift: freeze` may refuse a file that is right; only whoever runs the pipeline can say so.
IF_RIGHT_DE = """
Ist die Datei richtig, kann der Betrieb sie annehmen: in {source}.yml unter resources.{resource}.accept den Inhalt
{sha256} eintragen, dann die Datei erneut ablegen."""
IF_RIGHT_EN = """
If the file is right, those who run the pipeline can accept it: name its content {sha256}
under resources.{resource}.accept in {source}.yml, then put the file there again."""


@dataclass(frozen=True)
class _Place:
    """Where a dropped file belongs."""

    resource: Resource
    partition: Partition


def collect(source: Source, landing: Landing, inbox: Path, now: float) -> FetchSummary:
    """Take what rests in the source's folder below `inbox`, the oldest first; `now` in seconds since 1970.

    The folder is made where it is missing. Returns what came of it, as a fetch does: files that could not be taken are
    `failed` with an error each. Those that belong to a partition have a row in the fetch log; the others say nothing
    of the source, so their reason stands in the summary and beside the file alone.
    """
    folder = inbox / source.id
    (folder / REJECTED).mkdir(parents=True, exist_ok=True)
    if (folder / REJECTED).is_symlink():
        raise FetchFailed(f"{folder / REJECTED}: is a symbolic link, expected a folder; files would be moved elsewhere")
    _put_back_what_was_being_taken(folder)
    resting = [path for path in folder.iterdir() if path.name != REJECTED and _rests(path, now)]
    records = [
        _take(source, landing, path) for path in sorted(resting, key=lambda path: (_changed_at(path), path.name))
    ]
    left = [path for path in folder.iterdir() if path.name != REJECTED and not _UNFINISHED.fullmatch(path.name)]
    return replace(summary_of(source.id, records), waiting=len(left))


def refusals(source_id: str, staged: Path) -> dict[tuple[str, str], str]:
    """Why snapshots of the source were refused when they were parsed, by partition and sha256."""
    place = staged / PARSE_LOG.name / f"{source_id}.parquet"
    rows = pq.ParquetFile(place).read().to_pylist() if place.exists() else []
    return {(row["partition"], row["snapshot_sha256"]): row["error"] for row in rows if row["outcome"] == "refused"}


def give_back(source_id: str, landing: Landing, inbox: Path, refused: Mapping[tuple[str, str], str]) -> list[Path]:
    """Put copies of dropped files that were `refused` into `rejected`, each with its reason, superseded ones as well.

    The landing keeps the bytes as evidence, and its log says that they are not to hold. Who was killed on the way is
    followed by the next run: what is due follows from the log alone. Returns where the copies lie.
    """
    places = []
    while due := _due_back(landing, refused):
        record, reason = due
        folder = inbox / source_id / REJECTED
        folder.mkdir(parents=True, exist_ok=True)
        place = _free_place(folder, record.url.removeprefix(INBOX))
        shutil.copyfile(landing.file(str(record.snapshot_sha256), str(record.file_name)), place)
        resource, sha256 = record.partition.split("/")[0], str(record.snapshot_sha256)
        named = {"source": source_id, "resource": resource, "sha256": sha256}
        _give_reason(place, source_id, reason, IF_RIGHT_DE.format(**named), IF_RIGHT_EN.format(**named))
        now = datetime.now(UTC)
        landing.append(
            replace(record, started_at=now, finished_at=now, bytes=0, outcome="failed", error=f"{reason} ({place})")
        )
        places.append(place)
    return places


def _due_back(landing: Landing, refused: Mapping[tuple[str, str], str]) -> tuple[FetchRecord, str] | None:
    """A dropped file that by the log was not given back and was refused when it was parsed, with the reason."""
    for partition, spans in landing.spans().items():
        for brought, _ in spans:
            reason = refused.get((partition, str(brought.snapshot_sha256)))
            if reason is not None and brought.url.startswith(INBOX):
                return brought, reason
    return None


def strays(inbox: Path, offered: Collection[str]) -> list[str]:
    """What lies in the drop folder where nobody looks: files beside the folders of `offered` sources, other folders."""
    found = inbox.iterdir() if inbox.is_dir() else ()
    return sorted(path.name for path in found if path.name not in offered and not _UNFINISHED.fullmatch(path.name))


# -- when ------------------------------------------------------------------------------------------------------------


def _changed_at(path: Path) -> float:
    """When the file last changed, contents or status: a copy that keeps the original's date is known by the latter."""
    try:
        return path.lstat().st_ctime
    except FileNotFoundError:
        return 0.0


def _rests(path: Path, now: float) -> bool:
    """Whether nobody is writing the file any more: not by its name, and unchanged for REST_S."""
    if _UNFINISHED.fullmatch(path.name):
        return False
    try:
        state = path.lstat()
    except FileNotFoundError:
        return False
    # Dates from the future are another machine's clock: then the status alone says.
    written = state.st_mtime if state.st_mtime <= now else state.st_ctime
    return now - max(written, state.st_ctime) >= REST_S


def _put_back_what_was_being_taken(folder: Path) -> None:
    """A killed process left it: it rests once more, then is taken anew; one source is fetched by one process."""
    for taking in folder.glob(f"{TAKING}*"):
        for path in taking.iterdir():
            path.rename(_free_place(folder, path.name))
        taking.rmdir()


# -- what ------------------------------------------------------------------------------------------------------------


def _take(source: Source, landing: Landing, path: Path) -> FetchRecord:
    """Take one file into the landing, or move it aside; returns the row that says so."""
    started_at, name = datetime.now(UTC), _safe(path.name)
    landing.folder.mkdir(parents=True, exist_ok=True)
    place: _Place | None = None
    taking = Path(tempfile.mkdtemp(prefix=TAKING, dir=path.parent))
    held = taking / path.name
    with tempfile.TemporaryDirectory(prefix=".fetching-", dir=landing.folder) as scratch:
        draft = Path(scratch) / name
        try:
            _refuse_unusual(source, path)
            # Out of reach of who may still hold its name, and looked at again there.
            path.rename(held)
            _refuse_unusual(source, held)
            shutil.copyfile(held, draft)
            place = _place_of(source, path.name, draft)
            sha256 = _checked_sha256(place, draft)
        except (SourceError, PermissionError) as refusal:
            error = _put_aside(source, held if os.path.lexists(held) else path, path, str(refusal))
            taken: dict[str, Any] = {"outcome": "failed", "error": error, "snapshot_sha256": None, "bytes": 0}
        else:
            former = landing.latest_good().get(place.partition.id)
            is_known = former is not None and former.snapshot_sha256 == sha256
            taken = {
                "outcome": "unchanged" if is_known else "new",
                "error": None,
                "snapshot_sha256": sha256,
                "bytes": draft.stat().st_size,
                "file_name": former.file_name if former is not None and is_known else name,
            }
            landing.keep(draft, sha256, taken["file_name"])
    record = FetchRecord(
        source_id=source.id,
        partition=place.partition.id if place else name,
        url=f"{INBOX}{name}",
        started_at=started_at,
        finished_at=datetime.now(UTC),
        http_status=None,
        etag=None,
        last_modified=None,
        **taken,
    )
    if place is not None:
        landing.append(record)
    held.unlink(missing_ok=True)
    taking.rmdir()
    return record


def _refuse_unusual(source: Source, path: Path) -> None:
    """Raise PayloadRefused for what is no plain file of its own: it could lead, or change, anywhere."""
    state = path.lstat()
    kinds = {stat.S_IFLNK: "a symbolic link", stat.S_IFDIR: "a folder"}
    if not stat.S_ISREG(state.st_mode):
        kind = kinds.get(stat.S_IFMT(state.st_mode), "a device, pipe or socket")
        raise PayloadRefused(f"{_safe(path.name)}: expected a file, this is {kind}; put the file itself there")
    if state.st_nlink > 1:
        raise PayloadRefused(f"{_safe(path.name)}: has another name on the disk (hard link); put a copy there")
    largest = max(resource.size_limit_mb for resource in source.resources.values())
    if state.st_size > largest * 2**20:
        raise PayloadRefused(
            f"{_safe(path.name)}: {state.st_size} bytes, expected at most {largest} MB; raise size_limit_mb in "
            f"{source.id}.yml if the file is right"
        )
    if state.st_size == 0:
        raise PayloadRefused(f"{_safe(path.name)}: is empty; copy it again")


def _place_of(source: Source, name: str, draft: Path) -> _Place:
    """The resource and partition a file belongs to: by its name where an `inbox` pattern fits, else by its content."""
    shown = draft.name
    by_name = [
        (of, resource, match)
        for of, resource in source.resources.items()
        if resource.inbox is not None and (match := re.fullmatch(resource.inbox, name))
    ]
    if len(by_name) > 1:
        names = ", ".join(of for of, _, _ in by_name)
        raise PayloadRefused(f"{shown}: its name fits the inbox patterns of {names}; make them differ")
    if by_name:
        of, resource, match = by_name[0]
        return _Place(resource, Partition(of, _values(resource, shown, match)))
    open_ = {
        of: resource for of, resource in source.resources.items() if resource.inbox is None and not resource.partitions
    }
    fitting = {of: resource for of, resource in open_.items() if len(open_) == 1 or _fits(resource, draft)}
    if len(fitting) != 1:
        patterns = ", ".join(
            [*(str(resource.inbox) for resource in source.resources.values() if resource.inbox), *sorted(open_)]
        )
        raise PayloadRefused(
            f"{shown}: fits {len(fitting)} of the source's resources, expected one; names and resources that are "
            f"taken: {patterns or 'none'}; rename the file, or give the resource an `inbox` pattern in {source.id}.yml"
        )
    ((of, resource),) = fitting.items()
    return _Place(resource, Partition(of))


def _values(resource: Resource, name: str, match: re.Match[str]) -> tuple[tuple[str, str], ...]:
    """The partition's values by the groups of the name, in the order of the resource's partitions."""
    found = match.groupdict()
    values = []
    for key in resource.partitions or found:
        value, declared = found[key] or "", resource.partitions.get(key)
        is_known = value in declared if isinstance(declared, tuple) else True
        if not _has_shape(value, declared) or not is_known:
            raise PayloadRefused(f"{name}: {key} {value!r} is none of the partition's values; rename the file")
        values.append((key, value))
    return tuple(values)


def _has_shape(value: str, declared: object) -> bool:
    """Whether a value could be one of a partition: a day, month or year where those are declared."""
    if not isinstance(declared, Periods):
        return bool(_VALUE.fullmatch(value))
    if not re.fullmatch(_SHAPES[type(declared)], value):
        return False
    try:
        periods.first_day(value)
    except ValueError:
        return False
    return True


def _fits(resource: Resource, draft: Path) -> bool:
    found = connector(resource.connector)
    try:
        check_payload(draft, payload(resource), found.unpacked_limit_bytes)
    except PayloadRefused:
        return False
    return True


def _checked_sha256(place: _Place, draft: Path) -> str:
    found = connector(place.resource.connector)
    if draft.stat().st_size > place.resource.size_limit_mb * 2**20:
        raise PayloadRefused(
            f"{draft.name}: {draft.stat().st_size} bytes, expected at most {place.resource.size_limit_mb} MB; "
            "raise size_limit_mb in the source's YAML if the file is right"
        )
    check_payload(draft, payload(place.resource), found.unpacked_limit_bytes)
    return snapshot_sha256(place.resource, draft)


# -- aside -----------------------------------------------------------------------------------------------------------


def _put_aside(source: Source, where: Path, path: Path, reason: str) -> str:
    """Move what was not taken into `rejected`, its reason beside it; returns the reason with the place."""
    place = _free_place(path.parent / REJECTED, _safe(path.name))
    # A rename moves a link itself, a folder with all it holds, and reads nothing.
    try:
        where.rename(place)
    except OSError:
        shutil.move(where, place)
    _give_reason(place, source.id, reason)
    log.error("%s: %s; see %s", source.id, reason, place)
    return f"{reason} (dropped into inbox/{source.id}, moved to {place})"


def _give_reason(place: Path, source_id: str, reason: str, if_right_de: str = "", if_right_en: str = "") -> None:
    at = datetime.now(UTC).isoformat(timespec="seconds")
    text = REASON.format(
        name=place.name, at=at, reason=reason, source=source_id, if_right_de=if_right_de, if_right_en=if_right_en
    )
    place.with_name(f"{place.name}.reason.txt").write_text(text, encoding="utf-8")


def _free_place(folder: Path, name: str) -> Path:
    """A name in the folder that nothing has yet: `x.csv`, `2-x.csv` …"""
    number, place = 1, folder / name
    while os.path.lexists(place) or os.path.lexists(folder / f"{place.name}.reason.txt"):
        number += 1
        place = folder / f"{number}-{name}"
    return place


def _safe(name: str) -> str:
    """The name as a plain segment of a path and of a message, at most NAME_LIMIT_BYTES long; its end stays."""
    plain = re.sub(r"[^\w.+ -]", "_", name.encode("utf-8", "replace").decode())
    return plain.encode()[-NAME_LIMIT_BYTES:].decode("utf-8", "ignore").lstrip(".") or "file"
