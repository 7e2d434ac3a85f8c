"""What a piece of work takes."""

from __future__ import annotations

import time


class Spent:
    """A clock: seconds by the wall, and seconds of all cores, which tell more on a machine that others use as well."""

    def __init__(self) -> None:
        self._wall, self._cores = time.perf_counter(), time.process_time()

    def so_far(self) -> dict[str, float]:
        """Both since it was made."""
        return {"seconds": time.perf_counter() - self._wall, "cpu_s": time.process_time() - self._cores}
