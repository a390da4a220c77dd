"""The whole way: the same bytes every time, bounded memory, and the library's own face."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pictures import SAMPLES, bands, codebook, few_colors, load, noise, save, snapshot
from videos import read_video, write_smooth_video, write_video, y4m

import streamvq
from streamvq import Codebook, FrameMeta, IndexFrame, MediaError, StreamInfo, UsageError
from streamvq.container import group_size


def clip(folder: Path, count: int = 20) -> Path:
    return write_smooth_video(folder, count)


@pytest.mark.slow
def test_the_same_bytes_for_any_number_of_workers(tmp_path: Path) -> None:
    source, results = clip(tmp_path, 12), []
    for jobs in (1, 3):
        (folder := tmp_path / str(jobs)).mkdir()
        how: dict[str, Any] = {"n_codes": 32}
        for out in ("out.mkv", "out.avi", "out.mp4", "out"):
            streamvq.compress(source, folder / out, **how, jobs=jobs)
            how = {"codebook": folder / "out.codebook.npz"}  # learned once, to be quick
        results.append(snapshot(folder))
    assert "out.codebook.npz" in results[0]
    assert results[1] == results[0]


@pytest.mark.slow
def test_the_same_bytes_in_another_process(tmp_path: Path, start: Callable[..., subprocess.Popen[bytes]]) -> None:
    source = clip(tmp_path)
    streamvq.compress(source, tmp_path / "here.mkv", 32)
    process = start("compress", source, "-k", 32, "-j", 2, "-o", tmp_path / "there.mkv")
    _, stderr = process.communicate(timeout=60)
    assert process.returncode == 0, stderr.decode()
    for name in ("{}.mkv", "{}.codebook.npz"):
        assert (tmp_path / name.format("here")).read_bytes() == (tmp_path / name.format("there")).read_bytes()


def test_the_order_of_inputs_does_not_change_the_codebook(tmp_path: Path) -> None:
    paths = [save(noise(12, 16, seed=seed), tmp_path / f"{seed}.png") for seed in range(4)]
    paths.append(clip(tmp_path))
    assert streamvq.fit(paths, 16) == streamvq.fit(paths[::-1], 16)


@pytest.mark.slow
@settings(max_examples=15)
@given(st.integers(1, 40), st.integers(0, 1000))
def test_few_colors_are_lossless_and_exactly_those(tmp_path: Path, count: int, seed: int) -> None:
    pictures = [few_colors(count, 12, 16, seed), few_colors(count, 12, 16, seed)[::-1]]
    for index, pixels in enumerate(pictures):
        save(pixels, tmp_path / "in" / f"{index}.png")
    result = streamvq.compress(tmp_path / "in", tmp_path / "out.mkv", 40, overwrite=True)
    book = Codebook.load(tmp_path / "out.codebook.npz")
    assert {tuple(code) for code in book.codes} == {tuple(color) for color in pictures[0].reshape(-1, 3)}
    assert result.lossless
    assert result.psnr_db is None
    for actual, expected in zip(read_video(tmp_path / "out.mkv"), pictures, strict=True):
        assert (actual == expected).all()


def test_every_pixel_gets_the_nearest_code(tmp_path: Path) -> None:
    source = clip(tmp_path, 6)
    result = streamvq.compress(source, tmp_path / "out.mkv", 16)
    codes = Codebook.load(tmp_path / "out.codebook.npz").codes.astype(int)
    error = samples = 0
    for actual, pixels in zip(read_video(tmp_path / "out.mkv"), read_video(source), strict=True):
        distance = ((pixels[:, :, None].astype(int) - codes) ** 2).sum(axis=3)
        assert (actual == codes[distance.argmin(axis=2)]).all()
        error, samples = error + distance.min(axis=2).sum(), samples + pixels.size
    assert result.psnr_db == pytest.approx(10 * np.log10(255**2 * samples / error))


def test_a_codebook_is_reused_and_never_changed(tmp_path: Path) -> None:
    source = clip(tmp_path)
    streamvq.fit(source, 16).save(tmp_path / "book.npz")
    before = (tmp_path / "book.npz").read_bytes()
    book = Codebook.load(tmp_path / "book.npz")
    streamvq.compress(save(noise(), tmp_path / "other.png"), tmp_path / "out.png", codebook=book)
    assert (tmp_path / "book.npz").read_bytes() == before
    assert {tuple(c) for c in load(tmp_path / "out.png").reshape(-1, 3)} <= {tuple(c) for c in book.codes}
    assert not (tmp_path / "out.codebook.npz").exists()


def test_the_codebook_learns_from_all_frames(tmp_path: Path) -> None:
    """A color that only the last frame of the last input has is still a code."""
    write_video(tmp_path / "a.mkv", [np.zeros((8, 8, 3), np.uint8)] * 30)
    write_video(tmp_path / "b.mkv", [np.zeros((8, 8, 3), np.uint8)] * 29 + [np.full((8, 8, 3), 200, np.uint8)])
    book = streamvq.fit([tmp_path / "a.mkv", tmp_path / "b.mkv"], 4)
    assert book.codes.tolist() == [[0, 0, 0], [200, 200, 200]]


def test_a_failing_library_call_raises(tmp_path: Path) -> None:
    (tmp_path / "bad.mkv").write_bytes(b"no video")
    with pytest.raises(MediaError, match=r"bad\.mkv"):
        streamvq.compress(tmp_path / "bad.mkv", tmp_path / "out.mkv")
    with pytest.raises(UsageError, match="70000"):
        streamvq.fit(SAMPLES / "photos", 70000)
    save(noise(), tmp_path / "good.png")
    (tmp_path / "bad.png").write_bytes(b"no image")
    with pytest.raises(MediaError, match=r"bad\.png"):
        streamvq.fit([tmp_path / "good.png", tmp_path / "bad.png"], 8)


def test_several_inputs_one_codebook_one_result_each(tmp_path: Path) -> None:
    sources = [clip(tmp_path / "x"), save(noise(), tmp_path / "photo.png")]
    results = streamvq.compress_many(sources, tmp_path / "out", 16)
    assert [Path(result.output).name for result in results] == ["in.mkv", "out"]
    assert {result.codebook for result in results} == {str(tmp_path / "out.codebook.npz")}
    assert all(result.n_codes == 16 for result in results)


def test_frames_flow_through_the_library_one_by_one(tmp_path: Path, same_picture: Callable[..., None]) -> None:
    source, book = clip(tmp_path, 4), codebook(64)
    with (
        streamvq.open_source(source) as frames,
        streamvq.open_sink(tmp_path / "out.mkv", book, frames.info) as sink,
    ):
        for frame in frames:
            coded, _ = book.quantize_frame(frame)
            sink.write(sink.encode(coded))
    for actual, pixels in zip(read_video(tmp_path / "out.mkv"), read_video(source), strict=True):
        same_picture(actual, book.lookup(book.quantize(pixels)))


MEASURED = """
import shlex, sys
from pathlib import Path
from streamvq.container import group_size
group_size.TARGET_PIXELS = 4 * 240 * 320  # a group's frames are held, so there must be many
from streamvq.cli.app import app
for line in sys.argv[1:]:
    assert not app(shlex.split(line), standalone_mode=False)
    status = Path("/proc/self/status").read_text("utf-8").splitlines()
    peak = next(line for line in status if line.startswith("VmHWM"))
    print(peak.split()[1], file=sys.stderr)
"""
needs_proc = pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="peak memory is read from /proc")
FRAMES = [bands(240, 320, shift) for shift in range(4)]


def feed(process: subprocess.Popen[bytes], counts: Sequence[int]) -> list[int]:
    """Give it so many frames; its peak memory, in kB, when all but the last ones of each count were taken."""
    head, _, body = y4m(FRAMES).partition(b"\n")
    stride = len(body) // len(FRAMES)
    assert process.stdin is not None
    process.stdin.write(head + b"\n")
    peaks = []
    for index in range(counts[-1]):
        at = index % len(FRAMES) * stride
        process.stdin.write(body[at : at + stride])
        if index + 1 in counts:
            peaks.append(peak_of(process))
    return peaks


def peak_of(process: subprocess.Popen[bytes]) -> int:
    """The most memory, in kB, that a process has had."""
    status = Path(f"/proc/{process.pid}/status").read_text("utf-8").splitlines()
    return next(int(line.split()[1]) for line in status if line.startswith("VmHWM"))


@pytest.mark.slow
@needs_proc
@pytest.mark.parametrize("suffix", [".mkv", "", ".svq"], ids=["video", "images", "svq"])
def test_memory_does_not_grow_with_the_number_of_frames(suffix: str, tmp_path: Path, start: Callable) -> None:
    """140 frames of 230 kB held would be 23 MB more than 40 of them."""
    line = f"compress - -k 16 -j 2 --warmup 4 -o '{tmp_path}/out{suffix}' -q"
    process = start(line, code=MEASURED, stdin=subprocess.PIPE)
    early, _ = feed(process, (40, 140))
    _, stderr = process.communicate(timeout=60)
    assert process.returncode == 0, stderr.decode()
    assert int(stderr) - early < 15_000, early


@pytest.mark.slow
@needs_proc
def test_memory_does_not_grow_with_the_length_of_a_svq(
    tmp_path: Path, start: Callable, monkeypatch: pytest.MonkeyPatch
) -> None:
    """160 frames of 307 kB as pixels and codes, in groups of four."""
    monkeypatch.setattr(group_size, "TARGET_PIXELS", 4 * 240 * 320)
    book, lines = codebook(16), []
    rows = np.random.default_rng(0).integers(0, 16, (240, 320)).astype(np.uint8) // 8
    for count in (30, 160):
        source = tmp_path / f"{count}.svq"
        with streamvq.open_sink(source, book, StreamInfo(320, 240)) as sink:
            for first in range(0, count, 4):
                group = [
                    IndexFrame(rows, FrameMeta(240, 320, index)) for index in range(first, min(first + 4, count))
                ]
                for packet in sink.encode_group(group):
                    sink.write(packet)
        lines.append(f"decompress '{source}' -j 2 -o '{tmp_path}/{count}.mkv' -q")
    process = start(*lines, code=MEASURED)
    _, stderr = process.communicate(timeout=120)
    assert process.returncode == 0, stderr.decode()
    few, many = map(int, stderr.split())
    assert many - few < 20_000, few


@pytest.mark.slow
@needs_proc
def test_memory_does_not_grow_with_a_slow_reader(tmp_path: Path, start: Callable) -> None:
    """The reader takes some seconds for what could be written at once."""
    count, frame = 140, 3 * 240 * 320 + 6
    head, _, body = y4m(FRAMES).partition(b"\n")
    (tmp_path / "in.y4m").write_bytes(head + b"\n" + body * (count // len(FRAMES)))
    codebook(16).save(tmp_path / "book.npz")
    process = start(f"apply '{tmp_path}/in.y4m' -c '{tmp_path}/book.npz' -j 2 -o -", code=MEASURED)
    received, early = 0, None
    while chunk := os.read(process.stdout.fileno(), frame):
        received += len(chunk)
        time.sleep(0.0005)
        if early is None and received > 40 * frame:
            early = peak_of(process)
    stderr = process.stderr.read()
    assert process.wait(60) == 0, stderr.decode()
    assert received > count * frame
    assert int(stderr.splitlines()[-1]) - early < 15_000, early
