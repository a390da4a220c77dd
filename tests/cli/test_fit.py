"""`streamvq fit`: only the codebook."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
from pictures import SAMPLES, few_colors, noise, save, smooth, snapshot
from videos import write_video, y4m

import streamvq
from streamvq import Codebook


def test_a_codebook_and_nothing_else(tmp_path: Path, good: Callable) -> None:
    result = good("fit", SAMPLES / "photos", "-k", 12, "-o", tmp_path / "book.npz")
    book = Codebook.load(tmp_path / "book.npz")
    assert len(book) == 12
    assert book.fingerprint[:12] in result.stdout
    assert list(snapshot(tmp_path)) == ["book.npz"]


def test_the_same_as_compress_learns(tmp_path: Path, good: Callable) -> None:
    source = write_video(tmp_path / "in.mkv", [smooth(shift=shift) for shift in range(8)])
    good("fit", source, "-k", 16, "-o", tmp_path / "book.npz")
    good("compress", source, "-k", 16, "-o", tmp_path / "out.mkv")
    assert (tmp_path / "book.npz").read_bytes() == (tmp_path / "out.codebook.npz").read_bytes()
    assert Codebook.load(tmp_path / "book.npz") == streamvq.fit(source, 16)


def test_a_pipe_is_learned_from_in_full(tmp_path: Path, good: Callable) -> None:
    pictures = [np.full((8, 8, 3), 50, np.uint8)] * 50 + [np.full((8, 8, 3), 200, np.uint8)]
    result = good("fit", "-", "-k", 4, "-o", tmp_path / "book.npz", "--json", stdin=y4m(pictures))
    record = json.loads(result.stdout)
    assert (record["frames"], record["n_codes"]) == (51, 2)


def test_json(tmp_path: Path, good: Callable) -> None:
    source = save(few_colors(5), tmp_path / "in.png")
    result = good("fit", source, "-k", 9, "-o", tmp_path / "book.npz", "--json")
    record = json.loads(result.stdout)
    assert result.stdout.count("\n") == 1
    assert record["inputs"] == [str(source)]
    assert record["codebook"] == str(tmp_path / "book.npz")
    assert (record["n_codes"], record["frames"]) == (5, 1)
    assert record["fingerprint"] == Codebook.load(tmp_path / "book.npz").fingerprint
    assert "5 colors instead of 9" in result.stderr


def test_dry_run_and_existing_files(tmp_path: Path, good: Callable, refused: Callable) -> None:
    source, book = save(noise(), tmp_path / "in.png"), tmp_path / "book.npz"
    good("fit", source, "-k", 4, "-o", book, "--dry-run")
    assert not book.exists()
    good("fit", source, "-k", 4, "-o", book)
    before = snapshot(tmp_path)
    assert "book.npz" in refused("fit", source, "-k", 8, "-o", book)
    good("fit", source, "-k", 8, "-o", book, "--skip-existing")
    assert snapshot(tmp_path) == before
    good("fit", source, "-k", 8, "-o", book, "--overwrite")
    assert len(Codebook.load(book)) == 8


def test_a_codebook_ends_in_npz(tmp_path: Path, refused: Callable) -> None:
    source = save(noise(), tmp_path / "in.png")
    assert ".npz" in refused("fit", source, "-o", tmp_path / "book.png", exit=2)


def test_one_bad_input_of_many(tmp_path: Path, cli: Callable) -> None:
    source = save(few_colors(5), tmp_path / "in.png")
    (tmp_path / "bad.mkv").write_bytes(b"no video")
    result = cli("fit", tmp_path / "bad.mkv", source, "-k", 5, "-o", tmp_path / "book.npz")
    assert result.exit_code == 1
    assert "bad.mkv" in result.stderr
    assert len(Codebook.load(tmp_path / "book.npz")) == 5


def test_quiet(tmp_path: Path, good: Callable) -> None:
    source = save(noise(), tmp_path / "in.png")
    result = good("fit", source, "-k", 4, "-o", tmp_path / "book.npz", "-q")
    assert (result.stdout, result.stderr) == ("", "")
