"""Write the sample region's files below a folder, at the publishers' addresses."""

from __future__ import annotations

import functools
import hashlib
import json
from pathlib import Path
from typing import Any

from muensterland.sample import (
    accidents,
    air_quality,
    barrier_free,
    bast,
    council,
    counter_hours,
    demand,
    eco_visio,
    energy,
    grid,
    itnrw,
    market,
    mastr,
    mobility,
    monitor,
    motor_traffic,
    municipal,
    parking,
    realtime,
    registers,
    territory,
    transit,
)

ROUTES = "routes.json"
# Written last: says which generator wrote the folder, and what.
MARKER = ".generation.json"
# Bodies of answers to forms and queries lie here, where no path reaches them.
ANSWERS = ".answers"


def generate(folder: Path) -> None:
    """Write every file as `<HOST>/<PATH>`, and `routes.json` with what is answered to POST forms and to queries.

    The same bytes on every machine and run. Where this very generator has already filled the folder, nothing is done.
    """
    if _is_complete(folder):
        return
    _forget(folder)
    contents = _contents()
    for name, content in contents.items():
        place = folder / name
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(content)
    sizes = {name: len(content) for name, content in contents.items()}
    marker = {"generator": generator_version(), "files": sizes}
    draft = folder / f"{MARKER}.draft"
    draft.write_text(json.dumps(marker, indent=1), encoding="utf-8")
    draft.replace(folder / MARKER)


@functools.cache
def generator_version() -> str:
    """sha256 over the generator's own code: whatever changes in it makes another sample."""
    code = sorted(Path(__file__).parent.glob("*.py"))
    return hashlib.sha256(b"".join(module.read_bytes() for module in code)).hexdigest()


def _contents() -> dict[str, bytes]:
    answers = registers.answers()
    series = [*eco_visio.answers(), *air_quality.answers(), *market.answers(), *council.answers()]
    series += municipal.answers()
    contents = {f"{ANSWERS}/{answer.place}": answer.body for answer in answers}
    contents |= {f"{ANSWERS}/{answer.place}": answer.body for answer in series}
    for domain in (
        *(territory, transit, barrier_free, realtime, mobility, energy, mastr, registers, grid),
        *(accidents, eco_visio, bast, parking, air_quality, counter_hours, motor_traffic, market, demand),
        *(itnrw, municipal, monitor),
    ):
        contents |= domain.files()
    routes: list[dict[str, Any]] = [
        {"url": answer.url, "form": {answer.key: answer.table, **answer.form}, "file": f"{ANSWERS}/{answer.place}"}
        for answer in answers
    ]
    routes += [{"url": answer.url, "query": answer.query, "file": f"{ANSWERS}/{answer.place}"} for answer in series]
    contents[ROUTES] = json.dumps(routes, indent=1).encode()
    return contents


def _is_complete(folder: Path) -> bool:
    marker = _marker(folder)
    return marker.get("generator") == generator_version() and all(
        (folder / name).is_file() and (folder / name).stat().st_size == size for name, size in marker["files"].items()
    )


def _forget(folder: Path) -> None:
    """Remove what a former generator wrote, and nothing else: another version may have published other files."""
    former = _marker(folder)
    (folder / MARKER).unlink(missing_ok=True)
    for name in former.get("files", {}):
        (folder / name).unlink(missing_ok=True)


def _marker(folder: Path) -> dict[str, Any]:
    place = folder / MARKER
    found: dict[str, Any] = json.loads(place.read_text(encoding="utf-8")) if place.exists() else {}
    return found
