"""Find a dataset in a CKAN or DKAN catalogue and the address of one of its files.

Answers of `package_show` and `package_search` (API 3). The `result` of CKAN's `package_show` is the dataset; DKAN
puts it in a list. ckanapi is not used: it fetches by itself, without the mirror, the limits and the patience of
`connectors.http`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from connectors.errors import FetchFailed
from connectors.http import Ask, Client

# The largest dataset of the city's portal has 40 files, their descriptions some kB each.
ANSWER_LIMIT_BYTES = 20 * 2**20
PAGE_LIMIT = 100


@dataclass(frozen=True)
class Wanted:
    """Which file of which dataset. dataset: its id or name. resource: pattern of the file's whole name, or its id.

    format: as the catalogue calls it, in small letters. address: pattern of the file's whole address.
    """

    dataset: str
    resource: str | None
    format: str | None
    address: str


def resource_address(url: str, wanted: Wanted, client: Client, draft: Path) -> str:
    """The address of the wanted file, asked of `url`, a package_show or a package_search.

    Raises FetchFailed where the dataset, or exactly one such file of it, is not there, naming what is.
    """
    dataset = _shown(url, wanted, client, draft) if "package_show" in url else _searched(url, wanted, client, draft)
    resources = [each for each in _list_of(dataset.get("resources")) if isinstance(each.get("url"), str)]
    fitting = sorted({str(each["url"]) for each in resources if _fits(each, wanted)})
    if len(fitting) != 1:
        there = "; ".join(f"{_text(each, 'name')} ({_text(each, 'format')}) {each['url']}" for each in resources[:20])
        raise FetchFailed(
            f"{url}: expected one file of {wanted.dataset} that fits follow_dataset, found {len(fitting)} among: "
            f"{there[:2000]}; mend follow_dataset in the source's YAML"
        )
    return fitting[0]


def _shown(url: str, wanted: Wanted, client: Client, draft: Path) -> Mapping[str, Any]:
    result = _result(url, client, draft)
    for dataset in _list_of(result):
        if _is(dataset, wanted.dataset):
            return dataset
    raise FetchFailed(f"{url}: expected the dataset {wanted.dataset}, found {_names(_list_of(result))}; check the id")


def _searched(url: str, wanted: Wanted, client: Client, draft: Path) -> Mapping[str, Any]:
    start = 0
    for _ in range(PAGE_LIMIT):
        result = _result(_from(url, start), client, draft)
        datasets = _list_of(result.get("results") if isinstance(result, dict) else None)
        for dataset in datasets:
            if _is(dataset, wanted.dataset):
                return dataset
        start += len(datasets)
        count = result.get("count") if isinstance(result, dict) else None
        if not datasets or (isinstance(count, int) and start >= count):
            raise FetchFailed(f"{url}: none of {start} datasets is {wanted.dataset}; check the id and the search")
    raise FetchFailed(f"{url}: {wanted.dataset} is not among the first {start} datasets; narrow the search")


def _from(url: str, start: int) -> str:
    """The search from a place on; what it says of `start` itself is where it begins."""
    asked = parse_qs(urlsplit(url).query)
    begin = int(asked["start"][0]) if re.fullmatch(r"\d{1,9}", asked.get("start", [""])[0]) else 0
    bare = re.sub(r"([?&])start=[^&]*&?", r"\1", url).rstrip("?&")
    return url if not start else f"{bare}{'&' if '?' in bare else '?'}{urlencode({'start': begin + start})}"


def _result(url: str, client: Client, draft: Path) -> Any:
    answer = client.download(Ask(url, size_limit_bytes=ANSWER_LIMIT_BYTES), draft)
    if answer.status != 200:
        raise FetchFailed(f"{url}: HTTP {answer.status}, expected the catalogue's answer; check the address")
    try:
        whole = json.loads(draft.read_bytes())
    except (ValueError, RecursionError) as error:
        raise FetchFailed(f"{url}: expected JSON of a CKAN or DKAN catalogue, {error}") from error
    if not isinstance(whole, dict) or whole.get("success") is not True:
        raise FetchFailed(f"{url}: the catalogue reports an error: {str(whole)[:300]}; check the address")
    return whole.get("result")


def _list_of(found: Any) -> list[Mapping[str, Any]]:
    """Objects of a list, of a list of lists (DKAN), or one object alone."""
    entries = found if isinstance(found, list) else [found]
    return [each for each in _flat(entries) if isinstance(each, dict)]


def _flat(entries: list[Any]) -> Iterator[Any]:
    for entry in entries:
        if isinstance(entry, list):
            yield from entry
        else:
            yield entry


def _is(dataset: Mapping[str, Any], wanted: str) -> bool:
    return wanted in (dataset.get("id"), dataset.get("name"))


def _fits(resource: Mapping[str, Any], wanted: Wanted) -> bool:
    if not re.fullmatch(wanted.address, str(resource["url"])):
        return False
    if wanted.format is not None and _text(resource, "format").lower() != wanted.format:
        return False
    name = wanted.resource
    return name is None or _text(resource, "id") == name or re.fullmatch(name, _text(resource, "name")) is not None


def _text(resource: Mapping[str, Any], key: str) -> str:
    found = resource.get(key)
    return found if isinstance(found, str) else ""


def _names(datasets: list[Mapping[str, Any]]) -> str:
    return ", ".join(f"{_text(each, 'name')} ({_text(each, 'id')})" for each in datasets[:10])[:500] or "none"
