"""What all plots have in common: their formats, and files that are the same every time."""

from __future__ import annotations

import warnings
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING

from streamvq.errors import StreamVQError, UsageError
from streamvq.staging import staged_file

if TYPE_CHECKING:
    from matplotlib.figure import Figure

FORMATS = (".png", ".svg", ".pdf")


def check_plot_path(path: Path) -> None:
    """Raise UsageError where a plot has another suffix than `FORMATS`, StreamVQError where matplotlib is missing."""
    if path.suffix.lower() not in FORMATS:
        raise UsageError(f"{path}: a figure ends in {', '.join(FORMATS)}")
    try:
        import matplotlib  # noqa: F401
    except ImportError as error:
        raise StreamVQError(f"{path}: figures need matplotlib: pip install 'streamvq[report]'") from error


def reproducible() -> AbstractContextManager[None]:
    """Settings of matplotlib with which the same plot is the same bytes."""
    import matplotlib

    return matplotlib.rc_context({"svg.hashsalt": "streamvq", "font.size": 9})


def save_plot(figure: Figure, path: Path, overwrite: bool) -> None:
    """Write a figure, without the date, which would make every run differ. Raises OutputExists or OutputError."""
    format = path.suffix[1:].lower()
    metadata = {"svg": {"Date": None}, "pdf": {"CreationDate": None}}.get(format)
    with staged_file(path, overwrite) as part, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of glyphs in names that the font does not have
        figure.savefig(part, format=format, metadata=metadata, bbox_inches="tight", pad_inches=0.1)
