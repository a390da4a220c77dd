"""`streamvq.open`: a `.svq` file as a sequence of frames."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest
from containers import TICK, assert_same, group_places, read_all, saved, small_file, some_frames, svq_bytes
from pictures import SAMPLES, codebook, smooth
from videos import FPS, write_video

import streamvq
from streamvq import Clip, Codebook, CodebookError, Frame, InputMissing, MediaError, StreamInfo

DATA, FRAMES = small_file()
BOOK = codebook(16)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return saved(tmp_path / "clip.svq", DATA)


@pytest.fixture
def clip(path: Path) -> Iterator[Clip]:
    with streamvq.open(path) as opened:
        yield opened


def test_of_a_video(tmp_path: Path) -> None:
    source = write_video(tmp_path / "in.mkv", [smooth(48, 64, shift) for shift in range(12)], audio="aac")
    streamvq.compress(source, tmp_path / "clip.svq", n_codes=16)
    with streamvq.open(str(tmp_path / "clip.svq")) as clip:
        assert len(clip) == len(clip.indices) == 12
        assert clip.indices[10].shape == (48, 64)
        assert clip.indices[10].dtype == np.uint8
        assert (clip[10].pixels == clip.codebook.lookup(clip.indices[10])).all()
        assert (clip.indices[10] == clip.codebook.quantize(smooth(48, 64, 10))).all()
        assert clip[10].time == 10 / FPS
        assert (clip.info.width, clip.info.height, clip.info.fps, clip.info.audio_streams) == (64, 48, FPS, 1)


def test_pixels_alpha_and_all_else(clip: Clip) -> None:
    for frame, coded in zip(clip, FRAMES, strict=True):
        assert isinstance(frame, Frame)
        assert (frame.pixels[..., :3] == BOOK.render(coded)).all()
        assert frame.pixels.shape[2] == (3 if coded.alpha is None else 4)
        assert coded.alpha is None or (frame.pixels[..., 3] == coded.alpha).all()
        about = (frame.index, frame.time, frame.duration, frame.name)
        assert about == (coded.index, coded.time, coded.duration, coded.name)


def test_iteration_is_what_reading_in_order_gives(clip: Clip) -> None:
    read, _ = read_all(DATA)
    assert [frame.index for frame in clip] == [frame.index for frame in read]
    assert_same([clip.coded(i) for i in range(len(clip))], read)
    assert [frame.index for frame in clip] == list(range(7))  # a second time


def test_any_order(clip: Clip) -> None:
    for index in (6, 0, 3, 3, 5, 1, 6, 2, 4):
        assert clip[index].index == index
        assert (clip.indices[index] == FRAMES[index].codes).all()


def test_from_the_end(clip: Clip) -> None:
    assert [clip[-i].index for i in range(1, 8)] == [6, 5, 4, 3, 2, 1, 0]
    assert (clip.indices[-1] == FRAMES[6].codes).all()


@pytest.mark.parametrize("index", [7, -8, 100, 2**70, -(2**70)])
def test_beyond_the_end(clip: Clip, index: int) -> None:
    with pytest.raises(IndexError, match="7"):
        clip[index]
    with pytest.raises(IndexError, match="7"):
        clip.indices[index]


@pytest.mark.parametrize(
    "part", [slice(2, 5), slice(None), slice(-2, None), slice(None, None, -2), slice(5, 2), slice(3, 99)]
)
def test_slices(clip: Clip, part: slice) -> None:
    expected = FRAMES[part]
    assert [frame.index for frame in clip[part]] == [frame.index for frame in expected]
    for codes, frame in zip(clip.indices[part], expected, strict=True):
        assert (codes == frame.codes).all()


@pytest.mark.parametrize("index", [1.0, "1", None])
def test_what_is_no_index(clip: Clip, index: object) -> None:
    with pytest.raises(TypeError):
        clip[index]  # type: ignore[call-overload]
    with pytest.raises(TypeError):
        clip.indices[index]  # type: ignore[call-overload]


def test_numpy_numbers_are_indexes(clip: Clip) -> None:
    assert clip[np.int64(3)].index == 3  # type: ignore[call-overload]
    assert clip[np.uint8(6)].index == 6  # type: ignore[call-overload]


def test_it_is_a_sequence(clip: Clip) -> None:
    assert isinstance(clip, Sequence)
    assert isinstance(clip.indices, Sequence)
    assert [codes.shape for codes in clip.indices] == [(6, 8)] * 7
    assert [frame.index for frame in reversed(clip)] == [6, 5, 4, 3, 2, 1, 0]


def test_indices_are_one_array(clip: Clip) -> None:
    stacked = np.asarray(clip.indices)
    assert (stacked.shape, stacked.dtype) == ((7, 6, 8), np.uint8)
    assert (stacked == np.stack([frame.codes for frame in FRAMES])).all()
    assert np.asarray(clip.indices, np.int64).dtype == np.int64
    assert np.array(clip.indices).shape == (7, 6, 8)
    assert (np.unique(clip.indices) == np.unique(stacked)).all()


@pytest.mark.parametrize("part", [slice(2, 5), slice(-2, None), slice(None, None, -2), slice(5, 2)])
def test_slices_of_indices_are_arrays_too(clip: Clip, part: slice) -> None:
    expected = np.asarray(clip.indices)[part]
    found = np.asarray(clip.indices[part])
    assert (found.shape, found.dtype) == (expected.shape, expected.dtype)
    assert (found == expected).all()
    assert (np.asarray(clip.indices[part][::-1]) == expected[::-1]).all()
    with pytest.raises(IndexError, match=str(len(expected))):
        clip.indices[part][len(expected)]


def test_an_array_of_indices_is_a_copy(clip: Clip) -> None:
    np.asarray(clip.indices)[:] = 99
    assert (clip.indices[6] == FRAMES[6].codes).all()
    assert (np.asarray(clip.indices)[6] == FRAMES[6].codes).all()
    with pytest.raises(ValueError, match="copy"):
        clip.indices.__array__(copy=False)


def test_indices_of_many_codes_and_of_blocks_as_an_array(tmp_path: Path) -> None:
    many = codebook(300)
    blocks = Codebook(np.arange(54, dtype=np.uint8).reshape(9, 6), "gray", (2, 3))
    for book, shape, dtype in ((many, (7, 7, 9), np.uint16), (blocks, (7, 4, 3), np.uint8)):
        frames = some_frames(book, height=7, width=9)
        info = StreamInfo(9, 7, None, 7, TICK)
        with streamvq.open(saved(tmp_path / "x.svq", svq_bytes(book, frames, info=info))) as clip:
            stacked = np.asarray(clip.indices)
            assert (stacked.shape, stacked.dtype) == (shape, dtype)
            assert (stacked == np.stack([frame.codes for frame in frames])).all()
            assert (np.asarray(clip.indices[:0]).shape, np.asarray(clip.indices[:0]).dtype) == (
                (0, *shape[1:]),
                dtype,
            )


def test_indices_of_mixed_sizes_are_no_array(tmp_path: Path) -> None:
    frames = [*some_frames(BOOK, 3), *some_frames(BOOK, 5, height=5)[3:]]
    with streamvq.open(
        saved(tmp_path / "x.svq", svq_bytes(BOOK, frames, info=StreamInfo(None, None, None, 5, TICK)))
    ) as clip:
        with pytest.raises(ValueError, match=r"frame 0 has \(6, 8\) codes and frame 3 \(5, 8\)"):
            np.asarray(clip.indices)
        assert np.asarray(clip.indices[:3]).shape == (3, 6, 8)
        assert np.asarray(clip.indices[3:]).shape == (2, 5, 8)
        assert "mixed sizes" in repr(clip)


def test_representations_are_one_line(clip: Clip) -> None:
    assert repr(clip).startswith("<Clip of 7 frames, 8x6, ")
    assert repr(clip).endswith("clip.svq>")
    assert "3 frames" in repr(clip.indices[2:5])
    for value in (clip, clip.indices, clip.codebook, clip.info):
        assert "\n" not in repr(value)


def test_a_codebook_may_be_a_path(tmp_path: Path) -> None:
    BOOK.save(tmp_path / "book.npz")
    inside = saved(tmp_path / "inside.svq", DATA)
    path = saved(tmp_path / "x.svq", svq_bytes(BOOK, FRAMES, embed=False))
    for given in (BOOK, tmp_path / "book.npz", str(tmp_path / "book.npz"), inside, str(inside)):
        with streamvq.open(path, codebook=given) as clip:
            assert clip.codebook == BOOK
            assert_same([clip.coded(6)], [FRAMES[6]])
    with pytest.raises(CodebookError, match=r"nowhere\.npz"):
        streamvq.open(path, codebook="nowhere.npz")


def test_only_the_group_that_is_asked_for_is_decoded(clip: Clip, monkeypatch: pytest.MonkeyPatch) -> None:
    from streamvq.container import reader

    decoded, decode = [], reader.decode_group

    def counted(*arguments: object) -> object:
        decoded.append(1)
        return decode(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(reader, "decode_group", counted)
    assert len(clip) == 7
    assert decoded == []
    assert clip[4].index == 4
    assert clip[5].index == 5
    assert clip.indices[4].shape == (6, 8)
    assert len(decoded) == 1
    assert clip[0].index == 0
    assert len(decoded) == 2


def test_more_than_256_codes_are_two_bytes(tmp_path: Path) -> None:
    book = codebook(300)
    with streamvq.open(saved(tmp_path / "x.svq", svq_bytes(book, some_frames(book)))) as clip:
        assert clip.indices[0].dtype == np.uint16
    with streamvq.open(saved(tmp_path / "y.svq", DATA)) as clip:
        assert clip.indices[0].dtype == np.uint8


def test_gray_and_blocks(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    for book, channels in (
        (codebook(16, "gray"), 1),
        (Codebook(rng.integers(0, 256, (9, 24)).astype(np.uint8), "ycbcr420", (4, 4)), 3),
        (Codebook(rng.integers(0, 256, (9, 6)).astype(np.uint8), "gray", (2, 3)), 1),
    ):
        frames = some_frames(book, height=7, width=9)
        with streamvq.open(saved(tmp_path / "x.svq", svq_bytes(book, frames))) as clip:
            for frame, coded in zip(clip, frames, strict=True):
                plain = channels if coded.alpha is None or channels == 3 else 3
                color = frame.pixels[..., :plain]
                assert frame.pixels.shape[:2] == (7, 9)
                assert (color == book.render(coded)).all()


def test_without_its_codebook(tmp_path: Path) -> None:
    path = saved(tmp_path / "x.svq", svq_bytes(BOOK, FRAMES, embed=False))
    with pytest.raises(CodebookError, match=BOOK.fingerprint[:12]):
        streamvq.open(path)
    with pytest.raises(CodebookError, match=BOOK.fingerprint[:12]):
        streamvq.open(path, codebook(16, seed=9))
    with streamvq.open(path, BOOK) as clip:
        assert_same([clip.coded(i) for i in range(7)], FRAMES)


def test_what_is_not_there_or_no_svq(tmp_path: Path) -> None:
    with pytest.raises(InputMissing, match=r"nowhere\.svq"):
        streamvq.open(tmp_path / "nowhere.svq")
    with pytest.raises(MediaError, match=r"clip\.mp4"):
        streamvq.open(SAMPLES / "clip.mp4")
    with pytest.raises(MediaError, match=tmp_path.name):
        streamvq.open(tmp_path)


def test_closed_twice(path: Path) -> None:
    clip = streamvq.open(path)
    clip.close()
    clip.close()
    with pytest.raises(ValueError, match="closed"):
        clip[0]


def test_a_cut_clip_says_so(tmp_path: Path) -> None:
    end = group_places(DATA)[1][1]
    with streamvq.open(saved(tmp_path / "x.svq", DATA[: end + 5])) as clip:
        assert len(clip) == 4
        assert clip.truncation is not None
        assert "4 of about 7" in clip.truncation
        with pytest.raises(IndexError):
            clip[4]
