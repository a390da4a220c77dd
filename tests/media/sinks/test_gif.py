"""GIF: exact in two independent readers, small, on time; and what it cannot hold is said."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from animations import by_libav, by_pillow, moving, shown, write
from pictures import codebook, coded
from PIL import Image

import streamvq
from streamvq import IndexFrame, OutputError, StreamInfo, open_sink
from streamvq.media.gif.lzw import compress


def decoded(data: bytes, bits: int) -> list[int]:
    """Plain LZW decoding as the specification has it; independent of the encoder."""
    stream, clear, at, width = int.from_bytes(data, "little"), 1 << bits, 0, bits + 1
    table: dict[int, list[int]] = {}
    last: list[int] | None = None
    out: list[int] = []
    while True:
        code, at = stream >> at & (1 << width) - 1, at + width
        if code == clear:
            table, width, last = {index: [index] for index in range(clear)}, bits + 1, None
            free = clear + 2
        elif code == clear + 1:
            assert at <= 8 * len(data) < at + 8
            return out
        else:
            phrase = table[code] if code in table or last is None else [*last, last[0]]
            if last is not None and free < 4096:
                table[free] = [*last, phrase[0]]
                free += 1
                width += free == 1 << width and width < 12
            out += phrase
            last = phrase


@pytest.mark.parametrize("look_ahead", [0, 3])
@pytest.mark.parametrize("bits", [2, 4, 8])
def test_lzw_of_noise_runs_and_changing_statistics(bits: int, look_ahead: int) -> None:
    """Long enough that tables fill, are kept, and are cleared; a third of the pixels may be transparent."""
    rng = np.random.default_rng(bits)
    noise = rng.integers(0, 1 << bits, 12_000)
    runs = np.repeat(rng.integers(0, 1 << bits, 400), rng.integers(1, 60, 400))
    pixels = np.concatenate([noise, runs, noise[:9000] // 2, np.zeros(9000)]).astype(np.uint8)
    transparent = (1 << bits) - 1
    free = rng.random(len(pixels)) < 1 / 3
    for may in (np.zeros_like(free), free):
        back = np.array(decoded(compress(pixels, may, transparent, bits, look_ahead).tobytes(), bits))
        assert len(back) == len(pixels)
        assert ((back == pixels) | (may & (back == transparent))).all()


@pytest.mark.parametrize("count", [1, 2, 16, 200, 256])
@pytest.mark.parametrize("alpha", [False, True], ids=["opaque", "alpha"])
def test_exact_in_pillow_and_libav(count: int, alpha: bool, tmp_path: Path) -> None:
    book = codebook(count)
    frames = moving(book, alpha=alpha)
    write(tmp_path / "a.gif", book, frames)
    expected = [shown(frame, book) for frame in frames]
    if count == 1 and not alpha:
        expected = expected[:1]  # nothing ever moves
    for actual in by_pillow(tmp_path / "a.gif"), by_libav(tmp_path / "a.gif"):
        assert len(actual) == len(expected)
        for ours, wanted in zip(actual, expected, strict=True):
            assert (ours == wanted).all()
    with Image.open(tmp_path / "a.gif") as image:
        palette = np.array(image.getpalette()).reshape(-1, 3)[:count]
    assert (palette == book.palette[: len(palette)]).all()


def test_a_plain_call_for_each_frame_is_exact_too(tmp_path: Path) -> None:
    book = codebook()
    frames = moving(book, alpha=True)
    with open_sink(tmp_path / "a.gif", book, StreamInfo()) as sink:
        for frame in frames:
            sink.write(sink.encode(frame))
    for ours, frame in zip(by_pillow(tmp_path / "a.gif"), frames, strict=True):
        assert (ours == shown(frame, book)).all()


def test_any_free_code_stands_for_what_stays(tmp_path: Path) -> None:
    """All 256 codes are in the picture and the changes use few: as small as with a palette that has one to spare."""
    sizes = []
    for count in (256, 255):
        book = codebook(count)
        ground = np.resize(np.random.default_rng(1).permutation(count), (64, 64)).astype(np.uint8)
        changed = ground.copy()
        changed[::7, ::5] = 9
        frames = [replace(coded(book, 64, 64, index), codes=codes) for index, codes in enumerate((ground, changed))]
        write(tmp_path / f"{count}.gif", book, frames)
        assert (by_pillow(tmp_path / f"{count}.gif")[1] == shown(frames[1], book)).all()
        sizes.append((tmp_path / f"{count}.gif").stat().st_size)
    assert abs(sizes[0] - sizes[1]) < 20
    assert sizes[0] < 6500  # the first picture takes some 5,000, the second as a plain rectangle as many


def delays(path: Path) -> list[int]:
    """The delays of a GIF in hundredths of a second."""
    with Image.open(path) as image:
        found = []
        for index in range(image.n_frames):
            image.seek(index)
            found.append(round(image.info["duration"] / 10))
    return found


def at_times(times: list[Fraction], durations: list[Fraction | None] | None = None) -> list[IndexFrame]:
    book = codebook()
    return [
        coded(book, index=index, time=time, duration=durations[index] if durations else None)
        for index, time in enumerate(times)
    ]


def test_delays_follow_the_time_stamps(tmp_path: Path) -> None:
    book = codebook()
    frames = at_times([Fraction(index, 30) for index in range(31)])
    notes = write(tmp_path / "a.gif", book, frames)
    assert sum(delays(tmp_path / "a.gif")[:30]) == 100  # a second is a second
    assert not notes
    frames = at_times([Fraction(5, 2), Fraction(13, 5), Fraction(4)], [None, None, Fraction(1, 4)])
    write(tmp_path / "a.gif", book, frames, overwrite=True)
    assert delays(tmp_path / "a.gif") == [10, 140, 25]


def test_what_does_not_change_prolongs_the_picture_before(tmp_path: Path) -> None:
    book = codebook()
    frames = at_times([Fraction(index) for index in range(4)], [Fraction(1)] * 4)
    frames[2] = replace(frames[2], codes=frames[1].codes)
    write(tmp_path / "a.gif", book, frames)
    assert delays(tmp_path / "a.gif") == [100, 200, 100]
    frames = at_times([Fraction(0), Fraction(500), Fraction(1000)], [Fraction(9)] * 3)
    still = [replace(frame, codes=frames[0].codes) for frame in frames]
    write(tmp_path / "a.gif", book, still, overwrite=True)  # a delay ends at 655 s
    assert delays(tmp_path / "a.gif") == [50000, 50900]


def test_clocks_that_gif_has_not_are_told(tmp_path: Path) -> None:
    book = codebook()
    notes = write(tmp_path / "a.gif", book, at_times([Fraction(index, 100) for index in range(3)]))
    assert "10/100" in notes[0]
    notes = write(tmp_path / "a.gif", book, at_times([Fraction(index, 1000) for index in range(5)]), overwrite=True)
    assert "4 frames came faster" in notes[0]
    assert len(by_pillow(tmp_path / "a.gif")) == 5
    with pytest.raises(OutputError, match=r"shown for 700 s.*655\.35"):
        write(tmp_path / "a.gif", book, at_times([Fraction(0), Fraction(700)]), overwrite=True)


def test_what_gif_cannot_hold_is_refused(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="256 colors, not 257 colors"):
        write(tmp_path / "a.gif", codebook(257), [])
    book = codebook(256)
    for high, wide in ((65536, 1), (1, 65536)):
        with pytest.raises(OutputError, match=rf"{wide}x{high}.*65535"):
            write(tmp_path / "a.gif", book, [coded(book, high, wide)])
    with pytest.raises(OutputError, match="48x32 to 50x32"):
        write(tmp_path / "a.gif", book, [coded(book), coded(book, 32, 50, 1)])
    frame = coded(book, alpha=np.eye(32, 48, dtype=np.uint8) * 255)
    full = replace(frame, codes=np.resize(np.arange(256), (32, 48)).astype(np.uint8))
    full.alpha[8:] = 255
    with pytest.raises(OutputError, match=r"frame 0 draws all 256 colors.*255"):
        write(tmp_path / "a.gif", book, [full])
    with pytest.raises(OutputError, match="no frame"):
        write(tmp_path / "a.gif", book, [])
    assert not list(tmp_path.iterdir())


def test_one_picture_is_a_still(tmp_path: Path) -> None:
    book = codebook(4)
    frame = coded(book)
    write(tmp_path / "a.gif", book, [frame])
    data = (tmp_path / "a.gif").read_bytes()
    assert b"NETSCAPE" not in data
    assert b"!\xf9" not in data
    assert (by_pillow(tmp_path / "a.gif")[0] == shown(frame, book)).all()


@pytest.mark.parametrize(("times", "said"), [(0, 0), (1, None), (5, 4)])
def test_loop(times: int, said: int | None, tmp_path: Path) -> None:
    book = codebook(4)
    write(tmp_path / "a.gif", book, moving(book), loop=times)
    with Image.open(tmp_path / "a.gif") as image:
        assert image.info.get("loop") == said


def test_any_number_of_jobs_and_back_again(tmp_path: Path) -> None:
    """Clip to GIF to .svq to GIF: every pixel and delay, and the same bytes for any number of workers."""
    book = codebook(40)
    frames = moving(book, 12)
    write(tmp_path / "a.gif", book, frames)
    for jobs in (1, 3):
        streamvq.compress(tmp_path / "a.gif", tmp_path / f"{jobs}.gif", codebook=book, jobs=jobs)
    streamvq.compress(tmp_path / "a.gif", tmp_path / "a.svq", codebook=book)
    streamvq.decompress(tmp_path / "a.svq", tmp_path / "b.gif", jobs=2)
    first, *others = ((tmp_path / f"{name}.gif").read_bytes() for name in ("1", "3", "b", "a"))
    assert [other == first for other in others] == [True, True, True]


@pytest.mark.parametrize("count", [255, 256])
def test_a_full_palette_that_leaves_no_index_for_what_stays_is_told(count: int, tmp_path: Path) -> None:
    """Most pixels stay, and the others take every color."""
    book = codebook(count)
    rows, columns = np.mgrid[:64, :64]
    still = (rows // 4 * 64 + columns) % count
    frames = []
    for index in range(3):
        codes = np.where(rows % 4 == 0, (still + index) % count, still).astype(np.uint8)
        frames.append(replace(coded(book, 64, 64, index), codes=codes))
    notes = write(tmp_path / "a.gif", book, frames)
    assert any("a GIF of 255 colors is smaller" in note for note in notes) == (count == 256)
