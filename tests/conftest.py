"""What all tests share: no network but loopback, and the real files where they lie beside the repository."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

REPOSITORY = Path(__file__).resolve().parent.parent
SHARED = REPOSITORY.parent / "shared"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Long ones first. A file's tests stay together: one process sets up what they share."""
    items.sort(key=_minutes, reverse=True)


def _minutes(item: pytest.Item) -> int:
    mark = item.get_closest_marker("long")
    return int(mark.args[0]) if mark else 0


class NetworkForbidden(RuntimeError):
    """A test tried to reach something else than this machine."""


@pytest.fixture(autouse=True, scope="session")
def _loopback_only() -> Iterator[None]:
    connect = socket.socket.connect

    def guarded(self: socket.socket, address: Any) -> None:
        if self.family in (socket.AF_INET, socket.AF_INET6) and address[0] not in ("127.0.0.1", "::1", "localhost"):
            raise NetworkForbidden(f"tests may only connect to loopback, not to {address!r}")
        connect(self, address)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(socket.socket, "connect", guarded)
        yield


@pytest.fixture(scope="session")
def real() -> Path:
    """The folder of the publishers' real files; a test that asks for it is marked `real`."""
    folder = SHARED / "real"
    if not folder.is_dir():
        pytest.skip("no ../shared/real beside this clone")
    return folder
