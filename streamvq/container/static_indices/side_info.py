"""What is coded by the adaptive range coder, before the lanes: motion, and which memory and neighbor escapes go by.

FORMAT.md, section 13. The models follow (model.py).
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from streamvq.compiling import njit
from streamvq.container.entropy.range_coder import FLUSH_WORDS, HALF, code_bit, load_coder, store_coder
from streamvq.container.indices.motion import MAX_VECTORS, Tiles, code_tiles, code_vectors

_WORDS_PER_TILE, _WORDS_OF_VECTORS = 3, 128  # no tile, nor all vectors, take more: 8 + 1 bits of at most 10 bits each
_CHOICE_BITS = 3


def code_motion(
    words: NDArray[np.uint32],
    state: NDArray[np.uint64],
    probabilities: NDArray[np.int32],
    vectors: NDArray[np.int64],
    tiles: Tiles,
    decoding: bool,
) -> NDArray[np.int64]:
    """Code the vectors and tiles of a frame. Returns the vectors."""
    coded = np.zeros((MAX_VECTORS, 2), np.int64)
    count = code_vectors(words, state, probabilities, vectors, coded, decoding)
    code_tiles(words, state, probabilities, count, tiles, decoding)
    return coded[:count]


def words_of_motion(tiles: Tiles) -> int:
    """No motion of a frame takes more."""
    return int(_WORDS_PER_TILE * tiles.skips.size + _WORDS_OF_VECTORS)


@njit(nogil=True, cache=True)
def code_choice(words: Any, state: Any, choice: Any, decoding: Any) -> Any:
    """Code a number of three bits. Returns it."""
    coder = load_coder(state)
    number: Any = 0
    for i in range(_CHOICE_BITS - 1, -1, -1):
        coder, bit = code_bit(words, coder, HALF, choice >> i & 1 != 0, decoding)
        number = number << 1 | np.int64(bit)
    store_coder(state, coder)
    return number


def with_space(words: NDArray[np.uint32], state: NDArray[np.uint64], more: int) -> NDArray[np.uint32]:
    """The words, or a longer copy of them, with room for `more` from the coder's position on, and for the end."""
    lacking = int(state[0]) + more + FLUSH_WORDS - len(words)
    return words if lacking <= 0 else np.concatenate((words, np.zeros(lacking + len(words), np.uint32)))
