"""Vector-quantize video, image folders and frame pipes with one shared, reusable codebook.

>>> import streamvq
>>> book = streamvq.fit("samples/photos", 8)
>>> len(book)
8

"""

import sys
from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from streamvq.cluster.merge import merge
    from streamvq.cluster.planning import plan
    from streamvq.container.clip import Clip, open
    from streamvq.errors import (
        BelowQuality,
        CodebookError,
        InputMissing,
        LargerThanAsked,
        LargerThanInput,
        MediaDamaged,
        MediaError,
        OutputError,
        OutputExists,
        StreamVQError,
        UsageError,
    )
    from streamvq.frames import Frame, FrameMeta, IndexFrame, LowRankFrame, StreamInfo
    from streamvq.lowrank.low_rank import LowRank, low_rank
    from streamvq.media.codebooks import read_palette, write_palette
    from streamvq.media.opening import open_sink, open_source
    from streamvq.media.palette_files.palette import Palette
    from streamvq.pipeline.compress import apply, compress, compress_many
    from streamvq.pipeline.decode import decompress, decompress_many
    from streamvq.pipeline.fit import fit
    from streamvq.pipeline.result import Result
    from streamvq.pipeline.sketching import sketch
    from streamvq.quantize.codebook import Codebook
    from streamvq.quantize.estimator import VectorQuantizer
    from streamvq.report.compare import compare
    from streamvq.report.comparison import Comparison
    from streamvq.report.page import write_report
    from streamvq.report.spectrum import spectrum
    from streamvq.report.spectrum_stats import Spectrum
    from streamvq.report.sweep import Sweep, sweep

_HOMES = {
    "BelowQuality": "errors",
    "Clip": "container.clip",
    "Codebook": "quantize.codebook",
    "CodebookError": "errors",
    "Comparison": "report.comparison",
    "Frame": "frames",
    "FrameMeta": "frames",
    "IndexFrame": "frames",
    "InputMissing": "errors",
    "LargerThanAsked": "errors",
    "LargerThanInput": "errors",
    "LowRank": "lowrank.low_rank",
    "LowRankFrame": "frames",
    "MediaDamaged": "errors",
    "MediaError": "errors",
    "OutputError": "errors",
    "OutputExists": "errors",
    "Palette": "media.palette_files.palette",
    "Result": "pipeline.result",
    "Spectrum": "report.spectrum_stats",
    "StreamInfo": "frames",
    "StreamVQError": "errors",
    "Sweep": "report.sweep",
    "UsageError": "errors",
    "VectorQuantizer": "quantize.estimator",
    "apply": "pipeline.compress",
    "compare": "report.compare",
    "compress": "pipeline.compress",
    "compress_many": "pipeline.compress",
    "decompress": "pipeline.decode",
    "decompress_many": "pipeline.decode",
    "fit": "pipeline.fit",
    "low_rank": "lowrank.low_rank",
    "merge": "cluster.merge",
    "open": "container.clip",
    "open_sink": "media.opening",
    "open_source": "media.opening",
    "plan": "cluster.planning",
    "read_palette": "media.codebooks",
    "sketch": "pipeline.sketching",
    "spectrum": "report.spectrum",
    "sweep": "report.sweep",
    "write_palette": "media.codebooks",
    "write_report": "report.page",
}

__all__ = [
    "BelowQuality",
    "Clip",
    "Codebook",
    "CodebookError",
    "Comparison",
    "Frame",
    "FrameMeta",
    "IndexFrame",
    "InputMissing",
    "LargerThanAsked",
    "LargerThanInput",
    "LowRank",
    "LowRankFrame",
    "MediaDamaged",
    "MediaError",
    "OutputError",
    "OutputExists",
    "Palette",
    "Result",
    "Spectrum",
    "StreamInfo",
    "StreamVQError",
    "Sweep",
    "UsageError",
    "VectorQuantizer",
    "__version__",
    "apply",
    "compare",
    "compress",
    "compress_many",
    "decompress",
    "decompress_many",
    "fit",
    "low_rank",
    "merge",
    "open",
    "open_sink",
    "open_source",
    "plan",
    "read_palette",
    "sketch",
    "spectrum",
    "sweep",
    "write_palette",
    "write_report",
]


def __getattr__(name: str) -> Any:
    """Public names are imported when first used: `import streamvq` and `streamvq --help` cost nothing."""
    if name == "__version__":
        return _version()
    if name not in _HOMES:
        raise AttributeError(f"module 'streamvq' has no attribute {name!r}")
    value = getattr(import_module(f"streamvq.{_HOMES[name]}"), name)
    globals()[name] = value
    if "IPython" in sys.modules:  # a notebook: codebooks and results show themselves
        import_module("streamvq.report.notebook")
    return value


def __dir__() -> list[str]:
    return __all__


def _version() -> str:
    from importlib.metadata import PackageNotFoundError, version  # takes as long as all the rest

    try:
        return version("streamvq")
    except PackageNotFoundError:
        return "unknown"
