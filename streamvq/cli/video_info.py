"""What `streamvq info` says of a video."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from streamvq.frames import StreamInfo
    from streamvq.media.sources.source import FrameSource
    from streamvq.media.sources.video import VideoSource


def video_record(source: FrameSource) -> dict[str, Any]:
    """The facts of an open video, by name; those that are unknown, or nothing special, are None."""
    from streamvq.media.sources.video import VideoSource as Video

    about = source.info
    record: dict[str, Any] = {
        "codec": source.codec,
        "width": about.width,
        "height": about.height,
        "frames_announced": about.frame_count,
        "frames_per_second": float(about.fps) if about.fps else None,
        "audio_streams": about.audio_streams,
        **title_and_chapters(about),
    }
    if isinstance(source, Video):
        record |= _streams(source) | _look(source)
    return record


def title_and_chapters(about: StreamInfo) -> dict[str, Any]:
    """The title, and chapters as text with their starts in seconds."""
    chapters = [f"{each.start_ms / 1000:.3f} {each.title or ''}".rstrip() for each in about.chapters]
    return {"title": about.title, "chapters": chapters or None}


def _streams(source: VideoSource) -> dict[str, Any]:
    contents = source.contents
    return {
        "seconds": source.seconds,
        "audio_languages": _named(contents.audio_languages),
        "subtitles": [name or "unknown" for name in contents.subtitle_languages] or None,
        "other_videos": contents.other_videos or None,
        "cover_pictures": contents.covers or None,
        "attachments": contents.attachments or None,
    }


def _named(languages: tuple[str | None, ...]) -> list[str] | None:
    return [name or "unknown" for name in languages] if any(languages) else None


def _look(source: VideoSource) -> dict[str, Any]:
    if (look := source.look) is None:
        return {}
    return {
        "rotation": look.rotation or None,
        "interlaced": look.interlaced or None,
        "color_range": look.range_text,
    }
