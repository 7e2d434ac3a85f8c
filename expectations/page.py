"""The gate report as one page in German and English that asks for nothing from outside."""

from __future__ import annotations

from collections import Counter
from html import escape

from expectations.verdict import Result, Verdict

STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 75rem; padding: 0 1rem; color: #1b1b1b; }
h1 span { padding: .1em .5em; border-radius: .2em; color: #fff; }
.green { background: #1a6b34; } .red { background: #a61b1b; }
table { border-collapse: collapse; width: 100%; margin: 1rem 0; }
th, td { text-align: left; vertical-align: top; padding: .35em .6em; border-bottom: 1px solid #ccc; }
code { overflow-wrap: anywhere; } .en { color: #595959; }
tr.critical td:first-child { border-left: .4em solid #a61b1b; }
tr.warning td:first-child { border-left: .4em solid #b26a00; }
tr.info td:first-child { border-left: .4em solid #2a5d9f; }
"""
SEVERITIES = {"critical": "kritisch / critical", "warning": "Warnung / warning", "info": "Hinweis / note"}


def page(verdict: Verdict) -> str:
    """The HTML text of the report; every value in it is escaped, scripts and outside addresses are forbidden."""
    colour, word = ("green", "bestanden / passed") if verdict.passed else ("red", "nicht bestanden / failed")
    counts = "".join(
        f"<tr><td>{SEVERITIES[severity]}</td><td>{count.checks}</td><td>{count.failed}</td></tr>"
        for severity, count in verdict.counts.items()
    )
    failures = "".join(map(_failure, verdict.failures)) or "<tr><td colspan=4>keine / none</td></tr>"
    return f"""<!doctype html>
<html lang="de">
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Prüfung der Marts / Gate report</title>
<style>{STYLE}</style>
<h1>Prüfung der Marts / Gate report: <span class="{colour}">{word}</span></h1>
<table><tr><th>Schwere / severity</th><th>Prüfungen / checks</th><th>verfehlt / failed</th></tr>{counts}</table>
<h2>Verfehlt / Failed</h2>
<table>
<tr><th>Mart</th><th>Erwartung / expectation</th><th>Gesehen / observed</th><th>Beispiele / examples</th></tr>
{failures}
</table>
<h2>Marts</h2>
<table><tr><th>Mart</th><th>Prüfungen / checks</th><th>verfehlt / failed</th></tr>{_by_mart(verdict)}</table>
</html>
"""


def _failure(result: Result) -> str:
    unexpected = "" if result.unexpected_count is None else f"<br>{result.unexpected_count} Zeilen / rows"
    examples = "<br>".join(
        "<code>" + escape(", ".join(f"{name}={value}" for name, value in row.items())) + "</code>"
        for row in result.examples
    )
    return (
        f'<tr class="{result.severity}"><td>{escape(result.mart)}<br>{SEVERITIES[result.severity]}</td>'
        f'<td>{escape(result.meaning_de)}<br><span class="en" lang="en">{escape(result.meaning_en)}</span><br>'
        f"<code>{escape(result.expectation)} {escape(', '.join(result.columns))}</code></td>"
        f"<td>{escape(result.error or result.observed or '')}{unexpected}</td><td>{examples}</td></tr>\n"
    )


def _by_mart(verdict: Verdict) -> str:
    checks = Counter(result.mart for result in verdict.checks)
    failed = Counter(result.mart for result in verdict.failures)
    return "".join(f"<tr><td>{escape(mart)}</td><td>{checks[mart]}</td><td>{failed[mart]}</td></tr>" for mart in checks)
