"""Packages that wait until they are wanted, and then are what they always were."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import pytest

from streamvq.deferred import deferred

LEARNING = """
import sys
from streamvq.compiling import njit
assert njit(cache=False)(lambda x: x + 1)(1) == 2
assert "scipy.linalg" not in sys.modules
from streamvq import deferred
from streamvq.quantize.kmeans import sklearn_kmeans
deferred.is_command = True
print(sklearn_kmeans().MiniBatchKMeans.__module__)
assert not {"scipy.stats", "sklearn.metrics", "sklearn.neighbors", "sklearn.linear_model"} & set(sys.modules)
import scipy, sklearn.metrics._scorer
assert "accuracy" in sklearn.metrics.get_scorer_names() and scipy.stats.norm.cdf(0) == 0.5
from sklearn.cluster import DBSCAN
"""


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A package whose `__init__` takes a name from one of its modules, and which its other module asks for that."""
    home = tmp_path / "lazypack"
    home.mkdir()
    (home / "__init__.py").write_text("from lazypack.part import WHAT\nRAN = True\n__all__ = ['RAN', 'WHAT']\n")
    (home / "part.py").write_text("WHAT = 7\n")
    (home / "other.py").write_text("from lazypack import WHAT\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    finders = list(sys.meta_path)
    yield "lazypack"
    sys.meta_path[:] = finders
    for name in [name for name in sys.modules if name.startswith("lazypack")]:
        del sys.modules[name]


def test_it_runs_at_the_first_look(package: str) -> None:
    with deferred(package):
        part = import_module(f"{package}.part")
        lazy = sys.modules[package]
    assert part.WHAT == 7
    assert "RAN" not in vars(lazy)
    assert package not in sys.modules
    assert not hasattr(lazy, "__wrapped__")
    assert "RAN" not in vars(lazy)
    assert lazy.RAN
    assert lazy.part is part
    assert sys.modules[package] is lazy
    with pytest.raises(AttributeError, match="nothing"):
        lazy.nothing  # noqa: B018


def test_it_runs_before_the_next_import_from_it(package: str) -> None:
    with deferred(package):
        part = import_module(f"{package}.part")
        lazy = sys.modules[package]
    assert import_module(f"{package}.other").WHAT == 7
    assert sys.modules[package] is lazy
    assert lazy.RAN
    assert lazy.part is part


def test_it_runs_while_it_is_deferred_where_it_is_wanted(package: str) -> None:
    with deferred(package):
        assert import_module(f"{package}.other").WHAT == 7
    assert sys.modules[package].RAN


def test_what_is_imported_stays_and_what_is_missing_is_missing(package: str) -> None:
    finders = list(sys.meta_path)
    whole = import_module(package)
    with deferred(package, "lazypack_missing"):
        assert import_module(f"{package}.other").WHAT == 7
        with pytest.raises(ModuleNotFoundError, match="lazypack_missing"):
            import_module("lazypack_missing.part")
    assert sys.modules[package] is whole
    assert sys.meta_path == finders


def test_learning_imports_no_more_of_the_libraries_than_it_needs() -> None:
    done = subprocess.run([sys.executable, "-c", LEARNING], capture_output=True, text=True)
    assert (done.stdout, done.stderr) == ("sklearn.cluster._kmeans\n", "")
