"""How frames are drawn at low rank: as codes, as factors; and the same bytes, however the work is cut up."""

from __future__ import annotations

import gc
import time
import weakref
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from pictures import SAMPLES, bands, codebook, few_colors, load, noise, save, smooth, snapshot
from videos import read_video, write_video

import streamvq
from streamvq import Codebook, Frame, IndexFrame, StreamInfo
from streamvq.container import group_size
from streamvq.container.group_size import GroupSize
from streamvq.frames import CodedFrame, LowRankFrame
from streamvq.lowrank import svd as truncation
from streamvq.lowrank.low_rank import low_rank
from streamvq.media.sinks.sink import FrameSink
from streamvq.media.sources.source import FrameSource
from streamvq.options import LowRankOptions, RunOptions
from streamvq.ordered import frames_ahead
from streamvq.pipeline.encode import encode_frames
from streamvq.pipeline.encoders import Factorization, FrameEncoder, FrameStats, VectorQuantization
from streamvq.pipeline.result import StatsAccumulator

SIZE = 48 * 64
PHOTO = load(SAMPLES / "photos" / "china.jpg")
CUT = [smooth(48, 64, shift) for shift in range(5)] + [PHOTO[at : at + 48, 200 : 200 + 64] for at in range(5)]


@pytest.fixture(autouse=True)
def _warm_starts_of_small_frames(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(truncation, "_MIN_SIDE", 8)


def films(pictures: list[NDArray]) -> list[Frame]:
    return [Frame(pixels, index, Fraction(index, 25)) for index, pixels in enumerate(pictures)]


def clip(folder: Path, pictures: list[NDArray] | None = None) -> Path:
    folder.mkdir(exist_ok=True)
    return write_video(folder / "in.mkv", pictures or [smooth(48, 64, shift) for shift in range(20)], audio="aac")


def coded_by(method: FrameEncoder, frames: list[Frame]) -> list[tuple[CodedFrame, FrameStats]]:
    return [(encoded.coded, encoded.stats) for encoded in method.encode(frames)]


def methods(rank: int = 4, patch: int = 0) -> dict[str, FrameEncoder]:
    how = LowRankOptions(rank=rank, patch=patch)
    return {
        "codes": VectorQuantization(codebook(16), 0, how, SIZE),
        "gray codes": VectorQuantization(codebook(16, "gray"), 0, how, SIZE),
        "stored factors": Factorization(how, None, True, SIZE),
        "factors": Factorization(how, None, False, SIZE),
    }


def test_codes_are_the_nearest_to_the_truncated_frame() -> None:
    """And errors are those against the frame as it was."""
    book, how = codebook(16), LowRankOptions(rank=3)
    for channels in (1, 3, 4):
        frame = Frame(noise(24, 31, channels), 7, Fraction(7, 25), name="a.png")
        ((coded, figures),) = coded_by(VectorQuantization(book, 0, how), [frame])
        near = low_rank(frame.pixels, 3)
        assert isinstance(coded, IndexFrame)
        shown = frame.pixels[..., 3] > 0 if channels == 4 else np.ones((24, 31), bool)
        assert (coded.codes == book.quantize(near.pixels()))[shown].all()
        assert (coded.index, coded.time, coded.name) == (7, Fraction(7, 25), "a.png")
        original = np.broadcast_to(frame.pixels[..., :3].astype(int), (24, 31, 3))[shown]
        assert figures.samples == 3 * shown.sum()
        assert figures.squared_error == np.square(book.render(coded).astype(int)[shown] - original).sum()
        assert figures.truncation is not None
        truncated = np.broadcast_to(near.pixels()[..., :3], (24, 31, 3))[shown]
        assert figures.truncation.squared_error == np.square(truncated.astype(int) - original).sum()
        assert figures.truncation.rank == 3
        assert (coded.alpha is None) == (channels < 4)
        assert coded.alpha is None or (coded.alpha == frame.pixels[..., 3]).all()


@pytest.mark.parametrize("name", methods())
def test_figures(name: str) -> None:
    method = methods()[name]
    for frame, (coded, figures) in zip(films(CUT), coded_by(method, films(CUT)), strict=True):
        assert (coded.height, coded.width, coded.index, coded.time) == (48, 64, frame.index, frame.time)
        assert figures.size == (48, 64)
        assert figures.samples == SIZE * method.decoder.channels
        assert figures.unconverted == (method.decoder.channels == 3)
        assert figures.truncation is not None
        assert 1 <= figures.truncation.rank <= 4
        assert 0 < figures.truncation.cut_off < figures.truncation.total
        assert not figures.truncation.full


def test_the_truncation_of_factors_is_told_and_not_what_quantizing_adds() -> None:
    method = Factorization(LowRankOptions(rank=3), None, False, SIZE)
    for frame, (coded, figures) in zip(films(CUT), coded_by(method, films(CUT)), strict=True):
        assert isinstance(coded, LowRankFrame)
        best = np.square(low_rank(frame.pixels, 3).pixels().astype(int) - frame.pixels).sum()
        assert figures.truncation is not None
        assert figures.truncation.squared_error == pytest.approx(best, rel=0.02, abs=20)  # but for rounding
        error = np.square(method.decoder.render(coded).astype(int) - frame.pixels).sum()
        assert figures.squared_error == error


def test_a_rank_that_no_frame_has_is_told() -> None:
    for rank, full in ((47, False), (48, False), (49, True)):
        for method in methods(rank).values():
            ((_, figures),) = coded_by(method, films(CUT[5:6]))
            assert figures.truncation is not None
            assert figures.truncation.full == full, rank


def test_spaces() -> None:
    """Stored factors are kept where they take least, drawn ones where the frame is."""
    how = LowRankOptions(rank=4)
    assert Factorization(how, None, True).decoder.space == "ycbcr420"
    assert Factorization(how, None, False).decoder.space == "rgb"
    for stored in (True, False):
        assert Factorization(LowRankOptions(rank=4), "gray", stored).decoder.space == "gray"
        assert Factorization(LowRankOptions(rank=4), "rgb", stored).decoder.space == "rgb"


def pictures(method: FrameEncoder, frames: list[Frame]) -> list[NDArray]:
    return [method.decoder.render(coded) for coded, _ in coded_by(method, frames)]


@pytest.mark.parametrize("patch", [0, 8])
@pytest.mark.parametrize("name", methods())
def test_runs_do_not_know_of_each_other(name: str, patch: int) -> None:
    method, frames = methods(4, patch)[name], films([smooth(48, 64, shift) for shift in range(20)])
    assert method.batch_length == 8
    whole = pictures(method, frames)
    parts = [picture for start in (0, 8, 16) for picture in pictures(method, frames[start : start + 8])]
    assert all((one == other).all() for one, other in zip(whole, parts, strict=True))


def test_without_low_rank_there_are_no_runs() -> None:
    assert VectorQuantization(codebook(), pixels=SIZE).batch_length == 1
    assert (
        VectorQuantization(codebook(), 0, LowRankOptions(rank=4), None).batch_length == 1
    )  # images: each of its own size


@pytest.mark.parametrize("name", methods())
def test_a_scene_cut_inside_a_run(name: str) -> None:
    """Every frame is as near as if it had been alone, within half a percent."""
    method = methods(6)[name]
    for frame, (_, figures) in zip(films(CUT), coded_by(method, films(CUT)), strict=True):
        ((_, alone),) = coded_by(method, [frame])
        assert figures.truncation is not None
        assert alone.truncation is not None
        rounding = 1e-6 * alone.truncation.total
        assert figures.truncation.cut_off <= 1.005**2 * alone.truncation.cut_off + rounding


WAYS: dict[str, dict[str, Any]] = {
    "gray svd": {"method": "svd", "rank": 5, "gray": True},
    "svd of patches by energy": {"method": "svd", "energy": 0.98, "patch": 8},
    "svd-vq of patches": {"method": "svd-vq", "rank": 5, "patch": 8, "n_codes": 4},
    "svd-vq of blocks": {"rank": 5, "n_codes": 4, "block": 4},
}


@pytest.mark.slow
@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
def test_the_same_bytes_for_any_number_of_workers(
    way: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With groups of a run and with larger ones, and a cut inside."""
    source = clip(tmp_path, CUT + CUT[:8])
    monkeypatch.setattr(group_size, "TARGET_PIXELS", 8 * SIZE)
    results = []
    for jobs in (1, 3):
        (folder := tmp_path / str(jobs)).mkdir()
        how = dict(way)
        for out in ("a.svq", "b.mkv", "c"):
            result = streamvq.compress(source, folder / out, **how, jobs=jobs)
            assert result.frames == 18
            if result.codebook:  # it is learned only once, to be quick
                how = {"codebook": Codebook.load(Path(result.codebook)), "rank": 5, "patch": way.get("patch", 0)}
        results.append(snapshot(folder))
    assert ("a.codebook.npz" in results[0]) == (way.get("method") != "svd")
    assert results[0] == results[1]


@pytest.mark.parametrize("group", [1, 1 << 25])
def test_groups_do_not_change_what_is_drawn(group: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """However many frames a .svq file codes together, and in a video or images, which code none together."""
    monkeypatch.setattr(group_size, "TARGET_PIXELS", group * SIZE)
    source = clip(tmp_path, CUT + CUT[:8])
    for out in ("out.svq", "out.mkv", "images"):
        book = tmp_path / f"{out}.npz"
        streamvq.compress(source, tmp_path / out, 8, rank=5, save_codebook=book)
    with streamvq.open(tmp_path / "out.svq") as stored:
        assert len({(tmp_path / f"{out}.npz").read_bytes() for out in ("out.svq", "out.mkv", "images")}) == 1
        images = [load(path) for path in sorted((tmp_path / "images").iterdir())]
        for frame, video, image in zip(stored, read_video(tmp_path / "out.mkv"), images, strict=True):
            assert (frame.pixels == video).all()
            assert (frame.pixels == image).all()


@pytest.mark.parametrize("how", [{"energy": 0.97}, {"rank": 3, "patch": 8}, {"rank": 5, "block": 4}], ids=str)
def test_svd_vq_is_what_a_rank_makes_of_vq(how: dict[str, Any], tmp_path: Path) -> None:
    source = clip(tmp_path, CUT[3:7])
    for name, method in (("plain", "vq"), ("named", "svd-vq")):
        (tmp_path / name).mkdir()
        streamvq.compress(source, tmp_path / name / "x.svq", 4, **how, method=method)
    streamvq.fit(source, 4, **how).save(tmp_path / "book.npz")
    book = Codebook.load(tmp_path / "book.npz")
    assert book == Codebook.load(tmp_path / "plain" / "x.codebook.npz")
    applied = {name: value for name, value in how.items() if name != "block"}  # which the codebook fixes
    streamvq.compress(source, tmp_path / "applied.svq", codebook=book, **applied)
    plain = snapshot(tmp_path / "plain")
    assert plain == snapshot(tmp_path / "named")
    assert (tmp_path / "applied.svq").read_bytes() == plain["x.svq"]


def test_the_codebook_is_of_truncated_frames(tmp_path: Path) -> None:
    """Of few distinct colors, it is exactly those: not the frames' own."""
    truncated = set()
    for index in range(3):
        tiles = np.kron(few_colors(4, 2, 2, seed=index).astype(int), np.ones((8, 12, 1), int)).astype(np.uint8)
        save(tiles, tmp_path / "in" / f"{index}.png")
        truncated |= {tuple(color) for color in low_rank(tiles, 1).pixels().reshape(-1, 3).tolist()}
    book = streamvq.fit(tmp_path / "in", 64, rank=1)
    assert {tuple(code) for code in book.codes.tolist()} == truncated
    assert book != streamvq.fit(tmp_path / "in", 64)
    result = streamvq.compress(tmp_path / "in", tmp_path / "out", 64, rank=1)
    assert (result.n_codes, result.lossless) == (len(truncated), False)
    assert result.psnr_db == pytest.approx(result.truncation_psnr_db)  # the codebook itself adds no error
    for index in range(3):
        expected = low_rank(load(tmp_path / "in" / f"{index}.png"), 1).pixels()
        assert (load(tmp_path / "out" / f"{index}.png") == expected).all()


@pytest.mark.parametrize("way", [{"method": "svd"}, {"n_codes": 8}], ids=["svd", "svd-vq"])
def test_a_bad_image_does_not_change_the_others(way: dict[str, Any], tmp_path: Path) -> None:
    for index in range(4):
        save(noise(24, 32, seed=index), tmp_path / "in" / f"{index}.png")
    streamvq.compress(tmp_path / "in", tmp_path / "all", rank=5, **way, save_codebook=None)
    (tmp_path / "in" / "0a.png").write_bytes(b"no image")
    result = streamvq.compress(tmp_path / "in", tmp_path / "some", rank=5, **way)
    assert len(result.failed) == 1
    assert snapshot(tmp_path / "some") == snapshot(tmp_path / "all")


class Numbers(FrameSource):
    """Small frames that are decoded on the caller's thread, as a video's, and can be counted while they live."""

    def __init__(self, count: int) -> None:
        super().__init__("numbers")
        self._count = count
        self.info = StreamInfo(16, 16, Fraction(25), count)
        self.alive: weakref.WeakSet[Frame] = weakref.WeakSet()

    def items(self) -> Iterator[Frame]:
        for index in range(self._count):
            frame = Frame(smooth(16, 16, index), index)
            self.alive.add(frame)
            yield frame
            del frame

    def load(self, item: Frame) -> Frame:
        return item


class Slow(FrameSink):
    """Takes its time, and looks how many frames are alive."""

    def __init__(self, source: Numbers, group_pixels: int) -> None:
        super().__init__("slow")
        self._source = source
        self.group_size = GroupSize(1 << 30, group_pixels) if group_pixels else None
        self.most = self.written = 0

    def encode(self, frame: Any) -> Any:
        return frame

    def write(self, packet: Any) -> None:
        self.written += 1
        time.sleep(0.001)
        self.most = max(self.most, len(self._source.alive))


@pytest.mark.parametrize(
    ("name", "together"), [("codes", 0), ("stored factors", 24 * 256)], ids=["runs", "larger groups"]
)
def test_a_slow_sink_holds_back_the_frames(name: str, together: int) -> None:
    """At most so many groups are alive, each of a run or as large as the sink wants them."""
    gc.collect()
    source = Numbers(400)
    how = LowRankOptions(rank=2)
    method: FrameEncoder = Factorization(how, None, True, 256)
    if name == "codes":
        method = VectorQuantization(codebook(16), 0, how, 256)
    with Slow(source, together) as sink:
        encode_frames(source, source.items(), method, sink, StatsAccumulator(), RunOptions(jobs=2))
    assert sink.written == 400
    size = max(method.batch_length, together // 256)
    assert size < sink.most <= frames_ahead(2, 256 * size) * size + 1


def test_large_frames_are_few_at_a_time() -> None:
    """A run of frames of full HD is no more than what a worker may hold, whatever the method."""
    pixels = 1920 * 1080
    run = Factorization(LowRankOptions(rank=9), None, True, pixels).batch_length
    assert run == VectorQuantization(codebook(), 0, LowRankOptions(rank=9), pixels).batch_length == 4
    assert frames_ahead(2, run * pixels) * run <= 16
    assert Factorization(LowRankOptions(rank=9), None, True, 1 << 26).batch_length == 1


@pytest.mark.slow
def test_lossy_codes_of_low_rank(tmp_path: Path) -> None:
    """Codes that are kept where it costs little: other ones, and the same for any number of workers."""
    source, files = clip(tmp_path, [smooth(48, 64, shift) for shift in range(9)]), []
    book = streamvq.fit(source, 16, rank=2)
    for lossy in (0, 20):
        outputs = set()
        for jobs in (1, 3):
            out = tmp_path / "x.svq"
            streamvq.compress(source, out, codebook=book, rank=2, jobs=jobs, lossy=lossy, overwrite=True)
            outputs.add(out.read_bytes())
        assert len(outputs) == 1
        files.append(outputs.pop())
    assert files[1] != files[0]


@pytest.mark.parametrize(
    ("block", "settings"),
    [
        (1, {"lossy": 20}),
        (4, {"lossy": 20}),
        (1, {"stability": 9, "dither": "floyd-steinberg"}),
        (4, {"stability": 9, "lossy": 5}),
    ],
    ids=str,
)
def test_scanned_codes_depend_on_neither_groups_nor_workers(
    block: int, settings: dict, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What happens at a group's border is what happens anywhere: the previous frame is known there too."""
    source, indices = clip(tmp_path, [bands(48, 64, shift) for shift in range(20)]), []
    book = streamvq.fit(source, 16, block=block)
    for frames, jobs in ((64, 1), (3, 2)):
        monkeypatch.setattr("streamvq.container.group_size.TARGET_VIDEO_FRAMES", frames)
        out = tmp_path / f"{frames}.svq"
        streamvq.compress(source, out, codebook=book, jobs=jobs, **settings)
        with streamvq.open(out) as found:
            indices.append(np.asarray(found.indices))
    assert (indices[0] == indices[1]).all()


def test_stability_has_the_last_word(tmp_path: Path) -> None:
    """A code that stands still stays, whatever `lossy` would choose; and each frame begins with what was kept."""
    source = write_video(tmp_path / "in.mkv", [smooth(), smooth() ^ 1, smooth() ^ 3, 255 - smooth()])
    book = streamvq.fit(source, 16)
    streamvq.apply(source, book, tmp_path / "still.svq", lossy=20, stability=5)
    with streamvq.open(tmp_path / "still.svq") as found:
        codes = np.asarray(found.indices)
    assert (codes[:3] == codes[0]).all()
    assert (codes[3] != codes[0]).mean() > 0.5
