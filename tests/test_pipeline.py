"""The steps that the DAGs wire, from the synthetic publishers' bytes to a release, without Airflow around them."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import zipfile
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest
from click.testing import Result
from typer.testing import CliRunner

from connectors.catalogue import DOMAINS, load_catalogue
from connectors.landing import Landing
from connectors.region import region as extent
from expectations.clock import local_day
from expectations.row_counts import as_yaml
from expectations.rules import RULES, load_rules, row_counts_file
from muensterland import steps
from muensterland.cli import app
from muensterland.gate_command import counted as counted_anew
from muensterland.orchestration import sources_by_domain
from muensterland.sample import mastr
from muensterland.sample.generate import generate
from muensterland.sample.server import serve
from muensterland.settings import REPOSITORY, Settings
from muensterland.steps import source_state
from publishing import quality
from tests.privacy.attacker import attack
from tests.privacy.published import district_cell, districts, hidden_here, of_parquet, whole

pytestmark = pytest.mark.long(9)

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
    # Everything was fetched just now; the calendar and what is declared here have no source.
    assert {mart for mart, fresh, *_ in scores if fresh != 1} == {"dim_date", "dim_indicator", "mart_area_change"}
    assert history == [(1, record["version"], True)]
    # Only Münster counts bicycles; of the two stations of the BASt one stands in Steinfurt.
    assert sites == [(64, 64)]


def test_the_row_counts_in_git_are_those_of_the_sample(first: tuple[Region, dict[str, Any]]) -> None:
    region, _ = first
    report = json.loads((region.home / "releases/current/gate.json").read_text(encoding="utf-8"))
    counted = {
        check["mart"]: check["success"]
        for check in report["checks"]
        if check["expectation"] == "row_count_per_partition"
    }
    suites = load_rules(RULES, "sample").suites
    expected = {check["mart"] for check in report["checks"]} - {mart for mart in suites if not suites[mart].counted}
    assert counted == dict.fromkeys(expected, True), "run `gate counts`, review, commit"
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


def test_capacity_is_the_invented_registers_ledger(first: tuple[Region, dict[str, Any]]) -> None:
    """Units and kW per municipality, technology and month; and what a unit was known to have on a day."""
    region, _ = first
    with duckdb.connect(str(region.home / "releases/current/muensterland.duckdb"), read_only=True) as db:
        found = db.execute(
            "select ags, technology, month, units, gross_capacity_kw::double from marts.mart_energy_capacity "
            "where units > 0"
        ).fetchall()
        known = db.execute(
            "select gross_capacity_kw::double from marts.fct_energy_unit_version where unit_id = ? "
            "and known_from_date <= '2026-06-30' and (known_to_date is null or known_to_date > '2026-06-30')",
            [mastr.REPOWERED_UNIT],
        ).fetchall()
        deleted = db.execute(
            "select known_to_date::text from marts.fct_energy_unit_version where unit_id = ?", [mastr.DELETED_UNIT]
        ).fetchall()
        off = db.execute(
            "select reference_source_id, source_id, area_id, technology, deviation_share "
            "from marts.mart_energy_crosscheck where is_deviating order by all"
        ).fetchall()
        national = db.execute(
            "select technology, reference_kw from marts.mart_energy_crosscheck where area_level = 'nation' order by all"
        ).fetchall()
    assert {(ags, technology, month): (units, kw) for ags, technology, month, units, kw in found} == mastr.ledger()
    assert known == [(mastr.FORMER_KW,)]
    assert deleted == [(str(mastr.STATE),)]
    assert off == [
        ("localzero-renewable-energy", "bnetza-mastr", mastr.DEVIATING_AGS, "wind", pytest.approx(1 / 1.1 - 1)),
        ("smard-prices-capacity", "localzero-renewable-energy", "DE", "wind", pytest.approx(72.6 / 66 - 1)),
    ]
    assert national == [("biomass", 9_100_000), ("hydro", 5_100_000), ("solar", 104_000_000), ("wind", 66_000_000)]


def test_no_person_of_the_register_leaves_its_parser(first: tuple[Region, dict[str, Any]]) -> None:
    region, _ = first
    files = [
        place
        for place in (region.home / "staged").rglob("*.parquet")
        if "energy" in str(place) or "rejected" in str(place)
    ]
    assert len(files) > 20
    for place in files:
        with duckdb.connect() as db:
            text = str(db.execute(f"from read_parquet('{place}', hive_partitioning = false)").fetchall())
        assert mastr.NAME_OF_A_PERSON not in text, place
        assert mastr.STREET_OF_A_PERSON not in text, place
    # What nobody reads of them is not even fetched.
    exports = list((region.home / "landing/bnetza-mastr").glob("*/*.zip"))
    assert len(exports) == 2
    for place in exports:
        with zipfile.ZipFile(place) as archive:
            assert archive.comment == b"31 of 32 members"
            assert "Marktrollen.xml" not in archive.namelist()


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
        ags
        for source in load_catalogue(Settings().sources_dir).values()
        if source.domain == "mobility"
        for key in source.covers
        for ags in extent().centres
        if ags.startswith(key)
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
    everywhere = {"bast-permanent-counters", "nrw-accident-atlas"}
    assert {source for (source,) in speaking} == {"bocholt-bicycle-counters", *everywhere}


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


# -- releases through time -------------------------------------------------------------------------------------------


def command(*words: str) -> Result:
    return CliRunner().invoke(app, words)


def answer(*words: str) -> Any:
    done = command(*words, "--json")
    assert done.exit_code == 0, done.output
    return json.loads(done.stdout)


@pytest.fixture
def copy(first: tuple[Region, dict[str, Any]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Region:
    """The home with its first release, to be changed."""
    region = Region(tmp_path / "copy", monkeypatch)
    shutil.copytree(first[0].home, region.home, symlinks=True)
    region.settle(MIRROR="http://127.0.0.1:9")
    return region


def land_changed_schools(settings: Settings) -> None:
    """A later fetch brought other bytes: the file without some of its schools."""
    landing = Landing(settings.home.landing, "nrw-schools")
    (record,) = landing.latest_good().values()
    assert record.snapshot_sha256 is not None
    assert record.file_name is not None
    draft = landing.folder / "draft"
    lines = landing.file(record.snapshot_sha256, record.file_name).read_bytes().splitlines(keepends=True)
    draft.write_bytes(b"".join([*lines[:10], *lines[30:]]))
    sha256 = hashlib.sha256(draft.read_bytes()).hexdigest()
    landing.keep(draft, sha256, record.file_name)
    later = record.finished_at + timedelta(days=1)
    landing.append(replace(record, snapshot_sha256=sha256, started_at=later, finished_at=later))
    assert steps.parse("nrw-schools")["parsed"] == 1


def last_fetch(source_id: str) -> datetime:
    return max(record.finished_at for record in Landing(Settings().home.landing, source_id).log())


def test_a_release_is_made_again_from_the_landing_alone_whatever_came_later(
    first: tuple[Region, dict[str, Any]], copy: Region
) -> None:
    land_changed_schools(Settings())
    shutil.rmtree(copy.home / "staged")
    rebuilt = answer("releases", "rebuild", first[1]["version"])
    assert rebuilt["equal"] is True
    assert {mart["mart"]: mart["state"] for mart in rebuilt["marts"]} == dict.fromkeys(first[1]["marts"], "equal")
    assert rebuilt["snapshots"] == len(first[1]["inputs"])
    # Nothing of the home was touched, nothing is left behind.
    assert not (copy.home / "staged").exists()
    assert [path.name for path in (copy.home / "rebuild").iterdir()] == [".lock"]


def test_a_landing_that_was_changed_is_not_rebuilt_from(first: tuple[Region, dict[str, Any]], copy: Region) -> None:
    (schools,) = (used for used in first[1]["inputs"] if used["source_id"] == "nrw-schools")
    file = copy.home / "landing" / "nrw-schools" / schools["snapshot_sha256"] / schools["file_name"]
    file.write_bytes(file.read_bytes()[:-1])
    done = command("releases", "rebuild")
    assert done.exit_code == 1
    assert f"{schools['file_name']}: its content has sha256" in done.stderr


def test_what_was_rolled_back_is_not_built_again_before_it_is_allowed(
    first: tuple[Region, dict[str, Any]], copy: Region, caplog: pytest.LogCaptureFixture
) -> None:
    releases = copy.home / "releases"
    # The first release becomes the second one: a former one to go back to stands before it.
    version, former = first[1]["version"], "2026.11.21.1"
    record = {**first[1], "version": former, "recipe_key": "of something else"}
    shutil.copytree(releases / version, releases / former)
    (releases / former / "release.json").write_text(json.dumps(record), encoding="utf-8")
    (releases / "versions.txt").write_text(f"{former}\n{version}\n", encoding="utf-8")
    event = answer("releases", "rollback", "--reason", "counts are wrong")
    assert (event["action"], event["version"], event["former"], event["reason"]) == (
        *("rolled_back", former, version, "counts are wrong"),
    )
    assert list(event["held_back"]) == [version]
    # The next morning: another date alone makes nothing new of it.
    tomorrow = "2026-11-23T12:00:00+00:00"
    with caplog.at_level("INFO", logger="muensterland.progress"):
        assert steps.begin_release(tomorrow) is None
    assert f"{version} was rolled back, and what set it apart is still in force" in caplog.text
    # Another snapshot does, and so does somebody who says so.
    assert answer("releases", "allow", version)["action"] == "allowed"
    assert steps.begin_release(tomorrow) is not None
    answer("releases", "rollback", version)
    answer("releases", "rollback", former)
    assert steps.begin_release(tomorrow) is None
    land_changed_schools(Settings())
    assert steps.begin_release(tomorrow) is not None
    actions = [event["action"] for event in answer("releases", "history")]
    assert actions == ["promoted", "rolled_back", "allowed", "restored", "rolled_back"]


def test_a_mart_names_the_snapshots_it_came_from(first: tuple[Region, dict[str, Any]], copy: Region) -> None:
    found = answer("lineage", "fct_departure_day")
    assert (found["release"], found["version"]) == (
        first[1]["version"],
        first[1]["marts"]["fct_departure_day"]["version"],
    )
    feeds = {"gtfs-de-local", "gtfs-de-regional-rail", "stadtwerke-muenster-gtfs"}
    assert feeds <= {used["source_id"] for used in found["snapshots"]}
    inputs = {(used["source_id"], used["snapshot_sha256"]) for used in first[1]["inputs"]}
    assert {(used["source_id"], used["snapshot_sha256"]) for used in found["snapshots"]} <= inputs
    assert "muenster-bicycle-counters" not in {used["source_id"] for used in found["snapshots"]}
    assert found["nodes"][0]["name"] == "fct_departure_day"
    assert {"stg_gtfs_stop_times", "int_stop_merge"} <= {node["name"] for node in found["nodes"]}
    schools = answer("lineage", "dim_school")
    assert {used["source_id"] for used in schools["snapshots"]} == {"nrw-schools", "bkg-boundaries"}
    (used,) = (used for used in schools["snapshots"] if used["source_id"] == "nrw-schools")
    assert used["records"] == {"school": 321}
    assert used["licence"]
    assert used["url"].endswith("schuldaten.csv")
    assert used["fetched_at"].endswith("Z")
    assert "dim_school" in command("lineage", "dim_school").stdout
    access = {node["name"]: node for node in answer("lineage", "mart_transit_access")["nodes"]}
    assert access["int_cell_stop"]["staged"] == ["gtfs_stops", "population_cell"]


def test_a_mart_names_what_speaks_for_an_area(copy: Region) -> None:
    # Only Münster counts bicycles. Motor traffic is counted for everywhere, but no station stands in Bocholt.
    counters = [
        "muenster-bicycle-counters",
        "muenster-bicycle-hours",
        "muenster-eco-visio",
        "muenster-motor-traffic",
    ]
    muenster = answer("lineage", "mart_traffic_day", "--area", "05515000")
    assert {used["source_id"] for used in muenster["snapshots"]} >= set(counters)
    bocholt = answer("lineage", "mart_traffic_day", "--area", "05554008")
    assert bocholt["snapshots"] == []
    assert bocholt["silent"] == [
        {"source_id": "bast-permanent-counters", "reason": "has no row of 05554008 in mart_traffic_day"},
        *({"source_id": source, "reason": "does not speak for 05554008"} for source in counters),
    ]
    # The rows of a departure name its feed, the stop its place.
    with duckdb.connect(str(copy.home / "releases/current/muensterland.duckdb"), read_only=True) as release:
        feeds = release.sql(
            "select distinct source_id from marts.fct_departure_day join marts.dim_stop using (source_id, stop_id) "
            "where ags = '05554008'"
        ).fetchall()
    traced = answer("lineage", "fct_departure_day", "--area", "05554008")
    named = {used["source_id"] for used in traced["snapshots"] if "gtfs_stop_times" in used["records"]}
    assert named == {feed for (feed,) in feeds}
    for words, said in {
        ("dim_nowhere",): "has no mart dim_nowhere",
        ("dim_stop", "--area", "99"): "has no area 99",
    }.items():
        refused = command("lineage", *words)
        assert (refused.exit_code, said in refused.stderr) == (2, True)


RELEASE_ROW = {
    *("version", "current", "as_of", "promoted_at", "marts", "rows", "bytes", "gate_passed", "synthetic"),
    *("rolled_back", "held_back", "broken"),
}
EVENT = {"at", "action", "version", "by", "former", "reason", "record_sha256", "held_back"}
STATUS = {
    *("source_id", "domain", "state", "freshness", "last_success_at", "fresh_for_days", "snapshots_in_force"),
    *("staged", "rejected", "out_of_scope", "errors"),
}
USAGE = {
    *("source_id", "attempts", "snapshots", "bytes", "in_force", "released", "recent", "compared", "prunable"),
    "prunable_bytes",
}


def test_listings_answer_in_json_of_a_shape_that_stays(
    first: tuple[Region, dict[str, Any]], copy: Region, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AS_OF", last_fetch("zensus-2022").isoformat())
    version = first[1]["version"]
    (row,) = answer("releases", "list")
    assert set(row) == RELEASE_ROW
    assert (row["version"], row["current"], row["as_of"]) == (version, True, "2026-11-22T12:00:00Z")
    assert row["rows"] == sum(mart["rows"] for mart in first[1]["marts"].values())
    assert answer("releases", "show") == json.loads((copy.home / "releases/current/release.json").read_text())
    assert [set(event) for event in answer("releases", "history")] == [EVENT]
    assert answer("releases", "verify", "--all") == []
    assert answer("releases", "diff", version, version)["equal"] is True
    assert answer("releases", "prune", "--dry-run") == {"dry_run": True, "removed": [], "kept": [version]}
    statuses = answer("sources", "status")
    assert {frozenset(status) for status in statuses} == {frozenset(STATUS)}
    assert {status["freshness"] for status in statuses} == {"fresh"}
    offered = {entry["id"] for entry in answer("sources", "list") if "sample" in entry["inputs"]}
    assert offered == {status["source_id"] for status in statuses}
    used = answer("landing", "du")
    assert {frozenset(usage) for usage in used} == {frozenset(USAGE)}
    counters = next(usage for usage in used if usage["source_id"] == "muenster-bicycle-counters")
    assert counters["in_force"] == counters["snapshots"] == 48
    assert answer("landing", "prune", "--keep-days", "0")["snapshots"] == []
    for words in (("releases", "list"), ("releases", "show"), ("releases", "history"), ("landing", "du")):
        assert command(*words).exit_code == 0


def test_a_tampered_release_is_named_with_exit_code_one(copy: Region) -> None:
    with duckdb.connect(str(copy.home / "releases/current/muensterland.duckdb")) as release:
        release.execute(
            "update marts.dim_school set name = 'another' "
            "where school_id = (select min(school_id) from marts.dim_school)"
        )
    done = command("releases", "verify", "--json")
    assert done.exit_code == 1
    assert {finding["mart"] for finding in json.loads(done.stdout)} == {None, "dim_school"}


def test_the_landing_gives_up_only_what_nobody_needs(copy: Region, monkeypatch: pytest.MonkeyPatch) -> None:
    schools = copy.home / "landing" / "nrw-schools"
    (released,) = (path for path in schools.iterdir() if path.is_dir())
    fetched_at = last_fetch("nrw-schools")
    land_changed_schools(Settings())
    evidence = schools / ("e" * 64)
    evidence.mkdir()
    (evidence / "page.html").write_text("<html>")
    os.utime(evidence, times=(fetched_at.timestamp(), fetched_at.timestamp()))
    log = (schools / "fetch_log.jsonl").read_bytes()
    superseded = list((copy.home / "staged" / "school").glob(f"*/*{released.name}/*.parquet"))
    assert len(superseded) == 1
    # Evidence is kept for 90 days; the bytes in force and those a release names for ever.
    monkeypatch.setenv("AS_OF", (fetched_at + timedelta(days=89)).isoformat())
    assert answer("landing", "prune")["snapshots"] == []
    monkeypatch.setenv("AS_OF", (fetched_at + timedelta(days=92)).isoformat())
    planned = answer("landing", "prune")
    assert (planned["dry_run"], [one["snapshot_sha256"] for one in planned["snapshots"]]) == (True, ["e" * 64])
    assert evidence.exists()
    assert superseded[0].exists()
    removed = answer("landing", "prune", "--yes")
    assert (removed["dry_run"], removed["landing_bytes"]) == (False, 6)
    assert not evidence.exists()
    assert not superseded[0].exists()
    assert released.exists()
    assert (schools / "fetch_log.jsonl").read_bytes() == log
    told = [json.loads(line) for line in (copy.home / "landing" / "pruned.jsonl").read_text().splitlines()]
    assert [(one["source_id"], one["snapshot_sha256"]) for one in told] == [("nrw-schools", "e" * 64)]
    assert answer("landing", "prune", "--yes")["snapshots"] == []
    # Without the release nobody names the superseded snapshot, but the one in force was compared with it.
    shutil.rmtree(copy.home / "releases")
    assert answer("landing", "prune")["snapshots"] == []
    assert next(usage["compared"] for usage in answer("landing", "du") if usage["source_id"] == "nrw-schools") == 1
    land_changed_schools(Settings())
    assert [one["snapshot_sha256"] for one in answer("landing", "prune", "--yes")["snapshots"]] == [released.name]
    # The one before the newest has nothing to be compared with any more; what is in force stays in force.
    parsed = steps.parse("nrw-schools")
    assert (parsed["staged"], parsed["refused"]) == (281, 0)
    assert answer("landing", "prune")["snapshots"] == []


def test_sources_are_fetched_without_airflow(
    first: tuple[Region, dict[str, Any]], publishers: str, copy: Region
) -> None:
    copy.settle(MIRROR=publishers)
    done = command("sources", "fetch", "nrw-schools", "zensus-2022")
    assert done.exit_code == 0, done.output
    assert steps.source_state(Settings().home, "nrw-schools") == "unchanged"
    told = command("sources", "fetch", "nrw-schools", "--json")
    assert [(one["source_id"], one["state"]) for one in json.loads(told.stdout)] == [("nrw-schools", "unchanged")]
    refused = command("sources", "fetch", "nowhere")
    assert (refused.exit_code, "nowhere: no such source; expected one of" in refused.stderr) == (2, True)


# -- the monitor ----------------------------------------------------------------------------------------------------


def test_every_field_of_action_has_indicators_and_every_blank_its_reason(
    first: tuple[Region, dict[str, Any]], copy: Region
) -> None:
    rows = answer("monitor", "coverage")
    fields = Counter(row["field_of_action"] for row in rows)
    assert len(fields) == 14
    assert min(fields.values()) >= 2
    assert all(row["reason"] for row in rows if row["latest_period"] is None)
    told = {row["indicator_id"]: row for row in rows}
    # A table of Kreise: Münster is one, and a municipality.
    assert (told["waste_kg_per_head"]["municipalities"], told["waste_kg_per_head"]["kreise"]) == (1, 5)
    assert told["population_density"]["municipalities"] == 66
    documented = (REPOSITORY / "docs" / "indicators.md").read_text(encoding="utf-8")
    assert [row["indicator_id"] for row in rows if f"`{row['indicator_id']}`" not in documented] == []
    assert "14 of 14 fields of action" in command("monitor", "coverage").stdout
    assert command("monitor", "coverage", "--markdown").stdout.count("\n") == len(rows) + 14 + 2


def test_an_indicator_is_what_its_marts_say(first: tuple[Region, dict[str, Any]]) -> None:
    with duckdb.connect(first[0].home / "releases/current/muensterland.duckdb", read_only=True) as release:
        ((told,), (kw,), (people,)) = release.sql(
            """
            select value from marts.mart_indicator
            where indicator_id = 'solar_kw_per_1000' and area_id = '05554' and period = '2025-12'
            union all
            select sum(gross_capacity_kw) from marts.mart_energy_capacity
            where technology = 'solar' and ags like '05554%' and month = '2025-12-01'
            union all
            select sum(population) from marts.mart_population
            where source_id = 'destatis-municipality-directory' and ags like '05554%'
            """
        ).fetchall()
    assert told == pytest.approx(1000 * kw / people)


def test_an_attacker_with_the_whole_release_finds_no_count_of_few(first: tuple[Region, dict[str, Any]]) -> None:
    """From the statistics of their day and of today, the indicators made of them and the figures of districts."""
    read = of_parquet(first[0].home / "releases" / "current")
    hidden, found = hidden_here(read), whole(read)
    assert sum(any(one[0] == "numerator" for one in equation) for equation in found.equations) > 10
    known = attack(found)
    assert len(hidden & known.keys()) > 30
    assert {one for one in hidden & known.keys() if known[one].is_found} == set()

    rows = [*read("mart_population_district"), *read("mart_district_statistic")]
    hidden = {district_cell({"subject": "population", **row}) for row in rows if row["reason"] == "disclosure_control"}
    known = attack(districts(read))
    assert len(hidden & known.keys()) > 30
    assert {one for one in hidden & known.keys() if known[one].is_found and known[one].most > 0} == set()


def test_goals_stand_as_the_sample_means_them(first: tuple[Region, dict[str, Any]], copy: Region) -> None:
    assert {goal["goal_id"]: goal["status"] for goal in answer("monitor", "goals")} == {
        "borken-abfall-2030": "not_measurable",
        "kreis-borken-wind-2030": "behind",
        "ms-abfahrten-2028": "behind",
        "ms-ladepunkte-2030": "reached",
        "ms-solar-2030": "on_course",
        "ms-waermenetz-2035": "not_measurable",
    }
