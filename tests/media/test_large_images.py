"""Large pictures take little more memory than their pixels: about 12 bytes each, from file to file."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from pictures import save, smooth

PEAKS = """
import resource, sys
from pathlib import Path
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
    """Of gray, RGB and RGBA, one after the other in one process."""
    tile = np.dstack([smooth(200, 200), smooth(200, 200)])
    paths = [
        save(np.tile(tile[..., :channels], (n, n, 1)), tmp_path / f"{n}-{channels}.png", compress_level=1)
        for n, all_channels in (
            (1, (1, 3, 4)),
            (SIDE // 200, (4, 3, 1)),
        )  # first of the large: what takes most
        for channels in all_channels
    ]
    process = start(*paths, code=PEAKS)
    output, stderr = process.communicate(timeout=300)
    peaks = [int(peak) * (1 if sys.platform == "darwin" else 1024) for peak in output.split()]
    assert len(peaks) == 6, stderr
    for large in peaks[3:]:
        assert (large - peaks[2]) / SIDE**2 < 14, peaks
