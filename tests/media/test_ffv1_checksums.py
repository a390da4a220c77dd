"""FFV1 inputs whose slices have wrong checksums, which libav's decoder notices and then conceals."""

from __future__ import annotations

from pathlib import Path

import av
import pytest
from pictures import codebook, coded, noise
from videos import write_video

from streamvq import MediaDamaged, StreamInfo, open_sink, open_source

FRAMES = 12


def ours(path: Path) -> Path:
    with open_sink(path, codebook(), StreamInfo()) as sink:
        for index in range(FRAMES):
            sink.write(sink.encode(coded(codebook(), 64, 48, index)))
    return path


def with_wrong_packet(path: Path, number: int, at: float) -> Path:
    """The video with one bit of a packet changed, at a share of its length."""
    with av.open(str(path)) as container:
        packets = [bytes(packet) for packet in container.demux(video=0) if packet.size]
    data = bytearray(path.read_bytes())
    start = data.index(packets[number])
    data[start + int(at * (len(packets[number]) - 1))] ^= 4
    path.write_bytes(data)
    return path


KINDS = {
    "ours": ours,
    "libav": lambda path: write_video(path, [noise(64, 48, seed=i) for i in range(FRAMES)], slices="4", slicecrc="1"),
    "range coder": lambda path: write_video(path, [noise(64, 48, seed=i) for i in range(FRAMES)], coder="1"),
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("at", [0.1, 0.5, 1.0])
def test_a_wrong_checksum_is_refused_with_its_frame(kind: str, at: float, tmp_path: Path) -> None:
    path = with_wrong_packet(KINDS[kind](tmp_path / "a.mkv"), 7, at)
    with open_source(path) as source, pytest.raises(MediaDamaged, match=r"a\.mkv: frame 7 .*(checksum|add up)"):
        list(source)
    with open_source(path, keep_going=True) as source:
        assert len(list(source)) == 7


def test_the_first_frame(tmp_path: Path) -> None:
    path = with_wrong_packet(ours(tmp_path / "a.mkv"), 0, 0.5)
    with open_source(path) as source, pytest.raises(MediaDamaged, match=r"frame 0 .*is the file whole"):
        list(source)


@pytest.mark.parametrize("options", [{"level": "1"}, {"slicecrc": "0"}, {"coder": "1"}, {"slices": "9"}])
def test_whole_files_of_every_kind_are_read(options: dict[str, str], tmp_path: Path) -> None:
    """Also those without checksums."""
    pictures = [noise(96, 96, seed=i) for i in range(3)]
    path = write_video(tmp_path / "a.mkv", pictures, **({"level": "3"} | options))
    with open_source(path) as source:
        assert all((frame.pixels == picture).all() for frame, picture in zip(source, pictures, strict=True))
