"""Read a feed with gtfs_kit and compute its stop statistics; runs in gtfs_kit's own environment.

Arguments: feed, CSV to write (date, stop_id, num_trips), limit of address space in bytes, dates. The last line on
stdout is a JSON object with `seconds` and `cpu_s`.
"""

from __future__ import annotations

import json
import resource
import sys
import time
from pathlib import Path

if __name__ == "__main__":
    feed, target, limit, *dates = sys.argv[1:]
    resource.setrlimit(resource.RLIMIT_AS, (int(limit), int(limit)))
    import gtfs_kit

    started, cores = time.perf_counter(), time.process_time()
    stats = gtfs_kit.read_feed(Path(feed), dist_units="km").compute_stop_stats(dates)
    seconds, cpu_s = time.perf_counter() - started, time.process_time() - cores
    stats[["date", "stop_id", "num_trips"]].to_csv(target, index=False)
    print(json.dumps({"seconds": seconds, "cpu_s": cpu_s}))
