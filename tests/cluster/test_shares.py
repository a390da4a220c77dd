"""`apply` in shares, and `merge`: the bytes of one machine."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from pictures import bands, save, snapshot
from videos import write_video

import streamvq
from streamvq.container import group_size
from streamvq.errors import MediaDamaged, MediaError, StreamVQError, UsageError

COLORS = "#000,#00f,#0f0,#f00,#777,#fff"


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """150 frames with B-frames, a key frame each 40, gaps in time, and sound: three groups."""
    ticks = [i + i // 7 for i in range(150)]
    pictures = [bands(16, 32, shift) for shift in range(150)]
    path = tmp_path_factory.mktemp("clip") / "a.mp4"
    return write_video(path, pictures, ticks, Fraction(1, 50), audio="aac", bf="3", g="40", **{"b-pyramid": "normal"})


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """Nine images of mixed sizes in two folders, one of them broken."""
    for i in range(9):
        save(bands(8 + i % 3, 20, i), tmp_path / "photos" / "ab"[i % 2] / f"{i}.png")
    (tmp_path / "photos" / "a" / "4.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    return tmp_path / "photos"


@pytest.fixture
def small_groups(monkeypatch: pytest.MonkeyPatch) -> None:
    """Groups of about three small images."""
    monkeypatch.setattr(group_size, "TARGET_PIXELS", 3 * 9 * 20)


def in_shares(source: Path, folder: Path, of: int, codebook: Any, **options: Any) -> list[Path]:
    """The parts, made in any order."""
    parts = [folder / f"part{share}.svq" for share in range(1, of + 1)]
    for share in sorted(range(1, of + 1), key=lambda share: share * 5 % 7):
        streamvq.apply(source, codebook, parts[share - 1], shard=(share, of), **options)
    return parts


@pytest.mark.parametrize(
    ("of", "options"),
    [
        (3, {}),
        (7, {"trim": "0.5:", "width": 24}),
        (2, {"lossy": 8, "stability": 4}),
        (3, {"rank": 2, "jobs": 1}),
        (2, {"every": 2, "dither": "floyd-steinberg"}),
    ],
    ids=["plain", "selected", "scanned", "rank", "dithered"],
)
def test_parts_of_a_video_become_the_file_of_one_run(
    clip: Path, tmp_path: Path, of: int, options: dict[str, Any]
) -> None:
    parts = in_shares(clip, tmp_path, of, COLORS, **options)
    merged = streamvq.merge(parts, tmp_path / "all.svq")
    result = streamvq.apply(clip, COLORS, tmp_path / "one.svq", **options)
    assert (tmp_path / "all.svq").read_bytes() == (tmp_path / "one.svq").read_bytes()
    assert (merged.frames, merged.bytes_out, merged.failed) == (result.frames, result.bytes_out, ())
    frames = 0
    for part in parts:  # each can be looked at
        with streamvq.open(part) as clip_part:
            assert len(clip_part) < result.frames
            frames += len(clip_part)
    assert frames == result.frames


def test_factors_need_no_codebook(clip: Path, tmp_path: Path) -> None:
    how: dict[str, Any] = {"method": "svd", "rank": 2}
    for share in (1, 2):
        streamvq.compress(clip, tmp_path / f"{share}.svq", shard=(share, 2), **how)
    streamvq.merge([tmp_path / "1.svq", tmp_path / "2.svq"], tmp_path / "all.svq")
    streamvq.compress(clip, tmp_path / "one.svq", **how)
    assert (tmp_path / "all.svq").read_bytes() == (tmp_path / "one.svq").read_bytes()


@pytest.mark.usefixtures("small_groups")
@pytest.mark.parametrize("options", [{}, {"every": 2}, {"lossy": 5}], ids=str)
def test_parts_of_images_are_grouped_as_in_one_run(photos: Path, tmp_path: Path, options: dict[str, Any]) -> None:
    book = streamvq.fit(photos, 9, block=2, recursive=True, keep_going=True)
    parts = in_shares(photos, tmp_path, 3, book, recursive=True, **options)
    merged = streamvq.merge(parts, tmp_path / "all.svq")
    one = streamvq.apply(photos, book, tmp_path / "one.svq", recursive=True, **options)
    assert (tmp_path / "all.svq").read_bytes() == (tmp_path / "one.svq").read_bytes()
    assert merged.failed == one.failed


@pytest.mark.parametrize("options", [{}, {"stability": 30}, {"every": 2}, {"format": "webp"}], ids=str)
def test_folders_are_mirrored_together(photos: Path, tmp_path: Path, options: dict[str, Any]) -> None:
    (photos / "a" / "4.png").unlink()
    how: dict[str, Any] = {"recursive": True, **options}
    for share in (2, 3, 1):
        streamvq.apply(photos, COLORS, tmp_path / "out", shard=f"{share}/3", **how)
    streamvq.apply(photos, COLORS, tmp_path / "one", **how)
    streamvq.merge(tmp_path / "out", tmp_path / "copy")
    streamvq.merge(tmp_path / "out", tmp_path / "out")
    assert snapshot(tmp_path / "out") == snapshot(tmp_path / "copy") == snapshot(tmp_path / "one")


def test_numbered_frames_and_whole_files(clip: Path, photos: Path, tmp_path: Path) -> None:
    shutil.copy(clip, tmp_path / "b.mp4")
    sources = [clip, tmp_path / "b.mp4", photos / "b" / "1.png"]
    how: dict[str, Any] = {"width": 8, "format": "png"}
    for share in range(1, 6):
        streamvq.compress_many(sources, tmp_path / "out", codebook=COLORS, shard=(share, 5), **how)
    streamvq.merge(tmp_path / "out", tmp_path / "out")
    streamvq.compress_many(sources, tmp_path / "one", codebook=COLORS, **how)
    assert snapshot(tmp_path / "out") == snapshot(tmp_path / "one")


def test_what_does_not_belong_together(clip: Path, photos: Path, tmp_path: Path) -> None:
    how: dict[str, Any] = {"width": 8}
    parts = in_shares(clip, tmp_path, 3, COLORS, **how)
    for given, says in (
        (parts[:2], "part1.svq: share 3 of 3 is missing"),
        (
            [*parts, shutil.copy(parts[1], tmp_path / "again.svq")],
            "again.svq: share 2 of 3 is there already: .*part2",
        ),
        ([*parts, clip], "a.mp4: is no part"),
        ([*parts, tmp_path], "is a folder, and the others are not"),
    ):
        with pytest.raises(UsageError, match=says):
            streamvq.merge(given, tmp_path / "all.svq")
    streamvq.apply(clip, COLORS, tmp_path / "other.svq", shard=(3, 3), lossy=3, **how)
    streamvq.apply(photos / "b" / "1.png", COLORS, tmp_path / "foreign.svq", shard=(3, 3), **how)
    streamvq.apply(clip, COLORS, tmp_path / "whole.svq", **how)
    for name, says in (("other", "other settings"), ("foreign", "other inputs"), ("whole", "no part of a run")):
        with pytest.raises(UsageError, match=rf"{name}\.svq: .*{says}"):
            streamvq.merge([*parts[:2], tmp_path / f"{name}.svq"], tmp_path / "all.svq")
    data = parts[1].read_bytes()
    for cut in (len(data) // 2, len(data) - 40):
        parts[1].write_bytes(data[:cut])
        with pytest.raises(MediaDamaged, match=r"part2\.svq: is cut off"):
            streamvq.merge(parts, tmp_path / "all.svq")
    assert not (tmp_path / "all.svq").exists()


def test_folders_that_are_not_complete(photos: Path, tmp_path: Path) -> None:
    how: dict[str, Any] = {"recursive": True}
    for share in (1, 3):
        streamvq.apply(photos, COLORS, tmp_path / "out", shard=(share, 3), **how)
    with pytest.raises(UsageError, match="out: share 2 of 3 is missing"):
        streamvq.merge(tmp_path / "out", tmp_path / "out")
    streamvq.apply(photos, "#000,#fff", tmp_path / "two", shard=(2, 3), **how)
    with pytest.raises(UsageError, match="was made with codebook="):
        streamvq.merge([tmp_path / "out", tmp_path / "two"], tmp_path / "all")
    streamvq.apply(photos, COLORS, tmp_path / "two", shard=(2, 3), overwrite=True, **how)
    merged = streamvq.merge([tmp_path / "out", tmp_path / "two"], tmp_path / "all")
    assert (merged.frames, len(merged.failed)) == (8, 1)
    next((tmp_path / "two").rglob("*.png")).unlink()
    with pytest.raises(MediaError, match="is missing; make its share again"):
        streamvq.merge([tmp_path / "out", tmp_path / "two"], tmp_path / "more")


@pytest.mark.parametrize(
    ("output", "options", "says"),
    [
        ("a.mkv", {}, "is one file, which shares cannot write together"),
        ("a.svq", {"min_psnr": 3}, "contradict each other"),
        ("a.svq", {"shard": "auto"}, "no job of a SLURM array"),
    ],
)
def test_what_shares_cannot_do(clip: Path, tmp_path: Path, output: str, options: dict[str, Any], says: str) -> None:
    with pytest.raises(StreamVQError, match=says):
        streamvq.apply(clip, COLORS, tmp_path / output, **{"shard": "1/2"} | options)


def test_compress_says_how_a_codebook_is_shared(clip: Path, tmp_path: Path, refused: Callable) -> None:
    assert "sketch each" in refused("compress", clip, "--shard", "1/2", "-o", tmp_path / "a.svq", exit=2)


def test_a_share_that_is_there_is_skipped(clip: Path, tmp_path: Path) -> None:
    how: dict[str, Any] = {"codebook": "#000,#888,#fff", "shard": (1, 2), "skip_existing": True}
    first = streamvq.apply(clip, how.pop("codebook"), tmp_path / "part1.svq", **how)
    before = snapshot(tmp_path)
    again = streamvq.apply(clip, "#000,#888,#fff", tmp_path / "part1.svq", **how)
    assert (first.status, again.status) == ("done", "skipped")
    assert snapshot(tmp_path) == before
