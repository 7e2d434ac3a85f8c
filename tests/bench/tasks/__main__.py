"""`python -m tests.bench.tasks NAME ARGUMENTS`.

A file of its own, as the pipeline's programs have one: a process that a task starts does not read it again.
"""

from __future__ import annotations

import json
import sys

from tests.bench.tasks import TASKS, peak_bytes

name, *arguments = sys.argv[1:]
figures = TASKS[name](*arguments)
figures["peak_bytes"] = peak_bytes()
print(json.dumps(figures))
