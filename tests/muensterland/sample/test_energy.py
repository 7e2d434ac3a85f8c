"""Ladesäulenregister: the register's layout and its known faults."""

from __future__ import annotations

import csv
import re
from collections import Counter
from pathlib import Path

import pytest

from muensterland.sample import geography
from muensterland.sample.energy import CHARGING


@pytest.fixture(scope="module")
def devices(publishers: Path) -> list[dict[str, str]]:
    lines = (publishers / CHARGING).read_bytes().decode("utf-8-sig").split("\r\n")
    return list(csv.DictReader(lines[10:-1], delimiter=";"))


def test_the_charging_register_begins_with_ten_lines_that_are_no_data(publishers: Path) -> None:
    content = (publishers / CHARGING).read_bytes()
    assert content.startswith(b"\xef\xbb\xbf")
    assert content.decode("utf-8-sig").split("\r\n")[10].startswith("Betreiber;Straße;")


def test_charging_devices_lie_in_all_municipalities_and_outside(devices: list[dict[str, str]]) -> None:
    assert 290 <= len(devices) <= 310
    assert {row["Ort"] for row in devices} >= {place.short_name for place in geography.REGION}
    assert {"Dortmund", "Hamm", "Osnabrück"} <= {row["Ort"] for row in devices}
    assert all("(synthetisch)" in row["Betreiber"] for row in devices)


def test_one_device_comes_twice_and_one_has_no_readable_place(devices: list[dict[str, str]]) -> None:
    equal = Counter(tuple(row.values()) for row in devices)
    assert [count for count in equal.values() if count > 1] == [2]
    unreadable = [row["Breitengrad"] for row in devices if not re.fullmatch(r"\d\d,\d+", row["Breitengrad"])]
    assert unreadable == ["5l,9641"]
    assert all(re.fullmatch(r"\d{1,2}\.\d{1,2}\.\d{4}", row["Inbetriebnahmedatum"]) for row in devices)
