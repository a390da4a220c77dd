"""What a sink is asked for."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from streamvq.frames import StreamInfo
from streamvq.media.targets import Target
from streamvq.options import WriteOptions
from streamvq.quantize.decoder import FrameDecoder


class SinkRequest(NamedTuple):
    """Where to write what: coded frames that `decoder` makes pictures of, of a stream like `info`.

    Audio, title and chapters come from the file `audio_from`, where there is one.
    """

    target: Target
    decoder: FrameDecoder
    info: StreamInfo
    settings: WriteOptions
    audio_from: Path | None
