"""The drop folder: what rests is taken as a download is, what cannot be taken lies aside with its reason."""

from __future__ import annotations

import hashlib
import os
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from connectors.catalogue import Source
from connectors.fetching import FetchSummary, fetch_source
from connectors.http import Client
from connectors.inbox import REST_S, collect, give_back, refusals, strays
from connectors.landing import Landing
from connectors.parsing import parse_source
from connectors.staging import staged_file
from tests.connectors.conftest import AS_OF, Letters, source_of, zipped
from tests.connectors.publisher import Publisher, Reply, document

BASE = "https://town.example"
FILE = {"connector": "letters", "url": f"{BASE}/file.csv"}
BY_HAND = {"connector": "letters", "inbox": r"sites_(?P<year>\d{4})\.csv"}

Drop = Callable[[str, bytes], Path]


@pytest.fixture
def inbox(tmp_path: Path) -> Path:
    return tmp_path / "inbox"


@pytest.fixture
def drop(inbox: Path) -> Drop:
    """Put a file into the town's inbox."""

    def put(name: str, content: bytes) -> Path:
        place = inbox / "town" / name
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(content)
        return place

    return put


def later(*paths: Path, seconds: float = REST_S) -> float:
    """The instant at which the last change of all paths is so long ago; the file system's own clock is the only one."""
    return max(max(path.lstat().st_mtime, path.lstat().st_ctime) for path in paths) + seconds


def take(source: Source, landing: Landing, inbox: Path) -> FetchSummary:
    """Collect long after everything was dropped."""
    paths = list((inbox / "town").iterdir())
    return collect(source, landing, inbox, later(*paths))


def aside(inbox: Path) -> list[str]:
    return sorted(path.name for path in (inbox / "town" / "rejected").iterdir())


def reason(inbox: Path, name: str) -> str:
    return (inbox / "town" / "rejected" / f"{name}.reason.txt").read_text(encoding="utf-8")


def in_force(staged: Path) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = pq.ParquetFile(staged / "snapshot_in_force" / "town.parquet").read().to_pylist()
    return rows


def sites_in_force(staged: Path) -> list[str]:
    found: list[str] = []
    for row in in_force(staged):
        place = staged_file(staged, "count_site", "town", row["snapshot_sha256"], row["parse_key"])
        found += [site["site_id"] for site in pq.ParquetFile(place).read().to_pylist()]
    return found


# -- from a dropped file to a staged row -----------------------------------------------------------------------------


def test_a_file_of_a_source_with_url_takes_the_place_of_the_publishers(
    letters: Letters,
    publisher: Publisher,
    client: Client,
    landing: Landing,
    inbox: Path,
    drop: Drop,
    tmp_path: Path,
) -> None:
    source, staged = source_of({"sites": FILE}), tmp_path / "staged"
    publisher.says(f"{BASE}/file.csv", document(b"published\n"))
    fetch_source(source, landing, client, AS_OF)
    parse_source(source, landing, staged)
    assert sites_in_force(staged) == ["published"]

    dropped = drop("Zählstellen korrigiert.csv", b"dropped\n")
    summary = take(source, landing, inbox)
    parse_source(source, landing, staged)

    assert (summary.new, summary.failed, summary.errors) == (1, 0, ())
    assert not dropped.exists()
    sha256 = hashlib.sha256(b"dropped\n").hexdigest()
    assert landing.file(sha256, "Zählstellen korrigiert.csv").read_bytes() == b"dropped\n"
    row = landing.log()[-1]
    assert (row.partition, row.url, row.outcome) == ("sites", "inbox:Zählstellen korrigiert.csv", "new")
    assert (row.http_status, row.etag, row.snapshot_sha256, row.bytes) == (None, None, sha256, 8)
    assert sites_in_force(staged) == ["dropped"]
    assert [entry["snapshot_sha256"] for entry in in_force(staged)] == [sha256]
    assert aside(inbox) == []


def test_a_source_that_comes_only_by_hand_needs_no_publisher(
    letters: Letters, publisher: Publisher, client: Client, landing: Landing, inbox: Path, drop: Drop, tmp_path: Path
) -> None:
    source, staged = source_of({"sites": BY_HAND}), tmp_path / "staged"
    assert source.host == "inbox"
    assert fetch_source(source, landing, client, AS_OF).failed == 0
    drop("sites_2023.csv", b"a\n")
    drop("sites_2024.csv", b"b\n")
    assert take(source, landing, inbox).new == 2
    parse_source(source, landing, staged)
    assert publisher.asked == []
    assert [row["partition"] for row in in_force(staged)] == ["sites/year=2023", "sites/year=2024"]
    assert [dict(snapshot.partition) for snapshot in letters.parsed] == [{"year": "2023"}, {"year": "2024"}]
    assert sites_in_force(staged) == ["a", "b"]


def test_a_dropped_file_holds_until_the_publishers_own_changes(
    letters: Letters, publisher: Publisher, client: Client, landing: Landing, inbox: Path, drop: Drop, tmp_path: Path
) -> None:
    source, staged = source_of({"sites": FILE}), tmp_path / "staged"

    def night() -> list[str]:
        fetch_source(source, landing, client, AS_OF)
        if (inbox / "town").exists():
            take(source, landing, inbox)
        parse_source(source, landing, staged)
        return sites_in_force(staged)

    publisher.says(f"{BASE}/file.csv", document(b"first\n", '"1"'))
    assert night() == ["first"]
    drop("x.csv", b"mended\n")
    assert night() == ["mended"]
    publisher.forget()
    assert night() == ["mended"]
    assert publisher.asked[0].headers["if-none-match"] == '"1"', "what the publisher has is still known"
    publisher.says(f"{BASE}/file.csv", Reply(body=b"first\n"))
    assert night() == ["mended"], "the same bytes under no validator are no news"
    publisher.says(f"{BASE}/file.csv", document(b"second\n", '"2"'))
    assert night() == ["second"]
    assert night() == ["second"]


def test_the_file_dropped_last_is_in_force(
    letters: Letters, landing: Landing, inbox: Path, drop: Drop, tmp_path: Path
) -> None:
    source, staged = source_of({"sites": FILE}), tmp_path / "staged"
    drop("z.csv", b"older\n")
    drop("a.csv", b"newer\n")
    os.utime(inbox / "town" / "a.csv")
    assert take(source, landing, inbox).new == 2
    parse_source(source, landing, staged)
    assert sites_in_force(staged) == ["newer"]


def test_a_file_dropped_again_is_unchanged_and_makes_no_second_copy(
    letters: Letters, landing: Landing, inbox: Path, drop: Drop
) -> None:
    source = source_of({"sites": FILE})
    drop("a.csv", b"a\n")
    assert take(source, landing, inbox).new == 1
    drop("again.csv", b"a\n")
    summary = take(source, landing, inbox)
    assert (summary.new, summary.unchanged) == (0, 1)
    assert [path.name for path in landing.folder.glob("*/*")] == ["a.csv"]
    assert landing.log()[-1].file_name == "a.csv"


@pytest.mark.parametrize("step", ["keep", "append"])
def test_a_file_survives_the_death_of_who_was_taking_it(
    letters: Letters, landing: Landing, inbox: Path, drop: Drop, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    source = source_of({"sites": FILE})
    drop("a.csv", b"a\n")

    def die(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as killed:
        killed.setattr(Landing, step, die)
        with pytest.raises(KeyboardInterrupt):
            take(source, landing, inbox)
    assert landing.log() == []
    assert take(source, landing, inbox).new == 0  # put back, it rests once more
    assert take(source, landing, inbox).new == 1
    (row,) = landing.log()
    assert (row.url, row.snapshot_sha256) == ("inbox:a.csv", hashlib.sha256(b"a\n").hexdigest())
    assert [path.name for path in (inbox / "town").iterdir()] == ["rejected"]


# -- half-copied files -----------------------------------------------------------------------------------------------


def test_a_file_is_left_alone_until_it_rests(letters: Letters, landing: Landing, inbox: Path, drop: Drop) -> None:
    source, path = source_of({"sites": FILE}), drop("a.csv", b"a\n")
    assert collect(source, landing, inbox, later(path, seconds=REST_S - 0.5)).new == 0
    assert path.exists()
    assert landing.log() == []
    assert collect(source, landing, inbox, later(path)).new == 1


def test_a_copy_that_keeps_the_originals_date_rests_only_when_it_is_done(
    letters: Letters, landing: Landing, inbox: Path, drop: Drop
) -> None:
    source, path = source_of({"sites": FILE}), drop("a.csv", b"a\n")
    os.utime(path, (0, 0))  # as `cp -p` and network drives do at any time; the status changes with it
    assert collect(source, landing, inbox, path.lstat().st_ctime + REST_S - 0.5).new == 0
    assert collect(source, landing, inbox, path.lstat().st_ctime + REST_S).new == 1


def test_a_date_from_the_future_does_not_keep_a_file_waiting_for_ever(
    letters: Letters, landing: Landing, inbox: Path, drop: Drop
) -> None:
    source, path = source_of({"sites": FILE}), drop("a.csv", b"a\n")
    os.utime(path, (2**33, 2**33))
    assert collect(source, landing, inbox, path.lstat().st_ctime + REST_S).new == 1


@pytest.mark.parametrize(
    "name", ["a.csv.part", "a.TMP", "a.csv.crdownload", "~$a.xlsx", ".a.csv.Xy12", "a.csv~", "a.filepart", "Thumbs.db"]
)
def test_what_programs_have_not_finished_is_left_alone(
    letters: Letters, landing: Landing, inbox: Path, drop: Drop, name: str
) -> None:
    path = drop(name, b"half")
    summary = take(source_of({"sites": FILE}), landing, inbox)
    assert (summary.new, summary.failed) == (0, 0)
    assert path.exists()


def test_the_folder_to_drop_into_is_made(letters: Letters, landing: Landing, inbox: Path) -> None:
    collect(source_of({"sites": FILE}), landing, inbox, 0.0)
    assert (inbox / "town" / "rejected").is_dir()


def test_what_lies_where_nobody_looks_is_found(inbox: Path, drop: Drop) -> None:
    drop("a.csv", b"a")
    (inbox / "twon").mkdir()
    (inbox / "b.csv").write_bytes(b"b")
    (inbox / ".hidden").write_bytes(b"")
    assert strays(inbox, {"town"}) == ["b.csv", "twon"]
    assert strays(inbox / "missing", {"town"}) == []


# -- what cannot be taken --------------------------------------------------------------------------------------------


def test_a_file_that_fails_the_checks_lies_aside_with_its_reason(
    letters: Letters, landing: Landing, inbox: Path, drop: Drop
) -> None:
    drop("page.csv", b"<!DOCTYPE html><html>Wartung</html>")
    summary = take(source_of({"sites": FILE}), landing, inbox)
    assert summary.failed == 1
    assert aside(inbox) == ["page.csv", "page.csv.reason.txt"]
    assert (inbox / "town/rejected/page.csv").read_bytes().startswith(b"<!DOCTYPE")
    assert list((inbox / "town").glob("*.csv")) == []
    said = reason(inbox, "page.csv")
    assert "expected csv, html came" in said
    assert "page.csv wurde nicht übernommen" in said
    assert "page.csv was not taken" in said
    (row,) = landing.log()
    assert (row.partition, row.url, row.outcome, row.snapshot_sha256) == ("sites", "inbox:page.csv", "failed", None)
    assert "expected csv, html came" in str(row.error)
    assert str(inbox / "town/rejected/page.csv") in summary.errors[0]


def test_a_file_refused_by_the_parser_comes_back_with_its_reason_and_stays_in_the_landing(
    letters: Letters, landing: Landing, inbox: Path, drop: Drop, tmp_path: Path
) -> None:
    source, staged = source_of({"sites": FILE}), tmp_path / "staged"
    drop("good.csv", b"good\n")
    take(source, landing, inbox)
    parse_source(source, landing, staged)
    drop("bad.csv", b"broken\n")
    take(source, landing, inbox)
    parse_source(source, landing, staged)
    (place,) = give_back("town", landing, inbox, refusals("town", staged))
    assert place == inbox / "town/rejected/bad.csv"
    assert place.read_bytes() == b"broken\n"
    assert "bad.csv: is broken" in reason(inbox, "bad.csv")
    assert landing.file(hashlib.sha256(b"broken\n").hexdigest(), "bad.csv").read_bytes() == b"broken\n"
    assert sites_in_force(staged) == ["good"]
    row = landing.log()[-1]
    assert (row.url, row.outcome, row.snapshot_sha256) == (
        "inbox:bad.csv",
        "failed",
        hashlib.sha256(b"broken\n").hexdigest(),
    )
    assert "bad.csv: is broken" in str(row.error)
    assert parse_source(source, landing, staged).refused == 0, "it holds no longer"
    assert landing.latest_good()["sites"].url == "inbox:good.csv"


def test_a_refused_file_dropped_again_comes_back_again(
    letters: Letters, landing: Landing, inbox: Path, drop: Drop, tmp_path: Path
) -> None:
    source, staged = source_of({"sites": FILE}), tmp_path / "staged"
    drop("good.csv", b"good\n")
    take(source, landing, inbox)
    for number, name in enumerate(("bad.csv", "2-bad.csv"), 1):
        drop("bad.csv", b"broken\n")
        take(source, landing, inbox)
        assert parse_source(source, landing, staged).refused == 1
        (place,) = give_back("town", landing, inbox, refusals("town", staged))
        assert place.name == name, number
        assert give_back("town", landing, inbox, refusals("town", staged)) == []
    assert parse_source(source, landing, staged).refused == 0
    assert sites_in_force(staged) == ["good"]


def test_of_two_files_dropped_at_once_the_refused_one_comes_back_and_the_mended_one_holds(
    letters: Letters, landing: Landing, inbox: Path, drop: Drop, tmp_path: Path
) -> None:
    source, staged = source_of({"sites": FILE}), tmp_path / "staged"
    drop("bad.csv", b"broken\n")
    take(source, landing, inbox)
    drop("mended.csv", b"mended\n")
    take(source, landing, inbox)
    assert parse_source(source, landing, staged).refused == 0
    (place,) = give_back("town", landing, inbox, refusals("town", staged))
    assert (place.name, place.read_bytes()) == ("bad.csv", b"broken\n")
    assert give_back("town", landing, inbox, refusals("town", staged)) == []
    assert parse_source(source, landing, staged).refused == 0
    assert sites_in_force(staged) == ["mended"]
    assert landing.latest_good()["sites"].url == "inbox:mended.csv"


def test_the_reason_says_how_a_file_that_is_right_is_accepted(
    letters: Letters, landing: Landing, inbox: Path, drop: Drop, tmp_path: Path
) -> None:
    source, staged = source_of({"sites": FILE}), tmp_path / "staged"
    drop("bad.csv", b"broken\n")
    take(source, landing, inbox)
    parse_source(source, landing, staged)
    give_back("town", landing, inbox, refusals("town", staged))
    said = reason(inbox, "bad.csv")
    assert said.count(hashlib.sha256(b"broken\n").hexdigest()) == 2
    assert "unter resources.sites.accept" in said
    assert "under resources.sites.accept" in said


def test_a_file_that_does_not_rest_yet_is_told(letters: Letters, landing: Landing, inbox: Path, drop: Drop) -> None:
    drop("a.csv", b"a\n")
    (inbox / "town" / "b.csv.part").write_bytes(b"")
    place = inbox / "town" / "a.csv"
    assert collect(source_of({"sites": FILE}), landing, inbox, place.stat().st_ctime).waiting == 1
    assert collect(source_of({"sites": FILE}), landing, inbox, place.stat().st_ctime + REST_S).waiting == 0


def test_what_the_publisher_sent_is_not_given_back(
    letters: Letters, publisher: Publisher, client: Client, landing: Landing, inbox: Path, tmp_path: Path
) -> None:
    source, staged = source_of({"sites": FILE}), tmp_path / "staged"
    publisher.says(f"{BASE}/file.csv", document(b"broken\n"))
    fetch_source(source, landing, client, AS_OF)
    parse_source(source, landing, staged)
    assert len(refusals("town", staged)) == 1
    assert give_back("town", landing, inbox, refusals("town", staged)) == []


def test_a_link_is_moved_aside_and_never_followed(
    letters: Letters, landing: Landing, inbox: Path, drop: Drop, tmp_path: Path
) -> None:
    secret = tmp_path / "secret.csv"
    secret.write_bytes(b"secret\n")
    link = drop("x.csv", b"").parent / "link.csv"
    link.symlink_to(secret)
    (link.parent / "dangling.csv").symlink_to(tmp_path / "nowhere")
    (link.parent / "x.csv").unlink()
    summary = take(source_of({"sites": FILE}), landing, inbox)
    assert summary.failed == 2
    assert all("a symbolic link; put the file itself there" in error for error in summary.errors)
    assert (inbox / "town/rejected/link.csv").is_symlink()
    assert secret.read_bytes() == b"secret\n"
    assert not list(landing.folder.glob("*/*"))


def test_a_file_with_a_second_name_could_be_changed_later_and_is_refused(
    letters: Letters, landing: Landing, inbox: Path, drop: Drop, tmp_path: Path
) -> None:
    os.link(drop("a.csv", b"a\n"), tmp_path / "other")
    summary = take(source_of({"sites": FILE}), landing, inbox)
    assert "hard link); put a copy there" in summary.errors[0]
    assert not list(landing.folder.glob("*/*"))


def test_folders_pipes_and_sockets_are_refused_without_being_opened(
    letters: Letters, landing: Landing, inbox: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = inbox / "town"
    (folder / "2024").mkdir(parents=True)
    (folder / "2024" / "a.csv").write_bytes(b"a")
    os.mkfifo(folder / "pipe.csv")
    monkeypatch.chdir(folder)  # a socket's path is short
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind("socket.csv")
        summary = take(source_of({"sites": FILE}), landing, inbox)
    assert sorted(error.split("expected a file, this is ")[1].split(";")[0] for error in summary.errors) == [
        "a device, pipe or socket",
        "a device, pipe or socket",
        "a folder",
    ]
    assert (folder / "rejected/2024/a.csv").read_bytes() == b"a"


@pytest.mark.parametrize(
    ("content", "words"), [(b"", "is empty"), (b"x" * (2**20 + 1), "1048577 bytes, expected at most 1 MB")]
)
def test_empty_and_huge_files_are_refused(
    letters: Letters, landing: Landing, inbox: Path, drop: Drop, content: bytes, words: str
) -> None:
    drop("a.csv", content)
    summary = take(source_of({"sites": {**FILE, "size_limit_mb": 1}}), landing, inbox)
    assert words in summary.errors[0]
    assert aside(inbox) == ["a.csv", "a.csv.reason.txt"]


def test_a_rejected_folder_that_leads_elsewhere_is_refused(
    letters: Letters, landing: Landing, inbox: Path, drop: Drop, tmp_path: Path
) -> None:
    path = drop("page.csv", b"<html>")
    (inbox / "town" / "rejected").symlink_to(tmp_path)
    with pytest.raises(Exception, match="is a symbolic link, expected a folder"):
        take(source_of({"sites": FILE}), landing, inbox)
    assert path.exists()


def test_what_was_rejected_before_is_not_overwritten(
    letters: Letters, landing: Landing, inbox: Path, drop: Drop
) -> None:
    for content in (b"<html>1", b"<html>2"):
        drop("a.csv", content)
        take(source_of({"sites": FILE}), landing, inbox)
    assert aside(inbox) == ["2-a.csv", "2-a.csv.reason.txt", "a.csv", "a.csv.reason.txt"]
    assert (inbox / "town/rejected/2-a.csv").read_bytes() == b"<html>2"


@pytest.mark.parametrize("name", [b"\xff\xfe.csv", b"a\nb.csv", b"-rf.csv", ("ä" * 120 + ".csv").encode()])
def test_a_strange_name_does_no_harm(letters: Letters, landing: Landing, inbox: Path, name: bytes) -> None:
    (inbox / "town").mkdir(parents=True)
    Path(os.fsdecode(os.fsencode(inbox / "town") + b"/" + name)).write_bytes(b"a\n")
    assert take(source_of({"sites": FILE}), landing, inbox).new == 1
    (row,) = landing.log()
    assert str(row.file_name).endswith(".csv")
    assert landing.file(str(row.snapshot_sha256), str(row.file_name)).read_bytes() == b"a\n"


# -- where a file belongs --------------------------------------------------------------------------------------------

SITES = {"connector": "eco_counter_sites", "url": f"{BASE}/sites.json"}
READINGS = {
    "connector": "letters",
    "url": f"{BASE}/{{station}}/{{month}}.csv",
    "inbox": r"(?P<station>\w+) (?P<month>\d{4}-\d{2})\.csv",
    "partitions": {"station": ["a", "b"], "month": {"first": "2024-01"}},
}


@pytest.mark.parametrize(
    ("name", "content", "partition"),
    [
        ("a 2024-02.csv", b"x\n", "readings/station=a/month=2024-02"),
        ("stations.json", b"[]", "sites"),
        ("anything.txt", b"[]", "sites"),
    ],
)
def test_a_file_belongs_where_its_name_or_else_its_content_fits(
    letters: Letters, landing: Landing, inbox: Path, drop: Drop, name: str, content: bytes, partition: str
) -> None:
    drop(name, content)
    take(source_of({"sites": SITES, "readings": READINGS}), landing, inbox)
    assert [row.partition for row in landing.log()] == [partition]


@pytest.mark.parametrize(
    ("first", "name", "takes"),
    [
        ("2024-01-01", "2024-02-29", True),
        ("2024-01-01", "2023-02-29", False),
        ("2024-01-01", "2024-02", False),
        ("2024", "2025", True),
        ("2024", "25", False),
    ],
)
def test_a_dropped_file_of_a_day_or_a_year_names_one_of_the_calendar(
    letters: Letters, landing: Landing, inbox: Path, drop: Drop, first: str, name: str, takes: bool
) -> None:
    readings = {
        "connector": "letters",
        "url": f"{BASE}/{{time}}.csv",
        "inbox": r"(?P<time>[\d-]+)\.csv",
        "partitions": {"time": {"first": first}},
    }
    drop(f"{name}.csv", b"x\n")
    take(source_of({"readings": readings}), landing, inbox)
    assert [row.partition for row in landing.log()] == ([f"readings/time={name}"] if takes else [])


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("c 2024-02.csv", "station 'c' is none of the partition's values; rename the file"),
        ("a 2024-13.csv", "month '2024-13' is none of the partition's values"),
        ("readings.csv", "expected json, csv came"),
    ],
)
def test_a_file_that_belongs_nowhere_lies_aside_and_says_what_would_be_taken(
    letters: Letters, landing: Landing, inbox: Path, drop: Drop, name: str, words: str
) -> None:
    drop(name, b"x\n")
    summary = take(source_of({"sites": SITES, "readings": READINGS}), landing, inbox)
    assert words in summary.errors[0]
    assert len(aside(inbox)) == 2
    assert [row.outcome for row in landing.log()] == (["failed"] if "json" in words else [])


def test_content_decides_among_several_resources_but_does_not_guess(
    letters: Letters, landing: Landing, inbox: Path, drop: Drop
) -> None:
    feed = {"connector": "gtfs", "url": f"{BASE}/feed.zip"}
    source = source_of({"feed": feed, "sites": FILE, "more": {**FILE, "url": f"{BASE}/more.csv"}})
    drop("feed", zipped({"stops.txt": b"stop_id\n"}))
    drop("list", b"a\n")
    summary = take(source, landing, inbox)
    assert [row.partition for row in landing.log()] == ["feed"]
    assert "list: fits 2 of the source's resources, expected one" in summary.errors[0]
    assert "give the resource an `inbox` pattern in town.yml" in summary.errors[0]


def test_two_patterns_that_fit_one_name_are_told(letters: Letters, landing: Landing, inbox: Path, drop: Drop) -> None:
    source = source_of({"a": {"connector": "letters", "inbox": r".*\.csv"}, "b": {**FILE, "inbox": r"x.*"}})
    drop("x.csv", b"a\n")
    assert "its name fits the inbox patterns of a, b" in take(source, landing, inbox).errors[0]
