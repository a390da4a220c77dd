"""What a video file holds besides the pictures and the sound that are read from it."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from av.stream import Disposition

from streamvq.frames import MAX_CHAPTERS, MAX_MS, MAX_TEXT, Chapter

_UNKNOWN_LANGUAGES = (None, "", "und")


@dataclass(frozen=True)
class VideoContents:
    """The streams of a file beside its video, by language (None: unknown) or by number."""

    audio_languages: tuple[str | None, ...] = ()
    subtitle_languages: tuple[str | None, ...] = ()
    other_videos: int = 0
    covers: int = 0
    attachments: int = 0

    @classmethod
    def of(cls, container: Any) -> VideoContents:
        """The contents of an open container of PyAV."""
        streams = container.streams
        covers = sum(map(is_cover, streams.video))
        return cls(
            tuple(map(language, streams.audio)),
            tuple(map(language, streams.subtitles)),
            max(0, len(streams.video) - covers - 1),
            covers,
            sum(stream.type == "attachment" for stream in streams),
        )

    def left_out(self) -> str | None:
        """What no output keeps, such as "2 subtitle streams and 1 attachment are left out"; None: nothing."""
        counts = {
            "other video stream": self.other_videos,
            "subtitle stream": len(self.subtitle_languages),
            "cover picture": self.covers,
            "attachment": self.attachments,
        }
        parts = [f"{count} {name}{'s' * (count > 1)}" for name, count in counts.items() if count]
        if not parts:
            return None
        listed = " and ".join([", ".join(parts[:-1]), parts[-1]] if len(parts) > 1 else parts)
        return f"{listed} {'is' if sum(counts.values()) == 1 else 'are'} left out"


def main_video(container: Any) -> Any | None:
    """The first video stream that is no cover picture, None where there is none."""
    return next((stream for stream in container.streams.video if not is_cover(stream)), None)


def is_cover(stream: Any) -> bool:
    """Whether a video stream is one picture that stands for the whole file, as music has it."""
    return bool(stream.disposition & Disposition.attached_pic)


def language(stream: Any) -> str | None:
    """A stream's language as its file names it, mostly by ISO 639-2; None where it does not."""
    name = stream.metadata.get("language")
    return None if name in _UNKNOWN_LANGUAGES else str(name)


def title_of(metadata: dict[str, str]) -> str | None:
    """The title among the tags of a file or a chapter."""
    return metadata.get("title", "").strip()[:MAX_TEXT] or None


def chapters_of(container: Any) -> tuple[Chapter, ...]:
    """The chapters of an open container of PyAV; those that have no length or begin before 0 are no chapters."""
    chapters = (
        Chapter(
            round(each["start"] * each["time_base"] * 1000),
            round(each["end"] * each["time_base"] * 1000),
            title_of(each["metadata"]),
        )
        for each in container.chapters()
    )
    return tuple(each for each in chapters if 0 <= each.start_ms < each.end_ms <= MAX_MS)[:MAX_CHAPTERS]


def chapter_records(chapters: tuple[Chapter, ...]) -> list[Any]:
    """Chapters in the form that PyAV's containers take."""
    return [
        {
            "id": number,
            "start": chapter.start_ms,
            "end": chapter.end_ms,
            "time_base": Fraction(1, 1000),
            "metadata": {"title": chapter.title} if chapter.title else {},
        }
        for number, chapter in enumerate(chapters, 1)
    ]
