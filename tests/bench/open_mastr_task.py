"""Parse a zip with open-mastr into an SQLite database; runs in open-mastr's own environment, its download left out.

Arguments: zip, database. The last line on stdout is a JSON object with `seconds` and `cpu_s`.
"""

from __future__ import annotations

import json
import sys
import time

if __name__ == "__main__":
    export, database = sys.argv[1:]
    import sqlalchemy
    from open_mastr.utils.constants import BULK_DATA
    from open_mastr.xml_download.utils_write_to_database import write_mastr_xml_to_database

    engine = sqlalchemy.create_engine(f"sqlite:///{database}")
    started, cores = time.perf_counter(), time.process_time()
    write_mastr_xml_to_database(engine, export, list(BULK_DATA), False, "20261101")
    print(json.dumps({"seconds": time.perf_counter() - started, "cpu_s": time.process_time() - cores}))
