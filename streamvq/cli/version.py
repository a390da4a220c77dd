"""`streamvq --version`."""

from __future__ import annotations

import platform
from importlib.metadata import PackageNotFoundError, version

import streamvq

_LIBRARIES = ("numpy", "scikit-learn", "numba", "joblib", "av", "Pillow", "opencv-python-headless", "typer")
_CODECS = ("ffv1", "libx264", "libx264rgb", "libvpx-vp9")


def print_version(verbose: bool) -> None:
    """Print the version; with `verbose`, also the libraries and codecs found."""
    print(f"streamvq {streamvq.__version__}")
    if not verbose:
        return
    print(f"Python {platform.python_version()} on {platform.platform()}")
    for library in _LIBRARIES:
        print(f"{library} {_found(library)}")
    import av

    print("FFmpeg libraries " + ", ".join(f"{k} {'.'.join(map(str, v))}" for k, v in av.library_versions.items()))
    for codec in _CODECS:
        print(f"encoder {codec}: {'found' if codec in av.codecs_available else 'missing'}")


def _found(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "not installed"
