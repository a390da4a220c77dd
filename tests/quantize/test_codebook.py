"""The codebook: frozen, exact, and honest about its file."""

from __future__ import annotations

import copy
import io
import json
import pickle
import zipfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray
from pictures import codebook, few_colors, noise, snapshot

from streamvq import Codebook, CodebookError, Frame, OutputExists
from streamvq.quantize.blocks import code_length
from streamvq.quantize.pixels import luma

rgb_codes = arrays(np.uint8, st.tuples(st.integers(1, 300), st.just(3)))
gray_codes = arrays(np.uint8, st.tuples(st.integers(1, 256), st.just(1)))
pixels3 = arrays(np.uint8, st.tuples(st.integers(1, 5), st.integers(1, 5), st.just(3)))


def book_of(codes: NDArray) -> Codebook:
    return Codebook(codes, "gray" if codes.shape[1] == 1 else "rgb")


@given(st.one_of(rgb_codes, gray_codes))
def test_saved_and_loaded_it_is_the_same(tmp_path: Path, codes: NDArray) -> None:
    book = book_of(codes)
    book.save(tmp_path / "book.npz", overwrite=True)
    loaded = Codebook.load(tmp_path / "book.npz")
    assert (loaded.codes == codes).all()
    assert (loaded.space, loaded.block) == (book.space, book.block)
    assert loaded.fingerprint == book.fingerprint
    assert loaded == book
    assert loaded.to_bytes() == book.to_bytes()


@given(rgb_codes, pixels3)
def test_quantizing_twice_changes_nothing(codes: NDArray, pixels: NDArray) -> None:
    book = book_of(codes)
    rows = book.quantize(pixels)
    drawn = book.lookup(rows)
    assert (book.lookup(book.quantize(drawn)) == drawn).all()


@given(rgb_codes, st.data())
def test_a_color_of_the_palette_stays_as_it_is(codes: NDArray, data: st.DataObject) -> None:
    rows = np.array(data.draw(st.lists(st.integers(0, len(codes) - 1), min_size=1)))[None]
    pixels = codes[rows]
    book = book_of(codes)
    assert (book.lookup(book.quantize(pixels)) == pixels).all()


@given(gray_codes, pixels3)
def test_color_becomes_luma_for_a_gray_codebook(codes: NDArray, pixels: NDArray) -> None:
    book = book_of(codes)
    assert (book.quantize(pixels) == book.quantize(luma(pixels))).all()


def test_gray_becomes_rgb_for_a_color_codebook() -> None:
    book, gray = codebook(64), noise(8, 8, 1)
    assert (book.quantize(gray) == book.quantize(np.repeat(gray, 3, axis=2))).all()
    assert (book.quantize(gray[..., 0]) == book.quantize(gray)).all()


def test_16_bits_and_alpha_quantize_like_what_they_show() -> None:
    book, pixels = codebook(64), noise(8, 8)
    assert (book.quantize(pixels.astype(np.uint16) * 257) == book.quantize(pixels)).all()
    opaque = np.dstack([pixels, np.full((8, 8), 255, np.uint8)])
    assert (book.quantize(opaque) == book.quantize(pixels)).all()


@pytest.mark.parametrize("channels", [1, 3, 4])
@pytest.mark.parametrize(
    ("space", "block"), [("rgb", (1, 1)), ("gray", (1, 1)), ("rgb", (2, 3)), ("gray", (4, 4)), ("ycbcr420", (4, 2))]
)
def test_a_batch_is_its_pictures(space: str, block: tuple[int, int], channels: int) -> None:
    batch = np.stack([noise(9, 10, channels, seed=seed) for seed in range(3)])
    codes = np.random.default_rng(0).integers(0, 256, (40, code_length(block, space))).astype(np.uint8)
    book = Codebook(codes, space, block)
    rows = book.quantize(batch)
    assert rows.shape == (3, -(-9 // block[0]), -(-10 // block[1]))
    assert rows.dtype == book.quantize(batch[0]).dtype
    assert (rows == [book.quantize(pixels) for pixels in batch]).all()
    for size in ((), (9, 10)):
        pictures = book.lookup(rows, *size)
        assert (pictures == [book.lookup(picture, *size) for picture in rows]).all()
    if block != (1, 1):
        assert pictures.shape == (3, 9, 10, book.channels)


@pytest.mark.parametrize("shape", [(0, 4, 4, 3), (2, 4, 4, 2), (1, 2, 4, 4, 3), (4,)])
def test_what_is_no_picture_and_no_batch(shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="shape"):
        codebook().quantize(np.zeros(shape, np.uint8))


def test_its_repr_is_one_line() -> None:
    assert repr(codebook(16)).startswith("<Codebook of 16 rgb codes, ")
    assert "\n" not in repr(codebook(16))


def test_transparent_pixels_take_row_0_and_cost_nothing() -> None:
    book, pixels = codebook(64), noise(8, 8, 4)
    pixels[..., 3] = 0
    coded, error = book.quantize_frame(Frame(pixels, 7, name="a.png"))
    assert error == 0
    assert not coded.codes.any()
    assert coded.alpha is not None
    assert not coded.alpha.any()
    assert (coded.index, coded.name, coded.width, coded.height) == (7, "a.png", 8, 8)


def test_quantizing_leaves_its_input_alone() -> None:
    pixels = noise(8, 8, 4)
    pixels[:4, :, 3] = 0
    before = pixels.copy()
    pixels.setflags(write=False)
    codebook().quantize(pixels)
    assert (pixels == before).all()


def test_the_error_is_that_of_the_pixels() -> None:
    book, pixels = codebook(16), noise()
    coded, error = book.quantize_frame(Frame(pixels))
    assert error == ((book.lookup(coded.codes).astype(int) - pixels.astype(int)) ** 2).sum()


def test_index_i_is_row_i() -> None:
    book = codebook(200)
    assert (book.quantize(book.codes[None]) == np.arange(200)).all()
    assert (book.lookup(np.arange(200, dtype=np.uint8)[None])[0] == book.codes).all()


def test_codes_cannot_be_written() -> None:
    mine = np.zeros((2, 3), np.uint8)
    book = Codebook(mine)
    mine[:] = 9  # not the codebook's own copy
    assert not book.codes.any()
    with pytest.raises(ValueError, match="read-only"):
        book.codes[0, 0] = 1
    with pytest.raises(AttributeError):
        book.codes = mine  # type: ignore[misc]


def test_the_fingerprint_is_of_the_content_alone() -> None:
    codes = codebook().codes
    assert Codebook(codes, provenance={"seed": 1}).fingerprint == Codebook(codes).fingerprint
    assert Codebook(codes[::-1]).fingerprint != Codebook(codes).fingerprint
    assert hash(Codebook(codes)) == hash(Codebook(codes))
    gray = np.arange(3, dtype=np.uint8)
    assert Codebook(gray[:, None], "gray").fingerprint != Codebook(gray[None]).fingerprint


def test_the_fingerprint_never_changes() -> None:
    """A golden value: files refer to codebooks by it."""
    book = Codebook(np.array([[0, 0, 0], [255, 128, 0]], np.uint8))
    text = b'["streamvq codebook", "rgb", [1, 1], [2, 3]]\n\x00\x00\x00\xff\x80\x00'
    import hashlib

    assert book.fingerprint == hashlib.sha256(text).hexdigest()


def test_copies_and_pickles_are_the_same_codebook() -> None:
    book = codebook()
    book.quantize(noise())  # fills what must not be copied
    for twin in (copy.deepcopy(book), pickle.loads(pickle.dumps(book))):
        assert twin == book
        assert (twin.quantize(noise()) == book.quantize(noise())).all()
    assert len(pickle.dumps(book)) < 2000


def test_numpy_opens_the_file(tmp_path: Path) -> None:
    book = Codebook(codebook().codes, provenance={"seed": 7})
    book.save(tmp_path / "book.npz")
    with np.load(tmp_path / "book.npz", allow_pickle=False) as archive:
        assert (archive["codes"] == book.codes).all()
        meta = json.loads(str(archive["meta"]))
    assert meta["format"] == "streamvq codebook"
    assert meta["version"] == 1
    assert meta["fingerprint"] == book.fingerprint
    assert meta["provenance"] == {"seed": 7}


def test_saving_refuses_to_overwrite(tmp_path: Path) -> None:
    path = tmp_path / "book.npz"
    codebook().save(path)
    before = snapshot(tmp_path)
    with pytest.raises(OutputExists):
        codebook(seed=2).save(path)
    assert snapshot(tmp_path) == before
    codebook(seed=2).save(path, overwrite=True)
    assert Codebook.load(path) == codebook(seed=2)


@pytest.mark.parametrize(
    ("codes", "space"),
    [
        (np.zeros((2, 3), np.float64), "rgb"),
        (np.zeros((2, 3), np.int64), "rgb"),
        (np.zeros((2, 1), np.uint8), "rgb"),
        (np.zeros((2, 3), np.uint8), "gray"),
        (np.zeros(6, np.uint8), "rgb"),
        (np.zeros((0, 3), np.uint8), "rgb"),
        (np.zeros((65537, 3), np.uint8), "rgb"),
        (np.zeros((257, 1), np.uint8), "gray"),
        (np.zeros((2, 3), np.uint8), "lab"),
    ],
)
def test_what_is_no_codebook_is_refused(codes: NDArray, space: str) -> None:
    with pytest.raises(CodebookError):
        Codebook(codes, space)


def test_a_code_that_does_not_exist_is_an_error() -> None:
    with pytest.raises(IndexError):
        codebook(16).lookup(np.array([[16]], np.uint8))
    with pytest.raises(TypeError, match="unsigned"):
        codebook(16).lookup(np.array([[-1]]))


@given(st.binary(max_size=200))
def test_no_bytes_at_all_load_as_a_codebook(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "book.npz").write_bytes(data)
    with pytest.raises(CodebookError, match=r"book\.npz"):
        Codebook.load(tmp_path / "book.npz")


@given(st.data())
def test_a_damaged_file_is_refused_or_the_same(tmp_path: Path, data: st.DataObject) -> None:
    book = Codebook(few_colors(8, 4, 4)[0])
    content = bytearray(book.to_bytes())
    at = data.draw(st.integers(0, len(content) - 1))
    content[at] ^= data.draw(st.integers(1, 255))
    path = tmp_path / "book.npz"
    path.write_bytes(content)
    try:
        assert Codebook.load(path) == book
    except CodebookError as error:
        assert "book.npz" in str(error)  # noqa: PT017  either outcome is right


@given(st.integers(0, 1200))
def test_a_file_cut_off_is_refused(tmp_path: Path, size: int) -> None:
    content = codebook().to_bytes()
    (tmp_path / "book.npz").write_bytes(content[: min(size, len(content) - 1)])
    with pytest.raises(CodebookError, match=r"book\.npz"):
        Codebook.load(tmp_path / "book.npz")


def test_a_huge_claim_is_refused_before_memory_is_taken(tmp_path: Path) -> None:
    header = io.BytesIO()
    np.lib.format.write_array_header_1_0(header, {"descr": "|u1", "fortran_order": False, "shape": (1 << 40, 3)})
    with zipfile.ZipFile(tmp_path / "book.npz", "w") as archive, np.load(io.BytesIO(codebook().to_bytes())) as good:
        meta = io.BytesIO()
        np.save(meta, good["meta"])
        archive.writestr("meta.npy", meta.getvalue())
        archive.writestr("codes.npy", header.getvalue())
    with pytest.raises(CodebookError, match=r"book\.npz"):
        Codebook.load(tmp_path / "book.npz")


def test_a_transparent_pixel_alone_leaves_its_frame_as_it_is() -> None:
    pixels = np.array([[[9, 8, 7, 0]]], np.uint8)
    pixels.setflags(write=False)
    coded, error = Codebook(np.array([[1, 2, 3], [9, 8, 7]], np.uint8)).quantize_frame(Frame(pixels))
    assert (coded.codes[0, 0], error) == (0, 0)
    assert pixels.tolist() == [[[9, 8, 7, 0]]]


def test_a_shape_that_is_negative_takes_no_memory(tmp_path: Path) -> None:
    header = io.BytesIO()
    np.lib.format.write_array_header_1_0(header, {"descr": "|u1", "fortran_order": False, "shape": (-3, 3)})
    good = tmp_path / "good.npz"
    Codebook(np.zeros((1, 3), np.uint8)).save(good)
    bad = tmp_path / "bad.npz"
    with zipfile.ZipFile(good) as old, zipfile.ZipFile(bad, "w", zipfile.ZIP_DEFLATED) as new:
        new.writestr("meta.npy", old.read("meta.npy"))
        new.writestr("codes.npy", header.getvalue() + bytes(1 << 24))
    with pytest.raises(CodebookError, match=r"bad\.npz"):
        Codebook.load(bad)


@pytest.mark.parametrize(
    "changes",
    [
        {"provenance": ["x" * 100_000]},
        {"provenance": "x" * 100_000},
        {"provenance": None},
        {"space": "x" * 100_000},
        {"space": ["rgb"]},
        {"block": [1, 10**4000]},
        {"block": {"x" * 100_000: 1}},
        {"block": ["1", "1"]},
        {"fingerprint": ["x" * 100_000]},
        {"version": "x" * 100_000},
    ],
    ids=lambda changes: str(changes)[:40],
)
def test_fields_of_other_types_and_of_great_length(changes: dict[str, object], tmp_path: Path) -> None:
    """A short sentence that names the field."""
    path = tmp_path / "book.npz"
    codebook().save(path)
    with np.load(path) as content:
        meta, codes = json.loads(str(content["meta"])), content["codes"]
    np.savez(path, codes=codes, meta=np.array(json.dumps(meta | changes)))
    with pytest.raises(CodebookError, match=next(iter(changes))) as caught:
        Codebook.load(path)
    assert str(caught.value).startswith(f"{path}: ")
    assert len(str(caught.value)) < len(str(path)) + 300
