"""Ask a Web Feature Service for all features of a type, page by page (WFS 1.1.0 and 2.0.0, GetFeature by GET).

The pages are kept as they came, as members of one zip. Not every server pages: one that answers the same page again, or
fewer features than it says match, is told, never taken for the whole. Parameters as in OGC 09-025r2, section 7.6
(count, startIndex) and OGC 04-094 (maxFeatures). OWSLib fetches by itself, without the mirror, the limits and the
patience of `connectors.http`; what would be left of it here is half a dozen parameters.
"""

from __future__ import annotations

import hashlib
import json
import re
import tempfile
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlencode

from lxml import etree

from connectors.errors import FetchFailed, PayloadRefused
from connectors.http import Answer, Ask, Client
from connectors.payload import check_payload

# Members of the zip bear no time: the same pages are the same bytes.
_STAMP = (1980, 1, 1, 0, 0, 0)
PAGE_LIMIT = 2_000
# When the answer was made stands in it: two answers that differ by that alone are the same.
_MADE_AT = re.compile(rb'timeStamp\s*[=:]\s*"[^"]{0,40}"|"timeStamp"\s*:\s*"[^"]{0,40}"')
_MATCHED_XML = re.compile(rb'\bnumberMatched\s*=\s*"(\d{1,12})"')
_MEMBER_XML = re.compile(rb"<(?:[\w.-]{1,40}:)?(?:member|featureMember)[\s>]")
_MEMBERS_XML = re.compile(rb"<(?:[\w.-]{1,40}:)?featureMembers[\s>]")


@dataclass(frozen=True)
class FeatureQuestion:
    """A type of features of a service: `parameters` are all but those of the page."""

    base: str
    parameters: Mapping[str, str]
    page_size: int
    is_json: bool
    size_limit_bytes: int
    time_limit_s: float

    @property
    def url(self) -> str:
        """What is asked for, the page aside: it stands in the fetch log."""
        return f"{self.base}{'&' if '?' in self.base else '?'}{urlencode(self.parameters)}"

    def page_url(self, start: int) -> str:
        """The address of the page that begins at a feature, counted from 0."""
        count = "COUNT" if self.parameters["VERSION"].startswith("2") else "MAXFEATURES"
        return f"{self.url}&{urlencode({count: self.page_size, 'STARTINDEX': start})}"


def parameters(type_name: str, version: str, output: str, crs: str) -> dict[str, str]:
    """The parameters of GetFeature in the names that the version has for them."""
    names = "TYPENAMES" if version.startswith("2") else "TYPENAME"
    asked = {"SERVICE": "WFS", "VERSION": version, "REQUEST": "GetFeature", names: type_name}
    return asked | {"OUTPUTFORMAT": output, "SRSNAME": crs}


def download_features(question: FeatureQuestion, client: Client, target: Path) -> Answer:
    """Write all pages to the zip `target`; returns the last Answer, with the bytes of all.

    Raises FetchFailed where the service does not page, gives fewer features than it says match, or takes more than
    PAGE_LIMIT pages; PayloadRefused where it answers with an error report.
    """
    sizes: list[int] = []
    got, former, is_short = 0, "", False
    with tempfile.TemporaryDirectory(dir=target.parent) as folder, zipfile.ZipFile(target, "w") as archive:
        for number in range(1, PAGE_LIMIT + 1):
            page = Path(folder) / f"page-{number:05}.{'json' if question.is_json else 'xml'}"
            left = question.size_limit_bytes - sum(sizes)
            url = question.page_url(got)
            answer = client.download(Ask(url, size_limit_bytes=max(left, 1), time_limit_s=question.time_limit_s), page)
            if answer.status != 200:
                return answer
            check_payload(page, "json" if question.is_json else "xml")
            content = page.read_bytes()
            features, matched = _told(content, question.is_json, url)
            digest = hashlib.sha256(_MADE_AT.sub(b"", content)).hexdigest()
            # A short page may be the end, or all that the service gives at once: the next one says which.
            if matched is None and number > 1 and (features == 0 or (is_short and digest == former)):
                return Answer(200, None, None, sum(sizes))
            if features and digest == former:
                raise FetchFailed(
                    f"{url}: the same page came again: the service does not page; set wfs.page in the source's YAML "
                    "above the number of features"
                )
            sizes.append(len(content))
            archive.writestr(_member(page.name), content, zipfile.ZIP_DEFLATED)
            got, former, is_short = got + features, digest, features < question.page_size
            if features == 0 or (matched is not None and got >= matched):
                if matched is not None and got != matched:
                    raise FetchFailed(f"{url}: {matched} features match, {got} came; see the service's limits")
                return Answer(200, None, None, sum(sizes))
    raise FetchFailed(f"{question.url}: more than {PAGE_LIMIT} pages; set wfs.page in the source's YAML higher")


def features_sha256(path: Path) -> str:
    """The hash of the pages of an answer, when they were made aside."""
    digest = hashlib.sha256()
    with zipfile.ZipFile(path) as archive:
        for name in sorted(archive.namelist()):
            digest.update(hashlib.sha256(_MADE_AT.sub(b"", archive.read(name))).digest())
    return digest.hexdigest()


def _member(name: str) -> zipfile.ZipInfo:
    member = zipfile.ZipInfo(name, _STAMP)
    member.compress_type = zipfile.ZIP_DEFLATED
    return member


def _told(content: bytes, is_json: bool, url: str) -> tuple[int, int | None]:
    """How many features a page has, and how many match in all, where it says so."""
    if is_json:
        whole = json.loads(content)
        features = whole.get("features") if isinstance(whole, dict) else None
        if not isinstance(features, list):
            raise PayloadRefused(f"{url}: expected a FeatureCollection, {content[:120]!r} came; see the service's help")
        matched = next(
            (whole[key] for key in ("numberMatched", "totalFeatures") if isinstance(whole.get(key), int)), None
        )
        return len(features), matched
    head = content[:10_000]
    if b"ExceptionReport" in head:
        raise PayloadRefused(f"{url}: the service reports an error: {content[:500]!r}; see the service's help")
    if b"FeatureCollection" not in head:
        raise PayloadRefused(f"{url}: expected a FeatureCollection, {content[:120]!r} came; see the service's help")
    found = _MATCHED_XML.search(head) if b"numberMatched" in head else None
    features_there = len(_MEMBER_XML.findall(content)) or _in_members(content, url)
    return features_there, int(found[1]) if found else None


def _in_members(content: bytes, url: str) -> int:
    """The features of a `featureMembers`, which holds all of them."""
    if not _MEMBERS_XML.search(content):
        return 0
    parser = etree.XMLParser(resolve_entities=False, no_network=True, huge_tree=False, load_dtd=False)
    try:
        whole = etree.fromstring(content, parser)
    except etree.XMLSyntaxError as error:
        raise PayloadRefused(f"{url}: not well-formed XML: {error}; ask again") from error
    return sum(len(members) for members in whole.iterfind("{*}featureMembers"))
