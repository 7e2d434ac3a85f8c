"""Run the query examples of README.md as they stand there, on the release below REGION_HOME."""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path

import duckdb

README = Path(__file__).resolve().parent.parent / "README.md"


def blocks(language: str) -> list[str]:
    """The fenced blocks of one language from the README's section on queries on."""
    text = README.read_text(encoding="utf-8").split("## Query it")[1]
    return re.findall(rf"```{language}\n(.*?)```", text, flags=re.DOTALL)


def main() -> None:
    """Run every block; a block that raises or finds no rows ends the run with an error."""
    home = os.environ["REGION_HOME"]
    with duckdb.connect(f"{home}/releases/current/muensterland.duckdb", read_only=True) as release:
        for sql in blocks("sql"):
            rows = release.sql(sql).fetchall()
            if not rows:
                sys.exit(f"no rows from the README's query:\n{sql}")
            print(rows)
    for code in blocks("python"):
        exec(compile(code, str(README), "exec"), {"home": home})


if __name__ == "__main__":
    main()
