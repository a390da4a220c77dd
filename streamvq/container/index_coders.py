"""How indices are coded: by mixed contexts, by more of them, or by static models; kernels are loaded where needed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from streamvq.options import CODERS

_, _STATIC, _DEEP = CODERS


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

    deep = name == _DEEP
    return IndexCoder(partial(encode_indices, deep=deep), partial(decode_indices, deep=deep))
