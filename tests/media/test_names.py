"""Names that can be told apart in every folder, on every system."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path, PurePosixPath

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pictures import few_colors, load, save

from streamvq.media.names import distinct_names

STEMS = ["a", "A", "a-2", "con", "nul.b", "é", "e\u0301"]
NAMES = [
    f"{folder}{stem}{suffix}" for folder in ("", "a/", "A/") for stem in STEMS for suffix in (".png", ".jpg", ".tif")
]


@pytest.mark.parametrize(
    ("names", "renamed"),
    [
        (["a.png", "b.png"], {}),
        (["a.jpg", "a.png", "A.tif"], {"a.png": "a-2.png", "A.tif": "A-3.tif"}),
        (["x/a.png", "x/a.jpg", "a.png"], {"x/a.jpg": "x/a-2.jpg"}),
        (["a.png", "a.jpg", "a-2.webp"], {"a.jpg": "a-3.jpg"}),
        (["con.png", "NUL.tar.png", "com1.png", "console.png"], None),
        (["aux/a.png", "lpt9"], {"aux/a.png": "aux_/a.png", "lpt9": "lpt9_"}),
    ],
)
def test_only_what_must_be_is_renamed(names: list[str], renamed: dict[str, str] | None) -> None:
    if renamed is None:
        renamed = {"con.png": "con_.png", "NUL.tar.png": "NUL_.tar.png", "com1.png": "com1_.png"}
    assert distinct_names(names) == renamed


@given(st.lists(st.sampled_from(NAMES), unique=True, max_size=20))
def test_all_names_differ_in_any_case_and_format(names: list[str]) -> None:
    renamed = distinct_names(names)
    new = [PurePosixPath(renamed.get(name, name)).with_suffix(".png") for name in names]
    assert len({str(path).casefold() for path in new}) == len(names)
    assert all(path.parent.name.casefold() in ("", "a") for path in new)


@pytest.mark.parametrize("pair", [("a.png", "a.jpg"), ("x.bmp", "x.webp"), ("b.png", "B.png")])
def test_a_folder_packed_and_unpacked(pair: tuple[str, str], tmp_path: Path, good: Callable) -> None:
    for seed, name in enumerate(pair):
        save(few_colors(6, 8, 8, seed), tmp_path / "in" / name)
    if len(list((tmp_path / "in").iterdir())) < 2:
        pytest.skip("this file system takes them for one")
    result = good("compress", tmp_path / "in", "-o", tmp_path / "a.svq")
    assert [line for line in result.stderr.splitlines() if "becomes" in line]
    good("decompress", tmp_path / "a.svq", "-o", tmp_path / "out")
    good("compress", tmp_path / "in", "-o", tmp_path / "plain")
    for folder in ("out", "plain"):
        names = sorted(path.name for path in (tmp_path / folder).iterdir())
        assert len({name.casefold() for name in names}) == 2
        assert any("-2.png" in name for name in names)
        stored = {load(tmp_path / folder / name).tobytes() for name in names}
        lossless = [few_colors(6, 8, 8, seed).tobytes() for seed, name in enumerate(pair) if "jpg" not in name]
        assert stored.issuperset(lossless) or "webp" in pair[1]
    good("compare", tmp_path / "in", tmp_path / "a.svq")
    good("compare", tmp_path / "in", tmp_path / "plain")


def test_what_is_there_already_keeps_its_name(tmp_path: Path, good: Callable) -> None:
    """`--skip-existing` names what is left as the whole run would."""
    for seed, name in enumerate(["a.jpg", "a.png"]):
        save(few_colors(6, 8, 8, seed), tmp_path / "in" / name)
    good("compress", tmp_path / "in", "-o", tmp_path / "out")
    (tmp_path / "out" / "a-2.png").unlink()
    good("compress", tmp_path / "in", "-o", tmp_path / "out", "--skip-existing")
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["a-2.png", "a.png"]
