"""Fetch only those members of a remote archive that its reader reads, by HTTP Range.

What lands is an archive of these members, each with its bytes as the publisher packed them; its comment says of how
many. Where nothing can be left out, or the host gives no parts of a file, the archive is downloaded whole.
"""

from __future__ import annotations

import itertools
import logging
import os
import shutil
import sys
import tempfile
import time
import zipfile
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

from connectors.archive import open_zip
from connectors.errors import FetchFailed, PayloadRefused
from connectors.http import Answer, Ask, Client, RangeIgnored

log = logging.getLogger(__name__)

# The directory of 2,000 members fits; a smaller archive is not worth several questions.
TAIL_BYTES = 256 * 2**10


@dataclass(frozen=True)
class _Excerpt:
    """What is to be fetched: stretches of neighbours in the archive, with the members in each; of how many in all."""

    runs: tuple[tuple[range, tuple[zipfile.ZipInfo, ...]], ...]
    members: int


def download_members(ask: Ask, client: Client, target: Path, reads: Callable[[str], bool]) -> Answer:
    """Write an archive to `target`, of those members whose base name `reads` takes; answers and errors as `download`.

    FetchFailed also where the publisher exchanges the archive meanwhile.
    """
    deadline = time.monotonic() + ask.time_limit_s

    def in_time(part: Ask) -> Ask:
        return replace(part, time_limit_s=max(0.0, deadline - time.monotonic()))

    rest = replace(ask, etag=None, last_modified=None)
    with tempfile.TemporaryDirectory(prefix=".members-", dir=target.parent) as folder:
        piece = Path(folder) / "piece"
        excerpt: _Excerpt | None = None
        try:
            begun = client.download(replace(ask, span=range(4)), piece)
            if begun.status != 200:
                return begun
            if begun.total is not None and begun.total > TAIL_BYTES:
                tail = in_time(replace(rest, span=range(begun.total - TAIL_BYTES, begun.total)))
                _same(ask, begun, client.download(tail, piece))
                excerpt = _chosen(piece, begun.total, reads)
        except (RangeIgnored, PayloadRefused) as error:
            # Whoever reads the whole says what is wrong with it.
            log.info("%s: comes whole, its members cannot be told apart: %s", ask.url, error)
        if excerpt is None:
            return client.download(in_time(rest), target)
        wanted = sum(len(span) for span, _ in excerpt.runs)
        if wanted > ask.size_limit_bytes:
            raise PayloadRefused(
                f"{ask.url}: {wanted} bytes of members, at most {ask.size_limit_bytes} allowed; look at the "
                "publisher's page, then raise size_limit_mb in the source's YAML or keep the former file"
            )
        with target.open("w+b") as sink, zipfile.ZipFile(sink, "w") as archive:
            for span, members in excerpt.runs:
                _same(ask, begun, client.download(in_time(replace(rest, span=span)), piece))
                moved = sink.tell() - span.start
                with piece.open("rb") as source:
                    shutil.copyfileobj(source, sink, 2**20)
                for member in members:
                    member.header_offset += moved
                    archive.filelist.append(member)
            archive.start_dir = sink.tell()
            archive.comment = f"{len(archive.filelist)} of {excerpt.members} members".encode()
    return replace(begun, bytes=target.stat().st_size, total=None)


def _chosen(tail: Path, total: int, reads: Callable[[str], bool]) -> _Excerpt | None:
    """What the directory at the archive's end has of members that are read; None where that is all of them.

    Raises PayloadRefused where there is no directory, or not all of it in the tail, or the archive is hostile.
    """
    # As long as the archive, but empty up to its tail: every offset fits, and it takes no room.
    shadow = tail.with_name("shadow")
    shadow.write_bytes(b"")
    os.truncate(shadow, total)
    with shadow.open("r+b") as sink:
        sink.seek(total - tail.stat().st_size)
        sink.write(tail.read_bytes())
    with open_zip(shadow, sys.maxsize) as archive:
        members = sorted(archive.infolist(), key=lambda member: member.header_offset)
        ends = [*(member.header_offset for member in members[1:]), archive.start_dir]
    spans = [
        (range(member.header_offset, end), member, reads(PurePosixPath(member.filename.replace("\\", "/")).name))
        for member, end in zip(members, ends, strict=True)
    ]
    if all(is_read for _, _, is_read in spans):
        return None
    runs = []
    for is_read, neighbours in itertools.groupby(spans, key=lambda found: found[2]):
        if is_read:
            stretch = list(neighbours)
            runs.append((range(stretch[0][0].start, stretch[-1][0].stop), tuple(member for _, member, _ in stretch)))
    return _Excerpt(tuple(runs), len(members))


def _same(ask: Ask, begun: Answer, answer: Answer) -> None:
    """Raise FetchFailed where a part is not of the archive that was begun with."""
    if (answer.status, answer.etag, answer.last_modified, answer.total) != (
        *(begun.status, begun.etag, begun.last_modified, begun.total),
    ):
        raise FetchFailed(f"{ask.url}: exchanged while its members were fetched; the next run tries again")
