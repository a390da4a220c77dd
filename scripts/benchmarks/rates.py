"""Bytes and quality: indices against lossless formats; rate and distortion against codecs."""

from __future__ import annotations

import io
import lzma
import math
import shutil
from collections.abc import Iterable
from functools import partial
from itertools import islice, pairwise
from pathlib import Path
from subprocess import CalledProcessError

import numpy as np
from numpy.typing import NDArray
from PIL import Image

import streamvq
from benchmarks import clips
from benchmarks.measure import Bench, Target, at_most, in_turn
from benchmarks.peers import ffmpeg, installed, record, run
from benchmarks.quality import file_psnr, frames_of
from streamvq.container.index_coders import index_coder
from streamvq.options import EFFORTS

PEERS = {
    "Cinepak -q:v 10": ("avi", ["-c:v", "cinepak", "-q:v", "10"]),
    "Cinepak -q:v 3": ("avi", ["-c:v", "cinepak", "-q:v", "3"]),
    "RoQ": ("roq", ["-vf", "setpts=N/30/TB", "-r", "30", "-c:v", "roqvideo"]),
    "SVQ1 -q:v 2": ("mov", ["-c:v", "svq1", "-q:v", "2"]),
    "SVQ1 -q:v 8": ("mov", ["-c:v", "svq1", "-q:v", "8"]),
    "MJPEG -q:v 5": ("avi", ["-c:v", "mjpeg", "-q:v", "5"]),
    "MJPEG -q:v 12": ("avi", ["-c:v", "mjpeg", "-q:v", "12"]),
    "MJPEG -q:v 31": ("avi", ["-c:v", "mjpeg", "-q:v", "31"]),
    "MPEG-2 -q:v 10": ("mkv", ["-c:v", "mpeg2video", "-q:v", "10"]),
    "MPEG-2 -q:v 31": ("mkv", ["-c:v", "mpeg2video", "-q:v", "31"]),
    "H.264 -crf 28": ("mkv", ["-c:v", "libx264", "-crf", "28"]),
    "H.264 -crf 38": ("mkv", ["-c:v", "libx264", "-crf", "38"]),
}
OURS = (
    ["-k", "16"],
    ["-k", "64"],
    ["-k", "256"],
    ["-k", "256", "--lossy", "6"],
    ["--block", "2", "-k", "1024", "--lossy", "8"],
    ["--block", "4", "-k", "256", "--lossy", "10"],
    ["--block", "4", "-k", "1024", "--lossy", "10"],
    ["--block", "4", "-k", "4096"],
    ["--block", "4", "-k", "4096", "--lossy", "10"],
    ["--block", "4", "-k", "4096", "--lossy", "20"],
    ["--block", "4", "-k", "4096", "--lossy", "40"],
    ["--block", "8", "-k", "4096", "--lossy", "20"],
)
INDEX_TARGETS = {"indexed PNG": 0.45, "GIF": 0.42, "xz -6": 0.75, "WebP": 0.6}

Point = tuple[str, int, float]  # name, bytes, dB


def bench_rd(bench: Bench) -> None:
    """Bytes (without audio, with the codebook) and RGB PSNR of every frame, for streamvq and codecs."""
    clip, folder = bench.film, bench.folder
    pixels = sum(frame.pixels[..., 0].size for frame in frames_of(clip))
    points: list[Point] = []
    for options in OURS:
        out = folder / "ours.svq"
        told = record("compress", clip, "-o", out, "-f", *options)
        points.append(
            (f"streamvq {' '.join(options)}", told["bytes_out"] - told["parts"]["audio"], file_psnr(clip, out))
        )
    if not installed("ffmpeg"):
        print("ffmpeg is not installed")
        return
    for name, (suffix, options) in PEERS.items():
        out, plain = folder / f"peer.{suffix}", folder / "peer-decoded.mkv"  # decoded by ffmpeg itself
        try:
            run(ffmpeg("-i", clip, "-an", *options, out))
            run(ffmpeg("-i", out, "-fps_mode", "passthrough", "-c:v", "ffv1", plain))
        except CalledProcessError:
            print(f"{name}: does not run on {clip.name}")
            continue
        points.append((name, out.stat().st_size, file_psnr(clip, plain)))
    for name, count, quality in sorted(points, key=lambda point: point[1]):
        what = f"{name}: {quality:.2f} dB"
        bench.row(what, 8 * count / pixels, "bits/pixel", clip=bench.film_name, note=f"{count:,} bytes")
    ours = front([point for point in points if point[0].startswith("streamvq")])
    for name, count, quality in points:
        if not name.startswith("streamvq"):
            at = bytes_at(ours, quality)
            what = f"at the {quality:.2f} dB of {name}"
            note = "" if at else "outside our settings"
            bench.row(what, at, "bytes", name, count, clip=bench.film_name, note=note)


def bytes_at(points: list[Point], quality: float) -> float | None:
    """Bytes at a PSNR, between the two settings around it, on a line of log(bytes)."""
    for a, b in pairwise(points):
        if a[2] <= quality <= b[2]:
            share = (quality - a[2]) / (b[2] - a[2])
            return math.exp(math.log(a[1]) * (1 - share) + math.log(b[1]) * share)
    return None


def front(points: list[Point]) -> list[Point]:
    """The settings that no other beats in both bytes and PSNR, by rising bytes."""
    best: list[Point] = []
    for point in sorted(points, key=lambda point: (point[1], -point[2])):
        if not best or point[2] > best[-1][2]:
            best.append(point)
    return best


def bench_index(bench: Bench) -> None:
    """Index bytes of .svq against other lossless forms of the same indices, by kind of content."""
    kinds: dict[str, Path] = dict(bench.films)
    drawn = {"screen": clips.scrolling_windows, "pixel art": clips.pixel_art, "still camera": clips.still_camera}
    kinds |= {name: clips.write_exact(bench.folder / f"{name}.mkv", draw()) for name, draw in drawn.items()}
    for name, source in {**kinds, "photos": bench.photos}.items():
        for k in (16, 64, 256):
            out = bench.folder / "i.svq"
            parts = record("compress", source, "-k", k, "-o", out, "-f")["parts"]
            ours = parts["indices"] + parts["frame tables"]
            for peer, size in _other_forms(out, bench.folder).items():
                target = INDEX_TARGETS.get(peer)
                aim: Target | None = at_most(target) if target else None
                bench.row(f"indices, {k} colors", ours, "bytes", peer, size, aim, clip=name)


def bench_effort(bench: Bench) -> None:
    """Index bytes and CPU time of `--effort fast` and `max` against default, each way, on the first frames."""
    kinds: dict[str, list[NDArray]] = {name: _begin(frames_of(clip)) for name, clip in bench.films.items()}
    kinds["screen"] = _begin(islice(clips.screen_frames(30, clips.SIZE), 20, None))
    kinds["pixel art"] = list(clips.pixel_art(4))
    photos = [path for path in sorted(bench.photos.iterdir()) if path.suffix in (".jpg", ".png")]
    kinds |= {path.stem: [frame.pixels for frame in frames_of(path)] for path in photos[:3]}
    for name, frames in kinds.items():
        for k, block in ((64, 1), (256, 1), (4096, 4)):
            if block > 1 and name not in bench.films:
                continue
            book = streamvq.fit(np.stack(frames), k, block=block)
            codes = [book.nearest_frame(streamvq.Frame(frame)).coded.codes for frame in frames]
            _efforts(bench, f"{k} {'colors' if block == 1 else 'blocks'}", name, codes, book.codes)


def _begin(frames: Iterable[NDArray | streamvq.Frame]) -> list[NDArray]:
    """The first frames, of four million pixels in all: as many as a group may have, nearly."""
    begin: list[NDArray] = []
    for frame in frames:
        begin.append(frame.pixels if isinstance(frame, streamvq.Frame) else frame)
        if len(begin) * begin[0].shape[0] * begin[0].shape[1] >= 4_000_000:
            break
    return begin


def _efforts(bench: Bench, what: str, clip: str, frames: list[NDArray], codes: NDArray) -> None:
    coders = {effort: index_coder(coder) for effort, coder in EFFORTS.items()}
    data = {effort: coder.encode(frames, codes) for effort, coder in coders.items()}
    shapes = [frame.shape for frame in frames]
    there = in_turn({e: partial(coder.encode, frames, codes) for e, coder in coders.items()}, 3)
    back = in_turn({e: partial(coder.decode, data[e], shapes, codes) for e, coder in coders.items()}, 3)
    millions = sum(frame.size for frame in frames) / 1e6
    for effort, bytes_target in (("fast", 1.25), ("max", 0.95)):
        row = partial(bench.row, peer="default", clip=clip)
        row(
            f"{effort}, {what}", len(data[effort]), "bytes", theirs=len(data["default"]), target=at_most(bytes_target)
        )
        for way, taken in (("encode", there), ("decode", back)):
            speed = millions / taken[effort].cpu_seconds
            target = at_most(4) if effort == "max" else None
            row(
                f"{effort}, {what}, {way}",
                taken[effort],
                "ms",
                theirs=taken["default"],
                target=target,
                note=f"{speed:.0f} M/s",
            )


def _other_forms(svq: Path, folder: Path) -> dict[str, int | None]:
    """Bytes of the frames of a .svq as indexed PNGs, GIF, raw indices in xz, WebP, ZMBV, JPEG XL, lossless H.264."""
    pngs = folder / "png"
    shutil.rmtree(pngs, ignore_errors=True)
    pngs.mkdir()
    raw, sizes = [], set()
    with streamvq.open(svq) as film:
        palette = film.codebook.palette.tobytes()
        for i, codes in enumerate(film.indices):
            image = Image.fromarray(codes)
            image.putpalette(palette)
            buffer = io.BytesIO()
            image.save(buffer, "PNG", optimize=True)
            (pngs / f"{i:06d}.png").write_bytes(buffer.getvalue())
            raw.append(codes.tobytes())
            sizes.add(codes.shape)
    files = sorted(pngs.iterdir())
    forms: dict[str, int | None] = {"indexed PNG": sum(path.stat().st_size for path in files)}
    forms["xz -6"] = len(lzma.compress(b"".join(raw), preset=6))
    clip = ["-framerate", 25, "-i", pngs / "%06d.png"]
    inputs = [clip] if len(sizes) == 1 else [["-i", path] for path in files]
    films = {
        "GIF": ("gif", []),
        "ZMBV": ("avi", ["-c:v", "zmbv", "-pix_fmt", "pal8"]),
        "x264 lossless RGB": ("mkv", ["-c:v", "libx264rgb", "-qp", 0]),
    }
    for name, (suffix, options) in films.items():
        if name != "GIF" and len(sizes) > 1:
            continue
        forms[name] = _total(inputs, options, folder / f"form.{suffix}") if installed("ffmpeg") else None
    if len(sizes) == 1:
        webp = folder / "form.webp"
        if installed("img2webp"):
            run(["img2webp", "-lossless", "-d", 40, *files, "-o", webp])
        forms["WebP"] = webp.stat().st_size if installed("img2webp") else None
    forms["JPEG XL"] = _jpeg_xl(files, folder / "form.jxl") if installed("cjxl") else None
    return forms


def _total(inputs: list[list[object]], options: list[object], out: Path) -> int:
    total = 0
    for words in inputs:
        run(ffmpeg(*words, *options, out))
        total += out.stat().st_size
    return total


def _jpeg_xl(files: list[Path], out: Path) -> int:
    """Of every fifth frame or so, scaled to all: it takes seconds for each."""
    some = files[:: max(1, len(files) // 12)]
    total = 0
    for path in some:
        run(["cjxl", path, out, "-d", 0, "-e", 7, "--quiet"])
        total += out.stat().st_size
    return round(total * len(files) / len(some))
