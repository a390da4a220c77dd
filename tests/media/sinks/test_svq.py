"""The `.svq` sink: groups, times, names, codebooks, and the same bytes for any number of workers."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from containers import TICK, facts, pieces, read_all
from pictures import READY, codebook, coded, noise, save, smooth, snapshot
from sink_cases import group_sizes
from videos import FPS, frame_times, write_smooth_video, write_video

import streamvq
from streamvq import OutputError, StreamInfo, open_sink, open_source
from streamvq.container import group_size
from streamvq.options import WriteOptions


@pytest.mark.parametrize("tick", [Fraction(1001, 30000), Fraction(1, 1000), Fraction(1, 90000), Fraction(1, 25)])
def test_times_stay_exact(tick: Fraction, tmp_path: Path) -> None:
    """Of a variable frame rate, and where no clock of the output could tell them."""
    ticks = [3, 4, 6, 7, 20, 1000, 1001]
    source = write_video(tmp_path / "in.mp4", [smooth(shift=s) for s in range(7)], ticks, tick)
    with open_source(source) as opened:
        expected = [(frame.time, frame.duration) for frame in opened]
    streamvq.compress(source, tmp_path / "x.svq", codebook=READY[1])
    with streamvq.open(tmp_path / "x.svq") as read:
        assert [(frame.time, frame.duration) for frame in read] == expected
        assert [frame.time - read[0].time for frame in read] == [(t - 3) * tick for t in ticks]
    for way in ("straight", "round"):
        if way == "straight":
            streamvq.compress(source, tmp_path / "straight.mp4", codebook=READY[1])
        else:
            streamvq.decompress(tmp_path / "x.svq", tmp_path / "round.mp4")
    assert frame_times(tmp_path / "round.mp4") == frame_times(tmp_path / "straight.mp4")


def test_pixel_aspect_and_frame_rate(tmp_path: Path) -> None:
    info = StreamInfo(8, 6, Fraction(30000, 1001), None, Fraction(1, 90000), Fraction(12, 11))
    book = codebook(16)
    frames = [coded(book, 6, 8, i, time=i * Fraction(1001, 30000)) for i in range(5)]
    with open_sink(tmp_path / "x.svq", book, info) as sink:
        for frame in frames:
            sink.write(sink.encode(frame))
    with open_source(tmp_path / "x.svq") as source:
        assert source.info == info
        assert source.codec == "svq"
    streamvq.decompress(tmp_path / "x.svq", tmp_path / "x.mp4")
    with av.open(str(tmp_path / "x.mp4")) as container:
        assert container.streams.video[0].sample_aspect_ratio == Fraction(12, 11)
        assert container.streams.video[0].average_rate == Fraction(30000, 1001)


@pytest.mark.parametrize(("sizes", "expected"), [([(48, 64)] * 10, [4, 4, 2]), ([(96, 64)] * 5, [2, 2, 1])])
def test_groups_are_of_so_many_pixels(
    sizes: list[tuple[int, int]], expected: list[int], small_groups: None, tmp_path: Path
) -> None:
    for index, size in enumerate(sizes):
        save(smooth(*size, shift=index), tmp_path / "in" / f"{index}.png")
    streamvq.compress(tmp_path / "in", tmp_path / "x.svq", codebook=READY[1])
    assert group_sizes(tmp_path / "x.svq") == expected


def test_a_group_of_many_codes_ends_too(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(group_size, "TARGET_CODES", 2 * 64 * 48)
    for count, block in ((2, 1), (8, 2)):
        streamvq.compress(write_smooth_video(tmp_path, 10), tmp_path / f"{block}.svq", 8, block=block)
        sizes = group_sizes(tmp_path / f"{block}.svq")
        assert sizes[0] == count
        assert sum(sizes) == 10


@pytest.mark.parametrize("lossy", [0, 8])
def test_the_same_bytes_for_any_number_of_workers(lossy: float, small_groups: None, tmp_path: Path) -> None:
    source, outputs = write_smooth_video(tmp_path, 12, audio="aac"), []
    for run, jobs in enumerate((1, 3)):
        (folder := tmp_path / str(run)).mkdir()
        streamvq.compress(source, folder / "x.svq", 16, jobs=jobs, lossy=lossy)
        outputs.append(snapshot(folder))
    assert all(output == outputs[0] for output in outputs)
    assert "x.codebook.npz" in outputs[0]


def test_the_same_bytes_back_for_any_number_of_workers(small_groups: None, tmp_path: Path) -> None:
    streamvq.compress(write_smooth_video(tmp_path, 12, audio="aac"), tmp_path / "x.svq", 16)
    for out in ("x.svq", "x.mkv", "x", "x.mp4"):
        outputs = []
        for run, jobs in enumerate((1, 3)):
            (folder := tmp_path / out.replace(".", "") / str(run)).mkdir(parents=True)
            streamvq.decompress(tmp_path / "x.svq", folder / out, jobs=jobs)
            outputs.append(snapshot(folder))
        assert outputs[0] == outputs[1], out


def test_the_same_bytes_in_another_process(tmp_path: Path, start: Callable[..., subprocess.Popen[bytes]]) -> None:
    source = write_smooth_video(tmp_path, audio="aac")
    streamvq.compress(source, tmp_path / "here.svq", 16, block=2, lossy=3)
    options = ("-k", 16, "--block", 2, "--lossy", 3, "-j", 2, "-o", tmp_path / "there.svq")
    process = start("compress", source, *options)
    _, stderr = process.communicate(timeout=60)
    assert process.returncode == 0, stderr.decode()
    assert (tmp_path / "here.svq").read_bytes() == (tmp_path / "there.svq").read_bytes()


def test_names_and_alpha_of_images(tmp_path: Path) -> None:
    """What a folder of images needs: names in subfolders, mixed sizes, and soft or binary transparency. Blocks leave
    alpha as it is."""
    pixels = {
        "a b.png": noise(9, 7, 4),
        "Frühling 春/🌸 100%.png": noise(5, 12, seed=1),
        "deep/er/mask.png": noise(8, 8, 4, 2)
        // np.array([1, 1, 1, 128]).astype(np.uint8)
        * np.array([1, 1, 1, 255], np.uint8),
        "deep/gray.png": noise(3, 4, 1, 3),
    }
    for name, picture in pixels.items():
        save(picture, tmp_path / "in" / name)
    result = streamvq.compress(tmp_path / "in", tmp_path / "x.svq", 64, block=2, recursive=True)
    with streamvq.open(tmp_path / "x.svq") as read:
        assert {frame.name for frame in read} == set(pixels)
        for frame in read:
            picture = pixels[str(frame.name)]
            assert frame.pixels.shape[:2] == picture.shape[:2]
            if picture.shape[2] == 4:
                assert (frame.pixels[..., 3] == picture[..., 3]).all()
            else:
                assert frame.pixels.shape[2] == 3
    assert result.parts["alpha"] > 0
    assert sum(result.parts.values()) == result.bytes_out == (tmp_path / "x.svq").stat().st_size


def test_a_name_that_is_no_text_is_refused(tmp_path: Path) -> None:
    book = codebook(16)

    def write() -> None:
        with open_sink(tmp_path / "x.svq", book, StreamInfo()) as sink:
            sink.write(sink.encode(coded(book, name="caf\udce9.png")))

    with pytest.raises(OutputError, match="caf"):
        write()
    assert snapshot(tmp_path) == {}


def test_a_time_off_the_clock_is_refused(tmp_path: Path) -> None:
    book = codebook(16)

    def write() -> None:
        with open_sink(tmp_path / "x.svq", book, StreamInfo(8, 6, FPS, time_base=TICK)) as sink:
            sink.write(sink.encode(coded(book, 6, 8, time=Fraction(1, 26))))

    with pytest.raises(OutputError, match="1/26"):
        write()
    assert snapshot(tmp_path) == {}


def test_standard_output_is_the_same_file(
    tmp_path: Path, good: Callable, capsysbinary: pytest.CaptureFixture
) -> None:
    source = write_smooth_video(tmp_path, audio="aac")
    good("compress", source, "-k", 8, "-o", tmp_path / "x.svq")
    book = ("-c", tmp_path / "x.codebook.npz")
    piped = good("compress", source, *book, "-o", "-", "--format", "svq").stdout_bytes
    assert piped == (tmp_path / "x.svq").read_bytes()


def test_standard_output_is_no_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True, raising=False)
    with pytest.raises(OutputError, match="terminal"):
        open_sink("-", codebook(), StreamInfo(), WriteOptions(format="svq"))


def test_what_the_result_says(tmp_path: Path) -> None:
    result = streamvq.compress(write_smooth_video(tmp_path, audio="aac"), tmp_path / "x.svq", 8, block=(2, 4))
    assert set(result.parts) == {"header", "codebook", "frame tables", "alpha", "indices", "audio", "index"}
    assert sum(result.parts.values()) == result.bytes_out == (tmp_path / "x.svq").stat().st_size
    assert result.parts["indices"] > 0
    assert result.parts["audio"] > 0
    assert (result.frames, result.width, result.height, result.block) == (20, 64, 48, (2, 4))
    assert result.bits_per_pixel == pytest.approx(8 * result.bytes_out / (20 * 64 * 48))
    assert result.compression_rate == pytest.approx((24 * 8 - 3) / (24 * 8))
    assert json.dumps(result.as_dict())


def test_the_codebook_inside_is_that_of_the_file_beside(tmp_path: Path) -> None:
    streamvq.compress(write_smooth_video(tmp_path, 3), tmp_path / "x.svq", 8)
    with streamvq.open(tmp_path / "x.svq") as read:
        assert read.codebook == streamvq.Codebook.load(tmp_path / "x.codebook.npz")


def test_external_codebooks(tmp_path: Path) -> None:
    source = write_smooth_video(tmp_path, 5)
    streamvq.compress(source, tmp_path / "in.svq", 8)
    book = streamvq.Codebook.load(tmp_path / "in.codebook.npz")
    streamvq.compress(source, tmp_path / "out.svq", codebook=book, external_codebook=True)
    inside, outside = ((tmp_path / f"{name}.svq").read_bytes() for name in ("in", "out"))
    assert [kind for kind, _ in pieces(outside)] == [kind for kind, _ in pieces(inside) if kind != b"BOOK"]
    assert list(map(facts, read_all(outside, book)[0])) == list(map(facts, read_all(inside)[0]))
    with open_source(tmp_path / "out.svq", codebook=book) as opened:
        assert len(list(opened)) == 5
