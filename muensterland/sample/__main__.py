"""Generate the sample region and serve it until interrupted: python -m muensterland.sample --port 8098."""

from __future__ import annotations

import argparse
import signal
import sys
from pathlib import Path

from muensterland.sample.generate import generate
from muensterland.sample.server import serve
from muensterland.settings import REPOSITORY

FOLDER = REPOSITORY / "data" / "runtime" / "sample-publishers"


def main() -> None:
    """Read the options, generate and serve."""
    parser = argparse.ArgumentParser(prog="python -m muensterland.sample", description=__doc__)
    parser.add_argument("--port", type=int, default=8098, help="port on 127.0.0.1; 0 takes a free one")
    parser.add_argument("--folder", type=Path, default=FOLDER, help="where the files are written")
    options = parser.parse_args()
    generate(options.folder)
    stops = {signal.SIGINT, signal.SIGTERM}
    signal.pthread_sigmask(signal.SIG_BLOCK, stops)  # before the server's threads begin, which inherit it
    with serve(options.folder, options.port) as base:
        sys.stdout.write(f"serving the synthetic sample region from {options.folder} at {base}\n")
        sys.stdout.flush()
        signal.sigwait(stops)


if __name__ == "__main__":
    main()
