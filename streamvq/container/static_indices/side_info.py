"""What is coded by the adaptive range coder, before the lanes: motion, and which memory and neighbor escapes go by.

FORMAT.md, section 13. The models follow (model.py).
"""

from __future__ import annotations

from typing import Any

import numpy as np

from streamvq.compiling import njit
from streamvq.container.entropy.range_coder import HALF, code_bit, load_coder, store_coder

_CHOICE_BITS = 3


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
