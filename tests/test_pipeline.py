"""The steps that the DAGs wire, from the synthetic publishers' bytes to a release, without Airflow around them."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import duckdb
import pytest

from connectors.catalogue import DOMAINS, load_catalogue
from expectations.clock import local_day
from expectations.row_counts import as_yaml
from expectations.rules import RULES, row_counts_file
from muensterland import steps
from muensterland.gate_command import counted as counted_anew
from muensterland.orchestration import sources_by_domain
from muensterland.sample.generate import generate
from muensterland.sample.server import serve
from muensterland.settings import REPOSITORY, Settings
from muensterland.steps import source_state
from publishing import quality

pytestmark = pytest.mark.xdist_group("pipeline")

AS_OF = "2026-11-22T12:00:00+00:00"


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that the sample's publishers serve."""
    folder = tmp_path_factory.mktemp("publishers")
    generate(folder)
    return folder


@pytest.fixture(scope="module")
def publishers(published: Path) -> Iterator[str]:
    with serve(published) as address:
        yield address


@dataclass(frozen=True)
class Region:
    """A home, and the steps on it."""

    home: Path
    patch: pytest.MonkeyPatch

    def settle(self, **settings: str) -> Settings:
        for name, value in {"REGION_HOME": str(self.home), "INPUT": "sample", **settings}.items():
            self.patch.setenv(name, value)
        return Settings()

    def ingest(self, order: Callable[[list[str]], list[str]] = sorted) -> None:
        for source_id in order([source.id for sources in sources_by_domain().values() for source in sources]):
            steps.fetch(source_id, AS_OF)
            steps.parse(source_id)

    def release(self) -> dict[str, Any] | None:
        run = steps.begin_release(AS_OF)
        if run is None:
            return None
        for domain in DOMAINS:
            steps.build(run["run"], run["as_of"], domain)
        steps.promote(**run, verdict=steps.gate(run["run"], run["as_of"]))
        record: dict[str, Any] = json.loads((self.home / "releases/current/release.json").read_text(encoding="utf-8"))
        return record


@pytest.fixture(scope="module")
def first(publishers: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Region, dict[str, Any]]]:
    """A home with its first release."""
    with pytest.MonkeyPatch.context() as patch:
        region = Region(tmp_path_factory.mktemp("first"), patch)
        region.settle(MIRROR=publishers)
        region.ingest()
        record = region.release()
        assert record is not None
        yield region, record


def test_a_release_says_what_it_is_made_of(first: tuple[Region, dict[str, Any]]) -> None:
    _, record = first
    assert record["synthetic"] is True
    assert "SYNTHETIC" in record["title_en"]
    assert record["gate"]["passed"] is True
    assert {used["source_id"] for used in record["inputs"]} == {
        source.id for sources in sources_by_domain().values() for source in sources
    }
    assert record["marts"]["dim_municipality"]["rows"] == 66
    assert all(mart["rows"] > 0 for mart in record["marts"].values())


def test_the_gates_report_lies_beside_the_release(first: tuple[Region, dict[str, Any]]) -> None:
    region, record = first
    report = json.loads((region.home / "releases/current/gate.json").read_text(encoding="utf-8"))
    assert report["passed"] is True
    assert {check["mart"] for check in report["checks"]} == set(record["marts"])
    assert "<html" in (region.home / "releases/current/gate.html").read_text(encoding="utf-8")


def test_the_release_tells_how_it_was_judged(first: tuple[Region, dict[str, Any]]) -> None:
    region, record = first
    with duckdb.connect(str(region.home / "releases/current/muensterland.duckdb"), read_only=True) as release:
        scores = release.sql(
            "select mart, fresh, complete, valid, consistent from marts.mart_quality_scorecard"
        ).fetchall()
        history = release.sql(
            "select distinct judgement, release, gate_passed from marts.mart_quality_history"
        ).fetchall()
        sites = release.sql(
            "select count(*), any_value(unexpected_count) from marts.mart_quality_unexpected "
            "where mart = 'dim_counting_site'"
        ).fetchall()
    assert {mart for mart, *_ in scores} == set(record["marts"])
    assert all(0 <= mark <= 1 for _, *marks in scores for mark in marks if mark is not None)
    # Everything was fetched just now; the calendar has no source.
    assert {mart for mart, fresh, *_ in scores if fresh != 1} == {"dim_date"}
    assert history == [(1, record["version"], True)]
    # Only Münster counts bicycles.
    assert sites == [(65, 65)]


def test_the_row_counts_in_git_are_those_of_the_sample(first: tuple[Region, dict[str, Any]]) -> None:
    region, _ = first
    report = json.loads((region.home / "releases/current/gate.json").read_text(encoding="utf-8"))
    counted = {check["mart"]: check["success"] for check in report["checks"] if "row_count_" in check["expectation"]}
    assert counted == dict.fromkeys((check["mart"] for check in report["checks"]), True), (
        "run `gate counts`, review, commit"
    )
    warehouse = region.home / "releases/current/muensterland.duckdb"
    day = local_day(datetime.fromisoformat(AS_OF))
    written = row_counts_file(RULES, "sample").read_text(encoding="utf-8")
    assert as_yaml(counted_anew(warehouse, "sample", day)) == written


def test_the_same_bytes_in_another_order_give_equal_marts(
    first: tuple[Region, dict[str, Any]], publishers: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, record = first
    other = Region(tmp_path, monkeypatch)
    other.settle(MIRROR=publishers)
    other.ingest(order=lambda ids: sorted(ids, reverse=True))
    again = other.release()
    assert again is not None
    contents = [{name: mart["content_sha256"] for name, mart in made["marts"].items()} for made in (record, again)]
    assert contents[0] == contents[1]


def test_a_second_run_parses_nothing_and_keeps_the_release(first: tuple[Region, dict[str, Any]]) -> None:
    region, record = first
    region.ingest()
    assert region.release() is None
    assert (region.home / "releases/current").resolve().name == record["version"]


def test_what_covers_no_municipality_says_so(first: tuple[Region, dict[str, Any]]) -> None:
    region, _ = first
    with duckdb.connect(str(region.home / "releases/current/muensterland.duckdb"), read_only=True) as release:
        speaking = release.sql(
            "select ags, domain, count(*) from marts.mart_coverage group by all having count(*) > 0"
        ).fetchall()
        silent = release.sql(
            "select distinct ags, reason from marts.mart_coverage where domain = 'mobility' and source_id = 'none'"
        ).fetchall()
    assert len(speaking) == 66 * len(DOMAINS)
    counted = {
        key
        for source in load_catalogue(Settings().sources_dir).values()
        if source.domain == "mobility"
        for key in source.covers
    }
    assert "05515000" in counted
    assert len(silent) == 66 - len(counted)
    assert all(reason for _, reason in silent)


def test_the_readmes_example_source_reaches_the_marts_by_yaml_alone(
    first: tuple[Region, dict[str, Any]],
    published: Path,
    publishers: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    readme = (REPOSITORY / "README.md").read_text(encoding="utf-8")
    example = readme.split("## Add a source")[1].split("```yaml\n")[1].split("```")[0]
    catalogue = tmp_path / "sources"
    shutil.copytree(Settings().sources_dir, catalogue)
    here = example.replace("inputs: [live]", "inputs: [sample]").replace('first: "2025-01"', 'first: "2026-09"')
    (catalogue / "bocholt-bicycle-counters.yml").write_text(here, encoding="utf-8")
    counts = published / "data.bocholt.example/counters/100000001/2026-09.csv"
    counts.parent.mkdir(parents=True)
    counts.write_text(
        "Datetime,100000001 (Ring),12 (Ring IN),13 (Ring OUT),100000001-status,12-status,13-status\r\n"
        "2026-09-01 07:00,5,2,3,,,\r\n2026-09-01 07:15,6,4,2,,,\r\n"
        "2026-09-01 07:30,7,4,3,,,\r\n2026-09-01 07:45,8,5,3,,,\r\n",
        encoding="utf-8",
    )
    region = Region(first[0].home, monkeypatch)
    region.settle(MIRROR=publishers, SOURCES_DIR=str(catalogue))
    steps.fetch("bocholt-bicycle-counters", AS_OF)
    steps.parse("bocholt-bicycle-counters")
    run = steps.begin_release(AS_OF)
    assert run is not None
    for domain in ("core", "mobility"):
        steps.build(run["run"], run["as_of"], domain)
    with duckdb.connect(str(steps.candidate_of(run["run"])), read_only=True) as candidate:
        hours = candidate.sql(
            "select sites.ags, hours.direction, hours.count, hours.count_validated from marts.fct_count_hour as hours "
            "inner join marts.dim_counting_site as sites using (site_id) "
            "where hours.site_id = '100000001' and hours.hour_local = '2026-09-01 07:00:00' order by hours.direction"
        ).fetchall()
        speaking = candidate.sql(
            "select source_id from marts.mart_coverage where ags = '05554008' and domain = 'mobility'"
        ).fetchall()
    assert hours == [("05554008", "both", 26, 26), ("05554008", "in", 15, 15), ("05554008", "out", 11, 11)]
    assert speaking == [("bocholt-bicycle-counters",)]


def test_a_source_that_fails_keeps_its_snapshot_and_stops_no_other(
    first: tuple[Region, dict[str, Any]], publishers: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    catalogue = tmp_path / "sources"
    catalogue.mkdir()
    for path in Settings().sources_dir.glob("*.yml"):
        text = path.read_text(encoding="utf-8")
        (catalogue / path.name).write_text(
            text.replace("schuldaten.csv", "moved.csv") if path.stem == "nrw-schools" else text, encoding="utf-8"
        )
    region = Region(tmp_path / "home", monkeypatch)
    region.settle(MIRROR=publishers)
    region.ingest()
    settings = region.settle(MIRROR=publishers, SOURCES_DIR=str(catalogue))
    with pytest.raises(steps.FetchFailed, match=r"nrw-schools.*404"):
        steps.fetch("nrw-schools", AS_OF)
    steps.fetch("zensus-2022", AS_OF)
    steps.parse("zensus-2022")
    assert source_state(settings.home, "nrw-schools") == "stale"
    assert source_state(settings.home, "zensus-2022") == "unchanged"
    assert steps.settle("registers")["nrw-schools"] == "stale"
    record = region.release()
    assert record is not None
    with duckdb.connect(str(region.home / "releases/current/muensterland.duckdb"), read_only=True) as release:
        reasons = release.sql(
            "select distinct reason from marts.mart_coverage where source_id = 'nrw-schools'"
        ).fetchall()
        schools = release.sql("select count(*) from marts.dim_school").fetchall()
    assert len(reasons) == 1
    assert reasons[0][0] is not None
    assert schools[0][0] > 66


def test_a_red_gate_promotes_nothing_and_says_which_rows(
    publishers: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    region = Region(tmp_path, monkeypatch)
    region.settle(MIRROR=publishers)
    region.ingest()
    run = steps.begin_release(AS_OF)
    assert run is not None
    for domain in DOMAINS:
        steps.build(run["run"], run["as_of"], domain)
    with duckdb.connect(str(steps.candidate_of(run["run"]))) as candidate:
        candidate.execute("update marts.dim_municipality set population = -1 where ags = '05515000'")
    with pytest.raises(steps.GateIsRed, match="nothing is promoted"):
        steps.gate(run["run"], run["as_of"])
    report = json.loads((Path(run["run"]) / "gate.json").read_text(encoding="utf-8"))
    failed = [check for check in report["checks"] if not check["success"] and check["severity"] == "critical"]
    assert [check["mart"] for check in failed] == ["dim_municipality"]
    assert "05515000" in json.dumps(failed[0]["examples"])
    rows = duckdb.sql(
        f"select row_json from '{run['run']}/gate_unexpected.parquet' where check_id = '{failed[0]['id']}'"
    ).fetchall()
    assert [json.loads(row) for (row,) in rows] == [{"ags": "05515000", "population": "-1"}]
    assert [(past["passed"], past["critical"]) for past in quality.past(region.home / "releases")] == [(False, 1)]
    assert not (region.home / "releases" / "current").exists()
