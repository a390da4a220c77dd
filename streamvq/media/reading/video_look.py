"""How a video's pictures are to be shown, as its first one tells: rotation, interlacing, high dynamic range."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import av
import av.error

from streamvq.media.libav import url
from streamvq.media.video_contents import main_video

_HDR = {16: "PQ", 18: "HLG"}  # transfer functions, by libav's numbers
_BT2020 = 9  # libav's AVCOL_PRI_BT2020
_TONES = "zscale=t=linear:npl=203,format=gbrpf32le,zscale=p=bt709,tonemap=mobius,"  # filters of the ffmpeg program
_GAMUT = "zscale=p=bt709:t=bt709:m=bt709:r=tv,format=yuv420p"


@dataclass(frozen=True)
class VideoLook:
    """`rotation` in degrees, counterclockwise; `transfer` is "PQ" or "HLG" where brightness is that of HDR, and
    `wide_gamut` whether primaries are those of BT.2020."""

    rotation: int = 0
    interlaced: bool = False
    transfer: str | None = None
    wide_gamut: bool = False

    @classmethod
    def of(cls, path: Path) -> VideoLook:
        """That of a video file; the plain one where it cannot be read, as reading it will say what is wrong."""
        try:
            with av.open(url(path), metadata_errors="replace") as container:
                stream: Any = main_video(container)
                picture: Any = next(container.decode(stream))
                context = stream.codec_context
                transfer, primaries = int(context.color_trc), int(context.color_primaries)
        except (av.error.FFmpegError, OSError, StopIteration, ValueError, AttributeError):
            return cls()
        return cls(
            round(picture.rotation) % 360,
            picture.interlaced_frame,
            _HDR.get(transfer),
            primaries == _BT2020,
        )

    @property
    def range_text(self) -> str | None:
        """What keeps its colors from being those of usual screens, such as "PQ, BT.2020"; None: nothing."""
        parts = [self.transfer, "BT.2020" if self.wide_gamut else None]
        return ", ".join(filter(None, parts)) or None

    def refusal(self, label: str) -> str | None:
        """Why such a file is not read, with the command that converts it; None where it is read."""
        if (what := self.range_text) is None:
            return None
        filters = (_TONES if self.transfer else "") + _GAMUT
        command = ["ffmpeg", "-i", label, "-vf", filters, "-crf", "10", f"{Path(label).stem}-sdr.mp4"]
        return f"{label}: has colors that usual screens do not have ({what}); convert it first: {shlex.join(command)}"
