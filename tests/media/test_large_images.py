"""Large pictures take little more memory than their pixels: about 12 bytes each, from file to file."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
from pictures import save, smooth
from PIL import Image

from streamvq.errors import MediaError
from streamvq.media.reading.image_reading import read_image

PEAKS = """
import resource, sys
from pathlib import Path
import cv2
import numpy as np
from streamvq import Codebook, Frame
from streamvq.media.writing.image_files import encode_image
from streamvq.media.reading.image_reading import read_image
from streamvq.quantize.histogram import ColorHistogram

book, histogram = Codebook(np.arange(24, dtype=np.uint8).reshape(8, 3)), ColorHistogram()
for name in sys.argv[1:]:  # small ones first, so that all that does not grow with pictures is there
    pixels = read_image(Path(name))
    histogram.absorb(pixels)
    coded = book.quantize_frame(Frame(pixels))[0]
    del pixels
    data = encode_image(coded, book, "png")
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""
SIDE = 2000


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="peak memory is POSIX's")
def test_bytes_a_pixel(tmp_path: Path, start: Callable) -> None:
    """Of gray, RGB and RGBA, and of RGB with 16 bits, one after the other in one process."""
    tile = np.dstack([smooth(200, 200), smooth(200, 200)])
    paths = []
    for n, kinds in ((1, (1, 3, 4, 16)), (SIDE // 200, (16, 4, 3, 1))):  # first of the large: what takes most
        for kind in kinds:
            paths.append(tmp_path / f"{n}-{kind}.png")
            if kind == 16:
                cv2.imwrite(
                    str(paths[-1]),
                    np.tile(tile[..., :3].astype(np.uint16) * 257, (n, n, 1)),
                    [cv2.IMWRITE_PNG_COMPRESSION, 6],
                )
            else:
                save(np.tile(tile[..., :kind], (n, n, 1)), paths[-1], compress_level=1)
    process = start(*paths, code=PEAKS)
    output, stderr = process.communicate(timeout=300)
    peaks = [int(peak) * (1 if sys.platform == "darwin" else 1024) for peak in output.split()]
    assert len(peaks) == 8, stderr
    for large in peaks[4:]:
        assert (large - peaks[3]) / SIDE**2 < 14, peaks


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_more_pixels_than_pillow_allows(dtype: type, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Are read where `max_pixels` allows them, and are refused where it does not."""
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 100)
    cv2.imwrite(str(tmp_path / "a.png"), np.zeros((32, 48, 3), dtype))
    assert read_image(tmp_path / "a.png", 32 * 48).dtype == dtype
    with pytest.raises(MediaError, match=r"a\.png.*`max_pixels=1535`"):
        read_image(tmp_path / "a.png", 1535)
