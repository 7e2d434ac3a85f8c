"""The gate report as one page in German and English that asks for nothing from outside.

Both languages stand in the page whole; radio buttons and CSS show one of them. No script is needed or allowed.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape

from expectations.owners import Owners
from expectations.verdict import Past, Quarantine, Result, Score, Verdict
from expectations.words import ENGLISH, GERMAN, Words

MARKS = ("fresh", "complete", "valid", "consistent")
ROW_COUNTS = "row_count_per_partition"
# Told apart by shape as well as by colour.
SIGNS = {"critical": "■", "warning": "▲", "info": "●"}
STYLE = """
:root { color-scheme: light; --line: #c9c9c9; --soft: #f4f4f1; --quiet: #565656; --good: #1a6b34; --bad: #a61b1b; }
* { box-sizing: border-box; }
body { font: 16px/1.5 system-ui, sans-serif; margin: 0 auto; max-width: 72rem; padding: 1rem; color: #1b1b1b;
  background: #fff; }
h1 { font-size: 1.7rem; line-height: 1.2; margin: .5rem 0; }
h2 { font-size: 1.25rem; margin: 2.2rem 0 .5rem; border-bottom: 2px solid #1b1b1b; padding-bottom: .15rem; }
h3 { font-size: 1rem; margin: 0 0 .3rem; }
p { margin: .4rem 0; max-width: 50rem; }
.quiet { color: var(--quiet); font-size: .9rem; }
.verdict { display: inline-block; padding: .1em .5em; border-radius: .2em; color: #fff; }
.passed { background: var(--good); } .failed { background: var(--bad); }
.synthetic { border: 2px dashed #1b1b1b; padding: .3rem .6rem; font-weight: 600; display: inline-block; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; margin: .6rem 0; }
table.full { width: 100%; }
caption { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
th, td { text-align: left; vertical-align: top; padding: .3rem .7rem .3rem 0; border-bottom: 1px solid var(--line); }
thead th { border-bottom: 2px solid var(--line); font-size: .9rem; white-space: nowrap; }
tbody th { font-weight: 500; }
td { font-variant-numeric: tabular-nums; }
abbr { text-decoration: none; } svg { display: block; } .bar { margin-top: .15rem; }
code { font-size: .85em; overflow-wrap: anywhere; } th code, time { white-space: nowrap; }
.card { border: 1px solid var(--line); border-left: .5rem solid #2a5d9f; padding: .6rem .9rem; margin: .7rem 0; }
.card.critical { border-left-color: var(--bad); } .card.warning { border-left-color: #b26a00; }
.card.known { border-left: .5rem double #565656; }
.card p { margin: .15rem 0; overflow-wrap: anywhere; }
.card td, .card th { font-size: .85rem; overflow-wrap: anywhere; }
details { border-bottom: 1px solid var(--line); padding: .35rem 0; }
summary { cursor: pointer; } .card details { border: 0; }
summary:focus-visible, input:focus-visible + label { outline: 3px solid #2a5d9f; outline-offset: 2px; }
body > label { margin: 0 1rem 0 .2rem; }
#show-de:checked ~ main[lang=en], #show-en:checked ~ main[lang=de] { display: none; }
@media (max-width: 36rem) {
  body { padding: .7rem; font-size: 15px; } h1 { font-size: 1.35rem; } th, td { padding-right: .5rem; }
  th code { font-size: .78em; } .bar { width: 3rem; }
}
@media print {
  body { max-width: none; font-size: 10pt; } body > input, body > label { display: none; }
  .card, tr { break-inside: avoid; } details::details-content { content-visibility: visible; height: auto; }
  .verdict, rect { print-color-adjust: exact; -webkit-print-color-adjust: exact; }
}
"""


def page(verdict: Verdict, past: Sequence[Past], owners: Owners) -> str:
    """The HTML text of the report; every value in it is escaped, scripts and outside addresses are forbidden."""
    return f"""<!doctype html>
<html lang="de">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{GERMAN.title} | {ENGLISH.title}</title>
<style>{STYLE}</style>
</head>
<body>
<input type="radio" name="language" id="show-de" checked><label for="show-de" lang="de">Deutsch</label>
<input type="radio" name="language" id="show-en"><label for="show-en" lang="en">English</label>
{_report(verdict, past, owners, GERMAN)}
{_report(verdict, past, owners, ENGLISH)}
</body>
</html>
"""


def _report(verdict: Verdict, past: Sequence[Past], owners: Owners, words: Words) -> str:
    state, word, means = (
        ("passed", words.passed, words.passed_means) if verdict.passed else ("failed", words.failed, words.failed_means)
    )
    synthetic = f'<p class="synthetic">{words.synthetic}</p>' if verdict.input == "sample" else ""
    sections = (
        (words.overview, _overview(verdict, words)),
        (words.scorecard, _scorecard(verdict.scorecard, words)),
        (words.failures, _failures(verdict, owners, words)),
        (words.quarantined, _quarantined(verdict, owners, words)),
        (words.row_counts, _row_counts(verdict, words)),
        (words.history, _history(verdict, past, words)),
        (words.all_checks, _all_checks(verdict, owners, words)),
    )
    body = "\n".join(f"<section>\n<h2>{heading}</h2>\n{content}\n</section>" for heading, content in sections)
    return f"""<main lang="{words.lang}">
{synthetic}
<h1>{words.title}: <span class="verdict {state}">{word}</span></h1>
<p>{means}</p>
<p class="quiet">{words.state} {words.moment(verdict.as_of)} · INPUT={verdict.input}</p>
{body}
</main>"""


def _table(heads: Sequence[str], rows: Iterable[Sequence[str]], caption: str = "", kind: str = "full") -> str:
    """A table of cells that are HTML already; the first of each row is its header."""
    named = f"<caption>{caption}</caption>" if caption else ""
    head = "".join(f'<th scope="col">{name}</th>' for name in heads)
    body = "\n".join(
        f'<tr><th scope="row">{row[0]}</th>{"".join(f"<td>{cell}</td>" for cell in row[1:])}</tr>' for row in rows
    )
    table = f'<table class="{kind}">{named}<thead><tr>{head}</tr></thead>\n<tbody>{body}</tbody></table>'
    # What scrolls must be reachable by keyboard, and says what it is.
    return f'<div class="scroll" tabindex="0" role="region" aria-label="{caption or heads[0]}">{table}</div>'


def _overview(verdict: Verdict, words: Words) -> str:
    rows = [
        [
            f"{SIGNS[severity]}&nbsp;{words.severities[severity]}",
            *map(words.number, (n.checks, n.failed, n.quarantined)),
        ]
        for severity, n in verdict.counts.items()
    ]
    heads = [words.severity, words.checks, words.failures, words.quarantined_short]
    return _table(heads, rows, kind="")


def _scorecard(scores: Iterable[Score], words: Words) -> str:
    rows = [
        [
            f"<code>{escape(score.mart)}</code>",
            *(_mark(getattr(score, name), words) for name in MARKS),
            words.number(score.checks),
            words.number(score.failed_checks),
            words.number(score.quarantined_checks),
        ]
        for score in scores
    ]
    heads = ["Mart", *(words.dimensions[name] for name in MARKS), words.checks, words.failures, words.quarantined_short]
    return f"<p>{words.scorecard_means}</p>" + _table(heads, rows, words.scorecard)


def _mark(value: float | None, words: Words) -> str:
    if value is None:
        return f'<abbr title="{words.blank}">–</abbr>'
    colour = "#1a6b34" if value == 1 else "#b26a00" if value >= 0.5 else "#a61b1b"
    return (
        f'{words.share(value)}<svg class="bar" width="96" height="8" viewBox="0 0 96 8" preserveAspectRatio="none" '
        f'aria-hidden="true"><rect width="96" height="8" fill="#e4e4e0"/>'
        f'<rect width="{96 * value:.1f}" height="8" fill="{colour}"/></svg>'
    )


def _failures(verdict: Verdict, owners: Owners, words: Words) -> str:
    return "\n".join(_failure(result, owners, words) for result in verdict.failures) or f"<p>{words.failures_none}</p>"


def _failure(result: Result, owners: Owners, words: Words) -> str:
    seen = []
    if result.error:
        seen.append(f'<p><b>{words.error}:</b> <span lang="en">{escape(result.error)}</span></p>')
    elif result.expectation == ROW_COUNTS:
        seen.append(f'<p><a href="#rows-{words.lang}">{words.row_counts_see}</a></p>')
    elif result.unexpected_count is not None:
        seen.append(f"<p><b>{words.number(result.unexpected_count)}</b> {words.unexpected}</p>")
    elif result.observed is not None:
        seen.append(f'<p><b>{words.observed}:</b> <span lang="en">{escape(result.observed)}</span></p>')
    if result.examples and result.expectation != ROW_COUNTS:
        shown = f"{words.examples} ({len(result.examples)})"
        seen.append(f"<details><summary>{shown}</summary>{_rows(result, shown)}</details>")
    return f"""<article class="card {result.severity}">
<h3>{_severity(result, words)} · <code>{escape(result.mart)}</code></h3>
<p>{escape(words.means(result))}</p>
{"".join(seen)}
<p class="quiet">{words.owner}: {_owner(result.owner, owners, words)} · <code>{escape(result.id)}</code></p>
</article>"""


def _severity(result: Result, words: Words) -> str:
    return f"{SIGNS[result.severity]}&nbsp;{words.severities[result.severity]}"


def _time(text: str) -> str:
    return f"<time>{text}</time>"


def _owner(name: str, owners: Owners, words: Words) -> str:
    return escape(words.who(owners.owners[name]))


def _rows(result: Result, caption: str) -> str:
    heads = list(result.examples[0])
    rows = [["–" if row[name] is None else escape(str(row[name])) for name in heads] for row in result.examples]
    return _table([escape(name) for name in heads], rows, caption, kind="")


def _quarantined(verdict: Verdict, owners: Owners, words: Words) -> str:
    cards = (_known(result, known, owners, words) for result in verdict.quarantined if (known := result.quarantine))
    return "\n".join(cards) or f"<p>{words.quarantined_none}</p>"


def _known(result: Result, known: Quarantine, owners: Owners, words: Words) -> str:
    count = result.unexpected_count
    rows = "" if count is None else f"<p><b>{words.number(count)}</b> {words.unexpected}</p>"
    until = f"{words.until} {_time(words.day(known.expires))}"
    return f"""<article class="card known">
<h3>{_severity(result, words)} · <code>{escape(result.mart)}</code> · {until}</h3>
<p>{escape(words.means(result))}</p>
<p><b>{words.reason}:</b> {escape(words.why(known))}</p>
{rows}
<p class="quiet">{words.owner}: {_owner(known.owner, owners, words)} · <code>{escape(result.id)}</code></p>
</article>"""


def _row_counts(verdict: Verdict, words: Words) -> str:
    rows = [
        [
            f"<code>{escape(result.mart)}</code>",
            _severity(result, words),
            *(escape(str(row[name])) for name in ("partition", "expected", "found")),
        ]
        for result in verdict.checks
        if result.expectation == ROW_COUNTS
        for row in result.rows
    ]
    if not rows:
        return f'<p id="rows-{words.lang}">{words.row_counts_same}</p>'
    heads = ["Mart", words.severity, words.partition, words.expected, words.found]
    table = _table(heads, rows, words.row_counts, kind="")
    return f'<div id="rows-{words.lang}"><p>{words.row_counts_means}</p>{table}</div>'


def _history(verdict: Verdict, past: Sequence[Past], words: Words) -> str:
    failed = [one.critical + one.warning + one.info for one in past] + [len(verdict.failures)]
    this = [
        words.this_one,
        _time(words.moment(verdict.as_of)),
        words.passed if verdict.passed else words.failed,
        *(words.number(count.failed) for count in verdict.counts.values()),
        words.number(len(verdict.quarantined)),
        words.no_release,
    ]
    rows = [
        [
            str(one.judgement),
            _time(words.moment(one.as_of)),
            words.passed if one.passed else words.failed,
            *map(words.number, (one.critical, one.warning, one.info, one.quarantined)),
            escape(one.release or words.no_release),
        ]
        for one in reversed(past)
    ]
    heads = [words.judgement, words.state, words.result, *words.severities.values()]
    heads += [words.quarantined_short, words.release]
    first = "" if past else f"<p>{words.history_none}</p>"
    states = [one.passed for one in past] + [verdict.passed]
    return first + _bars(failed, states, words) + _table(heads, [this, *rows], words.history)


def _bars(failed: Sequence[int], passed: Sequence[bool], words: Words) -> str:
    """A bar per judgement, as high as checks failed; a red gate's is filled, a green one's an outline."""
    tallest = max(*failed, 1)
    bars = "".join(
        f'<rect x="{12 * number + 1}" y="{45 - 44 * count / tallest:.1f}" width="9" '
        f'height="{max(44 * count / tallest, 0.5):.1f}" stroke="#1b1b1b" fill="{"#fff" if good else "#a61b1b"}"/>'
        for number, (count, good) in enumerate(zip(failed, passed, strict=True))
    )
    width = 12 * len(failed) + 1
    said = f"{words.history_means} {', '.join(map(str, failed))}"
    return (
        f'<p class="quiet">{words.history_means}</p><svg width="{width}" height="46" viewBox="0 0 {width} 46" '
        f'role="img" aria-label="{said}">{bars}</svg>'
    )


def _all_checks(verdict: Verdict, owners: Owners, words: Words) -> str:
    unfolded = [_checks_of(score, verdict, owners, words) for score in verdict.scorecard]
    return f'<p class="quiet">{words.all_checks_means}</p>' + "\n".join(unfolded)


def _checks_of(score: Score, verdict: Verdict, owners: Owners, words: Words) -> str:
    rows = [
        [
            _sign(result, words),
            escape(words.means(result)),
            words.severities[result.severity],
            words.dimensions[result.dimension] if result.dimension else "–",
            _owner(result.owner, owners, words),
            f"<code>{escape(result.id)}</code>",
        ]
        for result in verdict.checks
        if result.mart == score.mart
    ]
    heads = [words.result, words.meaning, words.severity, words.dimension, words.owner, words.identifier]
    total = f"{words.number(score.checks)} {words.asked}, {words.number(score.failed_checks)} {words.missed}"
    table = _table(heads, rows, escape(score.mart))
    return f"<details><summary><code>{escape(score.mart)}</code> · {total}</summary>{table}</details>"


def _sign(result: Result, words: Words) -> str:
    if result.success:
        return f"✓&nbsp;{words.holds}"
    return f"◌&nbsp;{words.quarantined_short}" if result.quarantine else f"✗&nbsp;{words.fails}"
