"""What a frame changes of the frame before: the pixels, and the box around them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from streamvq.frames import CodedFrame
from streamvq.quantize.decoder import FrameDecoder

Box = tuple[slice, slice]  # rows and columns


def changed_pixels(frame: CodedFrame, before: CodedFrame | None, decoder: FrameDecoder) -> NDArray[np.bool_]:
    """Where a frame looks other than the one before, bool [height, width]; everywhere where there is none."""
    if before is None:
        return np.ones((frame.height, frame.width), np.bool_)
    changed: NDArray[np.bool_]
    if decoder.palette is not None:
        changed = np.not_equal(decoder.palette_rows(frame), decoder.palette_rows(before))
    else:
        changed = np.any(decoder.render(frame) != decoder.render(before), axis=2)
    if frame.alpha is None and before.alpha is None:
        return changed
    opacity = [np.uint8(255) if each.alpha is None else each.alpha for each in (frame, before)]
    hidden = (opacity[0] == 0) & (opacity[1] == 0)
    changed |= opacity[0] != opacity[1]
    changed &= ~hidden
    return changed


def covers(frame: CodedFrame, changed: NDArray[np.bool_]) -> bool:
    """Whether what is changed is opaque, so that it can be drawn over the frame before."""
    return frame.alpha is None or bool((frame.alpha[changed] == 255).all())


def box_around(changed: NDArray[np.bool_], step: int = 1) -> Box:
    """The smallest box around what is changed whose top and left are multiples of `step`; one pixel for nothing."""
    rows, columns = np.flatnonzero(changed.any(axis=1)), np.flatnonzero(changed.any(axis=0))
    if not len(rows):
        return np.s_[0:1], np.s_[0:1]
    top, left = rows[0] // step * step, columns[0] // step * step
    return np.s_[int(top) : int(rows[-1]) + 1], np.s_[int(left) : int(columns[-1]) + 1]
