"""The gate report: whole in both languages, harmless, and readable without colours, scripts or a network."""

from __future__ import annotations

import re
from collections import Counter
from datetime import date
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from expectations.owners import Owners, load_owners
from expectations.page import page
from expectations.scorecard import scorecard
from expectations.verdict import Past, Quarantine, Result, verdict_of
from tests.expectations.conftest import AS_OF, OWNERS, result

VOID = {"meta", "input", "br", "rect"}
HOSTILE = "<script src=//x.example>alert(1)</script>\"'"
KNOWN = Quarantine(
    reason_de="Grund <b>de</b>", reason_en="Reason <b>en</b>", owner="mobility", expires=date(2026, 12, 31)
)
RESULTS = (
    result(),
    result(
        id="dim_area.wrong",
        success=False,
        unexpected_count=12345,
        judged=20000,
        examples=({"area_id": HOSTILE, "level": None},),
        meaning_de="Ebene <bekannt>.",
        meaning_en="Level <known>.",
    ),
    result(id="dim_area.known", severity="warning", success=False, unexpected_count=2, quarantine=KNOWN),
    result(
        id="dim_stop.row_count_per_partition",
        mart="dim_stop",
        expectation="row_count_per_partition",
        severity="warning",
        success=False,
        unexpected_count=1,
        judged=3,
        rows=({"partition": "2026-10", "expected": "720", "found": "719"},),
    ),
    result(id="dim_stop.broken", mart="dim_stop", success=False, error=f"no column {HOSTILE}"),
)
PAST = Past(
    judgement=7,
    as_of=AS_OF,
    release="2026.11.21.1",
    passed=True,
    checks=4,
    critical=0,
    warning=3,
    info=0,
    quarantined=1,
)


class Page(HTMLParser):
    """What stands in a page, as a browser would take it."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.said: dict[str, list[str]] = {"de": [], "en": []}
        self._open: list[str] = []
        self._main = ""
        self.feed(text)
        self.close()
        assert not self._open, f"left open: {self._open}"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag == "main":
            self._main = str(dict(attrs)["lang"])
        if tag not in VOID:
            self._open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag
        if tag == "main":
            self._main = ""

    def handle_data(self, data: str) -> None:
        if self._main:
            self.said[self._main].append(data)

    def text(self, lang: str) -> str:
        return re.sub(r"\s+", " ", " ".join(self.said[lang]))


@pytest.fixture
def owners(tmp_path: Path) -> Owners:
    (tmp_path / "owners.yml").write_text(OWNERS, encoding="utf-8")
    return load_owners(tmp_path / "owners.yml")


def html(
    owners: Owners, results: tuple[Result, ...] = RESULTS, past: tuple[Past, ...] = (PAST,), kind: Any = "sample"
) -> str:
    verdict = verdict_of(
        results, scorecard(results, {"dim_area": ("a", "b", "c")}, {"a": True, "b": True}), kind, AS_OF
    )
    return page(verdict, past, owners)


def test_both_languages_say_the_same_things_in_their_own_words(owners: Owners) -> None:
    text = Page(html(owners))
    german, english = text.text("de"), text.text("en")
    for said in (
        "Prüfbericht der Marts: nicht bestanden",
        "SYNTHETISCH",
        "Stand 22.11.2026, 13:00 MEZ",
        "12.345 unerwartete Zeilen",
        "Ebene <bekannt>.",
        "Zuständig: Plattform",
        "dim_area · gilt bis 31.12.2026 Alles da. Grund: Grund <b>de</b> 2 unerwartete Zeilen Zuständig: Verkehr",
        "2026-10 720 719",
        "0,666",
    ):
        assert said in german
    for said in (
        "Gate report on the marts: failed",
        "SYNTHETIC",
        "As of 2026-11-22, 13:00 CET",
        "12,345 unexpected rows",
        "Level <known>.",
        "Owner: Platform",
        "dim_area · holds until 2026-12-31 All there. Reason: Reason <b>en</b> 2 unexpected rows Owner: Mobility",
        "2026-10 720 719",
        "0.666",
    ):
        assert said in english
    assert "unexpected rows" not in german
    assert "unerwartete" not in english


def test_the_history_tells_of_this_and_the_former_judgements(owners: Owners) -> None:
    english = Page(html(owners)).text("en")
    assert (
        "this one 2026-11-22, 13:00 CET failed 2 1 0 1 – 7 2026-11-22, 13:00 CET passed 0 3 0 1 2026.11.21.1" in english
    )
    assert "This is the first judgement." in Page(html(owners, past=())).text("en")


def test_nothing_is_asked_for_from_outside_and_nothing_runs(owners: Owners) -> None:
    text = html(owners)
    tags = Counter(tag for tag, _ in Page(text).tags)
    assert not tags.keys() & {"script", "link", "img", "iframe", "object", "embed", "base", "form", "video", "audio"}
    for _, attributes in Page(text).tags:
        assert not [name for name in attributes if name.startswith("on") or name in ("src", "srcset", "action")]
        assert str(attributes.get("href", "#")).startswith("#")
    assert not re.search(r"@import|url\(|https?:", text)
    policy = [attributes for tag, attributes in Page(text).tags if attributes.get("http-equiv")]
    assert policy[0]["content"] == "default-src 'none'; style-src 'unsafe-inline'"
    assert "<script" not in text


def test_it_can_be_read_without_colours_and_by_ear(owners: Owners) -> None:
    text = html(owners)
    tags = Page(text).tags
    assert [attributes["lang"] for tag, attributes in tags if tag in ("html", "main")] == ["de", "de", "en"]
    assert all("scope" in attributes for tag, attributes in tags if tag == "th")
    headings = [int(tag[1]) for tag, _ in tags if re.fullmatch(r"h[1-6]", tag)]
    assert set(headings) == {1, 2, 3}
    assert headings.count(1) == 2
    # A picture is either described or left out.
    assert all("aria-hidden" in attributes or attributes.get("aria-label") for tag, attributes in tags if tag == "svg")
    identifiers = [attributes["id"] for _, attributes in tags if "id" in attributes]
    assert len(identifiers) == len(set(identifiers))
    assert {attributes["href"][1:] for _, attributes in tags if attributes.get("href")} <= set(identifiers)
    labelled = {attributes.get("for") for tag, attributes in tags if tag == "label"}
    assert labelled == {attributes["id"] for tag, attributes in tags if tag == "input"}
    german = Page(text).text("de")
    for sign in ("■ kritisch", "▲ Warnung", "✓ erfüllt", "✗ verfehlt", "◌ Quarantäne"):
        assert sign in german


def test_a_green_page_says_so(owners: Owners) -> None:
    text = Page(html(owners, (result(),), kind="live"))
    assert "Gate report on the marts: passed" in text.text("en")
    assert "Every check holds or is quarantined." in text.text("en")
    assert "Kein Fehler ist in Quarantäne." in text.text("de")
    assert "SYNTHET" not in text.text("de")


def test_a_mark_below_one_is_never_shown_as_one(owners: Owners) -> None:
    nearly = result(success=False, unexpected_count=1, judged=1_000_000)
    assert "0.999" in Page(html(owners, (nearly,))).text("en")
