"""What an input has and an output cannot hold, as remarks for the user."""

from __future__ import annotations

from streamvq.frames import StreamInfo
from streamvq.media.sinks.sink import FrameSink


def left_out_notes(info: StreamInfo, sink: FrameSink, has_audio: bool, a_part: bool = False) -> list[str]:
    """What of `info` the sink leaves out, where it `has_audio` to copy; `a_part` of a clip comes without."""
    audio = info.audio_streams and not (sink.holds_audio and has_audio)
    chapters = info.chapters and not sink.holds_chapters
    what = " and no ".join(["audio"] * bool(audio) + ["chapters"] * bool(chapters))
    if not what:
        return []
    subject = "a part has" if a_part and sink.holds_audio and not chapters else "holds"
    return [f"{sink.label}: {subject} no {what}, so the input's {'are' if chapters else 'is'} left out"]
