"""`--fps`, `--every`, `--trim` and `--width`: which frames are taken, when they are shown, and their size."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from pictures import flat, noise, save, smooth
from videos import read_video, write_video

import streamvq
from streamvq import Frame, MediaError, UsageError, open_source
from streamvq.media.sources.selection import scaled, selected
from streamvq.media.sources.treated import AlphaTreatment, treated
from streamvq.options import FitOptions

COUNT = 25


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A second of video, each frame of its own gray, with a beep."""
    path = tmp_path_factory.mktemp("clip") / "in.mkv"
    return write_video(path, [flat(10 * index) for index in range(COUNT)], audio="pcm_s16le")


def taken(source: str | Path, **options: object) -> list[Frame]:
    with selected(open_source(source), FitOptions(**options)) as frames:
        return list(frames)


def grays(frames: list[Frame]) -> list[int]:
    return [int(frame.pixels[0, 0, 0]) // 10 for frame in frames]


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"every": 10}, [0, 10, 20]),
        ({"trim": "0.4:0.6"}, [10, 11, 12, 13, 14]),
        ({"trim": "0.9:"}, [23, 24]),
        ({"trim": ":0.1"}, [0, 1, 2]),
        ({"fps": 5}, [0, 5, 10, 15, 20]),
        ({"fps": 10}, [0, 3, 5, 8, 10, 13, 15, 18, 20, 23]),
        ({"fps": 100}, list(range(COUNT))),
        ({"trim": "0.2:0.8", "every": 5}, [5, 10, 15]),
    ],
)
def test_which_frames(options: dict, expected: list[int], clip: Path) -> None:
    frames = taken(clip, **options)
    assert grays(frames) == expected
    assert [frame.index for frame in frames] == list(range(len(expected)))
    start = expected[0] if "trim" in options else 0
    assert [frame.time for frame in frames] == [Fraction(number - start, COUNT) for number in expected]


def test_images_count_by_the_frame_rate(tmp_path: Path) -> None:
    for index in range(6):
        save(flat(10 * index), tmp_path / f"{index}.png")
    assert grays(taken(tmp_path, trim="0.2:0.4", fps=10)) == [2, 3]
    assert grays(taken(tmp_path, every=2)) == [0, 2, 4]


def test_nothing_selected_and_nonsense(clip: Path) -> None:
    with pytest.raises(MediaError, match=r"no frame is in `trim=3:`.*0\.96 s"):
        taken(clip, trim="3:")
    for nonsense in ({"trim": "5"}, {"trim": "2:1"}, {"trim": "-1:"}, {"trim": "a:b"}, {"every": 0}, {"width": 0}):
        with pytest.raises(UsageError, match=next(iter(nonsense))):
            FitOptions(**nonsense)


@pytest.mark.parametrize("channels", [1, 3, 4])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_scaling(channels: int, dtype: type) -> None:
    pixels = noise(24, 36, channels, dtype=dtype)
    small = scaled(pixels, 12)
    assert (small.shape, small.dtype) == ((8, 12, channels), dtype)
    if channels < 4:
        mean = pixels.reshape(8, 3, 12, 3, channels).mean(axis=(1, 3))
        assert np.abs(small - mean).max() <= 1
    assert scaled(pixels, 72).shape == (48, 72, channels)
    assert scaled(pixels, 36) is pixels


def test_hidden_pixels_do_not_shine_through() -> None:
    pixels = np.zeros((4, 4, 4), np.uint8)
    pixels[..., :3] = 200, 100, 50
    pixels[:, 1::2] = 255, 255, 255, 0
    pixels[:, ::2, 3] = 255
    assert (scaled(pixels, 2) == [200, 100, 50, 128]).all()


def test_a_whole_run(clip: Path, tmp_path: Path) -> None:
    """Learned from what is taken, without the audio of a stretch; and read again."""
    result = streamvq.compress(clip, tmp_path / "a.mkv", 256, trim="0.2:0.4", width=24)
    assert (result.frames, result.width, result.height, result.lossless) == (5, 24, 16, True)
    assert result.n_codes == 5
    assert any("a part has no audio" in note for note in result.notes)
    pictures = read_video(tmp_path / "a.mkv")
    assert [int(picture[0, 0, 0]) // 10 for picture in pictures] == [5, 6, 7, 8, 9]
    result = streamvq.compress(clip, tmp_path / "b.svq", codebook=tmp_path / "a.codebook.npz", every=5)
    assert (result.frames, any("audio" in note for note in result.notes)) == (5, False)
    assert len(streamvq.fit(clip, 256, every=5)) == 5
    with streamvq.open(tmp_path / "b.svq") as svq:
        assert [frame.time for frame in svq] == [Fraction(index, 5) for index in range(5)]


def test_decompress_takes_each_nth(tmp_path: Path) -> None:
    streamvq.compress(np_video(tmp_path), tmp_path / "a.svq", 16)
    streamvq.decompress(tmp_path / "a.svq", tmp_path / "b.mkv", frames=range(2, 9, 3))
    with streamvq.open(tmp_path / "a.svq") as svq:
        expected = [svq[index].pixels for index in (2, 5, 8)]
    for ours, wanted in zip(read_video(tmp_path / "b.mkv"), expected, strict=True):
        assert (ours == wanted).all()


def np_video(folder: Path) -> Path:
    return write_video(folder / "in.mkv", [smooth(shift=index) for index in range(10)])


def test_where_alpha_is_treated_too(clip: Path) -> None:
    options = FitOptions(trim="0.4:0.6", fps=10)
    source = treated(open_source(clip), AlphaTreatment("binary"))
    with selected(source, options) as frames:
        assert grays(list(frames)) == grays(taken(clip, trim="0.4:0.6", fps=10))


def test_what_is_left_of_every_other_image_cannot_be_told(tmp_path: Path) -> None:
    save(flat(10), tmp_path / "in" / "a.png")
    with pytest.raises(UsageError, match=r"`every` and `skip_existing` contradict"):
        streamvq.compress(tmp_path / "in", tmp_path / "out", 4, every=2, skip_existing=True)
