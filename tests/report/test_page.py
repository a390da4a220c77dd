"""The page as text: what is in it, what is left out, and what stays out."""

from __future__ import annotations

import base64
import io
import json
import re
import sys
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from pictures import SAMPLES, codebook, few_colors, noise, save, smooth
from PIL import Image
from videos import write_video

import streamvq
from streamvq.report.comparison import Comparison, FrameComparison
from streamvq.report.page import json_text, write_report
from streamvq.report.page_data import MAX_POINTS, curves, short_names
from streamvq.report.report_frames import MIN_FRAMES, Candidate, deflated_codes, fit_to_budget, spread, webp_data_uri
from streamvq.report.swatches import MAX_SWATCHES, Codes, swatches

NASTY = "</script><script>alert(1)</script> \"a\" 'b' & <!-- é 漢 \u2028.png"


def data_of(page: Path) -> dict[str, Any]:
    """The JSON that the page's script reads."""
    (text,) = re.findall(
        r'<script type="application/json" id="data">(.*?)</script>', page.read_text("utf-8"), re.DOTALL
    )
    return json.loads(text)


def report_data(reference: Path, tests: Sequence[Path], page: Path, **options: Any) -> dict[str, Any]:
    """The JSON of a page that is written for it."""
    write_report(reference, tests, page, **options)
    return data_of(page)


def decoded(uri: str, mode: str = "RGB") -> NDArray[np.uint8]:
    head, _, text = uri.partition(",")
    assert head == "data:image/webp;base64"
    with Image.open(io.BytesIO(base64.b64decode(text))) as image:
        return np.asarray(image.convert(mode))


def unpacked(plane: dict[str, Any]) -> NDArray:
    shape = (-1, plane["rows"], plane["columns"])
    low, *high = np.frombuffer(zlib.decompress(base64.b64decode(plane["data"])), np.uint8).reshape(shape)
    return low + 256 * high[0].astype(np.uint16) if high else low


def shot(index: int, psnr: float | None = 30.0) -> FrameComparison:
    return FrameComparison(index, None, index / 25, 4, 4, psnr, psnr, 0.9, None, 9, 9, 10.0, 5.0)


def compared(frames: list[FrameComparison], test: str = "test.svq") -> Comparison:
    return Comparison("ref.mp4", test, tuple(frames), 30.0, 30.0, 0.9, None, 9, 9, 100, 50, 8.0, 4.0)


@pytest.fixture
def folders(tmp_path: Path) -> tuple[Path, Path]:
    """Three images of different sizes, and the same with 12 colors and the codebook beside them."""
    for name, pixels in (("a", smooth()), ("b", noise(9, 11)), ("c", smooth(40, 20))):
        save(pixels, tmp_path / "in" / f"{name}.png")
    streamvq.compress(tmp_path / "in", tmp_path / "out", 12)
    return tmp_path / "in", tmp_path / "out"


def test_it_has_the_exact_pixels_and_codes(folders: tuple[Path, Path], tmp_path: Path) -> None:
    found = write_report(folders[0], [folders[1]], tmp_path / "page.html")
    assert found == [streamvq.compare(*folders)]
    data = data_of(tmp_path / "page.html")
    book = streamvq.Codebook.load(tmp_path / "out.codebook.npz")
    assert [frame["label"] for frame in data["frames"]] == ["a.png", "b.png", "c.png"]
    for frame, own, before, after in zip(
        data["frames"],
        data["tests"][0]["frames"],
        streamvq.open_source(folders[0]),
        streamvq.open_source(folders[1]),
        strict=True,
    ):
        assert np.array_equal(decoded(frame["picture"]), before.pixels)
        assert np.array_equal(decoded(own["picture"]), after.pixels)
        assert np.array_equal(book.lookup(unpacked(own["codes"])), after.pixels)
    grid = data["tests"][0]["swatches"]
    assert grid["codes"] == list(range(12))
    assert sum(grid["shares"]) == pytest.approx(1, abs=1e-3)
    assert grid["colors"] == ["#" + code.tobytes().hex() for code in book.codes]


def test_names_stay_text(tmp_path: Path) -> None:
    name = NASTY.replace("/", "∕")  # no file is named with a slash
    save(noise(), tmp_path / "in" / name)
    save(noise(seed=1), tmp_path / "in" / "b.png")
    (tmp_path / "out <i> & 'x'").mkdir()
    for file in (tmp_path / "in").iterdir():
        save(noise(seed=2), tmp_path / "out <i> & 'x'" / file.name)
    page = tmp_path / "page.html"
    write_report(tmp_path / "in", [tmp_path / "out <i> & 'x'"], page, command=f"streamvq report '{NASTY}'")
    text = page.read_text("utf-8")
    assert "<script>alert" not in text
    assert "<i> &" not in text
    assert text.count("<script") == text.count("</script>") == 2
    data = data_of(page)
    assert name in [frame["label"] for frame in data["frames"]]
    assert data["tests"][0]["name"] == "out <i> & 'x'"


@given(st.text())
def test_json_in_a_page_is_inert_and_comes_back(text: str) -> None:
    written = str(json_text({text: [text]}))
    assert not set(written) & set("<>&\u2028\u2029")
    assert json.loads(written) == {text: [text]}


def test_it_asks_for_nothing_from_elsewhere(folders: tuple[Path, Path], tmp_path: Path) -> None:
    write_report(folders[0], [folders[1]], tmp_path / "page.html")
    text = (tmp_path / "page.html").read_text("utf-8")
    assert "http:" not in text
    assert "https:" not in text
    assert re.findall(r'(?:src|href)="([^"]*)"', text) == ["data:,"]
    assert "default-src 'none'" in text


def test_the_same_inputs_give_the_same_page(folders: tuple[Path, Path], tmp_path: Path) -> None:
    for name, jobs in (("one.html", 1), ("two.html", 2)):
        write_report(folders[0], [folders[1]], tmp_path / name, jobs=jobs)
    assert (tmp_path / "one.html").read_bytes() == (tmp_path / "two.html").read_bytes()


def test_all_figures_are_in_the_tables(folders: tuple[Path, Path], tmp_path: Path) -> None:
    (found,) = write_report(folders[0], [folders[1]], tmp_path / "page.html", command="streamvq report in out")
    text = (tmp_path / "page.html").read_text("utf-8")
    for value in (found.psnr_db, found.psnr_luma_db, found.frames[1].psnr_db):
        assert f">{value:.2f}<" in text
    assert f">{found.bytes_test:,}<" in text
    assert f">{found.ssim:.4f}<" in text
    assert "streamvq report in out" in text
    assert f"streamvq {sys.modules['importlib.metadata'].version('streamvq')}" in text


def test_several_results_share_the_reference(tmp_path: Path) -> None:
    save(smooth(), tmp_path / "in.png")
    for folder in ("one", "two"):
        (tmp_path / folder).mkdir()
    for folder, colors in (("one", 4), ("two", 16)):
        streamvq.compress(tmp_path / "in.png", tmp_path / folder / "in.png", colors)
    results = [tmp_path / folder / "in.png" for folder in ("one", "two")]
    data = report_data(tmp_path / "in.png", results, tmp_path / "p.html")
    assert [test["name"] for test in data["tests"]] == ["one/in.png", "two/in.png"]
    assert [test["swatches"]["total"] for test in data["tests"]] == [4, 16]
    assert data["tests"][0]["psnr_db"] < data["tests"][1]["psnr_db"]


def test_the_worst_frame_is_always_there(tmp_path: Path) -> None:
    for number in range(9):
        save(smooth(), tmp_path / "in" / f"{number}.png")
        save(noise() if number == 5 else smooth(shift=1), tmp_path / "out" / f"{number}.png")
    for most in (1, 2, 4):
        page = tmp_path / f"{most}.html"
        data = report_data(tmp_path / "in", [tmp_path / "out"], page, max_frames=most)
        frames = [frame["index"] for frame in data["frames"]]
        assert len(frames) == most
        assert 5 in frames
        assert len(data["curves"]["frames"]) == 9


@given(st.integers(1, 300), st.data())
def test_chosen_frames_are_distinct_and_spread(count: int, data: st.DataObject) -> None:
    worst = data.draw(st.lists(st.integers(0, count - 1), max_size=3))
    most = data.draw(st.integers(1, 40))
    chosen = spread(worst, count, most)
    assert len(set(chosen)) == len(chosen) == min(count, most)
    assert set(list(dict.fromkeys(worst))[:most]) <= set(chosen)
    assert all(0 <= position < count for position in chosen)
    if most >= 4 and not worst:
        assert max(np.diff(sorted(chosen)), default=0) <= 2 * count / (most - 1) + 1


def test_frames_make_room_for_more_informative_ones() -> None:
    frames = [Candidate(i, [noise(seed=i), noise(seed=i + 99)], [None]) for i in range(20)]
    ranked = spread([3], 20, 20)
    size = len(webp_data_uri(noise())) * 2
    shown = fit_to_budget(iter(frames), ranked, 10 * size)
    assert {frame.index for frame in shown} == set(ranked[: len(shown)])
    assert 8 <= len(shown) <= 11
    assert [frame.stride for frame in shown] == [1] * len(shown)
    assert sum(frame.text_length for frame in shown) <= 10 * size


def test_large_frames_are_subsampled() -> None:
    frames = [Candidate(i, [noise(60, 80, seed=i), few_colors(9, 60, 80, seed=i)], [None]) for i in range(9)]
    codes = np.arange(60 * 80, dtype=np.uint16).reshape(60, 80)
    frames[2] = Candidate(2, frames[2].pixels, [codes])
    room = 3 * len(webp_data_uri(noise(60, 80)))
    shown = fit_to_budget(iter(frames), spread([2], 9, 9), room)
    assert len(shown) >= MIN_FRAMES
    assert sum(frame.text_length for frame in shown) <= room
    thin = next(frame for frame in shown if frame.index == 2)
    assert thin.stride > 1
    assert np.array_equal(decoded(thin.pictures[0]), frames[2].pixels[0][:: thin.stride, :: thin.stride])
    assert thin.codes[0] is not None
    assert np.array_equal(thin.codes[0], codes[:: thin.stride, :: thin.stride])


def test_a_subsampled_page_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    save(noise(90, 90), tmp_path / "in.png")
    save(noise(90, 90, seed=1), tmp_path / "out.png")
    monkeypatch.setattr(fit_to_budget, "__defaults__", (20_000,))
    data = report_data(tmp_path / "in.png", [tmp_path / "out.png"], tmp_path / "page.html")
    assert data["frames"][0]["stride"] > 1
    text = (tmp_path / "page.html").read_text("utf-8")
    assert "lossless, in full size" not in text
    assert len(text) < 120_000


def test_a_page_that_is_full_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(MIN_FRAMES + 3):
        for folder in ("in", "out"):
            save(noise(40, 40, seed=number), tmp_path / folder / f"{number}.png")
    for room, says in ((7_000_000, False), (80_000, True)):
        monkeypatch.setattr(fit_to_budget, "__defaults__", (room,))
        data = report_data(tmp_path / "in", [tmp_path / "out"], tmp_path / f"{room}.html")
        assert (len(data["frames"]) < MIN_FRAMES + 3) == says
        assert ("larger than 7 MB" in (tmp_path / f"{room}.html").read_text("utf-8")) == says


@pytest.mark.parametrize("channels", [1, 3, 4])
def test_pictures_are_lossless(channels: int) -> None:
    pixels = noise(channels=channels)
    back = decoded(webp_data_uri(pixels), {1: "L", 3: "RGB", 4: "RGBA"}[channels])
    assert np.array_equal(back.reshape(pixels.shape), pixels)
    deep = pixels.astype(np.uint16) * 257
    assert webp_data_uri(deep) == webp_data_uri(pixels)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_codes_come_back(dtype: type) -> None:
    codes = noise(5, 7, 1, dtype=dtype)[..., 0]
    assert np.array_equal(unpacked({"rows": 5, "columns": 7, "data": deflated_codes(codes)}), codes)


def test_of_many_codes_the_most_used_are_shown() -> None:
    rng = np.random.default_rng(0)
    book = streamvq.Codebook(rng.integers(0, 256, (3000, 3), np.uint8))
    codes = rng.integers(500, 2900, (50, 80)).astype(np.uint16)
    codes[0] = 2999
    grid = swatches(book, [codes, codes[:10]])
    counts = np.bincount(np.concatenate([codes.ravel(), codes[:10].ravel()]), minlength=3000)
    assert len(grid["codes"]) == MAX_SWATCHES
    assert grid["codes"] == sorted(grid["codes"])
    assert 2999 in grid["codes"]
    assert min(counts[grid["codes"]]) >= max(np.delete(counts, grid["codes"]))
    assert grid["used"] == np.count_nonzero(counts)
    assert max(grid["shares"]) == pytest.approx(160 / 4800, rel=1e-3)


def test_blocks_are_one_sheet() -> None:
    codes = noise(40, 6, 1)[..., 0]
    book = streamvq.Codebook(codes, "ycbcr420", (2, 2))
    grid = swatches(book, [np.array([[0, 39]], np.uint8)])
    sheet = decoded(grid["picture"])
    assert sheet.shape == (2 * 2, 2 * 32, 3)
    assert np.array_equal(sheet[2:4, 14:16], book.pictures[39])
    assert not sheet[2:4, 16:].any()


def test_codes_of_results_that_hold_none(tmp_path: Path) -> None:
    book = codebook(4)
    frame = streamvq.Frame(book.lookup(noise(6, 8, 1)[..., 0] % 4))
    image = save(frame.pixels, tmp_path / "a.png")
    with Codes(image) as codes:
        assert codes.of(frame) is None
    book.save(tmp_path / "a.codebook.npz")
    with Codes(image) as codes:
        assert codes.codebook == book
        rows = codes.of(frame)
        assert rows is not None
        assert np.array_equal(book.lookup(rows), frame.pixels)
        assert codes.of(streamvq.Frame(noise(6, 8))) is None


def test_outputs_that_share_a_codebook_find_it(tmp_path: Path) -> None:
    """One of their own, left from another run, is not theirs: they name theirs."""
    inputs = [write_video(tmp_path / f"{name}.mkv", [smooth(16, 32, shift)]) for shift, name in enumerate("ab")]
    streamvq.compress_many(inputs, tmp_path / "out", 5)
    shared = streamvq.Codebook.load(tmp_path / "out.codebook.npz")
    codebook(4).save(tmp_path / "out" / "a.codebook.npz")
    for name in ("a.mkv", "b.mkv"):
        with Codes(tmp_path / "out" / name) as codes:
            assert codes.codebook == shared
    assert report_data(inputs[1], [tmp_path / "out" / "b.mkv"], tmp_path / "page.html")["tests"][0]["swatches"]


def test_a_result_of_factors_has_no_codes(tmp_path: Path) -> None:
    image = save(smooth(), tmp_path / "in.png")
    streamvq.compress(image, tmp_path / "out.svq", method="svd", rank=3)
    test = report_data(image, [tmp_path / "out.svq"], tmp_path / "page.html")["tests"][0]
    assert test["swatches"] is None
    assert test["frames"][0]["codes"] is None


def test_a_resized_result_has_no_codes(tmp_path: Path) -> None:
    streamvq.compress(save(smooth(), tmp_path / "in.png"), tmp_path / "out.svq", 9)
    large = save(smooth(64, 96), tmp_path / "large.png")
    data = report_data(large, [tmp_path / "out.svq"], tmp_path / "page.html", resize=True)
    assert data["tests"][0]["swatches"] is None
    assert decoded(data["tests"][0]["frames"][0]["picture"]).shape == (64, 96, 3)


def test_a_long_film_has_its_worst_frames_in_the_curves() -> None:
    frames = [shot(i, 20.0 if i == 4321 else 30 + i % 7) for i in range(5000)]
    drawn = curves([compared(frames)], [17, 4999])
    assert len(drawn["frames"]) <= MAX_POINTS + 2
    assert drawn["every"] == 3
    assert {17, 4321, 4999} <= set(drawn["frames"])
    assert drawn["frames"] == sorted(drawn["frames"])
    assert {len(values) for values in drawn["tests"][0].values()} == {len(drawn["frames"])}


def test_curves_have_the_frames_that_all_results_have() -> None:
    one, two = [shot(i) for i in (0, 1, 2)], [shot(i, None) for i in (0, 2, 3)]
    drawn = curves([compared(one), compared(two)], [0])
    assert drawn["frames"] == [0, 2]
    assert drawn["tests"][1]["psnr_db"] == [None, None]


@given(st.lists(st.sampled_from(["a.svq", "x/a.svq", "y/a.svq", "y/x/a.svq", "/y/x/a.svq", "b"]), min_size=1))
def test_short_names_are_ends_of_paths(paths: list[str]) -> None:
    names = short_names(paths)
    assert all(path.endswith(name) for path, name in zip(paths, names, strict=True))
    assert len(set(names)) == len(set(paths))


def test_what_cannot_be_is_refused_before_any_work(tmp_path: Path) -> None:
    image = save(noise(), tmp_path / "a.png")
    taken = tmp_path / "taken.html"
    taken.write_text("mine")
    with pytest.raises(streamvq.OutputExists):
        write_report(image, [image], taken)
    for arguments in (
        (image, [image], tmp_path / "page.pdf"),
        (image, [], tmp_path / "page.html"),
        ("-", [image], tmp_path / "page.html"),
        (image, ["-"], tmp_path / "page.html"),
    ):
        with pytest.raises(streamvq.UsageError):
            write_report(*arguments)  # type: ignore[arg-type]
    with pytest.raises(streamvq.UsageError, match="choose 1 or more"):
        write_report(image, [image], tmp_path / "page.html", max_frames=0)
    with pytest.raises(streamvq.InputMissing):
        write_report(image, [tmp_path / "none.png"], tmp_path / "page.html")
    assert taken.read_text() == "mine"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.png", "taken.html"]


def test_without_jinja2_it_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "jinja2", None)
    image = SAMPLES / "photos" / "sprite.png"
    with pytest.raises(streamvq.StreamVQError, match=re.escape("pip install 'streamvq[report]'")):
        write_report(image, [image], tmp_path / "page.html")
