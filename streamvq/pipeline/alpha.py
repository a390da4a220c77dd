"""What becomes of transparency in a run: what is asked for, or else what the output can hold."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from streamvq.color_names import color_name
from streamvq.errors import UsageError
from streamvq.media.sources.treated import AlphaTreatment
from streamvq.media.targets import Target
from streamvq.media.writing.flattening import flattened_note
from streamvq.options import AlphaOptions, FitOptions
from streamvq.pipeline.reserved_options import matching_of
from streamvq.quantize.alpha_fit import fit_alpha
from streamvq.quantize.block_sample import BlockSample
from streamvq.quantize.code_order import by_count, by_palette
from streamvq.quantize.codebook import Codebook
from streamvq.quantize.color_fit import fit_colors
from streamvq.quantize.fixed_codes import FixedCodes
from streamvq.quantize.histogram import ColorHistogram, ColorSketch


def treatment(options: AlphaOptions, default: str = "keep", note: str | None = None) -> AlphaTreatment:
    """How alpha is treated: as `options` ask for, or else as `default`, told by `note`."""
    asked = options.alpha_asked
    return AlphaTreatment(asked or default, options.backdrop, None if asked else note)


def alpha_settings(options: FitOptions) -> dict[str, Any]:
    """What a codebook's provenance has of these options; None where they change nothing."""
    asked = options.alpha_asked if options.alpha_asked in ("binary", "flatten") else None
    return {
        "alpha": asked if options.background is None else color_name(options.backdrop),
        "transparent_index": options.transparent_index,
    }


def is_blank(sketch: ColorSketch | BlockSample) -> bool:
    """Whether a sketch has seen no visible pixel."""
    soft = sketch.translucent.distinct() if isinstance(sketch, ColorHistogram) else 0
    return sketch.distinct() == 0 and not soft


def has_alpha(fixed: FixedCodes | None) -> bool:
    """Whether any code that is given is not opaque."""
    return fixed is not None and fixed.alpha is not None


def learn_with_alpha(
    sketch: ColorHistogram,
    fixed: FixedCodes | None,
    options: FitOptions,
    palette: NDArray[np.uint8] | None = None,
) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """All codes, uint8 [k, 3], and their alpha, where some are not opaque: the fixed ones, and those learned.

    These stand as in `palette`, where it is given (see `order`).
    """
    given = np.empty((0, 4), np.uint8)
    if fixed is not None:
        alpha = np.full(len(fixed), 255, np.uint8) if fixed.alpha is None else fixed.alpha
        given = np.column_stack([fixed.codes, alpha])
    opaque = given[given[:, 3] == 255, :3] if fixed is not None else None

    matching = matching_of(options)

    def fit_opaque(n_codes: int) -> NDArray[np.uint8]:
        codes = fit_colors(sketch, n_codes, options.seed, matching, opaque, options.weight)
        return by_count(codes, sketch, matching, opaque) if options.order == "count" else codes

    table = fit_alpha(sketch, options.code_count - len(given), given, fit_opaque, options.seed)
    if palette is not None:
        table = by_palette(table, palette)
    if fixed is not None:
        table = replace(fixed, codes=given).with_learned(table)
    return np.ascontiguousarray(table[:, :3]), table[:, 3]


def treatment_for(target: Target, codebook: Codebook | None, options: AlphaOptions) -> AlphaTreatment:
    """How alpha is treated for an output that is written with a codebook, if any.

    An indexed PNG of colors stays one where these have no alpha: it gets one transparent index, where one is free. A
    .svq of them gets the same, so that the PNG that it becomes is no other.
    """
    default, label = target.alpha, str(target.path)
    note = f"{label}: GIF has no partial transparency: from 50 % pixels are opaque, else transparent"
    if default == "flatten":
        note = flattened_note(label, target.named, options.backdrop)
    opaque = codebook is not None and codebook.alpha is None and codebook.space == "rgb"
    if default == "keep" and target.traits.palette == "clear" and opaque and _has_free_index(codebook):
        default = "binary"
        note = f"{label}: the codes have no alpha: from 50 % pixels are opaque, else transparent (or `alpha=keep`)"
    return treatment(options, default, note)


def _has_free_index(codebook: Codebook | None) -> bool:
    palette = None if codebook is None else codebook.indexed_palette
    return palette is not None and len(palette) < 256


def check_alpha(target: Target, options: AlphaOptions) -> None:
    """Raise UsageError where an output cannot hold the transparency that is asked for."""
    asked = options.alpha
    if asked is None or asked == "flatten" or asked in target.alphas:
        return
    if target.alpha == "binary":
        raise UsageError(f"{target.path}: {target.format} has no partial transparency; use `alpha=binary`")
    raise UsageError(
        f"{target.path}: {target.named} has no transparency here, so `alpha={asked}` cannot be; drop it, use "
        "`background`, or write .mkv (FFV1), .png or .svq"
    )
