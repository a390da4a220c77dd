"""`open_source` and `open_sink`: which class reads an input, and which writes an output."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from streamvq.errors import CodebookError, MediaError, UsageError
from streamvq.frames import StreamInfo, check_pixels
from streamvq.media.inputs import MediaInput, find_inputs
from streamvq.media.sinks.sink import FrameSink
from streamvq.media.sources.animation import AnimationSource
from streamvq.media.sources.images import ImageSource
from streamvq.media.sources.source import FrameSource
from streamvq.media.sources.svq import SvqSource
from streamvq.media.sources.treated import AlphaTreatment, treated
from streamvq.media.sources.video import VideoSource
from streamvq.media.sources.y4m import Y4MSource
from streamvq.media.targets import Target
from streamvq.options import DEFAULT_MAX_PIXELS, WriteOptions
from streamvq.quantize.codebook import Codebook
from streamvq.quantize.decoder import FrameDecoder

_ALPHA_KEPT = AlphaTreatment()


def open_source(
    source: MediaInput | str | os.PathLike[str],
    recursive: bool = False,
    keep_going: bool = False,
    codebook: Codebook | None = None,
    max_pixels: int = DEFAULT_MAX_PIXELS,
) -> FrameSource:
    """Open a video, an image, a folder of images, a glob of images, a `.svq`, or "-" (y4m on standard input).

    With `keep_going`, a damaged video ends where the damage begins, with a note in `notes`, instead of raising.
    `codebook` is for a `.svq` that has none inside. Pictures of more than `max_pixels` raise MediaError before they
    take memory. Raises InputMissing, MediaError, or UsageError where `source` names several inputs.

    >>> import streamvq
    >>> with streamvq.open_source("samples/photos") as source:
    ...     sizes = [frame.pixels.shape for frame in source]
    >>> len(sizes) > 1
    True
    """
    if not isinstance(source, MediaInput):
        found = find_inputs([source], recursive)
        if len(found) != 1:
            raise UsageError(f"{source}: names {len(found)} inputs; open them one by one")
        source = found[0]
    opened = _opened(source, keep_going, codebook, max_pixels)
    try:
        check_pixels(source.label, opened.info.height or 0, opened.info.width or 0, max_pixels)
    except MediaError:
        opened.close()
        raise
    return opened


def _opened(source: MediaInput, keep_going: bool, codebook: Codebook | None, max_pixels: int) -> FrameSource:
    if source.source_type == "sketch":
        raise MediaError(f"{source.label}: is a sketch, which has no frames; fit makes a codebook of it")
    if source.source_type in ("image", "images"):
        return ImageSource(source, max_pixels)
    if source.source_type == "animation":
        return AnimationSource(source, max_pixels, keep_going)
    if source.source_type in ("pipe", "y4m"):
        return Y4MSource(source, keep_going)
    if source.is_svq:
        return SvqSource(source.paths[0], source.label, codebook, keep_going, max_pixels=max_pixels)
    return VideoSource(source.paths[0], source.label, keep_going)


def open_with_codebook(
    source: MediaInput | str | os.PathLike[str],
    codebook: Codebook | None,
    alpha: AlphaTreatment = _ALPHA_KEPT,
    **reading: Any,
) -> FrameSource:
    """An input as a source, by `open_source`, with its alpha treated; `codebook` is used only for a `.svq` without
    one inside."""
    try:
        return treated(open_source(source, **reading), alpha)
    except CodebookError as error:
        failed = error
    try:
        if codebook is not None:
            return treated(open_source(source, codebook=codebook, **reading), alpha)
    except CodebookError as error:
        failed = error
    raise CodebookError(f"{failed}, or decompress the file with it first") from failed


def open_sink(
    target: Target | str | Path,
    decoder: FrameDecoder,
    info: StreamInfo,
    settings: WriteOptions | None = None,
    audio_from: Path | None = None,
    external_codebook: bool = False,
) -> FrameSink:
    """A sink for coded frames of a source that `info` describes; `decoder`, such as a codebook, renders them.

    `target` is a path whose suffix chooses the format: .svq, a video (.mkv and .avi exact; .mp4, .mov and .webm
    lossy previews, the first two exact with `codec="x264"`), indices (.raw, .npy, .h, .aseprite), one image, "-"
    (y4m), or else a folder of images.
    `audio_from` is the file whose audio is copied into videos and .svq. Raises UsageError, OutputExists or
    OutputError.
    """
    settings = settings or WriteOptions()
    if not isinstance(target, Target):
        target = Target.from_path(target, settings.format).in_codec(settings.codec)
    from streamvq.media.sinks.choosing import make_sink  # all sinks: reading needs none of them
    from streamvq.media.sinks.request import SinkRequest

    return make_sink(SinkRequest(target, decoder, info, settings, audio_from), external_codebook)
