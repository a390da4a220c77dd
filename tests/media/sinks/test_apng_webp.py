"""Animated PNG and WebP: exact in other readers for any number of codes, with alpha; on time, and played as asked."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from animations import by_libav, by_pillow, moving, shown, write
from pictures import codebook, coded, flat, noise, save
from PIL import Image

import streamvq
from streamvq import Frame, FrameMeta, IndexFrame, OutputError, StreamInfo, UsageError, open_sink
from streamvq.lowrank.codec import LowRankCodec
from streamvq.media.reading.picture_delays import delays
from streamvq.media.sinks.animated_webp import AnimatedWebPSink
from streamvq.media.targets import Target
from streamvq.options import LowRankOptions

FORMATS = {"apng": "PNG", "webp": "WEBP"}
each_format = pytest.mark.parametrize("format", FORMATS)


@each_format
@pytest.mark.parametrize("count", [1, 3, 16, 200, 256, 1000])
@pytest.mark.parametrize("alpha", ["none", "binary", "soft"])
def test_exact(format: str, count: int, alpha: str, tmp_path: Path) -> None:
    """By Pillow, whose WebP is Google's; FFmpeg reads no animated WebP."""
    book = codebook(count)
    frames = moving(book, alpha=alpha != "none")
    if alpha == "soft":
        for index, frame in enumerate(frames):
            frame.alpha[:] = frame.alpha // (index % 3 + 1)
    write(tmp_path / f"a.{format}", book, frames[1:] if alpha == "soft" else frames)
    expected = [shown(frame, book) for frame in (frames[1:] if alpha == "soft" else frames)]
    if count == 1 and alpha == "none":
        expected = expected[:1]  # nothing ever moves
    for actual in (by_pillow, by_libav)[: 2 if format == "apng" else 1]:
        pictures = actual(tmp_path / f"a.{format}")
        assert len(pictures) == len(expected)
        for ours, wanted in zip(pictures, expected, strict=True):
            assert (ours == wanted).all()


@each_format
def test_frames_of_low_rank(format: str, tmp_path: Path) -> None:
    codec = LowRankCodec("rgb")
    pictures = [Frame(noise(17, 33, 3, index), index) for index in range(3)]
    frames = [codec.factor_frame(frame, LowRankOptions(rank=3)).coded for frame in pictures]
    with open_sink(
        tmp_path / f"a.{format}" if format == "apng" else Target("file", tmp_path / "a.webp", "webp"),
        codec,
        StreamInfo(33, 17),
    ) as sink:
        for frame in frames:
            sink.write(sink.encode(frame))
    for actual, frame in zip(by_pillow(tmp_path / f"a.{format}"), frames, strict=True):
        assert (actual[..., :3] == codec.rgb(frame)).all()


def test_the_palette_of_an_apng_is_the_codebook(tmp_path: Path) -> None:
    book = codebook(40)
    write(tmp_path / "a.apng", book, moving(book))
    with Image.open(tmp_path / "a.apng") as image:
        assert image.mode == "P"
        palette = np.array(image.getpalette(), np.uint8).reshape(-1, 3)
    assert (palette[:40] == book.palette).all()


@each_format
def test_delays_and_loop(format: str, tmp_path: Path) -> None:
    book, path = codebook(), tmp_path / f"a.{format}"
    times = [Fraction(1, 4), Fraction(1, 2), Fraction(2), Fraction(5, 2)]
    frames = [coded(book, index=index, time=time, duration=Fraction(3, 4)) for index, time in enumerate(times)]
    frames[2] = replace(frames[2], codes=frames[1].codes)  # changes nothing
    write(path, book, frames, loop=3)
    assert delays(path, FORMATS[format]) == [Fraction(1, 4), Fraction(2), Fraction(3, 4)]
    with Image.open(path) as image:
        assert (image.n_frames, image.info["loop"]) == (3, 3)


@each_format
def test_one_picture_is_what_an_image_is(format: str, tmp_path: Path) -> None:
    book = codebook()
    frame = coded(book)
    write(tmp_path / f"a.{format}", book, [frame])
    still = tmp_path / f"b.{format.replace('apng', 'png')}"
    with open_sink(still, book, StreamInfo()) as sink:
        sink.write(sink.encode(frame))
    assert (tmp_path / f"a.{format}").read_bytes() == still.read_bytes()


def test_what_cannot_be_held_is_refused(tmp_path: Path) -> None:
    book = codebook()
    with pytest.raises(OutputError, match=r"16384x1 pixels.*16383.*width"):
        write(tmp_path / "a.webp", book, [coded(book, 1, 16384)])
    for format in FORMATS:
        with pytest.raises(OutputError, match="48x32 to 50x32"):
            write(tmp_path / f"a.{format}", book, [coded(book), coded(book, 32, 50, 1)])
    with pytest.raises(OutputError, match="shown for 20000 s"):
        write(tmp_path / "a.webp", book, [coded(book, time=Fraction(0)), coded(book, time=Fraction(20_000), index=1)])
    soft = coded(book, index=1, alpha=np.full((32, 48), 100, np.uint8))
    with pytest.raises(OutputError, match=r"frame 1 has transparency that.*\.webp"):
        write(tmp_path / "a.apng", book, [coded(book), soft, coded(book, index=2)])
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("name", ["a.webp", "a.apng", "a.png"])
def test_any_number_of_jobs_and_back_again(name: str, tmp_path: Path) -> None:
    """Clip to animation to .svq to animation: every pixel and delay, and the same bytes for any number of workers."""
    book = codebook(40)
    frames = moving(book)
    write(tmp_path / "a.gif", book, frames)
    more = {"animate": True} if name == "a.png" else {}
    made = []
    for jobs in (1, 3):
        streamvq.compress(tmp_path / "a.gif", tmp_path / name, codebook=book, jobs=jobs, overwrite=True, **more)
        made.append((tmp_path / name).read_bytes())
    streamvq.compress(tmp_path / name, tmp_path / "a.svq", codebook=book)
    streamvq.decompress(tmp_path / "a.svq", tmp_path / name, jobs=2, overwrite=True, **more)
    made.append((tmp_path / name).read_bytes())
    assert made[0] == made[1] == made[2]
    kind = "WEBP" if name == "a.webp" else "PNG"
    assert delays(tmp_path / name, kind) == [Fraction(1, 20)] * len(frames)
    for ours, frame in zip(by_pillow(tmp_path / name), frames, strict=True):
        assert (ours == shown(frame, book)).all()


def test_names_and_options_that_do_not_fit(tmp_path: Path) -> None:
    book = codebook(4)
    write(tmp_path / "a.gif", book, moving(book))
    with pytest.raises(UsageError, match="holds one image"):
        streamvq.compress(tmp_path / "a.gif", tmp_path / "a.png", codebook=book)
    for more in ({"n_codes": 257}, {"block": 4}, {"method": "svd", "rank": 4}):
        with pytest.raises(UsageError, match=r"b\.gif: a GIF holds up to 256 colors"):
            streamvq.compress(tmp_path / "a.gif", tmp_path / "b.gif", **more)
    result = streamvq.compress(tmp_path / "a.gif", tmp_path / "a.mkv", codebook=book, loop=2, animate=True)
    assert [("loop" in line, "animate" in line) for line in result.warnings] == [(True, False), (False, True)]


@pytest.mark.parametrize("name", ["a.gif", "a.apng", "a.webp"])
def test_a_broken_image_among_others(name: str, tmp_path: Path) -> None:
    for index in range(3):
        save(flat(60 * index), tmp_path / "in" / f"{index}.png")
    (tmp_path / "in" / "1.png").write_bytes(b"\x89PNG\r\n\x1a\n and no more")
    result = streamvq.compress(tmp_path / "in", tmp_path / name, 4)
    assert result.frames == 2
    assert len(result.failed) == 1


@pytest.mark.parametrize("name", ["a.gif", "a.apng", "a.webp"])
def test_the_space_is_among_the_settings(name: str, tmp_path: Path) -> None:
    for index in range(2):
        save(noise(6, 8, seed=index), tmp_path / "in" / f"{index}.png")
    how = {"n_codes": 4, "space": "oklab", "skip_existing": True}
    streamvq.compress(tmp_path / "in", tmp_path / name, **how)
    assert streamvq.compress_many(tmp_path / "in", output=tmp_path / name, **how)[0].status == "skipped"


def test_fine_clocks_do_not_drift_in_apng(tmp_path: Path) -> None:
    """Delays that 16 bits cannot say are rounded together."""
    tick = Fraction(3751, 90000)
    frames = [IndexFrame(np.full((2, 2), i % 4, np.uint8), FrameMeta(2, 2, i, i * tick, tick)) for i in range(40)]
    write(tmp_path / "a.apng", codebook(4), frames, Fraction(1, 90000))
    with Image.open(tmp_path / "a.apng") as image:
        shown = 0.0
        for number in range(image.n_frames):
            image.seek(number)
            shown += image.info["duration"]
    assert abs(shown - 40000 * float(tick)) < 1


def test_a_webp_of_more_than_its_sizes_can_say_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(AnimatedWebPSink, "max_bytes", 300)
    book = codebook(16)
    with pytest.raises(OutputError, match=r"a\.webp: an animated \.webp has at most 300 bytes; write a video"):
        write(tmp_path / "a.webp", book, moving(book))
    assert not list(tmp_path.iterdir())
