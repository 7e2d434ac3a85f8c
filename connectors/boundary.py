"""Where a parser's own faults end: at the snapshot they happened on, never at its source."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager

import duckdb

from connectors.connector import Snapshot
from connectors.errors import ParserFault, SourceError

log = logging.getLogger(__name__)

# The machine's troubles, not the file's: the next run tries again, so they must not become a verdict on the snapshot.
MACHINE_TROUBLES = (OSError, MemoryError, duckdb.IOException, duckdb.OutOfMemoryException)


@contextmanager
def parser_faults_named(connector: str, snapshot: Snapshot) -> Iterator[None]:
    """Turn what a parser did not foresee into a ParserFault that names source, file, parser and exception.

    Parsers name what they expect to go wrong; hostile bytes reach seven C libraries (zlib, expat, libxml2, GDAL, PROJ,
    Arrow, DuckDB) whose exceptions share no base class. So that one such file costs its partition only and not all
    others of its source, this is the one place that takes any Exception. It is logged with its traceback, refuses the
    snapshot and leaves the former one in force. Refusals and troubles of the machine pass.
    """
    try:
        yield
    except (SourceError, *MACHINE_TROUBLES):
        raise
    except Exception as error:
        log.exception("%s %s: the parser %s failed", snapshot.source_id, snapshot.path, connector)
        raise ParserFault(
            f"{snapshot.source_id}: {snapshot.path.name}: the parser {connector} failed on this file with "
            f"{type(error).__name__}: {str(error)[:300]}; the former snapshot stays in force: report the kept file, "
            "mend the parser and raise its version"
        ) from error
