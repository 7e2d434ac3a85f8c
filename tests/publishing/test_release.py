"""Releases: promoted whole or not at all, kept, never met in between."""

from __future__ import annotations

import copy
import json
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import duckdb
import pyarrow.parquet as pq
import pytest

import publishing.release
from publishing.draft import CandidateDiffers, SmallCountShown
from publishing.release import GateRed, Published, ReleaseBroken, current
from tests.conftest import REPOSITORY
from tests.publishing.conftest import AREA, GREEN, PAIR, write_manifest

Promote = Callable[..., Published]


def folders(releases: Path) -> list[str]:
    return sorted(path.name for path in releases.iterdir() if path.is_dir() and not path.is_symlink())


def in_release(releases: Path, sql: str) -> list[tuple[object, ...]]:
    release = current(releases)
    assert release is not None
    with duckdb.connect(str(release.warehouse), read_only=True) as connection:
        return connection.execute(sql).fetchall()


def test_a_release_holds_the_marts_alone_in_the_order_of_their_key(promote: Promote, releases: Path) -> None:
    promote(7)
    tables = in_release(releases, "select table_schema, table_name from information_schema.tables order by all")
    assert tables == [("marts", "dim_area"), ("marts", "fct_pair"), ("marts", "release_info")]
    rows = in_release(releases, "select area_id, left_value, right_value from marts.fct_pair")
    assert rows == [("05515", 7, 7), ("05554", 7, 7), ("05570", 7, 7)]
    assert in_release(releases, "select version, synthetic, title_de from marts.release_info") == [
        ("2025.03.31.1", False, "Münsterland: regionale Marts")
    ]


def test_descriptions_are_carried_over_as_comments(promote: Promote, releases: Path) -> None:
    promote(7)
    assert in_release(releases, "select comment from duckdb_tables() where table_name = 'fct_pair'") == [
        ("Tafel fct_pair | Table fct_pair\nWhat fct_pair is for.",)
    ]
    assert in_release(releases, "select comment from duckdb_columns() where column_name = 'left_value'") == [
        ("It's one half.",)
    ]


def test_parquet_lies_beside_with_the_same_rows(promote: Promote) -> None:
    release = promote(7).release
    assert sorted(path.name for path in release.parquet.iterdir()) == ["dim_area.parquet", "fct_pair.parquet"]
    table = pq.ParquetFile(release.parquet / "fct_pair.parquet")
    assert table.read().column("area_id").to_pylist() == ["05515", "05554", "05570"]
    assert table.metadata.row_group(0).column(0).compression == "ZSTD"
    assert table.metadata.metadata[b"synthetic"] == b"false"


def test_release_json_says_what_it_is_made_of(promote: Promote, releases: Path) -> None:
    promote(7, attributions=[{"source_id": "a", "licence": "dl-de/by-2-0"}])
    said = json.loads((releases / "current" / "release.json").read_text(encoding="utf-8"))
    assert said["version"] == "2025.03.31.1"
    assert said["as_of"] == "2025-03-31T04:00:00Z"
    assert said["code_version"] == "abc123"
    assert [used["source_id"] for used in said["inputs"]] == ["a", "b"]
    assert said["gate"] == GREEN
    assert said["attributions"] == [{"source_id": "a", "licence": "dl-de/by-2-0"}]
    assert said["marts"]["fct_pair"]["rows"] == 3
    assert said["marts"]["fct_pair"]["primary_key"] == ["area_id"]
    assert said["marts"]["dim_area"]["columns"][1] == {"name": "name_de", "type": "VARCHAR", "description": "Its name."}
    assert "path" not in said


def test_what_is_synthetic_says_so_everywhere(promote: Promote, releases: Path) -> None:
    release = promote(7, synthetic=True).release
    mark = "SYNTHETIC / SYNTHETISCH – "
    assert release.synthetic
    assert release.title_de.startswith(mark)
    assert release.marts["dim_area"].title_en == f"{mark}Table dim_area"
    assert in_release(releases, "select synthetic, title_en from marts.release_info") == [
        (True, f"{mark}Münsterland: regional marts")
    ]
    comments = in_release(releases, "select comment from duckdb_tables() order by table_name")
    assert all(str(comment).startswith(mark) for (comment,) in comments)
    assert pq.ParquetFile(release.parquet / "dim_area.parquet").metadata.metadata[b"synthetic"] == b"true"


def test_equal_contents_are_not_promoted_again(promote: Promote, releases: Path) -> None:
    first = promote(7)
    again = promote(7, read_at="2025-04-01 02:00:00+00", input_key="another")
    assert (first.promoted, again.promoted) == (True, False)
    assert again.release == first.release
    assert folders(releases) == ["2025.03.31.1"]


def test_the_synthetic_flag_or_a_mart_version_alone_makes_a_release(
    promote: Promote, tmp_path: Path, manifest: Path
) -> None:
    promote(7)
    assert promote(7, synthetic=True).promoted
    newer = {**AREA, "config": {"meta": {**AREA["config"]["meta"], "version": "1.1.0"}}}
    assert promote(7, synthetic=True, manifest=write_manifest(tmp_path / "newer.json", PAIR, newer)).promoted


def test_five_are_kept_and_no_version_is_given_twice(promote: Promote, releases: Path) -> None:
    for value in range(7):
        promote(value)
    assert folders(releases) == [f"2025.03.31.{number}" for number in range(3, 8)]
    # An earlier day, so that its folder sorts first: it is the newest all the same.
    promote(7, as_of=datetime.fromisoformat("2024-12-31T23:30:00-01:00"))
    assert folders(releases) == ["2025.01.01.1", *(f"2025.03.31.{number}" for number in range(4, 8))]
    assert in_release(releases, "select distinct left_value from marts.fct_pair") == [(7,)]


def test_a_version_of_a_release_long_gone_is_not_given_again(promote: Promote, releases: Path) -> None:
    first = promote(0, keep=2)
    for value, day in enumerate(("2025-04-01", "2025-04-02", "2025-04-03"), start=1):
        promote(value, keep=2, as_of=datetime.fromisoformat(f"{day}T00:00:00+00:00"))
    assert not first.release.path.exists()
    assert promote(9, keep=2).release.version == "2025.03.31.2"


def test_a_red_gate_leaves_everything(promote: Promote, releases: Path) -> None:
    promote(1)
    before = sorted(path.name for path in releases.iterdir())
    with pytest.raises(GateRed, match="nothing is promoted"):
        promote(2, gate={"passed": False, "counts": {"critical": {"checks": 3, "failed": 1}}})
    with pytest.raises(GateRed):
        promote(2, gate={"passed": "yes", "counts": {}})
    assert sorted(path.name for path in releases.iterdir()) == before
    assert in_release(releases, "select distinct left_value from marts.fct_pair") == [(1,)]


def test_candidate_and_manifest_must_fit(promote: Promote, tmp_path: Path, releases: Path) -> None:
    promote(1)
    with pytest.raises(CandidateDiffers, match=r"undeclared \['dim_area'\]"):
        promote(2, manifest=write_manifest(tmp_path / "other.json", PAIR))
    narrow = {**AREA, "columns": {"area_id": AREA["columns"]["area_id"]}}
    with pytest.raises(CandidateDiffers, match=r"marts.dim_area.*undeclared \['name_de'\]"):
        promote(2, manifest=write_manifest(tmp_path / "other.json", PAIR, narrow))
    assert folders(releases) == ["2025.03.31.1"]


@pytest.mark.parametrize("dies_at", ["_promote", "prune"])
def test_a_killed_run_leaves_current_whole_and_the_next_one_clears_up(
    promote: Promote, releases: Path, monkeypatch: pytest.MonkeyPatch, dies_at: str
) -> None:
    promote(1)

    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(publishing.release, dies_at, killed)
        with pytest.raises(KeyboardInterrupt):
            promote(2)
    expected = {"_promote": 1, "prune": 2}[dies_at]
    assert in_release(releases, "select distinct left_value from marts.fct_pair") == [(expected,)]
    assert promote(3).promoted
    assert in_release(releases, "select distinct left_value from marts.fct_pair") == [(3,)]
    assert not [name for name in folders(releases) if not name.startswith("2025.")]


def test_a_run_killed_between_folder_and_link_is_overtaken(
    promote: Promote, releases: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    promote(1)
    with monkeypatch.context() as patch:
        patch.setattr(Path, "symlink_to", lambda *_: (_ for _ in ()).throw(OSError("disk full")))
        with pytest.raises(OSError, match="disk full"):
            promote(2)
    assert in_release(releases, "select distinct left_value from marts.fct_pair") == [(1,)]
    assert promote(2).release.version == "2025.03.31.3"


def test_no_release_yet_and_a_broken_one(promote: Promote, releases: Path) -> None:
    releases.mkdir()
    assert current(releases) is None
    release = promote(1).release
    (release.path / "release.json").write_text("{}", encoding="utf-8")
    with pytest.raises(ReleaseBroken, match=r"release\.json"):
        current(releases)


READER = """
import sys, time
from pathlib import Path
import duckdb
from publishing.release import current

releases, stop = Path(sys.argv[1]), Path(sys.argv[2])
seen, reads = [], 0
while not stop.exists():
    release = current(releases)
    with duckdb.connect(str(release.warehouse), read_only=True) as connection:
        pairs = connection.execute("select distinct left_value, right_value from marts.fct_pair").fetchall()
        version = connection.execute("select version from marts.release_info").fetchone()[0]
    assert len(pairs) == 1 and pairs[0][0] == pairs[0][1], pairs
    assert version == release.version == release.path.name, (version, release)
    # A reader who knows nothing of us follows the link himself.
    with duckdb.connect(str(releases / "current" / "muensterland.duckdb"), read_only=True) as connection:
        assert connection.execute("select count(*) from marts.fct_pair").fetchone() == (3,)
    reads += 1
    if version not in seen:
        seen.append(version)
        print(version, flush=True)
print("reads", reads)
"""


def test_a_reader_in_another_process_never_meets_a_half_state(promote: Promote, releases: Path, tmp_path: Path) -> None:
    promote(0)
    stop = tmp_path / "stop"
    reader = subprocess.Popen(
        [sys.executable, "-c", READER, str(releases), str(stop)],
        cwd=REPOSITORY,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert reader.stdout is not None
    for value in range(1, 4):
        assert reader.stdout.readline().strip() == f"2025.03.31.{value}"
        promote(value)
    assert reader.stdout.readline().strip() == "2025.03.31.4"
    time.sleep(0.1)
    stop.touch()
    rest, errors = reader.communicate(timeout=60)
    assert reader.returncode == 0, errors
    assert int(rest.split()[-1]) >= 4


def counting(protection: str, **more: str) -> dict[str, Any]:
    """The mart of pairs whose left half counts persons."""
    columns = copy.deepcopy(PAIR["columns"])
    columns["left_value"]["meta"] = {"role": "count_persons", "protection": protection, "min_persons": 5, **more}
    return {**PAIR, "columns": columns}


def test_a_small_count_of_persons_is_never_promoted(promote: Promote, tmp_path: Path, releases: Path) -> None:
    manifest = write_manifest(tmp_path / "persons.json", counting("suppressed"), AREA)
    for value in (1, 4):
        with pytest.raises(SmallCountShown, match=r"fct_pair.left_value: expected no count of fewer than 5 .*found 3"):
            promote(value, manifest=manifest)
    assert not list(releases.glob("2*"))
    assert promote(0, manifest=manifest).promoted
    assert promote(5, manifest=manifest).promoted


def test_what_the_publisher_protected_is_promoted_as_it_came(promote: Promote, tmp_path: Path) -> None:
    assert promote(3, manifest=write_manifest(tmp_path / "persons.json", counting("cell_key"), AREA)).promoted
