"""`streamvq compress`."""

from __future__ import annotations

from streamvq.cli.parameters import Inputs, WritePrintOptions, with_options
from streamvq.options import CompressOptions

EXAMPLES = """\b
Examples:
  streamvq compress clip.mp4                         clip.svq: 256 colors
  streamvq compress clip.mp4 --block 4 -k 4096       codes of 4x4 pixels: far smaller
  streamvq compress clip.mp4 -k 64 -o clip.mkv       exact colors, audio kept
  streamvq compress sprites/ -r -k 32 -o build       indexed PNGs, one palette
  streamvq compress photo.jpg --gray --bits 3 -o photo.png
  streamvq compress clip.mp4 --rank 32 -o clip.mkv   frames of rank 32 first
  streamvq compress clip.mp4 --method svd --rank 12 --patch 8
  streamvq compress new/ -c build.codebook.npz -o new-build
  ffmpeg -i in.mkv -f yuv4mpegpipe - | streamvq compress - -o - | ffplay -"""


@with_options()
def compress(inputs: Inputs, options: CompressOptions, printing: WritePrintOptions) -> None:
    """Learn one codebook from all inputs, and write them with it.

    The codebook is saved next to the output; -c uses a saved one instead and changes nothing in it. --method svd
    learns nothing: it stores each frame's leading singular vectors.
    """
    from streamvq.cli.run import run_compress

    run_compress(inputs, options, printing)
