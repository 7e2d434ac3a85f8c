"""One writer per home: a single run, or a living Airflow, never both."""

from __future__ import annotations

import contextlib
import fcntl
from collections.abc import Iterator
from typing import TextIO

from muensterland.settings import Home


class AnotherRunIsActive(RuntimeError):
    """The home is locked by another run."""


@contextlib.contextmanager
def locked(home: Home) -> Iterator[TextIO]:
    """Hold the home's lock; it goes with the last process that has the yielded file open.

    Raises AnotherRunIsActive: two runs on one home would write where the other reads.
    """
    with (home.root / "run.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise AnotherRunIsActive(
                f"{home.root}: another run is active; wait for it to end, or `make down` where Airflow is up"
            ) from error
        yield lock
