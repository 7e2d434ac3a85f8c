"""Ask a GENESIS host (REST 2020): POST forms, errors as JSON with status 200, `metadata/table` before the table.

Method and codes as recorded from ergebnisse.zensus2022.de, www.regionalstatistik.de and www-genesis.destatis.de.
"""

from __future__ import annotations

import json
import os
import re
from pathlib import Path

from connectors.errors import PayloadRefused

# The hosts' own advice for the codes a data engineer meets.
_ADVICE = {
    -1: "check the form fields in the source's YAML",
    15: "the host wants a registered user: set the source's credentials in the environment",
    98: "the table is too large to be answered at once: narrow it by years or regions in the source's form",
    104: "nothing matches: check the table code and the form fields in the source's YAML",
}


def table_form(table_code: str, form: dict[str, str]) -> dict[str, str]:
    """The form of a `data/tablefile` question; `form` adds to it or overrules it."""
    return {"name": table_code, "area": "all", "format": "ffcsv", "compress": "false", "language": "de", **form}


def genesis_headers(credentials: str | None) -> dict[str, str]:
    """User and password as the hosts want them, as headers, from `<credentials>_USERNAME` and `_PASSWORD`.

    A token goes into `_USERNAME` alone. Empty where the environment names none: the host then decides.
    """
    user = os.environ.get(f"{credentials}_USERNAME") if credentials else None
    return {"username": user, "password": os.environ.get(f"{credentials}_PASSWORD", "")} if user else {}


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
    with answer.open("rb") as stream:
        head = stream.read(JSON_LIMIT_BYTES)
    if head[:1] == b"{":
        _checked_json(head, table_code)
        raise PayloadRefused(f"{table_code}: expected a zip with ffcsv, JSON without an error code came")


def without_stamp(member: str) -> str:
    """A member's name without the millisecond stamp that every answer carries anew."""
    return re.sub(r"_\d{13}_", "_", member)


def _checked_json(content: bytes, table_code: str) -> bytes:
    try:
        status = json.loads(content)["Status"]
        code, text = int(status["Code"]), str(status["Content"])
    except (ValueError, KeyError, TypeError, OverflowError, RecursionError) as error:
        raise PayloadRefused(f"{table_code}: expected a GENESIS answer with Status, {content[:120]!r} came") from error
    if code != 0:
        raise PayloadRefused(f"{table_code}: GENESIS code {code}: {text}; {_ADVICE.get(code, 'see the host`s help')}")
    return content
