"""From a sketch of all frames to their codebook."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version
from typing import Any

import numpy as np
from numpy.typing import NDArray

from streamvq.errors import MediaError
from streamvq.options import FitOptions
from streamvq.pipeline.alpha import alpha_settings, has_alpha, is_blank, learn_with_alpha
from streamvq.pipeline.learned_order import ordered
from streamvq.pipeline.reserved_options import fixed_by, matching_of
from streamvq.quantize.block_fit import fit_blocks
from streamvq.quantize.block_sample import BlockSample, sample_size
from streamvq.quantize.codebook import Codebook
from streamvq.quantize.color_fit import fit_colors
from streamvq.quantize.fixed_codes import FixedCodes
from streamvq.quantize.histogram import ColorHistogram, ColorSketch, LevelHistogram

Sketch = ColorSketch | BlockSample


def new_sketch(options: FitOptions) -> Sketch:
    """An empty sketch for the codes that are asked for."""
    if options.sides != (1, 1):
        most = sample_size(options.code_count, options.sides, options.code_space)
        return BlockSample(options.sides, options.code_space, options.seed, most, options.code_count)
    return LevelHistogram() if options.is_gray else ColorHistogram()


def fit_sketch(
    sketch: Sketch, options: FitOptions, fixed: FixedCodes | None, palette: NDArray[np.uint8] | None = None
) -> Codebook:
    """The codebook of a sketch beside `fixed` codes; learned colors stand as in `palette`, where it is given (see
    `order`).

    Raises MediaError where the sketch has seen no visible pixel.
    """
    if is_blank(sketch):
        raise MediaError("the input has no visible pixel to learn from")
    alpha = None
    n_codes, given, matching = options.code_count, None, matching_of(options)
    if fixed is not None:
        n_codes, given = n_codes - len(fixed), fixed.codes
    if isinstance(sketch, BlockSample):
        codes = fit_blocks(sketch, n_codes, options.seed, options.jobs, given)
    elif isinstance(sketch, ColorHistogram) and (sketch.translucent.has_any or has_alpha(fixed)):
        codes, alpha = learn_with_alpha(sketch, fixed, options, palette)
    else:
        codes = fit_colors(sketch, n_codes, options.seed, matching, given, options.weight)
        codes = ordered(codes, sketch, options.order, matching, given, palette)
    provenance = {
        **{name: value for name, value in learned_with(options).items() if value is not None},
        "streamvq": _version("streamvq"),
        "scikit-learn": _version("scikit-learn"),
        "numpy": np.__version__,
    }
    if fixed is not None and alpha is None:
        codes = fixed.with_learned(codes)
    names, reserved = (fixed.all_names(len(codes)), fixed.reserved) if fixed is not None else ((), ())
    return Codebook(codes, options.code_space, options.sides, provenance, names, matching, reserved, alpha)


def learned_with(options: FitOptions) -> dict[str, Any]:
    """The settings that a codebook's provenance has, besides its space and block; it has none that are None."""
    low_rank = vars(options.low_rank) | {"space": ""} if options.low_rank else None
    asked = {"colors_asked": options.code_count, "seed": options.seed}
    return {**asked, **fixed_by(options), "low_rank": low_rank, **alpha_settings(options)}


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "unknown"
