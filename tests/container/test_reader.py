"""Opening `.svq` files, and codebooks from files."""

from __future__ import annotations

import io
import sys
from pathlib import Path

import pytest
from containers import saved, some_frames, svq_bytes
from pictures import codebook

from streamvq import CodebookError, InputMissing, MediaError, UsageError
from streamvq.container import groups
from streamvq.container.pictures import pictures_of
from streamvq.container.reader import SvqReader, codebook_from, load_codebook, open_svq


def test_the_codebook_inside(tmp_path: Path) -> None:
    book = codebook(16)
    path = saved(tmp_path / "x.svq", svq_bytes(book, some_frames(book)))
    assert load_codebook(path) == book
    book.save(tmp_path / "book.npz")
    assert load_codebook(tmp_path / "book.npz") == book
    path.write_bytes(svq_bytes(book, some_frames(book), embed=False))
    with pytest.raises(CodebookError, match=r"x\.svq"):
        load_codebook(path)
    with pytest.raises(CodebookError, match=r"nowhere\.svq"):
        load_codebook(tmp_path / "nowhere.svq")


def test_what_is_taken_as_a_codebook(tmp_path: Path) -> None:
    book = codebook(16)
    path = saved(tmp_path / "x.svq", svq_bytes(book, some_frames(book)))
    book.save(tmp_path / "book.npz")
    assert codebook_from(None) is None
    assert codebook_from(book) is book
    for value in (path, str(path), tmp_path / "book.npz", str(tmp_path / "book.npz")):
        assert codebook_from(value) == load_codebook(value) == book


def test_opening(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """By path or from standard input, which stays open; nothing stays open where opening fails."""
    book = codebook(16)
    data = svq_bytes(book, some_frames(book))
    with open_svq(saved(tmp_path / "x.svq", data)) as reader:
        assert [group.n_frames for group in reader.groups()] == [2, 2, 2, 1]
        assert reader.label == str(tmp_path / "x.svq")
    reader.close()
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(data)))
    with open_svq(None) as reader:
        assert reader.label == "-"
        assert reader.codebook == book
    assert not sys.stdin.buffer.closed
    with pytest.raises(InputMissing, match=r"nowhere\.svq.*spelling"):
        open_svq(tmp_path / "nowhere.svq")
    with pytest.raises(MediaError, match="cannot be read"):
        open_svq(tmp_path)
    with pytest.raises(MediaError, match=r"clip: not an \.svq file"):
        open_svq(saved(tmp_path / "text.svq", b"text, whatever its name says"), label="clip")


def test_a_disk_that_fails(tmp_path: Path) -> None:
    class Failing(io.BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            raise OSError(5, "Input/output error")

    with pytest.raises(MediaError, match=r"x\.svq: cannot be read: Input/output error"):
        SvqReader(Failing(), "x.svq")


def test_a_table_is_parsed_once(monkeypatch: pytest.MonkeyPatch) -> None:
    parsed, read_table = [], groups.read_table
    monkeypatch.setattr(groups, "read_table", lambda *arguments: parsed.append(1) or read_table(*arguments))
    book = codebook(16)
    reader = SvqReader(io.BytesIO(svq_bytes(book, some_frames(book))), "x.svq")
    for group in reader.groups():
        assert not parsed
        assert group.pixels == 48 * group.n_frames
        assert len(reader.decode(group)) == group.n_frames
        assert parsed.pop()


def test_what_no_svq_can_hold() -> None:
    with pytest.raises(TypeError, match=r"str: \.svq holds the frames of a Codebook or a LowRankCodec"):
        pictures_of("a codebook")  # type: ignore[arg-type]


def test_a_codebook_is_one_or_a_path(tmp_path: Path) -> None:
    book = codebook()
    book.save(tmp_path / "book.npz")
    assert codebook_from(book) is book
    assert codebook_from(tmp_path / "book.npz") == codebook_from(str(tmp_path / "book.npz")) == book
    assert codebook_from(None) is None
    with pytest.raises(UsageError, match=r"`codebook`: a list is none"):
        codebook_from([])  # type: ignore[arg-type]
