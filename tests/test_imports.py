"""Imports point one way (ARCHITECTURE.md, section 8), modules are small, and their names mean something."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

PACKAGE = Path(__file__).resolve().parent.parent / "streamvq"
MODULES = sorted(PACKAGE.rglob("*.py"))
# Each room may import from rooms before it, and from itself.
FLOORS = [
    {"compiling", "deferred", "errors", "one_thread", "progress"},
    {"color_names", "keywords", "leftovers"},
    {"frames", "options", "ordered", "staging"},
    {"quantize"},
    {"lowrank"},
    {"container"},
    {"media"},
    {"pipeline"},
    {"cluster"},
    {"report"},
    {"cli"},
    {"__main__"},
]
LOW = {"frames", "options", "ordered", "staging"}  # not even each other
LOWER = {"errors", "keywords", "leftovers", "one_thread", "progress"}
VAGUE = {"utils", "util", "helpers", "helper", "common", "core", "base", "manager", "misc"}


def floor(room: str) -> int:
    return next(level for level, rooms in enumerate(FLOORS) if room in rooms)


def room_of(path: Path) -> str:
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def imported_rooms(path: Path) -> Iterator[str]:
    """Rooms that a module imports anywhere in it, for type checking too."""
    tree = ast.parse(path.read_text("utf-8"))
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            names = [f"{node.module}.{alias.name}" for alias in node.names]
        elif isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        else:
            continue
        for name in names:
            parts = name.split(".")
            if parts[0] == "streamvq" and len(parts) > 1:
                yield parts[1]


def test_imports_point_one_way() -> None:
    wrong = []
    for path in MODULES:
        room = room_of(path)
        for other in imported_rooms(path):
            if room in ("__init__", other):
                continue
            if floor(other) >= floor(room) or (room in LOW and floor(other) >= 2):
                wrong.append(f"{path.relative_to(PACKAGE)} imports {other}")
    assert not wrong


def test_modules_are_small_and_say_what_they_are() -> None:
    wrong = []
    for path in MODULES:
        text = path.read_text("utf-8")
        if len(text.splitlines()) > 300 or path.stem in VAGUE or not ast.get_docstring(ast.parse(text)):
            wrong.append(str(path.relative_to(PACKAGE)))
    assert not wrong


def test_only_one_file_knows_joblib() -> None:
    importers = [path.name for path in MODULES if "joblib" in path.read_text("utf-8").replace('"joblib"', "")]
    assert importers == ["ordered.py"]


def test_the_middle_does_no_printing() -> None:
    for path in MODULES:
        if room_of(path) in ("cli", "__main__"):
            continue
        calls = [node for node in ast.walk(ast.parse(path.read_text("utf-8"))) if isinstance(node, ast.Call)]
        assert not [call for call in calls if ast.unparse(call.func) in ("print", "sys.exit", "exit")], path
