"""Packages of libraries whose `__init__` waits until something wants it.

`from sklearn.cluster._kmeans import MiniBatchKMeans` first runs all that `sklearn.cluster` offers: every kind of
clustering, what that needs of scikit-learn, and most of SciPy. That takes longer than to quantize a picture, and
nothing of it serves k-means. Commands defer it, in processes that are theirs alone; a program that imports streamvq
gets its libraries as ever.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib import import_module
from importlib.machinery import ModuleSpec, PathFinder
from types import ModuleType
from typing import Any

is_command = False  # whether this process is one, as `__main__` says


@contextmanager
def deferred(*names: str) -> Iterator[None]:
    """While it is entered, packages of these full names are found, but not run, when modules in them are imported.

    One runs at the first look at a name that it does not have yet, and afterwards also at the next import from it.
    Those that are imported already stay as they are.
    """
    finder = _Finder(names)
    sys.meta_path.insert(0, finder)
    try:
        yield
    finally:
        for name, module in finder.waiting.items():
            if sys.modules.get(name) is module:
                del sys.modules[name]  # whatever is imported from it next runs it first, as ever
        if not finder.waiting:
            sys.meta_path.remove(finder)


class _Finder:
    """Finds each of its packages twice: first to have it without running it, then to run the same.

    No subclass of `importlib.abc`, which takes 15 ms to import.
    """

    def __init__(self, names: Sequence[str]) -> None:
        self.waiting: dict[str, ModuleType] = {}
        self._names = names

    def find_spec(self, fullname: str, path: Any, target: ModuleType | None = None) -> ModuleSpec | None:
        if fullname not in self._names:
            return None
        spec = PathFinder.find_spec(fullname, path, target)
        if spec is not None and spec.loader is not None:
            spec.loader = _Loader(spec.loader, self.waiting)  # type: ignore[assignment]
        return spec


class _Loader:
    def __init__(self, loader: Any, waiting: dict[str, ModuleType]) -> None:
        self._loader = loader
        self._waiting = waiting

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        return self._waiting.get(spec.name) or self._loader.create_module(spec)

    def exec_module(self, module: ModuleType) -> None:
        name = module.__name__
        if name in self._waiting:
            del self._waiting[name], module.__dict__["__getattr__"]
            self._loader.exec_module(module)
            return

        def run_first(attribute: str) -> Any:
            if attribute.startswith("__") and attribute != "__all__":  # what is asked of every module
                raise AttributeError(f"module {name!r} has no attribute {attribute!r}")
            if sys.modules.get(name) is module and name in self._waiting:
                del sys.modules[name]
            import_module(name)
            return getattr(module, attribute)

        self._waiting[name] = module
        module.__dict__["__getattr__"] = run_first
