"""y4m on standard output."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction

import pytest
from pictures import codebook, coded
from sink_cases import COUNT, colors
from videos import FPS, read_video

from streamvq import OutputError, StreamInfo, open_sink
from streamvq.options import WriteOptions


@pytest.mark.parametrize("size", [(32, 48), (17, 33), (1, 1)])
@pytest.mark.parametrize("space", ["rgb", "gray"])
def test_y4m_on_standard_output(
    size: tuple[int, int],
    space: str,
    capsysbinary: pytest.CaptureFixture[bytes],
    same_picture: Callable[..., None],
) -> None:
    book = codebook(space=space)
    frames = [coded(book, *size, index) for index in range(COUNT)]
    with open_sink("-", book, StreamInfo(fps=Fraction(30000, 1001))) as sink:
        for frame in frames:
            sink.write(sink.encode(frame))
    data = capsysbinary.readouterr().out
    header, _, _ = data.partition(b"\n")
    assert header.split()[:4] == [b"YUV4MPEG2", b"W%d" % size[1], b"H%d" % size[0], b"F30000:1001"]
    assert b"C444" in header.split()
    for actual, frame in zip(read_video(data), frames, strict=True):
        same_picture(actual, colors(frame, book), 3)
    assert any("not palette-exact" in note for note in sink.notes)


def test_y4m_has_one_size(capsysbinary: pytest.CaptureFixture[bytes]) -> None:
    book = codebook()

    def mix() -> None:
        with open_sink("-", book, StreamInfo()) as sink:
            for frame in (coded(book), coded(book, 8, 8, 1)):
                sink.write(sink.encode(frame))

    with pytest.raises(OutputError, match="48x32 to 8x8"):
        mix()


@pytest.mark.parametrize("format", [None, "svq"], ids=["y4m", "svq"])
def test_standard_output_is_finished_once(format: str | None, capsysbinary: pytest.CaptureFixture[bytes]) -> None:
    """Nothing can be taken back there; finishing and committing again writes nothing more."""
    settings = WriteOptions(format=format)
    book, outputs = codebook(), []
    for calls in ("", "ff", "fcfc"):
        with open_sink("-", book, StreamInfo(48, 32, FPS), settings) as sink:
            sink.write(sink.encode(coded(book)))
            for call in calls:
                (sink.finish if call == "f" else sink.commit)()
        outputs.append((capsysbinary.readouterr().out, sink.size_bytes, sink.notes))
    assert outputs[0][0]
    assert outputs[0] == outputs[1] == outputs[2]
