"""Vector-quantize video, image folders and frame pipes with one shared, reusable codebook.

>>> import streamvq
>>> book = streamvq.fit_codebook("samples/photos", colors=8)
>>> len(book)
8
"""

import sys
from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from streamvq.container.clip import Clip, open
    from streamvq.errors import (
        BelowQuality,
        CodebookError,
        InputMissing,
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
    from streamvq.media.opening import open_sink, open_source
    from streamvq.pipeline.fit import fit_codebook
    from streamvq.pipeline.result import Result
    from streamvq.pipeline.run import compress, decompress
    from streamvq.quantize.codebook import Codebook
    from streamvq.quantize.estimator import VectorQuantizer
    from streamvq.report.compare import compare
    from streamvq.report.comparison import Comparison
    from streamvq.settings import FitSettings, OutputSettings, RunSettings

_HOMES = {
    "BelowQuality": "errors",
    "Clip": "container.clip",
    "Codebook": "quantize.codebook",
    "CodebookError": "errors",
    "Comparison": "report.comparison",
    "FitSettings": "settings",
    "Frame": "frames",
    "FrameMeta": "frames",
    "IndexFrame": "frames",
    "InputMissing": "errors",
    "LargerThanInput": "errors",
    "LowRank": "lowrank.low_rank",
    "LowRankFrame": "frames",
    "MediaDamaged": "errors",
    "MediaError": "errors",
    "OutputError": "errors",
    "OutputExists": "errors",
    "OutputSettings": "settings",
    "Result": "pipeline.result",
    "RunSettings": "settings",
    "StreamInfo": "frames",
    "StreamVQError": "errors",
    "UsageError": "errors",
    "VectorQuantizer": "quantize.estimator",
    "compare": "report.compare",
    "compress": "pipeline.run",
    "decompress": "pipeline.run",
    "fit_codebook": "pipeline.fit",
    "low_rank": "lowrank.low_rank",
    "open": "container.clip",
    "open_sink": "media.opening",
    "open_source": "media.opening",
}

__all__ = [
    "BelowQuality",
    "Clip",
    "Codebook",
    "CodebookError",
    "Comparison",
    "FitSettings",
    "Frame",
    "FrameMeta",
    "IndexFrame",
    "InputMissing",
    "LargerThanInput",
    "LowRank",
    "LowRankFrame",
    "MediaDamaged",
    "MediaError",
    "OutputError",
    "OutputExists",
    "OutputSettings",
    "Result",
    "RunSettings",
    "StreamInfo",
    "StreamVQError",
    "UsageError",
    "VectorQuantizer",
    "compare",
    "compress",
    "decompress",
    "fit_codebook",
    "low_rank",
    "open",
    "open_sink",
    "open_source",
]


def __getattr__(name: str) -> Any:
    """Public names are imported when first used: `import streamvq` and `streamvq --help` cost nothing."""
    if name not in _HOMES:
        raise AttributeError(f"module 'streamvq' has no attribute {name!r}")
    value = getattr(import_module(f"streamvq.{_HOMES[name]}"), name)
    globals()[name] = value
    if "IPython" in sys.modules:  # a notebook: codebooks and results show themselves
        import_module("streamvq.report.notebook")
    return value


def __dir__() -> list[str]:
    return __all__
