"""Keeping an Airflow that runs for months small: old task logs, old records, old work folders; never data."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

from muensterland.airflow_home import metadata_database
from muensterland.settings import REPOSITORY, Settings

DAY_S = 86_400
# Bytes; the scheduler writes some megabytes on a busy day.
PROCESS_LOG_LIMIT, PROCESS_LOG_KEPT = 50 * 2**20, 5 * 2**20


def remove_old_logs() -> dict[str, int]:
    """Remove files of Airflow's log folder that nobody has written to for LOG_RETENTION_DAYS; how many, how large."""
    settings = Settings()
    folder = settings.home.logs / "airflow"
    before = time.time() - settings.log_retention_days * DAY_S
    sizes = []
    for path in list(_files(folder)):
        state = path.lstat()
        if state.st_mtime < before:
            sizes.append(state.st_size)
            path.unlink()
    _remove_empty_folders(folder)
    return {"files": len(sizes), "bytes": sum(sizes)}


def trim_process_logs() -> list[str]:
    """Cut the logs of Airflow's own processes that have grown beyond PROCESS_LOG_LIMIT to their end; their names.

    The processes go on writing: their logs are opened for appending.
    """
    cut = []
    for log in sorted((Settings().home.logs / "up").glob("*.log")):
        if log.stat().st_size > PROCESS_LOG_LIMIT:
            with log.open("r+b") as stream:
                stream.seek(-PROCESS_LOG_KEPT, os.SEEK_END)
                end = stream.read()
            log.with_suffix(".log.1").write_bytes(end)
            os.truncate(log, 0)
            cut.append(log.name)
    return cut


def trim_work() -> list[str]:
    """Remove the folders of failed release runs that are older than LOG_RETENTION_DAYS; their names."""
    settings = Settings()
    before = time.time() - settings.log_retention_days * DAY_S
    work = settings.home.work
    old = [folder for folder in sorted(work.iterdir()) if _last_touched(folder) < before] if work.is_dir() else []
    for folder in old:
        shutil.rmtree(folder)
    return [folder.name for folder in old]


def clean_metadata(now: datetime) -> str:
    """Remove Airflow's records of runs older than LOG_RETENTION_DAYS from the metadata database of this home.

    Returns what was done in words. Another installation's database is left alone: its address is not ours to know.
    Raises subprocess.CalledProcessError where `airflow db clean` fails.
    """
    settings = Settings()
    if settings.metadata_database is None and not (settings.home.airflow / "airflow.db").exists():
        return "the metadata database is not this home's: clean it where it is kept, with `airflow db clean`"
    before = (now - timedelta(days=settings.log_retention_days)).isoformat()
    # A task knows no address of the database; the one of this home is set anew for Airflow's own command.
    environment = {
        **os.environ,
        "AIRFLOW_HOME": str(settings.home.airflow),
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": metadata_database(settings),
    }
    command = [sys.executable, "-m", "airflow", "db", "clean", "--yes", "--skip-archive"]
    subprocess.run(
        [*command, "--clean-before-timestamp", before],
        cwd=REPOSITORY, env=environment, stdin=subprocess.DEVNULL, check=True,
    )  # fmt: skip
    return f"removed what ended before {before}"


def _files(folder: Path) -> Iterator[Path]:
    for root, _, names in os.walk(folder):
        yield from (Path(root) / name for name in names)


def _remove_empty_folders(folder: Path) -> None:
    for root, _, _ in os.walk(folder, topdown=False):
        path = Path(root)
        if path != folder and not any(path.iterdir()):
            path.rmdir()


def _last_touched(folder: Path) -> float:
    """When anything in the folder was written last: a long build touches files, not the folder itself."""
    return max(path.lstat().st_mtime for path in [folder, *_files(folder)])
