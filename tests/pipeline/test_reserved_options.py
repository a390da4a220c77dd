"""Reserved colors, palettes that are learned beside, and codebooks that grow."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from pictures import few_colors, noise, save, smooth

import streamvq
from streamvq import Codebook, UsageError
from streamvq.media.palette_files.palette import parse_colors


def rows(book: Codebook, *indices: int) -> list[str]:
    return ["#" + bytes(book.palette[index].tolist()).hex() for index in indices]


def test_reserved_colors_have_their_places_and_are_saved(tmp_path: Path) -> None:
    book = streamvq.fit(noise(40, 40), 12, reserve=["tomato", "#f0f@5", "#00ff00"])
    book.save(tmp_path / "a.npz")
    for each in (book, Codebook.load(tmp_path / "a.npz")):
        assert rows(each, 0, 5, 1) == ["#ff6347", "#ff00ff", "#00ff00"]
        assert (each.reserved, each.names[0], each.names[5], len(each)) == ((0, 1, 5), "tomato", "", 12)
    luma = np.delete(book.codes, book.reserved, axis=0) @ np.array([0.299, 0.587, 0.114])
    assert (np.diff(luma) >= -0.5).all()


def test_a_reserved_color_keeps_its_index_where_the_input_has_few() -> None:
    picture = few_colors(5)
    book = streamvq.fit(picture, 32, reserve="#f0f@31")
    assert (len(book), rows(book, 31)) == (32, ["#ff00ff"])
    assert (book.lookup(book.quantize(picture)) == picture).all()


@pytest.mark.parametrize("space", ["linear", "oklab"])
def test_in_other_color_spaces_too(space: str) -> None:
    picture = noise(30, 30)
    book = streamvq.fit(picture, 9, space=space, reserve="#f0f@4")
    more = streamvq.fit(picture, codebook=book, extend=2)
    assert (rows(more, 4), len(more), more.matching) == (["#ff00ff"], 11, space)
    gray = streamvq.fit(picture, 9, gray=True, space=space, reserve="#777@4")
    assert gray.codes[4, 0] == 0x77


def test_gray_levels_are_reserved_too() -> None:
    book = streamvq.fit(noise(20, 20), 6, gray=True, reserve=["white", "#777@3"])
    assert (book.codes[[0, 3], 0].tolist(), book.reserved) == ([255, 0x77], (0, 3))


def test_a_palette_comes_first_and_the_rest_is_learned(tmp_path: Path) -> None:
    (tmp_path / "art.gpl").write_text("GIMP Palette\n0 0 0 ink\n255 0 0\n0 0 0 again\n", "utf-8")
    book = streamvq.fit(noise(40, 40), 8, palette=tmp_path / "art.gpl", reserve=["blue@5", "red"])
    assert rows(book, 0, 1, 2, 5) == ["#000000", "#ff0000", "#000000", "#0000ff"]
    assert (book.reserved, len(book), book.names[2]) == ((0, 1, 2, 5), 8, "again")


@pytest.mark.parametrize("block", [1, (2, 4)])
def test_an_extended_codebook_keeps_its_codes_and_fits_better(block: int | tuple[int, int], tmp_path: Path) -> None:
    old = streamvq.fit(smooth(64, 64), 8, block=block)
    picture = noise(64, 64)
    new = streamvq.fit(picture, codebook=old, extend=6)
    assert (new.codes[:8] == old.codes).all()
    assert (len(new), new.provenance["extends"], new.reserved) == (14, old.fingerprint, tuple(range(8)))
    source = save(picture, tmp_path / "in.png")
    result = streamvq.compress(source, tmp_path / "out.svq", codebook=old, extend=6)
    saved = Codebook.load(str(result.codebook))
    assert saved == new
    assert result.n_codes == 14
    before = streamvq.apply(source, old, tmp_path / "before.svq")
    assert (result.psnr_db or 0) > (before.psnr_db or 0)


def test_the_same_for_any_number_of_jobs(tmp_path: Path) -> None:
    for number in range(4):
        save(noise(30, 30, seed=number), tmp_path / f"{number}.png")
    one, two = (streamvq.fit(tmp_path, 20, reserve=["red", "#123@9"], jobs=jobs).codes for jobs in (1, 2))
    assert (one == two).all()


def test_another_run_continues_with_the_same_reserved_colors_only(tmp_path: Path) -> None:
    source, output = save(noise(9, 9), tmp_path / "in.png"), tmp_path / "out.png"
    streamvq.compress(source, output, 8, reserve="#f0f")
    assert streamvq.compress(source, output, 8, reserve="#f0f", skip_existing=True).skipped
    for reserve in ((), "#0ff"):
        with pytest.raises(streamvq.OutputExists, match="reserve"):
            streamvq.compress(source, output, 8, reserve=reserve, skip_existing=True)
    (tmp_path / "a.hex").write_text("112233\n", "utf-8")
    streamvq.compress(source, tmp_path / "b.png", 8, palette=tmp_path / "a.hex")
    (tmp_path / "a.hex").write_text("332211\n", "utf-8")
    with pytest.raises(streamvq.OutputExists, match="other reserved colors"):
        streamvq.compress(source, tmp_path / "b.png", 8, palette=tmp_path / "a.hex", skip_existing=True)


@pytest.mark.parametrize(
    ("keywords", "message"),
    [
        ({"reserve": "blurple"}, "`reserve=blurple`: no such color"),
        ({"reserve": "#12345"}, "no such color"),
        ({"reserve": ["red@1", "blue@1"]}, "`reserve=blue@1`: index 1 is taken by red@1"),
        ({"reserve": "red@0", "palette": "#000"}, "index 0 is taken by the palette"),
        ({"reserve": "red@4", "n_codes": 4}, "0 to 3"),
        ({"reserve": "red@-1"}, "index after @"),
        ({"reserve": ["red", "lime", "blue"], "n_codes": 2}, "3 codes reserved, and 2 colors in all"),
        ({"reserve": "red", "gray": True}, "is colored"),
        ({"palette": "#000,#f00", "gray": True}, "is colored"),
        ({"reserve": "red", "block": 4}, "blocks of 4x4"),
        ({"palette": "#000,#f00", "block": 4}, "has 2 colors"),
        ({"codebook": "#000,#f00"}, "fit learns"),
        ({"extend": 3}, "`codebook=PATH`"),
        ({"palette": "#000,#f00", "codebook": "#000,#f00", "extend": 1}, "contradict"),
        ({"codebook": "#000,#f00", "extend": 1, "n_codes": 4}, "`n_codes`"),
        ({"codebook": "#000,#f00", "extend": 65536}, "choose 2 to 65536"),
    ],
)
def test_bad_input(keywords: dict, message: str) -> None:
    with pytest.raises(UsageError, match=message.replace("(", r"\(")):
        streamvq.fit(noise(9, 9), **keywords)


@pytest.mark.parametrize(
    ("keywords", "message"),
    [
        ({"reserve": "red", "codebook": "#000,#fff"}, "nothing is learned"),
        ({"reserve": "red", "method": "svd", "rank": 2}, "method svd has no codes"),
        ({"palette": "#000,#fff", "method": "svd", "rank": 2}, "drop `palette`"),
        ({"extend": 3}, "give the `codebook=PATH`"),
    ],
)
def test_bad_input_of_compress(keywords: dict, message: str, tmp_path: Path) -> None:
    source = save(noise(9, 9), tmp_path / "in.png")
    with pytest.raises(UsageError, match=message):
        streamvq.compress(source, tmp_path / "out.png", **keywords)
    assert [path.name for path in tmp_path.iterdir()] == ["in.png"]


def test_typed_colors() -> None:
    assert parse_colors("#000,#f00").codebook("x").codes.tolist() == [[0, 0, 0], [255, 0, 0]]
