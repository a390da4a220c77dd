"""Codebooks in `.svq` files: Python codes a small first one, the kernel all others, with the same bytes."""

from __future__ import annotations

import numpy as np
import pytest

from streamvq.container import codebook_coding
from streamvq.container.codebook_coding import decode_codes, encode_codes
from streamvq.quantize.codebook import Codebook


@pytest.mark.parametrize(("space", "block"), [("rgb", (1, 1)), ("gray", (2, 2)), ("ycbcr420", (2, 2))])
def test_python_and_the_kernel_write_the_same(
    space: str, block: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    length = {"rgb": 3, "gray": 4, "ycbcr420": 6}[space]
    codes = np.random.default_rng(1).integers(0, 256, (100, length), np.uint8)
    codes[50:] = codes[:50] // 50  # small residuals too
    book = Codebook(codes, space, block)
    compiled = encode_codes(book)  # or this one is the first; then the next are not
    kernel = codebook_coding._code_codebook
    for _ in range(2):
        assert encode_codes(book) == compiled
        assert decode_codes(compiled, 100, block, space) == book
    monkeypatch.setattr(codebook_coding, "_coder", lambda _: interpreted)

    def interpreted(*arguments: object) -> object:
        with np.errstate(over="ignore"):
            return kernel.__wrapped__(*arguments)

    assert encode_codes(book) == compiled
    assert decode_codes(compiled, 100, block, space) == book
