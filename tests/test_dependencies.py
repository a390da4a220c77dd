"""What is imported is declared in pyproject.toml, and what is declared is used."""

from __future__ import annotations

import ast
import re
import sys
import tomllib
from collections.abc import Iterable
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
IMPORT_NAMES = {
    "opencv-python-headless": "cv2",
    "pillow": "PIL",
    "scikit-learn": "sklearn",
    "scikit-image": "skimage",
    "faiss-cpu": "faiss",
}
TOOLS = {"pytest-xdist", "pytest-cov", "ruff", "mypy"}  # run, not imported


def names(requirements: Iterable[str]) -> set[str]:
    """The distributions that requirements name."""
    return {re.split(r"[<>=!~;\[ ]", requirement, maxsplit=1)[0].lower() for requirement in requirements}


def modules(requirements: Iterable[str]) -> set[str]:
    """The top-level modules that requirements bring."""
    return {IMPORT_NAMES.get(name, name) for name in names(requirements) - TOOLS}


def imported(*folders: str) -> set[str]:
    """The third-party modules that the files of folders import, anywhere in them."""
    found = set()
    local = {"streamvq"} | {path.stem for path in (ROOT / "scripts").iterdir()}
    for path in (path for folder in folders for path in sorted((ROOT / folder).rglob("*.py"))):
        local.add(path.stem)
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Import):
                found |= {alias.name.split(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                found.add(node.module.split(".")[0])
    return found - local - sys.stdlib_module_names


RUNTIME = modules(PROJECT["dependencies"])
EXTRAS = {name: modules(requirements) for name, requirements in PROJECT["optional-dependencies"].items()}


def test_the_package_imports_what_it_declares() -> None:
    assert imported("streamvq") == RUNTIME | EXTRAS["report"] | EXTRAS["cluster"]


def test_tests_and_scripts_import_what_is_declared() -> None:
    assert imported("tests") <= RUNTIME | EXTRAS["test"]
    assert imported("scripts") <= RUNTIME | EXTRAS["test"] | EXTRAS["bench"]


def test_extras_are_used() -> None:
    used = imported("tests", "scripts") | EXTRAS["report"] | EXTRAS["cluster"]
    for name in ("test", "bench"):
        assert EXTRAS[name] <= used, name


def test_tests_can_make_reports() -> None:
    assert EXTRAS["report"] <= EXTRAS["test"]
