"""Animations: bytes for the same indices against other programs, and the time of a whole run."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path

from PIL import Image

import streamvq
from benchmarks.clips import RATE, SIZE
from benchmarks.measure import Bench, Times, at_least, at_most, in_turn
from benchmarks.peers import cli, command, ffmpeg, ffmpeg_gif, installed, run
from benchmarks.quality import file_psnr

SECONDS = 2  # of each clip, for bytes


def bench_gif(bench: Bench) -> None:
    """GIF of 16, 64 and 256 colors, APNG and WebP of 64, of the same indices; CPU seconds of a whole run."""
    for name, clip in bench.clips.items():
        for count in (16, 64, 256):
            _gif_bytes(bench, name, clip, count)
        _png_and_webp(bench, name, clip)
        _whole_run(bench, name, clip)


def _gif_bytes(bench: Bench, name: str, clip: Path, count: int) -> None:
    folder = bench.folder
    pictures = _same_indices(clip, count, folder)
    ours, pillow = folder / "ours.gif", folder / "pillow.gif"
    streamvq.compress(clip, ours, codebook=folder / "frames.codebook.npz", trim=f":{SECONDS}", overwrite=True)
    _by_pillow(pictures, pillow)
    commands = {
        "gifsicle": ["gifsicle", "-O3", "--no-warnings", pillow, "-o", folder / "gifsicle.gif"],
        "ffmpeg": ffmpeg("-framerate", 25, "-i", folder / "frames/frame%06d.png", folder / "ffmpeg.gif"),
    }
    targets = {"gifsicle": 1.0, "ffmpeg": 0.6 if count == 256 else 0.9}
    size = ours.stat().st_size
    for peer, words in commands.items():
        theirs = None
        if installed(peer):
            command(*words)()
            theirs = (folder / f"{peer}.gif").stat().st_size
        shown = "gifsicle -O3" if peer == "gifsicle" else peer
        bench.row(f"GIF, {count} colors", size, "bytes", shown, theirs, at_most(targets[peer]), clip=name)
    target = at_most(0.6) if count == 256 else None
    bench.row(f"GIF, {count} colors", size, "bytes", "Pillow", pillow.stat().st_size, target, clip=name)


def _png_and_webp(bench: Bench, name: str, clip: Path) -> None:
    folder = bench.folder
    pictures = _same_indices(clip, 64, folder)
    book, frames = folder / "frames.codebook.npz", folder / "frames/frame%06d.png"
    peers = {
        "ffmpeg": ("apng", ffmpeg("-framerate", 25, "-i", frames, "-plays", 0, folder / "ffmpeg.apng")),
        "apngasm": ("apng", _apngasm(pictures, folder / "apngasm.apng")),
        "img2webp": ("webp", ["img2webp", "-min_size", "-d", 40, *pictures, "-o", folder / "img2webp.webp"]),
    }

    def write(form: str) -> Callable[[], object]:
        out = folder / f"ours.{form}"
        return lambda: streamvq.compress(clip, out, codebook=book, trim=f":{SECONDS}", jobs=1, overwrite=True)

    work: dict[str, Callable[[], object]] = {form: write(form) for form in ("apng", "webp")}
    work |= {peer: command(*words) for peer, (_, words) in peers.items() if installed(peer)}
    taken = in_turn(work, 1)
    for peer, (form, _) in peers.items():
        size = (folder / f"ours.{form}").stat().st_size
        theirs = (folder / f"{peer}.{form}").stat().st_size if peer in taken else None
        bench.row(f"{form}, 64 colors", size, "bytes", peer, theirs, at_most(1), clip=name)
        bench.row(f"{form}, 64 colors", taken[form], "s", peer, taken.get(peer), clip=name)


def _apngasm(pictures: Sequence[Path], out: Path) -> list[object]:
    """Version 2, which Debian has, finds the numbered files behind the first by itself."""
    if not installed("apngasm"):
        return []
    said = subprocess.run(["apngasm"], stdout=subprocess.PIPE, text=True).stdout
    is_old = "Assembler 2." in said
    return ["apngasm", out, pictures[0], 1, RATE] if is_old else ["apngasm", "-o", out, "-F", *pictures]


def _whole_run(bench: Bench, name: str, clip: Path) -> None:
    """Against FFmpeg's palette of the clip, and gifski, which is given PNGs: decoding is not in its time."""
    folder = bench.folder
    outs = {peer: folder / f"{peer}-run.gif" for peer in ("streamvq", "ffmpeg", "gifski")}
    width, height = SIZE
    gifski = ["gifski", "-q", "-r", RATE, "-W", width, "-H", height, "-o", outs["gifski"]]
    commands: dict[str, Callable[[], list[object]]] = {
        "streamvq": lambda: cli("compress", clip, "-k", 256, "-o", outs["streamvq"], "-fq"),
        "ffmpeg": lambda: ffmpeg_gif(clip, outs["ffmpeg"]),
        "gifski": lambda: [*gifski, *_as_pictures(clip, folder)],
    }
    work = {peer: command(*words()) for peer, words in commands.items() if peer == "streamvq" or installed(peer)}
    taken: dict[str, Times] = in_turn(work, 2)
    quality = {peer: file_psnr(clip, outs[peer]) for peer in taken}
    what = "compress -k 256 to GIF"
    for peer, target in {"ffmpeg": at_most(0.9), "gifski": at_most(1 / 8)}.items():
        bench.row(what, taken["streamvq"], "s", peer, taken.get(peer), target, clip=name)
        theirs = outs[peer].stat().st_size if peer in taken else None
        bench.row(what, outs["streamvq"].stat().st_size, "bytes", peer, theirs, clip=name)
        bench.row(what, quality["streamvq"], "dB", peer, quality.get(peer), at_least(1), clip=name)


def _as_pictures(clip: Path, folder: Path) -> list[Path]:
    """The frames of a clip as PNGs."""
    shutil.rmtree(folder / "pictures", ignore_errors=True)
    (folder / "pictures").mkdir()
    run(ffmpeg("-i", clip, "-pred", "none", "-compression_level", 1, folder / "pictures/%06d.png"))
    return sorted((folder / "pictures").iterdir())


def _same_indices(clip: Path, count: int, folder: Path) -> list[Path]:
    """The quantized frames as indexed PNGs."""
    shutil.rmtree(folder / "frames", ignore_errors=True)
    streamvq.compress(clip, folder / "frames", count, trim=f":{SECONDS}", overwrite=True)
    return sorted((folder / "frames").iterdir())


def _by_pillow(pictures: Sequence[Path], out: Path) -> None:
    first, *others = [Image.open(picture) for picture in pictures]
    first.save(out, save_all=True, append_images=others, duration=40, loop=0)
