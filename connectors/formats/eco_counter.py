"""Parse the list of the Münster bicycle counters; what they counted is read by `count_table`."""

from __future__ import annotations

import json
import re
from typing import Any

from connectors.connector import Connector, Snapshot
from connectors.errors import SnapshotRefused
from connectors.region import Region
from connectors.staging import StagedWriter
from connectors.tables import COUNT_CHANNEL, COUNT_SITE
from connectors.text import is_mojibake, read_text

_SITE_KEYS = ("name", "directory", "start", "channels")


def parse_sites(snapshot: Snapshot, out: StagedWriter, region: Region, /) -> None:
    """Stage the station list `site_min.json`: a record per station, and one per channel entry of a station.

    `start` is the publisher's and may lie years after the first file. Raises SnapshotRefused where the file is no
    JSON list.
    """
    try:
        entries = json.loads(read_text(snapshot.path))
    except (ValueError, RecursionError) as error:
        raise _refused(snapshot, f"expected JSON, {error}") from error
    if not isinstance(entries, list):
        raise _refused(snapshot, f"expected a list of stations, found {type(entries).__name__}")
    out.read(COUNT_SITE, len(entries))
    out.read(COUNT_CHANNEL, sum(len(_channel_entries(entry)) for entry in entries))
    sites: dict[str, dict[str, Any]] = {}
    channels: dict[tuple[str, str], dict[str, Any]] = {}
    number = 0
    for site_number, entry in enumerate(entries, start=1):
        _report_keys(entry, out)
        site_id = _text_id(entry.get("directory")) if isinstance(entry, dict) else None
        problem = _site_problem(entry, site_id, sites)
        if problem:
            out.reject(COUNT_SITE, site_number, problem[0], _raw(entry), problem[1])
        else:
            sites[str(site_id)] = {
                "record_number": site_number,
                "site_id": site_id,
                "site_name": entry["name"],
                "first_year": entry.get("start"),
                **dict.fromkeys(("longitude", "latitude", "mode", "operator", "ags")),
            }
        for channel in _channel_entries(entry):
            number += 1
            pair = channel if isinstance(channel, list) and len(channel) == 2 else [None, None]
            channel_id, label = _text_id(pair[0]), pair[1]
            if problem:
                out.reject(COUNT_CHANNEL, number, "channels", _raw(channel), "its station was rejected")
            elif channel_id is None or not _is_text(label) or is_mojibake(label):
                out.reject(COUNT_CHANNEL, number, "channels", _raw(channel), "not a pair of channel id and label")
            elif (str(site_id), channel_id) in channels:
                out.reject(COUNT_CHANNEL, number, "channels", _raw(channel), "repeated channel")
            else:
                channels[str(site_id), channel_id] = {
                    "record_number": number,
                    "site_id": site_id,
                    "channel_id": channel_id,
                    "channel_label": label,
                }
    out.write(COUNT_SITE, list(sites.values()))
    out.write(COUNT_CHANNEL, list(channels.values()))


def _refused(snapshot: Snapshot, what: str) -> SnapshotRefused:
    return SnapshotRefused(f"{snapshot.source_id}: {snapshot.path.name}: {what}; ask the publisher again")


def _channel_entries(entry: Any) -> list[Any]:
    channels = entry.get("channels") if isinstance(entry, dict) else None
    return channels if isinstance(channels, list) else []


def _report_keys(entry: Any, out: StagedWriter) -> None:
    if isinstance(entry, dict):
        out.saw_fields(COUNT_SITE, dict.fromkeys(entry, 1))
        for key in entry.keys() - set(_SITE_KEYS):
            out.drift(COUNT_SITE, key, "new")
        for key in set(_SITE_KEYS) - entry.keys():
            out.drift(COUNT_SITE, key, "missing")


def _site_problem(entry: Any, site_id: str | None, sites: dict[str, Any]) -> tuple[str, str] | None:
    """(key, reason) why the entry is no station, None where it is one."""
    if not isinstance(entry, dict):
        return "", "not a JSON object"
    if site_id is None:
        return "directory", "not a station id"
    if site_id in sites:
        return "directory", "repeated station"
    if not _is_text(entry.get("name")):
        return "name", "not a text"
    if is_mojibake(entry["name"]):
        return "name", "broken encoding"
    start = entry.get("start")
    if start is not None and (type(start) is not int or not 1000 <= start <= 9999):
        return "start", "not a year"
    if not isinstance(entry.get("channels"), list):
        return "channels", "not a list"
    return None


def _text_id(value: Any) -> str | None:
    """A counter's id as digits, whether it came as a number or as text; None where it is neither."""
    text = str(value) if type(value) in (int, str) else ""
    return text if re.fullmatch(r"[0-9]{1,18}", text) else None


def _is_text(value: Any) -> bool:
    """Whether the value is a text; half of a surrogate pair, which JSON can write as `\\ud800`, is none."""
    return isinstance(value, str) and not re.search(r"[\ud800-\udfff]", value)


def _raw(value: Any) -> str:
    try:
        return json.dumps(value, ensure_ascii=False)
    except RecursionError:
        return f"{type(value).__name__}, nested too deeply to be shown"


CONNECTOR = Connector(
    name="eco_counter_sites", version=4, payload="json", tables=(COUNT_SITE, COUNT_CHANNEL), parse=parse_sites
)
