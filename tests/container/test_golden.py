"""Files whose bytes may not change, and what a decoder that knows only `FORMAT.md` sees in them.

`STREAMVQ_GOLDEN=1` in the environment writes the files anew, for a new version of the format.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from containers import assert_same, read_all, saved, svq_bytes
from numpy.typing import NDArray
from plain_decoder import decode

from streamvq import Codebook, FrameMeta, IndexFrame, StreamInfo
from streamvq.container.reader import load_codebook
from streamvq.options import CODERS
from streamvq.quantize.blocks import code_length

FOLDER = Path(__file__).parent / "golden"
OLDER = [FOLDER / "version1"]  # as earlier versions wrote them
SINCE_VERSION_2 = {"translucent", "bands", "moving", "static_blocks", "deep_colors", "deep_blocks"}
TICK = Fraction(1001, 30000)


@dataclass
class Film:
    """What a file is made of."""

    book: Codebook
    frames: list[IndexFrame]
    together: int = 3
    embed: bool = True
    audio: list[bytes] = field(default_factory=list)
    coder: str = CODERS[0]

    def data(self) -> bytes:
        sizes = {(frame.width, frame.height) for frame in self.frames}
        width, height = sizes.pop() if len(sizes) == 1 else (None, None)
        tick = TICK if any(frame.time is not None for frame in self.frames) else None
        info = StreamInfo(width, height, tick and 1 / tick, len(self.frames), tick, None, int(bool(self.audio)))
        return svq_bytes(self.book, self.frames, self.together, info, self.embed, self.audio, coder=self.coder)


def made_book(count: int, space: str = "rgb", block: tuple[int, int] = (1, 1)) -> Codebook:
    """Codes that rise and fall, each with a texture of its own."""
    row, place = np.mgrid[:count, : code_length(block, space)]
    codes = row * (251 if block == (1, 1) else 89) // count * (place % 3 + 1) + row * place * place % 23 + place
    if (space, block) == ("gray", (1, 1)):
        codes = row * 7
    return Codebook((codes % 256).astype(np.uint8), space, block)


def pattern(book: Codebook, height: int, width: int, index: int) -> NDArray:
    """Rows of `book` that move by (1, 2) codes a frame, but for a corner that stands still."""
    y, x = np.mgrid[: -(-height // book.block[0]), : -(-width // book.block[1])]
    still = (y < 6) & (x < 6)
    y, x = np.where(still, y, y + index), np.where(still, x, x + 2 * index)
    codes = (y // 3 * 5 + x // 4 * 3 + y * y * x // 50 % 2) % len(book)
    return codes.astype(np.uint8 if len(book) <= 256 else np.uint16)


def film(book: Codebook, count: int, height: int, width: int) -> list[IndexFrame]:
    """Timed frames of one size."""
    codes = [pattern(book, height, width, index) for index in range(count)]
    return [IndexFrame(codes[i], FrameMeta(height, width, i, i * TICK, TICK)) for i in range(count)]


def colors() -> Film:
    """Times with gaps and one that is missing, durations that change or are unknown."""
    frames = film(made_book(16), 6, 34, 40)
    about = [(-3, 2), (-1, 2), (1, None), (7, 1), (None, 2), (8, 40)]
    for index, (time, duration) in enumerate(about):
        ticks = [None if value is None else value * TICK for value in (time, duration)]
        meta = replace(frames[index].meta, time=ticks[0], duration=ticks[1])
        frames[index] = IndexFrame(frames[index].codes, meta)
    return Film(made_book(16), frames)


def gray() -> Film:
    """Images of several sizes with names, most with alpha."""
    book = made_book(30, "gray")
    sizes = [(20, 18), (20, 18), (20, 18), (5, 33), (1, 1), (20, 18), (20, 18)]
    names = ["a.png", "größer/ß.png", "画像/一.png", "z \N{GRINNING FACE}.jpg", "e\u0301", "a/b/c", None]
    frames = []
    for index, ((height, width), name) in enumerate(zip(sizes, names, strict=True)):
        y, x = np.mgrid[:height, :width]
        alpha = ((y * 9 + x * 5 + index * 4) // 32 * 32 % 256).astype(np.uint8) if index != 1 else None
        frames.append(
            IndexFrame(pattern(book, height, width, index), FrameMeta(height, width, index, None, None, name, alpha))
        )
    return Film(book, frames, 5)


def subsampled() -> Film:
    book = made_book(40, "ycbcr420", (4, 4))
    return Film(book, film(book, 4, 70, 90), 4)


def many_blocks() -> Film:
    book = made_book(300, "rgb", (2, 2))
    return Film(book, film(book, 3, 45, 51))


def external() -> Film:
    book = made_book(700)
    return Film(book, film(book, 4, 24, 36), embed=False)


def sound() -> Film:
    book = made_book(16)
    audio = [bytes(range(start, start + 40)) for start in (0, 50, 100)]
    return Film(book, film(book, 5, 12, 16), 2, audio=audio)


def translucent() -> Film:
    """Codes with alpha, one of them transparent, and the last ones opaque."""
    book = made_book(12)
    alpha = np.array([70, 140, 0, 210, 1, *[255] * 7], np.uint8)
    book = Codebook(book.codes, alpha=alpha)
    return Film(book, film(book, 3, 20, 30))


def bands() -> Film:
    """By static models, of frames high enough for four bands."""
    book = made_book(16)
    return Film(book, film(book, 2, 130, 21), coder="static")


def moving() -> Film:
    """By static models: images of several sizes, most with alpha."""
    return replace(gray(), coder="static")


def static_blocks() -> Film:
    """By static models, codes of more than 8 bits, with escapes."""
    made = many_blocks()
    rng = np.random.default_rng(4)
    noisy = [np.where(rng.random(f.codes.shape) < 0.2, f.codes[::-1], f.codes) for f in made.frames]
    frames = [IndexFrame(codes, frame.meta) for codes, frame in zip(noisy, made.frames, strict=True)]
    return replace(made, frames=frames, coder="static")


def deep_colors() -> Film:
    """Still, moving and noisy frames, two sizes, alpha."""
    book = made_book(60)
    frames = film(book, 5, 34, 40)
    rng = np.random.default_rng(4)
    codes = pattern(book, 34, 40, 3)
    codes[rng.random(codes.shape) < 0.2] = 7
    alpha = (np.mgrid[:34, :40][1] * 6).astype(np.uint8)
    frames += [IndexFrame(codes, FrameMeta(34, 40, 5, 5 * TICK, TICK, None, alpha))]
    frames += [IndexFrame(pattern(book, 9, 13, 6), FrameMeta(9, 13, 6, 6 * TICK, TICK))]
    return Film(book, frames, 4, coder="deep")


def deep_blocks() -> Film:
    book = made_book(300, "rgb", (2, 2))
    return Film(book, film(book, 3, 45, 51), coder="deep")


MIXED = (colors, gray, subsampled, many_blocks, external, sound, translucent)
CODED_OTHERWISE = (bands, moving, static_blocks, deep_colors, deep_blocks)
FILMS: dict[str, Callable[[], Film]] = {function.__name__: function for function in MIXED + CODED_OTHERWISE}


def assert_agree(data: bytes, made: Film) -> None:
    """Both decoders see what was written."""
    book = made.book
    codes = book.codes.reshape(len(book), -1).tolist()
    frames, truncation = read_all(data, None if made.embed else book)
    assert truncation is None
    assert_same(frames, made.frames)
    plain = decode(data, None if made.embed else codes)
    assert plain.codebook == codes
    assert (plain.header["fingerprint"], plain.header["space"]) == (book.fingerprint, book.space)
    assert plain.audio == b"".join(made.audio)
    for ours, other in zip(frames, plain.frames, strict=True):
        assert (ours.index, ours.width, ours.height) == (other.index, other.width, other.height)
        assert (ours.time, ours.duration, ours.name) == (other.time, other.duration, other.name)
        assert ours.codes.tolist() == other.codes
        alpha = book.alpha_of(ours)
        assert (None if alpha is None else alpha.tolist()) == other.alpha
        assert (book.render(ours) == np.array(other.pixels, np.uint8)).all()


@pytest.mark.parametrize("name", FILMS)
def test_the_bytes_stay(name: str) -> None:
    path = FOLDER / f"{name}.svq"
    data = FILMS[name]().data()
    if os.environ.get("STREAMVQ_GOLDEN") == "1":
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(data)
    assert path.read_bytes() == data


@pytest.mark.parametrize(
    ("folder", "name"),
    [(FOLDER, name) for name in FILMS]
    + [(older, name) for older in OLDER for name in FILMS if name not in SINCE_VERSION_2],
)
def test_the_frames_stay(name: str, folder: Path) -> None:
    made = FILMS[name]()
    assert_agree((folder / f"{name}.svq").read_bytes(), made)
    if made.embed:
        assert load_codebook(folder / f"{name}.svq") == made.book


@pytest.mark.parametrize("folder", [FOLDER, *OLDER])
def test_they_are_small(folder: Path) -> None:
    sizes = [path.stat().st_size for path in folder.glob("*.svq")]
    films = FILMS.keys() - SINCE_VERSION_2 if folder in OLDER else FILMS.keys()
    assert len([*folder.glob("[!f]*.svq")]) == len(films)  # the others are of factors
    assert max(sizes) < 6000
    assert sum(sizes) < 25000


SHAPES = [("rgb", (1, 1), 257), ("gray", (1, 1), 256), ("rgb", (3, 2), 100), ("gray", (4, 1), 1), ("rgb", (1, 1), 2)]
SHAPES += [("ycbcr420", (2, 4), 300), ("rgb", (1, 1), 5000), ("gray", (1, 5), 600), ("ycbcr420", (2, 2), 33)]


@pytest.mark.parametrize("seed", range(len(SHAPES)))
def test_any_film(seed: int, tmp_path: Path) -> None:
    """Noise, movement and stillness in turn; sizes, times, durations, names and alpha come and go. Every other
    film is coded by more contexts."""
    rng = np.random.default_rng(seed)
    space, block, count = SHAPES[seed]
    samples = rng.integers(0, 256, (count, code_length(block, space)))
    if (space, block) == ("gray", (1, 1)):
        samples = rng.permutation(256)[:count, None]
    book = Codebook(samples.astype(np.uint8), space, block)
    frames: list[IndexFrame] = []
    height = width = 1
    for index in range(8):
        if index in (0, 1, 5) or rng.random() < 0.1:
            height, width = map(int, rng.integers(1, 40, 2))
        codes = pattern(book, height, width, index)
        noisy = rng.random(codes.shape) < rng.choice([0, 0.05, 1])
        codes[noisy] = rng.integers(0, count, int(noisy.sum()))
        alpha = rng.integers(0, 256, (height, width)).astype(np.uint8) // 64 * 64 if rng.random() < 0.4 else None
        time = int(rng.integers(-(10**6), 10**9)) * TICK if index == 0 or rng.random() < 0.7 else None
        duration = int(rng.integers(1, 300)) * TICK if rng.random() < 0.7 else None
        name = f"{index}/\N{SNOWMAN}" if rng.random() < 0.5 else None
        frames.append(IndexFrame(codes, FrameMeta(height, width, index, time, duration, name, alpha)))
    made = Film(
        book,
        frames,
        int(rng.integers(2, 9)),
        embed=bool(seed % 3),
        audio=[rng.bytes(seed)],
        coder=CODERS[seed % 2 * 2],
    )
    data = made.data()
    assert_agree(data, made)
    if made.embed:
        assert load_codebook(saved(tmp_path / "x.svq", data)) == book
