"""Only the members that are read come over the line; whatever a host lacks for that, the whole archive comes."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path
from random import Random

import pytest

from connectors.archive import content_sha256
from connectors.errors import FetchFailed, PayloadRefused
from connectors.http import Ask, Client
from connectors.remote_zip import TAIL_BYTES, download_members
from tests.connectors.publisher import Asked, Publisher, Reply, document

URL = "https://register.example/export.zip"
# Noise does not pack: these are larger than the tail in which the directory is looked for.
NOISE = {name: Random(name).randbytes(300_000) for name in ("units.xml", "roles.xml", "plants.xml", "people.xml")}
LEFT_OUT = ("roles.xml", "people.xml")


def packed(members: dict[str, bytes], comment: bytes = b"") -> bytes:
    """Streamed, as large exports are: sizes follow the members' bytes."""
    sink = io.BytesIO()

    class Unseekable(io.RawIOBase):
        def writable(self) -> bool:
            return True

        def write(self, content: object) -> int:
            return sink.write(content)  # type: ignore[arg-type]

    with zipfile.ZipFile(Unseekable(), "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(f"export/{name}", content)
        archive.comment = comment
    return sink.getvalue()


def reads(name: str) -> bool:
    return name not in LEFT_OUT


def spans(publisher: Publisher) -> list[str | None]:
    return [asked.headers.get("range") for asked in publisher.asked]


@pytest.mark.parametrize("comment", [b"", b"packed at night"])
def test_only_members_that_are_read_are_fetched(
    publisher: Publisher, client: Client, tmp_path: Path, comment: bytes
) -> None:
    publisher.says(URL, document(packed(NOISE, comment)))
    answer = download_members(Ask(URL), client, tmp_path / "export.zip", reads)
    with zipfile.ZipFile(tmp_path / "export.zip") as archive:
        assert archive.testzip() is None
        assert {name: archive.read(name) for name in archive.namelist()} == {
            f"export/{name}": NOISE[name] for name in ("units.xml", "plants.xml")
        }
        assert archive.comment == b"2 of 4 members"
    assert (answer.status, answer.etag, answer.bytes) == (200, '"1"', (tmp_path / "export.zip").stat().st_size)
    assert publisher.body_bytes < 2 * 300_000 + TAIL_BYTES + 2_000
    # Its content is that of a whole archive of these members.
    (tmp_path / "same.zip").write_bytes(packed({name: NOISE[name] for name in ("plants.xml", "units.xml")}))
    assert content_sha256(tmp_path / "export.zip") == content_sha256(tmp_path / "same.zip")


def test_neighbours_come_in_one_answer(publisher: Publisher, client: Client, tmp_path: Path) -> None:
    publisher.says(URL, document(packed(NOISE)))
    download_members(Ask(URL), client, tmp_path / "export.zip", lambda name: name != "people.xml")
    # The beginning, the directory, the first three members.
    assert len(publisher.asked) == 3
    with zipfile.ZipFile(tmp_path / "export.zip") as archive:
        assert archive.testzip() is None
        assert len(archive.namelist()) == 3


def test_what_has_not_changed_is_not_fetched(publisher: Publisher, client: Client, tmp_path: Path) -> None:
    publisher.says(URL, document(packed(NOISE)))
    answer = download_members(Ask(URL, etag='"1"'), client, tmp_path / "export.zip", reads)
    assert (answer.status, len(publisher.asked)) == (304, 1)


def whole(body: bytes) -> Reply:
    return Reply(body=body, headers={"ETag": '"1"'})


@pytest.mark.parametrize("case", ["no ranges", "small", "all are read", "no directory", "directory too long"])
def test_an_archive_comes_whole_where_nothing_is_gained(
    publisher: Publisher, client: Client, tmp_path: Path, case: str
) -> None:
    body = packed(NOISE)
    if case == "small":
        body = packed({"units.xml": b"few", "roles.xml": b"fewer"})
    elif case == "no directory":
        body = body[:-3_000]
    elif case == "directory too long":
        body = packed(NOISE | {f"{number:0250}": b"" for number in range(900)})
    publisher.says(URL, whole(body) if case == "no ranges" else document(body))
    wanted = reads if case != "all are read" else bool
    answer = download_members(Ask(URL), client, tmp_path / "export.zip", wanted)
    assert answer.status == 200
    assert (tmp_path / "export.zip").read_bytes() == body


def test_a_missing_archive_is_told_as_ever(publisher: Publisher, client: Client, tmp_path: Path) -> None:
    publisher.says(URL, Reply(404))
    assert download_members(Ask(URL), client, tmp_path / "export.zip", reads).status == 404


def test_an_archive_exchanged_meanwhile_is_not_mixed(publisher: Publisher, client: Client, tmp_path: Path) -> None:
    former, later = document(packed(NOISE)), document(packed(NOISE), '"2"')
    publisher.says(URL, former, former, former, later)
    with pytest.raises(FetchFailed, match="exchanged while its members were fetched"):
        download_members(Ask(URL), client, tmp_path / "export.zip", reads)


def test_a_span_that_was_cut_off_is_gone_on_with(publisher: Publisher, client: Client, tmp_path: Path) -> None:
    good = document(packed(NOISE))

    def cut(asked: Asked) -> Reply:
        reply = good(asked)
        return Reply(reply.status, reply.body, reply.headers, cut_after=100_000)

    publisher.says(URL, good, good, cut, good)
    download_members(Ask(URL), client, tmp_path / "export.zip", reads)
    first, again = spans(publisher)[2:4]
    assert first is not None and again is not None
    assert int(again.split("=")[1].split("-")[0]) > int(first.split("=")[1].split("-")[0])
    assert again.split("-")[1] == first.split("-")[1]
    with zipfile.ZipFile(tmp_path / "export.zip") as archive:
        assert archive.testzip() is None


def test_members_larger_than_the_limit_are_refused(publisher: Publisher, client: Client, tmp_path: Path) -> None:
    publisher.says(URL, document(packed(NOISE)))
    with pytest.raises(PayloadRefused, match="bytes of members, at most 400000 allowed"):
        download_members(Ask(URL, size_limit_bytes=400_000), client, tmp_path / "export.zip", reads)
    assert list(tmp_path.iterdir()) == []
