"""Bytes of each frame, from packets, chunks, and files."""

from __future__ import annotations

from pathlib import Path

import av
import pytest
from pictures import codebook, flat, save, smooth
from videos import write_video

import streamvq
from streamvq.frames import Frame
from streamvq.media.inputs import MediaInput, find_inputs
from streamvq.report.frame_bytes import frame_bytes


def of_all(path: Path) -> list[float | None]:
    (source,) = find_inputs([path])
    sizes = frame_bytes(source)
    with streamvq.open_source(source) as frames:
        return [sizes.of(frame) for frame in frames]


@pytest.mark.parametrize("suffix", [".mkv", ".avi", ".mp4", ".webm"])
def test_videos_in_the_order_they_are_shown(suffix: str, tmp_path: Path) -> None:
    path = write_video(tmp_path / f"a{suffix}", [smooth(shift=3 * i) for i in range(20)], audio=None)
    with av.open(str(path)) as container:
        packets = sorted((packet.pts, packet.size) for packet in container.demux(video=0) if packet.size)
    assert of_all(path) == [size for _, size in packets]


def test_a_part_of_its_group_in_a_svq(tmp_path: Path) -> None:
    path = write_video(tmp_path / "a.mkv", [smooth(shift=i) for i in range(70)])
    streamvq.compress(path, tmp_path / "a.svq", codebook=codebook())
    sizes = of_all(tmp_path / "a.svq")
    assert len(set(sizes[:64])) == len(set(sizes[64:])) == 1
    assert 0 < sum(size or 0 for size in sizes) < (tmp_path / "a.svq").stat().st_size


def test_images(tmp_path: Path) -> None:
    paths = [save(flat(i, 8 * i), tmp_path / f"{i}.png") for i in (1, 2, 10)]
    assert of_all(tmp_path) == [path.stat().st_size for path in paths]


def test_what_does_not_tell(tmp_path: Path) -> None:
    frame = Frame(smooth())
    assert frame_bytes(MediaInput("-", "pipe")).of(frame) is None
    (tmp_path / "bad.mkv").write_bytes(b"no video")
    (tmp_path / "bad.svq").write_bytes(b"no svq")
    for name in ("bad.mkv", "bad.svq"):
        assert frame_bytes(find_inputs([tmp_path / name])[0]).of(frame) is None
    (video,) = find_inputs([write_video(tmp_path / "a.mkv", [smooth()])])
    assert frame_bytes(video).of(frame) is None  # no time, no packet
