"""The public names: sorted, documented, all there, and nothing else."""

from __future__ import annotations

import subprocess
import sys
from importlib import resources
from importlib.metadata import version

import streamvq


def test_all_is_sorted_and_complete() -> None:
    assert streamvq.__all__ == sorted(streamvq.__all__)
    assert dir(streamvq) == streamvq.__all__
    assert {*streamvq._HOMES, "__version__"} == set(streamvq.__all__)


def test_every_public_name_comes_from_this_package_and_says_what_it_is() -> None:
    for name in set(streamvq.__all__) - {"__version__"}:
        member = getattr(streamvq, name)
        assert member.__module__.startswith("streamvq."), name
        assert member.__doc__, name


def test_the_version_is_that_of_the_package() -> None:
    assert streamvq.__version__ == version("streamvq")


def test_an_unknown_name_is_an_attribute_error() -> None:
    assert not hasattr(streamvq, "no_such_name")


def test_errors_are_also_the_builtins_that_fit() -> None:
    assert issubclass(streamvq.UsageError, ValueError)
    assert issubclass(streamvq.InputMissing, FileNotFoundError)
    assert issubclass(streamvq.MediaDamaged, ValueError)
    assert issubclass(streamvq.CodebookError, ValueError)
    assert issubclass(streamvq.OutputExists, FileExistsError)
    for name in streamvq.__all__:
        member = getattr(streamvq, name)
        if isinstance(member, type) and issubclass(member, Exception):
            assert issubclass(member, streamvq.StreamVQError)


def test_importing_the_package_imports_nothing_heavy() -> None:
    code = "import sys, streamvq; print({'numpy', 'av', 'cv2', 'sklearn', 'numba'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


def test_the_package_is_typed() -> None:
    assert resources.files("streamvq").joinpath("py.typed").is_file()
