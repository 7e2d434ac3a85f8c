"""Ask a GENESIS host (REST 2020): POST forms, errors as JSON with status 200, `metadata/table` before the table.

What is too large to be answered at once is made by a job: ask with `job=true`, poll `catalogue/results` until the
result is listed, fetch it from `data/resultfile`. Methods and codes as recorded from ergebnisse.zensus2022.de,
www.regionalstatistik.de and www-genesis.destatis.de; the order of the job's questions as CorrelAid/pystatis asks them.
"""

from __future__ import annotations

import dataclasses
import itertools
import json
import logging
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import parse_qsl

from connectors.errors import FetchFailed, PayloadRefused
from connectors.http import Answer, Ask, Client
from connectors.payload import check_payload

log = logging.getLogger(__name__)

FINE, TOO_LARGE, JOB_CREATED, NOTHING_FOUND = 0, 98, 99, 104
# The hosts' own advice for the codes a data engineer meets.
_ADVICE = {
    -1: "check the form fields in the source's YAML",
    15: "the host wants a registered user: give the source's credentials by an Airflow connection or the environment",
    TOO_LARGE: "the table is too large even for a job: narrow it by years or regions in the source's form",
    NOTHING_FOUND: "nothing matches: check the table code and the form fields in the source's YAML",
}
# A small job is ready within seconds, a large one within minutes: the host is asked less and less often.
_POLL_PAUSES_S = (2.0, 5.0, 10.0, 20.0, 30.0)
_RESULT_NAME = re.compile(r"[A-Za-z0-9-]{1,40}_[0-9]{1,20}")


@dataclass(frozen=True)
class TableQuestion:
    """A table of a host: `base` is the address of its REST interface, `form` adds to the usual fields of the question.

    `credentials` is the name of those that the host wants. `time_limit_s` bounds each answer, and the pauses between
    the questions whether a job is done.
    """

    base: str
    table_code: str
    form: Mapping[str, str]
    credentials: str | None
    size_limit_bytes: int
    time_limit_s: float

    def ask(self, method: str, form: Mapping[str, str], size_limit_bytes: int) -> Ask:
        """The question to one method of the host."""
        return Ask(
            f"{self.base}/{method}",
            form=form,
            credentials=self.credentials,
            size_limit_bytes=size_limit_bytes,
            time_limit_s=self.time_limit_s,
        )


def download_table(question: TableQuestion, client: Client, target: Path, known_update: str | None) -> Answer:
    """Ask when the table was last changed, and for the table only where that is news; its zip lies at `target`.

    Returns an Answer whose etag says when the table was changed, with status 304 where that is `known_update`. Raises
    FetchFailed where the host cannot be reached or a job does not end in time; PayloadRefused, in the host's own words,
    where it answers with an error.
    """
    code = question.table_code
    described = question.ask("metadata/table", {"name": code, "area": "all", "language": "de"}, JSON_LIMIT_BYTES)
    answer = client.download(described, target)
    if answer.status != 200:
        return answer
    updated = table_updated(target, code)
    if known_update == updated:
        return Answer(304, etag=updated)
    form = table_form(code, question.form)
    answer = client.download(question.ask("data/tablefile", form, question.size_limit_bytes), target)
    if answer.status == 200 and _error_code(target, code) == TOO_LARGE:
        answer = _download_by_job(question, form, client, target)
    if answer.status == 200:
        refuse_error_answer(target, code)
    return dataclasses.replace(answer, etag=updated, last_modified=None)


def download_description(
    url: str, credentials: str | None, time_limit_s: float, client: Client, target: Path
) -> Answer:
    """Ask what a host says of a table; the query of `url`, `…/metadata/table?name=CODE`, goes as the form.

    Raises as download_table does.
    """
    base, _, query = url.partition("?")
    form = {"area": "all", "language": "de", **dict(parse_qsl(query))}
    ask = Ask(base, form, credentials=credentials, size_limit_bytes=JSON_LIMIT_BYTES, time_limit_s=time_limit_s)
    answer = client.download(ask, target)
    if answer.status == 200:
        check_payload(target, "json")
        table_updated(target, form.get("name", ""))
    return dataclasses.replace(answer, etag=None, last_modified=None)


def _download_by_job(question: TableQuestion, form: Mapping[str, str], client: Client, target: Path) -> Answer:
    """Let the host make the table in the background, wait until its result is listed, and fetch it."""
    code = question.table_code
    answer = client.download(question.ask("data/tablefile", {**form, "job": "true"}, JSON_LIMIT_BYTES), target)
    if answer.status != 200:
        return answer
    result = _result_name(target, code)
    listing = {"selection": result, "area": "all", "pagelength": "1", "language": "de"}
    waited_s = 0.0
    for pause_s in itertools.chain(_POLL_PAUSES_S, itertools.repeat(_POLL_PAUSES_S[-1])):
        answer = client.download(question.ask("catalogue/results", listing, JSON_LIMIT_BYTES), target)
        if answer.status != 200:
            return answer
        if _is_listed(target, code, result):
            break
        if waited_s + pause_s > question.time_limit_s:
            raise FetchFailed(
                f"{question.base}: {code}: result {result} is not ready after {waited_s:.0f} s; raise time_limit_s in "
                "the source's YAML or run again later"
            )
        log.info("%s: job %s runs at the host, asking again in %.0f s", code, result, pause_s)
        client.pause(pause_s)
        waited_s += pause_s
    fields = {"name": result, **{key: form[key] for key in ("area", "format", "compress", "language")}}
    return client.download(question.ask("data/resultfile", fields, question.size_limit_bytes), target)


def table_form(table_code: str, form: Mapping[str, str]) -> dict[str, str]:
    """The form of a `data/tablefile` question; `form` adds to it or overrules it."""
    return {"name": table_code, "area": "all", "format": "ffcsv", "compress": "false", "language": "de", **form}


# An answer in JSON says what is wrong or when a table changed; a few thousand bytes do.
JSON_LIMIT_BYTES = 5 * 2**20


def table_updated(answer: Path, table_code: str) -> str:
    """When the host last changed the table, from its `metadata/table` answer; raises PayloadRefused for an error."""
    content = json.loads(_checked_json(answer.read_bytes(), table_code))
    described = content.get("Object")
    updated = described.get("Updated") if isinstance(described, dict) else None
    if not updated:
        raise PayloadRefused(f"{table_code}: metadata/table has no Object.Updated; see the kept file")
    return str(updated)


def refuse_error_answer(answer: Path, table_code: str) -> None:
    """Raise PayloadRefused with the host's own words where a table's answer is an error in JSON."""
    head = _json_head(answer)
    if head is not None:
        _checked_json(head, table_code)
        raise PayloadRefused(f"{table_code}: expected a zip with ffcsv, JSON without an error code came")


def _json_head(answer: Path) -> bytes | None:
    """The answer where it is JSON, which a table never is."""
    with answer.open("rb") as stream:
        head = stream.read(JSON_LIMIT_BYTES)
    return head if head[:1] == b"{" else None


def _error_code(answer: Path, table_code: str) -> int | None:
    """The code of an answer that is JSON, None of one that is not."""
    head = _json_head(answer)
    return None if head is None else _status(head, table_code)[0]


def _result_name(answer: Path, table_code: str) -> str:
    """The name under which the host will list the job's result: `<table>_<number>`, told in the text of code 99."""
    content = answer.read_bytes()
    code, text = _status(content, table_code)
    if code != JOB_CREATED:
        _checked_json(content, table_code)
    names = [name for name in _RESULT_NAME.findall(text) if name.startswith(f"{table_code}_")]
    if len(names) != 1:
        raise PayloadRefused(f"{table_code}: expected code {JOB_CREATED} with one result's name, {code}: {text} came")
    return str(names[0])


def _is_listed(answer: Path, table_code: str, result: str) -> bool:
    """Whether `catalogue/results` lists the result; while the job runs, nothing is found under its name."""
    content = answer.read_bytes()
    if _status(content, table_code)[0] == NOTHING_FOUND:
        return False
    found = json.loads(_checked_json(content, table_code)).get("List")
    if not isinstance(found, list):
        raise PayloadRefused(f"{table_code}: expected a List of results, {content[:120]!r} came")
    return any(isinstance(entry, dict) and entry.get("Code") == result for entry in found)


def without_stamp(member: str) -> str:
    """A member's name without the millisecond stamp that every answer carries anew."""
    return re.sub(r"_\d{13}_", "_", member)


def _status(content: bytes, table_code: str) -> tuple[int, str]:
    """Code and text of an answer in JSON; raises PayloadRefused where it has none."""
    try:
        status = json.loads(content)["Status"]
        return int(status["Code"]), str(status["Content"])
    except (ValueError, KeyError, TypeError, OverflowError, RecursionError) as error:
        raise PayloadRefused(f"{table_code}: expected a GENESIS answer with Status, {content[:120]!r} came") from error


def _checked_json(content: bytes, table_code: str) -> bytes:
    code, text = _status(content, table_code)
    if code != FINE:
        raise PayloadRefused(f"{table_code}: GENESIS code {code}: {text}; {_ADVICE.get(code, 'see the host`s help')}")
    return content
