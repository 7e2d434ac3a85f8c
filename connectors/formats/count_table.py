"""Parse tables of counts in any declared layout: a value cell becomes a reading, whatever the table looks like.

How a table is laid out is said by `count_layout`, what its times mean by `count_clock`, how its cells are read by
`count_grid`. Work is done on Arrow columns: there are thousands of files, each too small to open a database for.
"""

from __future__ import annotations

from connectors.connector import Connector, Snapshot
from connectors.formats.count_across import Across
from connectors.formats.count_grid import read_grid
from connectors.formats.count_layout import Layout, payload, read_options
from connectors.formats.count_rows import Rows
from connectors.region import Region
from connectors.staging import StagedWriter
from connectors.tables import COUNT_READING as TABLE


def parse(snapshot: Snapshot, out: StagedWriter, region: Region, /, *, layout: Layout) -> None:
    """Stage a table of counts, a record per value cell.

    Blank cells and the layout's marks are staged with a null count. What the layout's rules do not cover is rejected,
    cell by cell. Raises SnapshotRefused where the file is not of this layout, with what was found and what to declare.
    """
    grid = read_grid(snapshot, layout, out)
    if layout.time.across is not None:
        Across(snapshot, layout, grid, out, layout.time.across.format).stage()
    else:
        Rows(snapshot, layout, grid, out).stage()


CONNECTOR = Connector(
    name="count_table",
    version=1,
    payload="csv",
    tables=(TABLE,),
    parse=parse,
    unpacked_limit_bytes=2**28,
    options=read_options,
    payload_of=payload,
)
