"""Back to a former release and forward again: atomic, recorded, and not undone by the next run."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from publishing.history import read_history
from publishing.overview import list_releases
from publishing.release import Published, current
from publishing.rollback import NothingToDo, allow, roll_back
from publishing.shelf import NoSuchRelease, find, kept, only_publisher, prune, surplus

Promote = Callable[..., Published]
V = [f"2025.03.31.{number}" for number in range(10)]


@pytest.fixture
def three(promote: Promote) -> None:
    for value in (1, 2, 3):
        promote(value, recipe_key=f"made-of-{value}")


def now_current(releases: Path) -> str:
    release = current(releases)
    assert release is not None
    return release.version


@pytest.mark.usefixtures("three")
def test_back_to_the_one_before_and_further(releases: Path) -> None:
    roll_back(releases, reason="Zählstelle steht")
    assert now_current(releases) == V[2]
    roll_back(releases)
    assert now_current(releases) == V[1]
    with pytest.raises(NoSuchRelease, match=r"no release before 2025\.03\.31\.1"):
        roll_back(releases)
    assert kept(releases) == V[1:4]
    events = [(one.action, one.version, one.former, one.reason) for one in read_history(releases)]
    assert events == [
        ("promoted", V[1], None, None),
        ("promoted", V[2], V[1], None),
        ("promoted", V[3], V[2], None),
        ("rolled_back", V[2], V[3], "Zählstelle steht"),
        ("rolled_back", V[1], V[2], None),
    ]


def test_back_passes_over_what_was_rolled_back_before(promote: Promote, releases: Path) -> None:
    for value in (1, 2):
        promote(value, recipe_key=f"made-of-{value}")
    roll_back(releases, reason="bad")
    promote(3, recipe_key="made-of-3")
    roll_back(releases, reason="bad as well")
    assert now_current(releases) == V[1]


@pytest.mark.usefixtures("three")
def test_a_version_that_is_not_kept_or_current_changes_nothing(releases: Path) -> None:
    before = read_history(releases)
    with pytest.raises(NoSuchRelease, match=r"no release 2024\.01\.01\.1, expected one of 2025\.03\.31\.1, "):
        roll_back(releases, "2024.01.01.1")
    with pytest.raises(NothingToDo, match=r"2025\.03\.31\.3 is current already"):
        roll_back(releases, V[3])
    assert (now_current(releases), read_history(releases)) == (V[3], before)


@pytest.mark.usefixtures("three")
def test_what_was_rolled_back_is_not_promoted_again(promote: Promote, releases: Path) -> None:
    roll_back(releases, V[1])
    for value in (3, 2):
        again = promote(value, recipe_key=f"made-of-{value}", input_key="another day")
        assert (again.promoted, again.held_back, again.release.version) == (False, V[value], V[1])
    assert kept(releases) == V[1:4]
    # Other snapshots or other code: nobody has judged that yet.
    assert promote(3, recipe_key="made-of-something-else").release.version == V[4]


def snapshots(**contents: str) -> list[dict[str, str]]:
    """One snapshot in force per source, by its content."""
    return [
        {"source_id": source_id, "partition": "file", "snapshot_sha256": content, "parse_key": "1-x"}
        for source_id, content in contents.items()
    ]


def test_it_is_held_while_the_snapshots_that_set_it_apart_are_in_force(promote: Promote, releases: Path) -> None:
    promote(1, recipe_key="r", inputs=snapshots(schools="good", counters="monday"))
    promote(2, recipe_key="r", inputs=snapshots(schools="bad", counters="monday"))
    roll_back(releases)
    # Another source brings something every day: the bad file is as bad as yesterday.
    tuesday = snapshots(schools="bad", counters="tuesday")
    assert promote(3, recipe_key="r", inputs=tuesday).held_back == V[2]
    # With other code, or once the publisher has mended it, nobody has judged what comes out.
    assert promote(3, recipe_key="mended", inputs=tuesday).release.version == V[3]
    roll_back(releases, V[1])
    assert promote(4, recipe_key="r", inputs=snapshots(schools="mended", counters="tuesday")).release.version == V[4]


@pytest.mark.usefixtures("three")
def test_what_is_allowed_again_is_promoted_again(promote: Promote, releases: Path) -> None:
    roll_back(releases)
    with pytest.raises(NothingToDo, match=rf"{V[1]} is not held back; held back: {V[3]}"):
        allow(releases, V[1])
    allow(releases, V[3], reason="was right after all")
    assert promote(3, recipe_key="made-of-3").release.version == V[4]
    assert read_history(releases)[-2].reason == "was right after all"


@pytest.mark.usefixtures("three")
def test_going_forward_by_hand_lets_the_release_again(promote: Promote, releases: Path) -> None:
    roll_back(releases, V[1])
    done = roll_back(releases, V[3])
    assert (done.event.action, done.event.held_back) == ("restored", {})
    assert not promote(3, recipe_key="made-of-3").promoted
    assert promote(3, recipe_key="made-of-3", synthetic=True).promoted
    # The one between was never made current again.
    assert promote(2, recipe_key="made-of-2").held_back == V[2]


@pytest.mark.usefixtures("three")
def test_the_list_says_what_was_rolled_back(releases: Path) -> None:
    roll_back(releases)
    rows = list_releases(releases)
    assert [(row.version, row.current, row.rolled_back, row.held_back) for row in rows] == [
        (V[3], False, True, True),
        (V[2], True, False, False),
        (V[1], False, False, False),
    ]
    assert [(row.marts, row.rows, row.gate_passed) for row in rows] == [(2, 5, True)] * 3
    allow(releases, V[3])
    assert (list_releases(releases)[0].rolled_back, list_releases(releases)[0].held_back) == (True, False)


@pytest.mark.usefixtures("three")
def test_a_broken_release_is_listed_with_its_reason(releases: Path) -> None:
    (releases / V[2] / "release.json").write_text("{}", encoding="utf-8")
    row = list_releases(releases)[1]
    assert (row.version, row.marts, row.gate_passed) == (V[2], None, None)
    assert row.broken is not None
    assert "release.json" in row.broken


# -- pruning ---------------------------------------------------------------------------------------------------------


def test_neither_the_current_nor_the_one_it_replaced_goes(promote: Promote, releases: Path) -> None:
    for value in range(1, 6):
        promote(value)
    roll_back(releases, V[1])
    assert surplus(releases, 2) == V[2:5]
    # A reader may still be opening the oldest, which was current until now.
    promote(6, keep=2)
    assert kept(releases) == [V[1], V[6]]
    assert [one.version for one in read_history(releases) if one.action == "pruned"] == V[2:6]


@pytest.mark.usefixtures("three")
def test_pruning_by_hand_keeps_the_newest(releases: Path) -> None:
    assert surplus(releases, 3) == []
    with pytest.raises(ValueError, match="keep=1: expected at least 2"):
        surplus(releases, 1)
    with only_publisher(releases):
        assert prune(releases, 2) == [V[1]]
    assert kept(releases) == [V[2], V[3]]
    assert find(releases, "current").version == V[3]


def test_a_promotion_that_died_before_it_was_written_down_is_written_down_later(
    promote: Promote, releases: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("publishing.release.append_event", killed)
        with pytest.raises(KeyboardInterrupt):
            promote(1)
    assert now_current(releases) == V[1]
    promote(2)
    assert [(one.action, one.version) for one in read_history(releases)] == [("promoted", V[1]), ("promoted", V[2])]
