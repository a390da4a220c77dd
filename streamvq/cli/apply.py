"""`streamvq apply`."""

from __future__ import annotations

from typing import Annotated

from streamvq.cli.parameters import Inputs, WritePrintOptions, required, with_options
from streamvq.options import ApplyOptions, CompressOptions

EXAMPLES = """\b
Examples:
  streamvq apply new-sprites/ -r -c game.codebook.npz -o build
  streamvq apply 'takes/*.mp4' -c brand.codebook.npz -o out
  streamvq apply film.mkv -c film.codebook.npz --shard 3/10 -o part3.svq
  ffmpeg -i in.mkv -f yuv4mpegpipe - | streamvq apply - -c brand.codebook.npz -o - | ffplay -"""


@with_options()
def apply(
    inputs: Inputs,
    codebook: Annotated[str, required(CompressOptions, "codebook", "The codebook.")],
    options: ApplyOptions,
    printing: WritePrintOptions,
) -> None:
    """Write inputs with a saved codebook, which never changes.

    Color inputs become luma for a gray codebook; gray inputs become R=G=B for a color one.
    """
    from streamvq.cli.run import run_compress

    run_compress(inputs, CompressOptions(**vars(options), codebook=codebook), printing)
