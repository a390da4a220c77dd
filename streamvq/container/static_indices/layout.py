"""What the encoder and the decoder of a group by static models share: sizes, the state of motion coding, tables."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from streamvq.container.indices.motion import N_MOTION_PROBABILITIES, Grid, new_grid
from streamvq.container.static_indices.model import StaticModel
from streamvq.container.static_indices.symbols import N_TOKENS

_HIGH_BITS = 8  # of an escape
N_MODEL_SYMBOLS = (N_TOKENS, 1 << _HIGH_BITS, 1 << _HIGH_BITS)  # of the three models, rounded up to powers of two
NO_VECTORS = np.zeros((1, 2), np.int64)
NO_FRAME = np.zeros(0, np.uint16)
_NO_MODEL = StaticModel(np.zeros(1, np.uint8), np.zeros((1, 1), np.uint16))


class GroupLayout:
    """The sizes of a group's frames in codes, and of what its codes are cut into; the state of its motion coding."""

    def __init__(self, shapes: Sequence[tuple[int, int]], n_codes: int) -> None:
        self.shapes = shapes
        self.max_code = n_codes - 1
        self.low_bits = max(self.max_code.bit_length() - _HIGH_BITS, 0)
        self.n_high = (self.max_code >> self.low_bits) + 1
        self.motion_probabilities = np.zeros(N_MOTION_PROBABILITIES, np.int32)

    def grids(self) -> Iterator[tuple[Grid, bool]]:
        """The grid of each frame, and whether the previous frame has it too."""
        before = None
        for height, width in self.shapes:
            yield new_grid(height, width), (height, width) == before
            before = height, width


def padded(models: Sequence[StaticModel]) -> list[StaticModel]:
    """Three models: of tokens, and of the upper and lower bits of escapes, where there are none an empty one."""
    return [*models, *[_NO_MODEL] * (3 - len(models))]


def entries_of(frequencies: NDArray[np.uint16], n_symbols: int) -> NDArray[np.uint32]:
    """Each symbol's frequency in 65536ths plus the sum of those before it: flat, `n_symbols` a cluster."""
    entries = np.zeros((len(frequencies), n_symbols), np.uint32)
    ends = np.cumsum(frequencies, axis=1, dtype=np.uint32)
    entries[:, : frequencies.shape[1]] = frequencies.astype(np.uint32) << 16 | ends - frequencies
    return entries.reshape(-1)
