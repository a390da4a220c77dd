"""What notebooks show of codebooks and results."""

from __future__ import annotations

import base64
import io
import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from pictures import SAMPLES, codebook, few_colors, save, smooth
from PIL import Image

import streamvq
import streamvq.report.notebook


def pictures(text: str) -> list[NDArray[np.uint8]]:
    found = re.findall(r'src="data:image/png;base64,([^"]*)"', text)
    return [np.asarray(Image.open(io.BytesIO(base64.b64decode(code)))) for code in found]


def tags(text: str) -> set[str]:
    seen: set[str] = set()
    parser = HTMLParser()
    parser.handle_starttag = lambda tag, attrs: seen.add(tag)  # type: ignore[method-assign]
    parser.feed(text)
    return seen


def test_swatches_are_the_codes_in_order() -> None:
    book = codebook(40)
    (sheet,) = pictures(book._repr_html_())
    assert sheet.shape == (2 * 17, 32 * 17, 4)
    shown = sheet[::17, ::17].reshape(64, 4)
    np.testing.assert_array_equal(shown[:40, :3], book.codes)
    assert not shown[40:].any()
    assert "40 rgb codes" in book._repr_html_()


@pytest.mark.parametrize("space", ["gray", "ycbcr420"])
def test_swatches_of_blocks_and_gray(space: str) -> None:
    length = {"gray": 8, "ycbcr420": 12}[space]
    rows = np.random.default_rng(0).integers(0, 256, (2000, length), np.uint8)
    book = streamvq.Codebook(rows, space, (2, 4))
    text = book._repr_html_()
    (sheet,) = pictures(text)
    assert sheet.shape == (32 * 9, 32 * 17, 4)  # each pixel 4 x 4, and the gap
    np.testing.assert_array_equal(sheet[9:17:4, 17:33:4, :3], np.broadcast_to(book.pictures[33], (2, 4, 3)))
    assert "the first 1024" in text


def test_a_result_is_the_frame_before_and_after(tmp_path: Path) -> None:
    save(few_colors(9), tmp_path / "in.png")
    result = streamvq.compress(tmp_path / "in.png", tmp_path / "out.svq", 4)
    text = result._repr_html_()
    before, after = pictures(text)
    np.testing.assert_array_equal(before, few_colors(9))
    assert len(np.unique(after.reshape(-1, 3), axis=0)) == 4
    for part in ("n_codes: 4", "psnr_db: ", "bytes_out: "):
        assert part in text


def test_a_large_picture_is_made_small(tmp_path: Path) -> None:
    save(smooth(100, 1000), tmp_path / "in.png")
    result = streamvq.compress(tmp_path / "in.png", tmp_path / "out.png", 4)
    assert [picture.shape for picture in pictures(result._repr_html_())] == [(48, 480, 3)] * 2


def test_an_external_codebook_is_found(tmp_path: Path) -> None:
    result = streamvq.compress(SAMPLES / "photos" / "sprite.png", tmp_path / "out.svq", 4, external_codebook=True)
    assert len(pictures(result._repr_html_())) == 2


def test_an_input_has_a_codebook_of_its_own(tmp_path: Path) -> None:
    """A .svq that is made smaller is shown as it was, not with the codes of its output."""
    streamvq.compress(SAMPLES / "photos" / "sprite.png", tmp_path / "in.svq", 8)
    result = streamvq.compress(tmp_path / "in.svq", tmp_path / "out.svq", 4)
    assert len(pictures(result._repr_html_())) == 2


def test_what_cannot_be_read_is_text_and_names_are_escaped(tmp_path: Path) -> None:
    nasty = '<script>alert(1)</script>".png'
    result = streamvq.Result(input=nasty, output="-", error="bad <img src=x>")
    text = result._repr_html_()
    assert pictures(text) == []
    assert tags(text) <= {"table", "tr", "td", "i", "br", "small", "div"}
    assert "no such file" in text
    (tmp_path / 'b<b>&".png').write_bytes(save(few_colors(9), tmp_path / "in.png").read_bytes())
    text = streamvq.Result(input=str(tmp_path / 'b<b>&".png'), output="-")._repr_html_()
    assert len(pictures(text)) == 1
    assert tags(text) <= {"table", "tr", "td", "i", "br", "small", "div", "img"}


def test_it_costs_nothing_elsewhere() -> None:
    code = (
        "import sys, streamvq; streamvq.Codebook; streamvq.Result\n"
        "print({'streamvq.report.notebook', 'streamvq.report.before_after', 'PIL.Image'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"
