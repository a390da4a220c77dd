"""How indices are coded: by mixed contexts, or faster by static models; their kernels are loaded where needed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from streamvq.options import CODERS

_MIXED, _STATIC = CODERS


class IndexCoder(NamedTuple):
    """`encode` makes bytes of a group's frames, [rows, cols] each, and the codes [k, d]; `decode` takes their shapes.

    `decode` raises ValueError for data that cannot be such a group.
    """

    encode: Callable[[Sequence[NDArray], NDArray[np.uint8]], bytes]
    decode: Callable[[bytes, Sequence[tuple[int, int]], NDArray[np.uint8]], list[NDArray]]


def index_coder(name: str) -> IndexCoder:
    """The coder of that name, of `CODERS`."""
    if name == _STATIC:
        from streamvq.container.static_indices.decoding import decode_static
        from streamvq.container.static_indices.encoding import encode_static

        return IndexCoder(encode_static, decode_static)
    from streamvq.container.indices.coding import decode_indices, encode_indices

    return IndexCoder(encode_indices, decode_indices)
