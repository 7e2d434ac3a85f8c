"""Imports run one way (design, section 2): what stands in the code is what stands in the plan."""

from __future__ import annotations

import ast
import re
import sys
from pathlib import Path

import pytest

from tests.conftest import REPOSITORY

ROOMS = ("connectors", "publishing", "expectations")
# The only things of other makers that DAG files may load: an import of each takes under a second.
DAG_IMPORTS = ("airflow.sdk", "pendulum", "connectors.catalogue", "muensterland")
SQL = re.compile(
    r"\b(select\b.+\bfrom|insert\s+into|update\b.+\bset|delete\s+from|create\s+(table|view))\b", re.I | re.S
)


def modules(room: str) -> list[Path]:
    found = sorted(path for path in (REPOSITORY / room).rglob("*.py") if "__pycache__" not in path.parts)
    assert found, f"{room} holds no module: the test looks at the wrong place"
    return found


def imported(source: str) -> set[str]:
    """Full names of everything a module imports, wherever in it; `from a import b` is `a.b`."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"relative import of {node.module}: write the full name"
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return found


def imports_of(path: Path) -> set[str]:
    return imported(path.read_text(encoding="utf-8"))


def within(name: str, packages: tuple[str, ...]) -> bool:
    return any(name == package or name.startswith(f"{package}.") for package in packages)


def test_imports_are_seen_wherever_they_stand() -> None:
    source = "import a.b\ndef f():\n    from c import d as e\nif True:\n    import g, h as i\n"
    assert imported(source) == {"a.b", "c.d", "g", "h"}


@pytest.mark.parametrize("room", ROOMS)
def test_a_room_imports_no_other_room_and_of_muensterland_only_the_settings(room: str) -> None:
    others = (*(other for other in ROOMS if other != room), "dags", "tests")
    for path in modules(room):
        for name in imports_of(path):
            assert not within(name, others), f"{path.relative_to(REPOSITORY)} imports {name}"
            if within(name, ("muensterland",)):
                assert within(name, ("muensterland.settings",)), f"{path.relative_to(REPOSITORY)} imports {name}"


def test_the_settings_import_none_of_the_rooms() -> None:
    names = imports_of(REPOSITORY / "muensterland" / "settings.py")
    assert not [name for name in names if within(name, (*ROOMS, "dags", "muensterland"))]


def test_no_module_imports_the_dags_or_the_tests() -> None:
    for room in (*ROOMS, "muensterland", "dags"):
        for path in modules(room):
            strays = [name for name in imports_of(path) if within(name, ("dags", "tests"))]
            assert not strays, f"{path.relative_to(REPOSITORY)} imports {strays}"


@pytest.mark.parametrize("path", modules("dags"), ids=lambda path: path.stem)
def test_a_dag_file_imports_nothing_heavy(path: Path) -> None:
    strays = {
        name
        for name in imports_of(path)
        if not within(name, DAG_IMPORTS) and name.split(".")[0] not in sys.stdlib_module_names
    }
    assert not strays


@pytest.mark.parametrize("path", modules("dags"), ids=lambda path: path.stem)
def test_a_dag_file_holds_no_sql(path: Path) -> None:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    texts = [node.value for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str)]
    assert not [text for text in texts if SQL.search(text)]


def test_sql_would_be_recognised() -> None:
    assert SQL.search("Select a\nfrom b")
    assert SQL.search("create table x as")
    assert not SQL.search("The former release stays current; select a source in the catalogue.")
