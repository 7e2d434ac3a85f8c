"""Run a task in a process of its own and measure it: seconds by its own clock, peak memory of its process tree."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from muensterland.settings import REPOSITORY

SAMPLED_EVERY_S = 0.05
MIB = 2**20


class TaskFailed(RuntimeError):
    """A task ended by an error or a signal; the message holds the end of what it said."""


@dataclass(frozen=True)
class Measured:
    """What a task said of itself (`seconds` and its figures) and the peak of its resident memory, in MiB."""

    said: dict[str, Any]
    peak_mib: int

    @property
    def seconds(self) -> float:
        """The task's own time, without the start of its interpreter."""
        return float(self.said["seconds"])


def measured(command: list[str], environment: Mapping[str, str] | None = None, time_limit_s: float = 3_600) -> Measured:
    """Run a command whose last line on stdout is a JSON object with `seconds`.

    The peak is that of the sum over the process and its descendants (shared pages counted in each), sampled, or what
    the task says of itself as `peak_bytes`, whichever is more. Raises TaskFailed, also at the time limit.
    """
    with (
        subprocess.Popen(
            command,
            cwd=REPOSITORY,
            env={**os.environ, **(environment or {})},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        ) as process,
    ):
        assert process.stdout is not None
        os.set_blocking(process.stdout.fileno(), False)
        told, peak, deadline = b"", 0, time.monotonic() + time_limit_s
        while process.poll() is None:
            peak = max(peak, _resident(process.pid))
            told += process.stdout.read() or b""
            if time.monotonic() > deadline:
                process.kill()
                raise TaskFailed(f"not done after {time_limit_s:.0f} s")
            time.sleep(SAMPLED_EVERY_S)
        told += process.stdout.read() or b""
    lines = told.decode("utf-8", "replace").splitlines()
    if process.returncode or not lines:
        raise TaskFailed(" | ".join(lines[-3:])[-500:] or f"ended by {process.returncode}")
    said = json.loads(lines[-1])
    return Measured(said, max(peak, int(said.get("peak_bytes", 0))) // MIB)


def task(name: str, *arguments: Path | str, environment: Mapping[str, str] | None = None) -> Measured:
    """Measure one of `tests.bench.tasks`; raises TaskFailed."""
    return measured([sys.executable, "-m", "tests.bench.tasks", name, *map(str, arguments)], environment)


def _resident(pid: int) -> int:
    """Bytes of resident memory of a process and its descendants; those that end meanwhile count nothing."""
    total = 0
    try:
        process = psutil.Process(pid)
        family = [process, *process.children(recursive=True)]
    except psutil.NoSuchProcess:
        return 0
    for member in family:
        try:
            total += member.memory_info().rss
        except psutil.NoSuchProcess:
            continue
    return total
