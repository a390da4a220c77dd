"""Which sink writes a target."""

from __future__ import annotations

from streamvq.media.sinks.animated_webp import AnimatedWebPSink
from streamvq.media.sinks.animation import AnimationSink
from streamvq.media.sinks.apng import ApngSink
from streamvq.media.sinks.exact_video import ExactVideoSink
from streamvq.media.sinks.gif import GifSink
from streamvq.media.sinks.images import FolderSink, ImageSink
from streamvq.media.sinks.index_file import INDEX_FILES, IndexFileSink
from streamvq.media.sinks.index_folder import IndexFolderSink
from streamvq.media.sinks.lossless_h264 import LosslessH264Sink
from streamvq.media.sinks.preview_video import PreviewVideoSink
from streamvq.media.sinks.request import SinkRequest
from streamvq.media.sinks.sink import FrameSink
from streamvq.media.sinks.svq import SvqSink
from streamvq.media.sinks.video import VideoSink
from streamvq.media.sinks.y4m import Y4MSink

# A new format is a line in `options/formats.py`, and its sink here.
VIDEO_SINKS: dict[str, type[VideoSink]] = {
    "mkv": ExactVideoSink,
    "avi": ExactVideoSink,
    "mp4": PreviewVideoSink,
    "mov": PreviewVideoSink,
    "webm": PreviewVideoSink,
}
ANIMATION_SINKS: dict[str, type[AnimationSink]] = {"gif": GifSink, "apng": ApngSink, "webp": AnimatedWebPSink}


def make_sink(request: SinkRequest, external_codebook: bool) -> FrameSink:
    """The sink of `open_sink`."""
    target, decoder, info, settings, _ = request
    if target.format == "svq":
        return SvqSink(request, external_codebook)
    if target.format in INDEX_FILES:
        sink = IndexFolderSink if target.kind == "folder" else IndexFileSink
        return sink(target, decoder, info, settings)
    if target.kind == "pipe":
        return Y4MSink(decoder, info, settings.frame_rate, settings.backdrop)
    if target.format in ANIMATION_SINKS and target.kind == "file":
        return ANIMATION_SINKS[target.format](target, decoder, info, settings)
    if target.codec == "x264":
        return LosslessH264Sink(request)
    if target.kind == "file":
        return VIDEO_SINKS[target.format](request)
    if target.kind == "image":
        return ImageSink(target, decoder, settings)
    return FolderSink(target, decoder, settings)
