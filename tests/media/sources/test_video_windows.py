"""Stretches of a video: the very frames that one has who decodes all of it."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pictures import bands
from videos import write_video

from streamvq.errors import MediaDamaged
from streamvq.media import packet_table
from streamvq.media.sources.source import Window
from streamvq.media.sources.video import VideoSource

COUNT = 36
TICKS = [i + i // 5 for i in range(COUNT)]
STARTS = (0, 1, 9, 10, 13, 24, 35, 36, 50)
OPEN_GOP = {"x264-params": "open-gop=1:bframes=3:keyint=10:min-keyint=10:scenecut=0"}
VIDEOS: dict[str, tuple[str, dict[str, Any]]] = {
    "closed": ("a.mp4", {"bf": "3", "g": "10"}),
    "open": ("a.mkv", {"codec": "libx264", "pixel_format": "yuv420p", **OPEN_GOP}),
    "mpeg2": ("a.mp4", {"codec": "mpeg2video", "pixel_format": "yuv420p", "g": "9", "bf": "2"}),
    "ffv1": ("a.mkv", {"g": "8"}),
    "vp9": ("a.webm", {"g": "12"}),
}


def video(folder: Path, name: str) -> Path:
    file, options = VIDEOS[name]
    ticks = None if name == "mpeg2" else TICKS
    return write_video(folder / file, [bands(16, 32, i) for i in range(COUNT)], ticks, Fraction(1, 25), **options)


def frames(path: Path, window: Window, notes: int = 0) -> list[tuple[Any, ...]]:
    with VideoSource(path, "a") as source:
        found = [source.load(item) for item in source.items_from(window)]
        assert len(source.notes) == notes, source.notes
    return [(frame.index, frame.time, frame.duration, frame.pixels.tobytes()) for frame in found]


@pytest.mark.parametrize("name", VIDEOS)
def test_any_stretch(tmp_path: Path, name: str) -> None:
    path = video(tmp_path, name)
    everything = frames(path, Window())
    assert len(everything) == COUNT
    for start in STARTS:
        for stop in (start + 5, None):
            assert frames(path, Window(start, stop)) == everything[start:stop]


def test_what_is_before_the_key_frame_is_not_decoded(tmp_path: Path) -> None:
    path = video(tmp_path, "closed")
    with VideoSource(path, "a") as source:
        decoded = list(source._pictures(packet_table.packet_table(path), 0))
        assert len(decoded) == COUNT
    with VideoSource(path, "a") as source:
        pictures = source._pictures_from(25)
        assert pictures is not None
        assert len(list(pictures)) == COUNT - 25
        assert source._stream.codec_context.name == "h264"
    table = packet_table.packet_table(path)
    assert table is not None
    assert (table.key_before(25), table.key_before(9), table.key_before(0)) == (20, 0, 0)


@pytest.mark.parametrize("lie", ["a later key frame", "other sizes", "a frame too many", "other times"])
def test_an_index_that_lies_is_not_believed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, lie: str) -> None:
    path = video(tmp_path, "closed")
    everything = frames(path, Window())
    table = packet_table.packet_table(path)
    assert table is not None
    times, sizes, keys, shown = (np.array(part) for part in (table.times, table.sizes, table.keys, table.shown))
    if lie == "a later key frame":
        keys[23] = True
    elif lie == "other sizes":
        sizes += 1
    elif lie == "a frame too many":
        shown = np.insert(shown, 20, shown[20] - 1)
    else:
        shown[24] += 1
    wrong = packet_table.PacketTable(times, sizes, keys, shown)
    monkeypatch.setattr("streamvq.media.sources.video.packet_table", lambda _: wrong)
    start = 23 if lie == "a frame too many" else 24
    if lie == "a frame too many":
        shown[start] = shown[start] + 1
    assert frames(path, Window(start), notes=1) == everything[start:]


def test_a_lie_further_on_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = video(tmp_path, "closed")
    table = packet_table.packet_table(path)
    assert table is not None
    table.shown[30] += 1
    monkeypatch.setattr("streamvq.media.sources.video.packet_table", lambda _: table)
    with pytest.raises(MediaDamaged, match="a: at frame 30, its packets are not its frames; do it without shares"):
        frames(path, Window(24))
    packet_table._table.cache_clear()


def test_hidden_frames_are_not_skipped_over(tmp_path: Path) -> None:
    pictures = [bands(16, 32, i) for i in range(COUNT)]
    path = write_video(tmp_path / "a.webm", pictures, TICKS, Fraction(1, 25), codec="libvpx", g="10")
    assert frames(path, Window(24), notes=1) == frames(path, Window())[24:]
